//! Outputs: counted, taken apart into items, joined in order, handed on with every reason why they
//! are less than they should be.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Account;
use super::account::Standing;
use crate::run::SkipCause;

/// What a simulated worker may add of its own begins so.
pub(in crate::simulation) const OWN_REASON: &str = "the worker of ";

/// More items than this make a fan-out fail.
const ITEMS_MAX: u64 = 1_000_000;

/// From so many different reasons on, those of further items may be counted only.
const REASONS_MAX: usize = 20;

/// What an attempt is handed.
#[derive(Debug, PartialEq)]
pub(in crate::simulation) struct Seen {
    /// The outputs it finds, by stage.
    pub(in crate::simulation) outputs: BTreeMap<String, Value>,
    /// Its item, if it is for one.
    pub(in crate::simulation) item: Option<Value>,
}

/// The reasons that an output must be degraded for.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    /// Word by word.
    said: BTreeSet<String>,
    /// At least one that holds these words.
    about: Vec<String>,
    /// Others may be counted only, because there are so many.
    is_capped: bool,
}

impl Reasons {
    /// All that must be told is, and nothing else.
    pub(super) fn check(&self, told: &[String]) -> Result<(), String> {
        let unsaid = self.said.iter().find(|reason| !told.contains(reason));
        let unheard =
            self.about.iter().find(|words| !told.iter().any(|reason| reason.contains(*words)));
        if let Some(missing) = unsaid.or(unheard)
            && !self.is_capped
        {
            return Err(format!("a degraded output does not tell {missing:?}"));
        }
        let is_known = |reason: &&String| {
            self.said.contains(*reason)
                || self.about.iter().any(|words| reason.contains(words))
                || reason.starts_with(OWN_REASON)
                || (self.is_capped && reason.starts_with("and "))
        };
        match told.iter().find(|reason| !is_known(reason)) {
            Some(invented) => Err(format!("a degraded output tells {invented:?} for no reason")),
            None => Ok(()),
        }
    }

    fn add(&mut self, other: Self) {
        self.said.extend(other.said);
        self.about.extend(other.about);
    }
}

impl Account {
    /// Returns why there is no output of a place that has ended without.
    pub(super) fn want(&self, at: usize) -> Reasons {
        let mut reasons = Reasons::default();
        let name = self.name(at);
        match &self.places[at].standing {
            Standing::Failed => reasons.about.push(format!("stage {name} failed")),
            Standing::Cancelled => reasons.about.push(format!("stage {name} was cancelled")),
            Standing::Skipped { reason, .. } => {
                reasons.said.insert(reason.clone());
            }
            _ => {}
        }
        reasons
    }

    fn was_left_out_on_purpose(&self, at: usize) -> bool {
        let cause = SkipCause::Condition;
        matches!(&self.places[at].standing, Standing::Skipped { cause: found, .. } if *found == cause)
    }

    /// Returns why whatever a stage or an item outputs is degraded.
    pub(super) fn reasons(&self, at: usize) -> Reasons {
        let place = &self.places[at];
        let mut reasons = self.inherited(place.stage);
        if let Some(function) =
            (0 < place.rung).then(|| self.definition(at).rung(place.rung)).flatten()
        {
            reasons.about.push(format!("{}: recovered by {function}", self.name(at)));
        }
        reasons
    }

    /// Returns why whatever is derived from what a stage waits for is degraded.
    fn inherited(&self, stage: usize) -> Reasons {
        let mut reasons = Reasons::default();
        for &before in self.needs[stage].iter().chain(&self.spares[stage]) {
            if let Standing::Completed { degraded, .. } = &self.places[before].standing {
                reasons.said.extend(degraded.iter().cloned());
            } else if !self.was_left_out_on_purpose(before) {
                reasons.add(self.want(before));
            }
        }
        reasons
    }

    /// Returns why a joined output is degraded.
    pub(super) fn joined_reasons(&self, stage: usize) -> Reasons {
        let mut reasons = self.inherited(stage);
        for item in self.items(stage) {
            if let Standing::Completed { degraded, .. } = &self.places[item].standing {
                reasons.said.extend(degraded.iter().cloned());
            } else if !self.was_left_out_on_purpose(item) {
                reasons.add(self.want(item));
            }
        }
        reasons.is_capped = REASONS_MAX <= reasons.said.len() + reasons.about.len();
        reasons
    }

    /// Returns why a run is degraded.
    pub(super) fn reasons_of_run(&self) -> Reasons {
        let mut reasons = Reasons::default();
        for stage in 0..self.needs.len() {
            let place = &self.places[stage];
            match &place.standing {
                Standing::Completed { degraded, .. } => {
                    reasons.said.extend(degraded.iter().cloned());
                }
                Standing::Cancelled => reasons.add(self.want(stage)),
                Standing::Failed if self.is_spared(stage) => reasons.add(self.want(stage)),
                Standing::Skipped { .. } if 0 < place.attempts => reasons.add(self.want(stage)),
                _ => {}
            }
        }
        reasons
    }

    /// Returns the values of the items in their order, nothing where there is none.
    pub(super) fn joined_value(&self, stage: usize) -> Value {
        let value = |item| self.value(item).cloned().unwrap_or(Value::Null);
        Value::Array(self.items(stage).map(value).collect())
    }

    fn collection(&self, stage: usize) -> Option<&Value> {
        let over = &self.definition(stage).map.as_ref()?.over;
        let needs = self.needs[self.places[stage].stage].iter();
        let mut named = needs.filter(|before| self.definition(**before).name.as_ref() == over);
        named.next().and_then(|over| self.value(*over))
    }

    /// Returns how many items a fan-out has, if they can be counted.
    pub(super) fn count_of_collection(&self, stage: usize) -> Option<usize> {
        match self.collection(stage)? {
            Value::Array(items) => Some(items.len()),
            other => usize::try_from(other.as_u64().filter(|count| *count <= ITEMS_MAX)?).ok(),
        }
    }

    /// Returns what an attempt must find.
    pub(in crate::simulation) fn should_see(&self, at: usize) -> Seen {
        let stage = self.places[at].stage;
        let before = self.needs[stage].iter().chain(&self.spares[stage]);
        let outputs = before
            .filter_map(|before| Some((self.name(*before), self.value(*before)?.clone())))
            .collect();
        let item = self.places[at].item.and_then(|item| match self.collection(stage)? {
            Value::Array(items) => items.get(item).cloned(),
            _ => Some(Value::from(item)),
        });
        Seen { outputs, item }
    }
}
