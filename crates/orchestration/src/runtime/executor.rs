//! Submits pipelines, executes their runs and cancels them, or parts of them.
//!
//! It holds what executions share: journal, functions, threads and pools. One execution itself is
//! in `execution`.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::commands::{self, Command};
use super::execution::Execution;
use super::threads::Threads;
use super::worker::Message;
use super::{ExecutionError, IsolatedPool, Observation};
use crate::clock::Clock;
use crate::journal::{Earlier, Journal, Submission};
use crate::pipeline::Pipeline;
use crate::recovery::ErrorRecoveryManager;
use crate::run::{CancelScope, Deadline, Pools, RunId, RunReport, RunState, StageExplanation};
use crate::task::{CancellationToken, Registry};

/// What is called with every observation, from any thread.
pub(super) type Observer = Box<dyn Fn(&Observation) + Send + Sync>;

/// Runs pipelines durably.
pub struct PipelineExecutor {
    pub(super) journal: Journal,
    pub(super) registry: Registry,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) workers_max: NonZeroUsize,
    pub(super) observer: Option<Arc<Observer>>,
    pub(super) recovery: Arc<ErrorRecoveryManager>,
    pub(super) threads: Threads,
    pub(super) isolated: Option<Arc<IsolatedPool>>,
    pools: Mutex<Pools>,
    /// The runs that some thread executes, and how to wake it.
    executing: Mutex<BTreeMap<RunId, Sender<Message>>>,
}

impl PipelineExecutor {
    /// Returns an executor that makes at most `workers_max` attempts of a run at once.
    pub fn new(
        journal: Journal,
        registry: Registry,
        clock: Arc<dyn Clock>,
        workers_max: NonZeroUsize,
    ) -> Self {
        Self {
            journal,
            registry,
            clock,
            workers_max,
            observer: None,
            recovery: Arc::default(),
            threads: Threads::default(),
            isolated: None,
            pools: Mutex::default(),
            executing: Mutex::default(),
        }
    }

    /// Sets what is done about failures, in all runs.
    #[must_use]
    pub fn recover_with(mut self, recovery: Arc<ErrorRecoveryManager>) -> Self {
        self.recovery = recovery;
        self
    }

    /// Tells `observer` what happens; it is called from any thread and should return soon.
    #[must_use]
    pub fn observe(mut self, observer: Box<dyn Fn(&Observation) + Send + Sync>) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Defines a pool of which the attempts of all runs together occupy at most so many slots.
    ///
    /// An abandoned attempt has given its slots back, although nobody can stop what it does.
    #[must_use]
    pub fn pool(self, pool: impl Into<String>, slots: u32) -> Self {
        self.pools().define(pool, slots);
        self
    }

    /// Makes the attempts of stages that are isolated in the children of `pool`, which serve the
    /// same functions.
    #[must_use]
    pub fn isolate_with(mut self, pool: Arc<IsolatedPool>) -> Self {
        self.isolated = Some(pool);
        self
    }

    /// Returns the journal, for reading.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Records a run of `pipeline`, or finds the unfinished one with the same name and `key`.
    pub fn submit(
        &self,
        pipeline: &Pipeline,
        key: &str,
        input: Value,
    ) -> Result<Submission, ExecutionError> {
        self.submit_unless(Earlier::Unfinished, pipeline, key, &input)
    }

    /// Records a run of `pipeline`, or finds the first one with the same name and `key`, even if it
    /// is over: submitting twice does the work once.
    pub fn submit_once(
        &self,
        pipeline: &Pipeline,
        key: &str,
        input: Value,
    ) -> Result<Submission, ExecutionError> {
        self.submit_unless(Earlier::First, pipeline, key, &input)
    }

    fn submit_unless(
        &self,
        earlier: Earlier,
        pipeline: &Pipeline,
        key: &str,
        input: &Value,
    ) -> Result<Submission, ExecutionError> {
        let pipeline = pipeline.clone().with_fallbacks(&self.recovery);
        self.check(&pipeline)?;
        let now = self.clock.now();
        Ok(self.journal.submit(earlier, &pipeline, (key, input), now)?)
    }

