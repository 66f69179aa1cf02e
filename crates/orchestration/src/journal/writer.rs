//! Writes a journal: new runs and what happens in them.
//!
//! When a method returns, what it wrote has reached the disk. Rows are never changed.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde_json::Value;

use super::format::{self, Found};
use super::lock::WriterLock;
use super::reader::{BUSY_WAIT_MAX, JournalReader};
use super::{JournalError, shapes};
use crate::pipeline::Pipeline;
use crate::run::{Event, Layout, RunId, RunReport, RunSummary};

const SQL_UNFINISHED: &str = "\
SELECT id FROM runs WHERE pipeline = ?1 AND key = ?2 AND NOT EXISTS (
  SELECT 1 FROM events WHERE run_id = runs.id AND kind IN ('run_finished', 'run_cancelled'))
ORDER BY id DESC LIMIT 1";

const SQL_FIRST: &str = "\
SELECT id FROM runs WHERE pipeline = ?1 AND key = ?2 ORDER BY id LIMIT 1";

const SQL_SUBMIT: &str = "\
INSERT INTO runs (pipeline, key, submitted_at, input, definition) VALUES (?1, ?2, ?3, ?4, ?5)";

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The run to execute.
    pub run_id: RunId,
    /// Whether it is an earlier run of the same pipeline and key. It continues, or has ended, with
    /// the definition and the input it was first submitted with.
    pub resumed: bool,
}

/// Which earlier run of the same pipeline and key stands for a new submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// The latest one that is not over.
    Unfinished,
    /// The first one, whatever became of it.
    First,
}

/// A journal that this process alone writes to.
#[derive(Debug)]
pub struct Journal {
    reader: JournalReader,
    _lock: WriterLock,
}

impl Journal {
    /// Opens a journal for writing, or starts one if there is no file; the directory must exist.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let lock = WriterLock::acquire(path)?;
        let fail = |error| JournalError::from_sqlite(path, error);
        let connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(BUSY_WAIT_MAX).map_err(fail)?;
        let found = format::recognise(&connection, path)?;
        // Only now is it certain that changing the file harms nobody.
        let mode: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(fail)?;
        if mode != "wal" {
            let source = format!("its file system allows only journal mode {mode}, not WAL").into();
            return Err(JournalError::NotWritable { path: path.to_owned(), source });
        }
        connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
            .map_err(fail)?;
        match found {
            Found::Empty => format::create(&connection).map_err(fail)?,
            Found::Journal => {}
        }
        Ok(Self { reader: JournalReader::new(path, connection), _lock: lock })
    }

    /// Opens an existing journal for reading; somebody else may be writing to it.
    pub fn open_read_only(path: &Path) -> Result<JournalReader, JournalError> {
        JournalReader::open(path)
    }

    /// Returns the journal's file.
    pub fn path(&self) -> &Path {
        self.reader.path()
    }

    /// Returns the newest runs, at most `limit`, newest first.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunSummary>, JournalError> {
        self.reader.runs(limit)
    }

    /// Returns one run in full, if there is such a run.
    pub fn run(&self, run_id: RunId) -> Result<Option<RunReport>, JournalError> {
        self.reader.run(run_id)
    }

    pub(crate) fn reader(&self) -> &JournalReader {
        &self.reader
    }

    /// Returns the earlier run that stands for this submission, or records a new one.
    pub(crate) fn submit(
        &self,
        earlier: Earlier,
        pipeline: &Pipeline,
        (key, input): (&str, &Value),
        now: Timestamp,
    ) -> Result<Submission, JournalError> {
        let sql = match earlier {
            Earlier::Unfinished => SQL_UNFINISHED,
            Earlier::First => SQL_FIRST,
        };
        let definition = shapes::write_pipeline(pipeline);
        let write = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let found: Option<i64> = transaction
                .prepare_cached(sql)?
                .query_row([pipeline.name(), key], |row| row.get(0))
                .optional()?;
            if let Some(id) = found {
                return Ok(Submission { run_id: RunId(id), resumed: true });
            }
            let input = input.to_string();
            transaction.prepare_cached(SQL_SUBMIT)?.execute(params![
                pipeline.name(),
                key,
                now.to_string(),
                input,
                definition
            ])?;
            let run_id = RunId(transaction.last_insert_rowid());
            transaction.commit()?;
            Ok(Submission { run_id, resumed: false })
        };
        write(&mut self.reader.connection()).map_err(|error| self.reader.sqlite(error))
    }

    /// Appends events to a run, all or none, behind the `sequence` that are there.
    pub(crate) fn append(
        &self,
        run_id: RunId,
        sequence: i64,
        events: &[Event],
        layout: &Layout,
    ) -> Result<(), JournalError> {
        let write = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO events (run_id, sequence, at, body) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (place, event) in (sequence..).zip(events) {
                let body = shapes::write_event(&event.kind, layout);
                insert.execute(params![run_id.0, place, event.at.to_string(), body])?;
            }
            drop(insert);
            transaction.commit()
        };
        write(&mut self.reader.connection()).map_err(|error| self.reader.sqlite(error))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::{PipelineBuilder, Stage, StageIndex};
    use crate::run::{EventKind, FencingToken};

    fn started(function: &str) -> Event {
        let (stage, token) = (StageIndex(0), FencingToken(1));
        let function = function.to_owned();
        let kind = EventKind::AttemptStarted { stage, attempt: 1, function, token };
        Event { at: Timestamp::UNIX_EPOCH, kind }
    }

    fn layout(pipeline: &Pipeline) -> Layout {
        Layout::new(Arc::new(pipeline.clone()))
    }

    fn count_events(journal: &Journal, run_id: RunId) -> i64 {
        journal.reader.state(run_id).unwrap().unwrap().1
    }

    #[test]
    fn a_batch_that_does_not_fit_on_the_disk_is_refused_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "work")).build().unwrap();
        let journal = Journal::open(&path).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let run_id =
            journal.submit(Earlier::First, &pipeline, ("k", &Value::Null), now).unwrap().run_id;
        // SQLite answers in the same way when it meets its own limit and when it meets the disk's.
        journal.reader.connection().pragma_update(None, "max_page_count", 20).unwrap();
        let large = "x".repeat(1 << 20);
        let lost = Event {
            at: now,
            kind: EventKind::AttemptLost { stage: StageIndex(0), token: FencingToken(1) },
        };
        let batch = [started("work"), lost, started(&large)];
        let error = journal.append(run_id, 0, &batch, &layout(&pipeline)).unwrap_err();
        assert!(
            matches!(&error, JournalError::DiskFull { path: full } if *full == path),
            "{error}"
        );
        assert_eq!(count_events(&journal, run_id), 0);
        journal.append(run_id, 0, &[started("work")], &layout(&pipeline)).unwrap();
        assert_eq!(count_events(&journal, run_id), 1);
    }

    #[test]
    fn two_events_cannot_take_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "work")).build().unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let run_id =
            journal.submit(Earlier::First, &pipeline, ("k", &Value::Null), now).unwrap().run_id;
        journal.append(run_id, 0, &[started("work")], &layout(&pipeline)).unwrap();
        journal.append(run_id, 0, &[started("work")], &layout(&pipeline)).unwrap_err();
    }

    #[test]
    fn commits_reach_the_disk_before_they_are_acted_upon() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        let pragma = |name: &str| -> String {
            let connection = journal.reader.connection();
            let value: rusqlite::types::Value =
                connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
            format!("{value:?}")
        };
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma("synchronous"), "Integer(2)", "2 is FULL");
        assert_eq!(pragma("foreign_keys"), "Integer(1)");
    }
}
