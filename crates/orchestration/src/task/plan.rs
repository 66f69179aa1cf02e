//! Tasks as a checked graph of stages that can be decided upon, and what each stage does.
//!
//! The core sees no Rust values. What it must know of them – how many items there are, whether a
//! task is wanted – becomes the output of a stage of its own, which looks at the value.

use std::sync::Arc;

use super::entries::{Entries, Entry, place};
use super::{Retries, TaskDefinition, TaskId};
use crate::pipeline::{
    Condition, Edges, Fallback, FanOut, Memo, Pipeline, PipelineBuilder, PipelineError, Stage,
    StageIndex,
};
use crate::recovery::RetryPolicy;
use crate::runtime::MemoryTask;

/// A checked graph: first the tasks in the order of definition, then what looks at their outputs.
pub(super) struct Plan {
    pub(super) pipeline: Pipeline,
    pub(super) tasks: Vec<MemoryTask>,
}

struct Planner<'p> {
    entries: &'p Entries,
    /// In the order of definition.
    wanted: &'p [TaskId],
    retries: Retries,
    /// What looks at outputs, and at whose.
    looks: Vec<(Stage, MemoryTask, Vec<StageIndex>)>,
}

impl Plan {
    /// Checks and orders the tasks.
    pub(super) fn new(
        entries: &Entries,
        wanted: &[TaskId],
        retries: Retries,
    ) -> Result<Self, PipelineError> {
        let mut planner = Planner { entries, wanted, retries, looks: Vec::new() };
        let mut builder = PipelineBuilder::with_capacity("tasks", wanted.len());
        let mut tasks = Vec::with_capacity(wanted.len());
        let mut needed = Vec::with_capacity(wanted.len());
        let mut edges = Edges::default();
        let mut list = Vec::new();
        for entry in wanted.iter().filter_map(|id| entries.get(*id)) {
            list.clear();
            let mut stage = planner.stage(&entry.definition);
            planner.look(entry, &mut stage, &mut list);
            needed.push(planner.list_dependencies(entry, &mut list));
            edges.push(list.iter().copied());
            builder = builder.stage(stage);
            let degraded = planner.inherited(entry);
            tasks.push(MemoryTask::Task(Arc::clone(&entry.definition), degraded));
        }
        for (stage, task, asked) in planner.looks {
            needed.push(asked.len());
            edges.push(asked);
            builder = builder.stage(stage);
            tasks.push(task);
        }
        Ok(Self { pipeline: builder.build_with(edges, needed)?, tasks })
    }
}

impl Planner<'_> {
    fn stage(&self, definition: &TaskDefinition) -> Stage {
        let retry = match self.retries {
            Retries::On => definition.retry,
            Retries::Off => RetryPolicy::NEVER,
        };
        let mut stage = Stage::new(Arc::clone(&definition.name), Arc::clone(&definition.name));
        stage.retry = retry;
        stage.priority = definition.priority;
        stage
            .fallbacks
            .extend(definition.fallbacks.iter().map(|(name, _)| Fallback::Function(name.clone())));
        stage.pools.clone_from(&definition.pools);
        stage.timeout = definition.timeout;
        stage.memo = definition.memo.as_ref().map(|memo| {
            let (key, lifetime) = (memo.key.to_string(), memo.lifetime);
            Box::new(Memo { key, lifetime })
        });
        stage
    }

    /// Adds the stages that look at outputs before a task can run.
    fn look(&mut self, entry: &Entry, stage: &mut Stage, list: &mut Vec<StageIndex>) {
        let definition = &entry.definition;
        if let Some(map) = &definition.map {
            let over = format!("items of {}", definition.name);
            let concurrency_max = map.concurrency_max;
            stage.after.push(over.clone());
            stage.map = Some(Box::new(FanOut { over: over.clone(), concurrency_max }));
            let task = MemoryTask::Count(Arc::clone(definition));
            list.push(self.add_look((over, task), definition, &[map.over]));
        }
        if !definition.conditions.is_empty() {
            let asked = format!("condition of {}", definition.name);
            stage.after.push(asked.clone());
            let condition =
                Condition { stage: asked.clone(), pointer: String::new(), equals: true.into() };
            stage.condition = Some(Box::new(condition));
            let task = MemoryTask::Condition(Arc::clone(definition));
            let mut of: Vec<TaskId> = definition.conditions.iter().map(|(id, _)| *id).collect();
            of.sort_unstable();
            of.dedup();
            list.push(self.add_look((asked, task), definition, &of));
        }
    }

    fn add_look(
        &mut self,
        (name, task): (String, MemoryTask),
        definition: &TaskDefinition,
        asked: &[TaskId],
    ) -> StageIndex {
        let index = StageIndex(self.wanted.len() + self.looks.len());
        let stage = Stage::new(name.as_str(), name.as_str())
            .retry(RetryPolicy::NEVER)
            .priority(definition.priority);
        let asked = asked.iter().filter_map(|id| self.position(*id)).collect();
        self.looks.push((stage, task, asked));
        index
    }

    /// Adds what a task waits for; returns how many of the list it needs.
    fn list_dependencies(&self, entry: &Entry, list: &mut Vec<StageIndex>) -> usize {
        let looks = list.len();
        list.extend(entry.inputs.iter().chain(&entry.order).filter_map(|id| self.position(*id)));
        if !entry.order.is_empty() {
            list[looks..].sort_unstable();
            list.dedup();
        }
        let needed = list.len();
        for id in &entry.inputs_to_end {
            if let Some(position) = self.position(*id)
                && !list[..needed].contains(&position)
            {
                list.push(position);
            }
        }
        needed
    }

    /// Returns why the outputs of tasks that completed before are degraded.
    fn inherited(&self, entry: &Entry) -> Vec<String> {
        let mut degraded = Vec::new();
        for id in entry.dependencies() {
            if self.position(id).is_some() {
                continue;
            }
            let result = self.entries.get(id).and_then(|entry| entry.result.as_ref());
            for reason in result.iter().flat_map(|result| &result.degraded) {
                if !degraded.contains(reason) {
                    degraded.push(reason.clone());
                }
            }
        }
        degraded
    }

    fn position(&self, id: TaskId) -> Option<StageIndex> {
        place(self.wanted, id).map(StageIndex)
    }
}
