//! Decides which of the firings that are due still run. Pure.
//!
//! Usually one is due and runs. After downtime it may be millions: they are not counted one by one,
//! the newest are looked for from the end.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::dst::Firing;
use super::task::{MisfirePolicy, ScheduledTask};

/// Of firings that are due at once and in time, the newest so many run.
const DUE_MAX: usize = 100;

/// The search for the newest firings begins with this much time and doubles it.
const SEARCH_FIRST: SignedDuration = SignedDuration::from_mins(1);

/// What becomes of the firings that are due.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// The first and the last of those that are left out, which come before those that run.
    pub(super) skipped: Option<(Timestamp, Timestamp)>,
    /// Those that run, in order.
    pub(super) run: Vec<Firing>,
}

impl Judgement {
    /// Returns the last firing that was judged.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.run.last().map(|firing| firing.at).or(self.skipped.map(|(_, last)| last))
    }
}

/// Judges all firings of `task` after `settled` that are due by `now`, of which `first` is one.
pub(super) fn judge(
    task: &ScheduledTask,
    settled: Timestamp,
    first: Firing,
    now: Timestamp,
) -> Judgement {
    let runs_max = match task.misfire {
        _ if !task.is_late(first.at, now) => DUE_MAX,
        MisfirePolicy::RunOnce => 1,
        MisfirePolicy::RunAll { runs_max } => usize::from(runs_max.get()),
        MisfirePolicy::Skip => DUE_MAX,
    };
    let mut run = newest_due(task, settled, now, runs_max + 1);
    let mut last_skipped = if runs_max < run.len() { run.pop_front() } else { None };
    if task.misfire == MisfirePolicy::Skip {
        while let Some(late) = run.front().filter(|firing| task.is_late(firing.at, now)) {
            last_skipped = Some(*late);
            run.pop_front();
        }
    }
    let skipped = last_skipped.map(|last| (first.at, last.at));
    Judgement { skipped, run: run.into() }
}

/// Returns the newest `count` firings that are due, in order.
fn newest_due(
    task: &ScheduledTask,
    settled: Timestamp,
    now: Timestamp,
    count: usize,
) -> VecDeque<Firing> {
    // A firing that still waits for its jitter holds back those after it, so it must be seen.
    let jitter = task.jitter.map_or(SignedDuration::ZERO, |jitter| jitter.max);
    let mut span = SEARCH_FIRST.saturating_add(jitter);
    loop {
        let from = now.saturating_sub(span).unwrap_or(Timestamp::MIN).max(settled);
        let mut newest = VecDeque::new();
        for firing in task.schedule.firings_after(from) {
            if now < firing.at || now < task.start_at(firing.at) {
                break;
            }
            if newest.len() == count {
                newest.pop_front();
            }
            newest.push_back(firing);
        }
        if newest.len() == count || from <= settled {
            return newest;
        }
        span = span.saturating_mul(2);
    }
}
