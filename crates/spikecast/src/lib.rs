//! The library behind the command `spikecast`: configuration, the daily jobs, ledger, model
//! registry, reports, command line.
//!
//! Read `jobs` first: what the orchestrator runs. `operations` runs it every day, `cli` is how people
//! start it.

pub mod cli;
pub mod config;
pub mod data_dir;
pub mod exit;
pub mod jobs;
pub mod ledger;
pub mod notifications;
pub mod operations;
pub mod quality;
pub mod registry;
pub mod report;
pub mod schedules;
pub mod simulated_ercot;
pub mod simulated_operations;
pub mod verification;
