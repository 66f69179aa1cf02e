//! What ERCOT (and the weather) published, and when: units, market time, places, observations,
//! reports, sources, archive.
//!
//! It never forecasts, never orchestrates and never retries: a source asks once, and its error
//! says what kind of failure it was. Everything that a forecast may read goes through
//! [`observation::KnownAt`], which hides what was published later.

pub mod archive;
pub mod observation;
pub mod place;
pub mod quality;
pub mod reports;
pub mod source;
pub mod table;
pub mod time;
pub mod units;
