//! What follows from the end of a run: who is told what, and what is tried again.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use market::time::{OperatingDay, instant, market_zone};
use orchestration::{
    Clock, DueRun, ExecutionError, Journal, JournalError, OneOff, RunReport, RunStatus, Schedule,
    ScheduleRule, ScheduledTask, SchedulerHandle,
};

use super::courier::Courier;
use super::pipelines::{DEADLINE, SCORE, TRAIN};
use super::planner::DeadlineRequest;
use crate::config::Config;
use crate::jobs::forecast::{
    self, ForecastInput, Published, RefusedModel, TrainOutput, ValidateOutput,
};
use crate::jobs::score::Scored;
use crate::ledger::read_forecast;
use crate::notifications::{ForecastReady, Notice, peaks};
use crate::quality::{Quality, told_once};
use crate::registry;

/// A forecast that failed before its deadline is made again so long after.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What is older is no news any more.
const CAUGHT_UP: SignedDuration = SignedDuration::from_hours(12);

/// Runs that ended lately are looked for among so many.
const RUNS_LOOKED_AT: u32 = 100;

/// The name of the schedule under which a failed forecast is made again.
const AGAIN: &str = "forecast-again";

/// Watches how runs end.
pub(super) struct Watch {
    pub(super) config: Arc<Config>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) courier: Arc<Courier>,
    /// What a failed forecast is scheduled with, once the scheduler runs.
    pub(super) scheduler: OnceLock<SchedulerHandle>,
}

impl Watch {
    /// Tells again what follows from runs that have completed lately: a process that died just after
    /// one of them told nobody. Whoever was told is not told twice.
    pub(super) fn catch_up(&self, journal: &Journal) -> Result<(), JournalError> {
        let since = self.clock.now().saturating_sub(CAUGHT_UP).unwrap_or(Timestamp::MIN);
        for summary in journal.runs(RUNS_LOOKED_AT)? {
            let is_recent = summary.finished_at.is_some_and(|at| since <= at);
            let run = DueRun::from_key(&summary.pipeline, &summary.key);
            if let (true, RunStatus::Completed, Some(run)) = (is_recent, summary.status, run)
                && let Some(report) = journal.run(summary.run_id)?
            {
                self.ended(&run, &Ok(report));
            }
        }
        Ok(())
    }

    /// Does what follows from the end of a run.
    pub(super) fn ended(&self, run: &DueRun, result: &Result<RunReport, ExecutionError>) {
        let completed = result.as_ref().ok().filter(|it| it.status == RunStatus::Completed);
        let is_over = !matches!(result, Ok(report) if report.status == RunStatus::Interrupted);
        if let (true, Ok(report)) = (is_over, result) {
            // Intermediate files are only in the way now, and harmless where they cannot be removed.
            std::fs::remove_dir_all(self.config.data_dir.work_of(report.run_id))
                .unwrap_or_default();
        }
        match (&*run.pipeline, completed) {
            (forecast::PIPELINE, Some(report)) => self.forecast_is_there(report),
            (forecast::PIPELINE, None) if is_over => self.forecast_failed(run, result),
            (TRAIN, Some(report)) => self.model_is_there(report),
            (DEADLINE, Some(report)) if report.output_as(DEADLINE).unwrap_or(false) => {}
            // Who cannot see whether the forecast is there had better be told that it is not.
            (DEADLINE, _) if is_over => self.deadline_was_missed(result),
            (SCORE, Some(report)) => self.scores_are_there(report),
            (_, _) => {}
        }
    }

    fn forecast_is_there(&self, report: &RunReport) {
        let (Ok(published), Some(input)) =
            (report.output_as::<Published>("publish"), input_of::<ForecastInput>(report))
        else {
            return;
        };
        let issue_time = input.issue_time;
        let rows = read_forecast(&published.forecast).unwrap_or_else(|error| {
            tracing::error!("{error}");
            Vec::new()
        });
        self.courier.tell(Notice::ForecastReady(ForecastReady {
            issue_time,
            headline: published.headline,
            model_version: published.model_version,
            quality: Quality::because(&report.degraded).to_string(),
            peaks: peaks(&rows),
            report: published.report.display().to_string(),
        }));
        if !report.degraded.is_empty() {
            let reasons = told_once(&report.degraded);
            self.courier.tell(Notice::ForecastDegraded { issue_time, reasons });
        }
        for notice in self.courier.notifier().likely_spikes(&rows) {
            self.courier.tell(notice);
        }
        if let Ok(validated) = report.output_as::<ValidateOutput>("validate") {
            self.tell_late(&input, validated);
        }
        self.model_is_there(report);
    }

