//! When values could be read; no source is fuzzed here.

#[path = "../../src/source/publication.rs"]
pub mod publication;
