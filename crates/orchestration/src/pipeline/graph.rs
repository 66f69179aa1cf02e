//! A pipeline whose graph has been checked: names are unique and known, and there is no cycle.
//!
//! Only [`super::PipelineBuilder`] makes one.

use super::{Fallback, Stage};
use crate::recovery::ErrorRecoveryManager;

/// A stage's position in the definition of its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageIndex(pub(crate) usize);

/// A checked graph of stages.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    pub(super) name: String,
    pub(super) stages: Vec<Stage>,
    pub(super) dependencies: Edges,
    /// How many of a stage's dependencies it needs; they come first.
    pub(super) needed: Vec<usize>,
    pub(super) dependents: Edges,
}

/// For every stage the positions of some others, one list behind another: a million stages take
/// two allocations.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edges {
    /// Where the list of each stage ends.
    ends: Vec<usize>,
    targets: Vec<StageIndex>,
}

impl Edges {
    /// Adds the list of the next stage.
    pub(crate) fn push(&mut self, targets: impl IntoIterator<Item = StageIndex>) {
        self.targets.extend(targets);
        self.ends.push(self.targets.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn of(&self, index: StageIndex) -> &[StageIndex] {
        let begin = index.0.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.targets[begin..self.ends[index.0]]
    }

    /// Returns the lists of those that each stage is in the list of, in the order of definition.
    pub(super) fn reversed(&self) -> Self {
        // First how many, then where each list begins, which grows to where it ends.
        let mut ends = vec![0; self.len()];
        for target in &self.targets {
            ends[target.0] += 1;
        }
        let mut begin = 0;
        for end in &mut ends {
            begin += std::mem::replace(end, begin);
        }
        let mut targets = vec![StageIndex(0); self.targets.len()];
        for index in (0..self.len()).map(StageIndex) {
            for target in self.of(index) {
                targets[ends[target.0]] = index;
                ends[target.0] += 1;
            }
        }
        Self { ends, targets }
    }
}

impl Pipeline {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the stages in the order of definition.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Returns the position of every stage, in the order of definition.
    pub fn indices(&self) -> impl Iterator<Item = StageIndex> + use<> {
        (0..self.stages.len()).map(StageIndex)
    }

    /// Returns one stage.
    ///
    /// # Panics
    /// If the index is of another pipeline and out of range here.
    pub fn stage(&self, index: StageIndex) -> &Stage {
        &self.stages[index.0]
    }

    /// Adds the fallbacks that were registered for stages and are not on their ladders yet.
    pub(crate) fn with_fallbacks(mut self, recovery: &ErrorRecoveryManager) -> Self {
        for stage in &mut self.stages {
            for function in recovery.fallbacks(&stage.name) {
                if !stage.functions().any(|present| present == function) {
                    stage.fallbacks.push(Fallback::Function(function.clone()));
                }
            }
        }
        self
    }

    /// Returns the stages that `index` waits for, those whose outputs it needs first.
    pub fn dependencies(&self, index: StageIndex) -> &[StageIndex] {
        self.dependencies.of(index)
    }

    /// Tells whether `dependent` does without the output of `index`.
    pub fn does_without(&self, dependent: StageIndex, index: StageIndex) -> bool {
        self.dependencies.of(dependent)[self.needed[dependent.0]..].contains(&index)
    }

    /// Returns the position of a stage among those that `index` waits for.
    pub(crate) fn dependency(&self, index: StageIndex, name: &str) -> Option<StageIndex> {
        let mut dependencies = self.dependencies.of(index).iter().copied();
        dependencies.find(|before| self.stages[before.0].name.as_ref() == name)
    }

    /// Returns the stages that wait for `index`.
    pub fn dependents(&self, index: StageIndex) -> &[StageIndex] {
        self.dependents.of(index)
    }
}
