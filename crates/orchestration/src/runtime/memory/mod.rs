//! Executes tasks in memory: the same decisions as for durable runs, without a journal.
//!
//! The state is shared: whoever ends an attempt decides what follows and takes the next attempt
//! itself, so small tasks cost no change of threads. The calling thread only watches the clock.

mod attempt;
mod core;
mod execution;

pub(crate) use attempt::MemoryTask;
pub(crate) use core::MemoryEnd;
pub(crate) use execution::{MemoryError, MemoryExecution, MemoryRun};
