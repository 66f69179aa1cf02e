//! The JSON inside the journal: how pipelines and events are written down in format 2.
//!
//! What format 2 added may be missing, so the texts of format 1 are read in the same way.
//!
//! Separate from the types the program works with, so that those can change and this cannot.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pipeline::{
    Condition, Fallback, FanOut, Isolation, Memo, Pipeline, PipelineBuilder, PoolClaim, Stage,
    StageIndex,
};
use crate::recovery::{DeadlineAlert, FailureClass, RetryPolicy, StageFailure};
use crate::run::{Event, EventKind, FencingToken, Layout, Recalled, RunEnd};
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
    fallbacks: Vec<FallbackShape>,
    priority: PriorityShape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after_end: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pools: Vec<ClaimShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map: Option<FanOutShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<MemoShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    isolation: Option<IsolationShape>,
}

/// A function is its name, as ever; a value is marked as one.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum FallbackShape {
    Function(String),
    Value { value: Value },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimShape {
    pool: String,
    slots: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionShape {
    stage: String,
    pointer: String,
    equals: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FanOutShape {
    over: String,
    concurrency_max: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemoShape {
    key: String,
    lifetime_seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IsolationShape {
    memory_max_bytes: Option<u64>,
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

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndShape {
    Completed,
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AlertShape {
    AtRisk,
    Missed,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum EventShape {
    AttemptStarted {
        stage: String,
        attempt: u32,
        function: String,
        token: u64,
    },
    StageCompleted {
        stage: String,
        token: u64,
        output: Value,
        degraded: Vec<String>,
        /// Under this key later runs find the output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memo: Option<String>,
    },
    StageRecalled {
        stage: String,
        attempt: u32,
        token: u64,
        from: String,
        completed_at: String,
        output: Value,
    },
    FanOutOpened {
        stage: String,
        count: usize,
    },
    FanOutJoined {
        stage: String,
    },
    AttemptFailed {
        stage: String,
        token: u64,
        failure: FailureShape,
    },
    AttemptCancelled {
        stage: String,
        token: u64,
    },
    AttemptLost {
        stage: String,
        token: u64,
    },
    RetryScheduled {
        stage: String,
        not_before: String,
    },
    RungTaken {
        stage: String,
        rung: usize,
    },
    StageFailed {
        stage: String,
    },
    StageSkipped {
        stage: String,
        reason: String,
    },
    StageCancelled {
        stage: String,
        reason: String,
    },
    AlertRaised {
        alert: AlertShape,
        deadline: String,
    },
    AlertTold {
        alert: AlertShape,
        deadline: String,
    },
    RunInterrupted {},
    RunCancelled {
        reason: String,
    },
    RunFinished {
        end: EndShape,
        degraded: Vec<String>,
    },
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
            fallbacks: stage.fallbacks.iter().map(FallbackShape::from).collect(),
            priority: match stage.priority {
                Priority::Low => PriorityShape::Low,
                Priority::Medium => PriorityShape::Medium,
                Priority::High => PriorityShape::High,
                Priority::Critical => PriorityShape::Critical,
            },
            after_end: stage.after_end.clone(),
            timeout_seconds: stage.timeout.map(|timeout| timeout.as_secs_f64()),
            pools: stage
                .pools
                .iter()
                .map(|claim| ClaimShape { pool: claim.pool.clone(), slots: claim.slots })
                .collect(),
            condition: stage.condition.as_deref().map(|condition| ConditionShape {
                stage: condition.stage.clone(),
                pointer: condition.pointer.clone(),
                equals: condition.equals.clone(),
            }),
            map: stage.map.as_deref().map(|map| FanOutShape {
                over: map.over.clone(),
                concurrency_max: map.concurrency_max,
            }),
            memo: stage.memo.as_deref().map(|memo| MemoShape {
                key: memo.key.clone(),
                lifetime_seconds: memo.lifetime.as_secs_f64(),
            }),
            isolation: stage
                .isolation
                .as_deref()
                .map(|isolation| IsolationShape { memory_max_bytes: isolation.memory_max_bytes }),
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
            fallbacks: self.fallbacks.into_iter().map(Fallback::from).collect(),
            priority: match self.priority {
                PriorityShape::Low => Priority::Low,
                PriorityShape::Medium => Priority::Medium,
                PriorityShape::High => Priority::High,
                PriorityShape::Critical => Priority::Critical,
            },
            after_end: self.after_end,
            timeout: self.timeout_seconds.map(read_seconds).transpose()?,
            pools: self
                .pools
                .into_iter()
                .map(|claim| PoolClaim { pool: claim.pool, slots: claim.slots })
                .collect(),
            condition: self.condition.map(|ConditionShape { stage, pointer, equals }| {
                Box::new(Condition { stage, pointer, equals })
            }),
            map: self.map.map(|FanOutShape { over, concurrency_max }| {
                Box::new(FanOut { over, concurrency_max })
            }),
            memo: self.memo.map(MemoShape::read).transpose()?,
            isolation: self
                .isolation
                .map(|shape| Box::new(Isolation { memory_max_bytes: shape.memory_max_bytes })),
        })
    }
}

impl From<&Fallback> for FallbackShape {
    fn from(fallback: &Fallback) -> Self {
        match fallback {
            Fallback::Function(function) => Self::Function(function.clone()),
            Fallback::Value(value) => Self::Value { value: value.clone() },
        }
    }
}

impl From<FallbackShape> for Fallback {
    fn from(shape: FallbackShape) -> Self {
        match shape {
            FallbackShape::Function(function) => Self::Function(function),
            FallbackShape::Value { value } => Self::Value(value),
        }
    }
}

impl MemoShape {
    fn read(self) -> Result<Box<Memo>, ShapeError> {
        let lifetime = read_seconds(self.lifetime_seconds)?;
        Ok(Box::new(Memo { key: self.key, lifetime }))
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
            backtrace: failure.backtrace.clone(),
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
        let backtrace = self.backtrace;
        Ok(StageFailure { wait, backtrace, ..StageFailure::new(class, self.message) })
    }
}

/// Writes the body of an event down.
pub(super) fn write_event(kind: &EventKind, layout: &Layout) -> String {
    serde_json::to_string(&event_shape(kind, layout))
        .expect("texts, numbers and JSON values can be written as JSON")
}

fn event_shape(kind: &EventKind, layout: &Layout) -> EventShape {
    let name = |index: &StageIndex| layout.name(*index).into_owned();
    match kind {
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
            let memo = layout.definition(*stage).memo_key().filter(|_| degraded.is_empty());
            let (stage, token) = (name(stage), token.0);
            EventShape::StageCompleted { stage, token, output, degraded, memo }
        }
        EventKind::StageRecalled { stage, attempt, token, recalled } => EventShape::StageRecalled {
            stage: name(stage),
            attempt: *attempt,
            token: token.0,
            from: recalled.from.to_string(),
            completed_at: recalled.completed_at.to_string(),
            output: recalled.output.clone(),
        },
        EventKind::FanOutOpened { stage, count } => {
            EventShape::FanOutOpened { stage: name(stage), count: *count }
        }
        EventKind::FanOutJoined { stage } => EventShape::FanOutJoined { stage: name(stage) },
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
        EventKind::StageCancelled { stage, reason } => {
            EventShape::StageCancelled { stage: name(stage), reason: reason.clone() }
        }
        EventKind::AlertRaised { alert, deadline } => {
            EventShape::AlertRaised { alert: alert.into(), deadline: deadline.to_string() }
        }
        EventKind::AlertTold { alert, deadline } => {
            EventShape::AlertTold { alert: alert.into(), deadline: deadline.to_string() }
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
    }
}

impl From<&DeadlineAlert> for AlertShape {
    fn from(alert: &DeadlineAlert) -> Self {
        match alert {
            DeadlineAlert::AtRisk => Self::AtRisk,
            DeadlineAlert::Missed => Self::Missed,
        }
    }
}

impl From<&AlertShape> for DeadlineAlert {
    fn from(shape: &AlertShape) -> Self {
        match shape {
            AlertShape::AtRisk => Self::AtRisk,
            AlertShape::Missed => Self::Missed,
        }
    }
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

    /// Reads one event of a run that has come to this layout.
    pub(super) fn read(&self, layout: &Layout, at: &str, body: &str) -> Result<Event, ShapeError> {
        let shape: EventShape = serde_json::from_str(body).map_err(ShapeError::new)?;
        Ok(Event { at: read_instant(at)?, kind: self.read_kind(layout, shape)? })
    }

    fn read_kind(&self, layout: &Layout, shape: EventShape) -> Result<EventKind, ShapeError> {
        let find = |name: &str| self.find(layout, name);
        Ok(match shape {
            EventShape::AttemptStarted { stage, attempt, function, token } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptStarted { stage, attempt, function, token }
            }
            EventShape::StageCompleted { stage, token, output, degraded, memo: _ } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::StageCompleted { stage, token, output, degraded }
            }
            EventShape::StageRecalled { stage, attempt, token, from, completed_at, output } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                let from = from.parse().map_err(ShapeError::new)?;
                let completed_at = read_instant(&completed_at)?;
                let recalled = Recalled { from, completed_at, output };
                EventKind::StageRecalled { stage, attempt, token, recalled }
            }
            EventShape::FanOutOpened { stage, count } => {
                EventKind::FanOutOpened { stage: find(&stage)?, count }
            }
            EventShape::FanOutJoined { stage } => EventKind::FanOutJoined { stage: find(&stage)? },
            EventShape::AttemptFailed { stage, token, failure } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptFailed { stage, token, failure: failure.read()? }
            }
            EventShape::AttemptCancelled { stage, token } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptCancelled { stage, token }
            }
            EventShape::AttemptLost { stage, token } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptLost { stage, token }
            }
            EventShape::RetryScheduled { stage, not_before } => {
                let (stage, not_before) = (find(&stage)?, read_instant(&not_before)?);
                EventKind::RetryScheduled { stage, not_before }
            }
            EventShape::RungTaken { stage, rung } => {
                EventKind::RungTaken { stage: find(&stage)?, rung }
            }
            EventShape::StageFailed { stage } => EventKind::StageFailed { stage: find(&stage)? },
            EventShape::StageSkipped { stage, reason } => {
                EventKind::StageSkipped { stage: find(&stage)?, reason }
            }
            EventShape::StageCancelled { stage, reason } => {
                EventKind::StageCancelled { stage: find(&stage)?, reason }
            }
            EventShape::AlertRaised { alert, deadline } => {
                let (alert, deadline) = ((&alert).into(), read_instant(&deadline)?);
                EventKind::AlertRaised { alert, deadline }
            }
            EventShape::AlertTold { alert, deadline } => {
                let (alert, deadline) = ((&alert).into(), read_instant(&deadline)?);
                EventKind::AlertTold { alert, deadline }
            }
            EventShape::RunInterrupted {} => EventKind::RunInterrupted,
            EventShape::RunCancelled { reason } => EventKind::RunCancelled { reason },
            EventShape::RunFinished { end, degraded } => {
                EventKind::RunFinished { end: read_end(&end), degraded }
            }
        })
    }

    /// Finds `fetch`, or `fetch[17]`, an item of it.
    fn find(&self, layout: &Layout, name: &str) -> Result<StageIndex, ShapeError> {
        let missing = || ShapeError(format!("an event of stage {name}, which is not defined"));
        if let Some(stage) = self.positions.get(name) {
            return Ok(*stage);
        }
        let (stage, item) =
            name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).ok_or_else(missing)?;
        let stage = self.positions.get(stage).ok_or_else(missing)?;
        let item = item.parse().map_err(|_| missing())?;
        layout.item(*stage, item).ok_or_else(missing)
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
