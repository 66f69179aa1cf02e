//! A process that dies in the middle of a run, and another one that resumes it.
//!
//! The program starts itself as a child that aborts during its third stage, then opens the same
//! journal and carries on. A completed stage is not repeated.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, abort};
use std::sync::Arc;

use orchestration::{
    CancellationToken, Journal, Pipeline, PipelineBuilder, PipelineExecutor, Registry, RunReport,
    Stage, StageContext, StageFailure, StageOutput, SystemClock,
};
use orchestration::{FailureClass, PipelineError};

/// Tells a child where to work and that it must die.
const DIE: &str = "--die-in";

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    if let (Some(flag), Some(folder)) = (words.next(), words.next()) {
        if flag != DIE {
            return Err(format!("{flag} is not understood").into());
        }
        execute(Path::new(&folder), Ending::Abort)?;
        return Err("the child was to die and has not".into());
    }
    let mut out = std::io::stdout().lock();
    let folder = tempfile::tempdir()?;
    let status = Command::new(std::env::current_exe()?).arg(DIE).arg(folder.path()).status()?;
    writeln!(out, "the first process: {status}")?;
    let report = execute(folder.path(), Ending::Ordinary)?;
    writeln!(out, "the second process: {}", report.status)?;
    for line in tell(&report, folder.path())? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Ordinary,
    Abort,
}

fn pipeline() -> Result<Pipeline, PipelineError> {
    PipelineBuilder::new("day")
        .stage(Stage::new("fetch", "note"))
        .stage(Stage::new("features", "note").after(["fetch"]))
        .stage(Stage::new("train", "note").after(["features"]))
        .stage(Stage::new("forecast", "note").after(["train"]))
        .build()
}

fn execute(folder: &Path, ending: Ending) -> Result<RunReport, Box<dyn Error>> {
    let calls = calls_path(folder);
    let mut registry = Registry::new();
    registry.register("note", move |stage| {
        note(&calls, stage)
            .map_err(|error| StageFailure::caused_by(FailureClass::ResourceExhaustion, &error))?;
        if ending == Ending::Abort && stage.stage() == "train" {
            abort();
        }
        Ok(StageOutput::fresh(stage.stage().into()))
    });
    let journal = Journal::open(&folder.join("journal.sqlite"))?;
    let clock = Arc::new(SystemClock::new());
    let executor = PipelineExecutor::new(journal, registry, clock, NonZeroUsize::MIN);
    let submission = executor.submit(&pipeline()?, "2026-01-28", serde_json::Value::Null)?;
    Ok(executor.execute(submission.run_id, &CancellationToken::new())?)
}

fn note(calls: &Path, stage: &StageContext) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(calls)?;
    writeln!(file, "{} {}", stage.stage(), stage.attempt())
}

fn calls_path(folder: &Path) -> PathBuf {
    folder.join("calls")
}

/// Tells what was called, and how the attempts ended.
fn tell(report: &RunReport, folder: &Path) -> std::io::Result<Vec<String>> {
    let calls = fs::read_to_string(calls_path(folder))?;
    let mut lines = vec![format!("called: {}", calls.lines().collect::<Vec<_>>().join(", "))];
    for stage in &report.stages {
        let outcomes: Vec<String> =
            stage.attempts.iter().map(|attempt| format!("{:?}", attempt.outcome)).collect();
        lines.push(format!("{}: {}", stage.name, outcomes.join(", ")));
    }
    Ok(lines)
}
