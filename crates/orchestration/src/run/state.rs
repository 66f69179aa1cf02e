//! The state of a run: what the events so far amount to.
//!
//! [`RunState::apply`] is the only way to change it, for living runs and for replays alike, so a
//! resumed run cannot differ from one that never stopped. What follows from a state is decided in
//! `decide`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    Attempt, AttemptOutcome, Event, EventKind, FencingToken, Ladder, RunEnd, RunId, StageRecord,
    StageState,
};
use crate::pipeline::{Pipeline, StageIndex};
use crate::recovery::{FailureClass, StageFailure};
use crate::task::{Priority, StageOutput};

/// A process that died this often during one rung of one stage probably dies because of it.
const LOST_ATTEMPTS_MAX: u32 = 20;

/// A ready stage that waits so long is as urgent as one of the next priority that has just become
/// ready, so nothing waits for ever behind more urgent work.
pub const AGEING_STEP: SignedDuration = SignedDuration::from_mins(10);

/// Orders ready stages: the earlier, the sooner they start.
type Turn = (Timestamp, StageIndex);

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

/// What the events of a run amount to.
#[derive(Clone, Debug)]
pub struct RunState {
    recorded: Recorded,
    stages: Vec<StageRecord>,
    phase: RunPhase,
    ended_at: Option<Timestamp>,
    token_next: u64,
    // Indices into `stages`, so that deciding costs the same in small and large runs.
    pub(super) ready: BTreeSet<Turn>,
    /// Since when ready stages are so.
    ready_since: Vec<Timestamp>,
    pub(super) retrying: BTreeSet<(Timestamp, StageIndex)>,
    pub(super) running: BTreeSet<StageIndex>,
    pub(super) faltered: BTreeSet<StageIndex>,
    /// Waiting stages that will never be ready, and why.
    pub(super) doomed: BTreeMap<StageIndex, String>,
    unfinished: usize,
}

impl RunState {
    /// Returns the state of a run to which nothing has happened.
    pub fn new(recorded: Recorded) -> Self {
        let pipeline = Arc::clone(&recorded.pipeline);
        let mut ready = BTreeSet::new();
        let mut stages = Vec::with_capacity(pipeline.stages().len());
        for index in pipeline.indices() {
            let unmet = pipeline.dependencies(index).len();
            if unmet == 0 {
                ready.insert(turn(pipeline.stage(index).priority, recorded.submitted_at, index));
            }
            stages.push(StageRecord {
                state: if unmet == 0 { StageState::Ready } else { StageState::Waiting { unmet } },
                ladder: Ladder::Own,
                attempts_on_rung: 0,
                lost_on_rung: 0,
                attempts: Vec::new(),
                finished_at: None,
            });
        }
        Self {
            unfinished: stages.len(),
            ready_since: vec![recorded.submitted_at; stages.len()],
            recorded,
            stages,
            phase: RunPhase::Pending,
            ended_at: None,
            token_next: 1,
            ready,
            retrying: BTreeSet::new(),
            running: BTreeSet::new(),
            faltered: BTreeSet::new(),
            doomed: BTreeMap::new(),
        }
    }

