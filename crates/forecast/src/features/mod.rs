//! Features: every target hour described by what was known at the issue time.
//!
//! [`examples`] takes a [`KnownAt`](market::observation::KnownAt) and nothing else that holds
//! data, so a feature cannot see what was published later. Families: `calendar` (sun, working
//! days), `climatology` (how often it happened before), `prices` (what prices did lately),
//! `tightness` (load, wind, solar against the last weeks), `forecast_error` (how wrong their
//! forecasts were), `adequacy` (outages, what is left after load and reserves), `uncertainty` (how
//! far forecasts lie apart), `weather`, `regime` (more exceedances than usual?), `analogs` (what
//! happened in hours like it). [`features`] lists them all. What is missing is NaN, never 0.

mod adequacy;
mod analogs;
mod calendar;
mod climatology;
mod examples;
mod forecast_error;
mod hour_table;
mod hours;
mod net_load;
mod prices;
mod regime;
mod registry;
mod tightness;
mod uncertainty;
mod weather;

pub use examples::{COLUMNS_PER_THRESHOLD, Example, Examples, column_names, examples};
pub use registry::{Feature, FeatureGroup, Input, ReadBy, features};
