//! The history of a folder, its issue days described, and models trained on them.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use forecast::features::{Examples, examples};
use forecast::model::{FitSettings, FittedModel, LabelledExample, fit};
use forecast::target::{HourOutcome, outcomes};
use forecast::threshold::Thresholds;
use jiff::civil::{Date, date, time};
use jiff::{Timestamp, ToSpan};
use market::observation::{History, HistoryBuilder, Series, SeriesKey};
use market::place::{Place, SettlementPoint, WeatherZone};
use market::source::files::FileSource;
use market::source::{FetchRequest, Source};
use market::time::instant;
use rayon::prelude::*;

pub(super) fn thresholds() -> Thresholds {
    Thresholds::new(&[50.0, 100.0, 200.0, 500.0, 1_000.0]).expect("ascending prices")
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

/// Loads everything that a forecast reads, of the folder's own settlement points.
pub(super) fn load(folder: &str) -> Result<(History, Vec<SettlementPoint>), Box<dyn Error>> {
    let source = FileSource::open(Path::new(folder))?;
    let points = source.default_settlement_points()?;
    let mut builder = HistoryBuilder::default();
    for series in Series::FORECAST_INPUTS {
        let keys: Vec<SeriesKey> = match series {
            Series::RealTimeLmp | Series::DayAheadSpp => {
                points.iter().map(|point| SeriesKey::at(series, point)).collect()
            }
            Series::Temperature => [WeatherZone::Coast, WeatherZone::NorthCentral]
                .map(|zone| SeriesKey { series, place: Place::WeatherZone(zone) })
                .to_vec(),
            _ => vec![SeriesKey::system(series)],
        };
        for key in keys {
            let request = FetchRequest {
                key: key.clone(),
                published_after: None,
                published_until: Timestamp::MAX,
            };
            builder.add(&key, source.fetch(&request)?);
        }
    }
    Ok((builder.build(), points))
}

/// Returns the issue days from 60 days after the first price to 28 December of a year.
pub(super) fn issue_days(year: i16) -> Vec<Date> {
    let days = date(2020, 3, 1).series(1.days());
    days.take_while(|day| *day <= date(year, 12, 28)).collect()
}

/// Describes issue days at 09:57.
pub(super) fn describe(
    history: &History,
    points: &[SettlementPoint],
    days: &[Date],
) -> Vec<Examples> {
    let (view, thresholds) = (history.known_at(Timestamp::MAX), thresholds());
    days.par_iter()
        .flat_map_iter(|day| {
            let issue_time = instant(*day, time(9, 57, 0, 0)).expect("no clock skips 9:57");
            let view = view.narrowed_to(issue_time);
            points.iter().map(move |point| (view, point))
        })
        .map(|(view, point)| examples(&view, point, &thresholds))
        .collect()
}

/// Returns the described hours with what is known of their prices at an instant.
pub(super) fn labelled<'e>(
    history: &History,
    described: impl IntoIterator<Item = &'e Examples>,
    known_at: Timestamp,
) -> Vec<LabelledExample<'e>> {
    let view = history.known_at(known_at);
    let mut rows = Vec::new();
    for day in described {
        let hours = day.rows.iter().map(|row| &row.target.hour);
        let outcomes: Vec<HourOutcome> = outcomes(&view, &day.settlement_point, hours);
        rows.extend(day.rows.iter().zip(outcomes).map(|(example, outcome)| LabelledExample {
            issue_time: day.issue_time,
            example,
            outcome,
        }));
    }
    rows
}

/// Trains on what was issued and known before an instant.
pub(super) fn train(history: &History, described: &[Examples], as_of: Timestamp) -> FittedModel {
    let past = described.iter().filter(|day| day.issue_time < as_of);
    let rows = labelled(history, past, as_of);
    fit(&rows, &thresholds(), &FitSettings::at(as_of)).expect("years of history")
}
