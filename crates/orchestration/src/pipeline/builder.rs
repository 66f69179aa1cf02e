//! Turns stages into a pipeline, or says what is wrong with them.
//!
//! Whether the named functions exist is checked when the pipeline is submitted, because that
//! depends on the process.

use std::collections::HashMap;

use super::graph::Edges;
use super::{Pipeline, Stage, StageIndex};

/// More stages than this in one pipeline are a mistake of the program that defines it.
const STAGES_MAX: usize = 1_000_000;

/// Why stages do not make a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// There is no stage.
    #[error("pipeline {pipeline}: add at least one stage")]
    Empty {
        /// The pipeline.
        pipeline: String,
    },
    /// There are too many stages.
    #[error("pipeline {pipeline}: {count} stages, but at most {STAGES_MAX} are allowed")]
    TooManyStages {
        /// The pipeline.
        pipeline: String,
        /// How many there are.
        count: usize,
    },
    /// Two stages have one name.
    #[error("pipeline {pipeline}: two stages are named {stage}; rename one")]
    DuplicateName {
        /// The pipeline.
        pipeline: String,
        /// The name.
        stage: String,
    },
    /// A stage depends on one that does not exist.
    #[error("pipeline {pipeline}: stage {stage} runs after {unknown}, which is not defined")]
    UnknownDependency {
        /// The pipeline.
        pipeline: String,
        /// The stage that depends.
        stage: String,
        /// The name that nothing has.
        unknown: String,
    },
    /// A stage names a dependency twice.
    #[error("pipeline {pipeline}: stage {stage} names {dependency} twice; once is enough")]
    RepeatedDependency {
        /// The pipeline.
        pipeline: String,
        /// The stage that depends.
        stage: String,
        /// The dependency.
        dependency: String,
    },
    /// A stage contradicts itself.
    #[error("pipeline {pipeline}: stage {stage} has {wrong}")]
    Senseless {
        /// The pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// What makes no sense.
        wrong: String,
    },
    /// Stages wait for each other.
    #[error(
        "pipeline {pipeline}: a cycle, each stage waiting for the one before it: {}",
        display_cycle(stages)
    )]
    Cycle {
        /// The pipeline.
        pipeline: String,
        /// The stages in order; the first runs after the last.
        stages: Vec<String>,
    },
}

fn display_cycle(stages: &[String]) -> String {
    let first = stages.first().map_or("", String::as_str);
    format!("{} → {first}", stages.join(" → "))
}

/// Collects stages and checks them.
#[derive(Clone, Debug)]
pub struct PipelineBuilder {
    name: String,
    stages: Vec<Stage>,
}

impl PipelineBuilder {
    /// Starts a pipeline without stages.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), stages: Vec::new() }
    }

    /// Starts a pipeline with room for so many stages.
    pub(crate) fn with_capacity(name: &str, stages: usize) -> Self {
        Self { name: name.to_owned(), stages: Vec::with_capacity(stages) }
    }

    /// Adds a stage; it may run after stages that are added later.
    #[must_use]
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stages.push(stage);
        self
    }

    /// Checks names and graph.
    pub fn build(self) -> Result<Pipeline, PipelineError> {
        let dependencies = self.resolve()?;
        let needed = self.stages.iter().map(|stage| stage.after.len()).collect();
        self.build_with(dependencies, needed)
    }

    /// Checks the graph of stages whose names are known to differ, with the positions of what each
    /// runs after: first so many whose outputs it needs, then those it does without.
    pub(crate) fn build_with(
        self,
        dependencies: Edges,
        needed: Vec<usize>,
    ) -> Result<Pipeline, PipelineError> {
        if self.stages.is_empty() {
            return Err(PipelineError::Empty { pipeline: self.name });
        }
        if STAGES_MAX < self.stages.len() {
            let count = self.stages.len();
            return Err(PipelineError::TooManyStages { pipeline: self.name, count });
        }
        for stage in &self.stages {
            if let Some(wrong) = stage.nonsense() {
                let (pipeline, stage) = (self.name.clone(), stage.name.to_string());
                return Err(PipelineError::Senseless { pipeline, stage, wrong });
            }
        }
        let dependents = dependencies.reversed();
        if let Some(cycle) = find_cycle(&dependencies, &dependents) {
            let stages = cycle.iter().map(|index| self.stages[index.0].name.to_string()).collect();
            return Err(PipelineError::Cycle { pipeline: self.name, stages });
        }
        Ok(Pipeline { name: self.name, stages: self.stages, dependencies, needed, dependents })
    }

    /// Turns names of dependencies into positions.
    fn resolve(&self) -> Result<Edges, PipelineError> {
        let mut positions = HashMap::with_capacity(self.stages.len());
        for (index, stage) in self.stages.iter().enumerate() {
            if positions.insert(&*stage.name, StageIndex(index)).is_some() {
                let (pipeline, stage) = (self.name.clone(), stage.name.to_string());
                return Err(PipelineError::DuplicateName { pipeline, stage });
            }
        }
        let mut dependencies = Edges::default();
        for stage in &self.stages {
            dependencies.push(self.resolve_stage(stage, &positions)?);
        }
        Ok(dependencies)
    }

    fn resolve_stage(
        &self,
        stage: &Stage,
        positions: &HashMap<&str, StageIndex>,
    ) -> Result<Vec<StageIndex>, PipelineError> {
        let names = stage.after.iter().chain(&stage.after_end);
        let mut resolved = Vec::with_capacity(stage.after.len() + stage.after_end.len());
        for name in names {
            let Some(&position) = positions.get(name.as_str()) else {
                return Err(PipelineError::UnknownDependency {
                    pipeline: self.name.clone(),
                    stage: stage.name.to_string(),
                    unknown: name.clone(),
                });
            };
            resolved.push(position);
        }
        let mut sorted = resolved.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(PipelineError::RepeatedDependency {
                pipeline: self.name.clone(),
                stage: stage.name.to_string(),
                dependency: self.stages[pair[0].0].name.to_string(),
            });
        }
        Ok(resolved)
    }
}

