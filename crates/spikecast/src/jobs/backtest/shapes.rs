//! What crosses the journal of a backtest.

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
    /// The last issue day.
    pub to: Date,
    /// The market-local time of day at which forecasts are issued.
    pub issue_time_of_day: Time,
    /// Days between trainings.
    pub retrain_every_days: u32,
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

impl BacktestInput {
    /// Returns the windows in order; they cover every issue day once.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let mut windows = Vec::new();
        let mut day = OperatingDay::new(self.from);
        while day.date() <= self.to {
            let step = i32::try_from(self.retrain_every_days).unwrap_or(i32::MAX);
            let next = day.plus_days(step);
            let days = (0..step).take_while(|&d| day.plus_days(d).date() <= self.to).count();
            windows.push(Window {
                first_day: day.date(),
                days: u32::try_from(days).unwrap_or(u32::MAX),
            });
            day = next;
        }
        windows
    }

    /// Returns the issue times of a window in order.
    #[must_use]
    pub fn issue_times(&self, window: &Window) -> Vec<Timestamp> {
        let day = OperatingDay::new(window.first_day);
        let issue_time = |offset: u32| {
            let offset = i32::try_from(offset).unwrap_or(i32::MAX);
            at_time_of_day(day.plus_days(offset), self.issue_time_of_day)
        };
        (0..window.days).map(issue_time).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    #[test]
    fn windows_cover_every_issue_day_once() {
        let input = BacktestInput {
            source: SourceChoice::Simulator { seed: 1, history_days: 100 },
            fingerprint: String::new(),
            targets: Targets { settlement_points: vec![], thresholds: vec![] },
            from: date(2024, 3, 8),
            to: date(2024, 3, 12),
            issue_time_of_day: time(9, 57, 0, 0),
            retrain_every_days: 2,
            program: String::new(),
        };
        let windows = input.windows();
        assert_eq!(windows.iter().map(|w| w.days).collect::<Vec<_>>(), [2, 2, 1]);
        let times: Vec<String> =
            windows.iter().flat_map(|w| input.issue_times(w)).map(|t| t.to_string()).collect();
        let expected = ["08T15:57", "09T15:57", "10T14:57", "11T14:57", "12T14:57"];
        assert_eq!(times, expected.map(|time| format!("2024-03-{time}:00Z")));
    }
}
