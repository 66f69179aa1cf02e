//! `spikecast run`: the main job, submitted to the orchestrator and watched.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use market::table::remove_partial_files;
use market::time::{OperatingDay, display, parse_local};
use orchestration::{
    AttemptOutcome, CancellationToken, Clock, Deadline, DeadlineAlert, DeadlinePolicy,
    ErrorRecoveryManager, ExecutionError, Journal, JournalError, PipelineExecutor, RunId,
    RunReport, RunStatus, SystemClock, WhenLate,
};
use serde_json::json;

use super::args::{GlobalArgs, RunArgs};
use super::forecast_table::forecast_table;
use super::isolated;
use super::progress::{Telling, stages, tell};
use super::terminal::{Style, Terminal};
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::{JobError, exit_of, exit_of_error};
use crate::jobs::fetch::{FetchWorkspace, recover_fetching, register};
use crate::jobs::forecast::{
    self, Attendance, Fetching, ForecastInput, PIPELINE, Published, RefusedModel, Setup,
    TrainOutput, Training, Workspace, forecast_input, pipeline, recover_archive, registry,
};
use crate::jobs::targets::Targets;
use crate::ledger::read_forecast;
use crate::operations::{MARGIN, RUNS_LEARNT_FROM, fetch_input, patient_fetching};
use crate::quality::told_once;

/// While one piece waits for its server, another one is read and committed; other stages follow
/// each other and use all cores themselves.
pub(super) const WORKERS: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

pub(super) fn run(
    global: &GlobalArgs,
    arguments: &RunArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.data.settings(global)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (mut input, key) = input(&config, arguments, clock.now())?;
    let data_dir = config.data_dir.clone();
    let journal = open_journal(&data_dir.journal())?;
    // The journal keeps other writers out, so whatever is half-written was left by a killed one.
    remove_partial_files(data_dir.path());
    let workspace = Arc::new(Workspace::new(data_dir.clone(), clock.clone()));
    let telling = Telling::on(terminal, global.json);
    let mut registry = registry(&workspace);
    let mut recovery = ErrorRecoveryManager::new();
    let fetching = match prepare_fetching(&config, &clock, &mut input)? {
        None => Fetching::AtOnce,
        Some(fetching) => {
            register(&mut registry, &fetching);
            recover_fetching(&mut recovery, &fetching, config.fetch_retry)
                .context("recovery")
                .map_err(internal)?;
            Fetching::Patient(config.fetch_retry)
        }
    };
    recover_archive(&mut recovery, &workspace).context("recovery").map_err(internal)?;
    let mut executor = PipelineExecutor::new(journal, registry, clock, WORKERS)
        .recover_with(Arc::new(recovery))
        .observe(stages(telling));
    let training = match isolated::pool(&data_dir, NonZeroUsize::MIN) {
        Ok(pool) => {
            executor = executor.isolate_with(pool);
            Training::Isolated
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            tell(&format!("{error:#}; models are trained in this process instead"));
            Training::Here
        }
    };
    let value = serde_json::to_value(&input).context("run input").map_err(internal)?;
    let setup = Setup { training, fetching, attendance: Attendance::Attended };
    let pipeline = pipeline(&setup).context("pipeline").map_err(internal)?;
    supersede(&executor, &key)?;
    let token = stop_on_signal()?;
    let mut attempt = || -> Result<(RunReport, bool), CommandError> {
        let submission =
            executor.submit(&pipeline, &key, value.clone()).map_err(execution_error)?;
        if telling != Telling::Nothing {
            let verb = if submission.resumed { "resuming" } else { "starting" };
            let issued = display(recorded_issue_time(&executor, submission.run_id, &input)?);
            terminal.note(&format!("{verb} run {}: forecast issued {issued}", submission.run_id));
        }
        let report = execute(&executor, submission.run_id, &input, &token)?;
        Ok((report, submission.resumed))
    };
    let (mut report, resumed) = attempt()?;
    // What failed for good before the process died, say for want of disk, may work by now.
    if resumed && report.status == RunStatus::Failed {
        (report, _) = attempt()?;
    }
    if report.status == RunStatus::Completed {
        // Intermediate files are only in the way now, and harmless where they cannot be removed.
        std::fs::remove_dir_all(data_dir.work_of(report.run_id)).unwrap_or_default();
    }
    conclude(&report, global.json, terminal)
}

