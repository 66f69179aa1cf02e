//! Writes a journal: new runs and what happens in them.
//!
//! When a method returns, what it wrote has reached the disk. Rows are never changed. Whoever
//! writes at the same time shares a transaction (`commit_queue`).

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::change::{Change, Earlier, Written};
use super::commit_queue::CommitQueue;
use super::lock::WriterLock;
use super::pen::Pen;
use super::reader::JournalReader;
use super::retention::{Keeper, Retention};
use super::{CheckReport, JournalError, Recalled, format, opening, shapes};
use crate::pipeline::Pipeline;
use crate::run::{Event, EventKind, RunId, RunReport, RunSummary};

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
        let (queue, keeper) = (CommitQueue::new(CHANGES_PER_COMMIT_MAX), Keeper::new(retention));
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

    /// Returns how many transactions were committed since the journal was opened.
    ///
    /// Each of them waited once for the disk (`fsync` of the write-ahead log). The disk is reached
    /// for a few times more, when SQLite moves the log into the file: those it counts for nobody.
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
        pipeline: &Pipeline,
    ) -> Result<(), JournalError> {
        let mut ended_at = None;
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            let body = shapes::write_event(&event.kind, pipeline);
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
mod tests {
    use super::*;
    use crate::pipeline::{PipelineBuilder, Stage, StageIndex};
    use crate::run::{EventKind, FencingToken};

    fn started(function: &str) -> Event {
        let (stage, token) = (StageIndex(0), FencingToken(1));
        let function = function.to_owned();
        let kind = EventKind::AttemptStarted { stage, attempt: 1, function, token };
        Event { at: Timestamp::UNIX_EPOCH, kind }
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
        journal.pen.connection().pragma_update(None, "max_page_count", 20).unwrap();
        let large = "x".repeat(1 << 20);
        let lost = Event {
            at: now,
            kind: EventKind::AttemptLost { stage: StageIndex(0), token: FencingToken(1) },
        };
        let batch = [started("work"), lost, started(&large)];
        let error = journal.append(run_id, 0, &batch, &pipeline).unwrap_err();
        assert!(
            matches!(&error, JournalError::DiskFull { path: full } if *full == path),
            "{error}"
        );
        assert_eq!(count_events(&journal, run_id), 0);
        journal.append(run_id, 0, &[started("work")], &pipeline).unwrap();
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
        journal.append(run_id, 0, &[started("work")], &pipeline).unwrap();
        journal.append(run_id, 0, &[started("work")], &pipeline).unwrap_err();
    }

    #[test]
    fn commits_reach_the_disk_before_they_are_acted_upon() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        let pragma = |name: &str| -> String {
            let connection = journal.pen.connection();
            let value: rusqlite::types::Value =
                connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
            format!("{value:?}")
        };
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma("synchronous"), "Integer(2)", "2 is FULL");
        assert_eq!(pragma("foreign_keys"), "Integer(1)");
    }

    #[test]
    #[ignore = "temporary"]
    fn zz_measure() {
        use std::time::Instant;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.sqlite");
        let mut builder = PipelineBuilder::new("day");
        for n in 0..10 {
            builder = builder.stage(Stage::new(format!("s{n}"), "work"));
        }
        let pipeline = builder.build().unwrap();
        let journal = Journal::open(&path).unwrap();
        let definition = shapes::write_pipeline(&pipeline);
        let start = Instant::now();
        for chunk in 0..100 {
            journal.pen.transact(|tx| {
                for n in 0..1000 {
                    let at = format::write_instant(Timestamp::UNIX_EPOCH);
                    let texts = ["day".to_owned(), format!("k{chunk}-{n}"), at.clone(), "null".to_owned(), definition.clone()];
                    let Written::Submitted(s) = Change::Submit { earlier: Earlier::First, texts }.write(tx)? else { panic!() };
                    let mut events = Vec::new();
                    for st in 0..10 {
                        events.push((at.clone(), format!(r#"{{"kind":"attempt_started","stage":"s{st}","attempt":1,"function":"work","token":{}}}"#, st+1)));
                        events.push((at.clone(), format!(r#"{{"kind":"stage_completed","stage":"s{st}","token":{},"output":"s3://bucket/some/path/to/an/artifact.parquet","degraded":[]{}}}"#, st+1, if chunk == 50 && n == 500 { format!(r#","memo":"m{chunk}-{n}-{st}""#) } else { String::new() })));
                    }
                    events.push((at.clone(), r#"{"kind":"run_finished","end":"completed","degraded":[]}"#.to_owned()));
                    Change::Append { run_id: s.run_id, sequence: 0, events }.write(tx)?;
                }
                Ok(())
            }).unwrap();
        }
        println!("fill {:?}", start.elapsed());
        for limit in [50, 1000, 100_000] {
            let mut t = Vec::new();
            for _ in 0..20 {
                let s = Instant::now();
                assert_eq!(journal.runs(limit).unwrap().len(), limit as usize);
                t.push(s.elapsed());
            }
            t.sort();
            println!("runs({limit}) p50 {:?} p95 {:?}", t[10], t[18]);
        }
        let s = Instant::now();
        journal.run(RunId(40_000)).unwrap().unwrap();
        println!("run {:?}", s.elapsed());
        let s = Instant::now();
        journal.recall("m50-500-3", Timestamp::UNIX_EPOCH).unwrap().unwrap();
        println!("recall {:?}", s.elapsed());
        let s = Instant::now();
        println!("{:?}", journal.reader.stage_durations("day", 30).unwrap().len());
        println!("durations {:?}", s.elapsed());
        let s = Instant::now();
        journal
            .submit(Earlier::First, &pipeline, ("k50-500", &Value::Null), Timestamp::UNIX_EPOCH)
            .unwrap();
        println!("submit {:?}", s.elapsed());
        let s = Instant::now();
        journal
            .submit(Earlier::Unfinished, &pipeline, ("new", &Value::Null), Timestamp::UNIX_EPOCH)
            .unwrap();
        println!("submit new {:?}", s.elapsed());
        {
            let c = journal.reader.connection();
            for p in ["quick_check(1)", "integrity_check(1)"] {
                let s = Instant::now();
                let v: String = c.query_row(&format!("PRAGMA {p}"), [], |r| r.get(0)).unwrap();
                println!("{p} {v} {:?}", s.elapsed());
            }
        }
        let s = Instant::now();
        let report = journal.check().unwrap();
        println!("check {:?} {} {}", s.elapsed(), report.runs, report.findings.len());
        drop(journal);
        println!("bytes {}", std::fs::metadata(&path).unwrap().len());
        let s = Instant::now();
        let journal = Journal::open(&path).unwrap();
        println!("open {:?}", s.elapsed());
        let s = Instant::now();
        JournalReader::open(&path).unwrap();
        println!("open read only {:?}", s.elapsed());
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(100 * 24);
        for _ in 0..3 {
            let s = Instant::now();
            journal.keeper.keep(&journal.pen, Some(later));
            println!(
                "keep {:?} {} left {:?}",
                s.elapsed(),
                journal.reader.check().unwrap().runs,
                journal.complaint()
            );
        }
    }
}
