//! Reads a journal: the list of runs, and one run in full.
//!
//! Works beside a writer and never changes the file. Every answer is from one instant.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use serde::Deserialize;

use super::error::Refusal;
use super::format::{Found, Purpose};
use super::mark::Mark;
use super::past::PastRun;
use super::shapes::{self, EventReader, ShapeError};
use super::{JournalError, checksum, migration, opening};
use crate::run::{
    Recorded, RunEnd, RunId, RunReport, RunState, RunStatus, RunSummary, StageExplanation,
    StageReport, explanations, item_reports,
};

/// A reader waits this long for a writer that is busy with the file itself, not with a row.
pub(super) const BUSY_WAIT_MAX: Duration = Duration::from_secs(10);

/// Newest first, each with its last event.
const SQL_RUNS: &str = "\
SELECT r.id, r.pipeline, r.key, r.submitted_at, e.sequence, e.at, e.body, e.checksum
FROM (SELECT id, pipeline, key, submitted_at FROM runs
  WHERE id NOT IN (SELECT run_id FROM removals) ORDER BY id DESC LIMIT ?1) AS r
LEFT JOIN events AS e ON e.run_id = r.id
  AND e.sequence = (SELECT max(sequence) FROM events WHERE run_id = r.id)
ORDER BY r.id DESC";

const SQL_RUN: &str = "\
SELECT pipeline, key, submitted_at, input, definition, checksum,
  (SELECT count FROM event_counts WHERE run_id = id)
FROM runs WHERE id = ?1";

const SQL_EVENTS: &str =
    "SELECT sequence, at, body, checksum FROM events WHERE run_id = ?1 ORDER BY sequence";

