//! When something runs, without a time zone: a cron expression, an interval or a single time.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::cron::{ClockRule, Cron, CronError};
use super::dst::{self, DstPolicy, Firing, next_fixed, next_shown};
use super::interval::Interval;
use super::sentence::{self, SentenceError};

/// A single time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneOff {
    /// As the wall clock shows it: the first time if it does so twice, after the gap if never.
    Local(DateTime),
    /// An instant.
    Instant(Timestamp),
}

/// When something runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleRule {
    /// By a cron expression.
    Cron(Cron),
    /// Every so many units of time.
    Interval(Interval),
    /// Once.
    Once(OneOff),
}

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It was read as a cron expression.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// It was read as an interval or a one-off time.
    #[error(transparent)]
    Sentence(#[from] SentenceError),
}

impl ScheduleError {
    /// Returns the text and, below it, a caret under the offending character.
    pub fn pointer(&self) -> String {
        match self {
            Self::Cron(error) => error.pointer(),
            Self::Sentence(error) => error.pointer(),
        }
    }
}

impl ScheduleRule {
    /// Reads a cron expression, `every 2 days at 01:00 from 2026-01-27` or
    /// `once at 2026-01-27T06:00`.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        if sentence::is_sentence(text) {
            return Ok(sentence::parse(text)?);
        }
        Ok(Self::Cron(text.parse()?))
    }

    /// Returns the only time of day at which it fires, if there is only one.
    pub fn single_time(&self) -> Option<Time> {
        match self {
            Self::Cron(cron) => cron.single_time(),
            Self::Interval(interval) => interval.time(),
            Self::Once(OneOff::Local(at)) => Some(at.time()),
            Self::Once(OneOff::Instant(_)) => None,
        }
    }

    /// Returns the first fixed wall-clock time it means, not before `from`; none of elapsed time.
    pub(super) fn next_civil(&self, from: DateTime) -> Option<DateTime> {
        match self {
            Self::Cron(cron) => match cron.clock_rule() {
                ClockRule::FixedTimes => cron.next_civil(from),
                ClockRule::EveryElapsed => None,
            },
            Self::Interval(interval) => interval.next_civil(from),
            Self::Once(OneOff::Local(at)) => (from <= *at).then_some(*at),
            Self::Once(OneOff::Instant(_)) => None,
        }
    }

    pub(super) fn next_after(
        &self,
        zone: &TimeZone,
        policy: DstPolicy,
        after: Timestamp,
    ) -> Option<Firing> {
        match self {
            Self::Cron(cron) => match cron.clock_rule() {
                ClockRule::FixedTimes => {
                    next_fixed(zone, policy, after, |from| cron.next_civil(from))
                }
                ClockRule::EveryElapsed => next_shown(zone, after, |from| cron.next_civil(from)),
            },
            Self::Interval(interval) => interval.next_after(zone, policy, after),
            Self::Once(OneOff::Local(at)) => {
                // What is meant once is neither left out nor done twice, whatever the policy.
                let at = *at;
                let next = |from| (from <= at).then_some(at);
                next_fixed(zone, DstPolicy::RunOnce, after, next)
            }
            Self::Once(OneOff::Instant(at)) => {
                let note = dst::note_at(zone, *at);
                (after < *at).then_some(Firing { at: *at, note })
            }
        }
    }
}

impl fmt::Display for OneOff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(at) => {
                let pattern = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
                write!(formatter, "once at {}T{}", at.date(), at.strftime(pattern))
            }
            Self::Instant(at) => write!(formatter, "once at {at}"),
        }
    }
}

impl fmt::Display for ScheduleRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(cron) => fmt::Display::fmt(cron, formatter),
            Self::Interval(interval) => fmt::Display::fmt(interval, formatter),
            Self::Once(once) => fmt::Display::fmt(once, formatter),
        }
    }
}
