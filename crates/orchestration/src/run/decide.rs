//! Decides what happens next in a run. Pure.
//!
//! One question, asked until there is no answer: which event follows from this state? The runtime
//! appends the answers to the journal in one batch and acts on them only then.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::state::unite;
use super::{
    Deadline, Event, EventKind, FencingToken, Ladder, Pools, RunEnd, RunState, SkipCause,
    StageState,
};
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
    /// What all runs share, and how much of it is taken.
    pub pools: &'g Pools,
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
    let mut reasons = inherited_reasons(state, stage);
    let definition = state.layout().definition(stage);
    let ladder = &state.stage(stage).ladder;
    if let Ladder::Fallback { rung, reason } = ladder
        && let Some(function) = definition.rung(*rung)
    {
        let name = state.layout().name(stage);
        unite(&mut reasons, &[format!("{name}: recovered by {function} after {reason}")]);
    }
    unite(&mut reasons, &output.degraded);
    reasons
}

/// Returns why whatever a stage derives from those it waits for is degraded.
pub(super) fn inherited_reasons(state: &RunState, stage: StageIndex) -> Vec<String> {
    let mut reasons = Vec::new();
    for (_, dependency) in completed_dependencies(state, stage) {
        unite(&mut reasons, &dependency.degraded);
    }
    for (_, want) in wants(state, stage) {
        unite(&mut reasons, &[want]);
    }
    reasons
}

/// Returns the outputs that a stage depends on, with the names of the stages they come from.
pub(crate) fn completed_dependencies(
    state: &RunState,
    stage: StageIndex,
) -> impl Iterator<Item = (&str, &Arc<StageOutput>)> {
    let stage = state.layout().stage_of(stage);
    state.pipeline().dependencies(stage).iter().filter_map(|dependency| {
        match &state.stage(*dependency).state {
            StageState::Completed { output } => {
                Some((state.pipeline().stage(*dependency).name.as_ref(), output))
            }
            _ => None,
        }
    })
}

