//! When forecasts are published, and how far each reaches.

use jiff::civil::time;
use jiff::{SignedDuration, Timestamp};

use crate::time::{OperatingDay, instant};

/// Which vintages of a forecast are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vintages {
    /// All that ERCOT publishes: one an hour, up to 192 for every hour, 1.5 million values a year.
    /// For serving the simulated market, and for tests of what reads it.
    EveryHour,
    /// The last before 10:00 and the last before 18:00, about the following three operating days:
    /// the six that a forecast of those days can tell apart. For years of training.
    BeforeTheMarket,
}

/// The rhythm of a forecast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    posted: Posted,
    reach: Reach,
}

#[derive(Clone, Copy, Debug)]
enum Posted {
    /// Every hour, so many seconds into it.
    Hourly(i64),
    /// At 05:00 Central.
    Daily,
}

#[derive(Clone, Copy, Debug)]
enum Reach {
    /// The operating day of the publication and so many after it.
    Days(i32),
    /// So many hours that start after the publication.
    Hours(i64),
}

/// Half past every hour, for this day and seven (NP3-565).
pub(super) const LOAD: Rhythm = Rhythm { posted: Posted::Hourly(30 * 60), reach: Reach::Days(7) };
/// Five minutes to every hour, for a week (NP4-732, NP4-737).
pub(super) const GENERATION: Rhythm =
    Rhythm { posted: Posted::Hourly(55 * 60), reach: Reach::Hours(168) };
/// At the start of every hour, for a week (NP3-233).
pub(super) const OUTAGES: Rhythm = Rhythm { posted: Posted::Hourly(49), reach: Reach::Hours(168) };
/// At the start of every hour, for this day and six (NP3-763).
pub(super) const ADEQUACY: Rhythm = Rhythm { posted: Posted::Hourly(40), reach: Reach::Days(6) };
/// Early every day, for this day and six (NP4-33, NP4-722).
pub(super) const DAILY: Rhythm = Rhythm { posted: Posted::Daily, reach: Reach::Days(6) };

/// The local hours whose vintages are kept before the market.
const KEPT_HOURS: [i8; 2] = [9, 17];
/// How many operating days ahead they are kept.
const KEPT_DAYS: i32 = 3;

/// No forecast reaches further, days.
pub(super) const DAYS_AHEAD_MAX: i32 = 7;

impl Rhythm {
    /// Lists when forecasts about an operating day are published, oldest first. Of those that
    /// reach hours rather than days, some cover only a part of the day.
    pub(super) fn publications(&self, vintages: Vintages, day: OperatingDay) -> Vec<Timestamp> {
        let days_ahead = match self.reach {
            Reach::Days(days) => days,
            Reach::Hours(_) => DAYS_AHEAD_MAX,
        };
        let (nearest, furthest) = match vintages {
            Vintages::EveryHour => (0, days_ahead),
            Vintages::BeforeTheMarket => (1, KEPT_DAYS),
        };
        let days = (nearest..=furthest).rev().map(|before| day.plus_days(-before));
        days.flat_map(|day| self.posted_on(vintages, day)).collect()
    }

    fn posted_on(&self, vintages: Vintages, day: OperatingDay) -> Vec<Timestamp> {
        match (self.posted, vintages) {
            (Posted::Daily, _) => vec![at(day, 5, 0)],
            (Posted::Hourly(second), Vintages::BeforeTheMarket) => {
                KEPT_HOURS.iter().map(|&hour| at(day, hour, second)).collect()
            }
            (Posted::Hourly(second), Vintages::EveryHour) => {
                let hours = day.hours().into_iter();
                hours.map(|hour| hour.start + SignedDuration::from_secs(second)).collect()
            }
        }
    }

    /// Tells whether the publication is about an hour of a day that it is listed for.
    pub(super) fn covers(&self, published_at: Timestamp, hour_start: Timestamp) -> bool {
        match self.reach {
            Reach::Days(_) => true,
            Reach::Hours(hours) => {
                published_at < hour_start
                    && hour_start - published_at <= SignedDuration::from_hours(hours)
            }
        }
    }

    /// Returns the last publication before the day-ahead market of an operating day closes.
    pub(super) fn before_the_market_of(&self, day: OperatingDay) -> Timestamp {
        let day_before = day.plus_days(-1);
        match self.posted {
            Posted::Daily => at(day_before, 5, 0),
            Posted::Hourly(second) => at(day_before, KEPT_HOURS[0], second),
        }
    }
}

fn at(day: OperatingDay, hour: i8, second: i64) -> Timestamp {
    instant(day.date(), time(hour, 0, 0, 0)).expect("the clock skips and repeats earlier hours")
        + SignedDuration::from_secs(second)
}
