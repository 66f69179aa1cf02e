//! What recovery has done so far: counts and the latest decisions.
//!
//! For people and tests; nothing is decided from it. What counts is the journal.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::{FailureClass, StageFailure};
use crate::run::RunId;

/// Older decisions are forgotten; the journal has them all.
const HISTORY_RECORDS_MAX: usize = 1_000;

/// What was done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecoveryDecision {
    /// Tried again.
    Retried,
    /// Tried again after a repair.
    Repaired,
    /// Tried again after a restart.
    Restarted,
    /// Handed to the next rung.
    FellBack,
    /// Skipped.
    Skipped,
    /// Nothing: no strategy was left.
    GaveUp,
}

/// One failure and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryRecord {
    /// When it was decided.
    pub at: Timestamp,
    /// The run.
    pub run_id: RunId,
    /// The stage or task.
    pub stage: String,
    /// The number of the attempt that failed.
    pub attempt: u32,
    /// Why it failed.
    pub failure: StageFailure,
    /// What was done.
    pub decision: RecoveryDecision,
}

/// Counts over everything recovery has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryStatistics {
    /// Failed attempts by class.
    pub failures: BTreeMap<FailureClass, u64>,
    /// Decisions by kind.
    pub decisions: BTreeMap<RecoveryDecision, u64>,
    /// Stages that completed after at least one failed attempt.
    pub recovered: u64,
}

impl RecoveryStatistics {
    /// Returns how often this was decided.
    pub fn count(&self, decision: RecoveryDecision) -> u64 {
        self.decisions.get(&decision).copied().unwrap_or(0)
    }
}

#[derive(Debug, Default)]
pub(super) struct RecoveryHistory {
    pub(super) statistics: RecoveryStatistics,
    pub(super) records: VecDeque<RecoveryRecord>,
}

impl RecoveryHistory {
    pub(super) fn note(&mut self, record: RecoveryRecord) {
        *self.statistics.failures.entry(record.failure.class).or_default() += 1;
        *self.statistics.decisions.entry(record.decision).or_default() += 1;
        if self.records.len() == HISTORY_RECORDS_MAX {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }
}
