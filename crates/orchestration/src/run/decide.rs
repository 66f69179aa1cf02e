//! Decides what happens next in a run. Pure.
//!
//! One question, asked until there is no answer: which event follows from this state? The runtime
//! appends the answers to the journal in one batch and acts on them only then.

use std::sync::Arc;

use jiff::Timestamp;

use super::state::unite;
use super::{Deadline, Event, EventKind, FencingToken, Ladder, RunEnd, RunState, StageState};
use crate::pipeline::StageIndex;
use crate::recovery::{
    Advice, ErrorRecoveryManager, FailureClass, Outlook, Tried, Verdict, advise, after_failure,
    follow, mix,
};
use crate::task::{StageOutput, StageResult};

/// Whether new attempts may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Yes, as long as fewer than this many are being made.
    Working {
        /// The most attempts at once.
        workers_max: usize,
    },
    /// No: the process was asked to stop.
    Stopping,
}

/// What decisions depend on besides the state.
#[derive(Clone, Copy, Debug)]
pub struct Guide<'g> {
    /// Whether new attempts may start.
    pub mode: Mode,
    /// What is done about failures.
    pub recovery: &'g ErrorRecoveryManager,
    /// By when the run must be done.
    pub deadline: Option<&'g Deadline>,
    /// The present instant.
    pub now: Timestamp,
}

/// What an attempt came to, as its worker tells it.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The stage that was tried.
    pub stage: StageIndex,
    /// The token the attempt was started with.
    pub token: FencingToken,
    /// What its function returned.
    pub result: StageResult,
}

/// A result came from an attempt that is not the living one any more, and must not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attempt with fencing token {token} was superseded: its result is refused")]
pub struct Superseded {
    /// The token of the late attempt.
    pub token: FencingToken,
}

/// Turns the end of an attempt into the event that records it.
pub fn conclude(
    state: &RunState,
    ended: Ended,
    mode: Mode,
    now: Timestamp,
) -> Result<Event, Superseded> {
    let Ended { stage, token, result } = ended;
    if state.stage(stage).state != (StageState::Running { token }) {
        return Err(Superseded { token });
    }
    let kind = match result {
        Ok(output) => {
            let degraded = degraded_reasons(state, stage, &output);
            EventKind::StageCompleted { stage, token, output: output.value, degraded }
        }
        Err(failure) if failure.class == FailureClass::Cancelled && mode == Mode::Stopping => {
            EventKind::AttemptCancelled { stage, token }
        }
        Err(failure) => EventKind::AttemptFailed { stage, token, failure },
    };
    Ok(Event { at: now, kind })
}

/// Unites what the output was derived from, the output's own reasons and the fallback's.
fn degraded_reasons(state: &RunState, stage: StageIndex, output: &StageOutput) -> Vec<String> {
    let mut reasons = Vec::new();
    for (_, dependency) in completed_dependencies(state, stage) {
        unite(&mut reasons, &dependency.degraded);
    }
    let definition = state.pipeline().stage(stage);
    let ladder = &state.stage(stage).ladder;
    if let Ladder::Fallback { rung, reason } = ladder
        && let Some(function) = definition.rung(*rung)
    {
        let name = &definition.name;
        unite(&mut reasons, &[format!("{name}: recovered by {function} after {reason}")]);
    }
    unite(&mut reasons, &output.degraded);
    reasons
}

/// Returns the outputs that a stage depends on, with the names of the stages they come from.
pub(crate) fn completed_dependencies(
    state: &RunState,
    stage: StageIndex,
) -> impl Iterator<Item = (&str, &Arc<StageOutput>)> {
    state.pipeline().dependencies(stage).iter().filter_map(|dependency| {
        match &state.stage(*dependency).state {
            StageState::Completed { output } => {
                Some((state.pipeline().stage(*dependency).name.as_str(), output))
            }
            StageState::Waiting { .. }
            | StageState::Ready
            | StageState::Retrying { .. }
            | StageState::Running { .. }
            | StageState::Faltered { .. }
            | StageState::Failed { .. }
            | StageState::Skipped { .. }
            | StageState::Cancelled { .. } => None,
        }
    })
}

/// Returns an event for every attempt that the journal believes alive: for a process that has just
/// started, which knows that they are not.
pub fn losses(state: &RunState, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    for &stage in &state.running {
        if let StageState::Running { token } = state.stage(stage).state {
            events.push(Event { at: now, kind: EventKind::AttemptLost { stage, token } });
        }
    }
    events
}

