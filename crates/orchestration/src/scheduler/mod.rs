//! When pipelines run: schedules in a time zone, what is due or was missed, and the loop that waits.
//!
//! The only place of this crate that knows local time. Deciding is pure ([`Schedule`]); only the
//! loop waits, on its channel. Running is the work of [`crate::runtime`].

pub mod cron;
pub mod dst;
mod interval;
mod rule;
mod schedule;
mod sentence;
mod warning;
mod words;

pub use cron::{Cron, CronError, CronField};
pub use dst::{DstNote, DstPolicy, DstPolicyError, Firing};
pub use interval::{Interval, IntervalUnit};
pub use rule::{OneOff, ScheduleError, ScheduleRule};
pub use schedule::{Schedule, ScheduleFrequency};
pub use sentence::SentenceError;
pub use warning::ScheduleWarning;
