//! What a stage's function is handed: inputs, outputs of its dependencies, a token to stop.
//!
//! It is a value with everything inside, so that a function needs no other way in; the journal,
//! the clock and the rest of the run are out of its reach.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{CancellationToken, StageOutput};
use crate::recovery::{FailureClass, StageFailure};
use crate::run::RunId;

/// How far an attempt says it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressReport {
    /// Units of work done.
    pub done: u64,
    /// Units of work in all; zero if unknown.
    pub total: u64,
    /// What is being done, in a few words.
    pub message: String,
}

/// Everything one attempt of a stage may see.
pub struct StageContext {
    pub(crate) run_id: RunId,
    pub(crate) run_input: Arc<Value>,
    pub(crate) stage: String,
    pub(crate) item: Option<(usize, Value)>,
    pub(crate) input: Value,
    pub(crate) attempt: u32,
    pub(crate) outputs: BTreeMap<String, Arc<StageOutput>>,
    pub(crate) cancellation: CancellationToken,
    pub(crate) on_progress: Box<dyn Fn(ProgressReport) + Send + Sync>,
}

impl StageContext {
    /// Returns the run this attempt belongs to.
    pub fn run_id(&self) -> RunId {
        self.run_id
    }

    /// Returns the input of the whole run.
    pub fn run_input(&self) -> &Value {
        &self.run_input
    }

    /// Returns the input of the whole run as `T`.
    pub fn run_input_as<T: DeserializeOwned>(&self) -> Result<T, StageFailure> {
        typed(self.run_input(), || format!("the input of run {}", self.run_id))
    }

    /// Returns the name of the stage.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the number of the item, 0 for the first, if the stage fans out.
    pub fn item_number(&self) -> Option<usize> {
        self.item.as_ref().map(|(number, _)| *number)
    }

    /// Returns the item as `T`: an element of the collection that the stage fans out over, or its
    /// number if only their count is known.
    pub fn item_as<T: DeserializeOwned>(&self) -> Result<T, StageFailure> {
        let Some((number, value)) = &self.item else {
            let message = format!("stage {} does not fan out", self.stage);
            return Err(StageFailure::new(FailureClass::Bug, message));
        };
        typed(value, || format!("item {number} of stage {}", self.stage))
    }

    /// Returns the stage's own input.
    pub fn input(&self) -> &Value {
        &self.input
    }

    /// Returns the stage's own input as `T`.
    pub fn input_as<T: DeserializeOwned>(&self) -> Result<T, StageFailure> {
        typed(self.input(), || format!("the input of stage {}", self.stage))
    }

    /// Returns the number of this attempt: 1 for the first try of the stage in this run.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the output of `dependency`, if this stage runs after it.
    pub fn output_of(&self, dependency: &str) -> Option<&Value> {
        self.outputs.get(dependency).map(|output| &output.value)
    }

    /// Returns the output of `dependency` as `T`.
    pub fn output_as<T: DeserializeOwned>(&self, dependency: &str) -> Result<T, StageFailure> {
        let value = self.output_of(dependency).ok_or_else(|| {
            let stage = &self.stage;
            let message = format!("stage {stage} does not run after {dependency}");
            StageFailure::new(FailureClass::Bug, message)
        })?;
        typed(value, || format!("the output of stage {dependency}"))
    }

    /// Returns why the output of `dependency` is degraded; empty if it is fresh or unknown here.
    pub fn degraded(&self, dependency: &str) -> &[String] {
        self.outputs.get(dependency).map_or(&[], |output| &output.degraded)
    }

    /// Returns the token that tells when to stop.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// Fails with class *cancelled* if somebody asked to stop: `stage.check_cancelled()?`.
    pub fn check_cancelled(&self) -> Result<(), StageFailure> {
        if self.cancellation.is_cancelled() {
            return Err(StageFailure::new(FailureClass::Cancelled, "asked to stop"));
        }
        Ok(())
    }

    /// Tells observers how far this attempt has come; not journalled.
    pub fn progress(&self, done: u64, total: u64, message: &str) {
        (self.on_progress)(ProgressReport { done, total, message: message.to_owned() });
    }
}

/// A value of another shape means that two pieces of code disagree, so it is a bug.
fn typed<T: DeserializeOwned>(value: &Value, what: impl Fn() -> String) -> Result<T, StageFailure> {
    T::deserialize(value).map_err(|error| {
        StageFailure::new(FailureClass::Bug, format!("{} has another shape: {error}", what()))
    })
}

impl fmt::Debug for StageContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StageContext")
            .field("run_id", &self.run_id)
            .field("stage", &self.stage)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
