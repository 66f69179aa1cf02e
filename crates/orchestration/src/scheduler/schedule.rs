//! When a pipeline runs: a rule in a time zone, with a policy for the days when clocks change.
//!
//! Pure: the next firing is a function of the schedule and an instant. What is due or was missed
//! is decided in [`super::timetable`].

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::cron::Cron;
use super::dst::{DstPolicy, Firing};
use super::rule::{ScheduleError, ScheduleRule};
use super::warning::{ScheduleWarning, warnings};

/// When a pipeline runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    rule: ScheduleRule,
    zone: TimeZone,
    dst: DstPolicy,
}

impl Schedule {
    /// Returns the schedule of `rule` in `zone`, with the default policy for clock changes.
    pub fn new(rule: ScheduleRule, zone: TimeZone) -> Self {
        Self { rule, zone, dst: DstPolicy::default() }
    }

    /// Reads a cron expression, `every 2 days at 01:00 from 2026-01-27` or
    /// `once at 2026-01-27T06:00`.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        Ok(Self::new(ScheduleRule::parse(text)?, zone))
    }

    /// Sets what a fixed time means on a day when clocks change.
    #[must_use]
    pub fn dst(mut self, policy: DstPolicy) -> Self {
        self.dst = policy;
        self
    }

    /// Returns when it fires, without the time zone.
    pub fn rule(&self) -> &ScheduleRule {
        &self.rule
    }

    /// Returns the time zone of its wall clock.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns what a fixed time means on a day when clocks change.
    pub fn dst_policy(&self) -> DstPolicy {
        self.dst
    }

    /// Returns the first firing after `instant`.
    pub fn next_after(&self, instant: Timestamp) -> Option<Firing> {
        self.rule.next_after(&self.zone, self.dst, instant)
    }

    /// Returns the firings after `instant`, in order.
    pub fn firings_after(&self, instant: Timestamp) -> impl Iterator<Item = Firing> {
        let mut after = instant;
        std::iter::from_fn(move || {
            let firing = self.next_after(after)?;
            after = firing.at;
            Some(firing)
        })
    }

    /// Returns what may surprise its author, looking a year ahead of `from`.
    pub fn warnings(&self, from: Timestamp) -> Vec<ScheduleWarning> {
        warnings(self, self.dst, from)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.rule, formatter)
    }
}

/// How often something runs, in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleFrequency {
    /// DAILY: at this time of day.
    Daily(Time),
    /// HOURLY: whenever the hour is full.
    Hourly,
    /// MINUTELY: whenever the minute is full.
    Minutely,
    /// CUSTOM: by a rule.
    Custom(ScheduleRule),
}

impl ScheduleFrequency {
    /// Returns the rule that it stands for.
    pub fn rule(self) -> ScheduleRule {
        let cron = |text: &str| -> ScheduleRule {
            let cron: Cron = text.parse().expect("a time of day makes a cron expression");
            ScheduleRule::Cron(cron)
        };
        match self {
            Self::Daily(at) => {
                let (hour, minute) = (at.hour(), at.minute());
                match at.second() {
                    0 => cron(&format!("{minute} {hour} * * *")),
                    second => cron(&format!("{second} {minute} {hour} * * *")),
                }
            }
            Self::Hourly => cron("0 * * * *"),
            Self::Minutely => cron("* * * * *"),
            Self::Custom(rule) => rule,
        }
    }
}
