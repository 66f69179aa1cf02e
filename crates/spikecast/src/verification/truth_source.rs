//! What happened, from the observations of a source: the highest 5-minute price of each hour that
//! a forecast speaks about.

use std::collections::BTreeMap;
use std::sync::Arc;

use forecast::target::outcomes;
use jiff::{SignedDuration, Timestamp};
use market::archive::Archive;
use market::observation::{History, HistoryBuilder, Series, SeriesKey};
use market::place::SettlementPoint;
use market::source::FetchRequest;
use market::time::MarketHour;

use super::forecast_file::ForecastFile;
use super::truth_file::Truth;
use crate::data_dir::DataDir;
use crate::jobs::failure::JobError;
use crate::jobs::source::SourceChoice;

/// Prices of an hour are published within this time, corrections included.
const PUBLISHED_WITHIN: SignedDuration = SignedDuration::from_hours(5 * 24);

/// Reads what happened in the hours of a forecast.
pub fn truth_of_source(
    choice: &SourceChoice,
    data_dir: &DataDir,
    file: &ForecastFile,
) -> Result<Truth, JobError> {
    let mut hours: BTreeMap<Arc<str>, BTreeMap<Timestamp, MarketHour>> = BTreeMap::new();
    for row in &file.rows {
        let of_point = hours.entry(row.settlement_point.clone()).or_default();
        of_point.insert(row.target.hour.start, row.target.hour);
    }
    let mut prices = BTreeMap::new();
    for (name, hours) in &hours {
        let point = SettlementPoint::new(name)?;
        let history = load(choice, data_dir, &point, hours)?;
        let found = outcomes(&history.known_at(Timestamp::MAX), &point, hours.values());
        let known =
            hours.keys().zip(found).map(|(start, outcome)| ((name.clone(), *start), outcome));
        prices.extend(known);
    }
    Ok(Truth::of_prices(prices))
}

fn load(
    choice: &SourceChoice,
    data_dir: &DataDir,
    point: &SettlementPoint,
    hours: &BTreeMap<Timestamp, MarketHour>,
) -> Result<History, JobError> {
    let source = choice.open()?;
    let key = SeriesKey::at(Series::RealTimeLmp, point);
    if matches!(choice, SourceChoice::Ercot) {
        let archive = Archive::open(&data_dir.archive(&source.id()))?;
        return Ok(archive.load(std::slice::from_ref(&key))?);
    }
    let (first, last) = hours
        .first_key_value()
        .zip(hours.last_key_value())
        .map_or((Timestamp::MIN, Timestamp::MAX), |((first, _), (last, _))| {
            (*first, *last + PUBLISHED_WITHIN)
        });
    let request =
        FetchRequest { key: key.clone(), published_after: Some(first), published_until: last };
    let mut builder = HistoryBuilder::default();
    builder.add(&key, source.fetch(&request)?);
    Ok(builder.build())
}
