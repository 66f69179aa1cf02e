//! A unit of work in memory: a closure with a name, inputs, a priority and what to do if it fails.
//!
//! Plain definition; running it happens in [`crate::runtime`]. Work that must survive the process
//! is a stage that names a function of the registry instead.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;

use super::handle::Slot;
use super::{CancellationToken, Priority, TaskHandle, TaskId, TaskInputs};
use crate::recovery::{FailureClass, RetryPolicy, StageFailure};

/// Why an attempt of a task failed: any error. A [`StageFailure`] says its class itself; what class
/// other errors are of is known to the [`crate::recovery::ErrorRecoveryManager`].
pub type TaskFailure = Box<dyn Error + Send + Sync>;

/// What one attempt of a task may see besides its inputs.
#[derive(Clone, Debug)]
pub struct TaskContext {
    pub(crate) name: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) cancellation: CancellationToken,
}

impl TaskContext {
    /// Returns the name of the task.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of this attempt: 1 for the first.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the token that tells when to stop: on request, or because the time is over.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancellation
    }

    /// Fails with class *cancelled* if somebody asked to stop: `task.check_cancelled()?`.
    pub fn check_cancelled(&self) -> Result<(), StageFailure> {
        if self.cancellation.is_cancelled() {
            return Err(StageFailure::new(FailureClass::Cancelled, "asked to stop"));
        }
        Ok(())
    }
}

/// Puts the output of an accepted attempt where dependents find it.
pub(crate) trait Commit: Send {
    fn commit(self: Box<Self>);
}

struct Produced<T> {
    slot: Arc<Slot<T>>,
    value: Arc<T>,
}

impl<T: Send + Sync> Commit for Produced<T> {
    fn commit(self: Box<Self>) {
        self.slot.set(Some(self.value));
    }
}

/// A task's function or one that stands in for it.
pub(crate) type Rung =
    Box<dyn Fn(&TaskContext) -> Result<Box<dyn Commit>, TaskFailure> + Send + Sync>;

/// A task without the type of its output.
pub(crate) struct TaskDefinition {
    pub(crate) name: Arc<str>,
    pub(crate) priority: Priority,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout: Option<SignedDuration>,
    /// The task's own function, then the fallbacks with their names.
    pub(crate) own: Rung,
    pub(crate) fallbacks: Vec<(String, Rung)>,
    /// Throws the output away.
    pub(crate) forget: Box<dyn Fn() + Send + Sync>,
}

/// A task to be added to a [`super::TaskManager`].
pub struct Task<T> {
    pub(super) definition: TaskDefinition,
    pub(super) inputs: Vec<TaskId>,
    pub(super) handle: TaskHandle<T>,
}

impl<T: Send + Sync + 'static> Task<T> {
    /// Returns a task that hands the outputs of `inputs` to `function`.
    ///
    /// The function may be called again after a failure, so calling it twice must do no harm.
    pub fn new<I, F>(name: &str, inputs: I, function: F) -> Self
    where
        I: TaskInputs,
        I::Values: 'static,
        F: Fn(I::Values, &TaskContext) -> Result<T, TaskFailure> + Send + Sync + 'static,
    {
        let handle = TaskHandle { id: TaskId::next(), slot: Arc::<Slot<T>>::default() };
        let mut tasks = inputs.tasks();
        tasks.sort_unstable();
        tasks.dedup();
        let read = inputs.reader();
        let own = rung(&handle, move |context| {
            let values = read().ok_or_else(|| {
                let message = "an input was thrown away before the attempt began";
                StageFailure::new(FailureClass::MissingData, message)
            })?;
            function(values, context)
        });
        let forgotten = Arc::clone(&handle.slot);
        let definition = TaskDefinition {
            name: Arc::from(name),
            priority: Priority::default(),
            retry: RetryPolicy::default(),
            timeout: None,
            own,
            fallbacks: Vec::new(),
            forget: Box::new(move || forgotten.set(None)),
        };
        Self { definition, inputs: tasks, handle }
    }

    /// Sets the urgency.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.definition.priority = priority;
        self
    }

    /// Sets how often each rung is tried.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.definition.retry = retry;
        self
    }

    /// Sets how long an attempt may take. Then its token is cancelled; one that ignores the token
    /// is abandoned after a grace, and its late result is refused.
    #[must_use]
    pub fn timeout(mut self, timeout: SignedDuration) -> Self {
        self.definition.timeout = Some(timeout);
        self
    }

    /// Adds a function that stands in when everything before it has failed; the output is then
    /// degraded.
    #[must_use]
    pub fn fallback<F>(mut self, name: &str, function: F) -> Self
    where
        F: Fn(&TaskContext) -> Result<T, TaskFailure> + Send + Sync + 'static,
    {
        let rung = rung(&self.handle, function);
        self.definition.fallbacks.push((name.to_owned(), rung));
        self
    }
}

fn rung<T, F>(handle: &TaskHandle<T>, function: F) -> Rung
where
    T: Send + Sync + 'static,
    F: Fn(&TaskContext) -> Result<T, TaskFailure> + Send + Sync + 'static,
{
    let slot = Arc::clone(&handle.slot);
    Box::new(move |context| {
        let value = Arc::new(function(context)?);
        Ok(Box::new(Produced { slot: Arc::clone(&slot), value }))
    })
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Task").field("name", &self.definition.name).finish_non_exhaustive()
    }
}
