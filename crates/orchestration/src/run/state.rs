//! The state of a run: what the events so far amount to.
//!
//! [`RunState::apply`] is the only way to change it, for living runs and for replays alike, so a
//! resumed run cannot differ from one that never stopped. How an event changes a stage is in
//! `transitions` and, for items, in `fan_out`; what follows from a state is decided in `decide`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::lanes::{Lanes, Obstacle};
use super::{
    Attempt, AttemptOutcome, Event, EventKind, FencingToken, Layout, Pools, RunEnd, RunId,
    SkipCause, StageRecord, StageState,
};
use crate::pipeline::{Pipeline, StageIndex};
use crate::recovery::{DeadlineAlert, DeadlineWatch, StageFailure};
use crate::task::StageOutput;

/// A ready stage that waits so long is as urgent as one of the next priority that has just become
/// ready, so nothing waits for ever behind more urgent work.
pub const AGEING_STEP: SignedDuration = SignedDuration::from_mins(10);

/// What was journalled when a run was submitted.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The run.
    pub run_id: RunId,
    /// What is to be done.
    pub pipeline: Arc<Pipeline>,
    /// Which of the pipeline's runs this is, for instance the operating day.
    pub key: String,
    /// What every stage may see.
    pub input: Arc<Value>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunPhase {
    /// Nothing has happened yet.
    Pending,
    /// Attempts are being made, or their process died.
    Running,
    /// A process was asked to stop.
    Interrupted,
    /// Every stage has come to an end.
    Finished(RunEnd),
    /// Given up.
    Cancelled,
}

/// An event does not fit the state: the journal is damaged, or we have a bug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} does not fit{}", stage.as_ref().map(|s| format!(" stage {s}")).unwrap_or_default())]
pub struct ImpossibleEvent {
    kind: &'static str,
    stage: Option<String>,
}

/// Why a waiting stage will never be ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doom {
    pub(super) reason: String,
    pub(super) cause: SkipCause,
}

/// Whether somebody who must be told something was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Due,
    Done,
}

/// What the events of a run amount to.
#[derive(Clone, Debug)]
pub struct RunState {
    pub(super) recorded: Recorded,
    pub(super) layout: Layout,
    /// Of every position of the layout.
    pub(super) records: Vec<StageRecord>,
    pub(super) phase: RunPhase,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) token_next: u64,
    // Positions in `records`, so that deciding costs the same in small and large runs.
    pub(super) ready: Lanes,
    pub(super) retrying: BTreeSet<(Timestamp, StageIndex)>,
    pub(super) running: BTreeSet<StageIndex>,
    pub(super) faltered: BTreeSet<StageIndex>,
    /// Waiting stages that will never be ready.
    pub(super) doomed: BTreeMap<StageIndex, Doom>,
    /// Fan-outs whose turn has come: how many items they have, or why they cannot open.
    pub(super) opening: BTreeMap<StageIndex, Result<usize, StageFailure>>,
    /// Fan-outs whose items have all come to an end: whether the stage is completed.
    pub(super) joining: BTreeMap<StageIndex, Result<(), StageFailure>>,
    pub(super) alerts: BTreeMap<(Timestamp, DeadlineAlert), Telling>,
    pub(super) unfinished: usize,
}

impl RunState {
    /// Returns the state of a run to which nothing has happened.
    pub fn new(recorded: Recorded) -> Self {
        let pipeline = Arc::clone(&recorded.pipeline);
        let at = recorded.submitted_at;
        let waiting = |index| {
            let unmet = pipeline.dependencies(index).len();
            StageRecord::new(StageState::Waiting { unmet }, at)
        };
        let records: Vec<StageRecord> = pipeline.indices().map(waiting).collect();
        let mut state = Self {
            unfinished: records.len(),
            ready: Lanes::new(&pipeline),
            layout: Layout::new(Arc::clone(&pipeline)),
            recorded,
            records,
            phase: RunPhase::Pending,
            ended_at: None,
            token_next: 1,
            retrying: BTreeSet::new(),
            running: BTreeSet::new(),
            faltered: BTreeSet::new(),
            doomed: BTreeMap::new(),
            opening: BTreeMap::new(),
            joining: BTreeMap::new(),
            alerts: BTreeMap::new(),
        };
        for index in pipeline.indices() {
            if pipeline.dependencies(index).is_empty() {
                state.make_ready(index, at);
            }
        }
        state
    }

