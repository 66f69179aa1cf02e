//! Is the forecast of a day there? Asked at its deadline, whatever became of its runs.

use std::collections::BTreeSet;

use market::time::OperatingDay;

use super::failure::JobError;
use super::source::SourceChoice;
use super::targets::Targets;
use crate::ledger::{ForecastRow, Ledger, read_forecast, read_provenance};

/// Tells whether the ledger has a forecast that was issued on a day, from a source, for all targets.
pub fn is_forecast_there(
    ledger: &Ledger,
    day: OperatingDay,
    (source, targets): (&SourceChoice, &Targets),
) -> Result<bool, JobError> {
    let issues = ledger.issues_of(day)?;
    if issues.is_empty() {
        // Whatever the source, which may be what is broken.
        return Ok(false);
    }
    let source_id = source.id()?;
    for issue in issues.into_iter().rev() {
        if read_provenance(&issue.path)?.source_id == source_id
            && speaks_about(&read_forecast(&issue.path)?, targets)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells whether a forecast has all settlement points and thresholds.
pub fn speaks_about(rows: &[ForecastRow], targets: &Targets) -> Result<bool, JobError> {
    let points: BTreeSet<_> = rows.iter().map(|row| &row.settlement_point).collect();
    let prices: BTreeSet<u64> = rows.iter().map(|row| row.threshold.value().to_bits()).collect();
    let has_points = targets.points()?.iter().all(|point| points.contains(point));
    let thresholds = targets.thresholds()?.prices();
    Ok(has_points && thresholds.iter().all(|price| prices.contains(&price.to_bits())))
}