    /// Tells of series that used to be there and do not reach as far as they should.
    fn tell_late(&self, input: &ForecastInput, validated: ValidateOutput) {
        let source = input.source.open().map(|source| source.describe()).unwrap_or_default();
        for status in validated.inputs {
            if let (false, Some(newest), Some(expected)) =
                (status.fresh, status.newest_interval, status.expected)
            {
                let (source, what, newest) = (source.clone(), status.name, Some(newest));
                self.courier.tell(Notice::DataLate { source, what, newest, expected });
            }
        }
    }

    fn model_is_there(&self, report: &RunReport) {
        let Ok(trained) = report.output_as::<TrainOutput>("train") else { return };
        if let Some(RefusedModel { version, reason }) = trained.refused {
            return self.courier.tell(Notice::ModelRefused { version, reason });
        }
        let (true, Some(reference)) = (trained.trained, trained.model) else { return };
        let model = match registry::load(&reference.path) {
            Ok(model) => model,
            Err(error) => return tracing::error!("{error}"),
        };
        self.courier.tell(Notice::ModelReplaced {
            version: reference.version,
            previous: trained.replaces,
            scores: model.held_out().iter().map(Into::into).collect(),
        });
    }

    /// Tells that the forecast is at risk, and has it made again while there is time.
    fn forecast_failed(&self, run: &DueRun, result: &Result<RunReport, ExecutionError>) {
        let now = self.clock.now();
        let issue_day = OperatingDay::of(now).date();
        let Ok(deadline) = instant(issue_day, self.config.deadline) else { return };
        if deadline <= now {
            return;
        }
        let reason = match result {
            Ok(report) => root_failure(report),
            Err(error) => error.to_string(),
        };
        self.courier.tell(Notice::DeadlineAtRisk { issue_day, deadline, reason });
        let again = (now + AGAIN_AFTER).min(deadline);
        if let Err(error) = self.schedule_again(again) {
            tracing::error!(schedule = %run.schedule, "the forecast is not made again: {error}");
        }
    }

    fn schedule_again(&self, at: Timestamp) -> anyhow::Result<()> {
        let Some(scheduler) = self.scheduler.get() else { return Ok(()) };
        let zone = market_zone().clone();
        let once = ScheduleRule::Once(OneOff::Instant(at));
        let task = ScheduledTask::new(AGAIN, forecast::PIPELINE, Schedule::new(once, zone));
        scheduler.edit(move |timetable, now| {
            let id = task.id.clone();
            let is_there = timetable.schedules().any(|view| view.task.id == id);
            let actions = if is_there { timetable.remove(&id)? } else { Vec::new() };
            timetable.add(task, now)?;
            Ok(actions)
        })?;
        Ok(())
    }

    fn deadline_was_missed(&self, result: &Result<RunReport, ExecutionError>) {
        let request = result.as_ref().ok().and_then(input_of::<DeadlineRequest>);
        if let Some(DeadlineRequest { day: issue_day, deadline, .. }) = request {
            self.courier.tell(Notice::DeadlineMissed { issue_day, deadline });
        }
    }

    fn scores_are_there(&self, report: &RunReport) {
        if let Ok(Scored { notice: Some(notice), .. }) = report.output_as(SCORE) {
            self.courier.tell(notice);
        }
    }
}

/// Returns the input of a run, as far as it has the expected shape.
fn input_of<T: serde::de::DeserializeOwned>(report: &RunReport) -> Option<T> {
    serde_json::from_value(report.input.clone()).ok()
}

/// Returns the failure of the first stage that has no output.
fn root_failure(report: &RunReport) -> String {
    let failed = report.stages.iter().filter(|stage| stage.output.is_none());
    let mut told = failed.filter_map(|stage| Some((&stage.name, stage.reason.as_ref()?)));
    let told = told.next().map(|(stage, reason)| format!("{stage}: {reason}"));
    told.unwrap_or_else(|| format!("run {} {}", report.run_id, report.status))
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watch").field("courier", &self.courier).finish_non_exhaustive()
    }
}