    /// Returns what was submitted.
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Returns the pipeline of the run.
    pub fn pipeline(&self) -> &Pipeline {
        &self.recorded.pipeline
    }

    /// Returns what stands at which position.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns where the run stands.
    pub fn phase(&self) -> &RunPhase {
        &self.phase
    }

    /// Tells whether nothing can happen any more.
    pub fn is_over(&self) -> bool {
        match self.phase {
            RunPhase::Finished(_) | RunPhase::Cancelled => true,
            RunPhase::Pending | RunPhase::Running | RunPhase::Interrupted => false,
        }
    }

    /// Returns when the run ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// Returns one stage, or an item of one.
    pub fn stage(&self, index: StageIndex) -> &StageRecord {
        &self.records[index.0]
    }

    /// Returns since when a stage is ready, if it is.
    pub fn ready_since(&self, index: StageIndex) -> Option<Timestamp> {
        let record = self.stage(index);
        (record.state == StageState::Ready).then_some(record.ready_since)
    }

    /// Tells whether something could start if a pool had room.
    pub fn is_held_up_by_pools(&self, pools: &Pools) -> bool {
        self.ready.is_held_up_by_pools(pools)
    }

    /// Returns what holds up a ready stage, besides workers.
    pub(super) fn obstacle(&self, index: StageIndex, pools: &Pools) -> Option<Obstacle> {
        self.ready.obstacle(self.layout.stage_of(index), pools)
    }

    /// Takes the attempts of a stage away, from a state that is not used any more.
    pub(crate) fn take_attempts(&mut self, index: StageIndex) -> Vec<Attempt> {
        std::mem::take(&mut self.records[index.0].attempts)
    }

    /// Returns the stages and items whose attempts are being made.
    pub(crate) fn running(&self) -> impl Iterator<Item = StageIndex> {
        self.running.iter().copied()
    }

    /// Returns what the result of a stage's living attempt must carry, if there is one.
    pub(crate) fn token(&self, index: StageIndex) -> Option<FencingToken> {
        match self.stage(index).state {
            StageState::Running { token } => Some(token),
            _ => None,
        }
    }

    /// Returns why the output of a completed stage is degraded.
    pub(crate) fn degraded_of(&self, index: StageIndex) -> Vec<String> {
        match &self.stage(index).state {
            StageState::Completed { output } => output.degraded.clone(),
            _ => Vec::new(),
        }
    }

    /// Returns how many attempts are being made.
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// Returns how many stages and items have not come to an end.
    pub fn unfinished_count(&self) -> usize {
        self.unfinished
    }

    /// Returns the earliest instant at which a failed stage may be tried again.
    pub fn next_retry(&self) -> Option<Timestamp> {
        self.retrying.first().map(|(not_before, _)| *not_before)
    }

    /// Makes the stages ready whose time to retry has come.
    pub fn release_due(&mut self, now: Timestamp) {
        while let Some(&(not_before, index)) = self.retrying.first()
            && not_before <= now
        {
            self.retrying.pop_first();
            self.make_ready(index, not_before);
        }
    }

    /// Returns the token of the next attempt.
    pub(super) fn next_token(&self) -> FencingToken {
        FencingToken(self.token_next)
    }

    /// Returns the alerts that were raised and that nobody was told yet, as far as is known.
    pub fn untold(&self) -> impl Iterator<Item = (Timestamp, DeadlineAlert)> {
        let due = |(raised, telling): (&(Timestamp, DeadlineAlert), &Telling)| {
            (*telling == Telling::Due).then_some(*raised)
        };
        self.alerts.iter().filter_map(due)
    }

