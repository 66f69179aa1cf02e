//! What a position of a run in memory does, and one try of it.
//!
//! Knows neither state nor threads: a job goes in, a product comes out. A panic is a failure.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock::Clock;
use crate::pipeline::StageIndex;
use crate::recovery::{
    BreakerOutcome, ErrorRecoveryManager, FailureClass, RecoveryAction, RecoveryContext,
    StageFailure,
};
use crate::run::FencingToken;
use crate::runtime::panics::catch;
use crate::task::{Commit, TaskContext, TaskDefinition, TaskFailure};

/// What a stage does.
pub(crate) enum MemoryTask {
    /// Calls the functions of a task. What it begins with is degraded for these reasons.
    Task(Arc<TaskDefinition>, Vec<String>),
    /// Counts the items that a task is done for.
    Count(Arc<TaskDefinition>),
    /// Asks whether a task is wanted.
    Condition(Arc<TaskDefinition>),
}

/// What an attempt that did not fail leaves behind.
pub(super) enum Product {
    /// An output, which dependents find once it is committed.
    Output(Box<dyn Commit>),
    /// What the decisions of this run depend on.
    Fact(Value),
}

/// How an attempt ended.
pub(super) type Produced = Result<Product, StageFailure>;

/// An attempt to make.
pub(super) struct Job {
    pub(super) stage: StageIndex,
    /// Of what it does among [`MemoryTask`]s.
    pub(super) place: usize,
    pub(super) token: FencingToken,
    pub(super) rung: usize,
    pub(super) decided_at: Timestamp,
    pub(super) context: TaskContext,
    /// What is repaired or restarted first.
    pub(super) preparation: Option<Box<(RecoveryAction, RecoveryContext)>>,
}

impl MemoryTask {
    pub(super) fn definition(&self) -> &Arc<TaskDefinition> {
        match self {
            Self::Task(definition, _) | Self::Count(definition) | Self::Condition(definition) => {
                definition
            }
        }
    }

    /// Makes an attempt if the breaker of its resource lets it through.
    pub(super) fn attempt(
        &self,
        job: &Job,
        clock: &dyn Clock,
        recovery: &ErrorRecoveryManager,
    ) -> Produced {
        let definition = match self {
            Self::Task(definition, _) => definition,
            Self::Count(definition) => return caught(|| count(definition), recovery),
            Self::Condition(definition) => return caught(|| ask(definition), recovery),
        };
        let name = job.context.name();
        let permit = recovery.admit(name, job.decided_at)?;
        let call = || call(definition, job).map(Product::Output);
        let produced = caught(call, recovery);
        if let Some(permit) = permit {
            let outcome = match &produced {
                Ok(_) => BreakerOutcome::Success,
                Err(failure) => BreakerOutcome::of_failure(failure.class),
            };
            recovery.settle(name, permit, outcome, clock.now());
        }
        produced
    }
}

fn call(definition: &TaskDefinition, job: &Job) -> Result<Box<dyn Commit>, TaskFailure> {
    let rung = match job.rung.checked_sub(1) {
        None => &definition.own,
        Some(fallback) => &definition.fallbacks[fallback].1,
    };
    if let Some(preparation) = &job.preparation {
        let (action, context) = &**preparation;
        action.run(context)?;
    }
    rung(&job.context)
}

fn count(definition: &TaskDefinition) -> Result<Product, TaskFailure> {
    let count = definition.map.as_ref().and_then(|map| map.items.count());
    count.map(|count| Product::Fact(Value::from(count))).ok_or_else(thrown_away)
}

fn ask(definition: &TaskDefinition) -> Result<Product, TaskFailure> {
    for (_, question) in &definition.conditions {
        if !question().ok_or_else(thrown_away)? {
            return Ok(Product::Fact(Value::Bool(false)));
        }
    }
    Ok(Product::Fact(Value::Bool(true)))
}

fn thrown_away() -> TaskFailure {
    let message = "an input was thrown away before it could be looked at";
    StageFailure::new(FailureClass::MissingData, message).into()
}

/// Turns errors and panics into failures.
fn caught(
    work: impl FnOnce() -> Result<Product, TaskFailure>,
    recovery: &ErrorRecoveryManager,
) -> Produced {
    match catch(work) {
        Ok(Ok(product)) => Ok(product),
        Ok(Err(error)) => Err(recovery.failure_of(error.as_ref())),
        Err(panic) => Err(panic.into()),
    }
}
