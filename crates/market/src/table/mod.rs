//! Typed columns in Parquet and CSV files, and files that appear whole or not at all.
//!
//! It knows nothing about the market: which columns a file has is said by `source::files` and
//! `archive`. `columns` is what was read, `specification` what is asked for.

mod atomic;
mod columns;
mod csv_reader;
mod error;
mod parquet_bytes;
mod parquet_reader;
mod parquet_writer;
mod specification;
#[cfg(test)]
mod tests;

pub use atomic::{remove_partial_files, write_atomically};
pub use columns::{Column, Table, TextColumn};
pub use error::{TableError, WriteError};
pub(crate) use parquet_bytes::{FileBytes, ParquetBytes, footer_length};
pub use parquet_reader::read_metadata;
pub(crate) use parquet_writer::encode_parquet;
pub use parquet_writer::{ColumnData, write_parquet};
pub use specification::{ColumnKind, ColumnSpec, Presence};
