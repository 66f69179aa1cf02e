//! A backfill: which past days are forecast, what each is submitted with, and which are there
//! already. The orchestrator executes them ([`orchestration::Backfill`]).

use std::collections::BTreeSet;
use std::hash::Hasher;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use market::time::OperatingDay;
use orchestration::Partition;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::deadline::speaks_about;
use super::failure::JobError;
use super::forecast::ForecastInput;
use super::source::SourceChoice;
use super::targets::Targets;
use super::training::at_time_of_day;
use crate::data_dir::DataDir;
use crate::ledger::{Ledger, read_forecast, read_provenance};

/// Everything that a backfill depends on. The same again is the same backfill, and continues it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackfillInput {
    /// Where observations come from.
    pub source: SourceChoice,
    /// What is forecast.
    #[serde(flatten)]
    pub targets: Targets,
    /// The first issue day.
    pub from: Date,
    /// The last issue day.
    pub to: Date,
    /// The market-local time of day at which forecasts speak.
    pub issue_time_of_day: Time,
    /// A model older than this is replaced.
    pub retrain_every_days: u32,
}

impl BackfillInput {
    /// Returns the issue days, in order.
    #[must_use]
    pub fn days(&self) -> Vec<OperatingDay> {
        let days =
            std::iter::successors(Some(OperatingDay::new(self.from)), |day| Some(day.plus_days(1)));
        days.take_while(|day| day.date() <= self.to).collect()
    }

    /// Returns when the forecast of a day speaks.
    #[must_use]
    pub fn issue_time(&self, day: OperatingDay) -> Timestamp {
        at_time_of_day(day, self.issue_time_of_day)
    }

    /// Returns what the forecast of a day is made from.
    #[must_use]
    pub fn forecast_input(&self, day: OperatingDay) -> ForecastInput {
        ForecastInput {
            issue_time: self.issue_time(day),
            source: self.source.clone(),
            targets: self.targets.clone(),
            retrain_every_days: self.retrain_every_days,
            speaks_at: None,
            deadline: None,
            fetch: None,
        }
    }

    /// Returns what the run of a day is submitted with.
    #[must_use]
    pub fn partition(&self, day: OperatingDay) -> Partition {
        let input = serde_json::to_value(self.forecast_input(day));
        Partition { key: day.to_string(), input: input.expect("a forecast's input is JSON") }
    }

    /// Returns the line that says what the backfill is.
    #[must_use]
    pub fn purpose(&self) -> String {
        serde_json::to_string(self).expect("a backfill's input is JSON")
    }

    /// Returns the folder of its journal and its states.
    #[must_use]
    pub fn folder(&self, data_dir: &DataDir) -> PathBuf {
        let mut fingerprint = XxHash64::with_seed(0);
        fingerprint.write(self.purpose().as_bytes());
        let fingerprint = fingerprint.finish() >> 32;
        data_dir.backfills().join(format!("{}_{}_{fingerprint:08x}", self.from, self.to))
    }

    /// Returns the days for which the ledger has a forecast from the same source with all the
    /// settlement points and thresholds, whatever the time of day.
    pub fn days_present(&self, data_dir: &DataDir) -> Result<BTreeSet<OperatingDay>, JobError> {
        let source_id = self.source.id()?;
        let mut present = BTreeSet::new();
        for issue in Ledger::in_folder(data_dir.ledger()).issues()? {
            let day = OperatingDay::of(issue.issue_time);
            let is_wanted = (self.from..=self.to).contains(&day.date()) && !present.contains(&day);
            if is_wanted
                && read_provenance(&issue.path)?.source_id == source_id
                && speaks_about(&read_forecast(&issue.path)?, &self.targets)?
            {
                present.insert(day);
            }
        }
        Ok(present)
    }
}
