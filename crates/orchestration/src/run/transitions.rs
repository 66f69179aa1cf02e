//! How an event changes the stage it is about, and those that wait for it.
//!
//! Every function tells whether the event fits; one that does not has changed nothing that counts,
//! because the run then ends with an error.

use std::sync::Arc;

use jiff::Timestamp;

use super::lanes::turn;
use super::state::Doom;
use super::{
    Attempt, AttemptOutcome, FencingToken, Ladder, RunPhase, RunState, SkipCause, StageState,
};
use crate::pipeline::StageIndex;
use crate::recovery::{FailureClass, StageFailure};
use crate::task::StageOutput;

/// A process that died this often during one rung of one stage probably dies because of it.
const LOST_ATTEMPTS_MAX: u32 = 20;

impl RunState {
    pub(super) fn start(
        &mut self,
        index: StageIndex,
        attempt: Attempt,
        token: FencingToken,
    ) -> bool {
        let record = &self.records[index.0];
        let number_next = record.attempts.len() + 1;
        if usize::try_from(attempt.number) != Ok(number_next) || token.0 != self.token_next {
            return false;
        }
        match record.state {
            StageState::Ready => self.unqueue(index),
            // In a replay nobody has watched the clock, so the stage is still in its wait.
            StageState::Retrying { not_before } => {
                self.retrying.remove(&(not_before, index));
            }
            StageState::Waiting { .. }
            | StageState::Running { .. }
            | StageState::FannedOut { .. }
            | StageState::Faltered { .. }
            | StageState::Completed { .. }
            | StageState::Failed { .. }
            | StageState::Skipped { .. }
            | StageState::Cancelled { .. } => return false,
        }
        let record = &mut self.records[index.0];
        record.state = StageState::Running { token };
        // Nearly every stage needs one attempt; room for four would be most of a large run's memory.
        record.attempts.reserve_exact(1);
        record.attempts.push(attempt);
        self.token_next += 1;
        self.running.insert(index);
        self.ready.start(self.layout.stage_of(index));
        self.phase = RunPhase::Running;
        true
    }

    /// Ends the running attempt of a stage, if it is the one with this token.
    pub(super) fn end_attempt(
        &mut self,
        index: StageIndex,
        token: FencingToken,
        outcome: AttemptOutcome,
        at: Timestamp,
    ) -> bool {
        let record = &mut self.records[index.0];
        if record.state != (StageState::Running { token }) {
            return false;
        }
        if let Some(attempt) = record.attempts.last_mut() {
            attempt.outcome = outcome;
            attempt.ended_at = Some(at);
        }
        self.ready.end(self.layout.stage_of(index));
        self.running.remove(&index)
    }

    pub(super) fn complete(
        &mut self,
        index: StageIndex,
        output: Arc<StageOutput>,
        at: Timestamp,
    ) -> bool {
        self.finish(index, StageState::Completed { output }, at);
        true
    }

    pub(super) fn make_ready(&mut self, index: StageIndex, at: Timestamp) -> bool {
        let stage = self.layout.stage_of(index);
        let priority = self.layout.definition(index).priority;
        let record = &mut self.records[index.0];
        record.state = StageState::Ready;
        record.ready_since = at;
        self.ready.insert(stage, turn(priority, at, index))
    }

    fn unqueue(&mut self, index: StageIndex) {
        let priority = self.layout.definition(index).priority;
        let turn = turn(priority, self.records[index.0].ready_since, index);
        self.ready.remove(self.layout.stage_of(index), turn);
    }

    pub(super) fn falter(&mut self, index: StageIndex, failure: Box<StageFailure>) -> bool {
        let record = &mut self.records[index.0];
        record.attempts_on_rung += 1;
        record.state = StageState::Faltered { failure };
        self.faltered.insert(index)
    }

    pub(super) fn lose(&mut self, index: StageIndex, at: Timestamp) -> bool {
        let record = &mut self.records[index.0];
        record.lost_on_rung += 1;
        if record.lost_on_rung < LOST_ATTEMPTS_MAX {
            return self.make_ready(index, at);
        }
        let message = format!("the process died {LOST_ATTEMPTS_MAX} times during this stage");
        self.falter(index, Box::new(StageFailure::new(FailureClass::Bug, message)))
    }

    pub(super) fn retry(&mut self, index: StageIndex, not_before: Timestamp) -> bool {
        if !self.faltered.remove(&index) {
            return false;
        }
        self.records[index.0].state = StageState::Retrying { not_before };
        self.retrying.insert((not_before, index))
    }

