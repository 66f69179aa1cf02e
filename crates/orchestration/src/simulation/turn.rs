//! What happens in a turn of a simulated execution: attempts end or run out of time, somebody
//! cancels, the process stops; and what is done to a run that nobody executes.

use super::execution::{Activity, Execution, Fate};
use super::machine::Machine;
use super::outcome::Occasion;
use super::promises::Seen;
use super::worker::ABANDON_AFTER;
use crate::pipeline::StageIndex;
use crate::recovery::{FailureClass, StageFailure};
use crate::run::{
    CancelScope, Ended, Event, EventKind, FencingToken, Mode, StageState, cancellations,
    completed_dependencies, losses,
};

/// So many ends of attempts share one write at most.
const ENDS_PER_TURN_MAX: u32 = 3;

impl Execution {
    /// Does what is due.
    pub(super) fn turn(&mut self, machine: &mut Machine) -> Result<Fate, String> {
        if let Activity::AtRest { .. } = self.activity {
            return self.resume(machine);
        }
        self.is_woken = false;
        if self.mode == Mode::Stopping && self.attempts.is_empty() {
            self.halt(machine)?;
            return Ok(Fate::Lives);
        }
        let mut events = Vec::new();
        let cancels_first = machine.is_troubled() && machine.chance.once_in(40);
        if cancels_first {
            self.cancel_something(machine, &mut events)?;
        }
        for _ in 0..machine.chance.count(ENDS_PER_TURN_MAX) {
            let due = self.attempts.iter().find(|(_, attempt)| attempt.ends_at <= machine.elapsed);
            let Some((&token, _)) = due else { break };
            let Some(attempt) = self.attempts.remove(&token) else { break };
            if attempt.is_deadly {
                machine.outcome.note(Occasion::DeathByWorker);
                return Ok(Fate::Died);
            }
            let result = attempt.result(machine, &self.state);
            if attempt.overdue.is_some() && result.is_err() {
                machine.outcome.note(Occasion::TimeObeyed);
            }
            let stage = attempt.stage;
            self.end(machine, Ended { stage, token, result }, &mut events)?;
        }
        if machine.is_troubled() && machine.chance.once_in(40) {
            self.cancel_something(machine, &mut events)?;
        }
        self.ring(machine, &mut events)?;
        self.advance(machine, events)
    }

    /// Asks attempts whose time is over to stop, and abandons those that do not.
    fn ring(&mut self, machine: &mut Machine, events: &mut Vec<Event>) -> Result<(), String> {
        let mut abandoned = Vec::new();
        for (token, attempt) in &mut self.attempts {
            if attempt.ask_at.is_some_and(|at| at <= machine.elapsed) {
                attempt.ask_at = None;
                attempt.overdue = self.state.layout().definition(attempt.stage).timeout;
                attempt.ask_to_stop(machine);
                attempt.abandon_at.get_or_insert(machine.elapsed + ABANDON_AFTER);
            } else if attempt.abandon_at.is_some_and(|at| at <= machine.elapsed) {
                abandoned.push(*token);
            }
        }
        for token in abandoned {
            let Some(attempt) = self.attempts.remove(&token) else { continue };
            let class = match attempt.overdue {
                Some(_) => FailureClass::Timeout,
                None => FailureClass::Cancelled,
            };
            machine.outcome.note(Occasion::Abandonment);
            let (stage, result) = (attempt.stage, Err(StageFailure::new(class, "abandoned")));
            self.end(machine, Ended { stage, token, result }, events)?;
            self.late.push((stage, token));
        }
        Ok(())
    }

    /// Cancels a stage, an item or a subtree while the run is executed.
    fn cancel_something(
        &mut self,
        machine: &mut Machine,
        events: &mut Vec<Event>,
    ) -> Result<(), String> {
        let wanted = self.wanted_cancellations(machine)?;
        for event in &wanted {
            if let EventKind::StageCancelled { stage, .. } = event.kind
                && let StageState::Running { token } = self.state.stage(stage).state
            {
                self.let_go(machine, stage, token);
            }
        }
        for event in &wanted {
            self.apply(event)?;
        }
        events.extend(wanted);
        Ok(())
    }

    /// Nobody waits for a cancelled attempt.
    fn let_go(&mut self, machine: &mut Machine, stage: StageIndex, token: FencingToken) {
        self.attempts.remove(&token);
        machine.give_back(self.number, token);
        self.late.push((stage, token));
    }

