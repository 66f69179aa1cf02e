//! What all simulated runs share: chance, a clock that is set, pools, and a count of what happened.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::outcome::{Occasion, Outcome};
use super::plan::POOLS;
use super::promises::Room;
use crate::pipeline::PoolClaim;
use crate::run::{FencingToken, Pools};

/// Deaths, stops, cancellations and clock steps come only at first, so that every run can end.
const TROUBLE_STEPS: u64 = 120;

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) chance: Chance,
    /// The ledger that decisions are made with.
    pub(super) pools: Pools,
    /// What living attempts really hold, by run.
    held: BTreeMap<(usize, FencingToken), Vec<PoolClaim>>,
    /// Whether slots were given back since this was last asked.
    pub(super) were_slots_freed: bool,
    begin: Timestamp,
    /// Seconds since the begin, which no clock step touches.
    pub(super) elapsed: i64,
    /// How far the wall clock was set from the truth, in seconds.
    skew: i64,
    pub(super) outcome: Outcome,
}

impl Machine {
    pub(super) fn new(chance: Chance, pools: Pools) -> Self {
        Self {
            chance,
            pools,
            held: BTreeMap::new(),
            were_slots_freed: false,
            begin: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000),
            elapsed: 0,
            skew: 0,
            outcome: Outcome::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.wall(self.elapsed)
    }

    /// Returns what the wall clock shows after so many seconds, if nobody sets it.
    pub(super) fn wall(&self, elapsed: i64) -> Timestamp {
        self.begin + SignedDuration::from_secs(elapsed + self.skew)
    }

    /// Returns when somebody wakes who sleeps until the wall clock shows `instant`: a sleep takes
    /// whole seconds here, and one more.
    pub(super) fn wake_at(&self, instant: Timestamp) -> i64 {
        self.elapsed + (instant - self.now()).as_secs().max(0) + 1
    }

    pub(super) fn set_clock(&mut self) {
        self.skew += self.chance.seconds(4 * 3_600) - 2 * 3_600;
        self.outcome.note(Occasion::ClockStep);
    }

    /// Tells whether it is still the time for trouble.
    pub(super) fn is_troubled(&self) -> bool {
        self.outcome.steps < TROUBLE_STEPS
    }

    /// Tells whether trouble comes, once in `times` while it is the time for it.
    pub(super) fn strikes(&mut self, occasion: Occasion, times: usize) -> bool {
        let strikes = self.is_troubled() && self.chance.once_in(times);
        if strikes {
            self.outcome.note(occasion);
        }
        strikes
    }

    /// Takes slots for an attempt of a run.
    pub(super) fn take(&mut self, run: usize, token: FencingToken, claims: &[PoolClaim]) {
        self.pools.take(claims);
        self.held.insert((run, token), claims.to_vec());
    }

    /// Gives back what an attempt holds.
    pub(super) fn give_back(&mut self, run: usize, token: FencingToken) {
        if let Some(claims) = self.held.remove(&(run, token)) {
            self.pools.give_back(&claims);
            self.were_slots_freed |= !claims.is_empty();
        }
    }

    /// Counts anew what is free, from what living attempts hold.
    pub(super) fn room(&self, workers_max: usize) -> Result<Room, String> {
        let mut free = BTreeMap::new();
        for pool in POOLS {
            let slots = self.slots(pool);
            let claims = self.held.values().flatten().filter(|claim| claim.pool == pool);
            let taken: u32 = claims.map(|claim| claim.slots).sum();
            let left = slots.checked_sub(taken);
            let left =
                left.ok_or_else(|| format!("{taken} of {slots} slots of {pool} are taken"))?;
            free.insert(pool.to_owned(), left);
        }
        Ok(Room { free, workers_max })
    }

    fn slots(&self, pool: &str) -> u32 {
        self.pools.get(pool).map_or(0, |pool| pool.slots)
    }

    /// The process dies: nobody holds anything any more, and its successor knows nothing.
    pub(super) fn forget_pools(&mut self) {
        self.held.clear();
        let mut pools = Pools::default();
        for pool in POOLS {
            pools.define(pool, self.slots(pool));
        }
        self.pools = pools;
        self.were_slots_freed = false;
    }
}
