//! What may be asked of a run while it is executed, and the same for one that nobody executes.

use std::sync::mpsc::Sender;

use jiff::Timestamp;

use super::ExecutionError;
use crate::pipeline::StageIndex;
use crate::run::{
    CancelScope, Event, EventKind, RunState, StageExplanation, cancellations, losses,
};

/// A wish, and where its fulfilment is told. Whoever does not wait for it any more misses nothing.
pub(super) enum Command {
    /// The run shall not be finished.
    CancelRun { reason: String, reply: Sender<()> },
    /// A stage, an item or a subtree shall not be finished.
    CancelStage {
        stage: String,
        scope: CancelScope,
        reason: String,
        reply: Sender<Result<Vec<String>, ExecutionError>>,
    },
    /// What is everybody waiting for?
    Explain { limit: usize, reply: Sender<Vec<StageExplanation>> },
}

/// Finds `fetch` or `fetch[17]`.
pub(super) fn find(state: &RunState, name: &str) -> Result<StageIndex, ExecutionError> {
    let found = state.layout().find(name);
    found.ok_or_else(|| ExecutionError::UnknownStage {
        run_id: state.recorded().run_id,
        stage: name.to_owned(),
    })
}

/// Returns the events that cancel a stage of a run that nobody executes: attempts are lost first.
pub(super) fn cancellations_at_rest(
    state: &RunState,
    stage: StageIndex,
    wish: (CancelScope, &str),
    now: Timestamp,
) -> Vec<Event> {
    let mut events = losses(state, now);
    events.extend(cancellations(state, stage, wish, now));
    events
}

/// Applies the events, and returns the names of what they cancel.
pub(super) fn apply_cancellations(
    state: &mut RunState,
    events: &[Event],
) -> Result<Vec<String>, ExecutionError> {
    let run_id = state.recorded().run_id;
    let mut cancelled = Vec::new();
    for event in events {
        state.apply(event).map_err(|source| ExecutionError::Inconsistent { run_id, source })?;
        if let EventKind::StageCancelled { stage, .. } = &event.kind {
            cancelled.push(state.layout().name(*stage).into_owned());
        }
    }
    Ok(cancelled)
}
