//! A forecast at another price than those it was made for: a number, or a percentile of the prices
//! of the 30 days before the issue time, which differs by settlement point and day.

use std::collections::BTreeMap;
use std::sync::Arc;

use forecast::curve::exceedance_at;
use forecast::threshold::percentile;
use jiff::SignedDuration;
use market::observation::{Series, SeriesKey};
use market::units::DollarsPerMwh;
use orchestration::SystemClock;

use super::args::GlobalArgs;
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::{JobError, exit_of_error};
use crate::jobs::forecast::Workspace;
use crate::jobs::targets::Targets;
use crate::ledger::ForecastRow;

/// The span whose prices a percentile is of.
const TRAILING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Which price is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Above {
    Price(f64),
    /// A share of the prices of the last 30 days, 0 to 1.
    Percentile(f64),
}

/// Returns the rows of a forecast read at another price; `text` is e.g. `137` or `p95`.
pub(super) fn at_another_price(
    global: &GlobalArgs,
    text: &str,
    rows: &[ForecastRow],
) -> Result<Vec<ForecastRow>, CommandError> {
    let above = parse(text)?;
    let prices = match above {
        Above::Price(_) => BTreeMap::new(),
        Above::Percentile(share) => percentiles(global, share, rows)?,
    };
    let mut read = Vec::new();
    let same_hour = |a: &ForecastRow, b: &ForecastRow| {
        a.settlement_point == b.settlement_point && a.target == b.target
    };
    for hour in rows.chunk_by(same_hour) {
        let point = hour[0].settlement_point.name();
        let price = match above {
            Above::Price(price) => Some(price),
            Above::Percentile(_) => prices.get(point).copied(),
        };
        let curve = |of: fn(&ForecastRow) -> f64| -> Vec<(f64, f64)> {
            hour.iter().map(|row| (row.threshold.value(), of(row))).collect()
        };
        let at = |of: fn(&ForecastRow) -> f64| exceedance_at(&curve(of), price?);
        let read_row = || -> Option<ForecastRow> {
            let mut row = hour[0].clone();
            row.threshold = DollarsPerMwh::new(price?)?;
            row.prediction.probability = at(|row| row.prediction.probability)?;
            row.prediction.lower = at(|row| row.prediction.lower)?;
            row.prediction.upper = at(|row| row.prediction.upper)?;
            row.prediction.climatology = at(|row| row.prediction.climatology)?;
            Some(row)
        };
        read.push(read_row().ok_or_else(|| {
            CommandError::usage(format!(
                "{point}: nothing can be said about this price; the forecast needs two thresholds, and a percentile a price above 0"
            ))
        })?);
    }
    Ok(read)
}

fn parse(text: &str) -> Result<Above, CommandError> {
    let refused = || {
        CommandError::usage(format!(
            "--above {text}: expected a price in $/MWh above 0, e.g. 137, or a percentile of the last 30 days, e.g. p95"
        ))
    };
    let above = match text.strip_prefix('p') {
        Some(percent) => Above::Percentile(percent.parse::<f64>().map_err(|_| refused())? / 100.0),
        None => Above::Price(text.parse().map_err(|_| refused())?),
    };
    let is_sensible = match above {
        Above::Price(price) => price.is_finite() && 0.0 < price,
        Above::Percentile(share) => (0.0..=1.0).contains(&share),
    };
    if is_sensible { Ok(above) } else { Err(refused()) }
}

/// Returns the percentile of the 5-minute prices of the last 30 days at each settlement point, as
/// known at the issue time.
fn percentiles(
    global: &GlobalArgs,
    share: f64,
    rows: &[ForecastRow],
) -> Result<BTreeMap<String, f64>, CommandError> {
    let failed = |error: JobError| CommandError::new(exit_of_error(&error), error);
    let config = global.settings()?;
    let Some(first) = rows.first() else { return Ok(BTreeMap::new()) };
    let mut points: Vec<_> = rows.iter().map(|row| row.settlement_point.clone()).collect();
    points.dedup();
    let targets = Targets {
        settlement_points: points.iter().map(|point| point.name().to_owned()).collect(),
        thresholds: vec![first.threshold.value()],
    };
    let workspace = Workspace::new(config.data_dir.clone(), Arc::new(SystemClock::new()));
    let history = workspace.history_of(&config.source, &targets).map_err(failed)?;
    let view = history.known_at(first.issue_time);
    let of_point = |point: &market::place::SettlementPoint| {
        let prices = view.series(&SeriesKey::at(Series::RealTimeLmp, point));
        let recent = prices.between(first.issue_time - TRAILING, first.issue_time);
        let prices: Vec<f64> = recent.map(|known| known.value).collect();
        let cents = |price: f64| (100.0 * price).round() / 100.0;
        let price = percentile(&prices, share).map(cents);
        price.map(|price| (point.name().to_owned(), price)).ok_or_else(|| {
            CommandError {
                exit: Exit::BadInput,
                cause: anyhow::anyhow!(
                    "{}: the archive of this source has no prices of the 30 days before the forecast; name the source that it was made from with --config",
                    point.name()
                ),
            }
        })
    };
    points.iter().map(of_point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_or_a_percentile() {
        assert_eq!(parse("137").unwrap(), Above::Price(137.0));
        assert_eq!(parse("p95").unwrap(), Above::Percentile(0.95));
        for wrong in ["", "p", "p101", "-3", "0", "NaN", "95%"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
