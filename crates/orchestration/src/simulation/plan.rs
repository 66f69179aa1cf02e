//! Random pipelines, strategies and deadlines for a simulated run.

use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use crate::pipeline::{Pipeline, PipelineBuilder, Stage};
use crate::recovery::{
    DeadlinePolicy, ErrorRecoveryManager, FailureClass, RecoveryAction, RecoveryStrategy,
    RecoveryTrigger, RetryPolicy, WhenLate,
};
use crate::run::Deadline;
use crate::task::Priority;

const STAGES_MAX: usize = 12;

const PRIORITIES: [Priority; 4] =
    [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];

/// Returns a pipeline in which a stage may depend on any that was defined before it.
pub(super) fn pipeline(chance: &mut Chance) -> Pipeline {
    let mut builder = PipelineBuilder::new("simulated");
    for number in 0..=chance.below(STAGES_MAX) {
        let before: Vec<String> = (0..number)
            .filter(|_| chance.once_in(4))
            .map(|dependency| format!("s{dependency}"))
            .collect();
        let mut stage = Stage::new(format!("s{number}"), "own")
            .after(before)
            .retry(retry(chance))
            .priority(chance.one_of(&PRIORITIES));
        for rung in 0..chance.below(3) {
            stage = stage.fallback(format!("fallback {rung}"));
        }
        builder = builder.stage(stage);
    }
    builder.build().expect("names are distinct and dependencies point backwards")
}

fn retry(chance: &mut Chance) -> RetryPolicy {
    RetryPolicy {
        attempts_max: u32::try_from(1 + chance.below(4)).unwrap_or(1),
        delay_first: SignedDuration::from_secs(chance.seconds(60)),
        ..RetryPolicy::default()
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

/// Returns a deadline that some runs meet and others miss.
pub(super) fn deadline(chance: &mut Chance, begin: Timestamp, stages: usize) -> Deadline {
    let when_late = chance.one_of(&[WhenLate::Accept, WhenLate::KeepTrying]);
    let mut deadline = Deadline::new(DeadlinePolicy {
        deadline: begin + SignedDuration::from_secs(60 + chance.seconds(7_200)),
        margin: SignedDuration::from_secs(chance.seconds(120)),
        when_late,
    });
    for number in 0..stages {
        deadline =
            deadline.expect(format!("s{number}"), SignedDuration::from_secs(chance.seconds(300)));
    }
    deadline
}
