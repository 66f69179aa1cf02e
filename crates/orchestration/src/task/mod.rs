//! What a unit of work is: its function, what the function is handed and what it hands back.
//!
//! A task's place in a pipeline is in [`crate::pipeline`]; what follows its failure in
//! [`crate::recovery`].

mod cancellation;
mod context;
mod entries;
mod error;
mod fan_out;
mod handle;
mod manager;
mod memo;
mod output;
mod plan;
mod priority;
mod registry;
mod result;
mod running;
#[expect(clippy::module_inception, reason = "a task is the first thing to look for here")]
mod task;

pub use cancellation::{CancellationToken, Subscription};
pub use context::{ProgressReport, StageContext};
pub use error::TaskError;
pub use handle::{IfCompleted, InputReader, TaskHandle, TaskId, TaskInputs};
pub use manager::{Concurrency, Retries, TaskManager, TaskView};
pub(crate) use memo::{Memos, Remembered};
pub use output::{StageOutput, StageResult};
pub use priority::{Priority, Priority as TaskPriority, PriorityError};
pub use registry::{Registry, StageFunction};
pub(crate) use result::AttemptEnd;
pub use result::{TaskMetrics, TaskResult, TaskStatus};
pub use running::RunningTasks;
pub(crate) use task::{Commit, TaskDefinition};
pub use task::{Task, TaskContext, TaskFailure};
