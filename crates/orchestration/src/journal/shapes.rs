//! The JSON inside the journal: how pipelines and events are written down in format 1.
//!
//! Separate from the types the program works with, so that those can change and this cannot.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pipeline::{Pipeline, PipelineBuilder, Stage, StageIndex};
use crate::recovery::{FailureClass, RetryPolicy, StageFailure};
use crate::run::{Event, EventKind, FencingToken, RunEnd};
use crate::task::Priority;

/// A text of the journal does not say what it should; the message tells what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ShapeError(String);

impl ShapeError {
    pub(super) fn new(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PipelineShape {
    name: String,
    stages: Vec<StageShape>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageShape {
    name: String,
    function: String,
    after: Vec<String>,
    input: Value,
    retry: RetryShape,
    fallbacks: Vec<String>,
    priority: PriorityShape,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryShape {
    attempts_max: u32,
    delay_first_seconds: f64,
    backoff_factor: f64,
    delay_max_seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PriorityShape {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureShape {
    class: ClassShape,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait_seconds: Option<f64>,
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

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndShape {
    Completed,
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum EventShape {
    AttemptStarted { stage: String, attempt: u32, function: String, token: u64 },
    StageCompleted { stage: String, token: u64, output: Value, degraded: Vec<String> },
    AttemptFailed { stage: String, token: u64, failure: FailureShape },
    AttemptCancelled { stage: String, token: u64 },
    AttemptLost { stage: String, token: u64 },
    RetryScheduled { stage: String, not_before: String },
    RungTaken { stage: String, rung: usize },
    StageFailed { stage: String },
    StageSkipped { stage: String, reason: String },
    RunInterrupted {},
    RunCancelled { reason: String },
    RunFinished { end: EndShape, degraded: Vec<String> },
}

/// Writes a pipeline down.
pub(super) fn write_pipeline(pipeline: &Pipeline) -> String {
    let stages = pipeline.stages().iter().map(StageShape::from).collect();
    let shape = PipelineShape { name: pipeline.name().to_owned(), stages };
    serde_json::to_string(&shape).expect("texts, numbers and JSON values can be written as JSON")
}

/// Reads a pipeline and checks it again.
pub(super) fn read_pipeline(text: &str) -> Result<Pipeline, ShapeError> {
    let shape: PipelineShape = serde_json::from_str(text).map_err(ShapeError::new)?;
    let mut builder = PipelineBuilder::new(shape.name);
    for stage in shape.stages {
        builder = builder.stage(stage.read()?);
    }
    builder.build().map_err(ShapeError::new)
}

impl From<&Stage> for StageShape {
    fn from(stage: &Stage) -> Self {
        Self {
            name: stage.name.clone(),
            function: stage.function.clone(),
            after: stage.after.clone(),
            input: stage.input.clone(),
            retry: RetryShape {
                attempts_max: stage.retry.attempts_max,
                delay_first_seconds: stage.retry.delay_first.as_secs_f64(),
                backoff_factor: stage.retry.backoff_factor,
                delay_max_seconds: stage.retry.delay_max.as_secs_f64(),
            },
            fallbacks: stage.fallbacks.clone(),
            priority: match stage.priority {
                Priority::Low => PriorityShape::Low,
                Priority::Medium => PriorityShape::Medium,
                Priority::High => PriorityShape::High,
                Priority::Critical => PriorityShape::Critical,
            },
        }
    }
}

impl StageShape {
    fn read(self) -> Result<Stage, ShapeError> {
        Ok(Stage {
            name: self.name,
            function: self.function,
            after: self.after,
            input: self.input,
            retry: RetryPolicy {
                attempts_max: self.retry.attempts_max,
                delay_first: read_seconds(self.retry.delay_first_seconds)?,
                backoff_factor: self.retry.backoff_factor,
                delay_max: read_seconds(self.retry.delay_max_seconds)?,
            },
            fallbacks: self.fallbacks,
            priority: match self.priority {
                PriorityShape::Low => Priority::Low,
                PriorityShape::Medium => Priority::Medium,
                PriorityShape::High => Priority::High,
                PriorityShape::Critical => Priority::Critical,
            },
        })
    }
}

fn read_seconds(seconds: f64) -> Result<SignedDuration, ShapeError> {
    SignedDuration::try_from_secs_f64(seconds).map_err(ShapeError::new)
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
        }
    }
}

impl FailureShape {
    fn read(self) -> Result<StageFailure, ShapeError> {
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
        Ok(StageFailure { wait, ..StageFailure::new(class, self.message) })
    }
}

/// Writes the body of an event down.
pub(super) fn write_event(kind: &EventKind, pipeline: &Pipeline) -> String {
    let name = |index: &StageIndex| pipeline.stage(*index).name.clone();
    let shape = match kind {
        EventKind::AttemptStarted { stage, attempt, function, token } => {
            let function = function.clone();
            EventShape::AttemptStarted {
                stage: name(stage),
                attempt: *attempt,
                function,
                token: token.0,
            }
        }
        EventKind::StageCompleted { stage, token, output, degraded } => {
            let (output, degraded) = (output.clone(), degraded.clone());
            EventShape::StageCompleted { stage: name(stage), token: token.0, output, degraded }
        }
        EventKind::AttemptFailed { stage, token, failure } => EventShape::AttemptFailed {
            stage: name(stage),
            token: token.0,
            failure: failure.into(),
        },
        EventKind::AttemptCancelled { stage, token } => {
            EventShape::AttemptCancelled { stage: name(stage), token: token.0 }
        }
        EventKind::AttemptLost { stage, token } => {
            EventShape::AttemptLost { stage: name(stage), token: token.0 }
        }
        EventKind::RetryScheduled { stage, not_before } => {
            EventShape::RetryScheduled { stage: name(stage), not_before: not_before.to_string() }
        }
        EventKind::RungTaken { stage, rung } => {
            EventShape::RungTaken { stage: name(stage), rung: *rung }
        }
        EventKind::StageFailed { stage } => EventShape::StageFailed { stage: name(stage) },
        EventKind::StageSkipped { stage, reason } => {
            EventShape::StageSkipped { stage: name(stage), reason: reason.clone() }
        }
        EventKind::RunInterrupted => EventShape::RunInterrupted {},
        EventKind::RunCancelled { reason } => EventShape::RunCancelled { reason: reason.clone() },
        EventKind::RunFinished { end, degraded } => {
            let end = match end {
                RunEnd::Completed => EndShape::Completed,
                RunEnd::Failed => EndShape::Failed,
            };
            EventShape::RunFinished { end, degraded: degraded.clone() }
        }
    };
    serde_json::to_string(&shape).expect("texts, numbers and JSON values can be written as JSON")
}

/// Reads events of one pipeline.
pub(super) struct EventReader<'p> {
    positions: BTreeMap<&'p str, StageIndex>,
}

impl<'p> EventReader<'p> {
    /// Prepares to find the stages of `pipeline` by name.
    pub(super) fn new(pipeline: &'p Pipeline) -> Self {
        let names = pipeline.stages().iter().map(|stage| stage.name.as_str());
        Self { positions: names.zip(pipeline.indices()).collect() }
    }

    /// Reads one event.
    pub(super) fn read(&self, at: &str, body: &str) -> Result<Event, ShapeError> {
        let shape: EventShape = serde_json::from_str(body).map_err(ShapeError::new)?;
        Ok(Event { at: read_instant(at)?, kind: self.read_kind(shape)? })
    }

    fn read_kind(&self, shape: EventShape) -> Result<EventKind, ShapeError> {
        Ok(match shape {
            EventShape::AttemptStarted { stage, attempt, function, token } => {
                let (stage, token) = (self.stage(&stage)?, FencingToken(token));
                EventKind::AttemptStarted { stage, attempt, function, token }
            }
            EventShape::StageCompleted { stage, token, output, degraded } => {
                let (stage, token) = (self.stage(&stage)?, FencingToken(token));
                EventKind::StageCompleted { stage, token, output, degraded }
            }
            EventShape::AttemptFailed { stage, token, failure } => {
                let (stage, token) = (self.stage(&stage)?, FencingToken(token));
                EventKind::AttemptFailed { stage, token, failure: failure.read()? }
            }
            EventShape::AttemptCancelled { stage, token } => {
                let (stage, token) = (self.stage(&stage)?, FencingToken(token));
                EventKind::AttemptCancelled { stage, token }
            }
            EventShape::AttemptLost { stage, token } => {
                let (stage, token) = (self.stage(&stage)?, FencingToken(token));
                EventKind::AttemptLost { stage, token }
            }
            EventShape::RetryScheduled { stage, not_before } => {
                let (stage, not_before) = (self.stage(&stage)?, read_instant(&not_before)?);
                EventKind::RetryScheduled { stage, not_before }
            }
            EventShape::RungTaken { stage, rung } => {
                EventKind::RungTaken { stage: self.stage(&stage)?, rung }
            }
            EventShape::StageFailed { stage } => {
                EventKind::StageFailed { stage: self.stage(&stage)? }
            }
            EventShape::StageSkipped { stage, reason } => {
                EventKind::StageSkipped { stage: self.stage(&stage)?, reason }
            }
            EventShape::RunInterrupted {} => EventKind::RunInterrupted,
            EventShape::RunCancelled { reason } => EventKind::RunCancelled { reason },
            EventShape::RunFinished { end, degraded } => {
                EventKind::RunFinished { end: read_end(&end), degraded }
            }
        })
    }

    fn stage(&self, name: &str) -> Result<StageIndex, ShapeError> {
        let missing = || ShapeError(format!("an event of stage {name}, which is not defined"));
        self.positions.get(name).copied().ok_or_else(missing)
    }
}

/// Reads how a run ended and why it was degraded, if this is the body of such an event.
pub(super) fn read_finish(body: &str) -> Result<Option<(RunEnd, Vec<String>)>, ShapeError> {
    let shape: EventShape = serde_json::from_str(body).map_err(ShapeError::new)?;
    let EventShape::RunFinished { end, degraded } = shape else { return Ok(None) };
    Ok(Some((read_end(&end), degraded)))
}

fn read_end(end: &EndShape) -> RunEnd {
    match end {
        EndShape::Completed => RunEnd::Completed,
        EndShape::Failed => RunEnd::Failed,
    }
}

/// Reads an instant such as `2026-01-27T12:00:00Z`.
pub(super) fn read_instant(text: &str) -> Result<Timestamp, ShapeError> {
    text.parse().map_err(ShapeError::new)
}
