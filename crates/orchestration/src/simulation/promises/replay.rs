//! Whoever reads the events later knows the same as whoever has seen them happen.

use crate::run::{Event, RunReport, RunState, StageRecord, StageStatus};

/// Returns the state that the events lead to.
pub(in crate::simulation) fn replayed(
    fresh: &RunState,
    events: &[Event],
) -> Result<RunState, String> {
    let mut state = RunState::new(fresh.recorded().clone());
    for event in events {
        state.apply(event).map_err(|error| format!("the replay refuses an event: {error}"))?;
    }
    if RunReport::from(&state) != RunReport::from(fresh) {
        return Err("a replay of the events leads to another state".to_owned());
    }
    Ok(state)
}

/// Compares all that reports are made of, for less than two reports cost.
pub(in crate::simulation) fn same(living: &RunState, read: &RunState) -> Result<(), String> {
    let places = || living.layout().indices();
    let has_changed = |left: &StageRecord, right: &StageRecord| {
        StageStatus::from(&left.state) != StageStatus::from(&right.state)
            || (left.state.is_final() && left.state != right.state)
            || left.ladder != right.ladder
            || left.attempts_on_rung != right.attempts_on_rung
            || left.lost_on_rung != right.lost_on_rung
            || left.finished_at != right.finished_at
            || left.attempts != right.attempts
    };
    let is_same_run = living.phase() == read.phase()
        && living.ended_at() == read.ended_at()
        && living.running_count() == read.running_count()
        && living.unfinished_count() == read.unfinished_count()
        && living.untold().eq(read.untold())
        && places().eq(read.layout().indices());
    if !is_same_run || places().any(|at| has_changed(living.stage(at), read.stage(at))) {
        return Err("whoever reads the journal knows something else".to_owned());
    }
    Ok(())
}