/// Says what is to be fetched of ERCOT, and makes the way there; `None` for other sources.
fn prepare_fetching(
    config: &Config,
    clock: &Arc<dyn Clock>,
    input: &mut ForecastInput,
) -> Result<Option<Arc<FetchWorkspace>>, CommandError> {
    let mut prepare = || -> Result<Option<Arc<FetchWorkspace>>, JobError> {
        let Some(workspace) = patient_fetching(config, clock)? else { return Ok(None) };
        let wish = (&input.source, &input.targets);
        input.fetch = Some(fetch_input(&workspace, wish, input.issue_time)?);
        Ok(Some(workspace))
    };
    prepare().map_err(|error| CommandError::new(exit_of_error(&error), error))
}

/// Executes the run, under its deadline if it has one.
fn execute(
    executor: &PipelineExecutor,
    run: RunId,
    input: &ForecastInput,
    token: &CancellationToken,
) -> Result<RunReport, CommandError> {
    let Some(instant) = input.deadline else {
        return executor.execute(run, token).map_err(execution_error);
    };
    let policy =
        DeadlinePolicy { deadline: instant, margin: MARGIN, when_late: WhenLate::KeepTrying };
    let mut deadline = Deadline::new(policy).on_alert(move |alert| {
        let at = display(instant);
        tell(&match alert {
            DeadlineAlert::AtRisk => format!("the deadline {at} is at risk"),
            DeadlineAlert::Missed => format!("the deadline {at} was missed"),
        });
    });
    let durations = executor.journal().stage_durations(PIPELINE, RUNS_LEARNT_FROM);
    for (stage, p95) in durations.map_err(journal_error)? {
        deadline = deadline.expect(stage, p95);
    }
    executor.execute_by(run, token, &deadline).map_err(execution_error)
}

/// Gives up unfinished runs of earlier days with the same settings: their morning has passed.
fn supersede(executor: &PipelineExecutor, key: &str) -> Result<(), CommandError> {
    let Some((day, settings)) = key.split_once(' ') else { return Ok(()) };
    for run in executor.journal().runs(RUNS_LOOKED_AT).map_err(journal_error)? {
        let Some((earlier, same)) = run.key.split_once(' ') else { continue };
        let is_unfinished = run.finished_at.is_none() && run.status != RunStatus::Cancelled;
        // Turned-back runs are named by an instant, which is longer than a day.
        if is_unfinished && same == settings && earlier.len() == day.len() && earlier < day {
            executor
                .cancel(run.run_id, "superseded by a later day's run")
                .map_err(execution_error)?;
        }
    }
    Ok(())
}

/// Unfinished runs are looked for among so many.
const RUNS_LOOKED_AT: u32 = 50;

/// A resumed run keeps the issue time that it was first submitted with.
fn recorded_issue_time(
    executor: &PipelineExecutor,
    run: RunId,
    submitted: &ForecastInput,
) -> Result<Timestamp, CommandError> {
    let report = executor.journal().run(run).map_err(journal_error)?;
    let recorded = report.and_then(|r| serde_json::from_value::<ForecastInput>(r.input).ok());
    Ok(recorded.map_or(submitted.issue_time, |input| input.issue_time))
}

/// Returns the run's input, and the key by which an unfinished run of the same wish is found.
fn input(
    config: &Config,
    arguments: &RunArgs,
    now: Timestamp,
) -> Result<(ForecastInput, String), CommandError> {
    let issue_time = match &arguments.issue_time {
        Some(text) => parse_local(text).map_err(CommandError::usage)?,
        // Whole minutes, so that a forecast can be named by the time that is shown.
        None => minute_of(now),
    };
    if now < issue_time {
        let message = format!(
            "issue time {} lies in the future; leave --issue-time out to forecast from now",
            display(issue_time)
        );
        return Err(CommandError::usage(message));
    }
    let mut input = forecast_input(config, issue_time)
        .map_err(|error| CommandError::new(exit_of_error(&error), error))?;
    let is_live = arguments.issue_time.is_none();
    input.deadline = input.deadline.filter(|_| is_live);
    // Of the present, any issue time of the day will do.
    let issue_day = OperatingDay::of(issue_time);
    let when = if is_live { issue_day.to_string() } else { issue_time.to_string() };
    let source = serde_json::to_string(&input.source).context("source").map_err(internal)?;
    let key = format!("{when} {source} {} {}d", input.targets.scope(), input.retrain_every_days);
    Ok((input, key))
}

