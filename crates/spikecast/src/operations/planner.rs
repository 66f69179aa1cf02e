//! What a firing's run is submitted with, and by when it must be done.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::{Date, Time, time};
use jiff::{SignedDuration, Timestamp};
use market::time::{OperatingDay, instant, local};
use orchestration::{
    Clock, Deadline, DeadlineAlert, DeadlinePolicy, DueRun, PipelineExecutor, RunPlan,
    StageFailure, WhenLate,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::courier::Courier;
use super::pipelines::{BACKTEST, DEADLINE, FETCH, SCORE, TRAIN};
use crate::config::Config;
use crate::jobs::backtest::BacktestInput;
use crate::jobs::deadline::is_forecast_there;
use crate::jobs::failure::JobError;
use crate::jobs::fetch::FetchInput;
use crate::jobs::forecast::{self, ForecastInput, forecast_input};
use crate::jobs::source::SourceChoice;
use crate::jobs::targets::Targets;
use crate::ledger::Ledger;
use crate::notifications::Notice;
use crate::schedules::Schedules;

/// The forecast is planned to be there so long before its deadline.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// How long stages take is learnt from so many runs.
pub const RUNS_LEARNT_FROM: u32 = 30;

/// A weekly backtest covers so many days up to the last one whose hours have all passed …
const BACKTEST_DAYS: i32 = 28;
/// … and trains so often: it is looked at on Sundays, not traded on.
const BACKTEST_RETRAINS_EVERY_DAYS: u32 = 7;
/// Three days of horizon, and one until their prices are in.
const BACKTEST_ENDS_BEFORE_DAYS: i32 = 4;

/// The time of day of forecasts that no schedule makes.
const USUAL_TIME: Time = time(6, 0, 0, 0);

/// Says what must be fetched for a forecast that is issued at a time; nothing for a source that is
/// fetched at once.
pub type Fetcher =
    Arc<dyn Fn(&Targets, Timestamp) -> Result<Option<FetchInput>, JobError> + Send + Sync>;

/// What is scored: the forecasts of which the hours of a day were the targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRequest {
    /// The operating day.
    pub day: Date,
    /// Where observations come from.
    pub source: SourceChoice,
    /// What was forecast.
    #[serde(flatten)]
    pub targets: Targets,
    /// What is known by then counts.
    pub known_at: Timestamp,
}

/// The forecast that must be there by its deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadlineRequest {
    /// The issue day.
    pub day: Date,
    /// When it is due.
    pub deadline: Timestamp,
    /// Where observations come from.
    pub source: SourceChoice,
    /// What is forecast.
    #[serde(flatten)]
    pub targets: Targets,
}

/// A backtest, and the name of the folder that it goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestRequest {
    /// The backtest.
    #[serde(flatten)]
    pub input: BacktestInput,
    /// The name of its folder.
    pub folder: String,
}

/// Plans runs from the settings and the time.
pub(super) struct Planner {
    pub(super) config: Arc<Config>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) executor: Arc<PipelineExecutor>,
    pub(super) courier: Arc<Courier>,
    pub(super) fetcher: Fetcher,
    /// What is scheduled at present.
    pub(super) schedules: Arc<Mutex<Schedules>>,
}

impl Planner {
    /// Plans the run of a firing. It speaks from the present, however late it is.
    pub(super) fn plan(&self, run: &DueRun) -> Result<RunPlan, StageFailure> {
        let now = minute_of(self.clock.now());
        let (input, deadline) = match &*run.pipeline {
            forecast::PIPELINE => self.forecast(now)?,
            FETCH => (self.fetch(now)?, None),
            TRAIN => (json(&self.training(now)?), None),
            SCORE => (json(&self.score(run.scheduled_at, now)?), None),
            BACKTEST => (json(&self.backtest(run.scheduled_at)?), None),
            DEADLINE => (json(&self.deadline_request(run.scheduled_at)?), None),
            // Executing it says that nobody knows it.
            _ => (Value::Null, None),
        };
        Ok(RunPlan { input, deadline })
    }

    fn forecast(&self, now: Timestamp) -> Result<(Value, Option<Deadline>), JobError> {
        let mut input = forecast_input(&self.config, now)?;
        input.fetch = (self.fetcher)(&input.targets, now)?;
        let deadline = input.deadline;
        let deadline = deadline.map(|deadline| self.deadline(now, deadline, &input.targets));
        Ok((json(&input), deadline))
    }

