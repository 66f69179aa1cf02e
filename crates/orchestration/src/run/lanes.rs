//! Ready stages in the order in which they start, apart by what can hold them up.
//!
//! All stages of a lane claim the same pools and share one limit, so whether the first of a lane may
//! start answers for all behind it, and a million items that wait cost no more than one.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::{Pools, state::AGEING_STEP};
use crate::pipeline::{Pipeline, PoolClaim, StageIndex};
use crate::task::Priority;

/// Orders ready stages: the earlier, the sooner they start.
pub(super) type Turn = (Timestamp, StageIndex);

/// Where every stage of a run queues.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    /// The lane of every stage, and of its items.
    of_stage: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    claims: Vec<PoolClaim>,
    running_max: Option<usize>,
    running: usize,
    ready: BTreeSet<Turn>,
}

/// Why the first of a lane does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// So many items of the fan-out run, and no more may.
    Limit(usize),
    /// A pool has no room for this claim.
    Pool(PoolClaim),
}

impl Lanes {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let mut lanes = vec![Lane::default()];
        let mut by_claims: HashMap<&[PoolClaim], u32> = HashMap::from([(&[][..], 0)]);
        let mut of_stage = Vec::with_capacity(pipeline.stages().len());
        for stage in pipeline.stages() {
            let next = u32::try_from(lanes.len()).expect("a pipeline has at most a million stages");
            let lane = match &stage.map {
                // The items of a fan-out share a limit with nobody.
                Some(_) => next,
                None => *by_claims.entry(&stage.pools).or_insert(next),
            };
            if lane == next {
                let running_max = stage.map.as_ref().and_then(|map| map.concurrency_max);
                let running_max = running_max.and_then(|most| usize::try_from(most).ok());
                let claims = stage.pools.clone();
                lanes.push(Lane { claims, running_max, ..Lane::default() });
            }
            of_stage.push(lane);
        }
        Self { lanes, of_stage }
    }

    /// Puts a stage or an item of it into its queue.
    pub(super) fn insert(&mut self, stage: StageIndex, turn: Turn) -> bool {
        self.lane(stage).ready.insert(turn)
    }

    /// Takes it out again.
    pub(super) fn remove(&mut self, stage: StageIndex, turn: Turn) -> bool {
        self.lane(stage).ready.remove(&turn)
    }

    /// Takes note that an attempt began.
    pub(super) fn start(&mut self, stage: StageIndex) {
        self.lane(stage).running += 1;
    }

    /// Takes note that an attempt ended.
    pub(super) fn end(&mut self, stage: StageIndex) {
        let lane = self.lane(stage);
        lane.running = lane.running.saturating_sub(1);
    }

    /// Empties all queues.
    pub(super) fn clear(&mut self) {
        for lane in &mut self.lanes {
            lane.ready.clear();
        }
    }

    /// Returns who starts next, of all that nothing holds up.
    pub(super) fn next(&self, pools: &Pools) -> Option<StageIndex> {
        self.lanes
            .iter()
            .filter_map(|lane| lane.ready.first().map(|turn| (turn, lane)))
            .filter(|(_, lane)| lane.obstacle(pools).is_none())
            .min_by_key(|(turn, _)| *turn)
            .map(|((_, index), _)| *index)
    }

    /// Returns what holds up a stage or its items, besides other stages.
    pub(super) fn obstacle(&self, stage: StageIndex, pools: &Pools) -> Option<Obstacle> {
        self.lanes[self.of_stage[stage.0] as usize].obstacle(pools)
    }

    /// Tells whether something is ready and a pool without room holds it up.
    pub(super) fn is_held_up_by_pools(&self, pools: &Pools) -> bool {
        self.lanes.iter().any(|lane| !lane.ready.is_empty() && pools.full(&lane.claims).is_some())
    }

    fn lane(&mut self, stage: StageIndex) -> &mut Lane {
        &mut self.lanes[self.of_stage[stage.0] as usize]
    }
}

impl Lane {
    fn obstacle(&self, pools: &Pools) -> Option<Obstacle> {
        if let Some(most) = self.running_max.filter(|most| *most <= self.running) {
            return Some(Obstacle::Limit(most));
        }
        pools.full(&self.claims).map(|claim| Obstacle::Pool(claim.clone()))
    }
}

/// Urgent stages are treated as if they had become ready earlier.
pub(super) fn turn(priority: Priority, since: Timestamp, index: StageIndex) -> Turn {
    let steps = match priority {
        Priority::Low => 0,
        Priority::Medium => 1,
        Priority::High => 2,
        Priority::Critical => 3,
    };
    let head_start: SignedDuration = AGEING_STEP * steps;
    (since.saturating_sub(head_start).unwrap_or(Timestamp::MIN), index)
}
