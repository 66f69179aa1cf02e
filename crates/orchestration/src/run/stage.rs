//! Where one stage of a run stands, and what it has been through.

use std::sync::Arc;

use jiff::Timestamp;

use super::{FencingToken, RunId};
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
        failure: Box<StageFailure>,
    },
    /// Its items are worked on.
    FannedOut {
        /// How many of them have not come to an end.
        open: usize,
    },
    /// Done.
    Completed {
        /// What dependents receive.
        output: Arc<StageOutput>,
    },
    /// Nothing was left to try.
    Failed {
        /// Why the last attempt failed.
        failure: Box<StageFailure>,
    },
    /// Left out.
    Skipped {
        /// Why.
        reason: String,
        /// Whose fault that is.
        cause: SkipCause,
    },
    /// Given up on request.
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
            | Self::FannedOut { .. }
            | Self::Faltered { .. } => false,
        }
    }
}

/// What makes a stage be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipCause {
    /// Its condition was not met, or that of a stage it needs: nobody's fault.
    Condition,
    /// A stage it needs was cancelled.
    Cancelled,
    /// It failed, or a stage it needs did.
    Failure,
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
    /// With the output of an earlier run; nothing was called.
    Recalled {
        /// The run.
        from: RunId,
        /// When the output was made.
        completed_at: Timestamp,
    },
    /// With a failure.
    Failed(Box<StageFailure>),
    /// It was asked to stop and did, or its result will be refused.
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
    pub function: Arc<str>,
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
    /// Since when it is ready, if it is.
    pub(super) ready_since: Timestamp,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

impl StageRecord {
    pub(super) fn new(state: StageState, at: Timestamp) -> Self {
        Self {
            state,
            ladder: Ladder::Own,
            attempts_on_rung: 0,
            lost_on_rung: 0,
            attempts: Vec::new(),
            ready_since: at,
            finished_at: None,
        }
    }
}
