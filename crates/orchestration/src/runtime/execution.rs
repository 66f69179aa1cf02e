//! One execution of a run: take an event → decide → append → act.
//!
//! The loop waits in exactly one place, on its channel, and for no longer than until the next
//! retry, the end of somebody's time or a look at the deadline. How it acts is in `acting`.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alarms::{Alarms, Urgency};
use super::commands::{self, Command};
use super::worker::Message;
use super::{ExecutionError, ObservationKind, PipelineExecutor};
use crate::clock::{Awaited, receive};
use crate::pipeline::{PoolClaim, StageIndex};
use crate::recovery::{FailureClass, Remaining, StageFailure};
use crate::run::{
    CancelScope, Deadline, Ended, Event, EventKind, FencingToken, Guide, Mode, RunReport, RunState,
    RunStatus, alert, cancellations, conclude, decide, explanations, losses,
};
use crate::task::{CancellationToken, StageResult};

/// So many ends of attempts share one transaction at most.
const MESSAGES_PER_BATCH_MAX: usize = 256;

pub(super) struct Execution<'e> {
    pub(super) executor: &'e PipelineExecutor,
    pub(super) state: RunState,
    /// How many events of this run the journal has.
    sequence: i64,
    /// Whether new attempts may start.
    stop: CancellationToken,
    /// Why the run shall not be finished, if somebody decided so.
    giving_up: Option<String>,
    /// Who waits until the run is given up.
    gave_up: Vec<Sender<()>>,
    /// Whoever waits for something that is being journalled.
    answers: Vec<Box<dyn FnOnce()>>,
    /// The attempts that are being made.
    pub(super) attempts: BTreeMap<FencingToken, LiveAttempt>,
    pub(super) alarms: Alarms,
    /// How long attempts took whose end is being journalled.
    pub(super) elapsed: BTreeMap<FencingToken, Duration>,
    deadline: Option<&'e Deadline>,
}

/// What an execution knows about an attempt that is being made.
pub(super) struct LiveAttempt {
    pub(super) cancellation: CancellationToken,
    /// Whether a thread makes it; before, it is only decided.
    pub(super) has_begun: bool,
    /// Its slots.
    pub(super) claims: Vec<PoolClaim>,
    /// How long it may take.
    pub(super) limit: Option<SignedDuration>,
    /// Its time, once that is over.
    pub(super) overdue: Option<SignedDuration>,
}

impl<'e> Execution<'e> {
    pub(super) fn new(executor: &'e PipelineExecutor, state: RunState, sequence: i64) -> Self {
        Self {
            executor,
            state,
            sequence,
            stop: CancellationToken::new(),
            giving_up: None,
            gave_up: Vec::new(),
            answers: Vec::new(),
            attempts: BTreeMap::new(),
            alarms: Alarms::default(),
            elapsed: BTreeMap::new(),
            deadline: None,
        }
    }

