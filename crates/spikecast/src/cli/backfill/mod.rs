//! `spikecast backfill`: the days of a span that were missed, forecast side by side, each as of its
//! morning. A stopped backfill is continued by the same command.

mod args;
mod status;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use market::time::{OperatingDay, display};
use orchestration::{
    Backfill, BackfillError, CancellationToken, Clock, PartitionCounts, PartitionState,
    PartitionStates, PartitionsError, PipelineExecutor, RunReport, RunStatus, SystemClock,
};
use serde_json::{Value, json};

use super::args::GlobalArgs;
use super::progress::{Telling, partitions};
use super::run::{execution_error, failure_of, internal, open_journal, stop_on_signal, targets};
use super::terminal::Terminal;
use crate::data_dir::DataDir;
use crate::exit::{CommandError, Exit};
use crate::jobs::backfill::BackfillInput;
use crate::jobs::failure::{JobError, exit_of_error};
use crate::jobs::forecast::{Workspace, fetch_pipeline, past_pipeline, registry};
use crate::jobs::source::SourceChoice;

pub(super) use args::BackfillArgs;
use args::{BackfillCommand, SpanArgs};
use status::{in_words, status, status_json};

const JOURNAL: &str = "journal.sqlite";
const STATES: &str = "partitions";
const WORK: &str = "work";

pub(super) fn backfill(
    global: &GlobalArgs,
    arguments: &BackfillArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match &arguments.command {
        Some(BackfillCommand::Status) => status(global, terminal),
        None => run(global, &arguments.span, terminal),
    }
}

/// What a backfill works with.
struct Desk {
    input: BackfillInput,
    days: Vec<OperatingDay>,
    data_dir: DataDir,
    folder: PathBuf,
    executor: PipelineExecutor,
}

fn run(
    global: &GlobalArgs,
    span: &SpanArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (data_dir, input) = input(global, span, clock.as_ref())?;
    let folder = input.folder(&data_dir);
    let data_dir = data_dir.working_in(folder.join(WORK));
    let journal = open_journal(&folder.join(JOURNAL))?;
    let days = input.days();
    let states = states(&input, &days, &data_dir, span.missing_only)?;
    let workspace = Arc::new(Workspace::new(data_dir.clone(), clock.clone()));
    let workers = span.jobs.or_else(|| std::thread::available_parallelism().ok());
    let workers = workers.unwrap_or(NonZeroUsize::MIN);
    let executor = PipelineExecutor::new(journal, registry(&workspace), clock.clone(), workers);
    let desk = Desk { input, days, data_dir, folder, executor };
    let telling = Telling::on(terminal, global.json);
    let before = states.counts();
    if telling != Telling::Nothing {
        terminal.note(&format!("{} days: {}", before.total(), in_words(before)));
    }
    let token = stop_on_signal()?;
    let mut failures = Vec::new();
    if before.done() < before.total() {
        desk.fetch(&token)?;
        let progress = partitions("days", telling, before, clock);
        failures = desk.work_off(&states, workers, &token, &progress)?;
    }
    let counts = states.counts();
    if token.is_cancelled() && counts.done() < counts.total() {
        return desk.stopped(counts, global.json, terminal);
    }
    desk.conclude(counts, &failures, global.json, terminal)
}

fn input(
    global: &GlobalArgs,
    span: &SpanArgs,
    clock: &dyn Clock,
) -> Result<(DataDir, BackfillInput), CommandError> {
    let config = span.data.settings(global)?;
    let (Some(from), Some(to)) = (span.from, span.to) else {
        return Err(CommandError::usage("name the days with --from and --to"));
    };
    if to < from {
        return Err(CommandError::usage(format!("--from {from} lies after --to {to}")));
    }
    let input = BackfillInput {
        source: config.source.clone(),
        targets: targets(&config)?,
        from,
        to,
        issue_time_of_day: span.issue_time,
        retrain_every_days: config.retrain_every_days,
    };
    let last = input.issue_time(OperatingDay::new(to));
    if clock.now() < last {
        let message = format!("--to {to}: {} lies in the future", display(last));
        return Err(CommandError::usage(message));
    }
    Ok((config.data_dir.clone(), input))
}

/// Opens the states of a backfill, or makes them; days that need no forecast are left out.
fn states(
    input: &BackfillInput,
    days: &[OperatingDay],
    data_dir: &DataDir,
    missing_only: bool,
) -> Result<PartitionStates, CommandError> {
    let present = if missing_only { input.days_present(data_dir) } else { Ok(BTreeSet::new()) };
    let present = present.map_err(job_error)?;
    let (path, purpose) = (input.folder(data_dir).join(STATES), input.purpose());
    let states = match PartitionStates::open(&path, &purpose).map_err(partitions_error)? {
        Some(states) => states,
        None => {
            let pending = days.iter().map(|_| PartitionState::Pending);
            PartitionStates::create(&path, &purpose, pending).map_err(partitions_error)?
        }
    };
    for (number, day) in days.iter().enumerate() {
        let state = match (states.state(number), present.contains(day)) {
            (PartitionState::Pending | PartitionState::Failed, true) => PartitionState::Present,
            (PartitionState::Present, false) => PartitionState::Pending,
            (unchanged, _) => unchanged,
        };
        states.set(number, state).map_err(partitions_error)?;
    }
    Ok(states)
}