    /// Returns the deadline of a forecast, with how long its stages usually take.
    fn deadline(&self, issue_time: Timestamp, deadline: Timestamp, targets: &Targets) -> Deadline {
        let policy = DeadlinePolicy { deadline, margin: MARGIN, when_late: WhenLate::KeepTrying };
        let courier = Arc::clone(&self.courier);
        let ledger = Ledger::in_folder(self.config.data_dir.ledger());
        let day = OperatingDay::of(issue_time);
        let issue_day = day.date();
        let (source, targets) = (self.config.source.clone(), targets.clone());
        let with_alerts = Deadline::new(policy).on_alert(move |alert| {
            // A refresh that is late does no harm: the forecast of the morning is there.
            if is_forecast_there(&ledger, day, (&source, &targets)).unwrap_or(false) {
                return tracing::warn!(?alert, "a refresh will not be there by the deadline");
            }
            courier.tell(match alert {
                DeadlineAlert::AtRisk => {
                    let reason = "what is left to do usually takes longer than there is time";
                    Notice::DeadlineAtRisk { issue_day, deadline, reason: reason.to_owned() }
                }
                DeadlineAlert::Missed => Notice::DeadlineMissed { issue_day, deadline },
            });
        });
        // Without past runs nothing is expected, and only what is late is told.
        let journal = self.executor.journal();
        let durations = journal.stage_durations(forecast::PIPELINE, RUNS_LEARNT_FROM);
        let durations = durations.unwrap_or_default().into_iter();
        durations.fold(with_alerts, |deadline, (stage, p95)| deadline.expect(stage, p95))
    }

    fn fetch(&self, now: Timestamp) -> Result<Value, JobError> {
        let mut input = forecast_input(&self.config, now)?;
        let fetch = (self.fetcher)(&input.targets, now)?;
        Ok(match fetch {
            Some(fetch) => json(&fetch),
            None => {
                input.deadline = None;
                json(&input)
            }
        })
    }

    fn training(&self, now: Timestamp) -> Result<ForecastInput, JobError> {
        let mut input = forecast_input(&self.config, now)?;
        input.fetch = (self.fetcher)(&input.targets, now)?;
        input.deadline = None;
        input.speaks_at = Some(self.speaks_at(now));
        Ok(input)
    }

    /// Returns the time of day of the next forecast.
    fn speaks_at(&self, now: Timestamp) -> Time {
        let schedules = self.schedules.lock().unwrap_or_else(PoisonError::into_inner);
        let forecasts =
            schedules.iter().filter(|record| &*record.task.pipeline == forecast::PIPELINE);
        let next = forecasts.filter_map(|record| record.next(now)).map(|firing| firing.at).min();
        next.map_or(USUAL_TIME, |at| local(at).time())
    }

    fn score(&self, scheduled_at: Timestamp, now: Timestamp) -> Result<ScoreRequest, JobError> {
        let day = OperatingDay::of(scheduled_at).plus_days(-1).date();
        let (source, targets) = (self.config.source.clone(), forecast::targets(&self.config)?);
        Ok(ScoreRequest { day, source, targets, known_at: now })
    }

    fn backtest(&self, scheduled_at: Timestamp) -> Result<BacktestRequest, JobError> {
        let today = OperatingDay::of(scheduled_at);
        let last = today.plus_days(-BACKTEST_ENDS_BEFORE_DAYS);
        let source = self.config.source.clone();
        let input = BacktestInput {
            fingerprint: source.open()?.fingerprint()?,
            source,
            targets: forecast::targets(&self.config)?,
            from: last.plus_days(1 - BACKTEST_DAYS).date(),
            to: last.date(),
            stride_days: 1,
            issue_time_of_day: self.speaks_at(scheduled_at),
            retrain_every_days: BACKTEST_RETRAINS_EVERY_DAYS,
            models: Vec::new(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Ok(BacktestRequest { input, folder: today.to_string() })
    }

    fn deadline_request(&self, scheduled_at: Timestamp) -> Result<DeadlineRequest, JobError> {
        let day = OperatingDay::of(scheduled_at).date();
        let deadline = instant(day, self.config.deadline)
            .map_err(|error| JobError::Configuration(format!("deadline: {error}")))?;
        let (source, targets) = (self.config.source.clone(), forecast::targets(&self.config)?);
        Ok(DeadlineRequest { day, deadline, source, targets })
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("the input of a run is plain data")
}

/// Whole minutes, so that a forecast can be named by the time that is shown.
fn minute_of(instant: Timestamp) -> Timestamp {
    let second = instant.as_second().div_euclid(60) * 60;
    Timestamp::from_second(second).unwrap_or(instant)
}
