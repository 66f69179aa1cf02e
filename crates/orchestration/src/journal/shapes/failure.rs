//! Failures, as the journal keeps them.

use serde::{Deserialize, Serialize};

use super::{ShapeError, read_seconds};
use crate::recovery::{FailureClass, StageFailure};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailureShape {
    class: ClassShape,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backtrace: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClassShape {
    Connection,
    RateLimit,
    Authentication,
    BadData,
    MissingData,
    Model,
    ResourceExhaustion,
    Timeout,
    Bug,
    Cancelled,
}

impl From<&StageFailure> for FailureShape {
    fn from(failure: &StageFailure) -> Self {
        Self {
            class: match failure.class {
                FailureClass::Connection => ClassShape::Connection,
                FailureClass::RateLimit => ClassShape::RateLimit,
                FailureClass::Authentication => ClassShape::Authentication,
                FailureClass::BadData => ClassShape::BadData,
                FailureClass::MissingData => ClassShape::MissingData,
                FailureClass::Model => ClassShape::Model,
                FailureClass::ResourceExhaustion => ClassShape::ResourceExhaustion,
                FailureClass::Timeout => ClassShape::Timeout,
                FailureClass::Bug => ClassShape::Bug,
                FailureClass::Cancelled => ClassShape::Cancelled,
            },
            message: failure.message.clone(),
            wait_seconds: failure.wait.map(|wait| wait.as_secs_f64()),
            backtrace: failure.backtrace.clone(),
        }
    }
}

impl FailureShape {
    pub(super) fn read(self) -> Result<StageFailure, ShapeError> {
        let class = match self.class {
            ClassShape::Connection => FailureClass::Connection,
            ClassShape::RateLimit => FailureClass::RateLimit,
            ClassShape::Authentication => FailureClass::Authentication,
            ClassShape::BadData => FailureClass::BadData,
            ClassShape::MissingData => FailureClass::MissingData,
            ClassShape::Model => FailureClass::Model,
            ClassShape::ResourceExhaustion => FailureClass::ResourceExhaustion,
            ClassShape::Timeout => FailureClass::Timeout,
            ClassShape::Bug => FailureClass::Bug,
            ClassShape::Cancelled => FailureClass::Cancelled,
        };
        let wait = self.wait_seconds.map(read_seconds).transpose()?;
        let backtrace = self.backtrace;
        Ok(StageFailure { wait, backtrace, ..StageFailure::new(class, self.message) })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_failure_keeps_its_backtrace() {
        let failure = StageFailure {
            backtrace: Some("at src/model.rs:7:3".to_owned()),
            ..StageFailure::new(FailureClass::Bug, "panic: index 7").with_wait(SignedDuration::ZERO)
        };
        let read = FailureShape::from(&failure).read().unwrap();
        assert_eq!((&read, &read.backtrace), (&failure, &failure.backtrace));
    }
}
