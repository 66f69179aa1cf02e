//! What is being executed, for other threads than the one that executes it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TaskId;
use super::entries::place;
use crate::pipeline::StageIndex;
use crate::run::{CancelScope, StageExplanation};
use crate::runtime::MemoryExecution;

/// The tasks that a [`super::TaskManager`] is executing at the moment. Clones see the same.
#[derive(Clone, Default)]
pub struct RunningTasks {
    current: Arc<Mutex<Option<Current>>>,
}

#[derive(Clone)]
struct Current {
    execution: MemoryExecution,
    tasks: Arc<[TaskId]>,
}

impl RunningTasks {
    /// Cancels a task, or a task and everything behind it, in the present execution. Returns what
    /// was cancelled; what has ended already, or is not executed at the moment, is not.
    ///
    /// An attempt that is being made is asked to stop, and its result will be refused.
    pub fn cancel(&self, task: impl Into<TaskId>, scope: CancelScope, reason: &str) -> Vec<TaskId> {
        let Some(current) = self.lock().clone() else { return Vec::new() };
        let Some(place) = place(&current.tasks, task.into()) else { return Vec::new() };
        let cancelled = current.execution.cancel(StageIndex(place), (scope, reason));
        // Items are cancelled with their task.
        cancelled.into_iter().filter_map(|index| current.tasks.get(index.0).copied()).collect()
    }

    /// Tells what every task and item that has not ended is waiting for, at most `limit` of them;
    /// nothing if nothing is executed.
    pub fn explain(&self, limit: usize) -> Vec<StageExplanation> {
        let current = self.lock().clone();
        current.map(|current| current.execution.explain(limit)).unwrap_or_default()
    }

    pub(super) fn begin(&self, execution: MemoryExecution, tasks: &[TaskId]) {
        *self.lock() = Some(Current { execution, tasks: Arc::from(tasks) });
    }

    pub(super) fn end(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RunningTasks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.lock().as_ref().map_or(0, |current| current.tasks.len());
        formatter.debug_struct("RunningTasks").field("tasks", &tasks).finish_non_exhaustive()
    }
}
