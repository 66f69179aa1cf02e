//! ERCOT's Public API: rows, archives and bundles of the reports, for holders of an account.
//!
//! `client` asks, `token` signs in, `rows` says which rows are wanted, `lists` reads what there
//! is, `bulk` opens what was downloaded together. The rows themselves are read by `reports`.
//! One call is one request (and one more to sign in, about once an hour); nothing is retried.

mod bulk;
mod client;
mod endpoints;
mod lists;
mod rows;
#[cfg(test)]
mod tests;
mod token;

pub use bulk::Downloads;
#[cfg(test)]
pub(super) use bulk::tests::zip_of;
pub use client::{DOCUMENTS_OF_A_DOWNLOAD_MAX, ErcotApi};
pub use endpoints::ErcotEndpoints;
pub use lists::{ArchivePage, Paging, Product};
pub use rows::{Filter, PAGE_ROWS, PAGE_ROWS_MAX, RowRequest};