    /// Returns what was told about a deadline so far.
    pub fn watch(&self, deadline: Timestamp) -> DeadlineWatch {
        let is_raised = |alert| self.alerts.contains_key(&(deadline, alert));
        if is_raised(DeadlineAlert::Missed) {
            DeadlineWatch::Missed
        } else if is_raised(DeadlineAlert::AtRisk) {
            DeadlineWatch::AtRisk
        } else {
            DeadlineWatch::OnTime
        }
    }

    /// Returns every reason why some output is degraded, in the order of definition.
    pub fn degraded(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for index in self.pipeline().indices() {
            let record = self.stage(index);
            match &record.state {
                StageState::Completed { output } => unite(&mut reasons, &output.degraded),
                // Tried and then left out on purpose.
                StageState::Skipped { reason, .. } if !record.attempts.is_empty() => {
                    unite(&mut reasons, std::slice::from_ref(reason));
                }
                StageState::Cancelled { .. } => unite(&mut reasons, &[self.want(index)]),
                // The run does not fail with it, and whoever did without may have no output either.
                StageState::Failed { .. } if self.is_spared(index) => {
                    unite(&mut reasons, &[self.want(index)]);
                }
                StageState::Waiting { .. }
                | StageState::Ready
                | StageState::Retrying { .. }
                | StageState::Running { .. }
                | StageState::FannedOut { .. }
                | StageState::Faltered { .. }
                | StageState::Failed { .. }
                | StageState::Skipped { .. } => {}
            }
        }
        reasons
    }

    /// Tells whether somebody does without the output of a stage if there is none.
    pub(super) fn is_spared(&self, index: StageIndex) -> bool {
        let pipeline = self.pipeline();
        pipeline.dependents(index).iter().any(|other| pipeline.does_without(*other, index))
    }

    /// Returns why there is no output of a stage that has come to another end than completion.
    pub(super) fn want(&self, index: StageIndex) -> String {
        let name = self.layout.name(index);
        match &self.stage(index).state {
            StageState::Failed { failure } => format!("stage {name} failed: {failure}"),
            StageState::Cancelled { reason } => format!("stage {name} was cancelled: {reason}"),
            StageState::Skipped { reason, .. } => reason.clone(),
            StageState::Completed { .. }
            | StageState::Waiting { .. }
            | StageState::Ready
            | StageState::Retrying { .. }
            | StageState::Running { .. }
            | StageState::FannedOut { .. }
            | StageState::Faltered { .. } => format!("stage {name} has no output"),
        }
    }

    /// Takes note of an event, or refuses one that cannot have happened and changes nothing.
    pub fn apply(&mut self, event: &Event) -> Result<(), ImpossibleEvent> {
        let fits = !self.is_over() && self.apply_to_open_run(event);
        if fits { Ok(()) } else { Err(self.impossible(&event.kind)) }
    }

