//! Defines tasks and executes them in memory, in the order that their dependencies allow.
//!
//! It keeps definitions, results and durations; what follows from what is decided in
//! [`crate::run`], and threads belong to [`crate::runtime`]. Nothing here survives the process: a
//! [`crate::Pipeline`] does.

use std::collections::{BTreeSet, HashMap, hash_map};
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::entries::{Entries, Entry, place};
use super::plan::Plan;
use super::{
    CancellationToken, Memos, Priority, RunningTasks, Task, TaskContext, TaskError, TaskFailure,
    TaskHandle, TaskId, TaskInputs, TaskMetrics, TaskResult, TaskStatus,
};
use crate::clock::{Clock, SystemClock};
use crate::pipeline::StageIndex;
use crate::recovery::ErrorRecoveryManager;
use crate::run::{Pools, Recorded, RunId, RunState, item_reports};
use crate::runtime::{MemoryEnd, MemoryError, MemoryExecution, MemoryRun};

/// How many tasks run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// One.
    Sequential,
    /// As many as the manager has workers.
    Parallel,
}

/// Whether failures are acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// Yes: by the recovery manager's strategies and the tasks' own retry policies.
    On,
    /// No: every rung of a task is tried once.
    Off,
}

/// A task as its manager sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// The task.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// Its urgency.
    pub priority: Priority,
    /// What it waits for, in the order of definition.
    pub dependencies: Vec<TaskId>,
    /// Where it stands.
    pub status: TaskStatus,
}

/// Tasks, and what became of them. What has completed is not executed again until [`Self::reset`].
///
/// # Example
/// ```
/// use std::num::NonZeroUsize;
/// use orchestration::{Concurrency, Retries, TaskManager};
///
/// # fn main() -> Result<(), orchestration::TaskError> {
/// let mut manager = TaskManager::new(NonZeroUsize::MIN);
/// let prices = manager.create_task("prices", (), |(), _| Ok(vec![21.0, 3_000.0]))?;
/// let highest = manager.create_task("highest", &prices, |prices, _| {
///     Ok(prices.iter().copied().fold(f64::MIN, f64::max))
/// })?;
/// manager.execute_all(Concurrency::Parallel, Retries::On)?;
/// assert_eq!(*manager.output(&highest)?, 3_000.0);
/// # Ok(())
/// # }
/// ```
/// What does not fit does not compile:
/// ```compile_fail
/// # use std::num::NonZeroUsize;
/// # use orchestration::TaskManager;
/// let mut manager = TaskManager::new(NonZeroUsize::MIN);
/// let text = manager.create_task("text", (), |(), _| Ok(String::new())).unwrap();
/// let sum = |numbers: std::sync::Arc<Vec<f64>>, _: &_| Ok(numbers.iter().sum::<f64>());
/// manager.create_task("sum", &text, sum).unwrap();
/// ```
/// Neither does an item that does not fit:
/// ```compile_fail
/// # use std::num::NonZeroUsize;
/// # use orchestration::TaskManager;
/// let mut manager = TaskManager::new(NonZeroUsize::MIN);
/// let words = manager.create_task("words", (), |(), _| Ok(vec![String::new()])).unwrap();
/// manager.create_map("halves", &words, |word: &f64, _| Ok(*word / 2.0)).unwrap();
/// ```
pub struct TaskManager {
    workers_max: NonZeroUsize,
    clock: Arc<dyn Clock>,
    recovery: Arc<ErrorRecoveryManager>,
    pools: Pools,
    entries: Entries,
    names: HashMap<Arc<str>, TaskId>,
    memos: Arc<Memos>,
    cancellation: CancellationToken,
    running: RunningTasks,
    executions: i64,
    /// The last execution, if one of its tasks was done for each of many items.
    last: Option<(RunState, Vec<TaskId>)>,
}

impl TaskManager {
    /// Returns a manager that runs at most `workers_max` tasks at once.
    pub fn new(workers_max: NonZeroUsize) -> Self {
        Self {
            workers_max,
            clock: Arc::new(SystemClock::new()),
            recovery: Arc::default(),
            pools: Pools::default(),
            entries: Entries::default(),
            names: HashMap::new(),
            memos: Arc::default(),
            cancellation: CancellationToken::new(),
            running: RunningTasks::default(),
            executions: 0,
            last: None,
        }
    }

