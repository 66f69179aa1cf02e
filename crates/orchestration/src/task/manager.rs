//! Defines tasks and executes them in memory, in the order that their dependencies allow.
//!
//! It keeps definitions, results and durations; what follows from what is decided in
//! [`crate::run`], and threads belong to [`crate::runtime`]. Nothing here survives the process: a
//! [`crate::Pipeline`] does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use serde_json::Value;

use super::result::TaskSamples;
use super::{
    CancellationToken, Priority, Task, TaskContext, TaskDefinition, TaskError, TaskFailure,
    TaskHandle, TaskId, TaskInputs, TaskMetrics, TaskResult, TaskStatus,
};
use crate::clock::{Clock, SystemClock};
use crate::pipeline::{Pipeline, PipelineBuilder, Stage};
use crate::recovery::{ErrorRecoveryManager, RetryPolicy};
use crate::run::{Recorded, RunId, RunState, take_stage_report};
use crate::runtime::{MemoryEnd, MemoryError, MemoryRun, MemoryTask, execute};

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

struct Entry {
    definition: Arc<TaskDefinition>,
    inputs: Vec<TaskId>,
    /// What it waits for without taking an output.
    order: BTreeSet<TaskId>,
    result: Option<Arc<TaskResult>>,
    samples: TaskSamples,
}

impl Entry {
    fn dependencies(&self) -> BTreeSet<TaskId> {
        self.inputs.iter().chain(&self.order).copied().collect()
    }

    fn status(&self) -> TaskStatus {
        self.result.as_ref().map_or(TaskStatus::Pending, |result| result.status)
    }

