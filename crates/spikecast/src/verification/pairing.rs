//! Puts a forecast file beside the truth.

use forecast::evaluation::Forecaster;
use thiserror::Error;

use super::cases::{Case, Cases, CasesBuilder};
use super::forecast_file::ForecastFile;
use super::truth_file::Truth;

/// Why forecast and truth do not fit together.
#[derive(Debug, Error)]
pub enum PairingError {
    /// Not one hour is in both.
    #[error(
        "of {rows} forecast rows not one has a known outcome; do settlement points ({points}) and hours (UTC) of both agree?"
    )]
    NoOverlap {
        /// How many rows were forecast.
        rows: usize,
        /// The forecast's settlement points.
        points: String,
    },
    /// Outcomes without a threshold, forecasts of several.
    #[error(
        "the truth says whether something was exceeded, but not what, and there are {0} thresholds; add a column threshold, or give highest_price instead of exceeded"
    )]
    WhichThreshold(usize),
}

/// Puts a forecast beside what happened. A truth without settlement points belongs to the only one
/// of the forecast.
pub fn pair(file: &ForecastFile, truth: &Truth) -> Result<Cases, PairingError> {
    let points = file.settlement_points();
    let mut builder = CasesBuilder::new(file.forecasters());
    for (row, forecast) in file.rows.iter().enumerate() {
        let start = forecast.target.hour.start;
        let own = truth.exceeded(&forecast.settlement_point, start, forecast.threshold);
        let exceeded = match points.len() {
            1 => own.or_else(|| truth.exceeded(&"".into(), start, forecast.threshold)),
            _ => own,
        };
        let case = Case {
            issue_time: forecast.issue_time,
            target: forecast.target,
            settlement_point: &forecast.settlement_point,
            threshold: forecast.threshold,
            exceeded,
        };
        builder.add(&case, |who: Forecaster| file.probability(who, row));
    }
    let cases = builder.build();
    if cases.is_empty() {
        let points: Vec<&str> = points.iter().map(|point| &**point).collect();
        return Err(PairingError::NoOverlap { rows: file.rows.len(), points: points.join(", ") });
    }
    match cases.thresholds.len() {
        count @ 2.. if truth.leaves_threshold_open() => Err(PairingError::WhichThreshold(count)),
        _ => Ok(cases),
    }
}
