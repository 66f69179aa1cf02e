//! Training: past examples with their outcomes, as known at the time of training. Shared by the
//! daily job and the backtest.

use std::sync::atomic::{AtomicU64, Ordering};

use forecast::features::{Examples, examples};
use forecast::horizon::LEAD_DAYS;
use forecast::model::{FitError, FitSettings, FittedModel, LabelledExample, fit};
use forecast::target::outcomes;
use forecast::threshold::Thresholds;
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::time::{OperatingDay, display, instant};
use orchestration::StageContext;
use rayon::prelude::*;

use super::failure::JobError;

/// The first issue time that is learnt from lies this long after the first price, so that there
/// is something to describe it by.
const WARM_UP_DAYS: i32 = 60;
/// Older issue days than these weigh next to nothing.
const TRAINING_DAYS_MAX: i32 = 1_830;

/// Refuses settlement points without any recent real-time price: nothing could be said about them.
pub fn require_prices(view: &KnownAt<'_>, points: &[SettlementPoint]) -> Result<(), JobError> {
    for point in points {
        let prices = view.series(&SeriesKey::at(Series::RealTimeLmp, point));
        if prices.latest(SignedDuration::ZERO, PRICES_REACH).is_none() {
            return Err(JobError::NotEnoughData(format!(
                "settlement point {point}: the source has no real-time prices of the 400 days before {}; choose another point, an issue time within the history, or add the prices",
                display(view.instant())
            )));
        }
    }
    Ok(())
}

/// Prices older than this are none.
const PRICES_REACH: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Returns the past issue times that trainings between two issue times learn from: every operating
/// day before the later one, at the given time of day, from `WARM_UP_DAYS` after the first price on.
#[must_use]
pub fn training_issue_times(
    view: &KnownAt<'_>,
    points: &[SettlementPoint],
    (first_training, last_training): (Timestamp, Timestamp),
    time_of_day: Time,
) -> Vec<Timestamp> {
    let first = points.iter().filter_map(|point| first_price(view, point)).min();
    let Some(first) = first else { return Vec::new() };
    let oldest = OperatingDay::of(first_training).plus_days(-TRAINING_DAYS_MAX);
    let mut day = OperatingDay::of(first).plus_days(WARM_UP_DAYS).max(oldest);
    let mut times = Vec::new();
    while day < OperatingDay::of(last_training) {
        times.push(at_time_of_day(day, time_of_day));
        day = day.plus_days(1);
    }
    times
}

/// Returns the settlement points of which there are prices before the target hours end.
fn begun(
    view: &KnownAt<'_>,
    points: &[SettlementPoint],
    issue_time: Timestamp,
) -> Vec<SettlementPoint> {
    let end = OperatingDay::of(issue_time).plus_days(i32::from(LEAD_DAYS) + 1).start();
    let has_begun =
        |point: &&SettlementPoint| first_price(view, point).is_some_and(|first| first < end);
    points.iter().filter(has_begun).cloned().collect()
}

fn first_price(view: &KnownAt<'_>, point: &SettlementPoint) -> Option<Timestamp> {
    view.series(&SeriesKey::at(Series::HourlyMaxLmp, point)).first_interval()
}

/// Returns the instant of a local time of day; where the clock skips it, an hour later.
#[must_use]
pub fn at_time_of_day(day: OperatingDay, time: Time) -> Timestamp {
    let hour_later = SignedDuration::from_hours(1);
    instant(day.date(), time).unwrap_or_else(|_| {
        instant(day.date(), time.wrapping_sub(hour_later)).map_or(day.start(), |t| t + hour_later)
    })
}

/// Describes the target hours of one issue time at every settlement point. The view is narrowed
/// to the issue time here, so nothing published later is seen.
#[must_use]
pub fn examples_at(
    view: &KnownAt<'_>,
    issue_time: Timestamp,
    points: &[SettlementPoint],
    thresholds: &Thresholds,
) -> Vec<Examples> {
    let view = view.narrowed_to(issue_time);
    points.iter().map(|point| examples(&view, point, thresholds)).collect()
}

/// Describes past issue times on all cores, telling how far it is and stopping when asked to. A
/// settlement point takes part once its prices begin: of earlier hours nobody knows what happened.
pub fn describe_past(
    view: &KnownAt<'_>,
    times: &[Timestamp],
    points: &[SettlementPoint],
    thresholds: &Thresholds,
    stage: &StageContext,
) -> Result<Vec<Vec<Examples>>, JobError> {
    let total = u64::try_from(times.len()).unwrap_or(u64::MAX);
    let done = AtomicU64::new(0);
    times
        .par_iter()
        .map(|&issue_time| {
            if stage.cancellation().is_cancelled() {
                return Err(JobError::Stopped);
            }
            stage.progress(done.fetch_add(1, Ordering::Relaxed), total, "describing past days");
            Ok(examples_at(view, issue_time, &begun(view, points, issue_time), thresholds))
        })
        .collect()
}

/// Fits a model at the view's instant to those of the past examples that were issued before it.
pub fn train<'e>(
    view: &KnownAt<'_>,
    past: impl IntoIterator<Item = &'e Examples>,
    thresholds: &Thresholds,
) -> Result<FittedModel, FitError> {
    let oldest = OperatingDay::of(view.instant()).plus_days(-TRAINING_DAYS_MAX).start();
    let mut rows = Vec::new();
    for examples in past {
        if examples.issue_time < oldest || view.instant() <= examples.issue_time {
            continue;
        }
        let hours = examples.rows.iter().map(|row| &row.target.hour);
        let outcomes = outcomes(view, &examples.settlement_point, hours);
        rows.extend(examples.rows.iter().zip(outcomes).map(|(example, outcome)| LabelledExample {
            issue_time: examples.issue_time,
            example,
            outcome,
        }));
    }
    fit(&rows, thresholds, &FitSettings::at(view.instant()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::observation::{HistoryBuilder, Observation};
    use market::time::parse_local;

    #[test]
    fn a_settlement_point_takes_part_once_its_prices_begin() {
        let [early, late, never] =
            ["HB_HUBAVG", "HB_WEST", "HB_PAN"].map(|name| SettlementPoint::new(name).unwrap());
        let mut builder = HistoryBuilder::default();
        for (point, first) in [(&early, "2020-01-01T00:00"), (&late, "2024-01-01T00:00")] {
            let interval_start = parse_local(first).unwrap();
            let price = Observation { interval_start, published_at: interval_start, value: 20.0 };
            builder.add(&SeriesKey::at(Series::RealTimeLmp, point), [price]);
        }
        let history = builder.build();
        let points = [early.clone(), late.clone(), never];
        let check = |issue_time: &str, expected: &[&SettlementPoint]| {
            let view = history.known_at(Timestamp::MAX);
            let begun = begun(&view, &points, parse_local(issue_time).unwrap());
            assert_eq!(begun.iter().collect::<Vec<_>>(), expected, "{issue_time}");
        };
        // The last target hour of the 28th is the one before the year, that of the 29th is a day later.
        check("2023-12-28T09:57", &[&early]);
        check("2023-12-29T09:57", &[&early, &late]);
    }
}
