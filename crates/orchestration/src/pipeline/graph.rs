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
    pub(super) dependencies: Vec<Vec<StageIndex>>,
    pub(super) dependents: Vec<Vec<StageIndex>>,
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
        &self.dependencies[index.0]
    }

    /// Tells whether `dependent` does without the output of `index`.
    pub fn does_without(&self, dependent: StageIndex, index: StageIndex) -> bool {
        let stage = &self.stages[dependent.0];
        self.dependencies[dependent.0][stage.after.len()..].contains(&index)
    }

    /// Returns the position of a stage among those that `index` waits for.
    pub(crate) fn dependency(&self, index: StageIndex, name: &str) -> Option<StageIndex> {
        self.dependencies[index.0].iter().copied().find(|before| self.stages[before.0].name == name)
    }

    /// Returns the stages that wait for `index`.
    pub fn dependents(&self, index: StageIndex) -> &[StageIndex] {
        &self.dependents[index.0]
    }
}
