//! A run as it is told to people and programs: plain values, nothing to call back.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Attempt, RunEnd, RunId, RunPhase, RunState, StageState};
use crate::pipeline::StageIndex;
use crate::recovery::{FailureClass, StageFailure};

/// One try of a stage.
pub type AttemptReport = Attempt;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunStatus {
    /// Submitted and not started.
    Pending,
    /// Begun and not ended: at work, or waiting to be resumed after its process died.
    Running,
    /// Stopped on request; it can be resumed.
    Interrupted,
    /// No stage failed.
    Completed,
    /// Some stage failed.
    Failed,
    /// Given up on request.
    Cancelled,
}

impl RunStatus {
    /// Returns the word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Interrupted => "INTERRUPTED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl From<&RunPhase> for RunStatus {
    fn from(phase: &RunPhase) -> Self {
        match phase {
            RunPhase::Pending => Self::Pending,
            RunPhase::Running => Self::Running,
            RunPhase::Interrupted => Self::Interrupted,
            RunPhase::Finished(RunEnd::Completed) => Self::Completed,
            RunPhase::Finished(RunEnd::Failed) => Self::Failed,
            RunPhase::Cancelled => Self::Cancelled,
        }
    }
}

/// Where a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageStatus {
    /// Waits: for dependencies, a worker or its time to retry.
    Pending,
    /// An attempt is being made.
    Running,
    /// Done.
    Completed,
    /// Nothing was left to try.
    Failed,
    /// Left out, because a dependency failed or its own failure calls for it.
    Skipped,
    /// Failed, in the end because it took too long.
    Timeout,
    /// Given up on request.
    Cancelled,
}

impl StageStatus {
    /// Returns the word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
            Self::Timeout => "TIMEOUT",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for StageStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl From<&StageState> for StageStatus {
    fn from(state: &StageState) -> Self {
        match state {
            StageState::Waiting { .. }
            | StageState::Ready
            | StageState::Retrying { .. }
            | StageState::Faltered { .. } => Self::Pending,
            StageState::Running { .. } | StageState::FannedOut { .. } => Self::Running,
            StageState::Completed { .. } => Self::Completed,
            StageState::Failed { failure } => match failure.class {
                FailureClass::Timeout => Self::Timeout,
                FailureClass::Cancelled => Self::Cancelled,
                FailureClass::Connection
                | FailureClass::RateLimit
                | FailureClass::Authentication
                | FailureClass::BadData
                | FailureClass::MissingData
                | FailureClass::Model
                | FailureClass::ResourceExhaustion
                | FailureClass::Bug => Self::Failed,
            },
            StageState::Skipped { .. } => Self::Skipped,
            StageState::Cancelled { .. } => Self::Cancelled,
        }
    }
}

/// One stage of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: StageStatus,
    /// Why it failed, was skipped or was cancelled.
    pub reason: Option<String>,
    /// How its items stand, once its fan-out is open.
    pub items: Option<ItemCounts>,
    /// Its output, once completed.
    pub output: Option<Value>,
    /// Why the output is degraded.
    pub degraded: Vec<String>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptReport>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

/// How many items of a fan-out stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemCounts {
    /// Waiting for a worker, a slot or their time to retry.
    pub pending: usize,
    /// Being worked on.
    pub running: usize,
    /// Done.
    pub completed: usize,
    /// Failed, in time or too late.
    pub failed: usize,
    /// Skipped or cancelled.
    pub left_out: usize,
}

impl ItemCounts {
    fn of(state: &RunState, index: StageIndex) -> Option<Self> {
        let mut counts = Self::default();
        for item in state.layout().items_of(index)? {
            let count = match StageStatus::from(&state.stage(StageIndex(item)).state) {
                StageStatus::Pending => &mut counts.pending,
                StageStatus::Running => &mut counts.running,
                StageStatus::Completed => &mut counts.completed,
                StageStatus::Failed | StageStatus::Timeout => &mut counts.failed,
                StageStatus::Skipped | StageStatus::Cancelled => &mut counts.left_out,
            };
            *count += 1;
        }
        Some(counts)
    }
}

/// A run in full.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Its name.
    pub run_id: RunId,
    /// The name of its pipeline.
    pub pipeline: String,
    /// Which of the pipeline's runs it is.
    pub key: String,
    /// What every stage could see.
    pub input: Value,
    /// Where it stands.
    pub status: RunStatus,
    /// Every reason why some output is degraded; empty if all is fresh.
    pub degraded: Vec<String>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its stages, in the order of definition.
    pub stages: Vec<StageReport>,
}

