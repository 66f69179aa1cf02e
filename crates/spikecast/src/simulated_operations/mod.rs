//! Years of daily operations in minutes: the real orchestration in virtual time, against the
//! simulated ERCOT over HTTP, with everything going wrong that can.
//!
//! Real are the schedules, the pipelines with their ladders and strategies, the planner, the
//! journal on disk, the notices, fetching with its clients and its archive, and every death of the
//! process. Light are the models and tables: their stages take (virtual) time, fail as the
//! [`trouble`] of the day says, and leave small files. `life` is one process from its start to its
//! death or the end, `diary` what was done as seen from outside, `account` what it says about the
//! promises. The same seed gives the same troubles.

mod account;
mod desk;
mod diary;
mod functions;
mod life;
mod light;
mod town;
pub mod trouble;

pub use account::{Account, DayOutcome, Rung};
pub use life::{Life, Settings};