    /// Executes a run from wherever it stands, until it is over or `cancellation` asks to stop.
    ///
    /// After a stop the run is INTERRUPTED and can be executed again. A stage whose completion was
    /// journalled is never repeated; one that was in the middle is tried again.
    pub fn execute(
        &self,
        run_id: RunId,
        cancellation: &CancellationToken,
    ) -> Result<RunReport, ExecutionError> {
        self.execute_until(run_id, cancellation, None)
    }

    /// Executes a run like [`Self::execute`], under a deadline: where there is no time for a retry,
    /// the next rung is taken; alerts tell when the deadline is at risk and when it was missed.
    pub fn execute_by(
        &self,
        run_id: RunId,
        cancellation: &CancellationToken,
        deadline: &Deadline,
    ) -> Result<RunReport, ExecutionError> {
        self.execute_until(run_id, cancellation, Some(deadline))
    }

    fn execute_until(
        &self,
        run_id: RunId,
        cancellation: &CancellationToken,
        deadline: Option<&Deadline>,
    ) -> Result<RunReport, ExecutionError> {
        let (messages, claim) = Claim::new(self, run_id)?;
        let (state, sequence) = self.load(run_id)?;
        if state.is_over() {
            return Ok(RunReport::from(&state));
        }
        self.check(state.pipeline())?;
        let execution = Execution::new(self, state, sequence).by(deadline);
        execution.run(cancellation, &claim.sender, &messages)
    }

    /// Gives a run up: what has not ended never will. Does nothing to a run that is over. Attempts
    /// that are being made are asked to stop, and abandoned if they do not.
    pub fn cancel(&self, run_id: RunId, reason: &str) -> Result<RunReport, ExecutionError> {
        let reason = reason.to_owned();
        let command = |reply| Command::CancelRun { reason: reason.clone(), reply };
        if !self.command(run_id, command)? {
            let (_messages, _claim) = Claim::new(self, run_id)?;
            let (state, sequence) = self.load(run_id)?;
            if !state.is_over() {
                return Execution::new(self, state, sequence).give_up(&reason);
            }
        }
        Ok(RunReport::from(&self.load(run_id)?.0))
    }

    /// Cancels a stage such as `fetch`, an item such as `fetch[17]`, or a stage and everything
    /// behind it, also while the run is executed. Returns what was cancelled, by name; what has
    /// ended already is not.
    pub fn cancel_stage(
        &self,
        run_id: RunId,
        stage: &str,
        scope: CancelScope,
        reason: &str,
    ) -> Result<Vec<String>, ExecutionError> {
        let mut answer = None;
        let command = |reply| {
            let (stage, reason) = (stage.to_owned(), reason.to_owned());
            Command::CancelStage { stage, scope, reason, reply }
        };
        if self.ask(run_id, command, &mut answer)? {
            return answer.unwrap_or(Ok(Vec::new()));
        }
        let (_messages, _claim) = Claim::new(self, run_id)?;
        let (mut state, sequence) = self.load(run_id)?;
        let index = commands::find(&state, stage)?;
        let now = self.clock.now();
        let events = commands::cancellations_at_rest(&state, index, (scope, reason), now);
        let cancelled = commands::apply_cancellations(&mut state, &events)?;
        self.journal.append(run_id, sequence, &events, state.layout())?;
        Ok(cancelled)
    }

    /// Tells what every stage and item that has not ended is waiting for, at most `limit` of them.
    pub fn explain(
        &self,
        run_id: RunId,
        limit: usize,
    ) -> Result<Vec<StageExplanation>, ExecutionError> {
        let mut answer = None;
        if self.ask(run_id, |reply| Command::Explain { limit, reply }, &mut answer)? {
            return Ok(answer.unwrap_or_default());
        }
        Ok(self.journal.reader().explain(run_id, limit)?)
    }

