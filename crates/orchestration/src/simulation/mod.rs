//! Whole runs in virtual time, with everything going wrong that can, decided by one seed.
//!
//! Workers crash, hang, fail and come back late; the process dies before and after it writes; the
//! clock is set forward and back. After every step the promises of the orchestrator are checked. It
//! plays the runtime's part around the real decisions of [`crate::run`]; threads and disks are
//! tried elsewhere.
//!
//! # Example
//! ```
//! let outcome = orchestration::simulation::simulate(7).unwrap();
//! assert!(0 < outcome.attempts);
//! ```

mod chance;
mod plan;
mod promises;
mod world;

use world::World;

/// What happened in a simulated run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps of the simulation.
    pub steps: u32,
    /// Attempts begun.
    pub attempts: u32,
    /// Attempts that failed.
    pub failures: u32,
    /// Times the process died.
    pub crashes: u32,
    /// Times the process was asked to stop and resumed.
    pub stops: u32,
    /// Results of superseded attempts that were refused.
    pub refused: u32,
    /// Times the clock was set.
    pub clock_steps: u32,
    /// Alerts about the deadline.
    pub alerts: u32,
}

/// A promise was broken: a bug in the orchestrator. The seed replays it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, step {step}: {promise}")]
pub struct BrokenPromise {
    /// What to hand to [`simulate`] to see it again.
    pub seed: u64,
    /// After so many steps.
    pub step: u32,
    /// Which promise, and how it was broken.
    pub promise: String,
}

/// Simulates one run. The same seed always does the same.
pub fn simulate(seed: u64) -> Result<Outcome, BrokenPromise> {
    let mut world = World::new(seed);
    let result = world.live();
    result.map_err(|promise| BrokenPromise { seed, step: world.outcome().steps, promise })?;
    Ok(world.outcome())
}
