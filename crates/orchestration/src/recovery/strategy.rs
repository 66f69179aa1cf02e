//! What can be done about a failure, and for which failures.
//!
//! Plain choices: how a choice turns into the next event is decided in `retry`, which choice holds
//! for a failure is looked up in `manager`.

use std::any::TypeId;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{FailureClass, RetryPolicy, StageFailure};
use crate::task::CancellationToken;

/// What a repair or a restart may know about the failure that called for it.
#[derive(Clone, Debug)]
pub struct RecoveryContext {
    /// The stage or task that failed.
    pub stage: String,
    /// The number of the attempt that failed: 1 for the first.
    pub attempt: u32,
    /// Why it failed.
    pub failure: StageFailure,
    /// The input of the whole run; null for tasks in memory.
    pub run_input: Arc<Value>,
    /// Tells when to stop; a repair that takes long asks it now and then.
    pub cancellation: CancellationToken,
}

/// What is done before the next attempt. It may be done again after a crash, so doing it twice must
/// do no harm.
#[derive(Clone)]
pub struct RecoveryAction(Arc<RecoveryFunction>);

type RecoveryFunction = dyn Fn(&RecoveryContext) -> Result<(), StageFailure> + Send + Sync;

impl RecoveryAction {
    /// Returns the action of calling `function`.
    pub fn new<F>(function: F) -> Self
    where
        F: Fn(&RecoveryContext) -> Result<(), StageFailure> + Send + Sync + 'static,
    {
        Self(Arc::new(function))
    }

    pub(crate) fn run(&self, context: &RecoveryContext) -> Result<(), StageFailure> {
        (self.0)(context)
    }
}

impl fmt::Debug for RecoveryAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RecoveryAction").finish_non_exhaustive()
    }
}

/// What is done about a failure. When a strategy is exhausted, the next rung follows.
#[derive(Clone, Debug)]
pub enum RecoveryStrategy {
    /// RETRY: the same again, later.
    Retry(RetryPolicy),
    /// FALLBACK: the next rung of the ladder, at once.
    Fallback,
    /// SKIP: neither the stage nor what depends on it; the run goes on without them.
    Skip,
    /// REPAIR: mend what was wrong, then the same again.
    Repair {
        /// What mends it, for instance fetching a damaged partition anew.
        action: RecoveryAction,
        /// How often, and how patiently.
        policy: RetryPolicy,
    },
    /// RESTART: start anew what the stage works with, then the same again.
    Restart {
        /// What restarts it, for instance a worker process or a source's client.
        action: RecoveryAction,
        /// How often, and how patiently.
        policy: RetryPolicy,
    },
}

impl RecoveryStrategy {
    /// Returns the word shown to people.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Retry(_) => "RETRY",
            Self::Fallback => "FALLBACK",
            Self::Skip => "SKIP",
            Self::Repair { .. } => "REPAIR",
            Self::Restart { .. } => "RESTART",
        }
    }

    pub(crate) fn policy(&self) -> Option<&RetryPolicy> {
        match self {
            Self::Retry(policy) | Self::Repair { policy, .. } | Self::Restart { policy, .. } => {
                Some(policy)
            }
            Self::Fallback | Self::Skip => None,
        }
    }

    pub(crate) fn action(&self) -> Option<&RecoveryAction> {
        match self {
            Self::Repair { action, .. } | Self::Restart { action, .. } => Some(action),
            Self::Retry(_) | Self::Fallback | Self::Skip => None,
        }
    }
}

/// Which failures a strategy is for.
#[derive(Clone, Debug)]
pub struct RecoveryTrigger {
    pub(super) cause: Cause,
    pub(super) stage: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Cause {
    Class(FailureClass),
    Error(ErrorType),
}

/// A type of Rust errors and what class of failure it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ErrorType {
    pub(super) id: TypeId,
    pub(super) class: FailureClass,
    pub(super) matches: fn(&(dyn Error + 'static)) -> bool,
}

impl RecoveryTrigger {
    /// Returns the trigger for failures of one class.
    pub fn class(class: FailureClass) -> Self {
        Self { cause: Cause::Class(class), stage: None }
    }

    /// Returns the trigger for errors of the Rust type `E`, and says what class of failure they are.
    ///
    /// An error with an `E` among its causes counts. Only tasks in memory return Rust errors; a
    /// registered function of a pipeline turns its errors into failures with
    /// [`super::ErrorRecoveryManager::failure_of`].
    pub fn error<E: Error + 'static>(class: FailureClass) -> Self {
        let matches = |error: &(dyn Error + 'static)| error.is::<E>();
        let cause = Cause::Error(ErrorType { id: TypeId::of::<E>(), class, matches });
        Self { cause, stage: None }
    }

    /// Narrows the trigger to one stage or task.
    #[must_use]
    pub fn at_stage(mut self, name: impl Into<String>) -> Self {
        self.stage = Some(name.into());
        self
    }

    /// Tells how well the trigger fits: the higher the better, a stage counting more than a cause.
    pub(super) fn fit(&self, stage: &str, failure: &StageFailure) -> Option<u8> {
        let cause = match &self.cause {
            Cause::Class(class) if *class == failure.class => 0,
            Cause::Error(error) if Some(error.id) == failure.error_type => 1,
            Cause::Class(_) | Cause::Error(_) => return None,
        };
        match self.stage.as_deref() {
            None => Some(cause),
            Some(name) if name == stage => Some(2 + cause),
            Some(_) => None,
        }
    }

    /// Tells whether two triggers are the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let same_cause = match (&self.cause, &other.cause) {
            (Cause::Class(left), Cause::Class(right)) => left == right,
            (Cause::Error(left), Cause::Error(right)) => left.id == right.id,
            (Cause::Class(_), Cause::Error(_)) | (Cause::Error(_), Cause::Class(_)) => false,
        };
        same_cause && self.stage == other.stage
    }
}