    /// Hands a command to whoever executes the run and waits until it was obeyed; tells whether
    /// somebody does.
    fn command(
        &self,
        run_id: RunId,
        command: impl Fn(Sender<()>) -> Command,
    ) -> Result<bool, ExecutionError> {
        self.ask(run_id, command, &mut None)
    }

    fn ask<T>(
        &self,
        run_id: RunId,
        command: impl Fn(Sender<T>) -> Command,
        answer: &mut Option<T>,
    ) -> Result<bool, ExecutionError> {
        let Some(execution) = self.executing().get(&run_id).cloned() else { return Ok(false) };
        let (reply, replies) = channel();
        if execution.send(Message::Command(command(reply))).is_err() {
            return Ok(false);
        }
        // An execution that ends without an answer has come to its end before it heard.
        *answer = replies.recv().ok();
        Ok(answer.is_some())
    }

    fn load(&self, run_id: RunId) -> Result<(RunState, i64), ExecutionError> {
        self.journal.reader().state(run_id)?.ok_or(ExecutionError::UnknownRun { run_id })
    }

    /// Checks that functions and pools are there.
    fn check(&self, pipeline: &Pipeline) -> Result<(), ExecutionError> {
        let pools = self.pools();
        for stage in pipeline.stages() {
            let names = || (pipeline.name().to_owned(), stage.name.to_string());
            for (rung, function) in stage.functions().enumerate() {
                let is_served = match (&stage.isolation, &self.isolated) {
                    (Some(_), Some(pool)) if rung == 0 => {
                        pool.functions().any(|served| served == function)
                    }
                    (Some(_), None) if rung == 0 => {
                        let (pipeline, stage) = names();
                        return Err(ExecutionError::NoIsolation { pipeline, stage });
                    }
                    (Some(_) | None, _) => self.registry.function(function).is_some(),
                };
                if !is_served {
                    let ((pipeline, stage), function) = (names(), function.to_owned());
                    return Err(ExecutionError::UnknownFunction { pipeline, stage, function });
                }
            }
            pools.check(&stage.pools).map_err(|source| {
                let (pipeline, stage) = names();
                ExecutionError::Pool { pipeline, stage, source }
            })?;
        }
        Ok(())
    }

    pub(super) fn pools(&self) -> MutexGuard<'_, Pools> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the other executions: slots of a pool were given back.
    pub(super) fn wake_others(&self, run_id: RunId) {
        for (other, execution) in self.executing().iter() {
            if *other != run_id {
                // Whoever has just ended needs no slots.
                drop(execution.send(Message::PoolsChanged));
            }
        }
    }

    fn executing(&self) -> MutexGuard<'_, BTreeMap<RunId, Sender<Message>>> {
        self.executing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PipelineExecutor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PipelineExecutor")
            .field("journal", &self.journal)
            .field("registry", &self.registry)
            .field("workers_max", &self.workers_max)
            .finish_non_exhaustive()
    }
}

/// Keeps two threads from executing one run.
struct Claim<'e> {
    executor: &'e PipelineExecutor,
    run_id: RunId,
    sender: Sender<Message>,
}

impl<'e> Claim<'e> {
    /// Returns the claim behind the messages, so that it ends before they are thrown away and
    /// whoever hears that can claim the run.
    fn new(
        executor: &'e PipelineExecutor,
        run_id: RunId,
    ) -> Result<(Receiver<Message>, Self), ExecutionError> {
        let (sender, messages) = channel();
        let mut executing = executor.executing();
        if executing.contains_key(&run_id) {
            return Err(ExecutionError::AlreadyExecuting { run_id });
        }
        executing.insert(run_id, sender.clone());
        drop(executing);
        Ok((messages, Self { executor, run_id, sender }))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.executor.executing().remove(&self.run_id);
    }
}
