//! What can be wrong with a journal, divided by what the person on call does about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::FORMAT_VERSION;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process writes to it.
    #[error(
        "journal {} is in use{}; wait for that process or stop it (reading is possible meanwhile)",
        path.display(),
        pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
    )]
    InUse {
        /// The journal.
        path: PathBuf,
        /// The process, if it said who it is.
        pid: Option<u32>,
    },
    /// There is no such file.
    #[error("journal {} does not exist; nothing has been run with it yet", path.display())]
    NotFound {
        /// The journal.
        path: PathBuf,
    },
    /// The file is something else.
    #[error(
        "{} is not a journal of this program; it was left as it is, choose another path",
        path.display()
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "journal {} has format {found}, this program knows formats up to {FORMAT_VERSION}; \
         use the newer program",
        path.display()
    )]
    NewerFormat {
        /// The journal.
        path: PathBuf,
        /// The format of the file.
        found: i64,
    },
    /// The file contradicts itself.
    #[error(
        "journal {} is damaged ({detail}); it was left as it is: move it away together with its \
         -wal and -shm files and restore a copy, or start without it",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// What does not fit.
        detail: String,
    },
    /// The place cannot be written to.
    #[error("journal {} cannot be written; check that its directory exists and is writable",
        path.display())]
    NotWritable {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk is full.
    #[error("journal {} cannot grow: the disk is full; make room and start again",
        path.display())]
    DiskFull {
        /// The journal.
        path: PathBuf,
    },
    /// SQLite could not do it, for another reason.
    #[error("journal {} cannot be used", path.display())]
    Sqlite {
        /// The journal.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl JournalError {
    /// Sorts an error of SQLite by what is to be done about it.
    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::NotADatabase) => Self::NotAJournal { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, detail: source.to_string() },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path, source: Box::new(source) }
            }
            Some(_) | None => Self::Sqlite { path, source },
        }
    }

    /// Sorts an error of the file system.
    pub(super) fn from_io(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path }
            }
            _ => Self::NotWritable { path, source: Box::new(source) },
        }
    }
}
