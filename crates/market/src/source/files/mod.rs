//! The user's own history in local files, Parquet or CSV. The layout is described in
//! `docs/data-layout.md`; `layout` holds it in code, `reading` turns tables into observations.

mod layout;
mod reading;
mod source;
#[cfg(test)]
mod tests;

pub use source::FileSource;
