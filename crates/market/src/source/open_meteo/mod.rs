//! Open-Meteo: what weather models forecast for ERCOT's weather zones, by vintage.
//!
//! `run` knows when a model's runs can be read and which past vintage is safe to train on,
//! `zones` where a zone's weather is taken, `reply` reads what comes, `client` asks. One call is
//! one request; nothing is retried. Its archive of stitched first hours is deliberately not
//! used: as a forecast it leaks.

mod client;
mod reply;
mod run;
#[cfg(test)]
mod tests;
mod zones;

pub use client::{OpenMeteo, OpenMeteoEndpoints, OpenMeteoSettings};
pub use reply::Forecasts;
pub use run::{WeatherModel, previous_day_for};
pub use zones::{Coordinates, coordinates};
