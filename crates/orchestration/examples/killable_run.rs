//! A run that may be killed at any moment: start it again with the same key, and it carries on.
//!
//! `killable_run FOLDER KEY`
//!
//! The journal and a ledger are kept in FOLDER. Every stage adds one line to the ledger, some
//! through a child process. Progress is printed line by line, each after the journal knows of it.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use orchestration::{
    CancellationToken, FailureClass, Journal, ObservationKind, Pipeline, PipelineBuilder,
    PipelineError, PipelineExecutor, Registry, RunStatus, Stage, StageContext, StageFailure,
    StageOutput, StageResult, SystemClock,
};

const WORKERS: usize = 3;

fn main() -> std::io::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut complaints = std::io::stderr().lock();
    let [folder, key] = words.as_slice() else {
        writeln!(complaints, "usage: killable_run FOLDER KEY")?;
        return Ok(ExitCode::from(2));
    };
    let Err(error) = execute(Path::new(folder), key) else { return Ok(ExitCode::SUCCESS) };
    let mut cause = Some(error.as_ref() as &dyn Error);
    while let Some(error) = cause {
        writeln!(complaints, "{error}")?;
        cause = error.source();
    }
    Ok(ExitCode::FAILURE)
}

fn execute(folder: &Path, key: &str) -> Result<(), Box<dyn Error>> {
    let journal = Journal::open(&folder.join("journal.sqlite"))?;
    let workers = NonZeroUsize::new(WORKERS).ok_or("somebody has to work")?;
    let registry = registry(&folder.join("ledger"));
    let executor = PipelineExecutor::new(journal, registry, Arc::new(SystemClock::new()), workers)
        .observe(Box::new(|observation| {
            // Whoever does not listen any more has killed us or soon will.
            drop(tell(&observation.kind));
        }));
    let submission = executor.submit_once(&pipeline()?, key, serde_json::Value::Null)?;
    let report = executor.execute(submission.run_id, &CancellationToken::new())?;
    if report.status == RunStatus::Completed {
        Ok(())
    } else {
        Err(format!("the run is {}", report.status).into())
    }
}

/// Prints what happened, at once.
fn tell(kind: &ObservationKind) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match kind {
        ObservationKind::StageStarted { stage, attempt, .. } => {
            writeln!(out, "started {stage} {attempt}")?;
        }
        ObservationKind::StageCompleted { stage, .. } => writeln!(out, "completed {stage}")?,
        ObservationKind::AttemptLost { stage } => writeln!(out, "lost {stage}")?,
        other => writeln!(out, "{other:?}")?,
    }
    out.flush()
}

fn pipeline() -> Result<Pipeline, PipelineError> {
    PipelineBuilder::new("day")
        .stage(Stage::new("fetch prices", "note"))
        .stage(Stage::new("fetch weather", "spawn"))
        .stage(Stage::new("fetch outages", "note"))
        .stage(Stage::new("check prices", "note").after(["fetch prices"]))
        .stage(Stage::new("check weather", "spawn").after(["fetch weather"]))
        .stage(Stage::new("features", "note").after([
            "check prices",
            "check weather",
            "fetch outages",
        ]))
        .stage(Stage::new("train low", "spawn").after(["features"]))
        .stage(Stage::new("train middle", "note").after(["features"]))
        .stage(Stage::new("train high", "spawn").after(["features"]))
        .stage(Stage::new("evaluate", "note").after(["train low", "train middle", "train high"]))
        .stage(Stage::new("forecast", "spawn").after(["evaluate"]))
        .stage(Stage::new("publish", "note").after(["forecast"]))
        .build()
}

fn registry(ledger: &Path) -> Registry {
    let mut registry = Registry::new();
    let (here, elsewhere): (PathBuf, PathBuf) = (ledger.to_owned(), ledger.to_owned());
    registry.register("note", move |stage| noted(stage, note(&here, &line(stage))));
    registry.register("spawn", move |stage| noted(stage, spawn(&elsewhere, &line(stage))));
    registry
}

/// Tells one attempt from all others.
fn line(stage: &StageContext) -> String {
    format!("{},{},{}", stage.run_id(), stage.stage(), stage.attempt())
}

fn noted(stage: &StageContext, result: std::io::Result<()>) -> StageResult {
    result.map_err(|error| StageFailure::caused_by(FailureClass::ResourceExhaustion, &error))?;
    Ok(StageOutput::fresh(line(stage).into()))
}

fn note(ledger: &Path, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(ledger)?;
    // In one piece, so that lines of several processes do not mix.
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}

fn spawn(ledger: &Path, line: &str) -> std::io::Result<()> {
    let status = Command::new("sh")
        .args(["-c", "echo \"$1\" >> \"$2\"", "note", line])
        .arg(ledger)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(status.to_string())) }
}