    /// Returns what was submitted.
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    /// Returns the pipeline of the run.
    pub fn pipeline(&self) -> &Pipeline {
        &self.recorded.pipeline
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

    /// Returns one stage.
    pub fn stage(&self, index: StageIndex) -> &StageRecord {
        &self.stages[index.0]
    }

    /// Returns the stages that can start, in the order in which they will.
    pub fn ready(&self) -> impl Iterator<Item = StageIndex> {
        self.ready.iter().map(|(_, stage)| *stage)
    }

    /// Returns since when a stage is ready, if it is.
    pub fn ready_since(&self, index: StageIndex) -> Option<Timestamp> {
        (self.stages[index.0].state == StageState::Ready).then(|| self.ready_since[index.0])
    }

    /// Takes the attempts of a stage away, from a state that is not used any more.
    pub(super) fn take_attempts(&mut self, index: StageIndex) -> Vec<Attempt> {
        std::mem::take(&mut self.stages[index.0].attempts)
    }

    /// Returns how many attempts are being made.
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// Returns how many stages have not come to an end.
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

    /// Returns every reason why some output is degraded, in the order of definition.
    pub fn degraded(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for record in &self.stages {
            match &record.state {
                StageState::Completed { output } => unite(&mut reasons, &output.degraded),
                // Tried and then left out on purpose.
                StageState::Skipped { reason } if !record.attempts.is_empty() => {
                    unite(&mut reasons, std::slice::from_ref(reason));
                }
                StageState::Waiting { .. }
                | StageState::Ready
                | StageState::Retrying { .. }
                | StageState::Running { .. }
                | StageState::Faltered { .. }
                | StageState::Failed { .. }
                | StageState::Skipped { .. }
                | StageState::Cancelled { .. } => {}
            }
        }
        reasons
    }

    /// Takes note of an event, or refuses one that cannot have happened and changes nothing.
    pub fn apply(&mut self, event: &Event) -> Result<(), ImpossibleEvent> {
        let fits = !self.is_over() && self.apply_to_open_run(event);
        if fits { Ok(()) } else { Err(self.impossible(&event.kind)) }
    }

    fn apply_to_open_run(&mut self, event: &Event) -> bool {
        let at = event.at;
        match &event.kind {
            EventKind::AttemptStarted { stage, attempt, function, token } => {
                let started = Attempt {
                    number: *attempt,
                    function: function.clone(),
                    started_at: at,
                    ended_at: None,
                    outcome: AttemptOutcome::Running,
                };
                self.start(*stage, started, *token)
            }
            EventKind::StageCompleted { stage, token, output, degraded } => {
                let output = StageOutput { value: output.clone(), degraded: degraded.clone() };
                self.end_attempt(*stage, *token, AttemptOutcome::Completed, at)
                    && self.complete(*stage, Arc::new(output), at)
            }
            EventKind::AttemptFailed { stage, token, failure } => {
                self.end_attempt(*stage, *token, AttemptOutcome::Failed(failure.clone()), at)
                    && self.falter(*stage, failure.clone())
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

    fn start(&mut self, index: StageIndex, attempt: Attempt, token: FencingToken) -> bool {
        let record = &mut self.stages[index.0];
        let number_next = record.attempts.len() + 1;
        if usize::try_from(attempt.number) != Ok(number_next) || token.0 != self.token_next {
            return false;
        }
        match record.state {
            StageState::Ready => {
                let turn = turn(
                    self.recorded.pipeline.stage(index).priority,
                    self.ready_since[index.0],
                    index,
                );
                self.ready.remove(&turn);
            }
            // In a replay nobody has watched the clock, so the stage is still in its wait.
            StageState::Retrying { not_before } => {
                self.retrying.remove(&(not_before, index));
            }
            StageState::Waiting { .. }
            | StageState::Running { .. }
            | StageState::Faltered { .. }
            | StageState::Completed { .. }
            | StageState::Failed { .. }
            | StageState::Skipped { .. }
            | StageState::Cancelled { .. } => return false,
        }
        record.state = StageState::Running { token };
        // Nearly every stage needs one attempt; room for four would be most of a large run's memory.
        record.attempts.reserve_exact(1);
        record.attempts.push(attempt);
        self.token_next += 1;
        self.running.insert(index);
        self.phase = RunPhase::Running;
        true
    }

    /// Ends the running attempt of a stage, if it is the one with this token.
    fn end_attempt(
        &mut self,
        index: StageIndex,
        token: FencingToken,
        outcome: AttemptOutcome,
        at: Timestamp,
    ) -> bool {
        let record = &mut self.stages[index.0];
        if record.state != (StageState::Running { token }) {
            return false;
        }
        if let Some(attempt) = record.attempts.last_mut() {
            attempt.outcome = outcome;
            attempt.ended_at = Some(at);
        }
        self.running.remove(&index)
    }

    fn complete(&mut self, index: StageIndex, output: Arc<StageOutput>, at: Timestamp) -> bool {
        self.finish(index, StageState::Completed { output }, at);
        let pipeline = Arc::clone(&self.recorded.pipeline);
        for dependent in pipeline.dependents(index) {
            if let StageState::Waiting { unmet } = &mut self.stages[dependent.0].state {
                *unmet -= 1;
                if *unmet == 0 {
                    self.make_ready(*dependent, at);
                }
            }
        }
        true
    }

    fn make_ready(&mut self, index: StageIndex, at: Timestamp) -> bool {
        self.stages[index.0].state = StageState::Ready;
        self.ready_since[index.0] = at;
        self.ready.insert(self.turn_of(index))
    }

    fn turn_of(&self, index: StageIndex) -> Turn {
        let priority = self.recorded.pipeline.stage(index).priority;
        turn(priority, self.ready_since[index.0], index)
    }

    fn falter(&mut self, index: StageIndex, failure: StageFailure) -> bool {
        let record = &mut self.stages[index.0];
        record.attempts_on_rung += 1;
        record.state = StageState::Faltered { failure };
        self.faltered.insert(index)
    }

    fn lose(&mut self, index: StageIndex, at: Timestamp) -> bool {
        let record = &mut self.stages[index.0];
        record.lost_on_rung += 1;
        if record.lost_on_rung < LOST_ATTEMPTS_MAX {
            return self.make_ready(index, at);
        }
        let message = format!("the process died {LOST_ATTEMPTS_MAX} times during this stage");
        self.falter(index, StageFailure::new(FailureClass::Bug, message))
    }

    fn retry(&mut self, index: StageIndex, not_before: Timestamp) -> bool {
        if !self.faltered.remove(&index) {
            return false;
        }
        self.stages[index.0].state = StageState::Retrying { not_before };
        self.retrying.insert((not_before, index))
    }

    fn take_rung(&mut self, index: StageIndex, rung: usize, at: Timestamp) -> bool {
        let function_exists = self.recorded.pipeline.stage(index).rung(rung).is_some();
        let record = &mut self.stages[index.0];
        let StageState::Faltered { failure } = &record.state else { return false };
        if rung != record.ladder.rung() + 1 || !function_exists {
            return false;
        }
        // What made the stage's own function fail is the reason people need; the failures of the
        // rungs between are kept with their attempts.
        let reason = match &record.ladder {
            Ladder::Own => failure.to_string(),
            Ladder::Fallback { reason, .. } => reason.clone(),
        };
        record.ladder = Ladder::Fallback { rung, reason };
        record.attempts_on_rung = 0;
        record.lost_on_rung = 0;
        self.faltered.remove(&index);
        self.make_ready(index, at)
    }

    fn fail(&mut self, index: StageIndex, at: Timestamp) -> bool {
        let StageState::Faltered { failure } = &self.stages[index.0].state else { return false };
        let failure = failure.clone();
        self.faltered.remove(&index);
        let reason = format!("stage {} failed: {failure}", self.pipeline().stage(index).name);
        self.finish(index, StageState::Failed { failure }, at);
        self.doom_dependents(index, &reason);
        true
    }

    fn skip(&mut self, index: StageIndex, reason: &str, at: Timestamp) -> bool {
        if self.doomed.remove(&index).is_none() && !self.faltered.remove(&index) {
            return false;
        }
        self.finish(index, StageState::Skipped { reason: reason.to_owned() }, at);
        self.doom_dependents(index, reason);
        true
    }

    fn doom_dependents(&mut self, index: StageIndex, reason: &str) {
        for dependent in self.recorded.pipeline.dependents(index) {
            if let StageState::Waiting { .. } = self.stages[dependent.0].state {
                self.doomed.entry(*dependent).or_insert_with(|| reason.to_owned());
            }
        }
    }

    fn cancel(&mut self, reason: &str, at: Timestamp) -> bool {
        if !self.running.is_empty() {
            return false;
        }
        for index in self.recorded.pipeline.indices() {
            if !self.stages[index.0].state.is_final() {
                self.finish(index, StageState::Cancelled { reason: reason.to_owned() }, at);
            }
        }
        self.ready.clear();
        self.retrying.clear();
        self.faltered.clear();
        self.doomed.clear();
        self.phase = RunPhase::Cancelled;
        self.ended_at = Some(at);
        true
    }

    fn finish(&mut self, index: StageIndex, state: StageState, at: Timestamp) {
        let record = &mut self.stages[index.0];
        record.state = state;
        record.finished_at = Some(at);
        self.unfinished -= 1;
    }

    fn impossible(&self, kind: &EventKind) -> ImpossibleEvent {
        let (kind, stage) = match kind {
            EventKind::AttemptStarted { stage, .. } => ("attempt_started", Some(stage)),
            EventKind::StageCompleted { stage, .. } => ("stage_completed", Some(stage)),
            EventKind::AttemptFailed { stage, .. } => ("attempt_failed", Some(stage)),
            EventKind::AttemptCancelled { stage, .. } => ("attempt_cancelled", Some(stage)),
            EventKind::AttemptLost { stage, .. } => ("attempt_lost", Some(stage)),
            EventKind::RetryScheduled { stage, .. } => ("retry_scheduled", Some(stage)),
            EventKind::RungTaken { stage, .. } => ("rung_taken", Some(stage)),
            EventKind::StageFailed { stage } => ("stage_failed", Some(stage)),
            EventKind::StageSkipped { stage, .. } => ("stage_skipped", Some(stage)),
            EventKind::RunInterrupted => ("run_interrupted", None),
            EventKind::RunCancelled { .. } => ("run_cancelled", None),
            EventKind::RunFinished { .. } => ("run_finished", None),
        };
        let stage = stage.map(|index| self.pipeline().stage(*index).name.clone());
        ImpossibleEvent { kind, stage }
    }
}

/// Urgent stages are treated as if they had become ready earlier.
fn turn(priority: Priority, since: Timestamp, index: StageIndex) -> Turn {
    let steps = match priority {
        Priority::Low => 0,
        Priority::Medium => 1,
        Priority::High => 2,
        Priority::Critical => 3,
    };
    (since.saturating_sub(AGEING_STEP * steps).unwrap_or(Timestamp::MIN), index)
}

/// Adds those of `more` that are not there yet, in order.
pub(super) fn unite(reasons: &mut Vec<String>, more: &[String]) {
    for reason in more {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
}
