//! Who may start, and when: nobody beyond workers, limits and pools; the more urgent first, and
//! after long enough everybody; and nothing that can go on is left lying.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Account;
use super::account::{Place, Prospect, Standing};
use crate::pipeline::StageIndex;
use crate::run::AGEING_STEP;
use crate::task::Priority;

/// What living attempts of all runs leave free.
#[derive(Debug)]
pub(in crate::simulation) struct Room {
    /// The slots of each pool.
    pub(in crate::simulation) free: BTreeMap<String, u32>,
    /// The most attempts of this run at once.
    pub(in crate::simulation) workers_max: usize,
}

/// Why something that is ready does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) enum HeldUp {
    /// As many items run as may.
    ByLimit,
    /// A pool has no room.
    ByPool,
}

impl Account {
    /// Makes everything ready whose time to retry has come.
    pub(in crate::simulation) fn release(&mut self, now: Timestamp) {
        for place in &mut self.places {
            if let Standing::Retrying { not_before } = place.standing
                && not_before <= now
            {
                place.standing = Standing::Ready { since: not_before };
            }
        }
    }

    /// The best of those that may start does. Tells whether it overtook something of a higher
    /// priority, which only waiting allows.
    pub(in crate::simulation) fn may_start(
        &self,
        stage: StageIndex,
        room: &Room,
    ) -> Result<bool, String> {
        let name = self.name(stage.0);
        let Standing::Ready { since } = self.places[stage.0].standing else {
            return Err(format!("{name} starts and is {:?}", self.places[stage.0].standing));
        };
        if room.workers_max <= self.count_running() {
            return Err(format!("{name} starts and there is no worker"));
        }
        if let Some(held_up) = self.held_up(stage.0, room) {
            return Err(format!("{name} starts although it is held up {held_up:?}"));
        }
        let level = level(self.definition(stage.0).priority);
        let mut overtakes = false;
        for (other, other_since) in self.ready().filter(|(other, _)| *other != stage.0) {
            if self.held_up(other, room).is_some() {
                continue;
            }
            let above = self.definition(other).priority;
            // How much longer this one has waited, and how much longer it must have.
            let (longer, must) = (other_since - since, AGEING_STEP * (self::level(above) - level));
            if longer < must || (longer == must && other < stage.0) {
                let other = self.name(other);
                return Err(format!(
                    "{name}, ready since {since}, starts before {other}, ready since {other_since}"
                ));
            }
            overtakes |= level < self::level(above);
        }
        Ok(overtakes)
    }

    fn ready(&self) -> impl Iterator<Item = (usize, Timestamp)> {
        let since = |(at, place): (usize, &Place)| match place.standing {
            Standing::Ready { since } => Some((at, since)),
            _ => None,
        };
        self.places.iter().enumerate().filter_map(since)
    }

    fn held_up(&self, at: usize, room: &Room) -> Option<HeldUp> {
        let definition = self.definition(at);
        let limit = definition.map.as_ref().and_then(|map| map.concurrency_max);
        let running = self.items(self.places[at].stage).filter(|at| self.places[*at].is_running());
        if limit.is_some_and(|limit| limit as usize <= running.count()) {
            return Some(HeldUp::ByLimit);
        }
        let lacks =
            definition.pools.iter().any(|claim| room.free.get(&claim.pool) < Some(&claim.slots));
        lacks.then_some(HeldUp::ByPool)
    }

    /// Whoever has decided all there is to decide leaves nothing lying. Returns what holds up those
    /// that could start if there were room for them.
    pub(in crate::simulation) fn nothing_is_left_lying(
        &self,
        room: &Room,
    ) -> Result<Vec<HeldUp>, String> {
        for (at, place) in self.places.iter().enumerate() {
            let is_left_lying = match place.standing {
                Standing::Faltered => true,
                Standing::Waiting => match self.prospect(at) {
                    Prospect::NotWanted | Prospect::Doomed(_) | Prospect::Due => true,
                    Prospect::Waits => false,
                },
                Standing::Open => self.items(at).all(|item| self.places[item].has_ended()),
                Standing::Ready { .. }
                | Standing::Retrying { .. }
                | Standing::Running { .. }
                | Standing::Completed { .. }
                | Standing::Failed
                | Standing::Skipped { .. }
                | Standing::Cancelled => false,
            };
            if is_left_lying {
                return Err(format!("{} is {:?} and left lying", self.name(at), place.standing));
            }
        }
        if room.workers_max <= self.count_running() {
            return Ok(Vec::new());
        }
        let held_up = |(at, _)| {
            let reason = self.held_up(at, room);
            reason.ok_or_else(|| format!("{} could start and does not", self.name(at)))
        };
        self.ready().map(held_up).collect()
    }

    /// Tells whether all has ended, but for the run itself.
    pub(in crate::simulation) fn has_nothing_left(&self) -> bool {
        self.places.iter().all(Place::has_ended)
    }
}

/// A stage of a higher level goes first, if none has waited [`AGEING_STEP`] longer for each level.
fn level(priority: Priority) -> i32 {
    match priority {
        Priority::Low => 0,
        Priority::Medium => 1,
        Priority::High => 2,
        Priority::Critical => 3,
    }
}
