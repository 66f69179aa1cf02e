//! Reads a journal: the list of runs, and one run in full.
//!
//! Works beside a writer and never changes the file.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use super::JournalError;
use super::format::{self, Found};
use super::shapes::{self, EventReader, ShapeError};
use crate::run::{
    Recalled, Recorded, RunEnd, RunId, RunReport, RunState, RunStatus, RunSummary,
    StageExplanation, StageReport, explanations, item_reports,
};

/// A reader waits this long for a writer that is busy with the file itself, not with a row.
pub(super) const BUSY_WAIT_MAX: Duration = Duration::from_secs(10);

/// Newest first, each with its last event.
const SQL_RUNS: &str = "\
SELECT r.id, r.pipeline, r.key, r.submitted_at, e.kind, e.at,
  CASE WHEN e.kind = 'run_finished' THEN e.body END
FROM (SELECT * FROM runs ORDER BY id DESC LIMIT ?1) AS r
LEFT JOIN events AS e ON e.run_id = r.id
  AND e.sequence = (SELECT max(sequence) FROM events WHERE run_id = r.id)
ORDER BY r.id DESC";

/// A journal that can be read.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl JournalReader {
    /// Opens an existing journal for reading; somebody else may be writing to it.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if !path.try_exists().map_err(|error| JournalError::from_io(path, error))? {
            return Err(JournalError::NotFound { path: path.to_owned() });
        }
        let fail = |error| JournalError::from_sqlite(path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
        connection.busy_timeout(BUSY_WAIT_MAX).map_err(fail)?;
        match format::recognise(&connection, path)? {
            Found::Journal => Ok(Self::new(path, connection)),
            Found::Empty => Err(JournalError::NotFound { path: path.to_owned() }),
        }
    }

    pub(super) fn new(path: &Path, connection: Connection) -> Self {
        Self { path: path.to_owned(), connection: Mutex::new(connection) }
    }

    /// Returns the journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the newest runs, at most `limit`, newest first.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunSummary>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached(SQL_RUNS).map_err(|error| self.sqlite(error))?;
        let mut rows = query.query([limit]).map_err(|error| self.sqlite(error))?;
        let mut summaries = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.sqlite(error))? {
            let row = SummaryRow::read(row).map_err(|error| self.sqlite(error))?;
            let run_id = row.run_id;
            summaries.push(row.summary().map_err(|error| self.damaged(run_id, &error))?);
        }
        Ok(summaries)
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

    /// Returns the newest fresh output that was remembered under a key, not before an instant.
    pub(crate) fn recall(
        &self,
        key: &str,
        not_before: Timestamp,
    ) -> Result<Option<Recalled>, JournalError> {
        let _ = (key, not_before);
        Ok(None)
    }

    /// Returns what the events of a run amount to, and how many there are.
    pub(crate) fn state(&self, run_id: RunId) -> Result<Option<(RunState, i64)>, JournalError> {
        let connection = self.connection();
        let mut query = connection
            .prepare_cached(
                "SELECT pipeline, key, submitted_at, input, definition FROM runs WHERE id = ?1",
            )
            .map_err(|error| self.sqlite(error))?;
        let texts = query
            .query_row([run_id.0], |row| {
                Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
            })
            .optional()
            .map_err(|error| self.sqlite(error))?;
        let Some(texts) = texts else { return Ok(None) };
        let recorded =
            read_recorded(run_id, texts).map_err(|error| self.damaged(run_id, &error))?;
        self.replay(&connection, RunState::new(recorded)).map(Some)
    }

    fn replay(
        &self,
        connection: &Connection,
        mut state: RunState,
    ) -> Result<(RunState, i64), JournalError> {
        let run_id = state.recorded().run_id;
        let pipeline = Arc::clone(&state.recorded().pipeline);
        let reader = EventReader::new(&pipeline);
        let mut query = connection
            .prepare_cached(
                "SELECT sequence, at, body FROM events WHERE run_id = ?1 ORDER BY sequence",
            )
            .map_err(|error| self.sqlite(error))?;
        let mut rows = query.query([run_id.0]).map_err(|error| self.sqlite(error))?;
        let mut count: i64 = 0;
        while let Some(row) = rows.next().map_err(|error| self.sqlite(error))? {
            let (sequence, at, body) = event_texts(row).map_err(|error| self.sqlite(error))?;
            let event = reader
                .read(state.layout(), &at, &body)
                .map_err(|error| self.damaged(run_id, &error))?;
            if sequence != count {
                return Err(self.damaged(run_id, &format!("event {count} is missing")));
            }
            state
                .apply(&event)
                .map_err(|error| self.damaged(run_id, &format!("event {sequence}: {error}")))?;
            count += 1;
        }
        Ok((state, count))
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sqlite(&self, error: rusqlite::Error) -> JournalError {
        JournalError::from_sqlite(&self.path, error)
    }

    fn damaged(&self, run_id: RunId, detail: &dyn std::fmt::Display) -> JournalError {
        let detail = format!("run {run_id}: {detail}");
        JournalError::Damaged { path: self.path.clone(), detail }
    }
}

fn event_texts(row: &Row<'_>) -> Result<(i64, String, String), rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
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
    last_kind: Option<String>,
    last_at: Option<String>,
    finish: Option<String>,
}

impl SummaryRow {
    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            run_id: RunId(row.get(0)?),
            pipeline: row.get(1)?,
            key: row.get(2)?,
            submitted_at: row.get(3)?,
            last_kind: row.get(4)?,
            last_at: row.get(5)?,
            finish: row.get(6)?,
        })
    }

    fn summary(self) -> Result<RunSummary, ShapeError> {
        let finish = match &self.finish {
            Some(body) => shapes::read_finish(body)?,
            None => None,
        };
        let (status, degraded) = match (self.last_kind.as_deref(), finish) {
            (None, _) => (RunStatus::Pending, Vec::new()),
            (Some(_), Some((RunEnd::Completed, degraded))) => (RunStatus::Completed, degraded),
            (Some(_), Some((RunEnd::Failed, degraded))) => (RunStatus::Failed, degraded),
            (Some("run_cancelled"), None) => (RunStatus::Cancelled, Vec::new()),
            (Some("run_interrupted"), None) => (RunStatus::Interrupted, Vec::new()),
            (Some(_), None) => (RunStatus::Running, Vec::new()),
        };
        let finished_at = match (status, &self.last_at) {
            (RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled, Some(at)) => {
                Some(shapes::read_instant(at)?)
            }
            (RunStatus::Pending | RunStatus::Running | RunStatus::Interrupted, _) | (_, None) => {
                None
            }
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
