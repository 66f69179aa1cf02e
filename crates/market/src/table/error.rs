//! Why a table could not be read or written, divided by what the reader of the message does.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a table gave nothing.
#[derive(Debug, Error)]
pub enum TableError {
    /// There is no such file or folder: put it there, or point elsewhere.
    #[error("{}: there is nothing here; expected {expected}", path.display())]
    Missing {
        /// Where nothing was found.
        path: PathBuf,
        /// What should be there.
        expected: String,
    },
    /// Two files claim to be the same table: remove one.
    #[error("{} and {}: both are present; remove the one that is out of date", first.display(), second.display())]
    Ambiguous {
        /// One of the files.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The operating system refuses: permissions, a broken disk.
    #[error("{}: cannot be read; check its permissions and the disk", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// The file's structure is broken, e.g. it was cut off: get it again.
    #[error("{}: is damaged or not a Parquet file ({detail}); download it again or restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is broken.
        detail: String,
    },
    /// A column is not there: rename or add it.
    #[error("{}: has no column {column:?}{}; it has {found}; rename or add the column", path.display(), nearest_hint(nearest.as_deref()))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column that is needed.
        column: String,
        /// The columns that are there.
        found: String,
        /// The one that is spelled most alike.
        nearest: Option<String>,
    },
    /// A whole column has the wrong type: convert it.
    #[error("{}, column {column}: expected {expected}, found {found}; convert the column", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What the column should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// One cell cannot be used: correct it, or make it empty where it may be.
    #[error("{}, row {row}{}, column {column}: expected {expected}, found {found}; correct the cell", path.display(), line_hint(*line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The data row, counted from 1.
        row: usize,
        /// The line of a text file, counted from 1.
        line: Option<u64>,
        /// The column.
        column: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
}

fn nearest_hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (is it {name:?}?)"))
}

fn line_hint(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!(" (line {line})"))
}

impl TableError {
    /// Divides what the operating system said about opening or reading a file.
    pub(crate) fn from_io(
        path: &Path,
        expected: impl FnOnce() -> String,
        cause: io::Error,
    ) -> Self {
        let path = path.to_path_buf();
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing { path, expected: expected() },
            _ => Self::NotReadable { path, cause },
        }
    }
}

/// Why a file could not be written. The file that was there before is untouched.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The disk or the quota is full: make room, then try again.
    #[error("{}: no space left on the disk (or in the quota); make room", path.display())]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// The folder may not be written to: change its permissions, or write elsewhere.
    #[error("{}: may not be written; check the folder's owner, permissions and mount", path.display())]
    NotPermitted {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// Anything else, e.g. a broken disk.
    #[error("{}: cannot be written", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
}

impl WriteError {
    /// Divides what the operating system said about writing a file.
    #[must_use]
    pub fn from_io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_path_buf();
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { path, cause }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotPermitted { path, cause }
            }
            _ => Self::Failed { path, cause },
        }
    }
}
