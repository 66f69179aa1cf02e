//! What a forecast is asked for: everything that its run depends on, from the settings.

use jiff::Timestamp;
use market::time::{OperatingDay, instant};

use super::shapes::ForecastInput;
use crate::config::Config;
use crate::jobs::failure::JobError;
use crate::jobs::targets::Targets;

/// Returns what a forecast of `issue_time` is submitted with. One that is issued after the deadline
/// of its day has none: it is early for the next one.
pub fn forecast_input(config: &Config, issue_time: Timestamp) -> Result<ForecastInput, JobError> {
    let day = OperatingDay::of(issue_time);
    let deadline = instant(day.date(), config.deadline)
        .map_err(|error| JobError::Configuration(format!("deadline: {error}")))?;
    Ok(ForecastInput {
        issue_time,
        source: config.source.clone(),
        targets: targets(config)?,
        retrain_every_days: config.retrain_every_days,
        speaks_at: None,
        deadline: Some(deadline).filter(|&deadline| issue_time <= deadline),
        fetch: None,
    })
}

/// Returns the configured settlement points, else those that the source chooses, and the
/// thresholds.
pub fn targets(config: &Config) -> Result<Targets, JobError> {
    let points = match config.settlement_points.as_slice() {
        [] => config.source.open()?.default_settlement_points()?,
        configured => configured.to_vec(),
    };
    let settlement_points = points.iter().map(|point| point.name().to_owned()).collect();
    Ok(Targets { settlement_points, thresholds: config.thresholds.prices() })
}
