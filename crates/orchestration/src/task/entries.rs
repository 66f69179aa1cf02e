//! The tasks of a manager, in the order of definition.
//!
//! Tasks of one manager nearly always have names one after another, so a place is guessed first
//! and searched for only if the guess is wrong: a million tasks are found at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::result::TaskSamples;
use super::{TaskDefinition, TaskId, TaskResult, TaskStatus};

/// A task and what became of it.
pub(super) struct Entry {
    pub(super) definition: Arc<TaskDefinition>,
    pub(super) inputs: Vec<TaskId>,
    /// What it waits for and does without.
    pub(super) inputs_to_end: Vec<TaskId>,
    /// What it waits for without taking an output.
    pub(super) order: BTreeSet<TaskId>,
    pub(super) result: Option<Arc<TaskResult>>,
    /// Of the attempts so far, if there were any.
    pub(super) samples: Option<Box<TaskSamples>>,
}

impl Entry {
    /// Returns what the task waits for; a few may come twice.
    pub(super) fn dependencies(&self) -> impl Iterator<Item = TaskId> {
        self.inputs.iter().chain(&self.inputs_to_end).chain(&self.order).copied()
    }

    pub(super) fn status(&self) -> TaskStatus {
        self.result.as_ref().map_or(TaskStatus::Pending, |result| result.status)
    }

    pub(super) fn is_completed(&self) -> bool {
        self.status() == TaskStatus::Completed
    }
}

/// Tasks by name.
#[derive(Default)]
pub(super) struct Entries {
    ids: Vec<TaskId>,
    entries: Vec<Entry>,
}

impl Entries {
    pub(super) fn insert(&mut self, id: TaskId, entry: Entry) {
        let place = match self.ids.last() {
            Some(last) if id < *last => self.ids.partition_point(|other| *other < id),
            Some(_) | None => self.ids.len(),
        };
        self.ids.insert(place, id);
        self.entries.insert(place, entry);
    }

    pub(super) fn remove(&mut self, id: TaskId) {
        if let Some(place) = place(&self.ids, id) {
            self.ids.remove(place);
            self.entries.remove(place);
        }
    }

    pub(super) fn get(&self, id: TaskId) -> Option<&Entry> {
        self.entries.get(place(&self.ids, id)?)
    }

    pub(super) fn get_mut(&mut self, id: TaskId) -> Option<&mut Entry> {
        self.entries.get_mut(place(&self.ids, id)?)
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (TaskId, &Entry)> {
        self.ids.iter().copied().zip(&self.entries)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }
}

/// Returns the place of a task in an ascending list.
pub(super) fn place(ids: &[TaskId], id: TaskId) -> Option<usize> {
    let guess = id.distance_from(*ids.first()?)?;
    if ids.get(guess) == Some(&id) {
        return Some(guess);
    }
    ids.binary_search(&id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_among_neighbours_and_across_gaps() {
        let all: Vec<TaskId> = (0..100).map(|_| TaskId::next()).collect();
        for ids in [all.clone(), all.iter().copied().step_by(3).collect(), vec![all[7]]] {
            for id in &all {
                assert_eq!(place(&ids, *id), ids.iter().position(|other| other == id));
            }
        }
        assert_eq!(place(&[], all[0]), None);
    }
}
