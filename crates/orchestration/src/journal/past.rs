//! The one line that is left of a run whose details were removed.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::error::Refusal;
use super::reader::is_sum;
use super::shapes::{self, ShapeError};
use super::{JournalError, checksum};
use crate::run::{RunEnd, RunId, RunStatus, RunSummary};

const SQL_NEWEST: &str = "SELECT * FROM past_runs ORDER BY id DESC LIMIT ?1";

const SQL_FIND: &str = "SELECT * FROM past_runs WHERE id = ?1";

const SQL_KEEP: &str = "\
INSERT INTO past_runs (id, pipeline, key, submitted_at, finished_at, status, degraded, checksum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// A line of `past_runs`: pipeline, key, submitted, finished, status and degraded as texts.
pub(super) struct PastRun {
    run_id: RunId,
    texts: [String; 6],
    checksum: i64,
}

impl PastRun {
    /// Returns the lines of the newest runs.
    pub(super) fn newest(connection: &Connection, limit: u32) -> Result<Vec<Self>, Refusal> {
        let mut query = connection.prepare_cached(SQL_NEWEST)?;
        let lines = query.query_map([limit], Self::read)?;
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// Returns the line of one run.
    pub(super) fn find(connection: &Connection, run_id: RunId) -> Result<Option<Self>, Refusal> {
        let mut query = connection.prepare_cached(SQL_FIND)?;
        Ok(query.query_row([run_id.0], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let texts = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
        Ok(Self { run_id: RunId(row.get(0)?), texts, checksum: row.get(7)? })
    }

    pub(super) fn run_id(&self) -> RunId {
        self.run_id
    }

    /// Reads the line.
    pub(super) fn summary(self) -> Result<RunSummary, ShapeError> {
        let texts = self.texts.each_ref().map(String::as_str);
        if !is_sum(Some(self.checksum), &[self.run_id.0], &texts) {
            return Err(ShapeError::new("the line that is left of it has changed"));
        }
        let [pipeline, key, submitted_at, finished_at, status, degraded] = self.texts;
        Ok(RunSummary {
            run_id: self.run_id,
            pipeline,
            key,
            status: read_status(&status)?,
            degraded: serde_json::from_str(&degraded).map_err(ShapeError::new)?,
            submitted_at: shapes::read_instant(&submitted_at)?,
            finished_at: Some(shapes::read_instant(&finished_at)?),
        })
    }
}

fn read_status(text: &str) -> Result<RunStatus, ShapeError> {
    match text {
        "completed" => Ok(RunStatus::Completed),
        "failed" => Ok(RunStatus::Failed),
        "cancelled" => Ok(RunStatus::Cancelled),
        other => Err(ShapeError::new(format!("a run that ended {other:?}"))),
    }
}

/// The event that ended a run.
pub(super) struct End {
    pub(super) run_id: RunId,
    pub(super) at: String,
    pub(super) body: String,
}

impl End {
    /// Writes the line that stays, and notes that the rest must go.
    pub(super) fn keep_line(&self, transaction: &Transaction<'_>) -> Result<(), Refusal> {
        let run_id = self.run_id.0;
        let (status, degraded) = match shapes::read_finish(&self.body) {
            Ok(Some((RunEnd::Completed, degraded))) => ("completed", degraded),
            Ok(Some((RunEnd::Failed, degraded))) => ("failed", degraded),
            Ok(None) => ("cancelled", Vec::new()),
            Err(error) => {
                let path = transaction.path().unwrap_or_default().into();
                let detail = format!("run {}: {error}", self.run_id);
                return Err(JournalError::Damaged { path, detail }.into());
            }
        };
        let [pipeline, key, submitted_at]: [String; 3] = transaction
            .prepare_cached("SELECT pipeline, key, submitted_at FROM runs WHERE id = ?1")?
            .query_row([run_id], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
        let (at, degraded) = (&self.at, serde_json::Value::from(degraded).to_string());
        let texts = [&pipeline, &key, &submitted_at, at, status, &degraded];
        let checksum = checksum::of_row(&[run_id], &texts);
        transaction.prepare_cached(SQL_KEEP)?.execute(params![
            run_id,
            pipeline,
            key,
            submitted_at,
            at,
            status,
            degraded,
            checksum
        ])?;
        transaction.execute("INSERT INTO removals (run_id) VALUES (?1)", [run_id])?;
        Ok(())
    }
}
