//! What the journal says about a run, one fact at a time.
//!
//! Facts only: an event is never a wish. Their shape on disk is in `journal::shapes`.

use jiff::Timestamp;
use serde_json::Value;

use super::FencingToken;
use crate::pipeline::StageIndex;
use crate::recovery::StageFailure;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
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
        function: String,
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
