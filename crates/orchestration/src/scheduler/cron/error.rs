//! Why a text is not a cron expression, and where.

use std::fmt;

use crate::scheduler::words::pointer;

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CronField {
    /// The first of six fields.
    Second,
    /// The first of five fields.
    Minute,
    /// The hour of the day.
    Hour,
    /// The day of the month.
    DayOfMonth,
    /// The month.
    Month,
    /// The day of the week.
    DayOfWeek,
}

impl CronField {
    /// Returns the name shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        }
    }
}

impl fmt::Display for CronField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Why a text is not a cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cron {expression:?}, {}character {position}: expected {expected}, found {found}",
    field.map(|field| format!("field {field}, ")).unwrap_or_default()
)]
pub struct CronError {
    /// The whole text.
    pub expression: String,
    /// The field that is wrong, if it is one.
    pub field: Option<CronField>,
    /// The first offending character: 1 for the first of the expression.
    pub position: usize,
    /// What could stand there.
    pub expected: String,
    /// What does.
    pub found: String,
}

impl CronError {
    /// Returns the expression and, below it, a caret under the offending character.
    pub fn pointer(&self) -> String {
        pointer(&self.expression, self.position)
    }
}
