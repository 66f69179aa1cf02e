//! When a weather model's runs can be read, and which past vintage is safe. Pure.
//!
//! A run is named after its initialisation, hours before anyone can read it. Every rule here is
//! late rather than early.

use jiff::{SignedDuration, Timestamp};

use crate::time::OperatingDay;

/// Open-Meteo keeps this many days of vintages of each hour.
pub(super) const PREVIOUS_DAYS_MAX: u8 = 7;

/// A weather model whose every run Open-Meteo keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeatherModel {
    /// NOAA's global model.
    Gfs,
    /// The European Centre's, from its open data.
    EcmwfIfs,
    /// The German weather service's.
    Icon,
}

impl WeatherModel {
    /// Every model.
    pub const ALL: [Self; 3] = [Self::Gfs, Self::EcmwfIfs, Self::Icon];

    /// Returns Open-Meteo's name of the model.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gfs => "gfs_global",
            Self::EcmwfIfs => "ecmwf_ifs025",
            Self::Icon => "icon_global",
        }
    }

    /// Returns how long after its initialisation a run can be read: what the centres need for
    /// three days ahead, Open-Meteo's processing, and an hour.
    #[must_use]
    pub const fn latency(self) -> SignedDuration {
        match self {
            Self::Gfs | Self::Icon => SignedDuration::from_hours(6),
            Self::EcmwfIfs => SignedDuration::from_hours(9),
        }
    }

    /// Returns the time between runs; the first of a UTC day is at midnight.
    #[must_use]
    pub const fn cycle(self) -> SignedDuration {
        SignedDuration::from_hours(6)
    }

    /// Returns the initialisation of the newest run that was initialised by an instant.
    #[must_use]
    pub fn run_by(self, instant: Timestamp) -> Timestamp {
        let since = instant.as_second().rem_euclid(self.cycle().as_secs());
        let run = Timestamp::from_second(instant.as_second() - since);
        run.expect("a whole hour just before an instant is one")
    }

    /// Returns when a run can be read.
    #[must_use]
    pub fn published_at(self, run: Timestamp) -> Timestamp {
        run + self.latency()
    }

    /// Returns the initialisation of the newest run that can be read at an instant.
    #[must_use]
    pub fn newest_run_at(self, instant: Timestamp) -> Timestamp {
        self.run_by(instant - self.latency())
    }

    /// Returns when the vintage that Open-Meteo calls `previous_dayN` of an hour could be read:
    /// it is of the newest run initialised N times 24 hours before the hour.
    #[must_use]
    pub fn previous_day_published_at(self, valid_at: Timestamp, days: u8) -> Timestamp {
        let before = SignedDuration::from_hours(24 * i64::from(days));
        self.published_at(self.run_by(valid_at - before))
    }
}

/// Returns which `previous_dayN` of a target day a forecast issued in the morning of the issue
/// day may use: with the target on D+k that is k+1. The vintage of day k is partly of runs after
/// the issue time. `None` when the target is not after the issue day or too far ahead.
#[must_use]
pub fn previous_day_for(issue_day: OperatingDay, target: OperatingDay) -> Option<u8> {
    let lead_days = (target.date() - issue_day.date()).get_days();
    let days = u8::try_from(lead_days).ok()?.checked_add(1)?;
    (2..=PREVIOUS_DAYS_MAX).contains(&days).then_some(days)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;
    use crate::time::instant;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn runs_are_read_hours_after_they_are_named() {
        let gfs = WeatherModel::Gfs;
        assert_eq!(gfs.run_by(at("2026-11-24T11:59:59.9Z")), at("2026-11-24T06:00:00Z"));
        assert_eq!(gfs.run_by(at("2026-11-24T12:00:00Z")), at("2026-11-24T12:00:00Z"));
        assert_eq!(gfs.run_by(at("1969-12-31T23:00:00Z")), at("1969-12-31T18:00:00Z"));
        // At 06:00 Central (12:00Z) the run of 06:00Z is just there, ECMWF's is not.
        assert_eq!(gfs.newest_run_at(at("2026-11-24T12:00:00Z")), at("2026-11-24T06:00:00Z"));
        assert_eq!(gfs.newest_run_at(at("2026-11-24T11:59:59Z")), at("2026-11-24T00:00:00Z"));
        let ecmwf = WeatherModel::EcmwfIfs.newest_run_at(at("2026-11-24T12:00:00Z"));
        assert_eq!(ecmwf, at("2026-11-24T00:00:00Z"));
    }

    #[test]
    fn a_past_vintage_is_dated_by_the_newest_run_it_may_be_of() {
        // 48 hours before 17:00Z it was 17:00Z; the run of 12:00Z was there at 18:00Z.
        let published = WeatherModel::Gfs.previous_day_published_at(at("2026-11-26T17:00:00Z"), 2);
        assert_eq!(published, at("2026-11-24T18:00:00Z"));
    }

    #[test]
    fn the_vintage_for_a_lead_day_was_there_at_six_and_the_next_newer_one_was_not() {
        let mut issue_day = OperatingDay::new(date(2026, 1, 1));
        while issue_day.date() <= date(2027, 12, 31) {
            let issued = instant(issue_day.date(), time(6, 0, 0, 0)).unwrap();
            for lead in 1..=3 {
                let target = issue_day.plus_days(lead);
                let days = previous_day_for(issue_day, target).unwrap();
                assert_eq!(i32::from(days), lead + 1);
                for model in WeatherModel::ALL {
                    let published = |hour: &crate::time::MarketHour, days| {
                        model.previous_day_published_at(hour.start, days)
                    };
                    let hours = target.hours();
                    let safe = hours.iter().all(|hour| published(hour, days) <= issued);
                    assert!(safe, "{model:?}, {target} from {issue_day}");
                    let leaks = hours.iter().any(|hour| issued < published(hour, days - 1));
                    assert!(leaks, "{model:?}, {target} from {issue_day}");
                }
            }
            issue_day = issue_day.plus_days(1);
        }
    }

    #[test]
    fn no_vintage_serves_the_issue_day_or_a_week_ahead() {
        let day = OperatingDay::new(date(2026, 11, 1));
        let days: Vec<_> = (-1..8).map(|lead| previous_day_for(day, day.plus_days(lead))).collect();
        let expected = [None, None, Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), None];
        assert_eq!(days, expected);
    }
}
