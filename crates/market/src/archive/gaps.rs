//! Tells what the archive lacks: the intervals of a series that should be known and are not.
//!
//! An interval is known when any vintage of it is there; of 5-minute prices, when a SCED run
//! started in its five minutes. Intervals are of UTC, so the days of both clock changes have the
//! 23 and 25 hours that they have.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::Archive;
use super::error::ArchiveError;
use super::read::{Query, Vintages};
use crate::observation::{Series, SeriesKey};

/// A range without a known interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Of which series, where.
    pub key: SeriesKey,
    /// When the first missing interval starts.
    pub from: Timestamp,
    /// When the last missing interval ends.
    pub to: Timestamp,
}

impl Gap {
    /// Returns how many intervals are missing.
    #[must_use]
    pub fn intervals(&self) -> i64 {
        (self.to.as_second() - self.from.as_second()) / self.key.series.interval().as_secs().max(1)
    }

    /// Tells whether it is as short as SCED itself leaves it: about one in a hundred slots has no
    /// run, and the price of the run before stays in effect.
    #[must_use]
    pub fn is_skipped_run(&self) -> bool {
        self.intervals() == 1 && self.key.series.interval() == Series::RealTimeLmp.interval()
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, from, to } = self;
        write!(f, "{key}: {} intervals from {from} to {to}", self.intervals())
    }
}

impl Archive {
    /// Returns what is missing of some series between two instants, in order. Intervals that
    /// begin before the range or end after it are not asked for.
    pub fn gaps(
        &self,
        keys: &[SeriesKey],
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Gap>, ArchiveError> {
        let mut gaps = Vec::new();
        for key in keys {
            let query = Query { key: key.clone(), from, to, vintages: Vintages::All };
            let known = self.read(&query)?.interval_start;
            for (from, to) in missing(key.series, &known, (from, to)) {
                gaps.push(Gap { key: key.clone(), from, to });
            }
        }
        Ok(gaps)
    }
}

/// Returns the ranges of a series' intervals of which none is among the starts, which are in
/// order and in seconds since 1970 UTC.
#[must_use]
pub fn missing(
    series: Series,
    starts: &[i64],
    (from, to): (Timestamp, Timestamp),
) -> Vec<(Timestamp, Timestamp)> {
    let length = series.interval().max(SignedDuration::from_secs(1)).as_secs();
    let first = from.as_second() + i64::from(0 < from.subsec_nanosecond());
    let first = first + (-first).rem_euclid(length);
    let end = to.as_second().div_euclid(length) * length;
    let mut missing = Vec::new();
    let mut expected = first;
    let mut add = |from: i64, to: i64| {
        if let (Ok(from), Ok(to)) = (Timestamp::from_second(from), Timestamp::from_second(to))
            && from < to
        {
            missing.push((from, to));
        }
    };
    for start in starts {
        let slot = start.div_euclid(length) * length;
        if slot < expected || end <= slot {
            continue;
        }
        add(expected, slot);
        expected = slot + length;
    }
    add(expected, end);
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(series: Series, starts: &[&str], range: (&str, &str), expected: &[(&str, &str)]) {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let starts: Vec<i64> = starts.iter().map(|text| at(text).as_second()).collect();
        let found = missing(series, &starts, (at(range.0), at(range.1)));
        let expected: Vec<_> = expected.iter().map(|(from, to)| (at(from), at(to))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_slot_without_a_sced_run_is_missing_and_neighbours_are_merged() {
        check(
            Series::RealTimeLmp,
            &["2024-08-19T14:00:15Z", "2024-08-19T14:03:40Z", "2024-08-19T14:16:00Z"],
            ("2024-08-19T14:00:00Z", "2024-08-19T14:30:00Z"),
            &[
                ("2024-08-19T14:05:00Z", "2024-08-19T14:15:00Z"),
                ("2024-08-19T14:20:00Z", "2024-08-19T14:30:00Z"),
            ],
        );
    }

    #[test]
    fn the_hours_of_both_clock_changes_are_the_hours_that_there_are() {
        // 10 March 2024 is 06:00Z to 05:00Z, 23 hours; 3 November 05:00Z to 06:00Z, 25 hours.
        for (from, to, hours) in [
            ("2024-03-10T06:00:00Z", "2024-03-11T05:00:00Z", 23),
            ("2024-11-03T05:00:00Z", "2024-11-04T06:00:00Z", 25),
        ] {
            let (from, to): (Timestamp, Timestamp) = (from.parse().unwrap(), to.parse().unwrap());
            let found = missing(Series::DayAheadSpp, &[], (from, to));
            assert_eq!(found, [(from, to)]);
            let key = SeriesKey::system(Series::DayAheadSpp);
            assert_eq!(Gap { key, from, to }.intervals(), hours);
            let starts: Vec<i64> = (0..hours).map(|h| from.as_second() + h * 3_600).collect();
            assert!(missing(Series::DayAheadSpp, &starts, (from, to)).is_empty());
        }
    }

    #[test]
    fn one_slot_of_sced_is_a_skipped_run_and_an_hour_or_two_slots_are_not() {
        let gap = |series: Series, minutes: i64| {
            let from = Timestamp::UNIX_EPOCH;
            let to = from + SignedDuration::from_mins(minutes);
            Gap { key: SeriesKey::system(series), from, to }.is_skipped_run()
        };
        assert!(gap(Series::RealTimeLmp, 5) && gap(Series::SystemLambda, 5));
        assert!(!gap(Series::RealTimeLmp, 10) && !gap(Series::DayAheadSpp, 60));
    }

    #[test]
    fn intervals_across_the_ends_are_not_asked_for() {
        check(
            Series::LoadActual,
            &["2024-08-19T14:00:00Z"],
            ("2024-08-19T14:30:00Z", "2024-08-19T17:30:00Z"),
            &[("2024-08-19T15:00:00Z", "2024-08-19T17:00:00Z")],
        );
        check(Series::LoadActual, &[], ("2024-08-19T14:30:00Z", "2024-08-19T15:10:00Z"), &[]);
    }
}
