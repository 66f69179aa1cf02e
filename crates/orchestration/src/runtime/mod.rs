//! The only loop: take an event → decide → append to the journal → act. It holds the threads and
//! the waiting; what to do is decided in [`crate::run`].

mod error;
mod execution;
mod executor;
mod observation;
mod worker;

pub use error::ExecutionError;
pub use executor::PipelineExecutor;
pub use observation::{Observation, ObservationKind};