    fn is_completed(&self) -> bool {
        self.status() == TaskStatus::Completed
    }
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
pub struct TaskManager {
    workers_max: NonZeroUsize,
    clock: Arc<dyn Clock>,
    recovery: Arc<ErrorRecoveryManager>,
    entries: BTreeMap<TaskId, Entry>,
    names: HashMap<Arc<str>, TaskId>,
    cancellation: CancellationToken,
    executions: i64,
}

impl TaskManager {
    /// Returns a manager that runs at most `workers_max` tasks at once.
    pub fn new(workers_max: NonZeroUsize) -> Self {
        Self {
            workers_max,
            clock: Arc::new(SystemClock::new()),
            recovery: Arc::default(),
            entries: BTreeMap::new(),
            names: HashMap::new(),
            cancellation: CancellationToken::new(),
            executions: 0,
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

    /// Adds a task.
    pub fn add_task<T>(&mut self, task: Task<T>) -> Result<TaskHandle<T>, TaskError> {
        let Task { definition, inputs, handle } = task;
        if let Some(&id) = inputs.iter().find(|id| !self.entries.contains_key(*id)) {
            return Err(TaskError::UnknownTask { id });
        }
        if self.names.contains_key(&definition.name) {
            return Err(TaskError::DuplicateName { task: definition.name.to_string() });
        }
        self.names.insert(Arc::clone(&definition.name), handle.id);
        let (definition, order) = (Arc::new(definition), BTreeSet::new());
        let samples = TaskSamples::default();
        self.entries.insert(handle.id, Entry { definition, inputs, order, result: None, samples });
        Ok(handle)
    }

    /// Returns a task by name.
    pub fn find_task(&self, name: &str) -> Option<TaskId> {
        self.names.get(name).copied()
    }

    /// Returns a task.
    pub fn get_task(&self, task: impl Into<TaskId>) -> Option<TaskView> {
        let id = task.into();
        let entry = self.entries.get(&id)?;
        Some(TaskView {
            id,
            name: entry.definition.name.to_string(),
            priority: entry.definition.priority,
            dependencies: entry.dependencies().into_iter().collect(),
            status: entry.status(),
        })
    }

    /// Removes a task that no other depends on.
    pub fn remove_task(&mut self, task: impl Into<TaskId>) -> Result<(), TaskError> {
        let id = task.into();
        let name = Arc::clone(&self.entry(id)?.definition.name);
        let dependents: Vec<String> = self
            .entries
            .values()
            .filter(|entry| entry.inputs.contains(&id) || entry.order.contains(&id))
            .map(|entry| entry.definition.name.to_string())
            .collect();
        if !dependents.is_empty() {
            return Err(TaskError::HasDependents { task: name.to_string(), dependents });
        }
        self.entries.remove(&id);
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
        if self.entry(id)?.inputs.contains(&on) {
            return Err(TaskError::InputDependency { task: self.name(id), on: self.name(on) });
        }
        self.entry_mut(id)?.order.remove(&on);
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
        let open = |(id, entry): (&TaskId, &Entry)| (!entry.is_completed()).then_some(*id);
        let wanted = self.entries.iter().filter_map(open).collect();
        self.run(&wanted, concurrency, retries)?;
        Ok(self.entries.values().filter_map(|entry| entry.result.clone()).collect())
    }

    /// Executes every task one after another, always the most urgent of those that are ready.
    pub fn execute_by_priority(&mut self) -> Result<Vec<Arc<TaskResult>>, TaskError> {
        self.execute_all(Concurrency::Sequential, Retries::On)
    }

    /// Returns what became of a task in its last execution.
    pub fn result(&self, task: impl Into<TaskId>) -> Option<Arc<TaskResult>> {
        self.entries.get(&task.into())?.result.clone()
    }

    /// Returns the output of a completed task.
    pub fn output<T>(&self, task: &TaskHandle<T>) -> Result<Arc<T>, TaskError> {
        let status = self.entry(task.id)?.status();
        task.slot.get().ok_or_else(|| TaskError::NoOutput { task: self.name(task.id), status })
    }

    /// Returns how the attempts of a task fared so far.
    pub fn metrics(&self, task: impl Into<TaskId>) -> Option<TaskMetrics> {
        Some(self.entries.get(&task.into())?.samples.metrics())
    }

    /// Returns the token that stops executions, also from other threads; tasks that have not ended
    /// are CANCELLED. It cannot be taken back before [`Self::reset`].
    pub fn cancellation(&self) -> CancellationToken {
        self.cancellation.clone()
    }

    /// Forgets outputs, results and metrics, and that somebody asked to stop; tasks stay.
    pub fn reset(&mut self) {
        self.cancellation = CancellationToken::new();
        for entry in self.entries.values_mut() {
            (entry.definition.forget)();
            entry.result = None;
            entry.samples = TaskSamples::default();
        }
    }

    fn run(
        &mut self,
        wanted: &BTreeSet<TaskId>,
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
        let pipeline = self.plan(wanted, retries)?;
        self.executions += 1;
        let state = RunState::new(Recorded {
            run_id: RunId(self.executions),
            pipeline: Arc::new(pipeline),
            key: String::new(),
            input: Arc::new(Value::Null),
            submitted_at: self.clock.now(),
        });
        let tasks = wanted.iter().map(|id| self.memory_task(*id, wanted)).collect();
        let workers_max = match concurrency {
            Concurrency::Sequential => 1,
            Concurrency::Parallel => self.workers_max.get(),
        };
        let clock = Arc::clone(&self.clock);
        let run = MemoryRun { state, tasks, clock, recovery, workers_max };
        let end = execute(run, &self.cancellation).map_err(|error| match error {
            MemoryError::NoWorker(source) => TaskError::NoWorker { source },
            MemoryError::Inconsistent(source) => TaskError::Inconsistent { source },
        })?;
        self.take(wanted, end);
        Ok(())
    }

    /// Returns the tasks as a checked graph, in the order of definition.
    fn plan(&self, wanted: &BTreeSet<TaskId>, retries: Retries) -> Result<Pipeline, TaskError> {
        let mut builder = PipelineBuilder::new("tasks");
        for id in wanted {
            let entry = &self.entries[id];
            let definition = &entry.definition;
            let retry = match retries {
                Retries::On => definition.retry,
                Retries::Off => RetryPolicy::NEVER,
            };
            let before = entry.dependencies().into_iter().filter(|on| wanted.contains(on));
            let mut stage = Stage::new(&*definition.name, &*definition.name)
                .after(before.map(|on| &*self.entries[&on].definition.name))
                .retry(retry)
                .priority(definition.priority);
            for (name, _) in &definition.fallbacks {
                stage = stage.fallback(name);
            }
            builder = builder.stage(stage);
        }
        Ok(builder.build()?)
    }

    /// Returns what a task does, and what it inherits from tasks that completed before.
    fn memory_task(&self, id: TaskId, wanted: &BTreeSet<TaskId>) -> MemoryTask {
        let entry = &self.entries[&id];
        let mut degraded = Vec::new();
        for on in entry.inputs.iter().chain(&entry.order).filter(|on| !wanted.contains(on)) {
            for reason in self.entries[on].result.iter().flat_map(|result| &result.degraded) {
                if !degraded.contains(reason) {
                    degraded.push(reason.clone());
                }
            }
        }
        MemoryTask { definition: Arc::clone(&entry.definition), degraded }
    }

    fn take(&mut self, wanted: &BTreeSet<TaskId>, end: MemoryEnd) {
        let MemoryEnd { mut state, samples } = end;
        let ids: Vec<TaskId> = wanted.iter().copied().collect();
        for (id, index) in ids.iter().zip(state.pipeline().indices()) {
            if let Some(entry) = self.entries.get_mut(id) {
                let report = take_stage_report(&mut state, index);
                entry.result = Some(Arc::new(TaskResult::new(*id, report)));
            }
        }
        for (index, elapsed, outcome) in samples {
            if let Some(entry) = self.entries.get_mut(&ids[index.0]) {
                entry.samples.note(elapsed, outcome);
            }
        }
    }

    fn entry(&self, id: TaskId) -> Result<&Entry, TaskError> {
        self.entries.get(&id).ok_or(TaskError::UnknownTask { id })
    }

    fn entry_mut(&mut self, id: TaskId) -> Result<&mut Entry, TaskError> {
        self.entries.get_mut(&id).ok_or(TaskError::UnknownTask { id })
    }

    fn name(&self, id: TaskId) -> String {
        self.entries.get(&id).map_or_else(|| id.to_string(), |it| it.definition.name.to_string())
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
