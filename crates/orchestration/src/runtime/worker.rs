//! Makes an attempt, on a thread of its own.
//!
//! Knows neither journal nor state: a job goes in, a result comes out. A panic is a result too.

use std::sync::mpsc::Sender;
use std::time::Duration;

use super::commands::Command;
use super::panics::catch;
use crate::clock::Clock;
use crate::pipeline::StageIndex;
use crate::recovery::{
    BreakerOutcome, ErrorRecoveryManager, FailureClass, RecoveryAction, RecoveryContext,
    StageFailure,
};
use crate::run::{Ended, FencingToken};
use crate::task::{StageContext, StageFunction, StageResult};

/// What crosses the journal is small; larger outputs belong into artifacts.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// An attempt to make.
pub(super) struct Job {
    pub(super) stage: StageIndex,
    pub(super) token: FencingToken,
    pub(super) function: StageFunction,
    /// What is repaired or restarted first.
    pub(super) preparation: Option<(RecoveryAction, RecoveryContext)>,
    pub(super) context: StageContext,
}

/// What wakes the loop of an execution.
pub(super) enum Message {
    /// An attempt ended.
    Ended {
        /// How.
        ended: Ended,
        /// How long it took.
        elapsed: Duration,
    },
    /// Somebody asked to stop.
    Stop,
    /// Another run gave back slots of a pool.
    PoolsChanged,
    /// Somebody wants something of this run.
    Command(Command),
}

impl Job {
    /// Makes the attempt and tells how it ended.
    pub(super) fn make(
        self,
        clock: &dyn Clock,
        recovery: &ErrorRecoveryManager,
        messages: &Sender<Message>,
    ) {
        let (stage, token, begun) = (self.stage, self.token, clock.monotonic());
        let result = guarded(&self, clock, recovery);
        let elapsed = clock.monotonic().saturating_sub(begun);
        let ended = Ended { stage, token, result };
        // An abandoned attempt may outlive its execution; nobody wants its result then.
        drop(messages.send(Message::Ended { ended, elapsed }));
    }
}

/// Makes the attempt if the breaker of its resource lets it through.
fn guarded(job: &Job, clock: &dyn Clock, recovery: &ErrorRecoveryManager) -> StageResult {
    let name = job.context.stage();
    let permit = recovery.admit(name, clock.now())?;
    let result = attempt(job);
    if let Some(permit) = permit {
        let outcome = match &result {
            Ok(_) => BreakerOutcome::Success,
            Err(failure) => BreakerOutcome::of_failure(failure.class),
        };
        recovery.settle(name, permit, outcome, clock.now());
    }
    result
}

fn attempt(job: &Job) -> StageResult {
    perform(|| {
        if let Some((action, context)) = &job.preparation {
            action.run(context)?;
        }
        (job.function)(&job.context)
    })
}

/// Does the work of an attempt: a panic and an output that is too large are failures.
pub(super) fn perform(work: impl FnOnce() -> StageResult) -> StageResult {
    let output = catch(work).unwrap_or_else(|panic| Err(panic.into()))?;
    let bytes = output.value.to_string().len();
    if OUTPUT_BYTES_MAX < bytes {
        let message = format!(
            "an output of {bytes} bytes, but at most {OUTPUT_BYTES_MAX} cross the journal; \
             write an artifact and return its URI"
        );
        return Err(StageFailure::new(FailureClass::Bug, message));
    }
    Ok(output)
}
