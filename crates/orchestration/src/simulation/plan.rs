//! Random pipelines, pools, strategies and deadlines for simulated runs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::chance::Chance;
use crate::pipeline::{Pipeline, PipelineBuilder, Stage};
use crate::recovery::{
    DeadlinePolicy, ErrorRecoveryManager, FailureClass, RecoveryAction, RecoveryStrategy,
    RecoveryTrigger, RetryPolicy, WhenLate,
};
use crate::run::{Deadline, Pools};
use crate::task::Priority;

const STAGES_MAX: usize = 10;

/// So many items a simulated collection has at most.
const ITEMS_MAX: usize = 6;

/// So many slots a pool has at most.
const SLOTS_MAX: u32 = 3;

pub(super) const POOLS: [&str; 2] = ["desk", "source"];

const PRIORITIES: [Priority; 4] =
    [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];

/// Returns what all runs share.
pub(super) fn pools(chance: &mut Chance) -> Pools {
    let mut pools = Pools::default();
    for pool in POOLS {
        pools.define(pool, chance.count(SLOTS_MAX));
    }
    pools
}

/// Returns a pipeline in which a stage may depend on any of a smaller number, defined in that order
/// or in the opposite one.
pub(super) fn pipeline(chance: &mut Chance, pools: &Pools) -> Pipeline {
    let count = 1 + chance.below(STAGES_MAX);
    let mut stages: Vec<Stage> = (0..count).map(|number| stage(chance, number, pools)).collect();
    if chance.once_in(2) {
        stages.reverse();
    }
    let builder =
        stages.into_iter().fold(PipelineBuilder::new("simulated"), PipelineBuilder::stage);
    builder.build().expect("names are distinct and dependencies point to smaller numbers")
}

fn stage(chance: &mut Chance, number: usize, pools: &Pools) -> Stage {
    let mut stage = Stage::new(format!("s{number}"), "own").priority(chance.one_of(&PRIORITIES));
    stage = stage.retry(retry(chance));
    let (mut after, mut after_end) = (Vec::new(), Vec::new());
    for before in 0..number {
        match chance.below(8) {
            0 | 1 => after.push(format!("s{before}")),
            2 => after_end.push(format!("s{before}")),
            _ => {}
        }
    }
    if 0 < number && chance.once_in(3) {
        let over = format!("s{}", chance.below(number));
        after_end.retain(|before| *before != over);
        let most = chance.once_in(2).then(|| chance.count(3));
        stage = stage.map_over(over, most);
    } else if chance.once_in(5) {
        stage = stage.memo(format!("key {number}"), SignedDuration::from_hours(1));
    }
    if 0 < number && chance.once_in(4) {
        let asked = format!("s{}", chance.below(number));
        after_end.retain(|before| *before != asked);
        stage = stage.when(asked, "/go", true);
    }
    after.retain(|before| !stage.after.contains(before));
    stage = stage.after(after).after_end_of(after_end);
    for pool in POOLS {
        let slots = pools.get(pool).map_or(1, |pool| pool.slots);
        if chance.once_in(4) {
            stage = stage.pool(pool, chance.count(slots));
        }
    }
    if chance.once_in(3) {
        stage = stage.timeout(SignedDuration::from_secs(10 + chance.seconds(300)));
    }
    for rung in 0..chance.below(3) {
        stage = stage.fallback(format!("fallback {rung}"));
    }
    stage
}

fn retry(chance: &mut Chance) -> RetryPolicy {
    RetryPolicy {
        attempts_max: chance.count(4),
        delay_first: SignedDuration::from_secs(chance.seconds(60)),
        ..RetryPolicy::default()
    }
}

/// Returns what a stage may output: something to count, something to ask, or nothing.
pub(super) fn output(chance: &mut Chance, pipeline: &Pipeline, name: &str) -> Value {
    let is_asked = pipeline
        .stages()
        .iter()
        .any(|stage| stage.condition.as_ref().is_some_and(|condition| condition.stage == name));
    let is_mapped = pipeline
        .stages()
        .iter()
        .any(|stage| stage.map.as_ref().is_some_and(|map| map.over == name));
    match (is_mapped, is_asked) {
        (false, false) => Value::from(chance.below(1_000)),
        (true, true) if chance.once_in(2) => collection(chance),
        (true, false) => collection(chance),
        (_, true) => match chance.below(6) {
            0 => json!({}),
            1 => json!({"go": false}),
            _ => json!({"go": true}),
        },
    }
}

fn collection(chance: &mut Chance) -> Value {
    match chance.below(20) {
        0 => json!([]),
        1 => json!(0),
        2 => json!("not a collection"),
        3 => json!(1_000_001),
        4..12 => json!(chance.below(ITEMS_MAX) + 1),
        _ => {
            let items = (0..=chance.below(ITEMS_MAX)).map(|_| Value::from(chance.below(1_000)));
            items.collect()
        }
    }
}

/// Returns a manager with a few strategies for classes and stages.
pub(super) fn recovery(chance: &mut Chance, stages: usize) -> ErrorRecoveryManager {
    let mut recovery = ErrorRecoveryManager::new();
    for _ in 0..chance.below(4) {
        let mut trigger = RecoveryTrigger::class(chance.one_of(&FailureClass::ALL));
        if chance.once_in(2) {
            trigger = trigger.at_stage(format!("s{}", chance.below(stages)));
        }
        let (action, policy) = (RecoveryAction::new(|_| Ok(())), retry(chance));
        let strategy = match chance.below(5) {
            0 => RecoveryStrategy::Retry(policy),
            1 => RecoveryStrategy::Fallback,
            2 => RecoveryStrategy::Skip,
            3 => RecoveryStrategy::Repair { action, policy },
            _ => RecoveryStrategy::Restart { action, policy },
        };
        recovery
            .register_recovery_strategy(trigger, strategy)
            .expect("simulated retry policies make sense");
    }
    recovery
}

/// Returns a deadline that some runs meet and others miss, and how long each stage is thought to
/// take.
pub(super) fn deadline(chance: &mut Chance, begin: Timestamp, pipeline: &Pipeline) -> Deadline {
    let when_late = chance.one_of(&[WhenLate::Accept, WhenLate::KeepTrying]);
    let mut deadline = Deadline::new(DeadlinePolicy {
        deadline: begin + SignedDuration::from_secs(60 + chance.seconds(7_200)),
        margin: SignedDuration::from_secs(chance.seconds(120)),
        when_late,
    });
    for (number, stage) in pipeline.stages().iter().enumerate() {
        deadline = deadline.expect(&*stage.name, expected_time(number));
    }
    deadline
}

/// Returns how long the stage at a position is thought to take.
pub(super) fn expected_time(position: usize) -> SignedDuration {
    let minutes = i64::try_from(position % 5).unwrap_or(0);
    SignedDuration::from_mins(minutes)
}
