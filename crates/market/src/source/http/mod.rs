//! HTTP requests to ERCOT and Open-Meteo: one request is one attempt.
//!
//! `access` sends within a budget and a time limit and bounds what comes back, `refusal` reads
//! what a server says instead of an answer, `service` turns both into
//! [`SourceError`](super::SourceError)s. Nothing here retries, waits or knows a report.

mod access;
mod address;
mod refusal;
mod service;
#[cfg(test)]
pub(super) mod stub;
#[cfg(test)]
mod tests;

pub use access::{HttpAccess, HttpSettings, Now};
pub(super) use access::{Method, Request, Size};
pub use address::{BaseUrl, BaseUrlError};
pub(super) use refusal::{Kind, Refusal};
pub use refusal::{retry_after, text_of};
pub(super) use service::Service;
