//! Where one stage of a run stands, and what it has been through.

use std::sync::Arc;

use jiff::Timestamp;

use super::FencingToken;
use crate::recovery::StageFailure;
use crate::task::StageOutput;

/// Where a stage stands.
#[derive(Clone, Debug, PartialEq)]
pub enum StageState {
    /// Some dependencies have not completed.
    Waiting {
        /// How many.
        unmet: usize,
    },
    /// It can start.
    Ready,
    /// Its present rung is tried again.
    Retrying {
        /// Not before this instant.
        not_before: Timestamp,
    },
    /// An attempt is being made.
    Running {
        /// What its result must carry.
        token: FencingToken,
    },
    /// An attempt failed and what follows is not decided yet; only within a batch of events.
    Faltered {
        /// Why.
        failure: StageFailure,
    },
    /// Done.
    Completed {
        /// What dependents receive.
        output: Arc<StageOutput>,
    },
    /// Nothing was left to try.
    Failed {
        /// Why the last attempt failed.
        failure: StageFailure,
    },
    /// Left out: because of a stage it depends on, or on purpose after a failure of its own.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Given up with the whole run.
    Cancelled {
        /// Why.
        reason: String,
    },
}

impl StageState {
    /// Tells whether nothing can happen to the stage any more.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Completed { .. }
            | Self::Failed { .. }
            | Self::Skipped { .. }
            | Self::Cancelled { .. } => true,
            Self::Waiting { .. }
            | Self::Ready
            | Self::Retrying { .. }
            | Self::Running { .. }
            | Self::Faltered { .. } => false,
        }
    }
}

/// Which function of its ladder a stage has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// Its own.
    Own,
    /// One that stands in.
    Fallback {
        /// Its place: 1 for the first fallback.
        rung: usize,
        /// Why the stage's own function was given up.
        reason: String,
    },
}

impl Ladder {
    /// Returns the place on the ladder: 0 for the stage's own function.
    pub fn rung(&self) -> usize {
        match self {
            Self::Own => 0,
            Self::Fallback { rung, .. } => *rung,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It has not, as far as the journal knows.
    Running,
    /// With an output.
    Completed,
    /// With a failure.
    Failed(StageFailure),
    /// It noticed that the run was interrupted.
    Cancelled,
    /// Its process died.
    Lost,
}

/// One try of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// What was called.
    pub function: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When its end was journalled.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// A stage in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StageRecord {
    /// Where it stands.
    pub state: StageState,
    /// Which function is next, or was last.
    pub ladder: Ladder,
    /// Failed attempts on the present rung.
    pub attempts_on_rung: u32,
    /// Lost attempts on the present rung.
    pub lost_on_rung: u32,
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}
