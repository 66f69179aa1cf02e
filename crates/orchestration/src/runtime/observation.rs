//! What an execution tells those who watch it, for progress bars and logs.
//!
//! Told after the journal knows it. Nobody may depend on it: what counts is the journal.

use std::time::Duration;

use jiff::Timestamp;

use crate::recovery::StageFailure;
use crate::run::{FencingToken, RunId, RunStatus};
use crate::task::ProgressReport;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The run.
    pub run_id: RunId,
    /// What happened.
    pub kind: ObservationKind,
}

/// What can be observed.
#[derive(Clone, Debug, PartialEq)]
pub enum ObservationKind {
    /// An attempt begins.
    StageStarted {
        /// Of this stage.
        stage: String,
        /// Its number in the stage.
        attempt: u32,
        /// What it calls.
        function: String,
    },
    /// An attempt says how far it has come.
    StageProgress {
        /// Of this stage.
        stage: String,
        /// How far.
        progress: ProgressReport,
    },
    /// An attempt failed.
    AttemptFailed {
        /// Of this stage.
        stage: String,
        /// Why.
        failure: StageFailure,
        /// How long it took.
        elapsed: Duration,
    },
    /// The attempt of a process that died is made again.
    AttemptLost {
        /// Of this stage.
        stage: String,
    },
    /// The stage will be tried again.
    RetryScheduled {
        /// This stage.
        stage: String,
        /// Not before this instant.
        not_before: Timestamp,
    },
    /// A fallback stands in.
    FallbackTaken {
        /// For this stage.
        stage: String,
        /// The function that stands in.
        function: String,
    },
    /// A stage is done.
    StageCompleted {
        /// This stage.
        stage: String,
        /// Why its output is degraded.
        degraded: Vec<String>,
        /// How long its last attempt took.
        elapsed: Duration,
    },
    /// The output of an earlier run stands for that of the stage.
    StageRecalled {
        /// This stage.
        stage: String,
        /// The run.
        from: RunId,
        /// When the output was made.
        completed_at: Timestamp,
    },
    /// The items of a stage are known.
    FanOutOpened {
        /// This stage.
        stage: String,
        /// How many.
        count: usize,
    },
    /// All items of a stage are done.
    FanOutJoined {
        /// This stage.
        stage: String,
        /// Why its output is degraded.
        degraded: Vec<String>,
    },
    /// Somebody decided that a stage shall not be finished.
    StageCancelled {
        /// This stage.
        stage: String,
        /// Why.
        reason: String,
    },
    /// Nothing was left to try for a stage.
    StageFailed {
        /// This stage.
        stage: String,
    },
    /// A stage will not be tried.
    StageSkipped {
        /// This stage.
        stage: String,
        /// Why.
        reason: String,
    },
    /// A result came from a superseded attempt and was thrown away.
    LateResultRefused {
        /// Of this stage.
        stage: String,
        /// The attempt.
        token: FencingToken,
    },
    /// The execution is over.
    RunEnded {
        /// Where the run stands now.
        status: RunStatus,
        /// Every reason why some output is degraded.
        degraded: Vec<String>,
    },
}
