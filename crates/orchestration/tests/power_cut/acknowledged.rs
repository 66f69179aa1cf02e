//! What somebody was told by the orchestrator, and must therefore survive whatever comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use orchestration::{Journal, Observation, ObservationKind, PipelineExecutor};

use crate::disk::Operation;
use crate::scenario::{Desk, Failure, Rows, count_events};
use crate::tape::Tape;

/// How many events each run has, by its key.
pub(crate) type EventCounts = BTreeMap<String, usize>;

/// What an observer was told: of the run with this key, that this happened to this stage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    key: String,
    kind: &'static str,
    stage: String,
}

impl Told {
    /// Returns which event of the journal an observation speaks of, if it speaks of one.
    fn of(key: String, observed: &ObservationKind) -> Option<Self> {
        let (kind, stage) = match observed {
            ObservationKind::StageStarted { stage, .. } => ("attempt_started", stage),
            ObservationKind::AttemptFailed { stage, .. } => ("attempt_failed", stage),
            ObservationKind::AttemptLost { stage } => ("attempt_lost", stage),
            ObservationKind::RetryScheduled { stage, .. } => ("retry_scheduled", stage),
            ObservationKind::FallbackTaken { stage, .. } => ("rung_taken", stage),
            ObservationKind::StageCompleted { stage, .. } => ("stage_completed", stage),
            ObservationKind::StageFailed { stage } => ("stage_failed", stage),
            ObservationKind::StageSkipped { stage, .. } => ("stage_skipped", stage),
            // What else there is to tell is not in the journal, or not about a stage.
            _ => return None,
        };
        Some(Self { key, kind, stage: stage.clone() })
    }
}

/// Everything that was acknowledged so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acknowledged {
    counts: EventCounts,
    told: BTreeMap<Told, usize>,
}

impl Acknowledged {
    /// Takes for acknowledged what a journal had when it was opened.
    pub(crate) fn new(counts: EventCounts) -> Self {
        Self { counts, told: BTreeMap::new() }
    }

    pub(crate) fn note(&mut self, operation: &Operation) {
        match operation {
            Operation::Counted(counts) => self.counts.clone_from(counts),
            Operation::Told(told) => *self.told.entry(told.clone()).or_default() += 1,
            Operation::Created { .. }
            | Operation::Wrote { .. }
            | Operation::Truncated { .. }
            | Operation::Synced { .. }
            | Operation::SyncFailed { .. }
            | Operation::Deleted { .. }
            | Operation::FolderSynced
            | Operation::Beside { .. } => {}
        }
    }

    pub(crate) fn events(&self) -> usize {
        self.counts.values().sum()
    }

    /// Checks that everything acknowledged is among these events.
    pub(crate) fn check(&self, rows: &Rows) -> Result<(), Failure> {
        for (key, events) in &self.counts {
            let kept = rows.get(key).ok_or_else(|| format!("run {key} is lost"))?.len();
            if kept < *events {
                return Err(format!("run {key}: {events} events acknowledged, {kept} kept").into());
            }
        }
        for (Told { key, kind, stage }, times) in &self.told {
            let events = rows.get(key).map(Vec::as_slice).unwrap_or_default();
            let is_it =
                |body: &serde_json::Value| body["kind"] == *kind && body["stage"] == **stage;
            let kept = events.iter().filter(|row| is_it(&row.body)).count();
            if kept < *times {
                let lost = format!("run {key}: told of {times} {kind} of {stage}, {kept} kept");
                return Err(lost.into());
            }
        }
        Ok(())
    }
}

/// Notes on the tape whatever is observed, and what the journal says at that moment.
pub(crate) fn observe(
    tape: &Arc<Tape>,
    desk: &Desk,
    executor: PipelineExecutor,
) -> PipelineExecutor {
    let (noted, path) = (Arc::clone(tape), desk.path());
    executor.observe(Box::new(move |Observation { run_id, kind }| {
        let runs = Journal::open_read_only(&path).unwrap().runs(u32::MAX).unwrap();
        let run = runs.into_iter().find(|run| run.run_id == *run_id).unwrap();
        if let Some(told) = Told::of(run.key, kind) {
            noted.record(Operation::Told(told));
        }
        noted.record(Operation::Counted(count_events(&path).unwrap()));
    }))
}
