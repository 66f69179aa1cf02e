//! The operations of a day, and when each runs unless somebody says otherwise.

use jiff::SignedDuration;
use market::time::market_zone;
use orchestration::{MisfirePolicy, Schedule, ScheduledTask};

/// Every pipeline that can be scheduled, and what it does.
pub const PIPELINES: [(&str, &str); 5] = [
    ("backtest", "forecasts past days as if they were today and scores them"),
    ("fetch", "brings the archive up to the present"),
    ("forecast", "fetches, trains if due, forecasts, publishes"),
    ("score", "scores the forecasts of yesterday"),
    ("train", "fits a new model"),
];

/// A forecast that is refreshed so much later is still there before the deadline.
const REFRESH_GRACE: SignedDuration = SignedDuration::from_mins(10);

/// Returns the operations of a day, market-local.
///
/// The first forecast leaves time to repair what broke before the market closes at 10:00; the
/// second sees what was published since and is worth nothing after that. Scoring waits until a
/// forecast has fetched the last prices of the day before.
#[must_use]
pub fn daily() -> [ScheduledTask; 6] {
    [
        operation("fetch", "fetch", "0 0 * * *"),
        operation("forecast", "forecast", "0 6 * * *"),
        operation("refresh", "forecast", "30 9 * * *")
            .misfire(MisfirePolicy::Skip)
            .grace(REFRESH_GRACE),
        operation("train", "train", "every 2 days at 01:00 from 2026-01-27"),
        operation("backtest", "backtest", "0 2 * * SUN"),
        operation("score", "score", "0 7 * * *"),
    ]
}

fn operation(name: &str, pipeline: &str, when: &str) -> ScheduledTask {
    let schedule = Schedule::parse(when, market_zone().clone());
    ScheduledTask::new(name, pipeline, schedule.expect("the operations of a day have valid times"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pipeline_has_its_time_and_every_operation_its_own_name() {
        let tasks = daily();
        let pipelines: BTreeSet<&str> = tasks.iter().map(|task| &*task.pipeline).collect();
        assert_eq!(pipelines, PIPELINES.map(|(name, _)| name).into());
        let names: BTreeSet<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        assert_eq!(names.len(), tasks.len());
    }
}