    /// Sets by when the run must be done.
    pub(super) fn by(mut self, deadline: Option<&'e Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Records that the run, which nobody executes, shall not be finished.
    pub(super) fn give_up(mut self, reason: &str) -> Result<RunReport, ExecutionError> {
        let now = self.executor.clock.now();
        let mut events = losses(&self.state, now);
        events.push(Event { at: now, kind: EventKind::RunCancelled { reason: reason.to_owned() } });
        self.apply(&events)?;
        self.append(&events)?;
        Ok(RunReport::from(&self.state))
    }

    /// Runs the loop on this thread and attempts on others; `sender` wakes it.
    pub(super) fn run(
        mut self,
        cancellation: &CancellationToken,
        sender: &Sender<Message>,
        messages: &Receiver<Message>,
    ) -> Result<RunReport, ExecutionError> {
        let (stop, wake) = (self.stop.clone(), sender.clone());
        let _subscription = cancellation.on_cancel(move || {
            stop.cancel();
            // If nobody listens any more, the execution is over and there is nothing to stop.
            drop(wake.send(Message::Stop));
        });
        let result = self.turn(sender, messages);
        if result.is_err() {
            // Nobody works on when this returns, save in abandoned attempts.
            self.ask_all_to_stop();
            while self.attempts.values().any(|attempt| attempt.has_begun)
                && let Ok(message) = messages.recv()
            {
                if let Message::Ended { ended, .. } = message {
                    self.release(ended.token);
                }
            }
        }
        result?;
        // Whoever does not wait any more misses nothing.
        self.gave_up.retain(|waiting| waiting.send(()).is_ok());
        self.observe(ObservationKind::RunEnded {
            status: RunStatus::from(self.state.phase()),
            degraded: self.state.degraded(),
        });
        Ok(RunReport::from(&self.state))
    }

    fn turn(
        &mut self,
        sender: &Sender<Message>,
        messages: &Receiver<Message>,
    ) -> Result<(), ExecutionError> {
        let lost = losses(&self.state, self.executor.clock.now());
        self.apply(&lost)?;
        self.advance(lost, sender)?;
        while !self.state.is_over() {
            if self.stop.is_cancelled() && self.state.running_count() == 0 {
                return self.halt();
            }
            let events = self.take_messages(messages)?;
            self.advance(events, sender)?;
        }
        Ok(())
    }

    /// Decides everything that follows, makes it durable together with its causes, then acts.
    fn advance(
        &mut self,
        causes: Vec<Event>,
        sender: &Sender<Message>,
    ) -> Result<(), ExecutionError> {
        let mut events = causes;
        loop {
            self.decide_all(&mut events)?;
            self.append(&events)?;
            for answer in self.answers.drain(..) {
                answer();
            }
            for event in &events {
                self.act(event, sender)?;
            }
            self.elapsed.clear();
            events = self.tell_alerts();
            if events.is_empty() {
                return Ok(());
            }
            self.apply(&events)?;
        }
    }

    fn decide_all(&mut self, events: &mut Vec<Event>) -> Result<(), ExecutionError> {
        let executor = self.executor;
        let now = executor.clock.now();
        self.state.release_due(now);
        // Held while deciding, so that no other run takes what this one counts on.
        let mut pools = executor.pools();
        let mut is_first = true;
        loop {
            let guide = Guide {
                mode: self.mode(),
                recovery: executor.recovery.as_ref(),
                deadline: self.deadline,
                pools: &pools,
                now,
            };
            let about_deadline = if is_first { alert(&self.state, &guide) } else { None };
            is_first = false;
            let Some(event) = about_deadline.or_else(|| decide(&self.state, &guide)) else {
                return Ok(());
            };
            let event = self.recall(event)?;
            if let EventKind::AttemptStarted { stage, token, .. } = &event.kind {
                let claims = self.state.layout().definition(*stage).pools.clone();
                pools.take(&claims);
                let cancellation = self.stop.child();
                let (has_begun, limit, overdue) = (false, None, None);
                let attempt = LiveAttempt { cancellation, has_begun, claims, limit, overdue };
                self.attempts.insert(*token, attempt);
            }
            self.apply(std::slice::from_ref(&event))?;
            executor.recovery.note(&self.state, &event);
            events.push(event);
        }
    }

    /// Puts an output that an earlier run made in the place of an attempt, if there is one.
    fn recall(&self, event: Event) -> Result<Event, ExecutionError> {
        let EventKind::AttemptStarted { stage, attempt, token, .. } = &event.kind else {
            return Ok(event);
        };
        let definition = self.state.layout().definition(*stage);
        let (Some(memo), Some(key)) = (&definition.memo, definition.memo_key()) else {
            return Ok(event);
        };
        let not_before = event.at.saturating_sub(memo.lifetime).unwrap_or(Timestamp::MIN);
        let Some(recalled) = self.executor.journal.reader().recall(&key, not_before)? else {
            return Ok(event);
        };
        let (stage, attempt, token) = (*stage, *attempt, *token);
        let kind = EventKind::StageRecalled { stage, attempt, token, recalled };
        Ok(Event { at: event.at, kind })
    }

    /// Tells somebody what was written down that they must be told, and says that it was done. A
    /// process that dies in between tells it again.
    fn tell_alerts(&self) -> Vec<Event> {
        let Some(deadline) = self.deadline else { return Vec::new() };
        let instant = deadline.policy().deadline;
        let due: Vec<_> = self.state.untold().filter(|(of, _)| *of == instant).collect();
        let tell = |(instant, alert)| {
            deadline.alert(alert);
            let kind = EventKind::AlertTold { alert, deadline: instant };
            Event { at: self.executor.clock.now(), kind }
        };
        due.into_iter().map(tell).collect()
    }

    /// Returns how long an attempt may take: its stage's timeout, or less where the deadline wants
    /// the next rung to be taken before that.
    pub(super) fn limit(&self, stage: StageIndex) -> Option<SignedDuration> {
        let timeout = self.state.layout().definition(stage).timeout;
        let now = self.executor.clock.now();
        let patience =
            self.deadline.and_then(|deadline| deadline.patience(&self.state, stage, now));
        [timeout, patience].into_iter().flatten().min()
    }

    pub(super) fn mode(&self) -> Mode {
        if self.stop.is_cancelled() {
            Mode::Stopping
        } else {
            Mode::Working { workers_max: self.executor.workers_max.get() }
        }
    }

    /// Returns when something is to be done even if nothing happens until then.
    fn next_alarm(&self) -> Option<Timestamp> {
        let clock = self.executor.clock.as_ref();
        let retry = self.state.next_retry().filter(|_| !self.stop.is_cancelled());
        let look = self.deadline.and_then(|deadline| match deadline.remaining(&self.state) {
            Remaining::Work(path) => {
                self.state.watch(deadline.policy().deadline).next_look(deadline.policy(), path)
            }
            Remaining::Nothing => None,
        });
        let time_over = self.alarms.next().and_then(|time| {
            let wait = SignedDuration::try_from(time.saturating_sub(clock.monotonic())).ok()?;
            clock.now().saturating_add(wait).ok()
        });
        [retry, look, time_over].into_iter().flatten().min()
    }

    /// Ends an execution that was asked to stop.
    fn halt(&mut self) -> Result<(), ExecutionError> {
        let kind = match self.giving_up.take() {
            Some(reason) => EventKind::RunCancelled { reason },
            None => EventKind::RunInterrupted,
        };
        let event = Event { at: self.executor.clock.now(), kind };
        self.apply(std::slice::from_ref(&event))?;
        self.append(&[event])
    }

    pub(super) fn apply(&mut self, events: &[Event]) -> Result<(), ExecutionError> {
        let run_id = self.state.recorded().run_id;
        for event in events {
            self.state
                .apply(event)
                .map_err(|source| ExecutionError::Inconsistent { run_id, source })?;
        }
        Ok(())
    }

    fn append(&mut self, events: &[Event]) -> Result<(), ExecutionError> {
        if events.is_empty() {
            return Ok(());
        }
        let run_id = self.state.recorded().run_id;
        self.executor.journal.append(run_id, self.sequence, events, self.state.layout())?;
        self.sequence += i64::try_from(events.len()).expect("a batch is in memory");
        Ok(())
    }

    /// Waits until something happens or is due; returns what follows at once.
    fn take_messages(
        &mut self,
        messages: &Receiver<Message>,
    ) -> Result<Vec<Event>, ExecutionError> {
        let attempts = self.attempts.values().filter(|attempt| attempt.has_begun).count();
        let awaited = Awaited { instant: self.next_alarm(), attempts };
        let first = receive(self.executor.clock.as_ref(), messages, awaited);
        let mut message = match first {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the executor holds a sender while the run is executed")
            }
        };
        let mut events = Vec::new();
        // Whoever ended while the last transaction was on its way to the disk joins the next one.
        for _ in 0..MESSAGES_PER_BATCH_MAX {
            match message {
                Some(Message::Ended { ended, elapsed }) => {
                    self.elapsed.insert(ended.token, elapsed);
                    self.end(ended, &mut events)?;
                }
                Some(Message::Command(command)) => self.obey(command, &mut events)?,
                Some(Message::Stop) => self.ask_all_to_stop(),
                Some(Message::PoolsChanged) => {}
                None => break,
            }
            message = messages.try_recv().ok();
        }
        self.ring(&mut events)?;
        Ok(events)
    }

