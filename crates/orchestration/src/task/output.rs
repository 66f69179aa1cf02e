//! What a stage's function hands back.

use serde::Serialize;
use serde_json::Value;

use crate::recovery::{FailureClass, StageFailure};

/// What a stage's function returns.
pub type StageResult = Result<StageOutput, StageFailure>;

/// The output of a stage: small JSON, and why it is less than it should be.
///
/// Large data does not belong here; write an artifact and put its URI into the value.
#[derive(Clone, Debug, PartialEq)]
pub struct StageOutput {
    /// What dependents receive.
    pub value: Value,
    /// Why the value is degraded; empty if it is fresh.
    pub degraded: Vec<String>,
}

impl StageOutput {
    /// Returns an output that is all it should be.
    pub fn fresh(value: Value) -> Self {
        Self { value, degraded: Vec::new() }
    }

    /// Returns a fresh output from a typed value.
    pub fn of<T: Serialize>(value: &T) -> StageResult {
        serde_json::to_value(value)
            .map(Self::fresh)
            .map_err(|error| StageFailure::caused_by(FailureClass::Bug, &error))
    }

    /// Adds a reason why this output is less than it should be.
    #[must_use]
    pub fn degraded_because(mut self, reason: impl Into<String>) -> Self {
        self.degraded.push(reason.into());
        self
    }
}
