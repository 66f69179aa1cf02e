//! A simulated machine with one process at a time, which executes several runs until all are over
//! or a promise is broken.

use super::chance::Chance;
use super::execution::{Activity, Execution, Fate};
use super::machine::Machine;
use super::outcome::{Occasion, Outcome};
use super::plan;
use crate::run::Mode;

/// No simulated process needs more; one that does hangs.
const STEPS_MAX: u64 = 20_000;

const RUNS_MAX: usize = 3;

#[derive(Debug)]
pub(super) struct World {
    machine: Machine,
    runs: Vec<Execution>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let pools = plan::pools(&mut chance);
        let mut machine = Machine::new(chance, pools);
        let runs = 1 + machine.chance.below(RUNS_MAX);
        let runs = (0..runs).map(|number| Execution::new(number, &mut machine)).collect();
        Self { machine, runs }
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.machine.outcome
    }

    /// Lives until all runs are over, or a promise is broken.
    pub(super) fn live(&mut self) -> Result<(), String> {
        while self.runs.iter().any(|run| !run.is_over()) {
            self.machine.outcome.steps += 1;
            if STEPS_MAX < self.machine.outcome.steps {
                return Err("the runs do not end".to_owned());
            }
            if self.machine.is_troubled() && self.make_trouble()? == Fate::Died {
                self.die()?;
            }
            if self.pass_time()? == Fate::Died {
                self.die()?;
            }
            if std::mem::take(&mut self.machine.were_slots_freed) {
                for run in &mut self.runs {
                    run.is_woken = true;
                }
            }
        }
        for run in &mut self.runs {
            run.ended_well(&mut self.machine).map_err(|promise| named(run.number, &promise))?;
            self.machine.outcome.runs += 1;
        }
        Ok(())
    }

    /// Does by chance what nobody has asked for.
    fn make_trouble(&mut self) -> Result<Fate, String> {
        let chosen = self.machine.chance.below(self.runs.len());
        let (machine, run) = (&mut self.machine, &mut self.runs[chosen]);
        let choice = machine.chance.below(40);
        if choice == 0 {
            machine.outcome.note(Occasion::Death);
            return Ok(Fate::Died);
        }
        if choice == 1 {
            machine.set_clock();
        }
        let is_at_rest = matches!(run.activity, Activity::AtRest { .. });
        match choice {
            2..5 => run.hear_late(machine).map_err(|promise| named(chosen, &promise))?,
            _ if run.is_over() => {}
            5 | 6 if is_at_rest => {
                run.cancel_at_rest(machine).map_err(|promise| named(chosen, &promise))?;
            }
            5 if run.mode != Mode::Stopping => run.stop(machine),
            6 if machine.chance.once_in(4) => {
                run.is_given_up = true;
                run.stop(machine);
            }
            _ => {}
        }
        Ok(Fate::Lives)
    }

    /// Goes to whatever comes first and lets its run have a turn.
    fn pass_time(&mut self) -> Result<Fate, String> {
        let machine = &mut self.machine;
        let (mut next, mut waiting) = (i64::MAX, Vec::new());
        for run in self.runs.iter().filter(|run| !run.is_over()) {
            match run.next(machine) {
                Some(instant) => {
                    next = next.min(instant.max(machine.elapsed));
                    waiting.push((run.number, instant));
                }
                None => run.is_not_lost(machine).map_err(|promise| named(run.number, &promise))?,
            }
        }
        if waiting.is_empty() {
            return match self.runs.iter().all(|run| run.is_over()) {
                true => Ok(Fate::Lives),
                false => Err("every run waits for slots that nobody holds".to_owned()),
            };
        }
        for run in self.runs.iter().filter(|run| !run.is_over()) {
            run.does_not_oversleep(machine, next).map_err(|promise| named(run.number, &promise))?;
        }
        let first: Vec<usize> =
            waiting.iter().filter(|(_, at)| *at <= next).map(|(number, _)| *number).collect();
        let chosen = machine.chance.one_of(&first);
        // A busy process wakes late, and finds that more has happened.
        let lag = if machine.chance.once_in(4) { machine.chance.seconds(90) } else { 0 };
        machine.elapsed = next + lag;
        self.runs[chosen].turn(machine).map_err(|promise| named(chosen, &promise))
    }

    /// The process dies; its workers may go on without knowing. Another one takes over.
    fn die(&mut self) -> Result<(), String> {
        self.machine.forget_pools();
        let until = self.machine.elapsed + self.machine.chance.seconds(300);
        for run in &mut self.runs {
            if !run.is_over() {
                run.lose_memory(until).map_err(|promise| named(run.number, &promise))?;
            }
        }
        Ok(())
    }
}

fn named(run: usize, promise: &str) -> String {
    format!("run {}: {promise}", run + 1)
}