    fn apply_to_open_run(&mut self, event: &Event) -> bool {
        let at = event.at;
        if stage_of(&event.kind).is_some_and(|stage| self.records.len() <= stage.0) {
            return false;
        }
        match &event.kind {
            EventKind::AttemptStarted { stage, attempt, function, token } => {
                let begun = attempt_of(*attempt, function.clone(), at);
                self.start(*stage, begun, *token)
            }
            EventKind::StageCompleted { stage, token, output, degraded } => {
                let output = StageOutput { value: output.clone(), degraded: degraded.clone() };
                self.end_attempt(*stage, *token, AttemptOutcome::Completed, at)
                    && self.complete(*stage, Arc::new(output), at)
            }
            EventKind::StageRecalled { stage, attempt, token, recalled } => {
                let function = self.layout.definition(*stage).function.clone();
                let begun = attempt_of(*attempt, function, at);
                let outcome = AttemptOutcome::Recalled {
                    from: recalled.from,
                    completed_at: recalled.completed_at,
                };
                let output = Arc::new(StageOutput::fresh(recalled.output.clone()));
                self.start(*stage, begun, *token)
                    && self.end_attempt(*stage, *token, outcome, at)
                    && self.complete(*stage, output, at)
            }
            EventKind::FanOutOpened { stage, count } => self.open(*stage, *count, at),
            EventKind::FanOutJoined { stage } => self.join(*stage, at),
            EventKind::AttemptFailed { stage, token, failure } => {
                let failure = Box::new(failure.clone());
                self.end_attempt(*stage, *token, AttemptOutcome::Failed(failure.clone()), at)
                    && self.falter(*stage, failure)
            }
            EventKind::AttemptCancelled { stage, token } => {
                self.end_attempt(*stage, *token, AttemptOutcome::Cancelled, at)
                    && self.make_ready(*stage, at)
            }
            EventKind::AttemptLost { stage, token } => {
                self.end_attempt(*stage, *token, AttemptOutcome::Lost, at) && self.lose(*stage, at)
            }
            EventKind::RetryScheduled { stage, not_before } => self.retry(*stage, *not_before),
            EventKind::RungTaken { stage, rung } => self.take_rung(*stage, *rung, at),
            EventKind::StageFailed { stage } => self.fail(*stage, at),
            EventKind::StageSkipped { stage, reason } => self.skip(*stage, reason, at),
            EventKind::StageCancelled { stage, reason } => self.cancel_stage(*stage, reason, at),
            EventKind::AlertRaised { alert, deadline } => {
                self.alerts.insert((*deadline, *alert), Telling::Due).is_none()
            }
            EventKind::AlertTold { alert, deadline } => {
                self.alerts.insert((*deadline, *alert), Telling::Done) == Some(Telling::Due)
            }
            EventKind::RunInterrupted => {
                let fits = self.running.is_empty();
                if fits {
                    self.phase = RunPhase::Interrupted;
                }
                fits
            }
            EventKind::RunCancelled { reason } => self.cancel(reason, at),
            EventKind::RunFinished { end, .. } => {
                let fits = self.unfinished == 0;
                if fits {
                    self.phase = RunPhase::Finished(*end);
                    self.ended_at = Some(at);
                }
                fits
            }
        }
    }

    fn impossible(&self, kind: &EventKind) -> ImpossibleEvent {
        let stage = stage_of(kind).filter(|stage| stage.0 < self.records.len());
        let stage = stage.map(|stage| self.layout.name(stage).into_owned());
        ImpossibleEvent { kind: kind.as_str(), stage }
    }
}

fn attempt_of(number: u32, function: Arc<str>, started_at: Timestamp) -> Attempt {
    let outcome = AttemptOutcome::Running;
    Attempt { number, function, started_at, ended_at: None, outcome }
}

/// Returns the position that an event is about, if it is about one.
fn stage_of(kind: &EventKind) -> Option<StageIndex> {
    match kind {
        EventKind::AttemptStarted { stage, .. }
        | EventKind::StageCompleted { stage, .. }
        | EventKind::StageRecalled { stage, .. }
        | EventKind::FanOutOpened { stage, .. }
        | EventKind::FanOutJoined { stage }
        | EventKind::AttemptFailed { stage, .. }
        | EventKind::AttemptCancelled { stage, .. }
        | EventKind::AttemptLost { stage, .. }
        | EventKind::RetryScheduled { stage, .. }
        | EventKind::RungTaken { stage, .. }
        | EventKind::StageFailed { stage }
        | EventKind::StageSkipped { stage, .. }
        | EventKind::StageCancelled { stage, .. } => Some(*stage),
        EventKind::AlertRaised { .. }
        | EventKind::AlertTold { .. }
        | EventKind::RunInterrupted
        | EventKind::RunCancelled { .. }
        | EventKind::RunFinished { .. } => None,
    }
}

/// Adds those of `more` that are not there yet, in order.
pub(super) fn unite(reasons: &mut Vec<String>, more: &[String]) {
    for reason in more {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
}
