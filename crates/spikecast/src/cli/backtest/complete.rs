//! Brings one backtest in one folder to its end, or as far as it gets.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use market::table::remove_partial_files;
use market::time::OperatingDay;
use orchestration::{
    CancellationToken, Clock, Journal, PipelineExecutor, RunReport, RunStatus, RunSummary,
};

use crate::cli::progress::{Telling, windows};
use crate::cli::run::{execution_error, failure_of, internal, journal_error, open_journal};
use crate::cli::terminal::Terminal;
use crate::data_dir::DataDir;
use crate::exit::CommandError;
use crate::jobs::backtest::{
    BacktestInput, BacktestWorkspace, Evaluated, JOURNAL, pipeline, registry,
};

/// What every backtest of a command works with.
pub(super) struct Bench {
    pub(super) data_dir: DataDir,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) token: CancellationToken,
    /// Whether a machine reads the answer.
    pub(super) json: bool,
}

/// How far a backtest got.
pub(super) enum Ended {
    /// Somebody asked to stop; the status in a word.
    Stopped(&'static str),
    /// Everything is scored and written.
    Complete(Arc<BacktestWorkspace>, Evaluated),
}

/// Refuses days that nobody has lived yet.
pub(super) fn not_in_the_future(bench: &Bench, input: &BacktestInput) -> Result<(), CommandError> {
    let today = OperatingDay::of(bench.clock.now());
    if today.date() < input.to {
        let message = format!("--to {} lies in the future; today is {today}", input.to);
        return Err(CommandError::usage(message));
    }
    Ok(())
}

/// Does what is left to do of a backtest.
pub(super) fn complete(
    bench: &Bench,
    input: &BacktestInput,
    out: &Path,
    terminal: &mut Terminal,
) -> Result<Ended, CommandError> {
    let journal = open_journal(&out.join(JOURNAL))?;
    let workspace = Arc::new(BacktestWorkspace::new(out.to_owned(), bench.data_dir.clone()));
    let earlier = journal.runs(1).map_err(journal_error)?.into_iter().next();
    refuse_other_backtest(earlier.as_ref(), input, out)?;
    if let Some(done) = earlier.filter(|run| run.status == RunStatus::Completed) {
        let outputs = [workspace.forecasts(), workspace.scores(), workspace.report()];
        if let Some(missing) = outputs.iter().find(|path| !path.exists()) {
            return Err(CommandError::usage(format!(
                "{}: is missing from a complete backtest; remove the folder to do it again",
                missing.display()
            )));
        }
        if let Some(report) = journal.run(done.run_id).map_err(journal_error)? {
            terminal.note("this backtest is complete; remove the folder to do it again");
            return conclude(&report, workspace);
        }
    }
    let pipeline = pipeline(input).context("pipeline").map_err(internal)?;
    let telling = Telling::on(terminal, bench.json);
    let total = input.windows().len() as u64;
    let done = done_windows(&journal, input)?;
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let clock = bench.clock.clone();
    let executor = PipelineExecutor::new(journal, registry(&workspace), clock.clone(), workers)
        .observe(windows(telling, done, total, clock));
    let value = serde_json::to_value(input).context("input").map_err(internal)?;
    let submission = executor.submit(&pipeline, &input.key(), value).map_err(execution_error)?;
    if telling != Telling::Nothing {
        let verb = if submission.resumed { "continuing" } else { "starting" };
        terminal.note(&format!("{verb} backtest: {done} of {total} windows done"));
    }
    remove_partial_files(out);
    let report = executor.execute(submission.run_id, &bench.token).map_err(execution_error)?;
    conclude(&report, workspace)
}

fn refuse_other_backtest(
    earlier: Option<&RunSummary>,
    input: &BacktestInput,
    out: &Path,
) -> Result<(), CommandError> {
    match earlier {
        Some(run) if run.key != input.key() => Err(CommandError::usage(format!(
            "{}: holds another backtest (other settings, data or program); name another folder with --out, or remove this one",
            out.display()
        ))),
        Some(_) | None => Ok(()),
    }
}

fn done_windows(journal: &Journal, input: &BacktestInput) -> Result<u64, CommandError> {
    let runs = journal.runs(1).map_err(journal_error)?;
    let Some(run) = runs.first().filter(|run| run.key == input.key()) else { return Ok(0) };
    let report = journal.run(run.run_id).map_err(journal_error)?;
    let stages = report.map(|report| report.stages).unwrap_or_default();
    Ok(stages.iter().filter(|stage| stage.output.is_some()).count() as u64)
}

fn conclude(report: &RunReport, workspace: Arc<BacktestWorkspace>) -> Result<Ended, CommandError> {
    match report.status {
        RunStatus::Completed => {}
        RunStatus::Interrupted | RunStatus::Pending | RunStatus::Running => {
            return Ok(Ended::Stopped(report.status.as_str()));
        }
        RunStatus::Failed | RunStatus::Cancelled => return Err(failure_of(report)),
    }
    // Their content is in forecasts.parquet; what cannot be removed is only in the way.
    std::fs::remove_dir_all(workspace.windows_folder()).unwrap_or_default();
    let evaluated = report.output_as("evaluate").map_err(|error| internal(error.into()))?;
    Ok(Ended::Complete(workspace, evaluated))
}
