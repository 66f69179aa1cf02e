//! How an execution acts on events that are in the journal: attempts start, observers are told.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::SignedDuration;

use super::execution::Execution;
use super::worker::{Job, Message};
use super::{ExecutionError, IsolatedLimits, Observation, ObservationKind};
use crate::pipeline::{Stage, StageIndex};
use crate::run::{Ended, Event, EventKind, FencingToken, completed_dependencies};
use crate::task::{CancellationToken, StageContext, StageFunction, StageOutput};

impl Execution<'_> {
    /// Does what an event that is in the journal asks for, and tells the observer.
    pub(super) fn act(
        &mut self,
        event: &Event,
        sender: &Sender<Message>,
    ) -> Result<(), ExecutionError> {
        // Told before it begins, so that no progress is heard of a stage not yet started.
        if self.executor.observer.is_some()
            && let Some(kind) = self.observation(&event.kind)
        {
            self.observe(kind);
        }
        match &event.kind {
            EventKind::AttemptStarted { stage, attempt, token, .. } => {
                self.start(*stage, *attempt, *token, sender)
            }
            _ => Ok(()),
        }
    }

    /// Returns what an event means to somebody who watches, if it does.
    fn observation(&self, kind: &EventKind) -> Option<ObservationKind> {
        let name = |stage: &StageIndex| self.name(*stage);
        let took = |token: &FencingToken| self.elapsed.get(token).copied().unwrap_or_default();
        Some(match kind {
            EventKind::AttemptStarted { stage, attempt, function, .. } => {
                let (attempt, function) = (*attempt, function.to_string());
                ObservationKind::StageStarted { stage: name(stage), attempt, function }
            }
            EventKind::StageCompleted { stage, token, degraded, .. } => {
                let (degraded, elapsed) = (degraded.clone(), took(token));
                ObservationKind::StageCompleted { stage: name(stage), degraded, elapsed }
            }
            EventKind::StageRecalled { stage, recalled, .. } => {
                let (stage, from) = (name(stage), recalled.from);
                ObservationKind::StageRecalled { stage, from, completed_at: recalled.completed_at }
            }
            EventKind::FanOutOpened { stage, count } => {
                ObservationKind::FanOutOpened { stage: name(stage), count: *count }
            }
            EventKind::FanOutJoined { stage } => {
                let degraded = self.state.degraded_of(*stage);
                ObservationKind::FanOutJoined { stage: name(stage), degraded }
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
                let function = self.state.layout().definition(*stage).rung(*rung);
                let function = function.unwrap_or_default().to_owned();
                ObservationKind::FallbackTaken { stage: name(stage), function }
            }
            EventKind::StageFailed { stage } => ObservationKind::StageFailed { stage: name(stage) },
            EventKind::StageSkipped { stage, reason } => {
                ObservationKind::StageSkipped { stage: name(stage), reason: reason.clone() }
            }
            EventKind::StageCancelled { stage, reason } => {
                ObservationKind::StageCancelled { stage: name(stage), reason: reason.clone() }
            }
            // Alerts are told by themselves, and the end of the execution once it is there.
            EventKind::AttemptCancelled { .. }
            | EventKind::AlertRaised { .. }
            | EventKind::AlertTold { .. }
            | EventKind::RunInterrupted
            | EventKind::RunCancelled { .. }
            | EventKind::RunFinished { .. } => return None,
        })
    }

    fn start(
        &mut self,
        stage: StageIndex,
        attempt: u32,
        token: FencingToken,
        sender: &Sender<Message>,
    ) -> Result<(), ExecutionError> {
        let executor = self.executor;
        let limit = self.limit(stage);
        // Who was cancelled in the same breath need not begin.
        let Some(live) = self.attempts.get_mut(&token) else { return Ok(()) };
        (live.has_begun, live.limit) = (true, limit);
        let cancellation = live.cancellation.clone();
        let definition = self.state.layout().definition(stage);
        let rung = self.state.stage(stage).ladder.rung();
        // Isolated workers watch their time themselves.
        let watches_itself = definition.isolation.is_some() && rung == 0;
        if let Some(limit) = limit.filter(|_| !watches_itself) {
            self.alarms.arm(executor.clock.monotonic(), limit, (stage, token));
        }
        if let Some(value) = definition.value_on(rung) {
            let result = Ok(StageOutput::fresh(value.clone()));
            let (ended, elapsed) = (Ended { stage, token, result }, Duration::ZERO);
            sender.send(Message::Ended { ended, elapsed }).expect("this execution is listening");
            return Ok(());
        }
        let function = self.function(definition, rung, limit);
        let context = self.context(stage, attempt, cancellation);
        let record = self.state.stage(stage);
        let shared = (&context.run_input, &context.cancellation);
        let preparation = executor.recovery.preparation(&definition.name, record, shared);
        let job = Job { stage, token, function, preparation, context };
        let (clock, recovery) = (Arc::clone(&executor.clock), Arc::clone(&executor.recovery));
        let sender = sender.clone();
        let run_id = self.state.recorded().run_id;
        executor
            .threads
            .run(Box::new(move || job.make(clock.as_ref(), &recovery, &sender)))
            .map_err(|source| {
                self.release(token);
                ExecutionError::NoWorker { run_id, source }
            })
    }

    /// Returns what is called for a rung: in this process, or in a child. What stands in for an
    /// isolated function runs here, so that it depends on nothing that may have failed.
    fn function(
        &self,
        definition: &Stage,
        rung: usize,
        limit: Option<SignedDuration>,
    ) -> StageFunction {
        let name = definition.rung(rung).unwrap_or_default();
        let isolation = definition.isolation.as_ref().filter(|_| rung == 0);
        match (isolation, &self.executor.isolated) {
            (Some(isolation), Some(pool)) => {
                let timeout = limit.and_then(|time| Duration::try_from(time).ok());
                let memory_bytes_max = isolation.memory_max_bytes;
                let limits = IsolatedLimits { timeout, memory_bytes_max };
                let (pool, name) = (Arc::clone(pool), name.to_owned());
                Arc::new(move |context| pool.call(&name, limits, context))
            }
            (Some(_), None) | (None, _) => {
                let function = self.executor.registry.function(name);
                Arc::clone(function.expect("functions were checked before the first attempt"))
            }
        }
    }

    fn context(
        &self,
        stage: StageIndex,
        attempt: u32,
        cancellation: CancellationToken,
    ) -> StageContext {
        let recorded = self.state.recorded();
        let definition = self.state.layout().definition(stage);
        let outputs = completed_dependencies(&self.state, stage)
            .map(|(name, output)| (name.to_owned(), Arc::clone(output)))
            .collect();
        let (run_id, name) = (recorded.run_id, self.name(stage));
        let observer = self.executor.observer.clone();
        StageContext {
            run_id,
            run_input: Arc::clone(&recorded.input),
            stage: definition.name.to_string(),
            item: self.state.layout().item_of(stage).zip(self.state.item_value(stage)),
            input: definition.input.clone(),
            attempt,
            outputs,
            cancellation,
            on_progress: Box::new(move |progress| {
                if let Some(observer) = &observer {
                    let kind = ObservationKind::StageProgress { stage: name.clone(), progress };
                    observer(&Observation { run_id, kind });
                }
            }),
        }
    }

    pub(super) fn name(&self, stage: StageIndex) -> String {
        self.state.layout().name(stage).into_owned()
    }

    pub(super) fn observe(&self, kind: ObservationKind) {
        if let Some(observer) = &self.executor.observer {
            observer(&Observation { run_id: self.state.recorded().run_id, kind });
        }
    }
}
