//! What the orchestrator promises, checked from the events and without its own indices.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::pipeline::StageIndex;
use crate::run::{
    AGEING_STEP, Event, EventKind, FencingToken, RunReport, RunState, RunStatus, StageState,
};
use crate::task::Priority;

/// A stage may start only after all it depends on, when it is ready, and if none goes before it.
pub(super) fn may_start(state: &RunState, stage: StageIndex) -> Result<(), String> {
    for dependency in state.pipeline().dependencies(stage) {
        if !matches!(state.stage(*dependency).state, StageState::Completed { .. }) {
            return Err(format!("{stage:?} starts before {dependency:?} has completed"));
        }
    }
    let Some(since) = state.ready_since(stage) else {
        return Err(format!("{stage:?} starts and is not ready"));
    };
    let urgency = state.pipeline().stage(stage).priority;
    for other in state.pipeline().indices().filter(|other| *other != stage) {
        let Some(other_since) = state.ready_since(other) else { continue };
        let other_urgency = state.pipeline().stage(other).priority;
        let waited_longer = since - other_since;
        if urgency < other_urgency && SignedDuration::ZERO <= waited_longer {
            return Err(format!("{stage:?} starts before {other:?}, more urgent and not younger"));
        }
        let steps_max = levels_above(other_urgency);
        if AGEING_STEP * steps_max < waited_longer {
            return Err(format!("{stage:?} starts before {other:?}, which starves"));
        }
    }
    Ok(())
}

fn levels_above(priority: Priority) -> i32 {
    match priority {
        Priority::Low => 3,
        Priority::Medium => 2,
        Priority::High => 1,
        Priority::Critical => 0,
    }
}

/// Whoever reads the events later knows the same as whoever has seen them happen.
pub(super) fn replays(state: &RunState, events: &[Event]) -> Result<RunState, String> {
    let mut replayed = RunState::new(state.recorded().clone());
    for event in events {
        replayed.apply(event).map_err(|error| format!("the replay refuses an event: {error}"))?;
    }
    if RunReport::from(&replayed) != RunReport::from(state) {
        return Err("a replay of the events leads to another state".to_owned());
    }
    Ok(replayed)
}

/// Every stage has come to exactly one end, every attempt to at most one, and the run's end fits.
pub(super) fn ended_well(state: &RunState, events: &[Event]) -> Result<(), String> {
    let mut ends: BTreeMap<StageIndex, u32> = BTreeMap::new();
    let mut attempts: BTreeMap<FencingToken, u32> = BTreeMap::new();
    for event in events {
        match &event.kind {
            EventKind::StageCompleted { stage, token, .. } => {
                *ends.entry(*stage).or_default() += 1;
                *attempts.entry(*token).or_default() += 1;
            }
            EventKind::StageFailed { stage } | EventKind::StageSkipped { stage, .. } => {
                *ends.entry(*stage).or_default() += 1;
            }
            EventKind::AttemptFailed { token, .. }
            | EventKind::AttemptCancelled { token, .. }
            | EventKind::AttemptLost { token, .. } => *attempts.entry(*token).or_default() += 1,
            EventKind::AttemptStarted { token, .. } => {
                if attempts.insert(*token, 0).is_some() {
                    return Err(format!("token {token} is given twice"));
                }
            }
            EventKind::StageRecalled { stage, .. }
            | EventKind::FanOutJoined { stage }
            | EventKind::StageCancelled { stage, .. } => {
                *ends.entry(*stage).or_default() += 1;
            }
            EventKind::RetryScheduled { .. }
            | EventKind::FanOutOpened { .. }
            | EventKind::AlertRaised { .. }
            | EventKind::AlertTold { .. }
            | EventKind::RungTaken { .. }
            | EventKind::RunInterrupted
            | EventKind::RunCancelled { .. }
            | EventKind::RunFinished { .. } => {}
        }
    }
    for stage in state.pipeline().indices() {
        if ends.get(&stage) != Some(&1) {
            return Err(format!("{stage:?} has come to {:?} ends", ends.get(&stage)));
        }
    }
    if let Some((token, count)) = attempts.iter().find(|(_, count)| **count != 1) {
        return Err(format!("the attempt with token {token} has come to {count} ends"));
    }
    let report = RunReport::from(state);
    let failed = report
        .stages
        .iter()
        .any(|stage| matches!(state_of(state, &stage.name), Some(StageState::Failed { .. })));
    let expected = if failed { RunStatus::Failed } else { RunStatus::Completed };
    if report.status != expected {
        return Err(format!("the run is {} and should be {expected}", report.status));
    }
    Ok(())
}

fn state_of<'s>(state: &'s RunState, name: &str) -> Option<&'s StageState> {
    let index = state.pipeline().indices().find(|at| state.pipeline().stage(*at).name == name)?;
    Some(&state.stage(index).state)
}
