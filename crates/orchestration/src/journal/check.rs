//! Looks at everything a journal holds, and says what is wrong. Nothing is repaired.

use std::fmt;

use rusqlite::Connection;

use super::error::Refusal;
use super::past::PastRun;
use super::{JournalError, JournalReader};
use crate::run::RunId;

/// SQLite lists so many contradictions of a file at most; one is enough to restore a copy.
const CONTRADICTIONS_MAX: u32 = 100;

/// What a check of a journal saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Runs that are there in full.
    pub runs: u64,
    /// Events of these runs.
    pub events: u64,
    /// Runs of which one line is left.
    pub past_runs: u64,
    /// Everything that is wrong; empty if all is well.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Tells whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Something that is wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The file contradicts itself, says SQLite.
    File {
        /// What SQLite says.
        detail: String,
    },
    /// A row belongs to none that is there.
    Orphan {
        /// The table it is in.
        table: String,
        /// The table of what is missing.
        parent: String,
    },
    /// A run cannot be read.
    Run {
        /// The run.
        run_id: RunId,
        /// What does not fit.
        detail: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { detail } => write!(formatter, "file: {detail}"),
            Self::Orphan { table, parent } => {
                write!(formatter, "a row of {table} whose row of {parent} is missing")
            }
            // The detail names the run.
            Self::Run { detail, .. } => formatter.write_str(detail),
        }
    }
}

impl JournalReader {
    /// Looks at everything: the structure of the file and its indexes, what refers to what, and
    /// every run from its first event to its last with all checksums.
    ///
    /// Works beside a writer, and sees the journal as it was when the check began. Whoever checks a
    /// large journal keeps its write-ahead log from being cleared meanwhile.
    pub fn check(&self) -> Result<CheckReport, JournalError> {
        self.at_one_instant(|connection| {
            let mut report = CheckReport { runs: 0, events: 0, past_runs: 0, findings: Vec::new() };
            check_file(connection, &mut report)?;
            let mut query = connection.prepare(
                "SELECT id FROM runs WHERE id NOT IN (SELECT run_id FROM removals) ORDER BY id",
            )?;
            let mut ids = query.query([])?;
            while let Some(row) = ids.next()? {
                self.check_run(connection, RunId(row.get(0)?), &mut report)?;
            }
            for past in PastRun::newest(connection, u32::MAX)? {
                let run_id = past.run_id();
                report.past_runs += 1;
                if let Err(error) = past.summary() {
                    let detail = format!("run {run_id}: {error}");
                    report.findings.push(Finding::Run { run_id, detail });
                }
            }
            Ok(report)
        })
    }

    fn check_run(
        &self,
        connection: &Connection,
        run_id: RunId,
        report: &mut CheckReport,
    ) -> Result<(), Refusal> {
        match self.state_at(connection, run_id) {
            Ok(Some((_, count))) => {
                report.runs += 1;
                report.events += count.unsigned_abs();
            }
            Ok(None) => {
                let detail = format!("run {run_id}: it is in one index and not in the other");
                report.findings.push(Finding::Run { run_id, detail });
            }
            Err(Refusal::Journal(JournalError::Damaged { detail, .. })) => {
                report.findings.push(Finding::Run { run_id, detail });
            }
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    }
}

fn check_file(connection: &Connection, report: &mut CheckReport) -> Result<(), Refusal> {
    let mut query = connection.prepare(&format!("PRAGMA integrity_check({CONTRADICTIONS_MAX})"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let detail: String = row.get(0)?;
        if detail != "ok" {
            report.findings.push(Finding::File { detail });
        }
    }
    let mut query = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        report.findings.push(Finding::Orphan { table: row.get(0)?, parent: row.get(2)? });
    }
    Ok(())
}
