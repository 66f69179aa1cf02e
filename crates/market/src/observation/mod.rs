//! Observations: what was published about an interval, and when it could be read.
//!
//! `series` names what is observed, `catalogue` knows its unit and interval, `history` keeps every vintage, `known_at` is the only reader,
//! `hourly` derives hourly price statistics without losing what was known when.

mod catalogue;
mod history;
mod hourly;
mod known_at;
mod series;

pub use catalogue::SeriesFacts;
pub use history::{History, HistoryBuilder, Observation};
pub use hourly::COVERAGE_OF_A_PRICE;
pub use known_at::{Known, KnownAt, KnownSeries};
pub use series::{Adder, AncillaryService, LoadModel, ResourceKind, Series, SeriesKey};
