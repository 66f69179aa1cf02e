//! When a value could be read, for sources that do not say so themselves.
//!
//! Every rule is late rather than early: a forecast that is trained on values it could not have
//! had is worthless, one that waits a few minutes too long is not. Forecast vintages carry their
//! own publication time and have no rule here.

use jiff::civil::{Time, time};
use jiff::{SignedDuration, Timestamp};

use crate::observation::Series;
use crate::time::{OperatingDay, instant};

/// A 5-minute price is in effect from its SCED run on and posted within seconds; this lag keeps
/// us honest when the posting is late.
pub const REAL_TIME_LAG: SignedDuration = SignedDuration::from_mins(5);

/// The deadline, Central, on the day before the operating day, for what the day-ahead market
/// produces. It closes at 10:00, so a bid never sees the prices of the day it is for.
pub const DAY_AHEAD_DEADLINE: Time = time(13, 30, 0, 0);

/// When the load of an operating day is posted, Central, on the day after it.
pub const LOAD_POSTED: Time = time(5, 50, 0, 0);

/// Wind and solar generation are posted so long after the end of their hour.
pub const GENERATION_LAG: SignedDuration = SignedDuration::from_mins(55);

/// Temperatures are observed and collected within so long after the end of their hour.
pub const TEMPERATURE_LAG: SignedDuration = SignedDuration::from_hours(1);

/// Binding constraints are posted five minutes after the hour of their SCED runs, or a little
/// later.
pub const CONSTRAINT_LAG: SignedDuration = SignedDuration::from_mins(10);

const SECONDS_PER_HOUR: i64 = 3_600;

/// When a series' values are posted.
#[derive(Clone, Copy, Debug)]
enum Posted {
    AfterStart(SignedDuration),
    AfterEnd(SignedDuration),
    /// So long after the end of the hour in which the interval starts.
    AfterHour(SignedDuration),
    /// At this local time, so many days after the operating day.
    OnDay(i32, Time),
}

/// Computes publication times of one series; keeps the current operating day, because its bounds
/// cost more than everything else about a row.
#[derive(Clone, Debug)]
pub struct PublicationRule {
    interval: SignedDuration,
    posted: Posted,
    day: Option<DayRule>,
}

#[derive(Clone, Copy, Debug)]
struct DayRule {
    start: Timestamp,
    end: Timestamp,
    published_at: Timestamp,
}

impl PublicationRule {
    /// Returns the rule of a series; `None` when the series says itself when it was published.
    #[must_use]
    pub fn of(series: Series) -> Option<Self> {
        let posted = match series {
            Series::RealTimeLmp
            | Series::SystemLambda
            | Series::ScedAdder(_)
            | Series::ScedMcpc(_)
            | Series::AsCapability(_) => Posted::AfterStart(REAL_TIME_LAG),
            Series::ShadowPrice => Posted::AfterHour(CONSTRAINT_LAG),
            Series::RealTimeSpp | Series::SettlementAdder(_) | Series::RealTimeMcpc(_) => {
                Posted::AfterEnd(REAL_TIME_LAG)
            }
            Series::DayAheadSpp | Series::DayAheadMcpc(_) => Posted::OnDay(-1, DAY_AHEAD_DEADLINE),
            Series::LoadActual => Posted::OnDay(1, LOAD_POSTED),
            Series::WindActual | Series::WindHsl | Series::SolarActual | Series::SolarHsl => {
                Posted::AfterEnd(GENERATION_LAG)
            }
            Series::Temperature => Posted::AfterEnd(TEMPERATURE_LAG),
            Series::HourlyMaxLmp
            | Series::HourlyMeanLmp
            | Series::HourlyCoverage
            | Series::AsPlan(_)
            | Series::LoadForecast
            | Series::LoadForecastBy(_)
            | Series::WindForecast
            | Series::WindPotential
            | Series::WindPlan
            | Series::SolarForecast
            | Series::SolarPotential
            | Series::SolarPlan
            | Series::OutageCapacity(_)
            | Series::GenerationCapacity
            | Series::LoadResourceCapacity
            | Series::OfflineCapacity
            | Series::AvailableGeneration
            | Series::AvailableReserves
            | Series::TemperatureForecast
            | Series::WindSpeedForecast
            | Series::RadiationForecast => return None,
        };
        Some(Self { interval: series.interval(), posted, day: None })
    }

    /// Returns when the value about the interval could be read.
    pub fn published_at(&mut self, interval_start: Timestamp) -> Timestamp {
        match self.posted {
            Posted::AfterStart(lag) => interval_start + lag,
            Posted::AfterEnd(lag) => interval_start + self.interval + lag,
            Posted::AfterHour(lag) => {
                let passed = interval_start.as_second().rem_euclid(SECONDS_PER_HOUR);
                interval_start + SignedDuration::from_secs(SECONDS_PER_HOUR - passed) + lag
            }
            Posted::OnDay(days_later, time) => self.with_the_day(interval_start, days_later, time),
        }
    }

    fn with_the_day(&mut self, start: Timestamp, days_later: i32, posted: Time) -> Timestamp {
        if let Some(day) = self.day
            && day.start <= start
            && start < day.end
        {
            return day.published_at;
        }
        let day = OperatingDay::of(start);
        let published_at = instant(day.plus_days(days_later).date(), posted)
            .expect("05:50 and 13:30 exist on every day in America/Chicago");
        self.day = Some(DayRule { start: day.start(), end: day.end(), published_at });
        published_at
    }
}

