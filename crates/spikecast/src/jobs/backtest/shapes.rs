//! What crosses the journal of a backtest.

use forecast::evaluation::Forecaster;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use market::time::OperatingDay;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::jobs::source::SourceChoice;
use crate::jobs::targets::Targets;
use crate::jobs::training::at_time_of_day;

/// Everything that a backtest depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BacktestInput {
    /// Where observations come from.
    pub source: SourceChoice,
    /// The state of the source: a backtest is not continued on other data.
    pub fingerprint: String,
    /// What is forecast.
    #[serde(flatten)]
    pub targets: Targets,
    /// The first issue day.
    pub from: Date,
    /// The last issue day, if the stride does not step over it.
    pub to: Date,
    /// Days between issue days.
    #[serde(default = "every_day", skip_serializing_if = "is_every_day")]
    pub stride_days: u32,
    /// The market-local time of day at which forecasts are issued.
    pub issue_time_of_day: Time,
    /// Days between trainings.
    pub retrain_every_days: u32,
    /// The forecasters of interest, by name; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The program's version: a backtest is not continued by another program.
    pub program: String,
}

/// A training and the issue days until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first issue day; the training happens at its issue time.
    pub first_day: Date,
    /// How many issue days.
    pub days: u32,
}

fn every_day() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_every_day(stride_days: &u32) -> bool {
    *stride_days == every_day()
}

impl BacktestInput {
    /// Returns the windows in order; they cover every issue day once.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        let mut day = OperatingDay::new(self.from);
        let mut retrained_until = day;
        while day.date() <= self.to {
            match windows.last_mut() {
                Some(window) if day < retrained_until => window.days += 1,
                Some(_) | None => {
                    windows.push(Window { first_day: day.date(), days: 1 });
                    retrained_until = day.plus_days(days(self.retrain_every_days));
                }
            }
            day = day.plus_days(days(self.stride_days));
        }
        windows
    }

    /// Returns the issue times of a window in order.
    #[must_use]
    pub fn issue_times(&self, window: &Window) -> Vec<Timestamp> {
        let day = OperatingDay::new(window.first_day);
        let issue_time = |offset: u32| {
            let offset = days(offset.saturating_mul(self.stride_days));
            at_time_of_day(day.plus_days(offset), self.issue_time_of_day)
        };
        (0..window.days).map(issue_time).collect()
    }

    /// Says whether a forecaster of interest is fitted; if not, nothing has to be trained.
    #[must_use]
    pub fn needs_training(&self) -> bool {
        let fitted = [
            Forecaster::Logistic,
            Forecaster::BoostedTrees,
            Forecaster::PreviousModel,
            Forecaster::Combined,
        ];
        self.models.is_empty() || fitted.iter().any(|it| self.models.iter().any(|n| n == it.name()))
    }

    /// Returns the first issue time.
    #[must_use]
    pub fn first_issue_time(&self) -> Timestamp {
        at_time_of_day(OperatingDay::new(self.from), self.issue_time_of_day)
    }

    /// Returns the last issue time.
    #[must_use]
    pub fn last_issue_time(&self) -> Timestamp {
        at_time_of_day(OperatingDay::new(self.to), self.issue_time_of_day)
    }

    /// Returns the key under which the journal knows this backtest.
    #[must_use]
    pub fn key(&self) -> String {
        let text = serde_json::to_string(self).expect("plain data");
        format!("{:016x}", XxHash64::oneshot(0, text.as_bytes()))
    }
}

fn days(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn input() -> BacktestInput {
        BacktestInput {
            source: SourceChoice::Simulator { seed: 1, history_days: 100 },
            fingerprint: String::new(),
            targets: Targets { settlement_points: vec![], thresholds: vec![] },
            from: date(2024, 3, 8),
            to: date(2024, 3, 12),
            stride_days: 1,
            issue_time_of_day: time(9, 57, 0, 0),
            retrain_every_days: 2,
            models: Vec::new(),
            program: String::new(),
        }
    }

    #[test]
    fn windows_cover_every_issue_day_once() {
        let input = input();
        let windows = input.windows();
        assert_eq!(windows.iter().map(|w| w.days).collect::<Vec<_>>(), [2, 2, 1]);
        let times: Vec<String> =
            windows.iter().flat_map(|w| input.issue_times(w)).map(|t| t.to_string()).collect();
        let expected = ["08T15:57", "09T15:57", "10T14:57", "11T14:57", "12T14:57"];
        assert_eq!(times, expected.map(|time| format!("2024-03-{time}:00Z")));
    }
    #[test]
    fn a_stride_leaves_days_out_and_a_training_lasts_as_many_days_as_without() {
        let input = BacktestInput { stride_days: 3, retrain_every_days: 7, ..input() };
        let input = BacktestInput { to: date(2024, 3, 20), ..input };
        let windows = input.windows();
        let days: Vec<String> = windows
            .iter()
            .flat_map(|window| input.issue_times(window))
            .map(|time| OperatingDay::of(time).to_string())
            .collect();
        assert_eq!(days, ["2024-03-08", "2024-03-11", "2024-03-14", "2024-03-17", "2024-03-20"]);
        assert_eq!(windows.iter().map(|window| window.days).collect::<Vec<_>>(), [3, 2]);
        // Seldomer than the stride is never.
        let input = BacktestInput { stride_days: 7, retrain_every_days: 2, ..input };
        assert_eq!(input.windows().iter().map(|window| window.days).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn what_was_submitted_before_there_were_strides_is_the_same_backtest() {
        let text = serde_json::to_value(input()).unwrap();
        assert!(text.get("stride_days").is_none() && text.get("models").is_none(), "{text}");
        assert_eq!(serde_json::from_value::<BacktestInput>(text).unwrap(), input());
    }

    #[test]
    fn climatologies_need_no_training() {
        let needs = |models: &[&str]| {
            let models = models.iter().map(|name| (*name).to_owned()).collect();
            BacktestInput { models, ..input() }.needs_training()
        };
        assert!(needs(&[]) && needs(&["climatology", "combined"]) && needs(&["logistic"]));
        assert!(!needs(&["climatology", "climatology_recent", "persistence"]));
    }
}
