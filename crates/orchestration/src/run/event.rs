//! What the journal says about a run, one fact at a time.
//!
//! Facts only: an event is never a wish. Their shape on disk is in `journal::shapes`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{FencingToken, RunId};
use crate::pipeline::StageIndex;
use crate::recovery::{DeadlineAlert, StageFailure};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// A fresh output that another run made and that still counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// The run that made it.
    pub from: RunId,
    /// When it was made.
    pub completed_at: Timestamp,
    /// What dependents receive.
    pub output: Value,
}

/// How a run that was not cancelled ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// No stage failed.
    Completed,
    /// Some stage failed or was skipped.
    Failed,
}

/// What can happen in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// An attempt begins.
    AttemptStarted {
        /// Of this stage.
        stage: StageIndex,
        /// Its number in the stage: 1 for the first.
        attempt: u32,
        /// What it calls.
        function: Arc<str>,
        /// What its result must carry.
        token: FencingToken,
    },
    /// An attempt succeeded, and its stage with it.
    StageCompleted {
        /// This stage.
        stage: StageIndex,
        /// The attempt.
        token: FencingToken,
        /// What dependents receive.
        output: Value,
        /// Why the output is degraded, what it was derived from included.
        degraded: Vec<String>,
    },
    /// The output of an earlier run stands for an attempt.
    StageRecalled {
        /// This stage.
        stage: StageIndex,
        /// The number of the attempt that was not needed.
        attempt: u32,
        /// Its token.
        token: FencingToken,
        /// The output, and where it comes from.
        recalled: Recalled,
    },
    /// The number of a fan-out's items is known, and they can start.
    FanOutOpened {
        /// This stage.
        stage: StageIndex,
        /// How many items.
        count: usize,
    },
    /// Every item of a fan-out has come to an end, and none failed: the stage is completed.
    FanOutJoined {
        /// This stage.
        stage: StageIndex,
    },
    /// An attempt failed; what follows is another event.
    AttemptFailed {
        /// Of this stage.
        stage: StageIndex,
        /// The attempt.
        token: FencingToken,
        /// Why.
        failure: StageFailure,
    },
    /// An attempt stopped because the run was interrupted; it counts for nothing.
    AttemptCancelled {
        /// Of this stage.
        stage: StageIndex,
        /// The attempt.
        token: FencingToken,
    },
    /// The process that made an attempt died; the attempt's result will never be known.
    AttemptLost {
        /// Of this stage.
        stage: StageIndex,
        /// The attempt.
        token: FencingToken,
    },
    /// The present rung is tried again later.
    RetryScheduled {
        /// Of this stage.
        stage: StageIndex,
        /// Not before this instant.
        not_before: Timestamp,
    },
    /// The next function of the ladder stands in.
    RungTaken {
        /// Of this stage.
        stage: StageIndex,
        /// Its place on the ladder: 1 for the first fallback.
        rung: usize,
    },
    /// Nothing is left to try for a stage.
    StageFailed {
        /// This stage.
        stage: StageIndex,
    },
    /// A stage is left out: something it needs will never be there, or its failure calls for it.
    StageSkipped {
        /// This stage.
        stage: StageIndex,
        /// Why.
        reason: String,
    },
    /// Somebody decided that a stage shall not be finished.
    StageCancelled {
        /// This stage.
        stage: StageIndex,
        /// Why.
        reason: String,
    },
    /// Somebody must be told about the deadline.
    AlertRaised {
        /// What.
        alert: DeadlineAlert,
        /// Of this deadline.
        deadline: Timestamp,
    },
    /// Somebody was told about the deadline.
    AlertTold {
        /// What.
        alert: DeadlineAlert,
        /// Of this deadline.
        deadline: Timestamp,
    },
    /// The process was asked to stop; the run can be resumed.
    RunInterrupted,
    /// Somebody decided that the run shall not be finished.
    RunCancelled {
        /// Why.
        reason: String,
    },
    /// Every stage has come to an end.
    RunFinished {
        /// How.
        end: RunEnd,
        /// Every reason why some output is degraded.
        degraded: Vec<String>,
    },
}

impl EventKind {
    /// Returns the name of the kind, as the journal spells it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AttemptStarted { .. } => "attempt_started",
            Self::StageCompleted { .. } => "stage_completed",
            Self::StageRecalled { .. } => "stage_recalled",
            Self::FanOutOpened { .. } => "fan_out_opened",
            Self::FanOutJoined { .. } => "fan_out_joined",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::AttemptCancelled { .. } => "attempt_cancelled",
            Self::AttemptLost { .. } => "attempt_lost",
            Self::RetryScheduled { .. } => "retry_scheduled",
            Self::RungTaken { .. } => "rung_taken",
            Self::StageFailed { .. } => "stage_failed",
            Self::StageSkipped { .. } => "stage_skipped",
            Self::StageCancelled { .. } => "stage_cancelled",
            Self::AlertRaised { .. } => "alert_raised",
            Self::AlertTold { .. } => "alert_told",
            Self::RunInterrupted => "run_interrupted",
            Self::RunCancelled { .. } => "run_cancelled",
            Self::RunFinished { .. } => "run_finished",
        }
    }
}
