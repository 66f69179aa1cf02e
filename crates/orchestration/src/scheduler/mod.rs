//! When pipelines run: schedules in a time zone, what is due or was missed, and the loop that waits.
//!
//! The only place of this crate that knows local time. Deciding is pure ([`Schedule`],
//! [`Timetable`]); only [`Scheduler`] waits, on its channel. [`DailyScheduler`] has pipelines run by
//! [`crate::runtime`].

mod action;
mod cron;
mod daily;
mod dst;
mod interval;
mod missed;
mod operations;
mod rule;
mod schedule;
#[expect(clippy::module_inception, reason = "the loop is the first thing to look for here")]
mod scheduler;
mod sentence;
mod task;
mod timetable;
mod warning;
mod words;

pub use action::{Cause, DueRun, ScheduleAction, SkipReason};
pub use cron::{Cron, CronError, CronField};
pub use daily::{DailyError, DailyScheduler, RunPlan, RunningScheduler, ScheduledEvent};
pub use dst::{DstNote, DstPolicy, DstPolicyError, Firing};
pub use interval::{Interval, IntervalUnit};
pub use operations::{DailyPipelines, DailyTimes, SetupError};
pub use rule::{OneOff, ScheduleError, ScheduleRule};
pub use schedule::{Schedule, ScheduleFrequency};
pub use scheduler::{CLOCK_CHECK_INTERVAL, EditError, Scheduler, SchedulerEnded, SchedulerHandle};
pub use sentence::SentenceError;
pub use task::{Jitter, MisfirePolicy, OverlapPolicy, PolicyError, ScheduleId, ScheduledTask};
pub use timetable::{
    CLOCK_CORRECTION_MAX, QUEUED_MAX, ScheduleState, ScheduleView, Timetable, TimetableError,
};
pub use warning::ScheduleWarning;