/// Returns what is forecast by these settings.
pub(super) fn targets(config: &Config) -> Result<Targets, CommandError> {
    forecast::targets(config).map_err(|error| CommandError::new(exit_of_error(&error), error))
}

/// Opens a journal for writing, making its folder.
pub(super) fn open_journal(path: &std::path::Path) -> Result<Journal, CommandError> {
    if let Some(folder) = path.parent() {
        let made = std::fs::create_dir_all(folder);
        made.with_context(|| {
            format!(
                "{}: cannot be made; name another folder or change its permissions",
                folder.display()
            )
        })
        .map_err(|cause| CommandError { exit: Exit::NotWritable, cause })?;
    }
    Journal::open(path).map_err(journal_error)
}

/// Returns a token that is cancelled by Ctrl-C or SIGTERM; a second one ends the process at once,
/// which is as safe as any crash.
pub(super) fn stop_on_signal() -> Result<CancellationToken, CommandError> {
    let token = CancellationToken::new();
    let on_signal = token.clone();
    let handler = move || {
        if on_signal.is_cancelled() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        tell("stopping when the work at hand is done; once more to stop at once (nothing is lost)");
        on_signal.cancel();
    };
    ctrlc::set_handler(handler).context("handling Ctrl-C").map_err(internal)?;
    Ok(token)
}

fn minute_of(instant: Timestamp) -> Timestamp {
    let second = instant.as_second().div_euclid(60) * 60;
    Timestamp::from_second(second).unwrap_or(instant)
}

pub(super) fn internal(cause: anyhow::Error) -> CommandError {
    CommandError { exit: Exit::Internal, cause }
}

pub(super) fn journal_error(error: JournalError) -> CommandError {
    let exit = match &error {
        JournalError::InUse { .. }
        | JournalError::NotWritable { .. }
        | JournalError::TooManyFiles { .. }
        | JournalError::Busy { .. }
        | JournalError::Moved { .. }
        | JournalError::DiskFull { .. } => Exit::NotWritable,
        JournalError::NotFound { .. }
        | JournalError::HalfMade { .. }
        | JournalError::Removed { .. } => Exit::Usage,
        JournalError::NotAJournal { .. }
        | JournalError::NewerFormat { .. }
        | JournalError::Damaged { .. } => Exit::BadInput,
        JournalError::OutOfOrder { .. }
        | JournalError::WriterPanicked { .. }
        | JournalError::Sqlite { .. } => Exit::Internal,
    };
    CommandError::new(exit, error)
}

pub(super) fn execution_error(error: ExecutionError) -> CommandError {
    match error {
        ExecutionError::Journal(error) => journal_error(error),
        other => CommandError::new(Exit::Internal, other),
    }
}

