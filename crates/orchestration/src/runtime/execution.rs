//! One execution of a run: take an event → decide → append → act.
//!
//! The loop waits in exactly one place, on its channel, and for no longer than until the next
//! retry or look at the deadline. Workers end when the execution does.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::worker::{Job, Message, work};
use super::{ExecutionError, Observation, ObservationKind, PipelineExecutor};
use crate::pipeline::StageIndex;
use crate::recovery::{DeadlineWatch, Remaining};
use crate::run::{
    Deadline, Event, EventKind, FencingToken, Guide, Mode, RunReport, RunState, RunStatus,
    completed_dependencies, conclude, decide, losses,
};
use crate::task::{CancellationToken, StageContext};

/// So many ends of attempts share one transaction at most.
const MESSAGES_PER_BATCH_MAX: usize = 256;

pub(super) struct Execution<'e> {
    executor: &'e PipelineExecutor,
    state: RunState,
    /// How many events of this run the journal has.
    sequence: i64,
    /// Handed to every attempt.
    stop: CancellationToken,
    /// How long attempts took whose end is being journalled.
    elapsed: BTreeMap<FencingToken, Duration>,
    deadline: Option<&'e Deadline>,
    watch: DeadlineWatch,
}

impl<'e> Execution<'e> {
    pub(super) fn new(executor: &'e PipelineExecutor, state: RunState, sequence: i64) -> Self {
        let (stop, elapsed) = (CancellationToken::new(), BTreeMap::new());
        let (deadline, watch) = (None, DeadlineWatch::default());
        Self { executor, state, sequence, stop, elapsed, deadline, watch }
    }

