//! The calendar of a simulated hour: what time it is for people, for the sun and for growth.

use std::f64::consts::TAU;

use jiff::civil::{Date, Weekday, date};
use jiff::{SignedDuration, Timestamp};

use crate::time::{MarketHour, local};

const SECONDS_PER_YEAR: f64 = 365.2425 * 86_400.0;

/// The instant from which growth and the seasons are counted: 1 January 2022, UTC.
const EPOCH_SECOND: i64 = 1_640_995_200;

/// Mid-January is the coldest time of the year.
const COLDEST_YEAR_SHARE: f64 = 17.0 / 365.0;

/// One hour of the simulated world.
#[derive(Clone, Copy, Debug)]
pub(super) struct SimulatedHour {
    pub(super) start: Timestamp,
    /// Hours since local midnight, 0 to 23.
    pub(super) local_hour: u8,
    pub(super) is_working_day: bool,
    /// Years since 2022.
    pub(super) years: f64,
}

impl SimulatedHour {
    pub(super) fn of(hour: &MarketHour) -> Self {
        Self {
            start: hour.start,
            local_hour: hour.hour_ending - 1,
            is_working_day: is_working_day(hour.operating_day.date()),
            years: years(hour.start),
        }
    }

    pub(super) fn starting(start: Timestamp) -> Self {
        let wall = local(start);
        Self {
            start,
            local_hour: wall.hour().unsigned_abs(),
            is_working_day: is_working_day(wall.date()),
            years: years(start),
        }
    }

    pub(super) fn middle(&self) -> Timestamp {
        self.start + SignedDuration::from_mins(30)
    }

    /// Returns the angle of the year: 0 when it is coldest, π when it is hottest.
    pub(super) fn season(&self) -> f64 {
        TAU * (self.years - COLDEST_YEAR_SHARE)
    }

    /// Returns 1 in midwinter and 0 in midsummer.
    pub(super) fn winter(&self) -> f64 {
        f64::midpoint(1.0, self.season().cos())
    }
}

fn years(instant: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of our centuries fit 53 bits")]
    let seconds = (instant.as_second() - EPOCH_SECOND) as f64;
    seconds / SECONDS_PER_YEAR
}

fn is_working_day(day: Date) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    !weekend && !is_holiday(day)
}

/// Tells whether a day is one of the NERC holidays, the movable ones included.
fn is_holiday(day: Date) -> bool {
    let nth = |weekday: Weekday, n: i8| day.weekday() == weekday && (day.day() - 1) / 7 + 1 == n;
    match day.month() {
        1 => day.day() == 1,
        5 => day.weekday() == Weekday::Monday && 24 < day.day(),
        7 => day == date(day.year(), 7, 4),
        9 => nth(Weekday::Monday, 1),
        11 => nth(Weekday::Thursday, 4),
        12 => day.day() == 25,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_and_weekends_are_not_worked() {
        for day in [date(2024, 5, 27), date(2024, 9, 2), date(2024, 11, 28), date(2024, 8, 18)] {
            assert!(!is_working_day(day), "{day}");
        }
        for day in [date(2024, 5, 20), date(2024, 9, 9), date(2024, 11, 27), date(2024, 8, 19)] {
            assert!(is_working_day(day), "{day}");
        }
    }
}