/// Why a report has no such output.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The pipeline has no such stage.
    #[error("run {run_id} has no stage {stage}")]
    UnknownStage {
        /// The run.
        run_id: RunId,
        /// The name that no stage has.
        stage: String,
    },
    /// The stage has not completed.
    #[error("run {run_id}: stage {stage} has no output, it is {status}")]
    NotCompleted {
        /// The run.
        run_id: RunId,
        /// The stage.
        stage: String,
        /// Where it stands.
        status: StageStatus,
    },
    /// The output is not what the caller takes it for.
    #[error("run {run_id}: the output of stage {stage} has another shape")]
    Shape {
        /// The run.
        run_id: RunId,
        /// The stage.
        stage: String,
        /// What did not fit.
        source: serde_json::Error,
    },
}

impl RunReport {
    /// Returns one stage by name.
    pub fn stage(&self, name: &str) -> Option<&StageReport> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// Returns the output of a stage as `T`.
    pub fn output_as<T: DeserializeOwned>(&self, stage: &str) -> Result<T, OutputError> {
        let run_id = self.run_id;
        let name = || stage.to_owned();
        let report =
            self.stage(stage).ok_or_else(|| OutputError::UnknownStage { run_id, stage: name() })?;
        let output = report.output.as_ref().ok_or_else(|| {
            let status = report.status;
            OutputError::NotCompleted { run_id, stage: name(), status }
        })?;
        T::deserialize(output).map_err(|source| OutputError::Shape {
            run_id,
            stage: name(),
            source,
        })
    }
}

impl From<&RunState> for RunReport {
    fn from(state: &RunState) -> Self {
        let recorded = state.recorded();
        Self {
            run_id: recorded.run_id,
            pipeline: state.pipeline().name().to_owned(),
            key: recorded.key.clone(),
            input: recorded.input.as_ref().clone(),
            status: state.phase().into(),
            degraded: state.degraded(),
            submitted_at: recorded.submitted_at,
            finished_at: state.ended_at(),
            stages: state.pipeline().indices().map(|index| stage_report(state, index)).collect(),
        }
    }
}

/// How a stage stands, in words.
pub(crate) struct Standing {
    pub(crate) status: StageStatus,
    pub(crate) reason: Option<String>,
    pub(crate) items: Option<ItemCounts>,
    pub(crate) degraded: Vec<String>,
}

impl Standing {
    pub(crate) fn of(state: &RunState, index: StageIndex) -> Self {
        let record = state.stage(index);
        let reason = match &record.state {
            StageState::Failed { failure } => Some(StageFailure::to_string(failure)),
            StageState::Skipped { reason, .. } | StageState::Cancelled { reason } => {
                Some(reason.clone())
            }
            StageState::Completed { .. }
            | StageState::Waiting { .. }
            | StageState::Ready
            | StageState::Retrying { .. }
            | StageState::Running { .. }
            | StageState::FannedOut { .. }
            | StageState::Faltered { .. } => None,
        };
        Self {
            status: (&record.state).into(),
            reason,
            items: ItemCounts::of(state, index),
            degraded: state.degraded_of(index),
        }
    }
}

/// Returns what became of some items of a fan-out, or of all that there are.
pub(crate) fn item_reports(
    state: &RunState,
    stage: StageIndex,
    items: Range<usize>,
) -> Vec<StageReport> {
    let positions = state.layout().items_of(stage).unwrap_or_default();
    positions
        .map(StageIndex)
        .skip(items.start)
        .take(items.len())
        .map(|index| stage_report(state, index))
        .collect()
}

fn stage_report(state: &RunState, index: StageIndex) -> StageReport {
    let record = state.stage(index);
    let Standing { status, reason, items, degraded } = Standing::of(state, index);
    let output = match &record.state {
        StageState::Completed { output } => Some(output.value.clone()),
        _ => None,
    };
    StageReport {
        name: state.layout().name(index).into_owned(),
        status,
        reason,
        items,
        output,
        degraded,
        attempts: record.attempts.clone(),
        started_at: record.attempts.first().map(|attempt| attempt.started_at),
        finished_at: record.finished_at,
    }
}

/// A run in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// Its name.
    pub run_id: RunId,
    /// The name of its pipeline.
    pub pipeline: String,
    /// Which of the pipeline's runs it is.
    pub key: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Every reason why some output is degraded; known once the run is finished.
    pub degraded: Vec<String>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
