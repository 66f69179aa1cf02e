//! Features: every target hour described by what was known at the issue time.
//!
//! [`examples`] takes a [`KnownAt`](market::observation::KnownAt) and nothing else that holds
//! data, so a feature cannot see what was published later. Families: `calendar` (sun, season,
//! working days), `climatology` (how often it happened before), `prices` (what prices did
//! lately), `tightness` (load, wind, solar against the last weeks), `weather`. What is missing is
//! NaN, never 0.

mod calendar;
mod climatology;
mod examples;
mod hour_table;
mod prices;
mod tightness;
mod weather;

pub use climatology::Climatology;
pub use examples::{COLUMNS_PER_THRESHOLD, Example, Examples, column_names, examples};