    /// Takes note of the end of an attempt, or refuses its result.
    fn end(&mut self, ended: Ended, events: &mut Vec<Event>) -> Result<(), ExecutionError> {
        let (stage, token) = (ended.stage, ended.token);
        let result = self.blame_time(token, ended.result);
        let now = self.executor.clock.now();
        match conclude(&self.state, Ended { stage, token, result }, self.mode(), now) {
            Ok(event) => {
                self.release(token);
                self.apply(std::slice::from_ref(&event))?;
                self.executor.recovery.note(&self.state, &event);
                events.push(event);
            }
            Err(superseded) => self.observe(ObservationKind::LateResultRefused {
                stage: self.name(stage),
                token: superseded.token,
            }),
        }
        Ok(())
    }

    /// Who stops because its time is over has not been cancelled but was too slow.
    fn blame_time(&self, token: FencingToken, result: StageResult) -> StageResult {
        let overdue = self.attempts.get(&token).and_then(|attempt| attempt.overdue);
        match (result, overdue) {
            (Err(failure), Some(limit)) if failure.class == FailureClass::Cancelled => {
                let message = format!("no output within {limit:#}");
                Err(StageFailure::new(FailureClass::Timeout, message))
            }
            (result, _) => result,
        }
    }

    /// Asks attempts whose time is over to stop, and abandons those that do not.
    fn ring(&mut self, events: &mut Vec<Event>) -> Result<(), ExecutionError> {
        let now = self.executor.clock.monotonic();
        while let Some((stage, token, urgency)) = self.alarms.ring(now) {
            let Some(attempt) = self.attempts.get_mut(&token) else { continue };
            match urgency {
                Urgency::Ask => {
                    attempt.overdue = attempt.limit;
                    attempt.cancellation.cancel();
                }
                Urgency::Abandon => {
                    let class = match attempt.overdue {
                        Some(_) => FailureClass::Timeout,
                        None => FailureClass::Cancelled,
                    };
                    let message = "the attempt ignored its token when it was asked to stop; it \
                                   was abandoned, and its result will be refused";
                    let result = Err(StageFailure::new(class, message));
                    self.end(Ended { stage, token, result }, events)?;
                }
            }
        }
        Ok(())
    }