/// Returns the event that follows from `state`, if one does.
///
/// Stages whose time to retry has come must have been released before.
pub fn decide(state: &RunState, guide: &Guide<'_>) -> Option<Event> {
    if state.is_over() {
        return None;
    }
    let kind = if let Some(&stage) = state.faltered.first() {
        after_attempt(state, stage, guide)?
    } else if let Some((&stage, reason)) = state.doomed.first_key_value() {
        EventKind::StageSkipped { stage, reason: reason.clone() }
    } else if state.unfinished_count() == 0 {
        EventKind::RunFinished { end: run_end(state), degraded: state.degraded() }
    } else {
        next_attempt(state, guide.mode)?
    };
    Some(Event { at: guide.now, kind })
}

fn after_attempt(state: &RunState, stage: StageIndex, guide: &Guide<'_>) -> Option<EventKind> {
    let record = state.stage(stage);
    let StageState::Faltered { failure } = &record.state else { return None };
    let definition = state.pipeline().stage(stage);
    let name = &definition.name;
    let rung = record.ladder.rung();
    let tried = Tried {
        attempts_made: record.attempts_on_rung,
        rungs_left: definition.fallbacks.len().saturating_sub(rung),
        seed: attempt_seed(state, stage),
    };
    let verdict = match guide.recovery.strategy(name, failure) {
        Some(strategy) => follow(strategy, failure, tried, guide.now),
        None => after_failure(&definition.retry, failure, tried, guide.now),
    };
    Some(match in_time(state, stage, guide, tried, verdict) {
        Verdict::RetryAt(not_before) => EventKind::RetryScheduled { stage, not_before },
        Verdict::NextRung => EventKind::RungTaken { stage, rung: rung + 1 },
        Verdict::Skip => {
            let reason = format!("stage {name} skipped after {failure}");
            EventKind::StageSkipped { stage, reason }
        }
        Verdict::GiveUp => EventKind::StageFailed { stage },
    })
}

/// Takes the next rung instead of a retry for which there is no time.
fn in_time(
    state: &RunState,
    stage: StageIndex,
    guide: &Guide<'_>,
    tried: Tried,
    verdict: Verdict,
) -> Verdict {
    let (Verdict::RetryAt(retry_at), Some(deadline)) = (verdict, guide.deadline) else {
        return verdict;
    };
    let remaining = deadline.remaining_from(state, stage);
    let outlook = Outlook { remaining, rungs_left: tried.rungs_left };
    match advise(deadline.policy(), outlook, retry_at) {
        Advice::KeepTrying => verdict,
        Advice::NextRung => Verdict::NextRung,
        Advice::Accept => Verdict::GiveUp,
    }
}

/// Differs between machines, runs, stages and attempts, and is the same in a replay.
fn attempt_seed(state: &RunState, stage: StageIndex) -> u64 {
    let submitted_at = state.recorded().submitted_at;
    let parts = [
        submitted_at.as_second().unsigned_abs(),
        u64::from(submitted_at.subsec_nanosecond().unsigned_abs()),
        state.recorded().run_id.0.unsigned_abs(),
        stage.0 as u64,
        state.stage(stage).attempts.len() as u64,
    ];
    parts.into_iter().fold(0, |seed, part| mix(seed ^ part))
}

/// A run fails with its first failed stage. Stages that were skipped without one were left out on
/// purpose: the run completed, degraded.
fn run_end(state: &RunState) -> RunEnd {
    let is_failed = state
        .pipeline()
        .indices()
        .any(|index| matches!(state.stage(index).state, StageState::Failed { .. }));
    if is_failed { RunEnd::Failed } else { RunEnd::Completed }
}

fn next_attempt(state: &RunState, mode: Mode) -> Option<EventKind> {
    match mode {
        Mode::Working { workers_max } if state.running_count() < workers_max => {}
        Mode::Working { .. } | Mode::Stopping => return None,
    }
    let &(_, stage) = state.ready.first()?;
    let record = state.stage(stage);
    let function = state.pipeline().stage(stage).rung(record.ladder.rung())?.to_owned();
    let attempt = u32::try_from(record.attempts.len() + 1).ok()?;
    Some(EventKind::AttemptStarted { stage, attempt, function, token: state.next_token() })
}
