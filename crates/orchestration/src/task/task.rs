//! A unit of work in memory: a closure with a name, inputs, a priority and what to do if it fails.
//!
//! Plain definition; running it happens in [`crate::runtime`]. Work that must survive the process
//! is a stage that names a function of the registry instead.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;

use super::fan_out::{FanOutItems, Items, ProducedItem};
use super::handle::{AnySlot, Slot};
use super::memo::TaskMemo;
use super::{CancellationToken, Priority, TaskHandle, TaskId, TaskInputs};
use crate::pipeline::PoolClaim;
use crate::recovery::{FailureClass, RetryPolicy, StageFailure};

/// Why an attempt of a task failed: any error. A [`StageFailure`] says its class itself; what class
/// other errors are of is known to the [`crate::recovery::ErrorRecoveryManager`].
pub type TaskFailure = Box<dyn Error + Send + Sync>;

/// What one attempt of a task may see besides its inputs.
#[derive(Clone, Debug)]
pub struct TaskContext {
    pub(crate) name: Arc<str>,
    pub(crate) item: Option<usize>,
    pub(crate) attempt: u32,
    pub(crate) cancellation: CancellationToken,
}

impl TaskContext {
    /// Returns the name of the task.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of the item, 0 for the first, if the task is done for each of many.
    pub fn item_number(&self) -> Option<usize> {
        self.item
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

/// Tells, from an output, whether a task is wanted; `None` if the output was thrown away.
pub(crate) type Question = Box<dyn Fn() -> Option<bool> + Send + Sync>;

/// A task without the type of its output.
pub(crate) struct TaskDefinition {
    pub(crate) name: Arc<str>,
    pub(crate) priority: Priority,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeout: Option<SignedDuration>,
    /// The task's own function, then the fallbacks with their names.
    pub(crate) own: Rung,
    pub(crate) fallbacks: Vec<(String, Rung)>,
    pub(crate) pools: Vec<PoolClaim>,
    /// What must be true of the outputs of which tasks.
    pub(crate) conditions: Vec<(TaskId, Question)>,
    pub(crate) map: Option<Box<Mapping>>,
    pub(crate) memo: Option<Box<TaskMemo>>,
    /// Where the output is.
    pub(crate) slot: Arc<dyn AnySlot>,
}

/// What a task is done for, item by item.
pub(crate) struct Mapping {
    pub(crate) over: TaskId,
    pub(crate) concurrency_max: Option<u32>,
    pub(crate) items: Arc<dyn FanOutItems>,
}

/// Makes the output of an attempt of a fallback ready to be committed.
type Deliver<T> = Arc<dyn Fn(T, &TaskContext) -> Box<dyn Commit> + Send + Sync>;

/// A task to be added to a [`super::TaskManager`]: its functions return a `T`, and dependents
/// receive an `O`, which is another type only if the task is done for each of many items.
pub struct Task<T, O = T> {
    pub(super) definition: TaskDefinition,
    pub(super) inputs: Vec<TaskId>,
    pub(super) inputs_to_end: Vec<TaskId>,
    pub(super) handle: TaskHandle<O>,
    deliver: Deliver<T>,
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
        let read = inputs.reader();
        let slot = Arc::clone(&handle.slot);
        let deliver = move |value, _: &TaskContext| -> Box<dyn Commit> {
            Box::new(Produced { slot: Arc::clone(&slot), value: Arc::new(value) })
        };
        let deliver_own = deliver.clone();
        let own = move |context: &TaskContext| {
            let values = read().ok_or_else(|| {
                let message = "an input was thrown away before the attempt began";
                StageFailure::new(FailureClass::MissingData, message)
            })?;
            Ok(deliver_own(function(values, context)?, context))
        };
        let definition = TaskDefinition::new(name, Box::new(own), &handle.slot);
        let (needed, to_end) = (inputs.tasks(), inputs.tasks_to_end());
        Self::assemble(definition, (needed, to_end), handle, Arc::new(deliver))
    }

    /// Remembers a fresh output for `lifetime` under `key`, which must differ where the output
    /// would. As long as it counts, an attempt takes it instead of calling the function, also
    /// after [`super::TaskManager::reset`].
    #[must_use]
    pub fn memo(mut self, key: &str, lifetime: SignedDuration) -> Self {
        self.definition.memo = Some(Box::new(TaskMemo { key: Arc::from(key), lifetime }));
        self
    }
}

impl<B: Send + Sync + 'static> Task<B, Vec<Option<B>>> {
    /// Returns a task that hands each item of the output of `over` to `function`, as soon as there
    /// is one. Each has attempts, retries, fallbacks and a timeout of its own; dependents wait for
    /// all and receive their outputs in the order of the items, `None` for one that was left out.
    pub fn map<A, F>(name: &str, over: &TaskHandle<Vec<A>>, function: F) -> Self
    where
        A: Send + Sync + 'static,
        F: Fn(&A, &TaskContext) -> Result<B, TaskFailure> + Send + Sync + 'static,
    {
        let handle = TaskHandle { id: TaskId::next(), slot: Arc::<Slot<_>>::default() };
        let items = Arc::new(Items::new(Arc::clone(&over.slot), Arc::clone(&handle.slot)));
        let (mapped, delivered) = (Arc::clone(&items), Arc::clone(&items));
        let deliver = move |value: B, context: &TaskContext| -> Box<dyn Commit> {
            let number = context.item.unwrap_or_default();
            Box::new(ProducedItem { items: Arc::clone(&delivered), number, value })
        };
        let deliver_own = deliver.clone();
        let own = move |context: &TaskContext| {
            let number = context.item.unwrap_or_default();
            let collection = mapped.collection(number)?;
            Ok(deliver_own(function(&collection[number], context)?, context))
        };
        let mut definition = TaskDefinition::new(name, Box::new(own), &handle.slot);
        definition.map = Some(Box::new(Mapping { over: over.id, concurrency_max: None, items }));
        Self::assemble(definition, (vec![over.id], Vec::new()), handle, Arc::new(deliver))
    }