    /// Sets by when the run must be done.
    pub(super) fn by(mut self, deadline: Option<&'e Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Records that the run shall not be finished.
    pub(super) fn cancel(mut self, reason: &str) -> Result<RunReport, ExecutionError> {
        let now = self.executor.clock.now();
        let mut events = losses(&self.state, now);
        events.push(Event { at: now, kind: EventKind::RunCancelled { reason: reason.to_owned() } });
        self.apply(&events)?;
        self.append(&events)?;
        Ok(self.report())
    }

    /// Runs the loop on this thread and attempts on others.
    pub(super) fn run(
        mut self,
        cancellation: &CancellationToken,
    ) -> Result<RunReport, ExecutionError> {
        let (jobs_sender, jobs) = channel();
        let (messages_sender, messages) = channel();
        let jobs = Mutex::new(jobs);
        let (stop, wake) = (self.stop.clone(), messages_sender.clone());
        let _subscription = cancellation.on_cancel(move || {
            stop.cancel();
            // If nobody listens any more, the execution is over and there is nothing to stop.
            drop(wake.send(Message::Stop));
        });
        let clock = self.executor.clock.as_ref();
        let run_id = self.state.recorded().run_id;
        let workers = self.executor.workers_max.get().min(self.state.unfinished_count());
        thread::scope(|scope| {
            // Owned by the scope: its drop, on any way out, sends the workers home.
            let jobs_sender = jobs_sender;
            for number in 0..workers {
                let (jobs, messages) = (&jobs, messages_sender.clone());
                let recovery = self.executor.recovery.as_ref();
                thread::Builder::new()
                    .name(format!("worker {number} of {run_id}"))
                    .spawn_scoped(scope, move || work(jobs, &messages, clock, recovery))
                    .map_err(|source| ExecutionError::NoWorker { run_id, source })?;
            }
            let result = self.turn(&jobs_sender, &messages);
            if result.is_err() {
                // Nobody will hear the attempts that are still being made.
                self.stop.cancel();
            }
            result
        })?;
        self.observe(ObservationKind::RunEnded {
            status: RunStatus::from(self.state.phase()),
            degraded: self.state.degraded(),
        });
        Ok(self.report())
    }

    fn turn(
        &mut self,
        jobs: &Sender<Job>,
        messages: &Receiver<Message>,
    ) -> Result<(), ExecutionError> {
        let lost = losses(&self.state, self.executor.clock.now());
        self.apply(&lost)?;
        self.advance(lost, jobs)?;
        while !self.state.is_over() {
            if self.stop.is_cancelled() && self.state.running_count() == 0 {
                return self.interrupt();
            }
            let events = self.take_ends(messages)?;
            self.advance(events, jobs)?;
        }
        Ok(())
    }

    /// Decides everything that follows, makes it durable together with its causes, then acts.
    fn advance(&mut self, causes: Vec<Event>, jobs: &Sender<Job>) -> Result<(), ExecutionError> {
        let now = self.executor.clock.now();
        let executor = self.executor;
        let (recovery, deadline) = (executor.recovery.as_ref(), self.deadline);
        let guide = Guide { mode: self.mode(), recovery, deadline, now };
        let mut events = causes;
        self.state.release_due(now);
        while let Some(event) = decide(&self.state, &guide) {
            self.apply(std::slice::from_ref(&event))?;
            recovery.note(&self.state, &event);
            events.push(event);
        }
        self.append(&events)?;
        self.watch_deadline();
        for event in &events {
            self.act(event, jobs);
        }
        self.elapsed.clear();
        Ok(())
    }

    fn mode(&self) -> Mode {
        if self.stop.is_cancelled() {
            Mode::Stopping
        } else {
            Mode::Working { workers_max: self.executor.workers_max.get() }
        }
    }

    fn watch_deadline(&mut self) {
        let Some(deadline) = self.deadline else { return };
        let remaining = deadline.remaining(&self.state);
        let now = self.executor.clock.now();
        if let Some(alert) = self.watch.look(deadline.policy(), remaining, now) {
            deadline.alert(alert);
        }
    }

    /// Returns when something is to be done even if nothing happens until then.
    fn next_alarm(&self) -> Option<Timestamp> {
        let retry = self.state.next_retry().filter(|_| !self.stop.is_cancelled());
        let look = self.deadline.and_then(|deadline| match deadline.remaining(&self.state) {
            Remaining::Work(path) => self.watch.next_look(deadline.policy(), path),
            Remaining::Nothing => None,
        });
        [retry, look].into_iter().flatten().min()
    }

    fn interrupt(&mut self) -> Result<(), ExecutionError> {
        let event = Event { at: self.executor.clock.now(), kind: EventKind::RunInterrupted };
        self.apply(std::slice::from_ref(&event))?;
        self.append(&[event])
    }

    fn apply(&mut self, events: &[Event]) -> Result<(), ExecutionError> {
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
        self.executor.journal.append(run_id, self.sequence, events, self.state.pipeline())?;
        self.sequence += i64::try_from(events.len()).expect("a batch is in memory");
        Ok(())
    }

    /// Waits until something happens or is due; returns the ends of attempts.
    fn take_ends(&mut self, messages: &Receiver<Message>) -> Result<Vec<Event>, ExecutionError> {
        let first = match self.next_alarm() {
            Some(instant) => messages.recv_timeout(self.executor.clock.until(instant)),
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let mut message = match first {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the subscription to the cancellation token holds a sender")
            }
        };
        let mut events = Vec::new();
        // Whoever ended while the last transaction was on its way to the disk joins the next one.
        for _ in 0..MESSAGES_PER_BATCH_MAX {
            match message {
                Some(Message::Ended { ended, elapsed }) => {
                    let (stage, token) = (ended.stage, ended.token);
                    let now = self.executor.clock.now();
                    match conclude(&self.state, ended, self.mode(), now) {
                        Ok(event) => {
                            self.apply(std::slice::from_ref(&event))?;
                            self.executor.recovery.note(&self.state, &event);
                            events.push(event);
                            self.elapsed.insert(token, elapsed);
                        }
                        Err(superseded) => self.observe(ObservationKind::LateResultRefused {
                            stage: self.stage_name(stage),
                            token: superseded.token,
                        }),
                    }
                }
                Some(Message::Stop) => {}
                None => break,
            }
            message = messages.try_recv().ok();
        }
        Ok(events)
    }

    /// Does what an event that is in the journal asks for, and tells the observer.
    fn act(&self, event: &Event, jobs: &Sender<Job>) {
        let name = |stage: &StageIndex| self.stage_name(*stage);
        let took = |token: &FencingToken| self.elapsed.get(token).copied().unwrap_or_default();
        let kind = match &event.kind {
            EventKind::AttemptStarted { stage, attempt, function, token } => {
                let (attempt, function) = (*attempt, function.clone());
                // Told before it begins, so that no progress is heard of a stage not yet started.
                self.observe(ObservationKind::StageStarted {
                    stage: name(stage),
                    attempt,
                    function,
                });
                return self.start(*stage, attempt, *token, jobs);
            }
            EventKind::StageCompleted { stage, token, degraded, .. } => {
                let (degraded, elapsed) = (degraded.clone(), took(token));
                ObservationKind::StageCompleted { stage: name(stage), degraded, elapsed }
            }
            EventKind::AttemptFailed { stage, token, failure } => {
                let (failure, elapsed) = (failure.clone(), took(token));
                ObservationKind::AttemptFailed { stage: name(stage), failure, elapsed }
            }
            EventKind::AttemptLost { stage, .. } => {
                ObservationKind::AttemptLost { stage: name(stage) }
            }
            EventKind::RetryScheduled { stage, not_before } => {
                ObservationKind::RetryScheduled { stage: name(stage), not_before: *not_before }
            }
            EventKind::RungTaken { stage, rung } => {
                let function = self.state.pipeline().stage(*stage).rung(*rung);
                let function = function.unwrap_or_default().to_owned();
                ObservationKind::FallbackTaken { stage: name(stage), function }
            }
            EventKind::StageFailed { stage } => ObservationKind::StageFailed { stage: name(stage) },
            EventKind::StageSkipped { stage, reason } => {
                ObservationKind::StageSkipped { stage: name(stage), reason: reason.clone() }
            }
            // The end of the execution is told once, when the workers are gone.
            EventKind::AttemptCancelled { .. }
            | EventKind::RunInterrupted
            | EventKind::RunCancelled { .. }
            | EventKind::RunFinished { .. } => return,
        };
        self.observe(kind);
    }

    fn start(&self, stage: StageIndex, attempt: u32, token: FencingToken, jobs: &Sender<Job>) {
        let recorded = self.state.recorded();
        let definition = self.state.pipeline().stage(stage);
        let rung = self.state.stage(stage).ladder.rung();
        let function = definition
            .rung(rung)
            .and_then(|name| self.executor.registry.function(name))
            .expect("functions were checked before the first attempt");
        let outputs = completed_dependencies(&self.state, stage)
            .map(|(name, output)| (name.to_owned(), Arc::clone(output)))
            .collect();
        let (run_id, name) = (recorded.run_id, definition.name.clone());
        let observer = self.executor.observer.clone();
        let context = StageContext {
            run_id,
            run_input: Arc::clone(&recorded.input),
            stage: name.clone(),
            input: definition.input.clone(),
            attempt,
            outputs,
            cancellation: self.stop.clone(),
            on_progress: Box::new(move |progress| {
                if let Some(observer) = &observer {
                    let kind = ObservationKind::StageProgress { stage: name.clone(), progress };
                    observer(&Observation { run_id, kind });
                }
            }),
        };
        let preparation =
            self.executor.recovery.preparation(&definition.name, self.state.stage(stage));
        let function = Arc::clone(function);
        let job = Job { stage, token, function, preparation, context };
        jobs.send(job).expect("the receiver of jobs outlives the execution");
    }

    fn stage_name(&self, stage: StageIndex) -> String {
        self.state.pipeline().stage(stage).name.clone()
    }

    fn observe(&self, kind: ObservationKind) {
        if let Some(observer) = &self.executor.observer {
            observer(&Observation { run_id: self.state.recorded().run_id, kind });
        }
    }

    fn report(&self) -> RunReport {
        RunReport::from(&self.state)
    }
}