    /// Sets what tells the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets what is done about failures.
    #[must_use]
    pub fn recover_with(mut self, recovery: Arc<ErrorRecoveryManager>) -> Self {
        self.recovery = recovery;
        self
    }

    /// Defines a pool of which the attempts of an execution together occupy at most so many slots.
    ///
    /// An abandoned attempt has given its slots back, although nobody can stop what it does.
    #[must_use]
    pub fn pool(mut self, pool: &str, slots: u32) -> Self {
        self.pools.define(pool, slots);
        self
    }

    /// Adds a task that hands the outputs of `inputs` to `function`.
    pub fn create_task<T, I, F>(
        &mut self,
        name: &str,
        inputs: I,
        function: F,
    ) -> Result<TaskHandle<T>, TaskError>
    where
        T: Send + Sync + 'static,
        I: TaskInputs,
        I::Values: 'static,
        F: Fn(I::Values, &TaskContext) -> Result<T, TaskFailure> + Send + Sync + 'static,
    {
        self.add_task(Task::new(name, inputs, function))
    }

    /// Adds a task that hands each item of the output of `over` to `function`, and outputs what it
    /// returned in the order of the items: see [`Task::map`].
    pub fn create_map<A, B, F>(
        &mut self,
        name: &str,
        over: &TaskHandle<Vec<A>>,
        function: F,
    ) -> Result<TaskHandle<Vec<Option<B>>>, TaskError>
    where
        A: Send + Sync + 'static,
        B: Send + Sync + 'static,
        F: Fn(&A, &TaskContext) -> Result<B, TaskFailure> + Send + Sync + 'static,
    {
        self.add_task(Task::map(name, over, function))
    }

    /// Adds a task.
    pub fn add_task<T, O>(&mut self, task: Task<T, O>) -> Result<TaskHandle<O>, TaskError> {
        let Task { definition, inputs, inputs_to_end, handle, .. } = task;
        let mut needs = inputs.iter().chain(&inputs_to_end);
        if let Some(&id) = needs.find(|id| self.entries.get(**id).is_none()) {
            return Err(TaskError::UnknownTask { id });
        }
        match self.names.entry(Arc::clone(&definition.name)) {
            hash_map::Entry::Occupied(name) => {
                return Err(TaskError::DuplicateName { task: name.key().to_string() });
            }
            hash_map::Entry::Vacant(name) => name.insert(handle.id),
        };
        let (definition, order) = (Arc::new(definition), BTreeSet::new());
        let (result, samples) = (None, None);
        let entry = Entry { definition, inputs, inputs_to_end, order, result, samples };
        self.entries.insert(handle.id, entry);
        Ok(handle)
    }

    /// Returns a task by name.
    pub fn find_task(&self, name: &str) -> Option<TaskId> {
        self.names.get(name).copied()
    }

    /// Returns a task.
    pub fn get_task(&self, task: impl Into<TaskId>) -> Option<TaskView> {
        let id = task.into();
        let entry = self.entries.get(id)?;
        let dependencies: BTreeSet<TaskId> = entry.dependencies().collect();
        Some(TaskView {
            id,
            name: entry.definition.name.to_string(),
            priority: entry.definition.priority,
            dependencies: dependencies.into_iter().collect(),
            status: entry.status(),
        })
    }

