//! `spikecast backtest`: past days as if they were today, scored.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context;
use market::table::remove_partial_files;
use market::time::OperatingDay;
use orchestration::{Clock, PipelineExecutor, RunReport, RunStatus, RunSummary, SystemClock};
use serde_json::json;

use super::args::GlobalArgs;
use super::backtest_args::BacktestArgs;
use super::progress::{Telling, windows};
use super::run::{
    execution_error, failure_of, internal, journal_error, open_journal, stop_on_signal, targets,
};
use super::terminal::{Style, Terminal};
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::backtest::{
    BacktestInput, BacktestWorkspace, Evaluated, JOURNAL, pipeline, registry,
};
use crate::jobs::failure::{JobError, exit_of_error};

pub(super) fn backtest(
    global: &GlobalArgs,
    arguments: &BacktestArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.data.settings(global)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let today = OperatingDay::of(clock.now());
    if today.date() < arguments.to {
        let message = format!("--to {} lies in the future; today is {today}", arguments.to);
        return Err(CommandError::usage(message));
    }
    let input = input(&config, arguments)?;
    let journal = open_journal(&arguments.out.join(JOURNAL))?;
    let workspace =
        Arc::new(BacktestWorkspace::new(arguments.out.clone(), config.data_dir.clone()));
    let earlier = journal.runs(1).map_err(journal_error)?.into_iter().next();
    refuse_other_backtest(earlier.as_ref(), &input, arguments)?;
    if let Some(done) = earlier.filter(|run| run.status == RunStatus::Completed) {
        let outputs = [workspace.forecasts(), workspace.scores(), workspace.report()];
        if let Some(missing) = outputs.iter().find(|path| !path.exists()) {
            return Err(CommandError::usage(format!(
                "{}: is missing from a complete backtest; remove the folder to do it again",
                missing.display()
            )));
        }
        let report = journal.run(done.run_id).map_err(journal_error)?;
        if let Some(report) = report {
            terminal.note("this backtest is complete; remove the folder to do it again");
            return conclude(&report, &workspace, global.json, terminal);
        }
    }
    let pipeline = pipeline(&input).context("pipeline").map_err(internal)?;
    let telling = Telling::on(terminal, global.json);
    let total = input.windows().len() as u64;
    let done = done_windows(&journal, &input)?;
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let executor = PipelineExecutor::new(journal, registry(&workspace), clock.clone(), workers)
        .observe(windows(telling, done, total, clock));
    let value = serde_json::to_value(&input).context("input").map_err(internal)?;
    let submission = executor.submit(&pipeline, &input.key(), value).map_err(execution_error)?;
    if telling != Telling::Nothing {
        let verb = if submission.resumed { "continuing" } else { "starting" };
        terminal.note(&format!("{verb} backtest: {done} of {total} windows done"));
    }
    remove_partial_files(&arguments.out);
    let token = stop_on_signal()?;
    let report = executor.execute(submission.run_id, &token).map_err(execution_error)?;
    conclude(&report, &workspace, global.json, terminal)
}

fn input(config: &Config, arguments: &BacktestArgs) -> Result<BacktestInput, CommandError> {
    if arguments.to < arguments.from {
        return Err(CommandError::usage(format!(
            "--from {} lies after --to {}",
            arguments.from, arguments.to
        )));
    }
    let fingerprint = || -> Result<String, JobError> { Ok(config.source.open()?.fingerprint()?) };
    Ok(BacktestInput {
        source: config.source.clone(),
        fingerprint: fingerprint()
            .map_err(|error| CommandError::new(exit_of_error(&error), error))?,
        targets: targets(config)?,
        from: arguments.from,
        to: arguments.to,
        issue_time_of_day: arguments.issue_time,
        retrain_every_days: config.retrain_every_days,
        program: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn refuse_other_backtest(
    earlier: Option<&RunSummary>,
    input: &BacktestInput,
    arguments: &BacktestArgs,
) -> Result<(), CommandError> {
    match earlier {
        Some(run) if run.key != input.key() => Err(CommandError::usage(format!(
            "{}: holds another backtest (other settings, data or program); name another folder with --out, or remove this one",
            arguments.out.display()
        ))),
        Some(_) | None => Ok(()),
    }
}

fn done_windows(
    journal: &orchestration::Journal,
    input: &BacktestInput,
) -> Result<u64, CommandError> {
    let runs = journal.runs(1).map_err(journal_error)?;
    let Some(run) = runs.first().filter(|run| run.key == input.key()) else { return Ok(0) };
    let report = journal.run(run.run_id).map_err(journal_error)?;
    let stages = report.map(|report| report.stages).unwrap_or_default();
    Ok(stages.iter().filter(|stage| stage.output.is_some()).count() as u64)
}

fn conclude(
    report: &RunReport,
    workspace: &BacktestWorkspace,
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match report.status {
        RunStatus::Completed => {}
        RunStatus::Interrupted | RunStatus::Pending | RunStatus::Running => {
            terminal.note("stopped; the same command continues where it is");
            if json {
                let code = Exit::Interrupted.code();
                terminal.json(&json!({ "status": report.status.as_str(), "exit_code": code }))?;
            }
            return Ok(Exit::Interrupted);
        }
        RunStatus::Failed | RunStatus::Cancelled => return Err(failure_of(report)),
    }
    // Their content is in forecasts.parquet; what cannot be removed is only in the way.
    std::fs::remove_dir_all(workspace.windows_folder()).unwrap_or_default();
    let evaluated: Evaluated =
        report.output_as("evaluate").map_err(|error| internal(error.into()))?;
    if json {
        terminal.json(&json!({
            "status": report.status.as_str(),
            "rows": evaluated.rows,
            "headlines": evaluated.headlines,
            "forecasts": workspace.forecasts(),
            "scores": workspace.scores(),
            "report": workspace.report(),
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.line(terminal.paint(Style::Bold, "Against climatology, pooled over lead days:"))?;
    for headline in &evaluated.headlines {
        terminal.line(format!("  {headline}"))?;
    }
    terminal.line(format!(
        "forecasts {} ({} rows)",
        workspace.forecasts().display(),
        evaluated.rows
    ))?;
    terminal.line(format!("scores    {}", workspace.scores().display()))?;
    terminal.line(format!("report    {}", workspace.report().display()))?;
    Ok(Exit::Fine)
}
