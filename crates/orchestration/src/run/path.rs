//! How long the rest of a run takes, from how long its stages took before. Pure.
//!
//! A running stage counts in full, so the answer errs towards alarm.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::RunState;
use crate::pipeline::StageIndex;
use crate::recovery::{DeadlineAlert, DeadlinePolicy, Remaining};

/// By when a run must be done, and how long its stages take.
pub struct Deadline {
    policy: DeadlinePolicy,
    durations: BTreeMap<String, SignedDuration>,
    on_alert: Box<dyn Fn(DeadlineAlert) + Send + Sync>,
}

impl Deadline {
    /// Returns a deadline for stages that take no time.
    pub fn new(policy: DeadlinePolicy) -> Self {
        Self { policy, durations: BTreeMap::new(), on_alert: Box::new(|_| {}) }
    }

    /// Sets how long a stage takes: the 95th percentile of past runs.
    #[must_use]
    pub fn expect(mut self, stage: impl Into<String>, p95: SignedDuration) -> Self {
        self.durations.insert(stage.into(), p95);
        self
    }

    /// Sets who is told when the deadline is at risk and when it was missed, once each.
    #[must_use]
    pub fn on_alert(mut self, told: impl Fn(DeadlineAlert) + Send + Sync + 'static) -> Self {
        self.on_alert = Box::new(told);
        self
    }

    /// Returns the policy.
    pub fn policy(&self) -> &DeadlinePolicy {
        &self.policy
    }

    pub(crate) fn alert(&self, alert: DeadlineAlert) {
        (self.on_alert)(alert);
    }

    /// Returns how much of the run is still to be done.
    pub fn remaining(&self, state: &RunState) -> Remaining {
        if state.unfinished_count() == 0 {
            return Remaining::Nothing;
        }
        let paths = self.paths(state);
        Remaining::Work(paths.into_iter().max().unwrap_or(SignedDuration::ZERO))
    }

    /// Returns how long one more attempt of a stage and everything after it take.
    pub fn remaining_from(&self, state: &RunState, stage: StageIndex) -> SignedDuration {
        self.paths(state)[state.layout().stage_of(stage).0]
    }

    /// Returns how long an attempt of a stage may take at `now`, so that the next rung and all that
    /// follows can still be done in time. Nothing if there is no lower rung, or if it is too late
    /// for everything: then a late output is better than none.
    pub fn patience(
        &self,
        state: &RunState,
        stage: StageIndex,
        now: Timestamp,
    ) -> Option<SignedDuration> {
        let rung = state.stage(stage).ladder.rung();
        let has_lower_rung = rung < state.layout().definition(stage).fallbacks.len();
        if !has_lower_rung || self.policy.deadline <= now {
            return None;
        }
        let pipeline = state.pipeline();
        let paths = self.paths(state);
        let after = pipeline.dependents(state.layout().stage_of(stage)).iter();
        let after = after.map(|next| paths[next.0]).max().unwrap_or(SignedDuration::ZERO);
        let needed = after.saturating_add(self.policy.margin);
        Some((self.policy.deadline - now).saturating_sub(needed).max(SignedDuration::ZERO))
    }

    /// Returns, for every stage, the longest path that begins with it; zero for finished ones.
    fn paths(&self, state: &RunState) -> Vec<SignedDuration> {
        let pipeline = state.pipeline();
        let mut paths = vec![SignedDuration::ZERO; pipeline.stages().len()];
        let mut unseen: Vec<usize> =
            pipeline.indices().map(|index| pipeline.dependents(index).len()).collect();
        // From the last stages back to the first.
        let mut settled: Vec<StageIndex> =
            pipeline.indices().filter(|index| unseen[index.0] == 0).collect();
        while let Some(index) = settled.pop() {
            if !state.stage(index).state.is_final() {
                let own = self.durations.get(&*pipeline.stage(index).name).copied();
                let own = own.unwrap_or(SignedDuration::ZERO);
                let after = pipeline.dependents(index).iter().map(|next| paths[next.0]).max();
                paths[index.0] = own.saturating_add(after.unwrap_or(SignedDuration::ZERO));
            }
            for before in pipeline.dependencies(index) {
                unseen[before.0] -= 1;
                if unseen[before.0] == 0 {
                    settled.push(*before);
                }
            }
        }
        paths
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Deadline")
            .field("policy", &self.policy)
            .field("durations", &self.durations)
            .finish_non_exhaustive()
    }
}