    /// Removes a task that no other depends on.
    pub fn remove_task(&mut self, task: impl Into<TaskId>) -> Result<(), TaskError> {
        let id = task.into();
        let name = Arc::clone(&self.entry(id)?.definition.name);
        let dependents: Vec<String> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.dependencies().any(|on| on == id))
            .map(|(_, entry)| entry.definition.name.to_string())
            .collect();
        if !dependents.is_empty() {
            return Err(TaskError::HasDependents { task: name.to_string(), dependents });
        }
        self.entries.remove(id);
        self.names.remove(&name);
        Ok(())
    }

    /// Makes `task` wait for `on` without taking its output.
    ///
    /// A cycle is found by the next execution, which names its tasks in order.
    pub fn add_dependency(
        &mut self,
        task: impl Into<TaskId>,
        on: impl Into<TaskId>,
    ) -> Result<(), TaskError> {
        let (id, on) = (task.into(), on.into());
        self.entry(on)?;
        if id == on {
            return Err(TaskError::SelfDependency { task: self.name(id) });
        }
        self.entry_mut(id)?.order.insert(on);
        Ok(())
    }

    /// Takes back [`Self::add_dependency`]; does nothing if there is no such dependency.
    pub fn remove_dependency(
        &mut self,
        task: impl Into<TaskId>,
        on: impl Into<TaskId>,
    ) -> Result<(), TaskError> {
        let (id, on) = (task.into(), on.into());
        let entry = self.entry(id)?;
        if entry.inputs.contains(&on) || entry.inputs_to_end.contains(&on) {
            return Err(TaskError::InputDependency { task: self.name(id), on: self.name(on) });
        }
        self.entry_mut(id)?.order.remove(&on);
        Ok(())
    }

    /// Checks and orders all tasks as an execution would, and executes none.
    pub fn check(&self) -> Result<(), TaskError> {
        let all: Vec<TaskId> = self.entries.iter().map(|(id, _)| id).collect();
        if all.is_empty() {
            return Ok(());
        }
        self.check_pools(&all)?;
        Plan::new(&self.entries, &all, Retries::On)?;
        Ok(())
    }

    /// Executes one task, after whatever it depends on and has not completed.
    pub fn execute_task(&mut self, task: impl Into<TaskId>) -> Result<Arc<TaskResult>, TaskError> {
        let id = task.into();
        self.entry(id)?;
        let mut wanted = BTreeSet::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            if !self.entry(next)?.is_completed() && wanted.insert(next) {
                open.extend(self.entry(next)?.dependencies());
            }
        }
        let wanted: Vec<TaskId> = wanted.into_iter().collect();
        self.run(&wanted, Concurrency::Parallel, Retries::On)?;
        self.result(id).ok_or(TaskError::UnknownTask { id })
    }

    /// Executes every task that has not completed; returns what became of all, in the order of
    /// definition. A task that fails is no error of this function.
    pub fn execute_all(
        &mut self,
        concurrency: Concurrency,
        retries: Retries,
    ) -> Result<Vec<Arc<TaskResult>>, TaskError> {
        let open = |(id, entry): (TaskId, &Entry)| (!entry.is_completed()).then_some(id);
        let wanted: Vec<TaskId> = self.entries.iter().filter_map(open).collect();
        self.run(&wanted, concurrency, retries)?;
        Ok(self.entries.iter().filter_map(|(_, entry)| entry.result.clone()).collect())
    }

    /// Executes every task one after another, always the most urgent of those that are ready.
    pub fn execute_by_priority(&mut self) -> Result<Vec<Arc<TaskResult>>, TaskError> {
        self.execute_all(Concurrency::Sequential, Retries::On)
    }

    /// Returns what became of a task in its last execution.
    pub fn result(&self, task: impl Into<TaskId>) -> Option<Arc<TaskResult>> {
        self.entries.get(task.into())?.result.clone()
    }

    /// Returns what became of some items of a task in the last execution, if it was done for each
    /// of many and was part of it.
    pub fn item_results(&self, task: impl Into<TaskId>, items: Range<usize>) -> Vec<TaskResult> {
        let id = task.into();
        let Some((state, tasks)) = &self.last else { return Vec::new() };
        let Some(place) = place(tasks, id) else { return Vec::new() };
        let reports = item_reports(state, StageIndex(place), items);
        reports.into_iter().map(|report| TaskResult::of_item(id, report)).collect()
    }

    /// Returns the output of a completed task.
    pub fn output<T>(&self, task: &TaskHandle<T>) -> Result<Arc<T>, TaskError> {
        let status = self.entry(task.id)?.status();
        task.slot.get().ok_or_else(|| TaskError::NoOutput { task: self.name(task.id), status })
    }

    /// Returns how the attempts of a task fared so far.
    pub fn metrics(&self, task: impl Into<TaskId>) -> Option<TaskMetrics> {
        let samples = &self.entries.get(task.into())?.samples;
        Some(samples.as_ref().map(|samples| samples.metrics()).unwrap_or_default())
    }

    /// Returns the token that stops executions, also from other threads; tasks that have not ended
    /// are CANCELLED. It cannot be taken back before [`Self::reset`].
    pub fn cancellation(&self) -> CancellationToken {
        self.cancellation.clone()
    }

    /// Returns what cancels and explains the tasks of an execution, from other threads.
    pub fn running(&self) -> RunningTasks {
        self.running.clone()
    }

    /// Forgets the outputs that were remembered for later executions: see [`Task::memo`].
    pub fn forget_memos(&mut self) {
        self.memos.forget();
    }

    /// Forgets outputs, results and metrics, and that somebody asked to stop; tasks stay, and so
    /// does what is remembered for longer than one execution.
    pub fn reset(&mut self) {
        self.last = None;
        self.cancellation = CancellationToken::new();
        for entry in self.entries.values_mut() {
            entry.definition.slot.forget();
            entry.result = None;
            entry.samples = None;
        }
    }

    fn run(
        &mut self,
        wanted: &[TaskId],
        concurrency: Concurrency,
        retries: Retries,
    ) -> Result<(), TaskError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let recovery = match retries {
            Retries::On => Arc::clone(&self.recovery),
            Retries::Off => Arc::default(),
        };
        if let Some(name) =
            recovery.stages_with_fallbacks().find(|name| self.names.contains_key(*name))
        {
            return Err(TaskError::NamedFallback { task: name.to_owned() });
        }
        self.check_pools(wanted)?;
        let Plan { pipeline, tasks } = Plan::new(&self.entries, wanted, retries)?;
        self.executions += 1;
        let state = RunState::new(Recorded {
            run_id: RunId(self.executions),
            pipeline: Arc::new(pipeline),
            key: String::new(),
            input: Arc::new(Value::Null),
            submitted_at: self.clock.now(),
        });
        let workers_max = match concurrency {
            Concurrency::Sequential => 1,
            Concurrency::Parallel => self.workers_max.get(),
        };
        let execution = MemoryExecution::new(MemoryRun {
            state,
            tasks,
            clock: Arc::clone(&self.clock),
            recovery,
            pools: self.pools.clone(),
            memos: Arc::clone(&self.memos),
            workers_max,
            stop: self.cancellation.clone(),
        });
        self.running.begin(execution.clone(), wanted);
        let end = execution.run();
        self.running.end();
        let end = end.map_err(|error| match error {
            MemoryError::NoWorker(source) => TaskError::NoWorker { source },
            MemoryError::Inconsistent(source) => TaskError::Inconsistent { source },
        })?;
        self.take(wanted, end);
        Ok(())
    }

    fn check_pools(&self, wanted: &[TaskId]) -> Result<(), TaskError> {
        for id in wanted {
            let definition = &self.entry(*id)?.definition;
            self.pools.check(&definition.pools).map_err(|source| {
                let task = definition.name.to_string();
                TaskError::Pool { task, source }
            })?;
        }
        Ok(())
    }

    fn take(&mut self, wanted: &[TaskId], end: MemoryEnd) {
        let MemoryEnd { mut state, samples } = end;
        let mut has_items = false;
        for (id, index) in wanted.iter().zip(state.pipeline().indices()) {
            if let Some(entry) = self.entries.get_mut(*id) {
                let result = TaskResult::take((*id, &entry.definition.name), &mut state, index);
                has_items |= result.items.is_some();
                entry.result = Some(Arc::new(result));
            }
        }
        for (index, elapsed, outcome) in samples {
            // What looks at the outputs of tasks comes behind them and is none.
            let entry = wanted.get(index.0).and_then(|id| self.entries.get_mut(*id));
            if let Some(entry) = entry {
                entry.samples.get_or_insert_default().note(elapsed, outcome);
            }
        }
        self.last = has_items.then(|| (state, wanted.to_vec()));
    }

    fn entry(&self, id: TaskId) -> Result<&Entry, TaskError> {
        self.entries.get(id).ok_or(TaskError::UnknownTask { id })
    }

    fn entry_mut(&mut self, id: TaskId) -> Result<&mut Entry, TaskError> {
        self.entries.get_mut(id).ok_or(TaskError::UnknownTask { id })
    }

    fn name(&self, id: TaskId) -> String {
        self.entries.get(id).map_or_else(|| id.to_string(), |it| it.definition.name.to_string())
    }
}

impl fmt::Debug for TaskManager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TaskManager")
            .field("workers_max", &self.workers_max)
            .field("tasks", &self.entries.len())
            .finish_non_exhaustive()
    }
}
