//! What kind of failure it was and what follows it. Pure: waiting and journalling happen in
//! [`crate::runtime`].

mod failure;
mod retry;

pub use failure::{FailureClass, StageFailure};
pub(crate) use retry::mix;
pub use retry::{RetryPolicy, Tried, Verdict, after_failure};
