//! What a journal file looks like and how it is recognised.
//!
//! The shape of what the columns hold is in `shapes`. Whoever changes either raises
//! [`FORMAT_VERSION`], keeps reading the old one and adds a golden file.

use std::path::Path;

use rusqlite::Connection;

use super::JournalError;

/// The format this program writes.
pub const FORMAT_VERSION: i64 = 1;

/// Marks a SQLite file as a journal ("spkj").
const APPLICATION_ID: i64 = 0x7370_6b6a;

/// The tables of the present format.
const SCHEMA: &str = "\
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

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A journal that this program can read.
    Journal,
}

/// Looks at a file without changing it.
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<Found, JournalError> {
    let read = |sql: &str| {
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(|error| JournalError::from_sqlite(path, error))
    };
    let application = read("PRAGMA application_id")?;
    let version = read("PRAGMA user_version")?;
    if application == 0 && version == 0 && read("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID {
        return Err(JournalError::NotAJournal { path: path.to_owned() });
    }
    if FORMAT_VERSION < version {
        return Err(JournalError::NewerFormat { path: path.to_owned(), found: version });
    }
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| JournalError::from_sqlite(path, error))?;
    if verdict != "ok" || version != FORMAT_VERSION {
        let detail = if verdict == "ok" { format!("format {version}") } else { verdict };
        return Err(JournalError::Damaged { path: path.to_owned(), detail });
    }
    Ok(Found::Journal)
}

/// Makes an empty file a journal, wholly or not at all.
pub(super) fn create(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;\n{SCHEMA}\
         PRAGMA application_id = {APPLICATION_ID};\n\
         PRAGMA user_version = {FORMAT_VERSION};\n\
         COMMIT;"
    ))
}
