//! Simulated attempts: they take their time, fail, hang, take the process down, do not listen.

use jiff::SignedDuration;

use super::machine::Machine;
use super::outcome::Occasion;
use super::plan;
use super::promises::OWN_REASON;
use crate::pipeline::StageIndex;
use crate::recovery::{FailureClass, StageFailure};
use crate::run::RunState;
use crate::task::{StageOutput, StageResult};

/// An attempt that was asked to stop and has not ended so many seconds after is abandoned.
pub(super) const ABANDON_AFTER: i64 = 2;

/// An attempt that somebody makes. All times are those that no clock step touches.
#[derive(Debug)]
pub(super) struct LiveAttempt {
    pub(super) stage: StageIndex,
    pub(super) ends_at: i64,
    /// When its time is over.
    pub(super) ask_at: Option<i64>,
    pub(super) abandon_at: Option<i64>,
    /// Its time, once that is over.
    pub(super) overdue: Option<SignedDuration>,
    /// Whether the process dies with its end.
    pub(super) is_deadly: bool,
    was_asked: bool,
    is_deaf: bool,
}

impl LiveAttempt {
    pub(super) fn begin(
        machine: &mut Machine,
        stage: StageIndex,
        timeout: Option<SignedDuration>,
        is_deadly: bool,
    ) -> Self {
        let takes = match machine.chance.below(12) {
            0 => {
                machine.outcome.note(Occasion::Hang);
                20_000
            }
            // Some end in the same instant.
            1..4 => 60 * machine.chance.seconds(5),
            _ => machine.chance.seconds(400),
        };
        Self {
            stage,
            ends_at: machine.elapsed + takes,
            ask_at: timeout.map(|timeout| machine.elapsed + timeout.as_secs()),
            abandon_at: None,
            overdue: None,
            is_deadly,
            was_asked: false,
            is_deaf: machine.chance.once_in(3),
        }
    }

    /// Asks the attempt to stop; whoever listens does so soon, sometimes too late.
    pub(super) fn ask_to_stop(&mut self, machine: &mut Machine) {
        if !self.was_asked && !self.is_deaf {
            let soon = machine.elapsed + machine.chance.seconds(4);
            self.ends_at = self.ends_at.min(soon);
        }
        self.was_asked = true;
    }

    /// Returns when something happens to the attempt.
    pub(super) fn next(&self) -> i64 {
        let alarms = [self.ask_at, self.abandon_at];
        alarms.into_iter().flatten().min().map_or(self.ends_at, |alarm| alarm.min(self.ends_at))
    }

    /// Returns what the attempt comes to, as the process understands it.
    pub(super) fn result(&self, machine: &mut Machine, state: &RunState) -> StageResult {
        if self.was_asked && !self.is_deaf && !machine.chance.once_in(4) {
            let (class, message) = match self.overdue {
                Some(_) => (FailureClass::Timeout, "no output in time"),
                None => (FailureClass::Cancelled, "asked to stop"),
            };
            return Err(StageFailure::new(class, message));
        }
        if machine.chance.once_in(3) {
            let class = machine.chance.one_of(&FailureClass::ALL);
            let failure = StageFailure::new(class, "by chance");
            if machine.chance.once_in(8) {
                let wait = SignedDuration::from_secs(machine.chance.seconds(5_000));
                return Err(failure.with_wait(wait));
            }
            return Err(failure);
        }
        let name = state.layout().name(self.stage);
        let value = plan::output(&mut machine.chance, state.pipeline(), &name);
        let output = StageOutput::fresh(value);
        if machine.chance.once_in(6) {
            return Ok(output.degraded_because(format!("{OWN_REASON}{name} used old data")));
        }
        Ok(output)
    }
}
