//! What a journal file looks like and how it is recognised.
//!
//! The shape of what the columns hold is in `shapes`. Whoever changes either raises
//! [`FORMAT_VERSION`], keeps reading the old one (`migration`) and adds a golden file.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::JournalError;

/// The format this program writes.
pub const FORMAT_VERSION: i64 = 2;

/// Marks a SQLite file as a journal ("spkj").
const APPLICATION_ID: i64 = 0x7370_6b6a;

/// The tables of format 1, as programs made them that knew no other.
pub(super) const SCHEMA_1: &str = "\
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  submitted_at TEXT NOT NULL,
  input TEXT NOT NULL CHECK (json_valid(input)),
  definition TEXT NOT NULL CHECK (json_valid(definition))
) STRICT;
CREATE INDEX runs_by_key ON runs (pipeline, key);
CREATE TABLE events (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  kind TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.kind') STORED,
  PRIMARY KEY (run_id, sequence)
) STRICT;
CREATE UNIQUE INDEX events_one_end ON events (run_id) WHERE kind IN ('run_finished', 'run_cancelled');
CREATE TRIGGER runs_stay BEFORE UPDATE ON runs
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// The tables of the present format.
///
/// - `journal`: which journal this is and how many commits it had, counted by each of them.
/// - `event_counts`: how many events a run has, so that losing the last ones is noticed too.
/// - `past_runs`: one line for each run whose details were removed by retention.
/// - `removals`: runs that have such a line and some details still to be removed.
pub(super) const SCHEMA: &str = "\
CREATE TABLE journal (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id TEXT NOT NULL,
  commits INTEGER NOT NULL
) STRICT;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  submitted_at TEXT NOT NULL,
  input TEXT NOT NULL CHECK (json_valid(input)),
  definition TEXT NOT NULL CHECK (json_valid(definition)),
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_key ON runs (pipeline, key);
CREATE INDEX runs_by_pipeline ON runs (pipeline);
CREATE TABLE event_counts (
  run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  count INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  checksum INTEGER NOT NULL,
  kind TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.kind') VIRTUAL,
  memo TEXT GENERATED ALWAYS AS (body ->> '$.memo') VIRTUAL,
  PRIMARY KEY (run_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX events_one_end ON events (run_id) WHERE kind IN ('run_finished', 'run_cancelled');
CREATE INDEX events_ends_by_time ON events (at, run_id) WHERE kind IN ('run_finished', 'run_cancelled');
CREATE INDEX events_by_memo ON events (memo, at) WHERE memo IS NOT NULL;
CREATE TABLE past_runs (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL,
  key TEXT NOT NULL,
  submitted_at TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  status TEXT NOT NULL,
  degraded TEXT NOT NULL CHECK (json_valid(degraded)),
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX past_runs_by_key ON past_runs (pipeline, key);
CREATE TABLE removals (
  run_id INTEGER PRIMARY KEY REFERENCES past_runs (id)
) STRICT;
CREATE TRIGGER runs_stay BEFORE UPDATE ON runs
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER past_runs_stay BEFORE UPDATE ON past_runs
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// Names a new journal, so that another one's mark is not taken for its own.
pub(super) const SQL_NAME_JOURNAL: &str =
    "INSERT INTO journal (only, id, commits) VALUES (1, lower(hex(randomblob(16))), 0)";

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A journal that an older program wrote, before rows had checksums.
    Format1,
    /// A journal of the present format.
    Present,
}

/// Up to this size a file is looked through whole whenever it is opened, indexes included; it takes
/// less than half a second. Of a larger one, nobody waits for the events of every run there ever
/// was: they are looked at when they are read, and by a check.
const LOOKED_THROUGH_MAX_BYTES: i64 = 64 << 20;

/// What a journal is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// So that nothing runs twice, the tables that say what was run are always looked through.
    Write,
    /// Of a large file only what is read is looked at.
    Read,
}

/// Looks at a file without changing it.
pub(super) fn recognise(
    connection: &Connection,
    path: &Path,
    purpose: Purpose,
) -> Result<Found, JournalError> {
    let fail = |error| JournalError::from_sqlite(path, error);
    let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(fail);
    let application = read("PRAGMA application_id")?;
    let version = read("PRAGMA user_version")?;
    if application == 0 && version == 0 && read("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID {
        return Err(JournalError::NotAJournal { path: path.to_owned() });
    }
    let damaged = |detail: String| JournalError::Damaged { path: path.to_owned(), detail };
    let (found, schema) = match version {
        1 => (Found::Format1, SCHEMA_1),
        FORMAT_VERSION => (Found::Present, SCHEMA),
        newer if FORMAT_VERSION < newer => {
            return Err(JournalError::NewerFormat { path: path.to_owned(), found: newer });
        }
        impossible => return Err(damaged(format!("format {impossible}"))),
    };
    let bytes = read("PRAGMA page_count")?.saturating_mul(read("PRAGMA page_size")?);
    let looks: &[&str] = match (purpose, found) {
        (Purpose::Write | Purpose::Read, _) if bytes <= LOOKED_THROUGH_MAX_BYTES => {
            &["PRAGMA integrity_check(1)"]
        }
        (Purpose::Write, Found::Present) => &[
            "PRAGMA integrity_check(journal)",
            "PRAGMA integrity_check(runs)",
            "PRAGMA integrity_check(event_counts)",
            "PRAGMA integrity_check(past_runs)",
        ],
        // Every row is about to be copied.
        (Purpose::Write, Found::Format1 | Found::Empty) => &["PRAGMA quick_check(1)"],
        (Purpose::Read, _) => &[],
    };
    for look in looks {
        let verdict: String = connection.query_row(look, [], |row| row.get(0)).map_err(fail)?;
        if verdict != "ok" {
            return Err(damaged(verdict));
        }
    }
    let made = statements(connection).map_err(fail)?;
    let expected = Connection::open_in_memory()
        .and_then(|empty| {
            empty.execute_batch(schema)?;
            statements(&empty)
        })
        .map_err(fail)?;
    match expected.difference(&made).next() {
        Some(missing) => Err(damaged(format!("its schema lacks: {missing}"))),
        None => Ok(found),
    }
}

/// Returns the statements that made a file's tables, indexes and triggers.
fn statements(connection: &Connection) -> Result<BTreeSet<String>, rusqlite::Error> {
    let mut query = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// Makes an empty file a journal, wholly or not at all.
pub(super) fn create(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;\n{SCHEMA}{SQL_NAME_JOURNAL};\n\
         PRAGMA application_id = {APPLICATION_ID};\n\
         PRAGMA user_version = {FORMAT_VERSION};\n\
         COMMIT;"
    ))
}

/// Writes an instant down such that texts are ordered as instants are.
pub(super) fn write_instant(instant: Timestamp) -> String {
    format!("{instant:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_instants_are_ordered_as_instants_are() {
        let texts = ["2026-01-27T12:00:00Z", "2026-01-27T12:00:00.1Z", "2026-01-27T12:00:00.15Z"];
        let written = texts.map(|text| write_instant(text.parse().unwrap()));
        assert_eq!(written[1], "2026-01-27T12:00:00.100000000Z");
        assert!(written.is_sorted(), "{written:?}");
        assert!(!texts.is_sorted(), "as they come they would not be");
    }
}
