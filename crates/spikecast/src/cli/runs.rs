//! `spikecast runs`: what the journal says was run. Reads beside a running process.

use std::time::Duration;

use jiff::Timestamp;
use market::time::display;
use orchestration::{
    AttemptOutcome, ItemCounts, Journal, RunId, RunReport, RunStatus, RunSummary, StageExplanation,
    StageReport,
};
use serde_json::{Value, json};

use super::args::{GlobalArgs, RunsCommand};
use super::progress::seconds;
use super::run::journal_error;
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::quality::told_once;

pub(super) fn runs(
    global: &GlobalArgs,
    command: &RunsCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let path = global.settings()?.data_dir.journal();
    let journal = Journal::open_read_only(&path).map_err(journal_error)?;
    match command {
        RunsCommand::List { limit } => {
            list(&journal.runs(*limit).map_err(journal_error)?, global.json, terminal)
        }
        RunsCommand::Show { run } => {
            let id: RunId = run.parse().map_err(CommandError::usage)?;
            let report = journal.run(id).map_err(journal_error)?.ok_or_else(|| {
                CommandError::usage(format!(
                    "run {id} is not in {}; see `spikecast runs list`",
                    path.display()
                ))
            })?;
            let waiting = journal.explain(id, EXPLAINED_MAX).map_err(journal_error)?;
            show(&report, &waiting, global.json, terminal)
        }
    }
}

/// So many stages and items that have not ended say what they are waiting for.
const EXPLAINED_MAX: usize = 100;

fn list(runs: &[RunSummary], json: bool, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    if json {
        terminal.json(&Value::Array(runs.iter().map(run_json).collect()))?;
        return Ok(Exit::Fine);
    }
    for run in runs {
        let took = took(Some(run.submitted_at), run.finished_at);
        let degraded = if run.degraded.is_empty() { "" } else { "  degraded" };
        terminal.line(format!(
            "{}  {:9} {} {}  {took:>11}{degraded}",
            run.run_id,
            run.pipeline,
            status(run.status, terminal),
            display(run.submitted_at),
        ))?;
    }
    Ok(Exit::Fine)
}

fn status(status: RunStatus, terminal: &Terminal) -> String {
    let style = match status {
        RunStatus::Completed => Style::Green,
        RunStatus::Failed => Style::Red,
        RunStatus::Interrupted | RunStatus::Cancelled => Style::Yellow,
        RunStatus::Pending | RunStatus::Running => Style::Dim,
    };
    terminal.paint(style, &format!("{:11}", status.as_str()))
}

fn took(started: Option<Timestamp>, finished: Option<Timestamp>) -> String {
    match (started, finished) {
        (Some(started), Some(finished)) => {
            let took = Duration::try_from(finished.duration_since(started));
            seconds(took.unwrap_or(Duration::ZERO))
        }
        (_, _) => "–".to_owned(),
    }
}

fn run_json(run: &RunSummary) -> Value {
    json!({
        "run": run.run_id.to_string(),
        "pipeline": run.pipeline,
        "status": run.status.as_str(),
        "key": run.key,
        "degraded": run.degraded,
        "submitted_at": run.submitted_at.to_string(),
        "finished_at": run.finished_at.map(|t| t.to_string()),
    })
}

fn show(
    report: &RunReport,
    waiting: &[StageExplanation],
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    if json {
        let waiting: Vec<Value> =
            waiting.iter().map(|told| json!({ "stage": told.stage, "waits": told.text })).collect();
        terminal.json(&json!({
            "run": report.run_id.to_string(),
            "pipeline": report.pipeline,
            "status": report.status.as_str(),
            "key": report.key,
            "input": report.input,
            "degraded": report.degraded,
            "submitted_at": report.submitted_at.to_string(),
            "finished_at": report.finished_at.map(|t| t.to_string()),
            "stages": report.stages.iter().map(stage_json).collect::<Vec<_>>(),
            "waiting": waiting,
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.line(format!(
        "{}  {}  {}  submitted {}",
        terminal.paint(Style::Bold, &report.run_id.to_string()),
        report.pipeline,
        status(report.status, terminal).trim_end(),
        display(report.submitted_at)
    ))?;
    terminal.line(format!("input     {}", report.input))?;
    for reason in told_once(&report.degraded) {
        terminal.line(format!("degraded  {reason}"))?;
    }
    for stage in &report.stages {
        let took = took(stage.started_at, stage.finished_at);
        terminal.line(format!("  {:12} {:10} {took:>11}", stage.name, stage.status.as_str()))?;
        if let Some(reason) = &stage.reason {
            terminal.line(format!("      {reason}"))?;
        }
        for reason in &stage.degraded {
            terminal.line(format!("      degraded: {reason}"))?;
        }
        for told in waiting.iter().filter(|told| told.stage == stage.name) {
            terminal.line(format!("      {}", told.text))?;
        }
        if let Some(items) = &stage.items {
            let ItemCounts { pending, running, completed, failed, left_out } = items;
            terminal.line(format!(
                "      items: {completed} completed, {failed} failed, {left_out} left out, \
                 {running} running, {pending} pending"
            ))?;
        }
        for attempt in &stage.attempts {
            if !matches!(attempt.outcome, AttemptOutcome::Completed) || 1 < stage.attempts.len() {
                let outcome = outcome(&attempt.outcome);
                let line =
                    format!("      attempt {} ({}): {outcome}", attempt.number, attempt.function);
                terminal.line(line)?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn outcome(outcome: &AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Running => "running, or its process died".to_owned(),
        AttemptOutcome::Completed => "completed".to_owned(),
        AttemptOutcome::Recalled { from, .. } => format!("completed by run {from}"),
        AttemptOutcome::Failed(failure) => failure.to_string(),
        AttemptOutcome::Cancelled => "stopped on request".to_owned(),
        AttemptOutcome::Lost => "its process died".to_owned(),
    }
}

fn stage_json(stage: &StageReport) -> Value {
    let attempts: Vec<Value> = stage
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "number": attempt.number,
                "function": &*attempt.function,
                "started_at": attempt.started_at.to_string(),
                "ended_at": attempt.ended_at.map(|t| t.to_string()),
                "outcome": outcome(&attempt.outcome),
            })
        })
        .collect();
    json!({
        "stage": stage.name,
        "status": stage.status.as_str(),
        "reason": stage.reason,
        "degraded": stage.degraded,
        "output": stage.output,
        "attempts": attempts,
    })
}
