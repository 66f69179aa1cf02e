//! The simplest reference: what happened last at the same hour of day happens again, for certain.
//!
//! Unlike the persistence among the features, which is smoothed and shrunk, it says 0 or 1. Where it
//! is wrong, its log-loss is as large as clipping allows.

use std::collections::BTreeMap;

use market::observation::KnownAt;
use market::place::SettlementPoint;
use market::time::{MarketHour, OperatingDay};
use market::units::DollarsPerMwh;

use crate::arithmetic;
use crate::target::{HourOutcome, outcomes};

/// What happened a week ago is no longer the last day.
const DAYS_BACK_MAX: i32 = 7;

/// For each hour of day the outcome on the newest day on which it is wholly known.
#[derive(Clone, Debug)]
pub struct LastKnownHours {
    by_hour_ending: BTreeMap<u8, HourOutcome>,
}

impl LastKnownHours {
    /// Looks back from the view's instant.
    #[must_use]
    pub fn of(view: &KnownAt<'_>, point: &SettlementPoint) -> Self {
        let issue_day = OperatingDay::of(view.instant());
        let mut by_hour_ending = BTreeMap::new();
        for days_back in 0..=DAYS_BACK_MAX {
            // Newest first, so that of a repeated hour the second counts.
            let hours = issue_day.plus_days(-days_back).hours().into_iter().rev();
            let hours: Vec<MarketHour> = hours.collect();
            for (hour, outcome) in hours.iter().zip(outcomes(view, point, &hours)) {
                if matches!(outcome, HourOutcome::Known(_)) {
                    by_hour_ending.entry(hour.hour_ending).or_insert(outcome);
                }
            }
        }
        Self { by_hour_ending }
    }

    /// Returns 1 if the threshold was exceeded at that hour of day, else 0; `None` where no day is known.
    #[must_use]
    pub fn probability(&self, target: &MarketHour, threshold: DollarsPerMwh) -> Option<f64> {
        let outcome = self.by_hour_ending.get(&target.hour_ending)?;
        outcome.exceeds(threshold).map(arithmetic::outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};
    use market::observation::{History, HistoryBuilder, Observation, Series, SeriesKey};
    use market::time::parse_local;

    const QUIET: f64 = 20.0;

    fn point() -> SettlementPoint {
        SettlementPoint::new("HB_WEST").unwrap()
    }

    /// Prices every five minutes of the week before and after an issue time, published at once, save in
    /// the hours that are left out; high in the hours that are named.
    fn history(issue_time: Timestamp, high: &[&str], unknown: &[&str]) -> History {
        let at = |texts: &[&str]| -> Vec<Timestamp> {
            texts.iter().map(|text| parse_local(text).unwrap()).collect()
        };
        let (high, unknown) = (at(high), at(unknown));
        let first = OperatingDay::of(issue_time).plus_days(-DAYS_BACK_MAX);
        let hours = (0..=2 * DAYS_BACK_MAX).flat_map(|day| first.plus_days(day).hours());
        let known = hours.filter(|hour| !unknown.contains(&hour.start));
        let prices = known.flat_map(|hour| {
            let value = if high.contains(&hour.start) { 150.0 } else { QUIET };
            (0..12).map(move |run| {
                let interval_start = hour.start + SignedDuration::from_mins(5 * run);
                Observation { interval_start, published_at: interval_start, value }
            })
        });
        let mut builder = HistoryBuilder::default();
        builder.add(&SeriesKey::at(Series::RealTimeLmp, &point()), prices);
        builder.build()
    }

    /// Returns what is said about the hours that start at the given local times.
    fn said(history: &History, issue_time: Timestamp, targets: &[&str]) -> Vec<Option<f64>> {
        let last = LastKnownHours::of(&history.known_at(issue_time), &point());
        let threshold = DollarsPerMwh::new(100.0).unwrap();
        let of = |text: &&str| {
            last.probability(&MarketHour::starting(parse_local(text).unwrap()), threshold)
        };
        targets.iter().map(of).collect()
    }

    #[test]
    fn the_newest_day_is_the_issue_day_in_its_morning_and_the_day_before_later() {
        let issue_time = parse_local("2024-08-19T09:57").unwrap();
        // 09:00 is not over when the forecast is issued, so the day before counts there.
        let high = ["2024-08-19T08:00", "2024-08-18T09:00", "2024-08-18T18:00", "2024-08-17T19:00"];
        let history = history(issue_time, &high, &[]);
        let targets =
            ["2024-08-20T08:00", "2024-08-22T09:00", "2024-08-21T18:00", "2024-08-20T19:00"];
        let found = said(&history, issue_time, &targets);
        assert_eq!(found, [Some(1.0), Some(1.0), Some(1.0), Some(0.0)]);
    }

    #[test]
    fn an_hour_without_prices_is_looked_for_a_day_earlier() {
        let issue_time = parse_local("2024-08-19T09:57").unwrap();
        let unknown = ["2024-08-18T18:00"];
        let history = history(issue_time, &["2024-08-17T18:00"], &unknown);
        assert_eq!(said(&history, issue_time, &["2024-08-20T18:00"]), [Some(1.0)]);
        let empty = HistoryBuilder::default().build();
        assert_eq!(said(&empty, issue_time, &["2024-08-20T18:00"]), [None]);
    }

    #[test]
    fn the_hour_of_day_is_that_of_the_clock_when_it_changes() {
        // Clocks went forward on 10 March: 18:00 is one elapsed hour less after 18:00 the day before.
        let spring = parse_local("2024-03-11T09:57").unwrap();
        let high = ["2024-03-10T18:00", "2024-03-09T02:00", "2024-03-11T03:00"];
        let found = said(
            &history(spring, &high, &["2024-03-11T02:00"]),
            spring,
            &["2024-03-12T17:00", "2024-03-12T18:00", "2024-03-12T02:00", "2024-03-12T03:00"],
        );
        assert_eq!(found, [Some(0.0), Some(1.0), Some(1.0), Some(1.0)]);
        // They went back on 3 November: of 01:00 the second counts, for both of another day.
        let autumn = parse_local("2024-11-03T09:57").unwrap();
        let high = ["2024-11-03T01:00-06:00", "2024-11-02T18:00"];
        let found = said(
            &history(autumn, &high, &[]),
            autumn,
            &["2024-11-04T01:00", "2024-11-04T18:00", "2024-11-04T17:00"],
        );
        assert_eq!(found, [Some(1.0), Some(1.0), Some(0.0)]);
        let before = parse_local("2024-11-02T09:57").unwrap();
        let targets = ["2024-11-03T01:00-05:00", "2024-11-03T01:00-06:00"];
        let found = said(&history(before, &["2024-11-02T01:00"], &[]), before, &targets);
        assert_eq!(found, [Some(1.0), Some(1.0)]);
    }

    #[test]
    fn what_is_published_later_changes_nothing() {
        let issue_time = parse_local("2024-08-19T09:57").unwrap();
        let later = ["2024-08-19T09:00", "2024-08-19T18:00", "2024-08-20T18:00"];
        let targets = ["2024-08-20T09:00", "2024-08-20T18:00", "2024-08-21T18:00"];
        let found = |high: &[&str]| said(&history(issue_time, high, &[]), issue_time, &targets);
        assert_eq!(found(&later), found(&[]));
    }
}
