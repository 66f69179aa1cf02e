//! A simulated machine: a process that decides, workers that misbehave, a clock that is set, and a
//! journal that keeps what was written when the process dies.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::chance::Chance;
use super::{Outcome, plan, promises};
use crate::pipeline::StageIndex;
use crate::recovery::{DeadlineAlert, ErrorRecoveryManager, FailureClass, Remaining, StageFailure};
use crate::run::{
    Deadline, Ended, Event, EventKind, FencingToken, Guide, Mode, Pools, Recorded, RunId, RunState,
    StageState, alert, conclude, decide, losses,
};
use crate::task::{StageOutput, StageResult};

/// No simulated run needs more; one that does hangs.
const STEPS_MAX: u32 = 20_000;

/// Crashes, stops and clock steps come only at first, so that every run can end.
const TROUBLE_STEPS: u32 = 60;

/// An attempt that somebody makes: a living worker or one whose process is believed dead.
struct Attempt {
    stage: StageIndex,
    token: FencingToken,
    /// In the time that no clock step touches.
    ends_at: i64,
}

pub(super) struct World {
    chance: Chance,
    state: RunState,
    journal: Vec<Event>,
    recovery: ErrorRecoveryManager,
    pools: Pools,
    deadline: Deadline,
    /// What somebody was told, in order.
    told: Vec<DeadlineAlert>,
    working: Vec<Attempt>,
    zombies: Vec<Attempt>,
    /// Stages whose completion was accepted.
    accepted: BTreeSet<StageIndex>,
    mode: Mode,
    workers_max: usize,
    begin: Timestamp,
    /// Seconds since the begin.
    elapsed: i64,
    /// How far the wall clock was set from the truth, in seconds.
    skew: i64,
    outcome: Outcome,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let begin = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        let pipeline = plan::pipeline(&mut chance);
        let stages = pipeline.stages().len();
        let recovery = plan::recovery(&mut chance, stages);
        let deadline = plan::deadline(&mut chance, begin, stages);
        let workers_max = 1 + chance.below(4);
        let state = RunState::new(Recorded {
            run_id: RunId(1),
            pipeline: Arc::new(pipeline),
            key: "simulated".to_owned(),
            input: Arc::new(Value::Null),
            submitted_at: begin,
        });
        Self {
            chance,
            state,
            journal: Vec::new(),
            recovery,
            pools: Pools::default(),
            deadline,
            told: Vec::new(),
            working: Vec::new(),
            zombies: Vec::new(),
            accepted: BTreeSet::new(),
            mode: Mode::Working { workers_max },
            workers_max,
            begin,
            elapsed: 0,
            skew: 0,
            outcome: Outcome::default(),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Lives until the run is over, or a promise is broken.
    pub(super) fn live(&mut self) -> Result<(), String> {
        self.advance(Vec::new())?;
        while !self.state.is_over() {
            self.outcome.steps += 1;
            if STEPS_MAX < self.outcome.steps {
                return Err("the run does not end".to_owned());
            }
            self.step()?;
            promises::replays(&self.state, &self.journal)?;
            if self.workers_max < self.state.running_count()
                || self.state.running_count() != self.working.len()
            {
                return Err(format!("{} attempts are believed alive", self.state.running_count()));
            }
        }
        promises::ended_well(&self.state, &self.journal)?;
        self.check_alerts()
    }

    fn step(&mut self) -> Result<(), String> {
        if self.outcome.steps < TROUBLE_STEPS {
            match self.chance.below(24) {
                0 => return self.die(),
                1 => self.set_clock(),
                2 if matches!(self.mode, Mode::Working { .. }) => {
                    self.mode = Mode::Stopping;
                    self.outcome.stops += 1;
                }
                3 => return self.hear_zombie(),
                _ => {}
            }
        }
        if self.mode == Mode::Stopping && self.working.is_empty() {
            return self.interrupt();
        }
        self.wait_and_hear()
    }

    fn now(&self) -> Timestamp {
        self.begin + SignedDuration::from_secs(self.elapsed + self.skew)
    }

    fn set_clock(&mut self) {
        self.skew += self.chance.seconds(7_200) - 3_600;
        self.outcome.clock_steps += 1;
    }

    /// Waits for whatever comes first: the end of an attempt, a retry or a look at the deadline.
    fn wait_and_hear(&mut self) -> Result<(), String> {
        let ends = self.working.iter().map(|attempt| attempt.ends_at).min();
        let retry = match self.mode {
            Mode::Working { .. } => self.state.next_retry(),
            Mode::Stopping => None,
        };
        let policy = self.deadline.policy();
        let look = match self.deadline.remaining(&self.state) {
            Remaining::Work(path) => self.state.watch(policy.deadline).next_look(policy, path),
            Remaining::Nothing => None,
        };
        let alarm = [retry, look].into_iter().flatten().min().map(|instant| {
            // A process sleeps for as long as the wall clock says, rounded up to a second.
            let wait = (instant - self.now()).as_secs().max(0) + 1;
            self.elapsed + wait
        });
        let Some(next) = [ends, alarm].into_iter().flatten().min() else {
            return Err("nothing is under way and nothing is awaited: a stage is lost".to_owned());
        };
        self.elapsed = self.elapsed.max(next);
        let ended = self.working.iter().position(|attempt| attempt.ends_at <= self.elapsed);
        let events = match ended {
            Some(place) => {
                let attempt = self.working.swap_remove(place);
                vec![self.end(&attempt)?]
            }
            None => Vec::new(),
        };
        self.advance(events)
    }

    /// An attempt that is believed alive ends, well or badly.
    fn end(&mut self, attempt: &Attempt) -> Result<Event, String> {
        let (stage, token) = (attempt.stage, attempt.token);
        let result = self.result();
        if result.is_err() {
            self.outcome.failures += 1;
        } else if !self.accepted.insert(stage) {
            return Err(format!("a second completion of {stage:?} is accepted"));
        }
        let event = conclude(&self.state, Ended { stage, token, result }, self.mode, self.now())
            .map_err(|error| format!("a living attempt is refused: {error}"))?;
        self.apply(&event)?;
        Ok(event)
    }

    fn result(&mut self) -> StageResult {
        if self.mode == Mode::Stopping && self.chance.once_in(2) {
            return Err(StageFailure::new(FailureClass::Cancelled, "asked to stop"));
        }
        if !self.chance.once_in(3) {
            return Ok(StageOutput::fresh(Value::Null));
        }
        let class = self.chance.one_of(&FailureClass::ALL);
        let mut failure = StageFailure::new(class, "by chance");
        if self.chance.once_in(8) {
            failure = failure.with_wait(SignedDuration::from_secs(self.chance.seconds(5_000)));
        }
        Err(failure)
    }

    /// Decides what follows, writes it down, and only then acts.
    fn advance(&mut self, causes: Vec<Event>) -> Result<(), String> {
        let mut events = causes;
        self.state.release_due(self.now());
        let mut is_first = true;
        loop {
            let (recovery, deadline) = (&self.recovery, Some(&self.deadline));
            let pools = &self.pools;
            let guide = Guide { mode: self.mode, recovery, deadline, pools, now: self.now() };
            let about_deadline = if is_first { alert(&self.state, &guide) } else { None };
            is_first = false;
            let Some(event) = about_deadline.or_else(|| decide(&self.state, &guide)) else {
                break;
            };
            if let EventKind::AttemptStarted { stage, .. } = event.kind {
                promises::may_start(&self.state, stage)?;
            }
            self.apply(&event)?;
            events.push(event);
        }
        let may_die = self.outcome.steps < TROUBLE_STEPS && !self.state.is_over();
        if may_die && self.chance.once_in(40) {
            // Nothing of this was written: what was decided has never happened.
            return self.die();
        }
        self.journal.extend(events.iter().cloned());
        if may_die && self.chance.once_in(40) {
            // It was written that attempts begin, but nobody makes them.
            return self.die();
        }
        for event in &events {
            if let EventKind::AttemptStarted { stage, token, .. } = event.kind {
                self.outcome.attempts += 1;
                // One in twelve hangs for hours.
                let takes = if self.chance.once_in(12) { 20_000 } else { 400 };
                let ends_at = self.elapsed + self.chance.seconds(takes);
                self.working.push(Attempt { stage, token, ends_at });
            }
        }
        self.tell()
    }

    /// Tells somebody what was written down that they must be told, and writes that down.
    fn tell(&mut self) -> Result<(), String> {
        let due: Vec<_> = self.state.untold().collect();
        if due.is_empty() {
            return Ok(());
        }
        let mut events = Vec::new();
        for (deadline, alert) in due {
            self.told.push(alert);
            self.outcome.alerts += 1;
            let kind = EventKind::AlertTold { alert, deadline };
            let event = Event { at: self.now(), kind };
            self.apply(&event)?;
            events.push(event);
        }
        self.advance(events)
    }

    fn apply(&mut self, event: &Event) -> Result<(), String> {
        self.state.apply(event).map_err(|error| format!("a decision is impossible: {error}"))
    }

    /// Each alert is raised once, whoever dies; it is told, and only a process that dies between
    /// telling and writing that down makes another one tell it again. Whoever ends a late run has
    /// told that it is late.
    fn check_alerts(&self) -> Result<(), String> {
        let raised: Vec<_> = self.journal.iter().filter_map(raised).collect();
        if !raised.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(format!("the alerts {raised:?} are not one of each, in order"));
        }
        let mut told = self.told.clone();
        told.dedup();
        if told != raised {
            return Err(format!("{raised:?} were raised and {:?} told", self.told));
        }
        let ended = self.state.ended_at().unwrap_or(Timestamp::MAX);
        if self.deadline.policy().deadline < ended && raised.last() != Some(&DeadlineAlert::Missed)
        {
            return Err("the deadline was missed and nobody was told".to_owned());
        }
        Ok(())
    }