/// Tells what came of the run and returns how the program ends.
fn conclude(report: &RunReport, json: bool, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    match report.status {
        RunStatus::Completed => {}
        RunStatus::Interrupted | RunStatus::Pending | RunStatus::Running => {
            terminal.note(&format!(
                "stopped; the same command continues run {} where it is",
                report.run_id
            ));
            if json {
                let code = Exit::Interrupted.code();
                terminal.json(&json!({ "status": report.status.as_str(), "exit_code": code }))?;
            }
            return Ok(Exit::Interrupted);
        }
        RunStatus::Failed | RunStatus::Cancelled => return Err(failure_of(report)),
    }
    let shape = |error: orchestration::OutputError| internal(error.into());
    let published: Published = report.output_as("publish").map_err(shape)?;
    // Where the previous forecast stands in, no model was looked for.
    let trained: Option<TrainOutput> = report.output_as("train").ok();
    let input: ForecastInput = serde_json::from_value(report.input.clone())
        .context("the run's input")
        .map_err(internal)?;
    let is_late = match (input.deadline, report.finished_at) {
        (Some(deadline), Some(finished)) => deadline < finished,
        (_, _) => false,
    };
    let exit = match (is_late, report.degraded.is_empty()) {
        (true, _) => Exit::DeadlineMissed,
        (false, false) => Exit::Degraded,
        (false, true) => Exit::Fine,
    };
    if json {
        terminal.json(&json!({
            "run": report.run_id.to_string(),
            "pipeline": PIPELINE,
            "status": report.status.as_str(),
            "issue_time": input.issue_time.to_string(),
            "settlement_points": input.targets.settlement_points,
            "thresholds": input.targets.thresholds,
            "rows": published.rows,
            "hours": published.hours,
            "first_target": published.first_target,
            "headline": published.headline,
            "model_version": published.model_version,
            "trained": trained.as_ref().is_some_and(|it| it.trained),
            "refused_model": trained.as_ref().and_then(|it| it.refused.as_ref()),
            "degraded": told_once(&report.degraded),
            "deadline_missed": is_late,
            "forecast": published.forecast,
            "report": published.report,
            "exit_code": exit.code(),
        }))?;
        return Ok(exit);
    }
    summary(report, &published, trained.as_ref(), terminal)?;
    if is_late {
        terminal.error("the forecast was published after the deadline");
    }
    Ok(exit)
}

fn summary(
    report: &RunReport,
    published: &Published,
    trained: Option<&TrainOutput>,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let rows = read_forecast(&published.forecast)
        .map_err(JobError::from)
        .map_err(|error| CommandError::new(exit_of_error(&error), error))?;
    terminal.line("")?;
    terminal.line(terminal.paint(Style::Bold, &published.headline))?;
    terminal.line("")?;
    forecast_table(&rows, terminal)?;
    let how = match trained {
        Some(TrainOutput { refused: Some(_), .. }) => "kept, the new one does not speak",
        Some(TrainOutput { trained: true, .. }) => "trained in this run",
        Some(TrainOutput { model: Some(_), .. }) => "kept, no training was due",
        Some(TrainOutput { model: None, .. }) => "no model could be used",
        None => "that of the forecast that stands in",
    };
    terminal.line(format!("model     {} ({how})", published.model_version))?;
    if let Some(RefusedModel { version, reason }) = trained.and_then(|it| it.refused.as_ref()) {
        terminal.line(format!("refused   {version}: {reason}"))?;
    }
    terminal.line(format!(
        "forecast  {} ({} rows, {} hours from {})",
        published.forecast.display(),
        published.rows,
        published.hours,
        published.first_target
    ))?;
    terminal.line(format!("report    {}", published.report.display()))?;
    for reason in told_once(&report.degraded) {
        let label = terminal.paint(Style::Yellow, "degraded ");
        terminal.line(format!("{label} {reason}"))?;
    }
    Ok(())
}

/// Returns why a run failed: the first failure of the first stage that failed, which is the root.
pub(super) fn failure_of(report: &RunReport) -> CommandError {
    let failed = report.stages.iter().find(|stage| {
        stage.attempts.iter().any(|a| matches!(a.outcome, AttemptOutcome::Failed(_)))
            && stage.output.is_none()
    });
    let failures = failed.into_iter().flat_map(|stage| {
        stage.attempts.iter().filter_map(|attempt| match &attempt.outcome {
            AttemptOutcome::Failed(failure) => Some((stage.name.as_str(), &**failure)),
            AttemptOutcome::Running
            | AttemptOutcome::Completed
            | AttemptOutcome::Recalled { .. }
            | AttemptOutcome::Cancelled
            | AttemptOutcome::Lost => None,
        })
    });
    match failures.into_iter().next() {
        Some((stage, failure)) => CommandError {
            exit: exit_of(failure.class),
            cause: anyhow::anyhow!(
                "run {} failed in stage {stage}: {}",
                report.run_id,
                failure.message
            ),
        },
        None => internal(anyhow::anyhow!("run {} {}", report.run_id, report.status)),
    }
}
