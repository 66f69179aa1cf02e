//! The durable memory of runs: what was submitted and what happened, append-only, in one SQLite
//! file. What the events mean is decided in [`crate::run`]; large data never comes here.
//!
//! - **One writer**, by the lock file; readers beside it ([`JournalReader`]).
//! - **Group commit**: whoever writes at the same time shares a transaction and its `fsync`.
//! - **Loss is noticed**: every row has a checksum, every run its number of events, and a mark beside
//!   the file says how many commits there were. What is damaged is refused and left as it is.
//! - **Bounded**: runs that ended long ago, or that no longer fit, keep one line ([`Retention`]).

mod change;
mod check;
mod checksum;
mod commit_queue;
mod error;
mod format;
mod lock;
mod mark;
mod migration;
mod opening;
mod past;
mod pen;
mod reader;
mod recall;
mod retention;
mod shapes;
mod sync;
mod writer;

pub(crate) use change::Earlier;
pub use check::{CheckReport, Finding};
pub use error::JournalError;
pub use format::FORMAT_VERSION;
pub use reader::JournalReader;
pub use retention::{PAST_RUNS_MAX, Retention};
pub use writer::{Journal, Submission};