/// Returns the stages whose outputs a stage goes without although it would have had them, and why.
fn wants(state: &RunState, stage: StageIndex) -> impl Iterator<Item = (&str, String)> {
    let stage = state.layout().stage_of(stage);
    state.pipeline().dependencies(stage).iter().filter_map(|&dependency| {
        let name = &*state.pipeline().stage(dependency).name;
        match &state.stage(dependency).state {
            StageState::Skipped { cause: SkipCause::Condition, .. } => None,
            StageState::Failed { .. }
            | StageState::Cancelled { .. }
            | StageState::Skipped { .. } => Some((name, state.want(dependency))),
            _ => None,
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

/// What a cancellation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelScope {
    /// One stage with its items: those that need its output are left out.
    Stage,
    /// The stage and everything behind it.
    Subtree,
}

/// Returns the events that cancel a stage, or an item; none if it has ended.
pub fn cancellations(
    state: &RunState,
    stage: StageIndex,
    (scope, reason): (CancelScope, &str),
    now: Timestamp,
) -> Vec<Event> {
    let pipeline = state.pipeline();
    let mut reached = vec![stage];
    let mut seen = BTreeSet::from([stage]);
    let mut next = 0;
    while scope == CancelScope::Subtree
        && let Some(&index) = reached.get(next)
        && state.layout().item_of(index).is_none()
    {
        for &dependent in pipeline.dependents(index) {
            if seen.insert(dependent) {
                reached.push(dependent);
            }
        }
        next += 1;
    }
    let with_items = reached.into_iter().flat_map(|index| {
        let items = state.layout().items_of(index).unwrap_or_default();
        items.map(StageIndex).chain([index])
    });
    with_items
        .filter(|index| !state.stage(*index).state.is_final())
        .map(|stage| {
            let reason = reason.to_owned();
            Event { at: now, kind: EventKind::StageCancelled { stage, reason } }
        })
        .collect()
}

/// Returns the event that somebody must be told about the deadline, if so.
pub fn alert(state: &RunState, guide: &Guide<'_>) -> Option<Event> {
    let deadline = guide.deadline?;
    let instant = deadline.policy().deadline;
    let remaining = deadline.remaining(state);
    let alert = state.watch(instant).look(deadline.policy(), remaining, guide.now)?;
    let kind = EventKind::AlertRaised { alert, deadline: instant };
    (!state.is_over()).then_some(Event { at: guide.now, kind })
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
    } else if let Some((&stage, doom)) = state.doomed.first_key_value() {
        EventKind::StageSkipped { stage, reason: doom.reason.clone() }
    } else if let Some((&stage, count)) = state.opening.first_key_value() {
        match count {
            Ok(count) => EventKind::FanOutOpened { stage, count: *count },
            Err(_) => EventKind::StageFailed { stage },
        }
    } else if let Some((&stage, end)) = state.joining.first_key_value() {
        match end {
            Ok(()) => EventKind::FanOutJoined { stage },
            Err(_) => EventKind::StageFailed { stage },
        }
    } else if state.unfinished_count() == 0 {
        return finish(state, guide);
    } else {
        next_attempt(state, guide)?
    };
    Some(Event { at: guide.now, kind })
}

/// Ends the run, but not before everybody was told what they must be told about its deadline. Of
/// another deadline, which an earlier execution had, nobody is there to tell.
fn finish(state: &RunState, guide: &Guide<'_>) -> Option<Event> {
    if let Some(event) = alert(state, guide) {
        return Some(event);
    }
    let kind = EventKind::RunFinished { end: run_end(state), degraded: state.degraded() };
    let deadline = guide.deadline.map(|deadline| deadline.policy().deadline);
    let owes_a_word = state.untold().any(|(of, _)| Some(of) == deadline);
    (!owes_a_word).then_some(Event { at: guide.now, kind })
}

fn after_attempt(state: &RunState, stage: StageIndex, guide: &Guide<'_>) -> Option<EventKind> {
    let record = state.stage(stage);
    let StageState::Faltered { failure } = &record.state else { return None };
    let definition = state.layout().definition(stage);
    let rung = record.ladder.rung();
    let tried = Tried {
        attempts_made: record.attempts_on_rung,
        rungs_left: definition.fallbacks.len().saturating_sub(rung),
        seed: attempt_seed(state, stage),
    };
    let verdict = match guide.recovery.strategy(&definition.name, failure) {
        Some(strategy) => follow(strategy, failure, tried, guide.now),
        None => after_failure(&definition.retry, failure, tried, guide.now),
    };
    Some(match in_time(state, stage, guide, tried, verdict) {
        Verdict::RetryAt(not_before) => EventKind::RetryScheduled { stage, not_before },
        Verdict::NextRung => EventKind::RungTaken { stage, rung: rung + 1 },
        Verdict::Skip => {
            let reason = format!("stage {} skipped after {failure}", state.layout().name(stage));
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

/// A run fails with a stage whose failure nobody can live with. Stages that were left out without
/// one were so on purpose: the run completed, degraded.
fn run_end(state: &RunState) -> RunEnd {
    let pipeline = state.pipeline();
    let is_failed = pipeline.indices().any(|index| {
        matches!(state.stage(index).state, StageState::Failed { .. }) && !state.is_spared(index)
    });
    if is_failed { RunEnd::Failed } else { RunEnd::Completed }
}

fn next_attempt(state: &RunState, guide: &Guide<'_>) -> Option<EventKind> {
    match guide.mode {
        Mode::Working { workers_max } if state.running_count() < workers_max => {}
        Mode::Working { .. } | Mode::Stopping => return None,
    }
    let stage = state.ready.next(guide.pools)?;
    let record = state.stage(stage);
    let definition = state.layout().definition(stage);
    let function = match record.ladder.rung() {
        0 => Arc::clone(&definition.function),
        fallback => definition.rung(fallback)?.into(),
    };
    let attempt = u32::try_from(record.attempts.len() + 1).ok()?;
    Some(EventKind::AttemptStarted { stage, attempt, function, token: state.next_token() })
}
