//! Submits pipelines, executes their runs and cancels them.
//!
//! It holds what executions share; one execution itself is in `execution`.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::execution::Execution;
use super::{ExecutionError, Observation};
use crate::clock::Clock;
use crate::journal::{Earlier, Journal, Submission};
use crate::pipeline::Pipeline;
use crate::recovery::ErrorRecoveryManager;
use crate::run::{Deadline, RunId, RunReport, RunState};
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
    executing: Mutex<BTreeSet<RunId>>,
}

impl PipelineExecutor {
    /// Returns an executor that makes at most `workers_max` attempts of a run at once.
    pub fn new(
        journal: Journal,
        registry: Registry,
        clock: Arc<dyn Clock>,
        workers_max: NonZeroUsize,
    ) -> Self {
        let (executing, recovery) = (Mutex::default(), Arc::default());
        Self { journal, registry, clock, workers_max, observer: None, recovery, executing }
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
        self.check_functions(&pipeline)?;
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
        let _claim = Claim::new(&self.executing, run_id)?;
        let (state, sequence) = self.load(run_id)?;
        if state.is_over() {
            return Ok(RunReport::from(&state));
        }
        self.check_functions(state.pipeline())?;
        Execution::new(self, state, sequence).by(deadline).run(cancellation)
    }

    /// Gives a run up: what has not ended never will. Does nothing to a run that is over.
    pub fn cancel(&self, run_id: RunId, reason: &str) -> Result<RunReport, ExecutionError> {
        let _claim = Claim::new(&self.executing, run_id)?;
        let (state, sequence) = self.load(run_id)?;
        if state.is_over() {
            return Ok(RunReport::from(&state));
        }
        Execution::new(self, state, sequence).cancel(reason)
    }

    fn load(&self, run_id: RunId) -> Result<(RunState, i64), ExecutionError> {
        self.journal.reader().state(run_id)?.ok_or(ExecutionError::UnknownRun { run_id })
    }

    fn check_functions(&self, pipeline: &Pipeline) -> Result<(), ExecutionError> {
        for stage in pipeline.stages() {
            for function in stage.functions() {
                if self.registry.function(function).is_none() {
                    return Err(ExecutionError::UnknownFunction {
                        pipeline: pipeline.name().to_owned(),
                        stage: stage.name.clone(),
                        function: function.to_owned(),
                    });
                }
            }
        }
        Ok(())
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
    executing: &'e Mutex<BTreeSet<RunId>>,
    run_id: RunId,
}

impl<'e> Claim<'e> {
    fn new(executing: &'e Mutex<BTreeSet<RunId>>, run_id: RunId) -> Result<Self, ExecutionError> {
        let is_new = executing.lock().unwrap_or_else(PoisonError::into_inner).insert(run_id);
        if is_new {
            Ok(Self { executing, run_id })
        } else {
            Err(ExecutionError::AlreadyExecuting { run_id })
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.executing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.run_id);
    }
}
