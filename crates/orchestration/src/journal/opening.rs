//! Opens a journal for writing: looks first, and changes the file only when all is well.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::JournalError;
use super::format::{self, Found, Purpose};
use super::mark::{Mark, mark_path};
use super::migration;
use super::reader::BUSY_WAIT_MAX;

/// The write-ahead log is moved into the file whenever it has so many pages (4 MiB). More would
/// spare work there, but a log that grows costs the disk more than one that is written over: with
/// four times as many, 10,000 short stages took a fifth longer.
const WAL_PAGES_MAX: u32 = 1_000;

/// After that the log keeps at most so many bytes on the disk, even if readers made it grow.
const WAL_BYTES_KEPT: u32 = 16 << 20;

/// So many statements stay prepared; there are not as many.
pub(super) const STATEMENTS_KEPT: usize = 64;

/// Returns a connection to a journal of the present format, which is made or migrated if need be.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    let mark = Mark::read(path).map_err(|error| JournalError::from_io(path, error))?;
    // Where there is no file, somebody has taken it away and wants a new one.
    let mark = if refuse_remains(path, mark.as_ref())? { mark } else { None };
    let fail = |error| JournalError::from_sqlite(path, error);
    let connection = Connection::open(path).map_err(fail)?;
    let settings = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .and_then(|_| connection.busy_timeout(BUSY_WAIT_MAX))
        .and_then(|()| connection.execute_batch(settings))
        .map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    let found = inspect(&connection, path, mark.as_ref(), Purpose::Write)?;
    // Only now is it certain that changing the file harms nobody.
    make_present(&connection, path, found)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fail)?;
    Ok(connection)
}

/// Refuses a file that is no journal, is damaged, or is behind its mark.
pub(super) fn inspect(
    connection: &Connection,
    path: &Path,
    mark: Option<&Mark>,
    purpose: Purpose,
) -> Result<Found, JournalError> {
    let found = match (format::recognise(connection, path, purpose), mark) {
        (Err(JournalError::NotAJournal { .. }), Some(mark)) => {
            return Err(lost(path, "its beginning is not that of a journal any more", mark, 0));
        }
        (found, _) => found?,
    };
    refuse_part_of_page(connection, path)?;
    let Some(mark) = mark else { return Ok(found) };
    match found {
        Found::Empty if 0 < mark.commits => return Err(emptied(path, mark)),
        Found::Empty => {}
        Found::Format1 => {
            return Err(lost(path, "an older copy of format 1 was put in its place", mark, 0));
        }
        Found::Present => {
            let sql = "SELECT id, commits FROM journal";
            let (id, commits): (String, i64) = connection
                .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(|error| JournalError::from_sqlite(path, error))?;
            if id == mark.id && commits < mark.commits {
                let reason = "its end was cut off, or an older copy was put in its place";
                return Err(lost(path, reason, mark, commits));
            }
        }
    }
    Ok(found)
}

/// Refuses remains of a journal that SQLite would take for a new one, and clear away; tells whether
/// there is a file.
pub(super) fn refuse_remains(path: &Path, mark: Option<&Mark>) -> Result<bool, JournalError> {
    let wal_bytes = bytes_of(&wal_path(path), path)?.unwrap_or(0);
    let damaged = |detail: &str| {
        Err(JournalError::Damaged { path: path.to_owned(), detail: detail.to_owned() })
    };
    match (bytes_of(path, path)?, mark) {
        (Some(0), Some(mark)) if 0 < mark.commits => Err(emptied(path, mark)),
        (Some(0), _) if 0 < wal_bytes => damaged("it is empty, but its -wal file is not"),
        (None, _) if 0 < wal_bytes => damaged("it is gone, but its -wal file is there"),
        (bytes, _) => Ok(bytes.is_some()),
    }
}

/// Says that nothing is left of a journal.
fn emptied(path: &Path, mark: &Mark) -> JournalError {
    lost(path, "it is empty", mark, 0)
}

/// Refuses a file that ends in the middle of a page. With a log beside it that may be the trace of a
/// power cut, which the log mends.
fn refuse_part_of_page(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let page_bytes: u32 = connection
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .map_err(|error| JournalError::from_sqlite(path, error))?;
    let wal_bytes = bytes_of(&wal_path(path), path)?.unwrap_or(0);
    let bytes = bytes_of(path, path)?.unwrap_or(0);
    if wal_bytes == 0 && bytes % u64::from(page_bytes) != 0 {
        let detail = format!("it ends after {bytes} bytes, in the middle of a page");
        return Err(JournalError::Damaged { path: path.to_owned(), detail });
    }
    Ok(())
}

fn bytes_of(file: &Path, journal: &Path) -> Result<Option<u64>, JournalError> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(JournalError::from_io(journal, error)),
    }
}

fn wal_path(journal: &Path) -> PathBuf {
    let mut path = std::ffi::OsString::from(journal);
    path.push("-wal");
    PathBuf::from(path)
}

fn lost(path: &Path, reason: &str, mark: &Mark, commits: i64) -> JournalError {
    let missing = mark.commits - commits;
    let plural = if missing == 1 { "commit is" } else { "commits are" };
    let detail = format!(
        "{reason}: {missing} {plural} missing; to go on without, on purpose, delete {}",
        mark_path(path).display()
    );
    JournalError::Damaged { path: path.to_owned(), detail }
}

fn make_present(connection: &Connection, path: &Path, found: Found) -> Result<(), JournalError> {
    let fail = |error| JournalError::from_sqlite(path, error);
    if found == Found::Format1 {
        migration::back_up(connection, path)?;
    }
    if found == Found::Empty {
        // Before the first page is written, so that a new file needs no rewriting below.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").map_err(fail)?;
    }
    let mode = write_ahead(connection).map_err(fail)?;
    if mode != "wal" {
        let text = format!("its file system allows only journal mode {mode}, not WAL");
        let source = std::io::Error::other(text);
        return Err(JournalError::from_io(path, source));
    }
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = {WAL_PAGES_MAX};
             PRAGMA journal_size_limit = {WAL_BYTES_KEPT};"
        ))
        .map_err(fail)?;
    match found {
        Found::Empty => format::create(connection).map_err(fail)?,
        Found::Format1 => migration::migrate(connection, path)?,
        Found::Present => {}
    }
    // A process that died in the middle of a migration leaves this to the next one.
    let vacuum: i64 =
        connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)).map_err(fail)?;
    if vacuum != AUTO_VACUUM_INCREMENTAL {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM;").map_err(fail)?;
    }
    Ok(())
}

/// Turns the write-ahead log on and returns the mode that the file has now.
fn write_ahead(connection: &Connection) -> Result<String, rusqlite::Error> {
    let mut pragma = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = pragma.query([])?;
    let mode = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?.get(0)?;
    // The change is committed only after its answer; whoever stops there never hears of a failure.
    while rows.next()?.is_some() {}
    Ok(mode)
}

/// What SQLite calls `INCREMENTAL` when asked.
const AUTO_VACUUM_INCREMENTAL: i64 = 2;
