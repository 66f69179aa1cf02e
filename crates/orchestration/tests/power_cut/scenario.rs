//! What is done while the disk fails: days in which everything happens, on a clock that stands
//! still.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use orchestration::{
    CancellationToken, ExecutionError, FailureClass, Journal, JournalError, ManualClock, Pipeline,
    PipelineBuilder, PipelineExecutor, Registry, RunReport, Stage, StageContext, StageFailure,
    StageOutput, StageResult, Submission,
};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::acknowledged::EventCounts;
use crate::disk::Files;

/// Why something that must succeed has not.
pub(crate) type Failure = Box<dyn Error>;

/// The events of every run, in order, by the run's key.
pub(crate) type Rows = BTreeMap<String, Vec<Row>>;

/// An event as it is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) at: String,
    pub(crate) body: Value,
}

/// A folder with a journal, and a list of what was called.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    pub(crate) fn new(files: &Files) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        Self { folder, calls: Arc::default() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("journal.sqlite")
    }

    pub(crate) fn executor(&self, workers: usize) -> Result<PipelineExecutor, JournalError> {
        let journal = Journal::open(&self.path())?;
        let clock = Arc::new(ManualClock::new("2026-01-27T12:00:00Z".parse().unwrap()));
        let workers = NonZeroUsize::new(workers).unwrap();
        Ok(PipelineExecutor::new(journal, self.functions(), clock, workers))
    }

    /// Returns the stages whose functions were called since the last time, in order.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn register<F>(&self, registry: &mut Registry, name: &str, function: F)
    where
        F: Fn(&StageContext) -> StageResult + Send + Sync + 'static,
    {
        let calls = Arc::clone(&self.calls);
        registry.register(name, move |stage| {
            calls.lock().unwrap().push(stage.stage().to_owned());
            function(stage)
        });
    }

    /// The functions of [`eventful_day`].
    fn functions(&self) -> Registry {
        let mut registry = Registry::new();
        self.register(&mut registry, "collect", collect);
        self.register(&mut registry, "flaky", |stage| match stage.attempt() {
            1 => Err(StageFailure::new(FailureClass::Connection, "connection reset by peer")),
            _ => collect(stage),
        });
        self.register(&mut registry, "refused", |_| {
            Err(StageFailure::new(FailureClass::Authentication, "the key is not valid"))
        });
        self.register(&mut registry, "broken", |_| {
            Err(StageFailure::new(FailureClass::BadData, "line 7: expected a price, found \"-\""))
        });
        registry
    }
}

/// Finds the run of this key, or submits it.
pub(crate) fn submit(executor: &PipelineExecutor, key: &str) -> Result<Submission, ExecutionError> {
    executor.submit_once(&eventful_day(), key, json!({"day": 28}))
}

/// Finds the run of this key, or submits it, and executes it to its end.
pub(crate) fn run(executor: &PipelineExecutor, key: &str) -> Result<RunReport, ExecutionError> {
    let submission = submit(executor, key)?;
    executor.execute(submission.run_id, &CancellationToken::new())
}

/// Succeeds with the names of its stage and of what it received, and once with more than a page.
fn collect(stage: &StageContext) -> StageResult {
    let mut received = vec![stage.stage().to_owned()];
    for dependency in stage.input().as_array().into_iter().flatten() {
        let name = dependency.as_str().unwrap();
        received.push(stage.output_as::<Vec<String>>(name)?[0].clone());
    }
    if stage.stage() == "features" {
        received.push("x".repeat(5_000));
    }
    StageOutput::of(&received)
}

/// A day's work in which everything happens: a retry, a fallback, a failure, a skipped stage.
pub(crate) fn eventful_day() -> Pipeline {
    let after = |name: &str, function: &str, dependencies: &[&str]| {
        Stage::new(name, function).after(dependencies.iter().copied()).input(json!(dependencies))
    };
    PipelineBuilder::new("day")
        .stage(after("prices", "flaky", &[]))
        .stage(after("weather", "refused", &[]).fallback("collect"))
        .stage(after("load", "collect", &[]))
        .stage(after("features", "collect", &["prices", "weather", "load"]))
        .stage(after("train", "broken", &["features"]))
        .stage(after("evaluate", "collect", &["train"]))
        .stage(after("publish", "collect", &["features"]))
        .build()
        .unwrap()
}

/// What has to be the same however often a run was disturbed: all but times and attempts.
pub(crate) fn result_of(report: &RunReport) -> Vec<String> {
    let mut lines = vec![format!("{} {:?}", report.status, report.degraded)];
    for stage in &report.stages {
        lines.push(format!(
            "{} {} {:?} {:?} {:?}",
            stage.name, stage.status, stage.reason, stage.output, stage.degraded
        ));
    }
    lines
}

/// Returns the stages that are completed, according to these events.
pub(crate) fn completed_stages(rows: &[Row]) -> Vec<&str> {
    let completed = rows.iter().filter(|row| row.body["kind"] == "stage_completed");
    completed.map(|row| row.body["stage"].as_str().unwrap()).collect()
}

/// Opens the file of a journal beside whoever else has it open.
fn look(path: &Path) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Returns how many events each run has by now.
pub(crate) fn count_events(path: &Path) -> Result<EventCounts, Failure> {
    let connection = look(path)?;
    let mut query = connection.prepare(
        "SELECT key, count(run_id) FROM runs LEFT JOIN events ON id = run_id GROUP BY key",
    )?;
    let mut found = query.query([])?;
    let mut counts = EventCounts::new();
    while let Some(row) = found.next()? {
        let events: i64 = row.get(1)?;
        counts.insert(row.get(0)?, usize::try_from(events)?);
    }
    Ok(counts)
}

/// Returns everything that happened according to the file, runs to which nothing has included.
pub(crate) fn read_rows(path: &Path) -> Result<Rows, Failure> {
    let connection = look(path)?;
    let mut rows = Rows::new();
    let mut query = connection.prepare("SELECT key FROM runs")?;
    for key in query.query_map([], |row| row.get(0))? {
        rows.insert(key?, Vec::new());
    }
    let sql = "SELECT key, at, body FROM events JOIN runs ON id = run_id ORDER BY run_id, sequence";
    let mut query = connection.prepare(sql)?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let (key, at, body): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let row = Row { at, body: serde_json::from_str(&body)? };
        rows.entry(key).or_default().push(row);
    }
    Ok(rows)
}

/// Every attempt of a run has a token of its own.
pub(crate) fn check_tokens(rows: &[Row]) -> Result<(), Failure> {
    let mut tokens = BTreeSet::new();
    for row in rows.iter().filter(|row| row.body["kind"] == "attempt_started") {
        let token = row.body["token"].as_u64().ok_or("a start without a token")?;
        if !tokens.insert(token) {
            return Err(format!("token {token} was given twice").into());
        }
    }
    if tokens.is_empty() { Err("no attempt was started".into()) } else { Ok(()) }
}
