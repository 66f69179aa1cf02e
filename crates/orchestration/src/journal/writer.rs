//! Writes a journal: new runs and what happens in them.
//!
//! When a method returns, what it wrote has reached the disk. Rows are never changed. Whoever
//! writes at the same time shares a transaction (`commit_queue`).

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::change::{Change, Earlier, Written};
use super::commit_queue::CommitQueue;
use super::lock::WriterLock;
use super::pen::Pen;
use super::reader::JournalReader;
use super::retention::{Keeper, PAST_RUNS_MAX, Retention};
use super::{CheckReport, JournalError, format, opening, shapes};
use crate::pipeline::Pipeline;
use crate::run::{Event, EventKind, Layout, Recalled, RunId, RunReport, RunSummary};

/// So many submissions and appends share one transaction at most: enough that the disk's part of
/// the cost of one vanishes, and few enough that nobody waits long behind the others.
const CHANGES_PER_COMMIT_MAX: usize = 256;

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The run to execute.
    pub run_id: RunId,
    /// Whether it is an earlier run of the same pipeline and key. It continues, or has ended, with
    /// the definition and the input it was first submitted with.
    pub resumed: bool,
}

/// A journal that this process alone writes to.
#[derive(Debug)]
pub struct Journal {
    // Closed before the pen: whoever closes last clears the write-ahead log away, and a reader may
    // not.
    reader: JournalReader,
    pen: Pen,
    queue: CommitQueue<Change, Result<Written, JournalError>>,
    keeper: Keeper,
    _lock: WriterLock,
}

impl Journal {
    /// Opens a journal for writing, or starts one if there is no file; the directory must exist.
    ///
    /// Runs are kept as [`Retention::default`] says. A journal of an older format is migrated, with
    /// a backup beside it.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Self::open_with(path, Retention::default())
    }

    /// Opens a journal like [`Self::open`], with another retention.
    pub fn open_with(path: &Path, retention: Retention) -> Result<Self, JournalError> {
        let lock = WriterLock::acquire(path)?;
        let pen = Pen::new(path, opening::open(path)?)?;
        let reader = JournalReader::beside_writer(path)?;
        let (queue, keeper) = (
            CommitQueue::new(CHANGES_PER_COMMIT_MAX),
            Keeper::remembering(retention, PAST_RUNS_MAX),
        );
        keeper.keep(&pen, None);
        Ok(Self { reader, pen, queue, keeper, _lock: lock })
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

    /// Looks at everything the journal holds; see [`JournalReader::check`].
    pub fn check(&self) -> Result<CheckReport, JournalError> {
        self.reader.check()
    }

    /// Returns the newest output with a memo key; see [`JournalReader::recall`].
    pub fn recall(
        &self,
        memo: &str,
        not_before: Timestamp,
    ) -> Result<Option<Recalled>, JournalError> {
        self.reader.recall(memo, not_before)
    }

    /// Returns how long each stage of a pipeline takes; see [`JournalReader::stage_durations`].
    pub fn stage_durations(
        &self,
        pipeline: &str,
        runs_max: u32,
    ) -> Result<BTreeMap<String, SignedDuration>, JournalError> {
        self.reader.stage_durations(pipeline, runs_max)
    }

    /// Returns how many transactions were committed since the journal was opened.
    ///
    /// Each of them waited once for the disk (`fsync` of the write-ahead log). What SQLite adds when
    /// it moves the log into the file, every thousand pages, is not counted: it does not say.
    pub fn commits(&self) -> u64 {
        self.pen.commits()
    }

    /// Returns the latest failure in work that nobody waits for: retention, and the mark beside the
    /// journal. Nothing is lost by it, and it is tried again.
    pub fn complaint(&self) -> Option<JournalError> {
        self.pen.complaint()
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
        let (name, definition) = (pipeline.name().to_owned(), shapes::write_pipeline(pipeline));
        let texts = [name, key.to_owned(), now.to_string(), input.to_string(), definition];
        let Written::Submitted(submission) = self.commit(Change::Submit { earlier, texts })? else {
            unreachable!("a submission is written as one");
        };
        self.keeper.keep(&self.pen, Some(now));
        Ok(submission)
    }

    /// Appends events to a run, all or none, behind the `sequence` that are there.
    pub(crate) fn append(
        &self,
        run_id: RunId,
        sequence: i64,
        events: &[Event],
        layout: &Layout,
    ) -> Result<(), JournalError> {
        let mut ended_at = None;
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            let body = shapes::write_event(&event.kind, layout);
            rows.push((format::write_instant(event.at), body));
            if is_end(&event.kind) {
                ended_at = Some(event.at);
            }
        }
        self.commit(Change::Append { run_id, sequence, events: rows })?;
        if ended_at.is_some() {
            self.keeper.keep(&self.pen, ended_at);
        }
        Ok(())
    }

    fn commit(&self, change: Change) -> Result<Written, JournalError> {
        let outcome = self.queue.commit(change, |changes| self.write(changes));
        outcome
            .unwrap_or_else(|_| Err(JournalError::WriterPanicked { path: self.path().to_owned() }))
    }

    /// Writes changes in one transaction, or each in its own if the fault lies in one of them.
    fn write(&self, changes: &[Change]) -> Vec<Result<Written, JournalError>> {
        let together = self.pen.transact(|transaction| {
            let mut written = Vec::with_capacity(changes.len());
            for change in changes {
                written.push(change.write(transaction)?);
            }
            Ok(written)
        });
        match together {
            Ok(written) => written.into_iter().map(Ok).collect(),
            Err(error) if changes.len() == 1 || !error.is_about_one_change() => {
                changes.iter().map(|_| Err(error.clone())).collect()
            }
            Err(_) => {
                let alone = |change: &Change| self.pen.transact(|own| change.write(own));
                changes.iter().map(alone).collect()
            }
        }
    }
}

fn is_end(kind: &EventKind) -> bool {
    matches!(kind, EventKind::RunFinished { .. } | EventKind::RunCancelled { .. })
}

#[cfg(test)]
mod tests;
