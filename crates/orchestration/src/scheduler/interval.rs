//! True intervals: every so many minutes, hours, days, weeks or months, counted from a first time.
//!
//! Days, weeks and months keep the time on the wall clock; minutes and hours are elapsed time. A
//! month that is too short fires on its last day, and the next one on the counted day again. What
//! the text looks like is known to [`super::sentence`].

use std::fmt;
use std::num::NonZeroU16;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::dst::{DstPolicy, Firing, next_fixed, note_at, once};

/// What an interval is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntervalUnit {
    /// 60 elapsed seconds.
    Minute,
    /// 60 elapsed minutes.
    Hour,
    /// From a wall-clock time to the same one on the next date.
    Day,
    /// Seven days.
    Week,
    /// From a day of the month to the same one in the next month.
    Month,
}

impl IntervalUnit {
    /// Every unit, the shortest first.
    pub const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Returns the word for one of it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Tells whether it is elapsed time, which the wall clock does not bend.
    pub fn is_elapsed(self) -> bool {
        match self {
            Self::Minute | Self::Hour => true,
            Self::Day | Self::Week | Self::Month => false,
        }
    }
}

/// Every so many units, counted from a first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    every: NonZeroU16,
    unit: IntervalUnit,
    /// The first firing, as the wall clock shows it, in whole seconds.
    first: DateTime,
}

impl Interval {
    /// Returns the interval that begins with `first`, whose fraction of a second is cut off.
    pub fn new(every: NonZeroU16, unit: IntervalUnit, first: DateTime) -> Self {
        let whole = first.time().with().subsec_nanosecond(0).build();
        let time = whole.expect("a time without its fraction is a time");
        Self { every, unit, first: first.date().to_datetime(time) }
    }

    /// Returns the wall-clock time of its firings; none if they are counted in elapsed time.
    pub fn time(&self) -> Option<Time> {
        (!self.unit.is_elapsed()).then(|| self.first.time())
    }

    pub(super) fn next_after(
        &self,
        zone: &TimeZone,
        policy: DstPolicy,
        after: Timestamp,
    ) -> Option<Firing> {
        let every = i64::from(self.every.get());
        match self.unit {
            IntervalUnit::Minute => self.next_elapsed(zone, every * 60, after),
            IntervalUnit::Hour => self.next_elapsed(zone, every * 3600, after),
            IntervalUnit::Day | IntervalUnit::Week | IntervalUnit::Month => {
                next_fixed(zone, policy, after, |from| self.next_civil(from))
            }
        }
    }

    /// Every `step` seconds, whatever the wall clock shows.
    fn next_elapsed(&self, zone: &TimeZone, step: i64, after: Timestamp) -> Option<Firing> {
        let first = once(zone, self.first)?;
        let passed = (after - first).as_nanos().div_euclid(i128::from(step) * 1_000_000_000);
        let count = i64::try_from(passed).ok()?.checked_add(1)?.max(0);
        let wait = SignedDuration::from_secs(step.checked_mul(count)?);
        let at = first.checked_add(wait).ok()?;
        Some(Firing { at, note: note_at(zone, at) })
    }

    /// Returns the first wall-clock time it means, not before `from`; none of elapsed time.
    pub(super) fn next_civil(&self, from: DateTime) -> Option<DateTime> {
        let first = self.first.date();
        let every = i64::from(self.every.get());
        let days = || from.date().duration_since(first).as_hours() / 24;
        let units_passed = match self.unit {
            IntervalUnit::Minute | IntervalUnit::Hour => return None,
            IntervalUnit::Day => days(),
            IntervalUnit::Week => days() / 7,
            IntervalUnit::Month => {
                let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
                months(from.date()) - months(first)
            }
        };
        let count = units_passed.div_euclid(every).max(0);
        // The latest one that may have passed, and the one after it.
        [count, count + 1]
            .into_iter()
            .filter_map(|count| Some(self.date(count * every)?.to_datetime(self.first.time())))
            .find(|civil| from <= *civil)
    }

    /// Returns the date so many units after the first; of months counted from the first date, so
    /// that one short month does not shorten the others.
    fn date(&self, units: i64) -> Option<Date> {
        let span = match self.unit {
            IntervalUnit::Minute | IntervalUnit::Hour => return None,
            IntervalUnit::Day => Span::new().try_days(units),
            IntervalUnit::Week => Span::new().try_weeks(units),
            IntervalUnit::Month => Span::new().try_months(units),
        };
        self.first.date().checked_add(span.ok()?).ok()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { every, unit, first } = self;
        formatter.write_str("every ")?;
        match every.get() {
            1 => formatter.write_str(unit.as_str())?,
            count => write!(formatter, "{count} {}s", unit.as_str())?,
        }
        let pattern = if first.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        let time = first.strftime(pattern);
        if unit.is_elapsed() {
            write!(formatter, " from {}T{time}", first.date())
        } else {
            write!(formatter, " at {time} from {}", first.date())
        }
    }
}
