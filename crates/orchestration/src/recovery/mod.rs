//! What kind of failure it was and what follows it. Deciding is pure: waiting and journalling
//! happen in [`crate::runtime`].

mod breaker;
mod deadline;
mod failure;
mod history;
mod manager;
mod retry;
mod strategy;

pub use breaker::{Breaker, BreakerOutcome, BreakerPhase, BreakerPolicy, Permit, Refused};
pub use deadline::{
    Advice, DeadlineAlert, DeadlinePolicy, DeadlineWatch, Outlook, Remaining, WhenLate, advise,
};
pub use failure::{FailureClass, StageFailure};
pub use history::{RecoveryDecision, RecoveryRecord, RecoveryStatistics};
pub use manager::{ErrorRecoveryManager, RecoveryError};
pub(crate) use retry::mix;
pub use retry::{RetryPolicy, Tried, Verdict, after_failure, follow};
pub use strategy::{RecoveryAction, RecoveryContext, RecoveryStrategy, RecoveryTrigger};