/// Nothing is published longer before its interval: the prices of the next day at noon.
const LEAD_MAX: SignedDuration = SignedDuration::from_hours(48);

/// Returns the end of the intervals in `[from, to)` that were published by `now`. Of forecasts
/// these are all, since they are published before; binding constraints are never due, they come
/// when they bind.
#[must_use]
pub fn due_until(series: Series, (from, to): (Timestamp, Timestamp), now: Timestamp) -> Timestamp {
    if series == Series::ShadowPrice {
        return from;
    }
    let Some(mut rule) = PublicationRule::of(series) else { return to };
    let length = series.interval();
    let latest = now.checked_add(LEAD_MAX).unwrap_or(Timestamp::MAX).as_second();
    let latest = Timestamp::from_second(latest - latest.rem_euclid(3_600)).unwrap_or(to);
    let mut due = to.min(latest);
    // Publication only ever gets later with the interval.
    while from < due && now < rule.published_at(due - length) {
        due -= length;
    }
    due.max(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_ends_with_the_last_interval_that_was_published() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let due = |series: Series, now: &str| {
            let range = (at("2024-08-19T05:00:00Z"), at("2024-12-20T05:00:00Z"));
            due_until(series, range, at(now)).to_string()
        };
        // Wind: an hour that ended 55 minutes ago; prices: a run 5 minutes ago.
        assert_eq!(due(Series::WindActual, "2024-08-19T15:54:59Z"), "2024-08-19T14:00:00Z");
        assert_eq!(due(Series::WindActual, "2024-08-19T15:55:00Z"), "2024-08-19T15:00:00Z");
        assert_eq!(due(Series::RealTimeLmp, "2024-08-19T15:55:00Z"), "2024-08-19T15:55:00Z");
        // Day-ahead prices: since 13:30 CDT those of the next day.
        assert_eq!(due(Series::DayAheadSpp, "2024-08-19T18:29:00Z"), "2024-08-20T05:00:00Z");
        assert_eq!(due(Series::DayAheadSpp, "2024-08-19T18:30:00Z"), "2024-08-21T05:00:00Z");
        assert_eq!(due(Series::LoadActual, "2024-08-19T18:30:00Z"), "2024-08-19T05:00:00Z");
        assert_eq!(due(Series::LoadForecast, "2024-08-19T18:30:00Z"), "2024-12-20T05:00:00Z");
        assert_eq!(due(Series::ShadowPrice, "2024-12-30T18:30:00Z"), "2024-08-19T05:00:00Z");
        assert_eq!(due(Series::WindActual, "2025-01-19T15:55:00Z"), "2024-12-20T05:00:00Z");
    }

    fn check(series: Series, interval_start: &str, expected: &str) {
        let mut rule = PublicationRule::of(series).unwrap();
        let published_at = rule.published_at(interval_start.parse().unwrap());
        assert_eq!(published_at, expected.parse().unwrap(), "{series:?} at {interval_start}");
    }

    #[test]
    fn every_series_is_published_as_ercot_does_or_later() {
        check(Series::RealTimeLmp, "2024-08-19T14:55:15Z", "2024-08-19T15:00:15Z");
        check(Series::ShadowPrice, "2024-08-19T14:00:00Z", "2024-08-19T15:10:00Z");
        check(Series::ShadowPrice, "2024-08-19T14:55:15Z", "2024-08-19T15:10:00Z");
        check(Series::WindActual, "2024-08-19T14:00:00Z", "2024-08-19T15:55:00Z");
        check(Series::Temperature, "2024-08-19T14:00:00Z", "2024-08-19T16:00:00Z");
        // 13:30 CDT on the day before; 05:50 CDT on the day after.
        check(Series::DayAheadSpp, "2024-08-19T14:00:00Z", "2024-08-18T18:30:00Z");
        check(Series::LoadActual, "2024-08-19T14:00:00Z", "2024-08-20T10:50:00Z");
        assert!(PublicationRule::of(Series::LoadForecast).is_none());
    }

    #[test]
    fn the_days_of_both_clock_changes_are_published_on_local_time() {
        // 10 March 2024 starts at 06:00Z (CST) and ends at 05:00Z (CDT).
        check(Series::DayAheadSpp, "2024-03-11T04:00:00Z", "2024-03-09T19:30:00Z");
        check(Series::DayAheadSpp, "2024-03-11T05:00:00Z", "2024-03-10T18:30:00Z");
        check(Series::LoadActual, "2024-03-10T06:00:00Z", "2024-03-11T10:50:00Z");
        // 3 November 2024 starts at 05:00Z (CDT) and ends at 06:00Z (CST).
        check(Series::DayAheadSpp, "2024-11-04T05:00:00Z", "2024-11-02T18:30:00Z");
        check(Series::LoadActual, "2024-11-04T05:00:00Z", "2024-11-04T11:50:00Z");
    }

    #[test]
    fn a_rule_that_goes_on_to_the_next_day_forgets_the_former_one() {
        let mut rule = PublicationRule::of(Series::DayAheadSpp).unwrap();
        let days = ["2024-08-19T14:00:00Z", "2024-08-20T14:00:00Z", "2024-08-19T15:00:00Z"]
            .map(|start| OperatingDay::of(rule.published_at(start.parse().unwrap())).to_string());
        assert_eq!(days, ["2024-08-18", "2024-08-19", "2024-08-18"]);
    }
}
