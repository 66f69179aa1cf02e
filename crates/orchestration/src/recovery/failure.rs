//! Failures of attempts, divided by what helps against them.
//!
//! Whoever raises a failure chooses its class; what the class leads to is decided in `retry`.

use std::any::TypeId;
use std::error::Error;
use std::fmt;

use jiff::SignedDuration;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// The other side could not be reached, or answered that it is unwell.
    Connection,
    /// The other side asks for fewer requests.
    RateLimit,
    /// The other side does not know us, or does not let us.
    Authentication,
    /// Data arrived and is wrong.
    BadData,
    /// Data is not there (yet).
    MissingData,
    /// A model could not be fitted, loaded or applied.
    Model,
    /// Memory, disk, handles or processes ran out.
    ResourceExhaustion,
    /// It took longer than allowed.
    Timeout,
    /// Our own mistake, a panic included.
    Bug,
    /// The attempt stopped because somebody asked it to.
    Cancelled,
}

impl FailureClass {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::Connection,
        Self::RateLimit,
        Self::Authentication,
        Self::BadData,
        Self::MissingData,
        Self::Model,
        Self::ResourceExhaustion,
        Self::Timeout,
        Self::Bug,
        Self::Cancelled,
    ];

    /// Returns the class in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::RateLimit => "rate limit",
            Self::Authentication => "authentication",
            Self::BadData => "bad data",
            Self::MissingData => "missing data",
            Self::Model => "model",
            Self::ResourceExhaustion => "resource exhaustion",
            Self::Timeout => "timeout",
            Self::Bug => "bug",
            Self::Cancelled => "cancelled",
        }
    }

    /// Tells whether the same thing, tried again a little later, may well succeed.
    pub fn is_worth_retrying(self) -> bool {
        match self {
            Self::Connection
            | Self::RateLimit
            | Self::MissingData
            | Self::ResourceExhaustion
            | Self::Timeout => true,
            Self::Authentication | Self::BadData | Self::Model | Self::Bug | Self::Cancelled => {
                false
            }
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{class}: {message}")]
pub struct StageFailure {
    /// What kind of failure it was.
    pub class: FailureClass,
    /// What happened, with its causes.
    pub message: String,
    /// How long the other side asked to be left alone.
    pub wait: Option<SignedDuration>,
    /// Where a panic was raised and by whose calls.
    pub backtrace: Option<String>,
    /// The registered type of the error, known only to the process in which it happened.
    pub(crate) error_type: Option<TypeId>,
}

/// Failures are equal if they say the same. The backtrace is evidence and differs from build to
/// build; the error's type is known to one process only. Nothing is decided by either.
impl PartialEq for StageFailure {
    fn eq(&self, other: &Self) -> bool {
        (self.class, &self.message, self.wait) == (other.class, &other.message, other.wait)
    }
}

impl Eq for StageFailure {}

impl StageFailure {
    /// Returns a failure with a message of its own.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), wait: None, backtrace: None, error_type: None }
    }

    /// Returns a failure whose message is `error` and all its causes.
    pub fn caused_by(class: FailureClass, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self::new(class, message)
    }

    /// Adds how long the other side asked to be left alone.
    #[must_use]
    pub fn with_wait(mut self, wait: SignedDuration) -> Self {
        self.wait = Some(wait);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the report")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("connection reset by peer")]
    struct Inner;

    #[test]
    fn failures_that_say_the_same_are_equal_whatever_the_evidence() {
        let failure = StageFailure::new(FailureClass::Bug, "panic: index 7");
        let mut other = failure.clone();
        other.backtrace = Some("at src/model.rs:7:3".to_owned());
        assert_eq!(failure, other);
        other.message.push('0');
        assert_ne!(failure, other);
    }

    #[test]
    fn a_failure_tells_all_its_causes() {
        let failure = StageFailure::caused_by(FailureClass::Connection, &Outer(Inner));
        assert_eq!(
            failure.to_string(),
            "connection: cannot read the report: connection reset by peer"
        );
    }
}
