//! A pipeline under a schedule, as data: when it runs, and what happens when that goes wrong.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::schedule::Schedule;
use crate::recovery::mix;
use crate::task::Priority;

/// A firing that starts so much later than planned is late, unless the task says otherwise.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// Longer jitter would move firings out of the hour they are meant for.
const JITTER_MAX: SignedDuration = SignedDuration::from_hours(1);

/// The name of a schedule, unique in its timetable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScheduleId(Arc<str>);

impl ScheduleId {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ScheduleId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// What becomes of firings that could not start in time, because the program was not running, was
/// paused, or the clock was set forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MisfirePolicy {
    /// The newest runs, for all of them.
    RunOnce,
    /// The newest ones run, each by itself.
    RunAll {
        /// At most so many.
        runs_max: NonZeroU16,
    },
    /// None that is late runs.
    Skip,
}

impl fmt::Display for MisfirePolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunOnce => formatter.pad("run_once"),
            Self::RunAll { runs_max } => write!(formatter, "run_all:{runs_max}"),
            Self::Skip => formatter.pad("skip"),
        }
    }
}

impl FromStr for MisfirePolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let runs_max = text.strip_prefix("run_all:").and_then(|number| number.parse().ok());
        match (text, runs_max) {
            ("run_once", _) => Ok(Self::RunOnce),
            ("skip", _) => Ok(Self::Skip),
            (_, Some(runs_max)) => Ok(Self::RunAll { runs_max }),
            (_, None) => Err(PolicyError {
                policy: "misfire",
                expected: "run_once, skip or run_all:N with N from 1 to 65535",
                found: text.to_owned(),
            }),
        }
    }
}

/// A text is not the name of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{policy} policy: expected {expected}, found {found:?}")]
pub struct PolicyError {
    policy: &'static str,
    expected: &'static str,
    found: String,
}

/// What becomes of a firing while its pipeline is still running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlapPolicy {
    /// It waits.
    Queue,
    /// It is left out.
    Skip,
    /// What runs is asked to stop, and what waits is left out in its favour.
    CancelPrevious,
}

impl OverlapPolicy {
    /// Every policy, the default first.
    pub const ALL: [Self; 3] = [Self::Queue, Self::Skip, Self::CancelPrevious];

    /// Returns the word used in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Skip => "skip",
            Self::CancelPrevious => "cancel_previous",
        }
    }
}

impl fmt::Display for OverlapPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for OverlapPolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let policy = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        policy.ok_or_else(|| PolicyError {
            policy: "overlap",
            expected: "queue, skip or cancel_previous",
            found: text.to_owned(),
        })
    }
}

/// Firings are spread over a span, each always to the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter {
    /// Each starts less than this after its time.
    pub max: SignedDuration,
    /// Other seeds, other places.
    pub seed: u64,
}

/// A pipeline under a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledTask {
    /// The schedule's name.
    pub id: ScheduleId,
    /// The pipeline's name. Several schedules may have one pipeline, which runs once at a time.
    pub pipeline: Arc<str>,
    /// When it runs.
    pub schedule: Schedule,
    /// What becomes of firings that are late.
    pub misfire: MisfirePolicy,
    /// A firing that starts more than this after its time is late.
    pub grace: SignedDuration,
    /// What becomes of firings while the pipeline runs.
    pub overlap: OverlapPolicy,
    /// How firings are spread; not at all by default.
    pub jitter: Option<Jitter>,
    /// Of firings that wait for one pipeline, the most urgent starts first.
    pub priority: Priority,
}

impl ScheduledTask {
    /// Returns a task that runs once after downtime and waits for the run before it.
    pub fn new(id: &str, pipeline: &str, schedule: Schedule) -> Self {
        Self {
            id: id.into(),
            pipeline: pipeline.into(),
            schedule,
            misfire: MisfirePolicy::RunOnce,
            grace: GRACE,
            overlap: OverlapPolicy::Queue,
            jitter: None,
            priority: Priority::default(),
        }
    }

    /// Sets what becomes of firings that are late.
    #[must_use]
    pub fn misfire(mut self, policy: MisfirePolicy) -> Self {
        self.misfire = policy;
        self
    }

    /// Sets from when on a firing is late.
    #[must_use]
    pub fn grace(mut self, grace: SignedDuration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets what becomes of firings while the pipeline runs.
    #[must_use]
    pub fn overlap(mut self, policy: OverlapPolicy) -> Self {
        self.overlap = policy;
        self
    }

    /// Spreads firings.
    #[must_use]
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Sets how urgent firings are among those that wait for the same pipeline.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Returns what makes no sense in this task, if anything does; a timetable refuses it.
    pub fn nonsense(&self) -> Option<&'static str> {
        if self.grace.is_negative() {
            return Some("a negative grace");
        }
        let fits = |jitter: Jitter| jitter.max.is_positive() && jitter.max <= JITTER_MAX;
        let is_fine = self.jitter.is_none_or(fits);
        if is_fine { None } else { Some("a jitter that is not between 0 and an hour") }
    }

    /// Returns when the firing of `scheduled_at` starts.
    pub(super) fn start_at(&self, scheduled_at: Timestamp) -> Timestamp {
        let Some(jitter) = self.jitter else { return scheduled_at };
        let name =
            self.id.as_str().bytes().fold(jitter.seed, |seed, byte| mix(seed ^ u64::from(byte)));
        let scattered = mix(name ^ scheduled_at.as_second().unsigned_abs());
        let span = jitter.max.as_millis().unsigned_abs().max(1);
        let delay = i64::try_from(u128::from(scattered) % span).unwrap_or(0);
        scheduled_at.saturating_add(SignedDuration::from_millis(delay)).unwrap_or(scheduled_at)
    }

    /// Tells whether the firing of `scheduled_at` is late by `now`.
    pub(super) fn is_late(&self, scheduled_at: Timestamp, now: Timestamp) -> bool {
        self.start_at(scheduled_at)
            .saturating_add(self.grace)
            .is_ok_and(|in_time_until| in_time_until < now)
    }
}