    /// Sets how many items are worked on at once, at most.
    #[must_use]
    pub fn concurrency_max(mut self, items: u32) -> Self {
        if let Some(map) = &mut self.definition.map {
            map.concurrency_max = Some(items);
        }
        self
    }
}

impl<T: Send + Sync + 'static, O> Task<T, O> {
    fn assemble(
        definition: TaskDefinition,
        (mut inputs, mut inputs_to_end): (Vec<TaskId>, Vec<TaskId>),
        handle: TaskHandle<O>,
        deliver: Deliver<T>,
    ) -> Self {
        for tasks in [&mut inputs, &mut inputs_to_end] {
            tasks.sort_unstable();
            tasks.dedup();
        }
        // Who needs an output as well does not do without it.
        inputs_to_end.retain(|task| inputs.binary_search(task).is_err());
        Self { definition, inputs, inputs_to_end, handle, deliver }
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
        let deliver = Arc::clone(&self.deliver);
        let rung = move |context: &TaskContext| Ok(deliver(function(context)?, context));
        self.definition.fallbacks.push((name.to_owned(), Box::new(rung)));
        self
    }

    /// Lets an attempt occupy slots of a pool, which the manager limits.
    #[must_use]
    pub fn pool(mut self, pool: &str, slots: u32) -> Self {
        self.definition.pools.push(PoolClaim { pool: pool.to_owned(), slots });
        self
    }

    /// Runs the task only if `is_wanted` says so of the output of `asked`, and leaves it out on
    /// purpose otherwise, with whatever needs it. Asked several times, all must say so.
    #[must_use]
    pub fn when<A, F>(mut self, asked: &TaskHandle<A>, is_wanted: F) -> Self
    where
        A: Send + Sync + 'static,
        F: Fn(&A) -> bool + Send + Sync + 'static,
    {
        if let Err(place) = self.inputs.binary_search(&asked.id) {
            self.inputs.insert(place, asked.id);
            self.inputs_to_end.retain(|task| *task != asked.id);
        }
        let slot = Arc::clone(&asked.slot);
        let question: Question = Box::new(move || slot.get().map(|output| is_wanted(&output)));
        self.definition.conditions.push((asked.id, question));
        self
    }
}

impl TaskDefinition {
    fn new<O: Send + Sync + 'static>(name: &str, own: Rung, slot: &Arc<Slot<O>>) -> Self {
        let slot: Arc<dyn AnySlot> = Arc::<Slot<O>>::clone(slot);
        Self {
            name: Arc::from(name),
            priority: Priority::default(),
            retry: RetryPolicy::default(),
            timeout: None,
            own,
            fallbacks: Vec::new(),
            pools: Vec::new(),
            conditions: Vec::new(),
            map: None,
            memo: None,
            slot,
        }
    }
}

impl<T, O> fmt::Debug for Task<T, O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Task").field("name", &self.definition.name).finish_non_exhaustive()
    }
}