    fn interrupt(&mut self) -> Result<(), String> {
        let event = Event { at: self.now(), kind: EventKind::RunInterrupted };
        self.apply(&event)?;
        self.journal.push(event);
        self.elapsed += self.chance.seconds(600);
        self.resume()
    }

    /// The process dies; its workers may go on without knowing.
    fn die(&mut self) -> Result<(), String> {
        self.outcome.crashes += 1;
        self.zombies.append(&mut self.working);
        self.elapsed += self.chance.seconds(300);
        self.resume()
    }

    /// Another process reads the journal and carries on.
    fn resume(&mut self) -> Result<(), String> {
        let mut state = RunState::new(self.state.recorded().clone());
        for event in &self.journal {
            state.apply(event).map_err(|error| format!("the journal is refused: {error}"))?;
        }
        self.accepted = state
            .pipeline()
            .indices()
            .filter(|stage| matches!(state.stage(*stage).state, StageState::Completed { .. }))
            .collect();
        self.state = state;
        self.mode = Mode::Working { workers_max: self.workers_max };
        let lost = losses(&self.state, self.now());
        for event in &lost {
            self.apply(event)?;
        }
        self.advance(lost)
    }

    /// A worker of a dead process comes back with a result: nobody may take it.
    fn hear_zombie(&mut self) -> Result<(), String> {
        let Some(attempt) = self.zombies.pop() else { return Ok(()) };
        let result = Ok(StageOutput::fresh(Value::from("late")));
        let ended = Ended { stage: attempt.stage, token: attempt.token, result };
        match conclude(&self.state, ended, self.mode, self.now()) {
            Ok(_) => Err(format!("the late result of token {} is accepted", attempt.token)),
            Err(_) => {
                self.outcome.refused += 1;
                Ok(())
            }
        }
    }
}

fn raised(event: &Event) -> Option<DeadlineAlert> {
    match event.kind {
        EventKind::AlertRaised { alert, .. } => Some(alert),
        _ => None,
    }
}
