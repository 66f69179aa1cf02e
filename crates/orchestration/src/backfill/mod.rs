//! Many runs of one pipeline, one for each partition (a day, say) of a span of the past.
//!
//! [`Backfill`] executes them side by side; the executor's journal knows each run. How far it is
//! stands in a small file beside the journal ([`PartitionStates`]), a byte for each partition, so
//! that a million are counted in a moment. The journal is right where the two differ: a partition
//! that the file does not call done is submitted again, and a run that is over is not repeated.

mod partitions;
mod runner;

pub use partitions::{PartitionCounts, PartitionState, PartitionStates, PartitionsError};
pub use runner::{Backfill, BackfillError, Partition};
