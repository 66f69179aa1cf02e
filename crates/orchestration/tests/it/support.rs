//! A place to run pipelines in: a folder, a clock that stands still, and a list of what was called.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use orchestration::{
    CancellationToken, FailureClass, Journal, ManualClock, Pipeline, PipelineBuilder,
    PipelineExecutor, Registry, RunReport, Stage, StageContext, StageFailure, StageOutput,
    StageResult,
};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use twox_hash::XxHash64;

/// Noon in Greenwich on the day whose prices the tests are after.
pub(crate) const NOW: &str = "2026-01-27T12:00:00Z";

/// A folder with a journal.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(NOW.parse().unwrap())),
            calls: Arc::default(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("journal.sqlite")
    }

    pub(crate) fn executor(&self, registry: Registry, workers: usize) -> PipelineExecutor {
        let journal = Journal::open(&self.path()).unwrap();
        let clock = Arc::clone(&self.clock);
        PipelineExecutor::new(journal, registry, clock, NonZeroUsize::new(workers).unwrap())
    }

    /// Registers a function that notes the name of the stage it is called for.
    pub(crate) fn register<F>(&self, registry: &mut Registry, name: &str, function: F)
    where
        F: Fn(&StageContext) -> StageResult + Send + Sync + 'static,
    {
        let calls = Arc::clone(&self.calls);
        registry.register(name, move |stage| {
            calls.lock().unwrap().push(stage.stage().to_owned());
            function(stage)
        });
    }

    /// Returns the stages whose functions were called since the last time, in order.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Submits and executes a pipeline, undisturbed.
    pub(crate) fn run(&self, registry: Registry, pipeline: &Pipeline, workers: usize) -> RunReport {
        let executor = self.executor(registry, workers);
        let submission = executor.submit(pipeline, "2026-01-28", json!({"day": 28})).unwrap();
        executor.execute(submission.run_id, &CancellationToken::new()).unwrap()
    }
}

/// Takes a run back to when it had only `kept` events.
pub(crate) fn rewind(connection: &Connection, run_id: i64, kept: i64) {
    connection
        .execute("DELETE FROM events WHERE run_id = ?1 AND ?2 <= sequence", [run_id, kept])
        .unwrap();
    connection
        .execute("UPDATE event_counts SET count = min(count, ?2) WHERE run_id = ?1", [run_id, kept])
        .unwrap();
}

/// Changes rows that never change.
pub(crate) fn tamper(connection: &Connection, change: &str) {
    let mut query =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<(String, String)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (name, _) in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    connection.execute_batch(change).unwrap();
    for (_, sql) in &triggers {
        connection.execute_batch(sql).unwrap();
    }
}

/// Writes an event as the journal would, whatever it says; the checksum is made by hand.
pub(crate) fn forge_event(connection: &Connection, run_id: i64, sequence: i64, body: &Value) {
    let (at, body) = ("2026-01-27T12:00:00.000000000Z", body.to_string());
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&run_id.to_le_bytes());
    bytes.extend_from_slice(&sequence.to_le_bytes());
    for text in [at, &body] {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    let checksum = XxHash64::oneshot(0, &bytes).cast_signed();
    connection
        .execute(
            "INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
            (run_id, sequence, at, body, checksum),
        )
        .unwrap();
    connection
        .execute(
            "UPDATE event_counts SET count = max(count, ?2 + 1) WHERE run_id = ?1",
            [run_id, sequence],
        )
        .unwrap();
}

pub(crate) fn failure(class: FailureClass, message: &str) -> StageFailure {
    StageFailure::new(class, message)
}

/// A function that succeeds with the names of its stage and of what it received.
pub(crate) fn collect(stage: &StageContext) -> StageResult {
    let mut received = vec![stage.stage().to_owned()];
    for dependency in stage.input().as_array().into_iter().flatten() {
        let name = dependency.as_str().unwrap();
        received.push(stage.output_as::<Value>(name)?.to_string());
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
        .stage(after("weather", "refused", &[]).fallback("cached"))
        .stage(after("features", "collect", &["prices", "weather"]))
        .stage(after("train", "broken", &["features"]))
        .stage(after("evaluate", "collect", &["train"]))
        .stage(after("publish", "collect", &["features"]))
        .build()
        .unwrap()
}

/// The functions of [`eventful_day`].
pub(crate) fn eventful_functions(desk: &Desk) -> Registry {
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    desk.register(&mut registry, "flaky", |stage| match stage.attempt() {
        1 => Err(failure(FailureClass::Connection, "connection reset by peer")),
        _ => collect(stage),
    });
    desk.register(&mut registry, "refused", |_| {
        Err(failure(FailureClass::Authentication, "the key is not valid"))
    });
    desk.register(&mut registry, "cached", collect);
    desk.register(&mut registry, "broken", |_| {
        Err(failure(FailureClass::BadData, "line 7: expected a price, found \"-\""))
    });
    registry
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
