//! Pipelines and their stages, as the journal keeps them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ShapeError, read_seconds};
use crate::pipeline::{
    Condition, Fallback, FanOut, Isolation, Memo, Pipeline, PipelineBuilder, PoolClaim, Stage,
};
use crate::recovery::RetryPolicy;
use crate::task::Priority;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PipelineShape {
    name: String,
    stages: Vec<StageShape>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StageShape {
    name: String,
    function: String,
    after: Vec<String>,
    input: Value,
    retry: RetryShape,
    fallbacks: Vec<FallbackShape>,
    priority: PriorityShape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after_end: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pools: Vec<ClaimShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map: Option<FanOutShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<MemoShape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    isolation: Option<IsolationShape>,
}

/// A function is its name, as ever; a value is marked as one.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum FallbackShape {
    Function(String),
    Value { value: Value },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimShape {
    pool: String,
    slots: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionShape {
    stage: String,
    pointer: String,
    equals: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FanOutShape {
    over: String,
    concurrency_max: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemoShape {
    key: String,
    lifetime_seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IsolationShape {
    memory_max_bytes: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryShape {
    attempts_max: u32,
    delay_first_seconds: f64,
    backoff_factor: f64,
    delay_max_seconds: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PriorityShape {
    Low,
    Medium,
    High,
    Critical,
}

/// Writes a pipeline down.
pub(in crate::journal) fn write_pipeline(pipeline: &Pipeline) -> String {
    let stages = pipeline.stages().iter().map(StageShape::from).collect();
    let shape = PipelineShape { name: pipeline.name().to_owned(), stages };
    serde_json::to_string(&shape).expect("texts, numbers and JSON values can be written as JSON")
}

/// Reads a pipeline and checks it again.
pub(in crate::journal) fn read_pipeline(text: &str) -> Result<Pipeline, ShapeError> {
    let shape: PipelineShape = serde_json::from_str(text).map_err(ShapeError::new)?;
    let mut builder = PipelineBuilder::new(shape.name);
    for stage in shape.stages {
        builder = builder.stage(stage.read()?);
    }
    builder.build().map_err(ShapeError::new)
}

impl From<&Stage> for StageShape {
    fn from(stage: &Stage) -> Self {
        Self {
            name: stage.name.to_string(),
            function: stage.function.to_string(),
            after: stage.after.clone(),
            input: stage.input.clone(),
            retry: RetryShape {
                attempts_max: stage.retry.attempts_max,
                delay_first_seconds: stage.retry.delay_first.as_secs_f64(),
                backoff_factor: stage.retry.backoff_factor,
                delay_max_seconds: stage.retry.delay_max.as_secs_f64(),
            },
            fallbacks: stage.fallbacks.iter().map(FallbackShape::from).collect(),
            priority: match stage.priority {
                Priority::Low => PriorityShape::Low,
                Priority::Medium => PriorityShape::Medium,
                Priority::High => PriorityShape::High,
                Priority::Critical => PriorityShape::Critical,
            },
            after_end: stage.after_end.clone(),
            timeout_seconds: stage.timeout.map(|timeout| timeout.as_secs_f64()),
            pools: stage
                .pools
                .iter()
                .map(|claim| ClaimShape { pool: claim.pool.clone(), slots: claim.slots })
                .collect(),
            condition: stage.condition.as_deref().map(|condition| ConditionShape {
                stage: condition.stage.clone(),
                pointer: condition.pointer.clone(),
                equals: condition.equals.clone(),
            }),
            map: stage.map.as_deref().map(|map| FanOutShape {
                over: map.over.clone(),
                concurrency_max: map.concurrency_max,
            }),
            memo: stage.memo.as_deref().map(|memo| MemoShape {
                key: memo.key.clone(),
                lifetime_seconds: memo.lifetime.as_secs_f64(),
            }),
            isolation: stage
                .isolation
                .as_deref()
                .map(|isolation| IsolationShape { memory_max_bytes: isolation.memory_max_bytes }),
        }
    }
}

impl StageShape {
    fn read(self) -> Result<Stage, ShapeError> {
        Ok(Stage {
            name: self.name.into(),
            function: self.function.into(),
            after: self.after,
            input: self.input,
            retry: RetryPolicy {
                attempts_max: self.retry.attempts_max,
                delay_first: read_seconds(self.retry.delay_first_seconds)?,
                backoff_factor: self.retry.backoff_factor,
                delay_max: read_seconds(self.retry.delay_max_seconds)?,
            },
            fallbacks: self.fallbacks.into_iter().map(Fallback::from).collect(),
            priority: match self.priority {
                PriorityShape::Low => Priority::Low,
                PriorityShape::Medium => Priority::Medium,
                PriorityShape::High => Priority::High,
                PriorityShape::Critical => Priority::Critical,
            },
            after_end: self.after_end,
            timeout: self.timeout_seconds.map(read_seconds).transpose()?,
            pools: self
                .pools
                .into_iter()
                .map(|claim| PoolClaim { pool: claim.pool, slots: claim.slots })
                .collect(),
            condition: self.condition.map(|ConditionShape { stage, pointer, equals }| {
                Box::new(Condition { stage, pointer, equals })
            }),
            map: self.map.map(|FanOutShape { over, concurrency_max }| {
                Box::new(FanOut { over, concurrency_max })
            }),
            memo: self.memo.map(MemoShape::read).transpose()?,
            isolation: self
                .isolation
                .map(|shape| Box::new(Isolation { memory_max_bytes: shape.memory_max_bytes })),
        })
    }
}

impl From<&Fallback> for FallbackShape {
    fn from(fallback: &Fallback) -> Self {
        match fallback {
            Fallback::Function(function) => Self::Function(function.clone()),
            Fallback::Value(value) => Self::Value { value: value.clone() },
        }
    }
}

impl From<FallbackShape> for Fallback {
    fn from(shape: FallbackShape) -> Self {
        match shape {
            FallbackShape::Function(function) => Self::Function(function),
            FallbackShape::Value { value } => Self::Value(value),
        }
    }
}

impl MemoShape {
    fn read(self) -> Result<Box<Memo>, ShapeError> {
        let lifetime = read_seconds(self.lifetime_seconds)?;
        Ok(Box::new(Memo { key: self.key, lifetime }))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_a_stage_can_say_of_itself_is_read_back() {
        let stage = Stage::new("train", "fit")
            .after_end_of(["weather"])
            .input(json!([1]))
            .fallback("previous")
            .fallback_value(json!({"value": 1}))
            .fallback_value(json!("a text is no function"))
            .priority(Priority::High)
            .timeout(SignedDuration::from_millis(1_500))
            .pool("memory", 2)
            .when("list", "/is_due", true)
            .map_over("list", Some(3))
            .isolated(Isolation { memory_max_bytes: Some(1 << 30) });
        let pipeline = PipelineBuilder::new("day")
            .stage(Stage::new("list", "list").memo("key", SignedDuration::from_hours(1)))
            .stage(Stage::new("weather", "list"))
            .stage(stage)
            .build()
            .unwrap();
        assert_eq!(read_pipeline(&write_pipeline(&pipeline)).unwrap(), pipeline);
    }
}
