//! A day's operations: fetching, training and forecasting at their times.
//!
//! Only times are chosen here; what is fetched, trained or forecast comes with the pipelines.

use std::sync::Arc;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::daily::{DailyError, DailyScheduler};
use super::rule::{ScheduleError, ScheduleRule};
use super::schedule::{Schedule, ScheduleFrequency};
use super::sentence::parse_time;
use super::task::ScheduledTask;
use crate::clock::Clock;
use crate::journal::JournalError;
use crate::pipeline::Pipeline;
use crate::runtime::PipelineExecutor;

/// When the day's pipelines run, as the wall clock shows it.
#[derive(Clone, Debug)]
pub struct DailyTimes<'t> {
    /// When data is fetched, such as `00:00`.
    pub data_fetch_time: &'t str,
    /// When forecasts are made, such as `06:00`.
    pub inference_time: &'t str,
    /// When models are trained, such as `01:00`.
    pub training_time: &'t str,
    /// On which days models are trained, at that time: a cron expression or an interval such as
    /// `every 2 days at 01:00 from 2026-01-27`.
    pub training_frequency: &'t str,
    /// Where the wall clock hangs.
    pub zone: TimeZone,
}

/// What runs every day.
#[derive(Clone, Debug)]
pub struct DailyPipelines {
    /// Fetches data.
    pub data_fetch: Pipeline,
    /// Makes forecasts.
    pub inference: Pipeline,
    /// Trains models.
    pub training: Pipeline,
}

/// Why daily operations cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A time of day is none.
    #[error("{name}: expected a time of day such as 06:00, found {found:?}")]
    Time {
        /// The setting.
        name: &'static str,
        /// What it says.
        found: String,
    },
    /// The training frequency is none.
    #[error("training_frequency")]
    Frequency(#[source] ScheduleError),
    /// Two settings say different things.
    #[error(
        "training_time is {time}, but training_frequency {frequency:?} is not at that time only"
    )]
    Disagreement {
        /// The time of training.
        time: Time,
        /// The frequency of training.
        frequency: String,
    },
    /// A schedule is refused.
    #[error(transparent)]
    Daily(#[from] DailyError),
}

impl From<JournalError> for SetupError {
    fn from(error: JournalError) -> Self {
        Self::Daily(error.into())
    }
}

impl PipelineExecutor {
    /// Puts the day's pipelines under their schedules; [`DailyScheduler::start_scheduler`] starts
    /// them. `clock` is the executor's own.
    pub fn setup_daily_operations(
        self: &Arc<Self>,
        clock: Arc<dyn Clock>,
        times: &DailyTimes<'_>,
        pipelines: DailyPipelines,
    ) -> Result<DailyScheduler, SetupError> {
        let daily = |name, text| Ok(ScheduleFrequency::Daily(time(name, text)?).rule());
        let rules: [Result<ScheduleRule, SetupError>; 3] = [
            daily("data_fetch_time", times.data_fetch_time),
            training_rule(times),
            daily("inference_time", times.inference_time),
        ];
        let DailyPipelines { data_fetch, inference, training } = pipelines;
        let names = ["data_fetch", "training", "inference"];
        let mut scheduler = DailyScheduler::new(Arc::clone(self), clock)?;
        for ((id, rule), pipeline) in
            names.into_iter().zip(rules).zip([data_fetch, training, inference])
        {
            let schedule = Schedule::new(rule?, times.zone.clone());
            scheduler.schedule(ScheduledTask::new(id, pipeline.name(), schedule), pipeline)?;
        }
        Ok(scheduler)
    }
}

fn training_rule(times: &DailyTimes<'_>) -> Result<ScheduleRule, SetupError> {
    let time = time("training_time", times.training_time)?;
    let rule = ScheduleRule::parse(times.training_frequency).map_err(SetupError::Frequency)?;
    if rule.single_time() == Some(time) {
        return Ok(rule);
    }
    let frequency = times.training_frequency.to_owned();
    Err(SetupError::Disagreement { time, frequency })
}

fn time(name: &'static str, text: &str) -> Result<Time, SetupError> {
    parse_time(text).ok_or_else(|| SetupError::Time { name, found: text.to_owned() })
}
