//! Deadlines: each alert is raised once, in time, and told at least once; again only by whoever
//! cannot know that it was told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Account;
use crate::recovery::{DeadlineAlert, DeadlinePolicy};
use crate::run::{Event, EventKind};
use crate::simulation::plan;

/// An alert of a deadline.
type Alert = (Timestamp, DeadlineAlert);

/// What somebody heard.
#[derive(Clone, Debug, Default)]
pub(in crate::simulation) struct Told {
    heard: BTreeMap<Alert, u32>,
    /// How often the process died before it was written that somebody heard it.
    forgotten: BTreeMap<Alert, u32>,
}

impl Told {
    /// Somebody hears an alert, which must have been written before.
    pub(in crate::simulation) fn hear(
        &mut self,
        alert: Alert,
        written: &Account,
    ) -> Result<(), String> {
        *self.heard.entry(alert).or_default() += 1;
        match written.alerts.get(&alert) {
            Some(false) => Ok(()),
            Some(true) => Err(format!("{alert:?} is told again")),
            None => Err(format!("{alert:?} is told and was not written")),
        }
    }

    /// The process dies before it is written that somebody heard.
    pub(in crate::simulation) fn forget(&mut self, unwritten: &[Event]) {
        for event in unwritten {
            if let EventKind::AlertTold { alert, deadline } = event.kind {
                *self.forgotten.entry((deadline, alert)).or_default() += 1;
            }
        }
    }

    /// Every alert was heard once and once more for every time that this was forgotten.
    pub(in crate::simulation) fn check(&self, account: &Account) -> Result<(), String> {
        for (alert, heard) in &self.heard {
            let is_told = account.alerts.get(alert).copied().unwrap_or_default();
            let forgotten = self.forgotten.get(alert).copied().unwrap_or_default();
            if *heard != u32::from(is_told) + forgotten {
                return Err(format!("{alert:?} was heard {heard} times, {forgotten} forgotten"));
            }
        }
        let unheard = account
            .alerts
            .iter()
            .find(|(alert, is_told)| **is_told && !self.heard.contains_key(alert));
        unheard.map_or(Ok(()), |(alert, _)| Err(format!("nobody heard {alert:?}")))
    }
}

impl Account {
    pub(super) fn raise(&mut self, alert: Alert) -> Result<(), String> {
        let (deadline, kind) = alert;
        if kind == DeadlineAlert::AtRisk
            && self.alerts.contains_key(&(deadline, DeadlineAlert::Missed))
        {
            return Err("a deadline is at risk that was missed".to_owned());
        }
        match self.alerts.insert(alert, false) {
            None => Ok(()),
            Some(_) => Err(format!("{alert:?} is raised twice")),
        }
    }

    pub(super) fn tell(&mut self, alert: Alert) -> Result<(), String> {
        match self.alerts.insert(alert, true) {
            Some(false) => Ok(()),
            Some(true) => Err(format!("{alert:?} is said to be told twice")),
            None => Err(format!("{alert:?} is said to be told and was not raised")),
        }
    }

    /// Returns when the next alert of a deadline must be raised.
    pub(in crate::simulation) fn alert_due(&self, policy: &DeadlinePolicy) -> Option<Timestamp> {
        let is_raised = |alert| self.alerts.contains_key(&(policy.deadline, alert));
        if self.is_over || is_raised(DeadlineAlert::Missed) {
            None
        } else if is_raised(DeadlineAlert::AtRisk) {
            Some(policy.deadline)
        } else {
            // At this very instant the plan still holds.
            let last_moment = policy.deadline - policy.margin - self.longest_path();
            Some(policy.deadline.min(last_moment + SignedDuration::from_nanos(1)))
        }
    }

    /// Whoever has looked at a deadline has raised what was due.
    pub(in crate::simulation) fn nothing_is_hushed_up(
        &self,
        policy: &DeadlinePolicy,
        now: Timestamp,
    ) -> Result<(), String> {
        match self.alert_due(policy) {
            Some(due) if due <= now && !self.has_nothing_left() => {
                Err(format!("an alert was due at {due} and is not raised"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A run that ended late says so, and everybody knows what was raised about its deadline.
    pub(in crate::simulation) fn ended_with_all_told(
        &self,
        policy: &DeadlinePolicy,
        ended_at: Timestamp,
    ) -> Result<(), String> {
        let missed = (policy.deadline, DeadlineAlert::Missed);
        if policy.deadline < ended_at && !self.alerts.contains_key(&missed) {
            return Err("the deadline was missed and nobody was told".to_owned());
        }
        let of_deadline =
            |(alert, is_told): (&Alert, &bool)| alert.0 == policy.deadline && !is_told;
        match self.alerts.iter().any(of_deadline) {
            true => Err("the run ended before an alert was told".to_owned()),
            false => Ok(()),
        }
    }

    /// Returns the longest path through what has not ended, stage after stage.
    fn longest_path(&self) -> SignedDuration {
        let mut paths = vec![SignedDuration::ZERO; self.needs.len()];
        // A path has no more steps than there are stages.
        for _ in 0..paths.len() {
            for stage in 0..paths.len() {
                if self.places[stage].has_ended() {
                    continue;
                }
                let before = self.needs[stage].iter().chain(&self.spares[stage]);
                let longest = before.map(|before| paths[*before]).max().unwrap_or_default();
                paths[stage] = longest + plan::expected_time(stage);
            }
        }
        paths.into_iter().max().unwrap_or_default()
    }
}
