//! Why a run cannot be submitted or executed. A run that ends FAILED is not such an error.

use crate::journal::JournalError;
use crate::recovery::StageFailure;
use crate::run::{ImpossibleEvent, PoolError, RunId};

/// Why a run cannot be submitted or executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The journal cannot be used; what it holds is unharmed and the run can be resumed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is no such run.
    #[error("run {run_id} is not in the journal")]
    UnknownRun {
        /// The run.
        run_id: RunId,
    },
    /// A schedule names a pipeline that its scheduler does not have.
    #[error(
        "pipeline {pipeline} is not known to the scheduler; remove the schedule, or use a program \
         that has the pipeline"
    )]
    UnknownPipeline {
        /// The pipeline.
        pipeline: String,
    },
    /// Nobody could say what a firing's run is submitted with.
    #[error("firing {key} cannot be run: {failure}")]
    NotPlanned {
        /// The firing.
        key: String,
        /// Why.
        failure: Box<StageFailure>,
    },
    /// A stage names a function that this program does not have.
    #[error(
        "pipeline {pipeline}: stage {stage} calls function {function}, which is not registered; \
         if the run is of an older program, cancel it"
    )]
    UnknownFunction {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// The function.
        function: String,
    },
    /// A stage is to run in a process of its own, and there are none.
    #[error(
        "pipeline {pipeline}: stage {stage} is isolated, but the executor has no pool of isolated \
         workers; give it one with isolate_with"
    )]
    NoIsolation {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
    },
    /// A stage claims slots of a pool that it can never have.
    #[error("pipeline {pipeline}, stage {stage}")]
    Pool {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// Why it cannot.
        source: PoolError,
    },
    /// The run has no such stage or item.
    #[error("run {run_id} has no stage or item {stage}")]
    UnknownStage {
        /// The run.
        run_id: RunId,
        /// The name that nothing has.
        stage: String,
    },
    /// Another thread of this process is executing the run.
    #[error("run {run_id} is being executed already")]
    AlreadyExecuting {
        /// The run.
        run_id: RunId,
    },
    /// The system gives no thread to work on.
    #[error("run {run_id}: no worker thread could be started")]
    NoWorker {
        /// The run.
        run_id: RunId,
        /// What the system said.
        source: std::io::Error,
    },
    /// We decided something that cannot be.
    #[error("run {run_id}: this is a bug in the orchestrator")]
    Inconsistent {
        /// The run.
        run_id: RunId,
        /// What does not fit.
        source: ImpossibleEvent,
    },
}
