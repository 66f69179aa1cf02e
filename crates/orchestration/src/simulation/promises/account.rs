//! Where every stage and item of a run stands, from its events alone.
//!
//! Questions are answered by looking through everything again; nothing is kept up to date that
//! could be looked up. What events change is in `notes`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::pipeline::{Pipeline, Stage};
use crate::recovery::DeadlineAlert;
use crate::run::{CancelScope, FencingToken, RunState, SkipCause};

/// Where a stage or an item stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    Waiting,
    Ready {
        since: Timestamp,
    },
    Retrying {
        not_before: Timestamp,
    },
    Running {
        token: FencingToken,
    },
    /// Its attempt failed, and nobody has said what follows.
    Faltered,
    /// Its items are worked on.
    Open,
    Completed {
        value: Value,
        degraded: Vec<String>,
    },
    Failed,
    Skipped {
        reason: String,
        cause: SkipCause,
    },
    Cancelled,
}

/// A stage or an item.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The stage that it is, or is an item of.
    pub(super) stage: usize,
    pub(super) item: Option<usize>,
    pub(super) standing: Standing,
    pub(super) rung: usize,
    pub(super) attempts: u32,
    pub(super) failed_on_rung: u32,
    pub(super) lost_on_rung: u32,
}

impl Place {
    pub(super) fn has_ended(&self) -> bool {
        match self.standing {
            Standing::Completed { .. }
            | Standing::Failed
            | Standing::Skipped { .. }
            | Standing::Cancelled => true,
            Standing::Waiting
            | Standing::Ready { .. }
            | Standing::Retrying { .. }
            | Standing::Running { .. }
            | Standing::Faltered
            | Standing::Open => false,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.standing, Standing::Running { .. })
    }

    pub(super) fn is_completed(&self) -> bool {
        matches!(self.standing, Standing::Completed { .. })
    }
}

/// What will become of a stage that has not begun.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Prospect {
    /// Something that it waits for has not ended.
    Waits,
    /// Its turn has come.
    Due,
    /// Its condition is not met.
    NotWanted,
    /// It needs the output of this one, which has none.
    Doomed(usize),
}

/// Where a run stands, from its events.
#[derive(Clone, Debug)]
pub(in crate::simulation) struct Account {
    pub(super) pipeline: Arc<Pipeline>,
    /// The stages whose outputs each stage needs.
    pub(super) needs: Vec<Vec<usize>>,
    /// The stages that each stage waits for and does without.
    pub(super) spares: Vec<Vec<usize>>,
    pub(super) places: Vec<Place>,
    pub(super) tokens: BTreeSet<FencingToken>,
    /// In the order in which they ended.
    pub(super) ended: Vec<usize>,
    /// Whether somebody was told, as far as is written.
    pub(super) alerts: BTreeMap<(Timestamp, DeadlineAlert), bool>,
    pub(super) is_over: bool,
}

impl Account {
    /// Opens the account of a run to which nothing has happened.
    pub(in crate::simulation) fn new(state: &RunState) -> Self {
        let pipeline = Arc::clone(&state.recorded().pipeline);
        let stages = pipeline.stages();
        let find = |name: &String| stages.iter().position(|stage| *stage.name == **name);
        let all = |names: fn(&Stage) -> &Vec<String>| -> Vec<Vec<usize>> {
            let of_stage = |stage| names(stage).iter().filter_map(find).collect();
            stages.iter().map(of_stage).collect()
        };
        let needs = all(|stage| &stage.after);
        let spares = all(|stage| &stage.after_end);
        let places = (0..stages.len()).map(|stage| Self::place(stage, None)).collect();
        let mut account = Self {
            needs,
            spares,
            places,
            pipeline,
            tokens: BTreeSet::new(),
            ended: Vec::new(),
            alerts: BTreeMap::new(),
            is_over: false,
        };
        account.awaken(state.recorded().submitted_at);
        account
    }

    pub(super) fn place(stage: usize, item: Option<usize>) -> Place {
        let (standing, rung) = (Standing::Waiting, 0);
        Place { stage, item, standing, rung, attempts: 0, failed_on_rung: 0, lost_on_rung: 0 }
    }

