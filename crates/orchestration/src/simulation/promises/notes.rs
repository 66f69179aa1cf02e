//! What each event changes in the account, and which promise it must not break.
//!
//! Every place comes to one end, every attempt has a token of its own and is the only living one,
//! what is needed has completed, what is not wanted never begins, and the run ends as it should.

use jiff::Timestamp;

use super::Account;
use super::account::{Place, Prospect, Standing};
use crate::pipeline::StageIndex;
use crate::run::{Event, EventKind, FencingToken, RunEnd, RunState, SkipCause, StageState};

/// A stage whose process died so often during one rung is blamed for it.
pub(in crate::simulation) const DEATHS_MAX: u32 = 20;

/// More failed attempts than this no simulated policy allows on one rung.
const ATTEMPTS_ON_RUNG_MAX: u32 = 4;

impl Account {
    /// Hears an event that `state` has taken note of already.
    pub(in crate::simulation) fn note(
        &mut self,
        event: &Event,
        state: &RunState,
    ) -> Result<(), String> {
        if self.is_over {
            return Err(format!("{} happens after the end of the run", event.kind.as_str()));
        }
        let at = event.at;
        match &event.kind {
            EventKind::AttemptStarted { stage, attempt, function, token } => {
                self.begin(stage.0, *attempt, *token)?;
                let rung = self.places[stage.0].rung;
                if self.definition(stage.0).rung(rung) != Some(function) {
                    return Err(format!("{} calls {function} on rung {rung}", self.name(stage.0)));
                }
            }
            EventKind::StageRecalled { stage, attempt, token, recalled } => {
                self.begin(stage.0, *attempt, *token)?;
                if self.definition(stage.0).memo.is_none() {
                    return Err(format!("{} recalls and may not", self.name(stage.0)));
                }
                let (value, degraded) = (recalled.output.clone(), Vec::new());
                self.end(stage.0, Standing::Completed { value, degraded }, at)?;
            }
            EventKind::StageCompleted { stage, token, output, degraded } => {
                self.stop(*stage, *token)?;
                self.reasons(stage.0).check(degraded)?;
                let (value, degraded) = (output.clone(), degraded.clone());
                self.end(stage.0, Standing::Completed { value, degraded }, at)?;
            }
            EventKind::FanOutOpened { stage, count } => self.open(stage.0, *count, at)?,
            EventKind::FanOutJoined { stage } => self.join(*stage, state, at)?,
            EventKind::AttemptFailed { stage, token, .. } => {
                self.stop(*stage, *token)?;
                self.places[stage.0].failed_on_rung += 1;
            }
            EventKind::AttemptCancelled { stage, token } => {
                self.stop(*stage, *token)?;
                self.places[stage.0].standing = Standing::Ready { since: at };
            }
            EventKind::AttemptLost { stage, token } => {
                self.stop(*stage, *token)?;
                let place = &mut self.places[stage.0];
                place.lost_on_rung += 1;
                if place.lost_on_rung < DEATHS_MAX {
                    place.standing = Standing::Ready { since: at };
                }
            }
            EventKind::RetryScheduled { .. }
            | EventKind::RungTaken { .. }
            | EventKind::StageFailed { .. }
            | EventKind::StageSkipped { .. }
            | EventKind::StageCancelled { .. } => self.note_verdict(event)?,
            EventKind::AlertRaised { alert, deadline } => self.raise((*deadline, *alert))?,
            EventKind::AlertTold { alert, deadline } => self.tell((*deadline, *alert))?,
            EventKind::RunInterrupted => self.nobody_runs("the run is interrupted")?,
            EventKind::RunCancelled { .. } => {
                self.nobody_runs("the run is given up")?;
                for at in 0..self.places.len() {
                    if !self.places[at].has_ended() {
                        self.places[at].standing = Standing::Cancelled;
                    }
                }
                self.is_over = true;
            }
            EventKind::RunFinished { end, degraded } => {
                self.check_end(*end)?;
                self.reasons_of_run().check(degraded)?;
                self.is_over = true;
            }
        }
        Ok(())
    }

