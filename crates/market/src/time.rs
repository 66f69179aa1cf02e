//! Market time: operating days in America/Chicago, hour ending, the repeated hour.
//!
//! The only module that knows local time. Everywhere else an instant is a UTC `Timestamp`, and a
//! day's hours come from [`OperatingDay::hours`]: 23, 24 or 25 of them.

use std::fmt;
use std::sync::OnceLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use thiserror::Error;

/// Why a local time could not be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MarketTimeError {
    /// The text is not a local date and time.
    #[error("local time {0:?}: expected e.g. 2024-08-19T09:57 (market-local, America/Chicago)")]
    Malformed(String),
    /// The wall clock skipped this time in spring.
    #[error("local time {0}: does not exist, the clock skips from 02:00 to 03:00 that day")]
    Skipped(DateTime),
}

/// Returns the market's time zone, America/Chicago.
#[must_use]
pub fn market_zone() -> &'static TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    ZONE.get_or_init(|| {
        TimeZone::get("America/Chicago").expect("the zone database is bundled with the program")
    })
}

/// Returns the market's wall-clock time at an instant.
#[must_use]
pub fn local(instant: Timestamp) -> DateTime {
    market_zone().to_datetime(instant)
}

/// Writes an instant in the market's words, e.g. `2024-08-19 09:57 CDT`.
#[must_use]
pub fn display(instant: Timestamp) -> String {
    instant.to_zoned_datetime(market_zone().clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Reads a market-local wall-clock time such as `2024-08-19T09:57`; of a repeated hour, the first
/// occurrence. With an offset (`2024-11-03T01:30-06:00`, or `Z`) it is that very instant.
pub fn parse_local(text: &str) -> Result<Timestamp, MarketTimeError> {
    let malformed = || MarketTimeError::Malformed(text.to_owned());
    if !text.contains(['T', ' ']) {
        return Err(malformed());
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local: DateTime = text.parse().map_err(|_| malformed())?;
    instant(local.date(), local.time())
}

/// Returns the instant of a market-local date and time; of a repeated hour, the first occurrence.
pub fn instant(date: Date, time: Time) -> Result<Timestamp, MarketTimeError> {
    match instants(date.to_datetime(time))? {
        Instants::One(instant) | Instants::Two { first: instant, .. } => Ok(instant),
    }
}

/// When the market's wall clock shows a time: once, or twice in the repeated hour of autumn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instants {
    /// Once.
    One(Timestamp),
    /// Twice, an hour apart.
    Two {
        /// In daylight saving time.
        first: Timestamp,
        /// In standard time.
        repeated: Timestamp,
    },
}

/// Returns when the market's wall clock shows a time.
pub fn instants(local: DateTime) -> Result<Instants, MarketTimeError> {
    let at = |offset: Offset| {
        offset.to_timestamp(local).map_err(|_| MarketTimeError::Malformed(local.to_string()))
    };
    match market_zone().to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => Ok(Instants::One(at(offset)?)),
        AmbiguousOffset::Fold { before, after } => {
            Ok(Instants::Two { first: at(before)?, repeated: at(after)? })
        }
        AmbiguousOffset::Gap { .. } => Err(MarketTimeError::Skipped(local)),
    }
}

/// A calendar day in America/Chicago, for which the market is operated: 23 to 25 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatingDay(Date);

impl OperatingDay {
    /// Returns the operating day of a calendar date.
    #[must_use]
    pub fn new(date: Date) -> Self {
        Self(date)
    }

    /// Returns the operating day that an instant belongs to.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self(local(instant).date())
    }

    /// Returns the calendar date.
    #[must_use]
    pub fn date(self) -> Date {
        self.0
    }

    /// Returns the day that lies `days` later (earlier, when negative).
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days.days()))
    }

    /// Returns the instant of local midnight, when the day starts.
    #[must_use]
    pub fn start(self) -> Timestamp {
        instant(self.0, Time::midnight()).expect("America/Chicago has never skipped midnight")
    }

    /// Returns the instant when the next day starts.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.plus_days(1).start()
    }

    /// Returns the day's hours in order: 24, or 23 in spring and 25 in autumn.
    #[must_use]
    pub fn hours(self) -> Vec<MarketHour> {
        let end = self.end();
        let mut hours = Vec::with_capacity(HOURS_OF_A_DAY_MAX);
        let mut start = self.start();
        while start < end {
            hours.push(MarketHour::starting(start));
            start += SignedDuration::from_hours(1);
        }
        hours
    }
}

