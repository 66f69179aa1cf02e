//! The durable memory of runs: what was submitted and what happened, append-only, in one SQLite
//! file. What the events mean is decided in [`crate::run`]; large data never comes here.

mod error;
mod format;
mod lock;
mod reader;
mod shapes;
mod writer;

pub use error::JournalError;
pub use format::FORMAT_VERSION;
pub use reader::JournalReader;
pub(crate) use writer::Earlier;
pub use writer::{Journal, Submission};