    fn obey(&mut self, command: Command, events: &mut Vec<Event>) -> Result<(), ExecutionError> {
        match command {
            Command::CancelRun { reason, reply } => {
                self.giving_up.get_or_insert(reason);
                self.gave_up.push(reply);
                self.stop.cancel();
                self.ask_all_to_stop();
                let now = self.executor.clock.monotonic();
                for stage in self.state.running() {
                    if let Some(token) = self.state.token(stage) {
                        self.alarms.abandon_later(now, stage, token);
                    }
                }
            }
            Command::CancelStage { stage, scope, reason, reply } => {
                let cancelled = match commands::find(&self.state, &stage) {
                    Ok(index) => Ok(self.cancel_stages(index, (scope, &reason), events)?),
                    Err(error) => Err(error),
                };
                // Whoever does not wait any more misses nothing.
                self.answers.push(Box::new(move || drop(reply.send(cancelled))));
            }
            Command::Explain { limit, reply } => {
                let pools = self.executor.pools().clone();
                let told = explanations(&self.state, Some(&pools), limit);
                drop(reply.send(told));
            }
        }
        Ok(())
    }

    /// Cancels stages; what runs of them is asked to stop, and its result will be refused.
    fn cancel_stages(
        &mut self,
        stage: StageIndex,
        wish: (CancelScope, &str),
        events: &mut Vec<Event>,
    ) -> Result<Vec<String>, ExecutionError> {
        let wanted = cancellations(&self.state, stage, wish, self.executor.clock.now());
        for event in &wanted {
            if let EventKind::StageCancelled { stage, .. } = event.kind
                && let Some(token) = self.state.token(stage)
            {
                if let Some(attempt) = self.attempts.get(&token) {
                    attempt.cancellation.cancel();
                }
                self.release(token);
            }
        }
        let cancelled = commands::apply_cancellations(&mut self.state, &wanted)?;
        events.extend(wanted);
        Ok(cancelled)
    }

    fn ask_all_to_stop(&self) {
        for attempt in self.attempts.values() {
            attempt.cancellation.cancel();
        }
    }

    /// Gives back what an attempt held.
    pub(super) fn release(&mut self, token: FencingToken) {
        let Some(attempt) = self.attempts.remove(&token) else { return };
        if !attempt.claims.is_empty() {
            self.executor.pools().give_back(&attempt.claims);
            self.executor.wake_others(self.state.recorded().run_id);
        }
    }
}

impl Drop for Execution<'_> {
    fn drop(&mut self) {
        let tokens: Vec<FencingToken> = self.attempts.keys().copied().collect();
        for token in tokens {
            self.release(token);
        }
    }
}
