//! Why tasks cannot be defined or executed. A task that fails is not such an error.

use super::{TaskId, TaskStatus};
use crate::pipeline::PipelineError;
use crate::run::{ImpossibleEvent, PoolError};

/// Why tasks cannot be defined or executed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Two tasks have one name.
    #[error("two tasks are named {task}; rename one")]
    DuplicateName {
        /// The name.
        task: String,
    },
    /// A task was removed, or is of another manager.
    #[error("task {id} is not in this manager")]
    UnknownTask {
        /// The task.
        id: TaskId,
    },
    /// A task waits for itself.
    #[error("task {task} cannot depend on itself")]
    SelfDependency {
        /// The task.
        task: String,
    },
    /// A task needs the output of another, so that dependency cannot be removed.
    #[error("task {task} takes the output of {on}; remove the task instead")]
    InputDependency {
        /// The task that depends.
        task: String,
        /// The task it takes its input from.
        on: String,
    },
    /// Others still depend on a task.
    #[error("task {task} is needed by {}; remove those first", dependents.join(", "))]
    HasDependents {
        /// The task.
        task: String,
        /// Who depends on it.
        dependents: Vec<String>,
    },
    /// The recovery manager has a named function for a task, whose fallbacks are closures.
    #[error("task {task}: name no function as its fallback, but give the task one of its own type")]
    NamedFallback {
        /// The task.
        task: String,
    },
    /// A task claims slots of a pool that it can never have.
    #[error("task {task}")]
    Pool {
        /// The task.
        task: String,
        /// Why it cannot.
        source: PoolError,
    },
    /// A task has no output.
    #[error("task {task} has no output, it is {status}")]
    NoOutput {
        /// The task.
        task: String,
        /// Where it stands.
        status: TaskStatus,
    },
    /// The tasks do not make a graph that can be executed: a cycle, or a senseless retry policy.
    #[error(transparent)]
    Graph(#[from] PipelineError),
    /// The system gives no thread to work on.
    #[error("no worker thread could be started")]
    NoWorker {
        /// What the system said.
        source: std::io::Error,
    },
    /// We decided something that cannot be.
    #[error("this is a bug in the orchestrator")]
    Inconsistent {
        /// What does not fit.
        source: ImpossibleEvent,
    },
}
