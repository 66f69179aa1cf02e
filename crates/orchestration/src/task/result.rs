//! What became of tasks, and how long their attempts take.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::TaskId;
use crate::pipeline::StageIndex;
use crate::run::{AttemptReport, ItemCounts, RunState, StageReport, StageStatus, Standing};

/// Percentiles are of so many latest attempts.
const SAMPLES_MAX: usize = 1_024;

/// Where a task stands.
pub type TaskStatus = StageStatus;

/// What became of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskResult {
    /// The task.
    pub id: TaskId,
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub status: TaskStatus,
    /// Why it failed, was skipped or was cancelled.
    pub reason: Option<String>,
    /// How its items stand, if it was done for each of many.
    pub items: Option<ItemCounts>,
    /// Why the output is degraded; empty if it is fresh.
    pub degraded: Vec<String>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptReport>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

impl TaskResult {
    /// Returns what became of a task, out of a state whose attempts nobody else will ask for.
    pub(super) fn take(
        (id, name): (TaskId, &Arc<str>),
        state: &mut RunState,
        index: StageIndex,
    ) -> Self {
        let Standing { status, reason, items, degraded } = Standing::of(state, index);
        let finished_at = state.stage(index).finished_at;
        let attempts = state.take_attempts(index);
        let started_at = attempts.first().map(|attempt| attempt.started_at);
        let name = Arc::clone(name);
        Self { id, name, status, reason, items, degraded, attempts, started_at, finished_at }
    }

    /// Returns what became of an item.
    pub(super) fn of_item(id: TaskId, report: StageReport) -> Self {
        let StageReport {
            name,
            status,
            reason,
            items,
            degraded,
            attempts,
            started_at,
            finished_at,
            ..
        } = report;
        let name = Arc::from(name);
        Self { id, name, status, reason, items, degraded, attempts, started_at, finished_at }
    }
}

/// How the attempts of a task fared, over all executions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskMetrics {
    /// Attempts that have ended.
    pub count: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// How long they took on average.
    pub mean: Duration,
    /// How long half of the latest took at most.
    pub p50: Duration,
    /// How long 95 of 100 of the latest took at most.
    pub p95: Duration,
    /// How long the slowest took.
    pub max: Duration,
}

/// The durations behind [`TaskMetrics`].
#[derive(Clone, Debug, Default)]
pub(super) struct TaskSamples {
    count: u64,
    failures: u64,
    total: Duration,
    max: Duration,
    /// Empty as long as the maximum is the only one: most tasks are executed once.
    latest: VecDeque<Duration>,
}

impl TaskSamples {
    pub(super) fn note(&mut self, elapsed: Duration, outcome: AttemptEnd) {
        if self.count == 1 {
            self.latest.push_back(self.max);
        }
        self.count += 1;
        self.failures += u64::from(outcome == AttemptEnd::Failed);
        self.total = self.total.saturating_add(elapsed);
        self.max = self.max.max(elapsed);
        if self.latest.len() == SAMPLES_MAX {
            self.latest.pop_front();
        }
        if 1 < self.count {
            self.latest.push_back(elapsed);
        }
    }

    pub(super) fn metrics(&self) -> TaskMetrics {
        let mut sorted: Vec<Duration> = match self.count {
            1 => vec![self.max],
            _ => self.latest.iter().copied().collect(),
        };
        sorted.sort_unstable();
        // The nearest rank: the smallest duration that so many of a hundred do not exceed.
        let percentile = |hundredths: usize| {
            let rank = (sorted.len() * hundredths).div_ceil(100);
            rank.checked_sub(1).map_or(Duration::ZERO, |place| sorted[place])
        };
        let nanos = self.total.as_nanos() / u128::from(self.count.max(1));
        TaskMetrics {
            count: self.count,
            failures: self.failures,
            mean: Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
            p50: percentile(50),
            p95: percentile(95),
            max: self.max,
        }
    }
}

/// Whether an attempt had an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    Completed,
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_those_of_a_hundred_known_durations() {
        let mut samples = TaskSamples::default();
        for millisecond in (1..=100).rev() {
            let end = if millisecond <= 3 { AttemptEnd::Failed } else { AttemptEnd::Completed };
            samples.note(Duration::from_millis(millisecond), end);
        }
        let expected = TaskMetrics {
            count: 100,
            failures: 3,
            mean: Duration::from_micros(50_500),
            p50: Duration::from_millis(50),
            p95: Duration::from_millis(95),
            max: Duration::from_millis(100),
        };
        assert_eq!(samples.metrics(), expected);
    }

    #[test]
    fn percentiles_forget_what_is_long_ago_and_the_maximum_does_not() {
        let mut samples = TaskSamples::default();
        samples.note(Duration::from_secs(9), AttemptEnd::Completed);
        for _ in 0..SAMPLES_MAX {
            samples.note(Duration::from_secs(1), AttemptEnd::Completed);
        }
        assert_eq!(samples.metrics().p95, Duration::from_secs(1));
        assert_eq!(samples.metrics().max, Duration::from_secs(9));
        assert_eq!(TaskSamples::default().metrics(), TaskMetrics::default());
    }
}
