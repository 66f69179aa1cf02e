//! Which moments of a wall calendar a cron expression means. Time zones are not known here.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};

use super::CronError;
use super::parse::parse;
use super::set::NumberSet;

/// The calendar repeats, weekdays included, after so many years: what does not happen in them never
/// does.
const CALENDAR_CYCLE_YEARS: i16 = 400;

/// How the two day fields work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayCombination {
    /// One of them begins with `*`: both must match.
    And,
    /// Neither does: one is enough.
    Or,
}

/// What an expression means on a day when clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheduler) enum ClockRule {
    /// Times of day, fixed in advance: neither minute nor hour begins with `*`.
    FixedTimes,
    /// Whatever the clock shows, as often as it shows it.
    EveryElapsed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DaysOfMonth {
    pub(super) numbers: NumberSet,
    pub(super) last: bool,
    /// The last one from Monday to Friday.
    pub(super) last_weekday: bool,
    /// The one from Monday to Friday that is nearest to this day, in the same month.
    pub(super) nearest: Option<u8>,
}

/// Sunday is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DaysOfWeek {
    pub(super) every: NumberSet,
    /// The first, second … fifth of the month.
    pub(super) nth: [NumberSet; 5],
    /// The last of the month.
    pub(super) last: NumberSet,
}

/// A cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    pub(super) text: String,
    pub(super) seconds: NumberSet,
    pub(super) minutes: NumberSet,
    pub(super) hours: NumberSet,
    pub(super) days: DaysOfMonth,
    pub(super) months: NumberSet,
    pub(super) weekdays: DaysOfWeek,
    pub(super) combination: DayCombination,
    pub(super) clock: ClockRule,
    pub(super) day_step: Option<u8>,
}

impl Cron {
    /// Returns the first moment it means, not before `from`; `from` has no fraction of a second.
    pub fn next_civil(&self, from: DateTime) -> Option<DateTime> {
        let today = from.date();
        let year_last = today.year().saturating_add(CALENDAR_CYCLE_YEARS);
        let mut date = self.next_date(today, year_last)?;
        if date == today {
            if let Some(time) = self.next_time(from.time()) {
                return Some(date.to_datetime(time));
            }
            date = self.next_date(today.tomorrow().ok()?, year_last)?;
        }
        Some(date.to_datetime(self.next_time(Time::MIN)?))
    }

    /// Returns the step of `*/N` or `1-31/N` in the day of the month, if there is one.
    pub fn day_step(&self) -> Option<u8> {
        self.day_step
    }

    /// Returns the only time of day it means, if it is only one.
    pub fn single_time(&self) -> Option<Time> {
        let first = self.next_time(Time::MIN)?;
        match first.checked_add(jiff::SignedDuration::from_secs(1)) {
            Ok(later) if self.next_time(later).is_some() => None,
            Ok(_) | Err(_) => Some(first),
        }
    }

    pub(in crate::scheduler) fn clock_rule(&self) -> ClockRule {
        self.clock
    }

    /// Returns the first matching date, not before `from` and not after `year_last`.
    fn next_date(&self, from: Date, year_last: i16) -> Option<Date> {
        let (mut year, mut month, mut day) = (from.year(), from.month(), from.day());
        loop {
            match self.months.at_least(unsigned(month)) {
                Some(next) if next == unsigned(month) => {
                    let first = Date::new(year, month, 1).ok()?;
                    if let Some(found) = self.days_in(first).at_least(unsigned(day)) {
                        return Date::new(year, month, signed(found)).ok();
                    }
                    month += 1;
                }
                Some(next) => month = signed(next),
                None => (year, month) = (year.checked_add(1)?, 1),
            }
            day = 1;
            if year_last < year {
                return None;
            }
        }
    }

    /// Returns the matching days of the month that begins with `first`.
    fn days_in(&self, first: Date) -> NumberSet {
        let by_number = self.days.in_month(first);
        let by_weekday = self.weekdays.in_month(first);
        match self.combination {
            DayCombination::And => by_number.intersection(by_weekday),
            DayCombination::Or => by_number.union(by_weekday),
        }
    }

    fn next_time(&self, from: Time) -> Option<Time> {
        let (hour, minute) = (unsigned(from.hour()), unsigned(from.minute()));
        let (minute_first, second_first) = (self.minutes.at_least(0)?, self.seconds.at_least(0)?);
        if self.hours.contains(hour) {
            if self.minutes.contains(minute)
                && let Some(second) = self.seconds.at_least(unsigned(from.second()))
            {
                return time(hour, minute, second);
            }
            if let Some(later) = self.minutes.at_least(minute + 1) {
                return time(hour, later, second_first);
            }
        }
        time(self.hours.at_least(hour + 1)?, minute_first, second_first)
    }
}

impl DaysOfMonth {
    fn in_month(&self, first: Date) -> NumberSet {
        let length = unsigned(first.days_in_month());
        let mut days = self.numbers.intersection(NumberSet::range(1, length, 1));
        if self.last {
            days.insert(length);
        }
        if self.last_weekday {
            days.insert(nearest_weekday(first, length));
        }
        if let Some(day) = self.nearest.filter(|day| *day <= length) {
            days.insert(nearest_weekday(first, day));
        }
        days
    }
}

/// Returns the day from Monday to Friday nearest to `day` in the month that begins with `first`.
fn nearest_weekday(first: Date, day: u8) -> u8 {
    let length = unsigned(first.days_in_month());
    match (weekday_of_first(first) + day - 1) % 7 {
        6 if day == 1 => 3,
        6 => day - 1,
        0 if day == length => day - 2,
        0 => day + 1,
        _ => day,
    }
}

impl DaysOfWeek {
    fn in_month(&self, first: Date) -> NumberSet {
        let length = unsigned(first.days_in_month());
        let offset = weekday_of_first(first);
        if self.every == NumberSet::range(0, 6, 1) {
            return NumberSet::range(1, length, 1);
        }
        let mut days = NumberSet::default();
        for weekday in 0..7 {
            let earliest = 1 + (weekday + 7 - offset) % 7;
            if self.every.contains(weekday) {
                days = days.union(NumberSet::range(earliest, length, 7));
            }
            for (weeks, set) in (0..5).zip(&self.nth) {
                let day = earliest + 7 * weeks;
                if set.contains(weekday) && day <= length {
                    days.insert(day);
                }
            }
            if self.last.contains(weekday) {
                days.insert(earliest + (length - earliest) / 7 * 7);
            }
        }
        days
    }
}

/// Sunday is 0.
fn weekday_of_first(first: Date) -> u8 {
    unsigned(first.weekday().to_sunday_zero_offset())
}

fn time(hour: u8, minute: u8, second: u8) -> Option<Time> {
    Time::new(signed(hour), signed(minute), signed(second), 0).ok()
}

fn unsigned(number: i8) -> u8 {
    number.unsigned_abs()
}

fn signed(number: u8) -> i8 {
    i8::try_from(number).expect("numbers of a calendar are small")
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        parse(text)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}
