//! What a timetable decides: which runs start, which are cancelled, which firings are left out.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::dst::DstNote;
use super::task::ScheduleId;

/// Separates schedule and instant in the key of a run.
const SEPARATOR: char = '@';

/// Marks the key of a run that somebody asked for.
const REQUESTED: &str = "!requested";

/// Why a run is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its schedule says so.
    Schedule,
    /// Somebody asked for it.
    Request,
}

/// A run that is due: one firing of one schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRun {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The pipeline to run.
    pub pipeline: Arc<str>,
    /// The instant of the firing, or of the request.
    pub scheduled_at: Timestamp,
    /// Why it is due.
    pub cause: Cause,
    /// What is special about the firing's wall-clock time.
    pub note: Option<DstNote>,
}

impl DueRun {
    /// Returns what tells this firing from all others, in this process and the next.
    pub fn key(&self) -> String {
        let mark = match self.cause {
            Cause::Schedule => "",
            Cause::Request => REQUESTED,
        };
        format!("{}{SEPARATOR}{}{mark}", self.schedule, self.scheduled_at)
    }

    /// Returns the firing of a pipeline that a key names, if it names one.
    pub fn from_key(pipeline: &str, key: &str) -> Option<Self> {
        let (key, cause) = match key.strip_suffix(REQUESTED) {
            Some(key) => (key, Cause::Request),
            None => (key, Cause::Schedule),
        };
        let (schedule, at) = key.rsplit_once(SEPARATOR)?;
        let scheduled_at = at.parse().ok()?;
        let (schedule, pipeline) = (schedule.into(), pipeline.into());
        Some(Self { schedule, pipeline, scheduled_at, cause, note: None })
    }
}

/// Why firings are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// They were late, and the misfire policy leaves them out.
    Late,
    /// The pipeline was still running.
    Overlap,
    /// Too many are waiting already.
    QueueFull,
    /// A newer firing has taken their place.
    Superseded,
    /// Their schedule was removed.
    Removed,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Late => "too late",
            Self::Overlap => "the run before is still going on",
            Self::QueueFull => "too many are waiting",
            Self::Superseded => "a newer one takes its place",
            Self::Removed => "its schedule was removed",
        })
    }
}

/// What a timetable decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleAction {
    /// Start this run, and say when it has ended.
    Start(DueRun),
    /// Ask this run to stop, and say when it has ended.
    Cancel(DueRun),
    /// Firings are left out.
    Skipped {
        /// Of this schedule.
        schedule: ScheduleId,
        /// The first of them.
        first: Timestamp,
        /// The last of them; the same if it is only one.
        last: Timestamp,
        /// Why.
        reason: SkipReason,
    },
    /// Every firing up to an instant was started or left out. Whoever restores the schedule
    /// continues from there.
    Handled {
        /// Of this schedule.
        schedule: ScheduleId,
        /// Up to this instant.
        up_to: Timestamp,
    },
    /// The clock was set back so far that what it showed before must have been wrong. Firings count
    /// from the new time on.
    ClockSetBack {
        /// The latest time it had shown.
        from: Timestamp,
        /// The new time.
        to: Timestamp,
    },
}
