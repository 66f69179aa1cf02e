//! `spikecast fetch`: brings the archive up to what is asked for and names what is missing.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use market::time::display;
use orchestration::{
    Clock, ErrorRecoveryManager, PipelineExecutor, Registry, RunReport, RunStatus, SystemClock,
};
use serde_json::json;

use super::args::{FetchArgs, GlobalArgs};
use super::data::{keys, span};
use super::progress::{Telling, pieces};
use super::run::{WORKERS, execution_error, failure_of, internal, open_journal, stop_on_signal};
use super::terminal::{Style, Terminal};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{CommandError, Exit};
use crate::jobs::ercot::Ercot;
use crate::jobs::failure::{JobError, exit_of_error};
use crate::jobs::fetch::{
    CHECK, FetchInput, FetchOutcome, FetchWorkspace, Gap, PIPELINE, Purpose, WantedSpan,
    open_archive, pipeline, recover_fetching, register,
};
use crate::jobs::source::SourceChoice;
use crate::jobs::weather::open_weather;
use crate::quality::told_once;

/// So many gaps are shown; all of them are in the JSON.
const GAPS_SHOWN: usize = 20;

pub(super) fn fetch(
    global: &GlobalArgs,
    arguments: &FetchArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.observations.source.settings(global)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (from, to) = span(&arguments.observations.from, &arguments.observations.to)?;
    let keys = keys(&config, &arguments.observations)?;
    let wanted = keys.iter().map(|key| WantedSpan { key: key.into(), from, to }).collect();
    let vintages = arguments.vintages.into();
    let (source, now) = (config.source.clone(), clock.now());
    let input = FetchInput { source, wanted, now, as_of: now, vintages, purpose: Purpose::Archive };
    if clock.now() <= from {
        let message = format!("{} lies in the future; nothing is published yet", display(from));
        return Err(CommandError::usage(message));
    }
    let telling = Telling::on(terminal, global.json);
    let fetching = Fetching::open(&config, clock, telling)?;
    match fetching.run(&input)? {
        Ended::With(outcome, failures) => conclude(&outcome, &failures, global.json, terminal),
        Ended::Stopped(report) => stopped(&report, global.json, terminal),
    }
}

/// How a run ended.
enum Ended {
    /// With what was fetched, and why some of it was not.
    With(FetchOutcome, Vec<String>),
    Stopped(RunReport),
}

struct Fetching {
    executor: PipelineExecutor,
    pipeline: orchestration::Pipeline,
    token: orchestration::CancellationToken,
    data_dir: DataDir,
}

impl Fetching {
    fn open(
        config: &Config,
        clock: Arc<dyn Clock>,
        telling: Telling,
    ) -> Result<Self, CommandError> {
        let job_error = |error: JobError| CommandError::new(exit_of_error(&error), error);
        // Its journal is its own, and so are the numbers of its runs.
        let work = config.data_dir.work().join("fetch");
        let data_dir = config.data_dir.clone().working_in(work);
        let journal = open_journal(&data_dir.fetch_journal())?;
        let (mut ercot, mut weather) = (None, None);
        match config.source {
            SourceChoice::Ercot => {
                ercot = Some(Ercot::open(&config.ercot, &clock).map_err(job_error)?);
            }
            SourceChoice::OpenMeteo => {
                weather = Some(open_weather(&config.weather, &clock).map_err(job_error)?);
            }
            SourceChoice::Simulator { .. } | SourceChoice::Files { .. } => {}
        }
        let source_id = config.source.id().map_err(|error| job_error(error.into()))?;
        let archive = open_archive(&data_dir, &source_id).map_err(job_error)?;
        let workspace = Arc::new(FetchWorkspace {
            data_dir: data_dir.clone(),
            clock: clock.clone(),
            ercot,
            weather,
            archive,
        });
        let retry = config.fetch_retry;
        let mut recovery = ErrorRecoveryManager::new();
        recover_fetching(&mut recovery, &workspace, retry).context("recovery").map_err(internal)?;
        let mut registry = Registry::new();
        register(&mut registry, &workspace);
        let executor = PipelineExecutor::new(journal, registry, clock.clone(), WORKERS)
            .recover_with(Arc::new(recovery))
            .observe(pieces("collect", telling, clock));
        let pipeline = pipeline(retry).context("pipeline").map_err(internal)?;
        Ok(Self { executor, pipeline, token: stop_on_signal()?, data_dir })
    }