    /// What follows a failure, or the want of something.
    fn note_verdict(&mut self, event: &Event) -> Result<(), String> {
        match &event.kind {
            EventKind::RetryScheduled { stage, not_before } => {
                let place = self.faltered(stage.0, "is tried again")?;
                if ATTEMPTS_ON_RUNG_MAX <= place.failed_on_rung || *not_before < event.at {
                    return Err(format!("attempt {} is tried again", place.attempts));
                }
                place.standing = Standing::Retrying { not_before: *not_before };
            }
            EventKind::RungTaken { stage, rung } => {
                let rungs = self.definition(stage.0).fallbacks.len();
                let place = self.faltered(stage.0, "takes a rung")?;
                if *rung != place.rung + 1 || rungs < *rung {
                    return Err(format!("rung {rung} of {rungs} follows {}", place.rung));
                }
                place.rung = *rung;
                (place.failed_on_rung, place.lost_on_rung) = (0, 0);
                place.standing = Standing::Ready { since: event.at };
            }
            EventKind::StageFailed { stage } => {
                if !self.may_fail(stage.0) {
                    return Err(format!("{} fails for no reason", self.name(stage.0)));
                }
                self.end(stage.0, Standing::Failed, event.at)?;
            }
            EventKind::StageSkipped { stage, reason } => {
                let cause = self.why_skipped(stage.0, reason)?;
                let reason = reason.clone();
                self.end(stage.0, Standing::Skipped { reason, cause }, event.at)?;
            }
            EventKind::StageCancelled { stage, .. } => {
                if self.items(stage.0).any(|item| !self.places[item].has_ended()) {
                    return Err(format!("{} is cancelled before its items", self.name(stage.0)));
                }
                self.end(stage.0, Standing::Cancelled, event.at)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// An attempt begins: of something whose turn has come, under a new token.
    fn begin(&mut self, at: usize, attempt: u32, token: FencingToken) -> Result<(), String> {
        let name = self.name(at);
        if !self.tokens.insert(token) {
            return Err(format!("token {token} is given twice"));
        }
        let place = &mut self.places[at];
        if attempt != place.attempts + 1 {
            return Err(format!("attempt {attempt} of {name} follows {}", place.attempts));
        }
        match place.standing {
            // In an account of what was written nobody has watched the clock.
            Standing::Ready { .. } | Standing::Retrying { .. } => {}
            Standing::Waiting
            | Standing::Running { .. }
            | Standing::Faltered
            | Standing::Open
            | Standing::Completed { .. }
            | Standing::Failed
            | Standing::Skipped { .. }
            | Standing::Cancelled => {
                return Err(format!("{name} starts and is {:?}", place.standing));
            }
        }
        place.attempts = attempt;
        place.standing = Standing::Running { token };
        Ok(())
    }

    /// The living attempt of a place ends.
    fn stop(&mut self, stage: StageIndex, token: FencingToken) -> Result<(), String> {
        let name = self.name(stage.0);
        let place = &mut self.places[stage.0];
        if place.standing != (Standing::Running { token }) {
            return Err(format!("attempt {token} of {name} ends, which is {:?}", place.standing));
        }
        place.standing = Standing::Faltered;
        Ok(())
    }

    fn end(&mut self, at: usize, end: Standing, instant: Timestamp) -> Result<(), String> {
        if self.places[at].has_ended() {
            return Err(format!("{} comes to a second end", self.name(at)));
        }
        self.places[at].standing = end;
        self.ended.push(at);
        self.awaken(instant);
        Ok(())
    }

    fn faltered(&mut self, at: usize, what: &str) -> Result<&mut Place, String> {
        let name = self.name(at);
        let place = &mut self.places[at];
        if place.standing != Standing::Faltered {
            return Err(format!("{name} {what} and is {:?}", place.standing));
        }
        Ok(place)
    }

    fn open(&mut self, stage: usize, count: usize, at: Timestamp) -> Result<(), String> {
        let name = self.name(stage);
        if !self.may_open(stage) || self.count_of_collection(stage) != Some(count) {
            return Err(format!("{name} opens with {count} items"));
        }
        self.places[stage].standing = Standing::Open;
        for item in 0..count {
            let standing = Standing::Ready { since: at };
            self.places.push(Place { standing, ..Self::place(stage, Some(item)) });
        }
        Ok(())
    }

    fn may_open(&self, stage: usize) -> bool {
        self.definition(stage).map.is_some()
            && self.places[stage].standing == Standing::Waiting
            && self.prospect(stage) == Prospect::Due
    }

    fn join(&mut self, stage: StageIndex, state: &RunState, at: Timestamp) -> Result<(), String> {
        let name = self.name(stage.0);
        let is_fine = |item: &Place| item.has_ended() && item.standing != Standing::Failed;
        let is_done = self.items(stage.0).all(|item| is_fine(&self.places[item]));
        if self.places[stage.0].standing != Standing::Open || !is_done {
            return Err(format!("{name} is joined before its time"));
        }
        let StageState::Completed { output } = &state.stage(stage).state else {
            return Err(format!("{name} is joined and has no output"));
        };
        if output.value != self.joined_value(stage.0) {
            return Err(format!("{name} is joined to {}", output.value));
        }
        self.joined_reasons(stage.0).check(&output.degraded)?;
        let (value, degraded) = (output.value.clone(), output.degraded.clone());
        self.end(stage.0, Standing::Completed { value, degraded }, at)
    }

    /// Nothing is left to try, or the items cannot be counted, or one of them has failed.
    fn may_fail(&self, at: usize) -> bool {
        let place = &self.places[at];
        match place.standing {
            Standing::Faltered => place.rung == self.definition(at).fallbacks.len(),
            Standing::Waiting => self.may_open(at) && self.count_of_collection(at).is_none(),
            Standing::Open => {
                let items = || self.items(at).map(|item| &self.places[item]);
                items().all(Place::has_ended)
                    && items().any(|item| item.standing == Standing::Failed)
            }
            Standing::Ready { .. }
            | Standing::Retrying { .. }
            | Standing::Running { .. }
            | Standing::Completed { .. }
            | Standing::Failed
            | Standing::Skipped { .. }
            | Standing::Cancelled => false,
        }
    }

    fn why_skipped(&self, at: usize, reason: &str) -> Result<SkipCause, String> {
        let name = self.name(at);
        if self.places[at].standing == Standing::Faltered {
            return Ok(SkipCause::Failure);
        }
        if self.places[at].standing != Standing::Waiting {
            return Err(format!("{name} is skipped and is {:?}", self.places[at].standing));
        }
        match self.prospect(at) {
            Prospect::NotWanted if reason.contains(&name) => Ok(SkipCause::Condition),
            Prospect::Doomed(needed) => {
                self.want(needed).check(&[reason.to_owned()])?;
                Ok(match &self.places[needed].standing {
                    Standing::Cancelled => SkipCause::Cancelled,
                    Standing::Skipped { cause, .. } => *cause,
                    _ => SkipCause::Failure,
                })
            }
            prospect => Err(format!("{name} is skipped ({reason}) and its prospect {prospect:?}")),
        }
    }

    fn nobody_runs(&self, what: &str) -> Result<(), String> {
        match self.places.iter().position(Place::is_running) {
            Some(at) => Err(format!("{what} while {} runs", self.name(at))),
            None => Ok(()),
        }
    }

    /// All has ended, and the run failed if a stage did that nobody does without.
    fn check_end(&self, end: RunEnd) -> Result<(), String> {
        if let Some(at) = self.places.iter().position(|place| !place.has_ended()) {
            return Err(format!("the run ends and {} has not", self.name(at)));
        }
        let is_failed = (0..self.needs.len())
            .any(|stage| self.places[stage].standing == Standing::Failed && !self.is_spared(stage));
        let expected = if is_failed { RunEnd::Failed } else { RunEnd::Completed };
        if end == expected { Ok(()) } else { Err(format!("the run ends {end:?}")) }
    }
}
