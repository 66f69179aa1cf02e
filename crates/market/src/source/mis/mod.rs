//! ERCOT's MIS: lists and downloads without an account. It posts sooner than the Public API and
//! keeps each report for a few days only.
//!
//! `documents` makes postings of a list's documents, `client` asks. One call is one request;
//! nothing is retried.

mod client;
mod documents;
#[cfg(test)]
mod tests;

pub use client::Mis;
