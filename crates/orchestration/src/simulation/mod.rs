//! Whole processes in virtual time, with everything going wrong that can, decided by one seed.
//!
//! A process executes several runs that share pools. Workers crash, hang, fail, do not listen and
//! come back late; the process dies before and after it writes, and after it has told somebody;
//! stages, items, subtrees and runs are cancelled; the clock is set forward and back. After every
//! step the promises of the orchestrator are checked. It plays the runtime's part around the real
//! decisions of [`crate::run`]; threads and disks are tried elsewhere.
//!
//! # Example
//! ```
//! let outcome = orchestration::simulation::simulate(7).unwrap();
//! assert!(0 < outcome.attempts);
//! ```

mod chance;
mod execution;
mod machine;
mod outcome;
mod plan;
mod promises;
mod turn;
mod virtual_clock;
mod worker;
mod world;

pub use outcome::{Occasion, Outcome};
pub use virtual_clock::VirtualClock;
use world::World;

/// A promise was broken: a bug in the orchestrator. The seed replays it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, step {step}: {promise}")]
pub struct BrokenPromise {
    /// What to hand to [`simulate`] to see it again.
    pub seed: u64,
    /// After so many steps.
    pub step: u64,
    /// Which promise, and how it was broken.
    pub promise: String,
}

/// Simulates one process and its successors. The same seed always does the same.
pub fn simulate(seed: u64) -> Result<Outcome, BrokenPromise> {
    let mut world = World::new(seed);
    let result = world.live();
    result.map_err(|promise| BrokenPromise { seed, step: world.outcome().steps, promise })?;
    Ok(world.outcome())
}