    pub(super) fn definition(&self, at: usize) -> &Stage {
        &self.pipeline.stages()[self.places[at].stage]
    }

    /// Returns `s3` or `s3[1]`.
    pub(super) fn name(&self, at: usize) -> String {
        let name = &self.definition(at).name;
        match self.places[at].item {
            None => name.to_string(),
            Some(item) => format!("{name}[{item}]"),
        }
    }

    /// Makes those stages ready whose turn has come.
    pub(super) fn awaken(&mut self, at: Timestamp) {
        for stage in 0..self.needs.len() {
            if self.places[stage].standing == Standing::Waiting
                && self.definition(stage).map.is_none()
                && self.prospect(stage) == Prospect::Due
            {
                self.places[stage].standing = Standing::Ready { since: at };
            }
        }
    }

    /// Tells what will become of a stage that has not begun.
    pub(super) fn prospect(&self, stage: usize) -> Prospect {
        // The first that ended without an output settles it.
        let without_output =
            self.ended.iter().find(|at| self.needs[stage].contains(at) && !self.has_output(**at));
        if let Some(&needed) = without_output {
            return Prospect::Doomed(needed);
        }
        let mut waits_for = self.needs[stage].iter().chain(&self.spares[stage]);
        if !waits_for.all(|&before| self.places[before].has_ended()) {
            return Prospect::Waits;
        }
        match &self.pipeline.stages()[stage].condition {
            Some(condition) if !self.is_met(&condition.stage, &condition.equals) => {
                Prospect::NotWanted
            }
            Some(_) | None => Prospect::Due,
        }
    }

    fn has_output(&self, at: usize) -> bool {
        self.places[at].is_completed()
    }

    /// All simulated conditions look at `/go`.
    fn is_met(&self, asked: &str, equals: &Value) -> bool {
        let asked = self.places.iter().position(|place| {
            place.item.is_none() && self.pipeline.stages()[place.stage].name.as_ref() == asked
        });
        match asked.and_then(|asked| self.value(asked)) {
            Some(Value::Object(fields)) => fields.get("go") == Some(equals),
            _ => false,
        }
    }

    pub(super) fn value(&self, at: usize) -> Option<&Value> {
        match &self.places[at].standing {
            Standing::Completed { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Returns the places of the items of a stage.
    pub(super) fn items(&self, stage: usize) -> impl Iterator<Item = usize> {
        let is_item = move |place: &Place| place.stage == stage && place.item.is_some();
        (self.needs.len()..self.places.len()).filter(move |at| is_item(&self.places[*at]))
    }

    /// Tells whether somebody does without a stage.
    pub(super) fn is_spared(&self, stage: usize) -> bool {
        self.spares.iter().any(|spared| spared.contains(&stage))
    }

    pub(super) fn count_running(&self) -> usize {
        self.places.iter().filter(|place| place.is_running()).count()
    }

    /// Returns how many stages and items there are.
    pub(in crate::simulation) fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether a place is that of an item.
    pub(in crate::simulation) fn is_item(&self, at: usize) -> bool {
        self.places[at].item.is_some()
    }

    /// Returns everything that a cancellation reaches and that has not ended.
    pub(in crate::simulation) fn reach(&self, at: usize, scope: CancelScope) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([at]);
        if self.places[at].item.is_none() {
            // Again and again, until nothing is added.
            let mut before = 0;
            while scope == CancelScope::Subtree && before < reached.len() {
                before = reached.len();
                for stage in 0..self.needs.len() {
                    let mut waits_for = self.needs[stage].iter().chain(&self.spares[stage]);
                    if waits_for.any(|other| reached.contains(other)) {
                        reached.insert(stage);
                    }
                }
            }
            let items: Vec<usize> = reached.iter().flat_map(|stage| self.items(*stage)).collect();
            reached.extend(items);
        }
        reached.retain(|at| !self.places[*at].has_ended());
        reached
    }
}