    fn run(&self, input: &FetchInput) -> Result<Ended, CommandError> {
        let value = serde_json::to_value(input).context("run input").map_err(internal)?;
        // The same wish, whenever it is made, continues what is unfinished.
        let wish = FetchInput {
            now: Timestamp::UNIX_EPOCH,
            as_of: Timestamp::UNIX_EPOCH,
            ..input.clone()
        };
        let key = serde_json::to_string(&wish).context("run key").map_err(internal)?;
        let submission =
            self.executor.submit(&self.pipeline, &key, value).map_err(execution_error)?;
        let report =
            self.executor.execute(submission.run_id, &self.token).map_err(execution_error)?;
        match report.status {
            RunStatus::Completed => {}
            RunStatus::Failed | RunStatus::Cancelled => return Err(failure_of(&report)),
            RunStatus::Interrupted | RunStatus::Pending | RunStatus::Running => {
                return Ok(Ended::Stopped(report));
            }
        }
        let outcome: FetchOutcome =
            report.output_as(CHECK).map_err(|error| internal(error.into()))?;
        // What the pieces and the routes lacked; gaps are in the outcome.
        let mut failures = told_once(&report.degraded);
        failures.retain(|reason| !reason.starts_with(&format!("{CHECK}: ")));
        // Intermediate files are only in the way now, and harmless where they cannot be removed.
        std::fs::remove_dir_all(self.data_dir.work_of(report.run_id)).unwrap_or_default();
        Ok(Ended::With(outcome, failures))
    }
}

fn stopped(report: &RunReport, json: bool, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    terminal.note("stopped; the same command continues where it is");
    if json {
        let code = Exit::Interrupted.code();
        terminal.json(&json!({ "status": report.status.as_str(), "exit_code": code }))?;
    }
    Ok(Exit::Interrupted)
}

fn conclude(
    outcome: &FetchOutcome,
    failures: &[String],
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let collected = &outcome.collected;
    let is_complete = outcome.is_sound() && collected.quarantined.is_empty() && failures.is_empty();
    let exit = if is_complete { Exit::Fine } else { Exit::SourceUnavailable };
    if json {
        let mut document = serde_json::to_value(outcome).context("outcome").map_err(internal)?;
        document["pipeline"] = json!(PIPELINE);
        document["failures"] = json!(failures);
        document["exit_code"] = json!(exit.code());
        terminal.json(&document)?;
        return Ok(exit);
    }
    terminal.line(format!(
        "{} new observations, {} postings, {} lines that could not be used",
        collected.observations, collected.postings, collected.complaints
    ))?;
    for failure in failures {
        terminal.error(failure);
    }
    for reason in &collected.quarantined {
        terminal.error(&format!("put aside: {reason}"));
    }
    for gap in outcome.gaps.iter().take(GAPS_SHOWN) {
        terminal.line(terminal.paint(Style::Yellow, &gap_line(gap)))?;
    }
    if GAPS_SHOWN < outcome.gaps.len() {
        let more = outcome.gaps.len() - GAPS_SHOWN;
        terminal.line(format!("… and {more} more gaps; --json lists them all"))?;
    }
    for day in &outcome.failing {
        let (key, found) = (&day.key, &day.found);
        let line = format!("wrong    {} at {} on {}: {found}", key.series, key.place, day.day);
        terminal.line(terminal.paint(Style::Yellow, &line))?;
    }
    if is_complete {
        terminal.line(terminal.paint(Style::Green, "complete"))?;
    }
    Ok(exit)
}

fn gap_line(gap: &Gap) -> String {
    let Gap { key, from, to, intervals } = gap;
    let (from, to) = (display(*from), display(*to));
    format!("missing  {} at {}: {intervals} intervals, {from} to {to}", key.series, key.place)
}
