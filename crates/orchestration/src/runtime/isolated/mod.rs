//! Stages in processes of their own: what crashes, hangs or leaks there harms nobody else.
//!
//! `pool` keeps children ready and lends one to each call; `call` talks to it, with the patience
//! that `patience` decides; `child` and `group` are the process and everything it started; `serve`
//! is the child's side. What crosses is in `protocol`, how in `frame`. Recovery is not decided here:
//! a call ends with an output or a failure, like any other attempt.

mod call;
mod child;
mod error;
mod frame;
mod group;
mod log;
mod patience;
mod policy;
mod pool;
mod protocol;
mod serve;

pub use error::{IsolatedError, ServeError};
pub use frame::FrameError;
pub use policy::{IsolatedCommand, IsolatedLimits, IsolatedPolicy};
pub use pool::IsolatedPool;
pub use serve::serve_isolated;
