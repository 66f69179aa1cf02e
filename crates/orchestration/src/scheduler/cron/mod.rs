//! Cron expressions: their text, and which moments of a wall calendar they mean.
//!
//! The dialect is that of the Open Cron Pattern Specification 1.0 to 1.3 with five or six fields.
//! It departs from it where Vixie's cron does (a day field that begins with `*`, steps included,
//! must match together with the other one), and refuses `@reboot`, which is no time. An expression
//! whose date exists in no year is valid and draws a warning. What a wall-clock time means where clocks change is decided in
//! [`super::dst`].

mod calendar;
mod error;
mod parse;
mod set;

pub(super) use calendar::ClockRule;
pub use calendar::Cron;
pub use error::{CronError, CronField};