    pub(super) fn take_rung(&mut self, index: StageIndex, rung: usize, at: Timestamp) -> bool {
        let function_exists = self.layout.definition(index).rung(rung).is_some();
        let record = &mut self.records[index.0];
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

    pub(super) fn fail(&mut self, index: StageIndex, at: Timestamp) -> bool {
        let failure = match (&self.records[index.0].state, self.hopeless(index)) {
            (StageState::Faltered { failure }, _) => failure.clone(),
            (_, Some(failure)) => Box::new(failure),
            (_, None) => return false,
        };
        self.faltered.remove(&index);
        self.opening.remove(&index);
        self.joining.remove(&index);
        self.finish(index, StageState::Failed { failure }, at);
        true
    }

    pub(super) fn skip(&mut self, index: StageIndex, reason: &str, at: Timestamp) -> bool {
        let cause = match self.doomed.remove(&index) {
            Some(doom) => doom.cause,
            None if self.faltered.remove(&index) => SkipCause::Failure,
            None => return false,
        };
        self.finish(index, StageState::Skipped { reason: reason.to_owned(), cause }, at);
        true
    }

    pub(super) fn cancel_stage(&mut self, index: StageIndex, reason: &str, at: Timestamp) -> bool {
        match self.records[index.0].state {
            StageState::Ready => self.unqueue(index),
            StageState::Retrying { not_before } => {
                self.retrying.remove(&(not_before, index));
            }
            StageState::Running { token } => {
                self.end_attempt(index, token, AttemptOutcome::Cancelled, at);
            }
            StageState::Waiting { .. } => {
                self.doomed.remove(&index);
                self.opening.remove(&index);
            }
            StageState::FannedOut { open } => {
                // Its items go before it.
                if 0 < open {
                    return false;
                }
                self.joining.remove(&index);
            }
            StageState::Faltered { .. } => {
                self.faltered.remove(&index);
            }
            StageState::Completed { .. }
            | StageState::Failed { .. }
            | StageState::Skipped { .. }
            | StageState::Cancelled { .. } => return false,
        }
        self.finish(index, StageState::Cancelled { reason: reason.to_owned() }, at);
        true
    }

    pub(super) fn cancel(&mut self, reason: &str, at: Timestamp) -> bool {
        if !self.running.is_empty() {
            return false;
        }
        for record in &mut self.records {
            if !record.state.is_final() {
                record.state = StageState::Cancelled { reason: reason.to_owned() };
                record.finished_at = Some(at);
                self.unfinished -= 1;
            }
        }
        self.ready.clear();
        self.retrying.clear();
        self.faltered.clear();
        self.doomed.clear();
        self.opening.clear();
        self.joining.clear();
        self.phase = RunPhase::Cancelled;
        self.ended_at = Some(at);
        true
    }

    /// Brings a stage or an item to its end, and tells those that wait for it.
    fn finish(&mut self, index: StageIndex, state: StageState, at: Timestamp) {
        let record = &mut self.records[index.0];
        record.state = state;
        record.finished_at = Some(at);
        self.unfinished -= 1;
        if self.layout.item_of(index).is_some() {
            self.item_ended(self.layout.stage_of(index));
            return;
        }
        let pipeline = Arc::clone(&self.recorded.pipeline);
        for &dependent in pipeline.dependents(index) {
            match self.doom_of(index) {
                Some(doom) if !pipeline.does_without(dependent, index) => {
                    if let StageState::Waiting { .. } = self.records[dependent.0].state {
                        self.doomed.entry(dependent).or_insert(doom);
                    }
                }
                Some(_) | None => self.meet(dependent, at),
            }
        }
    }

    /// Takes note that one of the dependencies of a stage has come to an end it can live with.
    fn meet(&mut self, index: StageIndex, at: Timestamp) {
        let StageState::Waiting { unmet } = &mut self.records[index.0].state else { return };
        *unmet -= 1;
        if 0 < *unmet || self.doomed.contains_key(&index) {
            return;
        }
        if let Some(reason) = self.unmet_condition(index) {
            self.doomed.insert(index, Doom { reason, cause: SkipCause::Condition });
        } else if self.layout.definition(index).map.is_some() {
            self.opening.insert(index, self.count_items(index));
        } else {
            self.make_ready(index, at);
        }
    }

    /// Returns what becomes of those that need the output of a stage that has ended.
    fn doom_of(&self, index: StageIndex) -> Option<Doom> {
        let cause = match &self.records[index.0].state {
            StageState::Failed { .. } => SkipCause::Failure,
            StageState::Cancelled { .. } => SkipCause::Cancelled,
            StageState::Skipped { cause, .. } => *cause,
            StageState::Completed { .. }
            | StageState::Waiting { .. }
            | StageState::Ready
            | StageState::Retrying { .. }
            | StageState::Running { .. }
            | StageState::FannedOut { .. }
            | StageState::Faltered { .. } => return None,
        };
        Some(Doom { reason: self.want(index), cause })
    }

    /// Tells why a stage is not wanted, if its condition is not met.
    fn unmet_condition(&self, index: StageIndex) -> Option<String> {
        let definition = self.layout.definition(index);
        let condition = definition.condition.as_ref()?;
        let asked = self.pipeline().dependency(index, &condition.stage)?;
        let StageState::Completed { output } = &self.stage(asked).state else { return None };
        let found = output.value.pointer(&condition.pointer);
        if found == Some(&condition.equals) {
            return None;
        }
        let found = found.map_or_else(|| "absent".to_owned(), ToString::to_string);
        let (name, asked, expected) = (&definition.name, &condition.stage, &condition.equals);
        let place = match condition.pointer.as_str() {
            "" => format!("the output of {asked}"),
            pointer => format!("{pointer} in the output of {asked}"),
        };
        Some(format!("stage {name} is left out: {place} is {found}, not {expected}"))
    }
}