/// A journal that can be read.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl JournalReader {
    /// Opens an existing journal for reading; somebody else may be writing to it.
    ///
    /// A journal of an older format is read as it is: only a writer migrates it.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // Before the journal is: a writer makes its mark after its commit.
        let mark = Mark::read(path).map_err(|error| JournalError::from_io(path, error))?;
        if !opening::refuse_remains(path, mark.as_ref())? {
            return Err(JournalError::NotFound { path: path.to_owned() });
        }
        let reader = Self::beside_writer(path)?;
        let found = opening::inspect(&reader.connection(), path, mark.as_ref(), Purpose::Read)?;
        match found {
            Found::Present => Ok(reader),
            Found::Format1 => {
                let seen = reader.connection().execute_batch(migration::SQL_SEE_FORMAT_1);
                seen.map_err(|error| reader.sqlite(error))?;
                Ok(reader)
            }
            Found::Empty => Err(JournalError::NotFound { path: path.to_owned() }),
        }
    }

    /// Opens a journal that this process writes to and has looked at.
    pub(super) fn beside_writer(path: &Path) -> Result<Self, JournalError> {
        let fail = |error| JournalError::from_sqlite(path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
        connection.busy_timeout(BUSY_WAIT_MAX).map_err(fail)?;
        let settings = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";
        connection.execute_batch(settings).map_err(fail)?;
        connection.set_prepared_statement_cache_capacity(opening::STATEMENTS_KEPT);
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// Returns the journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the newest runs, at most `limit`, newest first; those of which only a line is left
    /// are among them.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunSummary>, JournalError> {
        self.at_one_instant(|connection| {
            let mut query = connection.prepare_cached(SQL_RUNS)?;
            let mut rows = query.query([limit])?;
            let mut summaries = Vec::new();
            while let Some(row) = rows.next()? {
                let row = SummaryRow::read(row)?;
                let run_id = row.run_id;
                summaries.push(row.summary().map_err(|error| self.damaged(run_id, &error))?);
            }
            for past in PastRun::newest(connection, limit)? {
                let run_id = past.run_id();
                summaries.push(past.summary().map_err(|error| self.damaged(run_id, &error))?);
            }
            summaries.sort_by_key(|summary| std::cmp::Reverse(summary.run_id));
            summaries.truncate(limit as usize);
            Ok(summaries)
        })
    }

    /// Returns one run in full, if there is such a run.
    pub fn run(&self, run_id: RunId) -> Result<Option<RunReport>, JournalError> {
        Ok(self.state(run_id)?.map(|(state, _)| RunReport::from(&state)))
    }

    /// Returns some items of a stage that fans out, by their numbers; empty if there are none.
    pub fn items(
        &self,
        run_id: RunId,
        stage: &str,
        items: Range<usize>,
    ) -> Result<Vec<StageReport>, JournalError> {
        let Some((state, _)) = self.state(run_id)? else { return Ok(Vec::new()) };
        let found = state.layout().find(stage);
        Ok(found.map_or_else(Vec::new, |index| item_reports(&state, index, items)))
    }

    /// Tells what the stages and items of a run that have not ended are waiting for, at most `limit`
    /// of them. Who holds slots of pools is known only to whoever executes the run.
    pub fn explain(
        &self,
        run_id: RunId,
        limit: usize,
    ) -> Result<Vec<StageExplanation>, JournalError> {
        let state = self.state(run_id)?;
        Ok(state.map_or_else(Vec::new, |(state, _)| explanations(&state, None, limit)))
    }

    /// Returns what the events of a run amount to, and how many there are.
    pub(crate) fn state(&self, run_id: RunId) -> Result<Option<(RunState, i64)>, JournalError> {
        self.at_one_instant(|connection| self.state_at(connection, run_id))
    }

    pub(super) fn state_at(
        &self,
        connection: &Connection,
        run_id: RunId,
    ) -> Result<Option<(RunState, i64)>, Refusal> {
        if let Some(past) = PastRun::find(connection, run_id)? {
            let summary = past.summary().map_err(|error| self.damaged(run_id, &error))?;
            let finished_at = summary.finished_at.unwrap_or(summary.submitted_at);
            let status = summary.status;
            return Err(JournalError::Removed { run_id, status, finished_at }.into());
        }
        let row = connection
            .prepare_cached(SQL_RUN)?
            .query_row([run_id.0], |row| {
                let texts: [String; 5] =
                    [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
                Ok((texts, row.get::<_, Option<i64>>(5)?, row.get::<_, Option<i64>>(6)?))
            })
            .optional()?;
        let Some((texts, checksum, counted)) = row else { return Ok(None) };
        if !is_sum(checksum, &[run_id.0], &texts.each_ref().map(String::as_str)) {
            return Err(self.damaged(run_id, &"its submission has changed").into());
        }
        let recorded =
            read_recorded(run_id, texts).map_err(|error| self.damaged(run_id, &error))?;
        let (state, count) = self.replay(connection, RunState::new(recorded))?;
        match counted {
            Some(counted) if counted == count => Ok(Some((state, count))),
            Some(counted) => {
                let detail = format!("{count} events where {counted} were written");
                Err(self.damaged(run_id, &detail).into())
            }
            None => Err(self.damaged(run_id, &"nothing says how many events it has").into()),
        }
    }

    fn replay(
        &self,
        connection: &Connection,
        mut state: RunState,
    ) -> Result<(RunState, i64), Refusal> {
        let run_id = state.recorded().run_id;
        let pipeline = Arc::clone(&state.recorded().pipeline);
        let reader = EventReader::new(&pipeline);
        let mut query = connection.prepare_cached(SQL_EVENTS)?;
        let mut rows = query.query([run_id.0])?;
        let mut count: i64 = 0;
        while let Some(row) = rows.next()? {
            let (sequence, at, body, checksum): (i64, String, String, Option<i64>) =
                row.try_into()?;
            if sequence != count {
                return Err(self.damaged(run_id, &format!("event {count} is missing")).into());
            }
            if !is_sum(checksum, &[run_id.0, sequence], &[&at, &body]) {
                return Err(self.damaged(run_id, &format!("event {sequence} has changed")).into());
            }
            let event = reader
                .read(state.layout(), &at, &body)
                .map_err(|error| self.damaged(run_id, &error))?;
            state
                .apply(&event)
                .map_err(|error| self.damaged(run_id, &format!("event {sequence}: {error}")))?;
            count += 1;
        }
        Ok((state, count))
    }

    /// Answers from one state of the file, whatever is written meanwhile.
    pub(super) fn at_one_instant<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, JournalError> {
        let connection = self.connection();
        let answer = || -> Result<T, Refusal> {
            // Reading only, so there is nothing to commit.
            let instant = connection.unchecked_transaction()?;
            read(&instant)
        };
        answer().map_err(|refusal| refusal.at(&self.path))
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sqlite(&self, error: rusqlite::Error) -> JournalError {
        JournalError::from_sqlite(&self.path, error)
    }

    pub(super) fn damaged(&self, run_id: RunId, detail: &dyn std::fmt::Display) -> JournalError {
        let detail = format!("run {run_id}: {detail}");
        JournalError::Damaged { path: self.path.clone(), detail }
    }
}

/// Tells whether a row is as it was written. Rows of format 1 do not say, and are believed.
pub(super) fn is_sum(checksum: Option<i64>, numbers: &[i64], texts: &[&str]) -> bool {
    checksum.is_none_or(|checksum| checksum == checksum::of_row(numbers, texts))
}

fn read_recorded(run_id: RunId, texts: [String; 5]) -> Result<Recorded, ShapeError> {
    let [name, key, submitted_at, input, definition] = texts;
    let pipeline = shapes::read_pipeline(&definition)?;
    if pipeline.name() != name {
        return Err(ShapeError::new(format!(
            "two names of one pipeline: {name}, {}",
            pipeline.name()
        )));
    }
    Ok(Recorded {
        run_id,
        pipeline: Arc::new(pipeline),
        key,
        input: Arc::new(serde_json::from_str(&input).map_err(ShapeError::new)?),
        submitted_at: shapes::read_instant(&submitted_at)?,
    })
}

/// A line of the list of runs, as the query returns it.
struct SummaryRow {
    run_id: RunId,
    pipeline: String,
    key: String,
    submitted_at: String,
    last: Option<LastEvent>,
}

struct LastEvent {
    sequence: i64,
    at: String,
    body: String,
    checksum: Option<i64>,
}

/// What every event says.
#[derive(Deserialize)]
struct KindShape {
    kind: String,
}

impl SummaryRow {
    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let last = match row.get(4)? {
            Some(sequence) => {
                let (at, body, checksum) = (row.get(5)?, row.get(6)?, row.get(7)?);
                Some(LastEvent { sequence, at, body, checksum })
            }
            None => None,
        };
        Ok(Self {
            run_id: RunId(row.get(0)?),
            pipeline: row.get(1)?,
            key: row.get(2)?,
            submitted_at: row.get(3)?,
            last,
        })
    }

    fn summary(self) -> Result<RunSummary, ShapeError> {
        let (status, degraded, finished_at) = match &self.last {
            None => (RunStatus::Pending, Vec::new(), None),
            Some(last) => last.outcome(self.run_id)?,
        };
        Ok(RunSummary {
            run_id: self.run_id,
            pipeline: self.pipeline,
            key: self.key,
            status,
            degraded,
            submitted_at: shapes::read_instant(&self.submitted_at)?,
            finished_at,
        })
    }
}

impl LastEvent {
    fn outcome(
        &self,
        run_id: RunId,
    ) -> Result<(RunStatus, Vec<String>, Option<Timestamp>), ShapeError> {
        if !is_sum(self.checksum, &[run_id.0, self.sequence], &[&self.at, &self.body]) {
            return Err(ShapeError::new(format!("event {} has changed", self.sequence)));
        }
        let shape: KindShape = serde_json::from_str(&self.body).map_err(ShapeError::new)?;
        let (status, degraded) = match shape.kind.as_str() {
            "run_finished" => match shapes::read_finish(&self.body)? {
                Some((RunEnd::Completed, degraded)) => (RunStatus::Completed, degraded),
                Some((RunEnd::Failed, degraded)) => (RunStatus::Failed, degraded),
                None => return Err(ShapeError::new("an end that says nothing")),
            },
            "run_cancelled" => (RunStatus::Cancelled, Vec::new()),
            "run_interrupted" => return Ok((RunStatus::Interrupted, Vec::new(), None)),
            _ => return Ok((RunStatus::Running, Vec::new(), None)),
        };
        Ok((status, degraded, Some(shapes::read_instant(&self.at)?)))
    }
}