/// Returns the stages of one cycle in the order in which they would run, the first-defined first.
fn find_cycle(dependencies: &Edges, dependents: &Edges) -> Option<Vec<StageIndex>> {
    // Take away whatever can run (Kahn 1962); what stays is on a cycle or behind one.
    let indices = (0..dependencies.len()).map(StageIndex);
    let mut unmet: Vec<usize> = indices.clone().map(|index| dependencies.of(index).len()).collect();
    let mut runnable: Vec<StageIndex> = indices.filter(|index| unmet[index.0] == 0).collect();
    while let Some(index) = runnable.pop() {
        for dependent in dependents.of(index) {
            unmet[dependent.0] -= 1;
            if unmet[dependent.0] == 0 {
                runnable.push(*dependent);
            }
        }
    }
    // Every stage that stays waits for another that stays, so walking back must meet itself.
    let mut at = StageIndex(unmet.iter().position(|&count| 0 < count)?);
    let mut path: Vec<StageIndex> = Vec::new();
    let mut place_in_path = vec![None; unmet.len()];
    while place_in_path[at.0].is_none() {
        place_in_path[at.0] = Some(path.len());
        path.push(at);
        at = *dependencies.of(at).iter().find(|before| 0 < unmet[before.0])?;
    }
    let mut cycle = path.split_off(place_in_path[at.0]?);
    cycle.reverse();
    let first =
        cycle.iter().enumerate().min_by_key(|(_, index)| **index).map(|(place, _)| place)?;
    cycle.rotate_left(first);
    Some(cycle)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::recovery::RetryPolicy;

    /// Builds a pipeline from `(name, after)` and returns what is wrong with it.
    fn check(stages: &[(&str, &[&str])], expected: &str) {
        let mut builder = PipelineBuilder::new("daily");
        for (name, after) in stages {
            builder = builder.stage(Stage::new(*name, "work").after(after.iter().copied()));
        }
        let found = builder.build().map_or_else(|error| error.to_string(), |_| "fine".to_owned());
        assert_eq!(found, expected);
    }

    #[test]
    fn stages_may_be_defined_in_any_order() {
        check(&[("c", &["a", "b"]), ("b", &["a"]), ("a", &[])], "fine");
    }

    #[test]
    fn a_cycle_is_named_in_order_from_its_first_defined_stage() {
        check(
            &[("start", &[]), ("b", &["a", "start"]), ("c", &["b"]), ("a", &["c"]), ("z", &["c"])],
            "pipeline daily: a cycle, each stage waiting for the one before it: b → c → a → b",
        );
    }

    #[test]
    fn a_cycle_is_found_from_a_stage_that_only_waits_behind_it() {
        check(
            &[("behind", &["y"]), ("x", &["y"]), ("y", &["x"])],
            "pipeline daily: a cycle, each stage waiting for the one before it: x → y → x",
        );
    }

    #[test]
    fn a_stage_that_waits_for_itself_is_a_cycle_of_one() {
        check(
            &[("a", &["a"])],
            "pipeline daily: a cycle, each stage waiting for the one before it: a → a",
        );
    }

    #[test]
    fn names_are_unique_and_known() {
        check(&[("a", &[]), ("a", &[])], "pipeline daily: two stages are named a; rename one");
        check(&[("a", &["b"])], "pipeline daily: stage a runs after b, which is not defined");
        check(
            &[("a", &[]), ("b", &["a", "a"])],
            "pipeline daily: stage b names a twice; once is enough",
        );
        check(&[], "pipeline daily: add at least one stage");
    }

    #[test]
    fn a_retry_policy_must_make_sense() {
        let second = SignedDuration::from_secs(1);
        let fine = RetryPolicy::default();
        for (policy, wrong) in [
            (RetryPolicy { attempts_max: 0, ..fine }, "no attempt"),
            (RetryPolicy { delay_first: -second, ..fine }, "a negative delay"),
            (RetryPolicy { delay_max: -second, ..fine }, "a negative delay"),
            (
                RetryPolicy { backoff_factor: 0.9, ..fine },
                "a backoff factor that is not at least 1",
            ),
            (
                RetryPolicy { backoff_factor: f64::NAN, ..fine },
                "a backoff factor that is not at least 1",
            ),
        ] {
            let stage = Stage::new("a", "work").retry(policy);
            let error = PipelineBuilder::new("daily").stage(stage).build().unwrap_err();
            let expected = format!("pipeline daily: stage a has a retry policy with {wrong}");
            assert_eq!(error.to_string(), expected);
        }
    }
}
