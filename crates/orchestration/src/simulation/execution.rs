//! A simulated execution of one run: take what happened → decide → write → act, like the runtime,
//! with a death possible between any two of these.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;

use super::machine::Machine;
use super::outcome::Occasion;
use super::plan;
use super::promises::{Account, HeldUp, Told, replayed, same};
use super::worker::{ABANDON_AFTER, LiveAttempt};
use crate::pipeline::StageIndex;
use crate::recovery::{ErrorRecoveryManager, FailureClass, Remaining, StageFailure};
use crate::run::{
    Deadline, Ended, Event, EventKind, FencingToken, Guide, Mode, Recalled, Recorded, RunId,
    RunState, alert, conclude, decide, losses,
};
use crate::task::StageOutput;

/// Whether the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Fate {
    Lives,
    Died,
}

/// What the process does about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    /// Nothing until somebody resumes it.
    AtRest { until: i64 },
    /// It executes the run.
    Executing,
}

#[derive(Debug)]
pub(super) struct Execution {
    pub(super) number: usize,
    pub(super) state: RunState,
    /// A second bookkeeper of the same events.
    pub(super) account: Account,
    /// What was written: all that outlives the process.
    journal: Vec<Event>,
    /// Somebody who reads what is written and has seen nothing else.
    reader: RunState,
    recovery: ErrorRecoveryManager,
    deadline: Option<Deadline>,
    workers_max: usize,
    /// A stage whose own function takes the process down.
    deadly: Option<StageIndex>,
    pub(super) activity: Activity,
    pub(super) mode: Mode,
    pub(super) is_given_up: bool,
    /// Whether slots of a pool were given back by others.
    pub(super) is_woken: bool,
    pub(super) attempts: BTreeMap<FencingToken, LiveAttempt>,
    /// Attempts that nobody waits for and that come to their end all the same.
    pub(super) late: Vec<(StageIndex, FencingToken)>,
    told: Told,
}

impl Execution {
    pub(super) fn new(number: usize, machine: &mut Machine) -> Self {
        let chance = &mut machine.chance;
        let pipeline = plan::pipeline(chance, &machine.pools);
        let stages = pipeline.stages().len();
        let recovery = plan::recovery(chance, stages);
        let workers_max = 1 + chance.below(4);
        let deadly = chance.once_in(20).then(|| StageIndex(chance.below(stages)));
        let until = if number == 0 { 0 } else { chance.seconds(600) };
        let now = machine.now();
        let deadline = plan::deadline(&mut machine.chance, now, &pipeline);
        let state = RunState::new(Recorded {
            run_id: RunId(i64::try_from(number).unwrap_or(0) + 1),
            pipeline: Arc::new(pipeline),
            key: "simulated".to_owned(),
            input: Arc::new(Value::Null),
            submitted_at: now,
        });
        Self {
            number,
            account: Account::new(&state),
            reader: state.clone(),
            state,
            journal: Vec::new(),
            recovery,
            deadline: Some(deadline),
            workers_max,
            deadly,
            activity: Activity::AtRest { until },
            mode: Mode::Working { workers_max },
            is_given_up: false,
            is_woken: false,
            attempts: BTreeMap::new(),
            late: Vec::new(),
            told: Told::default(),
        }
    }

    /// Returns when something happens to the run, if nobody else wakes it.
    pub(super) fn next(&self, machine: &Machine) -> Option<i64> {
        if let Activity::AtRest { until } = self.activity {
            return Some(until);
        }
        let is_stopping = self.mode == Mode::Stopping;
        if self.is_woken || (is_stopping && self.attempts.is_empty()) {
            return Some(machine.elapsed);
        }
        let retry = self.state.next_retry().filter(|_| !is_stopping);
        let look = self.deadline.as_ref().and_then(|deadline| {
            let policy = deadline.policy();
            match deadline.remaining(&self.state) {
                Remaining::Work(path) => self.state.watch(policy.deadline).next_look(policy, path),
                Remaining::Nothing => None,
            }
        });
        let alarms = [retry, look].into_iter().flatten().map(|instant| machine.wake_at(instant));
        self.attempts.values().map(LiveAttempt::next).chain(alarms).min()
    }

