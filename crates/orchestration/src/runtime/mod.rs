//! The only loops: take an event → decide → append to the journal → act, and the same in memory
//! without a journal. They hold the threads and
//! the waiting; what to do is decided in [`crate::run`].

mod acting;
mod alarms;
mod commands;
mod error;
mod execution;
mod executor;
mod isolated;
mod memory;
mod observation;
mod panics;
mod threads;
mod worker;

pub use error::ExecutionError;
pub use executor::PipelineExecutor;
pub use isolated::{
    FrameError, IsolatedCommand, IsolatedError, IsolatedLimits, IsolatedPolicy, IsolatedPool,
    ServeError, serve_isolated,
};
pub(crate) use memory::{MemoryEnd, MemoryError, MemoryExecution, MemoryRun, MemoryTask};
pub use observation::{Observation, ObservationKind};
