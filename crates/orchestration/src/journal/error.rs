//! What can be wrong with a journal, divided by what the person on call does about it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::ErrorCode;

use super::FORMAT_VERSION;
use crate::run::{RunId, RunStatus};

/// Why the journal cannot be used.
///
/// One failed transaction is told to everybody who had a part in it, so errors can be cloned.
#[derive(Clone, Debug, thiserror::Error)]
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
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The system lets this process open no more files.
    #[error(
        "journal {} cannot be opened: too many files are open; raise the limit (ulimit -n) or \
         close other programs, and start again",
        path.display()
    )]
    TooManyFiles {
        /// The journal.
        path: PathBuf,
    },
    /// Another program keeps the file to itself.
    #[error(
        "journal {} is locked by another program, such as a backup or a database browser; close \
         it and start again",
        path.display()
    )]
    Busy {
        /// The journal.
        path: PathBuf,
    },
    /// The file is not where it was when it was opened.
    #[error(
        "journal {} was moved or deleted while in use: what was written last cannot be found \
         there; put it back together with its -wal file and start again",
        path.display()
    )]
    Moved {
        /// The journal.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("journal {} cannot grow: the disk is full; make room and start again",
        path.display())]
    DiskFull {
        /// The journal.
        path: PathBuf,
    },
    /// The process that made or migrated it died in the middle.
    #[error(
        "journal {} was being made or migrated when its process died; whoever opens it for \
         writing next repairs it, and then it can be read",
        path.display()
    )]
    HalfMade {
        /// The journal.
        path: PathBuf,
    },
    /// Of this run only one line is left.
    #[error(
        "run {run_id} ended on {} ({status}) and its details were removed by retention",
        finished_at.strftime("%Y-%m-%d")
    )]
    Removed {
        /// The run.
        run_id: RunId,
        /// How it ended.
        status: RunStatus,
        /// When it ended.
        finished_at: Timestamp,
    },
    /// The events do not follow those that the journal has.
    #[error(
        "run {run_id}: its events were not written, because the journal does not have {expected} \
         events before them; another execution of the run has written since: execute it again"
    )]
    OutOfOrder {
        /// The run.
        run_id: RunId,
        /// How many events the writer believed to be there.
        expected: i64,
    },
    /// The thread that wrote for several runs panicked.
    #[error(
        "journal {}: another thread panicked while it wrote, so it is not known whether these \
         events are there; execute the run again, it resumes from what is there",
        path.display()
    )]
    WriterPanicked {
        /// The journal.
        path: PathBuf,
    },
    /// SQLite could not do it, for another reason.
    #[error("journal {} cannot be used", path.display())]
    Sqlite {
        /// The journal.
        path: PathBuf,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
}

impl JournalError {
    /// Sorts an error of SQLite by what is to be done about it.
    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let owned = path.to_owned();
        match source.sqlite_error().map(|error| error.extended_code) {
            Some(SQLITE_IOERR_SHMSIZE) => return Self::DiskFull { path: owned },
            Some(SQLITE_READONLY_ROLLBACK) => return Self::HalfMade { path: owned },
            Some(_) | None => {}
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path: owned },
            Some(ErrorCode::NotADatabase) => Self::NotAJournal { path: owned },
            Some(ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path: owned, detail: source.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path: owned },
            // SQLite does not say why, so the file system is asked.
            Some(ErrorCode::CannotOpen) => match look_around(path) {
                Err(error) => Self::from_io(path, error),
                Ok(()) => Self::NotWritable { path: owned, source: Arc::new(source) },
            },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path: owned, source: Arc::new(source) }
            }
            Some(_) | None => Self::Sqlite { path: owned, source: Arc::new(source) },
        }
    }

    /// Sorts an error of the file system.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if matches!(source.raw_os_error(), Some(EMFILE | ENFILE)) {
            return Self::TooManyFiles { path };
        }
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::NotWritable { path, source: Arc::new(source) },
        }
    }

    /// Tells whether the fault lies in what one caller wanted written, so that others may go on.
    pub(super) fn is_about_one_change(&self) -> bool {
        match self {
            Self::OutOfOrder { .. } => true,
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
            ),
            Self::InUse { .. }
            | Self::NotFound { .. }
            | Self::NotAJournal { .. }
            | Self::NewerFormat { .. }
            | Self::Damaged { .. }
            | Self::NotWritable { .. }
            | Self::TooManyFiles { .. }
            | Self::Busy { .. }
            | Self::Moved { .. }
            | Self::DiskFull { .. }
            | Self::HalfMade { .. }
            | Self::Removed { .. }
            | Self::WriterPanicked { .. } => false,
        }
    }
}

/// There was no room for the file that readers and writers share.
const SQLITE_IOERR_SHMSIZE: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// A reader found a transaction that only a writer can take back.
const SQLITE_READONLY_ROLLBACK: i32 = rusqlite::ffi::SQLITE_READONLY_ROLLBACK;

/// This process has no file descriptors left.
const EMFILE: i32 = rustix::io::Errno::MFILE.raw_os_error();

/// The system has none left.
const ENFILE: i32 = rustix::io::Errno::NFILE.raw_os_error();

/// Opens the folder of a file: never the file itself, whose locks that would free.
fn look_around(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".").map(drop),
        Some(folder) => File::open(folder).map(drop),
        None => Ok(()),
    }
}

/// Why a transaction was given up, before it is known of which file it is said.
#[derive(Debug)]
pub(super) enum Refusal {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// We do.
    Journal(JournalError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Refusal {
    /// Says of which journal it is told.
    pub(super) fn at(self, path: &Path) -> JournalError {
        match self {
            Self::Sqlite(error) => JournalError::from_sqlite(path, error),
            Self::Journal(error) => error,
        }
    }
}
