//! A simulated ERCOT: deterministic, physically motivated, for a machine without any account.
//!
//! Weather drives load, wind and solar; outages and storage decide what is left to serve them; a
//! merit order with scarcity turns that into prices, congestion spreads them over the hubs. Every
//! value is a pure function of the seed and of time, so nothing depends on the order of requests
//! or on how far anyone has asked. It is a stand-in for the market, not a model of its future.

mod calendar;
mod day_ahead;
mod forecasts;
mod noise;
mod price;
mod source;
mod system;
#[cfg(test)]
mod tests;
mod weather;

pub use source::{Simulator, SimulatorSettings};