const HOURS_OF_A_DAY_MAX: usize = 25;

impl fmt::Display for OperatingDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One hour of an operating day, as ERCOT labels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarketHour {
    /// When the hour starts.
    pub start: Timestamp,
    /// The day it belongs to.
    pub operating_day: OperatingDay,
    /// ERCOT's hour ending, 1 to 24: hour 1 starts at local midnight.
    pub hour_ending: u8,
    /// The second of the two equally labelled hours in autumn.
    pub repeated: bool,
}

impl MarketHour {
    /// Labels the hour that starts at (or contains) an instant.
    #[must_use]
    pub fn starting(start: Timestamp) -> Self {
        let wall = local(start);
        let hour_before = local(start - SignedDuration::from_hours(1));
        Self {
            start,
            operating_day: OperatingDay(wall.date()),
            hour_ending: wall.hour().unsigned_abs() + 1,
            repeated: hour_before.date() == wall.date() && hour_before.hour() == wall.hour(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn labels(day: Date) -> Vec<(u8, bool)> {
        OperatingDay::new(day).hours().iter().map(|h| (h.hour_ending, h.repeated)).collect()
    }

    #[test]
    fn the_spring_day_has_23_hours_and_no_hour_ending_3() {
        let hours = labels(date(2026, 3, 8));
        assert_eq!(hours.len(), 23);
        assert_eq!(hours[..3], [(1, false), (2, false), (4, false)]);
    }

    #[test]
    fn the_autumn_day_has_25_hours_and_repeats_hour_ending_2() {
        for day in [date(2026, 11, 1), date(2024, 11, 3)] {
            let hours = labels(day);
            assert_eq!(hours.len(), 25);
            assert_eq!(hours[..4], [(1, false), (2, false), (2, true), (3, false)]);
        }
    }

    #[test]
    fn hours_follow_each_other_without_gap_over_both_changes() {
        for first in [date(2027, 3, 13), date(2026, 10, 31)] {
            let hours: Vec<_> =
                (0..3).flat_map(|d| OperatingDay::new(first).plus_days(d).hours()).collect();
            assert!(
                hours.windows(2).all(|w| w[1].start - w[0].start == SignedDuration::from_hours(1))
            );
        }
    }

    #[test]
    fn the_wall_clock_shows_a_time_never_once_or_twice() {
        let seen = |month, day, hour| instants(date(2024, month, day).at(hour, 30, 0, 0));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(seen(11, 3, 0), Ok(Instants::One(at("2024-11-03T05:30:00Z"))));
        assert_eq!(
            seen(11, 3, 1),
            Ok(Instants::Two {
                first: at("2024-11-03T06:30:00Z"),
                repeated: at("2024-11-03T07:30:00Z")
            })
        );
        assert_eq!(seen(11, 3, 2), Ok(Instants::One(at("2024-11-03T08:30:00Z"))));
        assert!(matches!(seen(3, 10, 2), Err(MarketTimeError::Skipped(_))));
        assert!(instants(DateTime::MAX).is_err(), "the last day is beyond the last instant");
    }

    #[test]
    fn a_local_time_is_read_in_the_market_zone() {
        let read = |text: &str| parse_local(text).map(|t| t.to_string());
        assert_eq!(read("2024-08-19T09:57").as_deref(), Ok("2024-08-19T14:57:00Z"));
        assert_eq!(read("2024-01-19 09:57").as_deref(), Ok("2024-01-19T15:57:00Z"));
        assert_eq!(read("2024-11-03T01:30").as_deref(), Ok("2024-11-03T06:30:00Z"));
        assert_eq!(read("2024-11-03T01:30-06:00").as_deref(), Ok("2024-11-03T07:30:00Z"));
        assert_eq!(read("2024-08-19T14:57Z").as_deref(), Ok("2024-08-19T14:57:00Z"));
        assert!(matches!(parse_local("2024-03-10T02:30"), Err(MarketTimeError::Skipped(_))));
        assert!(matches!(parse_local("yesterday"), Err(MarketTimeError::Malformed(_))));
        assert!(matches!(parse_local("2024-08-19"), Err(MarketTimeError::Malformed(_))));
    }
}
