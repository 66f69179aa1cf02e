//! From format 1 to the present one: a backup first, then all rows in one transaction.
//!
//! A process that dies on the way leaves a journal of one format or of the other, never of both.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, params};

use super::format::{self, FORMAT_VERSION, SCHEMA, SQL_NAME_JOURNAL};
use super::{JournalError, checksum, shapes};

/// So many backups may lie beside a journal, of migrations that were begun again and again.
const BACKUPS_MAX: u32 = 9;

/// What format 2 names otherwise or no longer has. Child before parent: dropping a table deletes
/// its rows first, and with them those that refer to it.
const SQL_SET_ASIDE: &str = "\
DROP TRIGGER runs_stay; DROP TRIGGER events_stay;
DROP INDEX runs_by_key; DROP INDEX events_one_end;
ALTER TABLE events RENAME TO events_1;
ALTER TABLE runs RENAME TO runs_1;";

const SQL_DROP: &str = "DROP TABLE events_1; DROP TABLE runs_1;";

const SQL_COUNT: &str = "\
INSERT INTO event_counts (run_id, count)
SELECT id, (SELECT coalesce(max(sequence) + 1, 0) FROM events WHERE run_id = id) FROM runs";

/// Lets a reader see a journal of format 1 as if it were of the present one: nobody has to migrate
/// a journal to look at it, and a reader must not.
pub(super) const SQL_SEE_FORMAT_1: &str = "\
PRAGMA temp_store = MEMORY;
CREATE TEMP VIEW runs AS SELECT *, NULL AS checksum FROM main.runs;
CREATE TEMP VIEW events AS
  SELECT run_id, sequence, at, body, kind, NULL AS checksum, NULL AS memo FROM main.events;
CREATE TEMP VIEW event_counts AS
  SELECT id AS run_id, (SELECT count(*) FROM main.events WHERE run_id = id) AS count FROM main.runs;
CREATE TEMP TABLE past_runs (id, pipeline, key, submitted_at, finished_at, status, degraded, checksum);
CREATE TEMP TABLE removals (run_id);
CREATE TEMP TABLE journal (id, commits);";

/// Copies a journal of format 1 to a new file beside it.
pub(super) fn back_up(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let fail = |error| JournalError::from_io(path, error);
    let draft = beside(path, ".v1.bak.draft");
    // What a process left that died here is no backup yet.
    match fs::remove_file(&draft) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
    }
    connection
        .execute("VACUUM main INTO ?1", [draft.as_os_str().to_string_lossy()])
        .map_err(|error| JournalError::from_sqlite(path, error))?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(fail)?;
    publish(&draft, path).map_err(fail)?;
    fs::remove_file(&draft).map_err(fail)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|file| file.sync_all()).map_err(fail)
}

/// Gives the backup the first name that is free; a link never replaces a file.
fn publish(draft: &Path, journal: &Path) -> io::Result<()> {
    for number in 1..=BACKUPS_MAX {
        let ending = if number == 1 { String::new() } else { format!(".{number}") };
        match fs::hard_link(draft, beside(journal, &format!(".v1.bak{ending}"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    let text = format!("{BACKUPS_MAX} backups of format 1 lie beside it; move them away");
    Err(io::Error::new(io::ErrorKind::AlreadyExists, text))
}

fn beside(journal: &Path, ending: &str) -> PathBuf {
    let mut path = OsString::from(journal);
    path.push(ending);
    PathBuf::from(path)
}

/// Makes a journal of format 1 one of the present format, wholly or not at all.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let fail = |error| JournalError::from_sqlite(path, error);
    let transaction = connection.unchecked_transaction().map_err(fail)?;
    transaction.execute_batch(SQL_SET_ASIDE).map_err(fail)?;
    transaction.execute_batch(&format!("{SCHEMA}{SQL_NAME_JOURNAL};")).map_err(fail)?;
    copy_runs(&transaction).map_err(fail)?;
    copy_events(&transaction, path)?;
    transaction.execute_batch(SQL_COUNT).map_err(fail)?;
    transaction.execute_batch(SQL_DROP).map_err(fail)?;
    transaction.pragma_update(None, "user_version", FORMAT_VERSION).map_err(fail)?;
    transaction.commit().map_err(fail)
}

fn copy_runs(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let mut select = transaction
        .prepare("SELECT id, pipeline, key, submitted_at, input, definition FROM runs_1")?;
    let mut insert = transaction.prepare("INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let texts: [String; 5] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        let checksum = checksum::of_row(&[id], &texts.each_ref().map(String::as_str));
        let [pipeline, key, submitted_at, input, definition] = texts;
        insert.execute(params![id, pipeline, key, submitted_at, input, definition, checksum])?;
    }
    Ok(())
}

fn copy_events(transaction: &Transaction<'_>, path: &Path) -> Result<(), JournalError> {
    let fail = |error| JournalError::from_sqlite(path, error);
    let mut select = transaction
        .prepare("SELECT run_id, sequence, at, body FROM events_1 ORDER BY run_id, sequence")
        .map_err(fail)?;
    let mut insert = transaction
        .prepare(
            "INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .map_err(fail)?;
    let mut rows = select.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let (run_id, sequence, at, body): (i64, i64, String, String) =
            row.try_into().map_err(fail)?;
        let instant = shapes::read_instant(&at).map_err(|error| JournalError::Damaged {
            path: path.to_owned(),
            detail: format!("run {}: event {sequence}: {error}", crate::run::RunId(run_id)),
        })?;
        let at = format::write_instant(instant);
        let checksum = checksum::of_row(&[run_id, sequence], &[&at, &body]);
        insert.execute(params![run_id, sequence, at, body, checksum]).map_err(fail)?;
    }
    Ok(())
}