    /// Chooses what is cancelled; it is reached as a whole, and nothing else is.
    fn wanted_cancellations(&mut self, machine: &mut Machine) -> Result<Vec<Event>, String> {
        let mut at = machine.chance.below(self.account.len());
        if machine.chance.once_in(3) {
            // Of those that were opened last, if any were.
            at = self.account.len() - 1;
        }
        let scope = machine.chance.one_of(&[CancelScope::Stage, CancelScope::Subtree]);
        let wish = (scope, "by chance");
        let wanted = cancellations(&self.state, StageIndex(at), wish, machine.now());
        let cancelled = wanted.iter().filter_map(|event| match event.kind {
            EventKind::StageCancelled { stage, .. } => Some(stage.0),
            _ => None,
        });
        let reach = self.account.reach(at, scope);
        if !cancelled.clone().all(|at| reach.contains(&at)) || cancelled.count() != reach.len() {
            return Err(format!("a cancellation of {at} ({scope:?}) does not reach {reach:?}"));
        }
        if !reach.is_empty() {
            machine.outcome.note(match (self.account.is_item(at), scope) {
                (true, _) => Occasion::ItemCancellation,
                (false, CancelScope::Stage) => Occasion::StageCancellation,
                (false, CancelScope::Subtree) => Occasion::SubtreeCancellation,
            });
        }
        Ok(wanted)
    }

    /// Ends an execution that was asked to stop.
    fn halt(&mut self, machine: &mut Machine) -> Result<(), String> {
        let kind = if self.is_given_up {
            machine.outcome.note(Occasion::RunCancellation);
            EventKind::RunCancelled { reason: "by chance".to_owned() }
        } else {
            machine.outcome.note(Occasion::Interruption);
            EventKind::RunInterrupted
        };
        let event = Event { at: machine.now(), kind };
        self.apply(&event)?;
        self.write(machine, &[event])?;
        let until = machine.elapsed + machine.chance.seconds(600);
        self.lose_memory(until)
    }

    /// Somebody cancels a stage of a run that nobody executes, or gives it up.
    pub(super) fn cancel_at_rest(&mut self, machine: &mut Machine) -> Result<(), String> {
        let mut events = losses(&self.state, machine.now());
        machine.outcome.note(Occasion::CancellationAtRest);
        if machine.chance.once_in(4) {
            let kind = EventKind::RunCancelled { reason: "by chance".to_owned() };
            events.push(Event { at: machine.now(), kind });
            machine.outcome.note(Occasion::RunCancellation);
        } else {
            events.extend(self.wanted_cancellations(machine)?);
        }
        for event in &events {
            self.apply(event)?;
        }
        self.write(machine, &events)
    }

    /// An attempt finds the outputs of what it depends on, and its own item.
    pub(super) fn sees_what_it_should(&self, stage: StageIndex) -> Result<(), String> {
        let outputs = completed_dependencies(&self.state, stage)
            .map(|(name, output)| (name.to_owned(), output.value.clone()))
            .collect();
        let item = self.state.layout().item_of(stage).and(self.state.item_value(stage));
        let (seen, should) = (Seen { outputs, item }, self.account.should_see(stage.0));
        if seen == should { Ok(()) } else { Err(format!("{stage:?} sees {seen:?} not {should:?}")) }
    }

    /// Counts what an event says.
    pub(super) fn tally(&self, machine: &mut Machine, event: &Event) {
        let occasions: &[(Occasion, bool)] = match &event.kind {
            EventKind::AttemptStarted { stage, .. } => {
                let definition = self.state.layout().definition(*stage);
                &[(Occasion::ConditionMet, definition.condition.is_some())]
            }
            EventKind::AttemptFailed { .. } => &[(Occasion::Failure, true)],
            EventKind::StageRecalled { .. } => &[(Occasion::Recall, true)],
            EventKind::StageCompleted { stage, degraded, .. } => &[
                (Occasion::Degradation, !degraded.is_empty()),
                (Occasion::DidWithout, self.does_without(*stage)),
            ],
            EventKind::FanOutOpened { count, .. } => {
                &[(Occasion::FanOut, true), (Occasion::EmptyFanOut, *count == 0)]
            }
            EventKind::FanOutJoined { stage } => {
                let items = self.state.layout().items_of(*stage).unwrap_or_default();
                let mut items = items.map(|item| &self.state.stage(StageIndex(item)).state);
                let has_gaps = items.any(|item| !matches!(item, StageState::Completed { .. }));
                &[(Occasion::Join, true), (Occasion::JoinWithGaps, has_gaps)]
            }
            EventKind::StageSkipped { reason, .. } => {
                &[(Occasion::ConditionUnmet, reason.contains("/go"))]
            }
            EventKind::StageFailed { stage } => {
                let StageState::Failed { failure } = &self.state.stage(*stage).state else {
                    return;
                };
                let is_uncountable = self.state.layout().definition(*stage).map.is_some()
                    && self.state.layout().item_of(*stage).is_none()
                    && self.state.layout().items_of(*stage).is_none();
                let is_blamed = failure.message.contains("the process died");
                &[(Occasion::Uncountable, is_uncountable), (Occasion::Blame, is_blamed)]
            }
            _ => &[],
        };
        for (occasion, _) in occasions.iter().filter(|(_, happened)| *happened) {
            machine.outcome.note(*occasion);
        }
    }

    fn does_without(&self, stage: StageIndex) -> bool {
        let pipeline = self.state.pipeline();
        let stage = self.state.layout().stage_of(stage);
        pipeline.dependencies(stage).iter().any(|before| {
            pipeline.does_without(stage, *before)
                && !matches!(self.state.stage(*before).state, StageState::Completed { .. })
        })
    }
}
