//! The one connection that writes: every transaction goes through here.
//!
//! It counts commits inside of each transaction, and after it moves the mark and looks whether the
//! file is still where it was. What is written is in `change` and `retention`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::JournalError;
use super::error::Refusal;
use super::mark::{Mark, MarkFile};

const SQL_COUNT_COMMIT: &str =
    "UPDATE journal SET commits = commits + 1 WHERE only = 1 RETURNING commits";

/// What writes to a journal.
#[derive(Debug)]
pub(super) struct Pen {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// Device and number of the file that was opened.
    file: (u64, u64),
    id: String,
    mark: MarkFile,
    commits: AtomicU64,
    complaint: Mutex<Option<JournalError>>,
}

impl Pen {
    /// Takes over a connection to a journal of the present format, and makes the first mark.
    pub(super) fn new(path: &Path, connection: Connection) -> Result<Self, JournalError> {
        let not_writable = |error| JournalError::from_io(path, error);
        let sql = "SELECT id, commits FROM journal";
        let reached = connection
            .query_row(sql, [], |row| Ok(Mark { id: row.get(0)?, commits: row.get(1)? }))
            .map_err(|error| JournalError::from_sqlite(path, error))?;
        let mark = MarkFile::open(path, &reached).map_err(not_writable)?;
        let (path, connection) = (path.to_owned(), Mutex::new(connection));
        let file = identity(&path).map_err(|error| JournalError::from_io(&path, error))?;
        let (commits, complaint) = (AtomicU64::new(0), Mutex::default());
        Ok(Self { path, connection, file, id: reached.id, mark, commits, complaint })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes, all or nothing; when it returns, what was written has reached the disk.
    pub(super) fn transact<T>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, JournalError> {
        let mut connection = self.connection();
        let (written, commits) =
            commit(&mut connection, write).map_err(|refusal| refusal.at(&self.path))?;
        let Some(commits) = commits else { return Ok(written) };
        self.commits.fetch_add(1, Ordering::Relaxed);
        // An open file that has lost its name still takes every write, and keeps none.
        match identity(&self.path) {
            Ok(found) if found == self.file => {}
            Ok(_) | Err(_) => return Err(JournalError::Moved { path: self.path.clone() }),
        }
        let mark = Mark { id: self.id.clone(), commits };
        if let Err(error) = self.mark.write(&mark) {
            self.complain(JournalError::from_io(&self.path, error));
        }
        Ok(written)
    }

    /// Returns how many transactions were committed since the journal was opened.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Keeps what went wrong in work that nobody waits for.
    pub(super) fn complain(&self, error: JournalError) {
        *self.complaint.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn complaint(&self) -> Option<JournalError> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of the commit, if there was anything to commit.
fn commit<T>(
    connection: &mut Connection,
    write: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
) -> Result<(T, Option<i64>), Refusal> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changes = transaction.total_changes();
    let written = write(&transaction)?;
    if transaction.total_changes() == changes {
        return Ok((written, None));
    }
    let commits = transaction.prepare_cached(SQL_COUNT_COMMIT)?.query_row([], |row| row.get(0))?;
    transaction.commit()?;
    Ok((written, Some(commits)))
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}
