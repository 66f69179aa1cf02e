//! A place to run pipelines in: a folder, a clock that stands still, and a list of what was called.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use orchestration::{
    CancellationToken, FailureClass, Journal, ManualClock, Pipeline, PipelineBuilder,
    PipelineExecutor, Registry, RunReport, Stage, StageContext, StageFailure, StageOutput,
    StageResult,
};
use serde_json::{Value, json};
use tempfile::TempDir;

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