    /// Something must be under way or awaited; only slots that others hold give themselves back.
    pub(super) fn is_not_lost(&self, machine: &Machine) -> Result<(), String> {
        let room = machine.room(self.workers_max)?;
        let held_up = self.account.nothing_is_left_lying(&room)?;
        let waits_for_others = held_up.contains(&HeldUp::ByPool);
        let message = || "nothing is under way and nothing is awaited".to_owned();
        waits_for_others.then_some(()).ok_or_else(message)
    }

    /// Nobody may sleep until `next` if somebody must be told before.
    pub(super) fn does_not_oversleep(&self, machine: &Machine, next: i64) -> Result<(), String> {
        let (Some(deadline), Activity::Executing) = (&self.deadline, self.activity) else {
            return Ok(());
        };
        let wakes = machine.wall(next);
        match self.account.alert_due(deadline.policy()) {
            Some(due) if due + SignedDuration::from_secs(1) < wakes && machine.now() < due => {
                Err(format!("an alert is due at {due} and the process sleeps until {wakes}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A process takes the run up from what is written.
    pub(super) fn resume(&mut self, machine: &mut Machine) -> Result<Fate, String> {
        self.activity = Activity::Executing;
        self.mode = Mode::Working { workers_max: self.workers_max };
        if !self.journal.is_empty() && machine.strikes(Occasion::DeadlineChange, 8) {
            let now = machine.now();
            let deadline = plan::deadline(&mut machine.chance, now, self.state.pipeline());
            self.deadline = (!machine.chance.once_in(3)).then_some(deadline);
        }
        let lost = losses(&self.state, machine.now());
        for event in &lost {
            self.apply(event)?;
        }
        self.advance(machine, lost)
    }

    /// Decides all that follows, writes it down, and only then acts.
    pub(super) fn advance(
        &mut self,
        machine: &mut Machine,
        causes: Vec<Event>,
    ) -> Result<Fate, String> {
        let mut events = causes;
        loop {
            self.decide_all(machine, &mut events)?;
            let may_die = !events.is_empty();
            // Nothing of this was written: what was decided has never happened.
            if may_die && machine.strikes(Occasion::DeathBeforeWriting, 50) {
                self.told.forget(&events);
                return Ok(Fate::Died);
            }
            self.write(machine, &events)?;
            // It is written that attempts begin, but nobody makes them.
            if may_die && machine.strikes(Occasion::DeathBeforeActing, 50) {
                return Ok(Fate::Died);
            }
            for event in &events {
                self.act(machine, event)?;
            }
            events = self.tell(machine)?;
            if events.is_empty() {
                return Ok(Fate::Lives);
            }
            if machine.strikes(Occasion::DeathAfterTelling, 20) {
                self.told.forget(&events);
                return Ok(Fate::Died);
            }
            for event in &events {
                self.apply(event)?;
            }
        }
    }

    fn decide_all(&mut self, machine: &mut Machine, events: &mut Vec<Event>) -> Result<(), String> {
        let now = machine.now();
        self.state.release_due(now);
        self.account.release(now);
        let mut is_first = true;
        loop {
            let (recovery, deadline) = (&self.recovery, self.deadline.as_ref());
            let guide = Guide { mode: self.mode, recovery, deadline, pools: &machine.pools, now };
            let about_deadline = if is_first { alert(&self.state, &guide) } else { None };
            is_first = false;
            let Some(event) = about_deadline.or_else(|| decide(&self.state, &guide)) else {
                return self.has_decided_all(machine);
            };
            let event = self.recall(machine, event)?;
            self.apply(&event)?;
            events.push(event);
        }
    }

    /// Judges the start of an attempt, and puts an output of an earlier run in its place by chance.
    fn recall(&mut self, machine: &mut Machine, event: Event) -> Result<Event, String> {
        let EventKind::AttemptStarted { stage, attempt, token, .. } = event.kind else {
            return Ok(event);
        };
        if self.mode == Mode::Stopping {
            return Err("an attempt starts although the process shall stop".to_owned());
        }
        if self.account.may_start(stage, &machine.room(self.workers_max)?)? {
            machine.outcome.note(Occasion::Ageing);
        }
        let definition = self.state.layout().definition(stage);
        if definition.memo.is_some() && machine.chance.once_in(3) {
            let output = plan::output(&mut machine.chance, self.state.pipeline(), &definition.name);
            let recalled = Recalled { from: RunId(99), completed_at: event.at, output };
            let kind = EventKind::StageRecalled { stage, attempt, token, recalled };
            return Ok(Event { at: event.at, kind });
        }
        machine.take(self.number, token, &definition.pools);
        Ok(event)
    }

    fn has_decided_all(&mut self, machine: &mut Machine) -> Result<(), String> {
        if self.state.is_over() {
            return Ok(());
        }
        let workers_max = if self.mode == Mode::Stopping { 0 } else { self.workers_max };
        for held_up in self.account.nothing_is_left_lying(&machine.room(workers_max)?)? {
            machine.outcome.note(match held_up {
                HeldUp::ByLimit => Occasion::HeldUpByLimit,
                HeldUp::ByPool => Occasion::HeldUpByPool,
            });
        }
        if self.account.has_nothing_left() && !self.owes_a_word() {
            return Err("all has ended but for the run".to_owned());
        }
        let Some(deadline) = &self.deadline else { return Ok(()) };
        self.account.nothing_is_hushed_up(deadline.policy(), machine.now())
    }

    /// Tells whether somebody must be told of an alert by this process.
    fn owes_a_word(&self) -> bool {
        let deadline = self.deadline.as_ref().map(|deadline| deadline.policy().deadline);
        self.state.untold().any(|(of, _)| Some(of) == deadline)
    }

    /// Tells somebody what is written that they must be told; returns that it was done.
    fn tell(&mut self, machine: &mut Machine) -> Result<Vec<Event>, String> {
        let Some(deadline) = &self.deadline else { return Ok(Vec::new()) };
        let instant = deadline.policy().deadline;
        let due: Vec<_> = self.state.untold().filter(|(of, _)| *of == instant).collect();
        let mut events = Vec::new();
        for (deadline, alert) in due {
            self.told.hear((deadline, alert), &self.account)?;
            machine.outcome.note(Occasion::Alert);
            let kind = EventKind::AlertTold { alert, deadline };
            events.push(Event { at: machine.now(), kind });
        }
        Ok(events)
    }

    pub(super) fn apply(&mut self, event: &Event) -> Result<(), String> {
        let refused = |error| format!("a decision is impossible: {error}");
        self.state.apply(event).map_err(refused)?;
        self.account.note(event, &self.state)
    }

    pub(super) fn write(&mut self, machine: &mut Machine, events: &[Event]) -> Result<(), String> {
        for event in events {
            self.reader.apply(event).map_err(|error| format!("a reader refuses: {error}"))?;
            self.tally(machine, event);
        }
        machine.outcome.events += events.len() as u64;
        self.journal.extend_from_slice(events);
        same(&self.state, &self.reader)
    }

    fn act(&mut self, machine: &mut Machine, event: &Event) -> Result<(), String> {
        let EventKind::AttemptStarted { stage, token, .. } = event.kind else { return Ok(()) };
        machine.outcome.attempts += 1;
        self.sees_what_it_should(stage)?;
        let is_deadly = self.deadly == Some(self.state.layout().stage_of(stage))
            && self.state.stage(stage).ladder.rung() == 0;
        let timeout = self.state.layout().definition(stage).timeout;
        let attempt = LiveAttempt::begin(machine, stage, timeout, is_deadly);
        self.attempts.insert(token, attempt);
        Ok(())
    }

    /// An attempt of a run comes to an end that somebody hears of.
    pub(super) fn end(
        &mut self,
        machine: &mut Machine,
        ended: Ended,
        events: &mut Vec<Event>,
    ) -> Result<(), String> {
        let own = match &ended.result {
            Ok(output) => output.degraded.clone(),
            Err(_) => Vec::new(),
        };
        let token = ended.token;
        let has_obeyed = self.mode == Mode::Stopping
            && matches!(&ended.result, Err(failure) if failure.class == FailureClass::Cancelled);
        let event = conclude(&self.state, ended, self.mode, machine.now())
            .map_err(|error| format!("a living attempt is refused: {error}"))?;
        machine.give_back(self.number, token);
        if let EventKind::StageCompleted { degraded, .. } = &event.kind
            && own.iter().any(|reason| !degraded.contains(reason))
        {
            return Err(format!("what the worker says of its output is lost: {own:?}"));
        }
        if has_obeyed != matches!(event.kind, EventKind::AttemptCancelled { .. }) {
            return Err(format!("{} is not what stopping counts for", event.kind.as_str()));
        }
        self.apply(&event)?;
        events.push(event);
        Ok(())
    }

    /// Somebody whose time is over, or who was cancelled or lost, comes with a result all the same.
    pub(super) fn hear_late(&mut self, machine: &mut Machine) -> Result<(), String> {
        // What a run was told that nobody executes would be judged by whoever resumes it.
        let is_heard = self.activity == Activity::Executing || self.is_over();
        if self.late.is_empty() || !is_heard {
            return Ok(());
        }
        let (stage, token) = self.late.swap_remove(machine.chance.below(self.late.len()));
        let result = match machine.chance.once_in(3) {
            true => Err(StageFailure::new(FailureClass::Connection, "late")),
            false => Ok(StageOutput::fresh(Value::from("late"))),
        };
        machine.outcome.note(Occasion::LateResult);
        match conclude(&self.state, Ended { stage, token, result }, self.mode, machine.now()) {
            Ok(_) => Err(format!("the late result of token {token} is accepted")),
            Err(_) => Ok(()),
        }
    }

    /// Asks everybody to stop; abandons those who do not if the run is given up.
    pub(super) fn stop(&mut self, machine: &mut Machine) {
        self.mode = Mode::Stopping;
        for attempt in self.attempts.values_mut() {
            attempt.ask_to_stop(machine);
            if self.is_given_up {
                attempt.abandon_at.get_or_insert(machine.elapsed + ABANDON_AFTER);
            }
        }
    }

    /// Tells whether it is written that the run is over.
    pub(super) fn is_over(&self) -> bool {
        self.reader.is_over()
    }

    /// The process is gone: what is written is all there is.
    pub(super) fn lose_memory(&mut self, until: i64) -> Result<(), String> {
        let attempts = std::mem::take(&mut self.attempts);
        self.late.extend(attempts.into_iter().map(|(token, attempt)| (attempt.stage, token)));
        self.state = replayed(&self.reader, &self.journal)?;
        self.account = Account::new(&self.state);
        let mut state = RunState::new(self.state.recorded().clone());
        for event in &self.journal {
            state.apply(event).map_err(|error| format!("the journal is refused: {error}"))?;
            self.account.note(event, &state)?;
        }
        (self.is_given_up, self.is_woken) = (false, false);
        self.activity = Activity::AtRest { until };
        Ok(())
    }

    /// The run is over: what must be true of it as a whole.
    pub(super) fn ended_well(&mut self, machine: &mut Machine) -> Result<(), String> {
        replayed(&self.state, &self.journal)?;
        while !self.late.is_empty() {
            self.hear_late(machine)?;
        }
        self.told.check(&self.account)?;
        let (Some(deadline), Some(ended_at)) = (&self.deadline, self.state.ended_at()) else {
            return Ok(());
        };
        match self.journal.last().map(|event| &event.kind) {
            Some(EventKind::RunFinished { .. }) => {
                self.account.ended_with_all_told(deadline.policy(), ended_at)
            }
            _ => Ok(()),
        }
    }
}