/// A day that failed, and why.
struct Failure {
    day: OperatingDay,
    error: CommandError,
}

impl Desk {
    /// Brings the archive up for the first and the last day, and with them for all between. Of ERCOT
    /// it is up already, or `spikecast fetch` brings it up: that takes hours.
    fn fetch(&self, token: &CancellationToken) -> Result<(), CommandError> {
        if self.input.source == SourceChoice::Ercot {
            return Ok(());
        }
        let pipeline = fetch_pipeline().context("pipeline").map_err(internal)?;
        for day in self.days.first().into_iter().chain(self.days.last()) {
            let partition = self.input.partition(*day);
            let run = self.executor.submit(&pipeline, &partition.key, partition.input);
            let run = run.map_err(execution_error)?;
            let report = self.executor.execute(run.run_id, token).map_err(execution_error)?;
            if report.status == RunStatus::Failed {
                return Err(failure_of(&report));
            }
        }
        Ok(())
    }

    fn work_off(
        &self,
        states: &PartitionStates,
        workers: NonZeroUsize,
        token: &CancellationToken,
        progress: &(dyn Fn(PartitionCounts) + Sync),
    ) -> Result<Vec<Failure>, CommandError> {
        let failures = Mutex::new(Vec::new());
        let pipeline = past_pipeline().context("pipeline").map_err(internal)?;
        let ended = |number: usize, report: &RunReport, counts: PartitionCounts| {
            if report.status == RunStatus::Completed {
                // Intermediate files are only in the way now, and harmless where they stay.
                let work = self.data_dir.work_of(report.run_id);
                std::fs::remove_dir_all(work).unwrap_or_default();
            } else {
                let failure = Failure { day: self.days[number], error: failure_of(report) };
                failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
            }
            progress(counts);
        };
        // The first day of a group trains, the others use its model: what comes out does not depend
        // on which group is faster.
        let group = usize::try_from(self.input.retrain_every_days).unwrap_or(usize::MAX);
        let backfill = Backfill {
            executor: &self.executor,
            pipeline: &pipeline,
            states,
            partition: &|number| self.input.partition(self.days[number]),
            group: NonZeroUsize::new(group).unwrap_or(NonZeroUsize::MIN),
            workers,
            observer: &ended,
        };
        backfill.run(token).map_err(|error| match error {
            BackfillError::Execution(error) => execution_error(error),
            BackfillError::Partitions(error) => partitions_error(error),
            BackfillError::NoThread(_) => CommandError::new(Exit::Internal, error),
        })?;
        let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        failures.sort_by_key(|failure| failure.day);
        Ok(failures)
    }

    fn stopped(
        &self,
        counts: PartitionCounts,
        json: bool,
        terminal: &mut Terminal,
    ) -> Result<Exit, CommandError> {
        if json {
            let mut document = status_json(&self.folder, &self.input, counts);
            document["exit_code"] = Exit::Interrupted.code().into();
            terminal.json(&document)?;
        } else {
            terminal.line(format!("{} days: {}", counts.total(), in_words(counts)))?;
            terminal.note("stopped; the same command continues where it is");
        }
        Ok(Exit::Interrupted)
    }

    fn conclude(
        &self,
        counts: PartitionCounts,
        failures: &[Failure],
        json: bool,
        terminal: &mut Terminal,
    ) -> Result<Exit, CommandError> {
        let exit = failures.first().map_or(Exit::Fine, |failure| failure.error.exit);
        if json {
            let failures: Vec<Value> = failures.iter().map(Failure::to_json).collect();
            let mut document = status_json(&self.folder, &self.input, counts);
            document["failures"] = failures.into();
            document["exit_code"] = exit.code().into();
            terminal.json(&document)?;
            return Ok(exit);
        }
        for failure in failures.iter().take(FAILURES_SHOWN_MAX) {
            terminal.error(&format!("{}: {}", failure.day, failure.error));
        }
        terminal.line(format!("{} days: {}", counts.total(), in_words(counts)))?;
        terminal.note(&if failures.is_empty() {
            // It is empty, or some of it could not be removed and is only in the way.
            std::fs::remove_dir(self.data_dir.work()).unwrap_or_default();
            let (ledger, folder) = (self.data_dir.ledger(), &self.folder);
            let (ledger, folder) = (ledger.display(), folder.display());
            format!("the forecasts are in {ledger}; to make them anew, remove {folder}")
        } else {
            "the same command tries again what failed".to_owned()
        });
        Ok(exit)
    }
}

/// More failures are not printed; they are in the journal.
const FAILURES_SHOWN_MAX: usize = 10;

impl Failure {
    fn to_json(&self) -> Value {
        json!({ "day": self.day.to_string(), "error": self.error.to_string() })
    }
}

fn job_error(error: JobError) -> CommandError {
    CommandError::new(exit_of_error(&error), error)
}

fn partitions_error(error: PartitionsError) -> CommandError {
    let exit = match &error {
        PartitionsError::Io { .. } => Exit::NotWritable,
        PartitionsError::Damaged { .. } => Exit::BadInput,
        PartitionsError::Other { .. } => Exit::Usage,
    };
    CommandError::new(exit, error)
}
