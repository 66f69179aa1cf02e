//! A simulated ERCOT: deterministic, physically motivated, for a machine without any account.
//!
//! Weather drives load, wind and solar; outages and storage decide what is left to serve them; a
//! merit order, short shortages and scarce reserves turn that into prices at every SCED run, and
//! full lines spread them over hubs and zones. Forecasts are the truth plus errors that resolve as
//! the hour comes nearer. Every value is a pure function of the seed and of time, so nothing
//! depends on the order of requests or on how far anyone has asked. It is a stand-in for the
//! market, not a model of its future.
//!
//! One file per mechanism; `of_runs`, `of_hours` and `of_vintages` make the published series of
//! them, `source` answers requests. `tests/simulated_market.rs` compares the prices with the real
//! ones, `examples/simulated_statistics.rs` prints the comparison.

mod adequacy;
mod ancillary;
mod calendar;
mod congestion;
mod corrections;
mod day_ahead;
mod demand;
mod eras;
mod errors;
mod fleet;
mod forecasts;
mod merit_order;
mod noise;
mod of_hours;
mod of_runs;
mod of_vintages;
mod outages;
mod real_time;
mod regions;
mod scarcity;
mod sced;
mod shortage;
mod source;
mod storage;
mod system;
#[cfg(test)]
mod tests;
mod vintages;
mod weather;

pub use source::{Simulator, SimulatorSettings};
pub use vintages::Vintages;
