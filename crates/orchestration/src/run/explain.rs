//! Why a stage that has not ended stands where it stands, in words. Pure.

use std::borrow::Cow;

use super::lanes::Obstacle;
use super::{AttemptOutcome, Pools, RunState, StageState};
use crate::pipeline::StageIndex;

/// So many of the stages that another waits for are named; the rest is counted.
const NAMED_MAX: usize = 5;

/// What a stage or an item is waiting for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageExplanation {
    /// Its name: `fetch`, or `fetch[17]` for an item.
    pub stage: String,
    /// In words.
    pub text: String,
}

/// Tells what everything that has not ended is waiting for, stages first.
pub fn explanations(
    state: &RunState,
    pools: Option<&Pools>,
    limit: usize,
) -> Vec<StageExplanation> {
    let positions = state.layout().indices();
    let told = positions.filter_map(|index| {
        let text = explain(state, index, pools)?;
        Some(StageExplanation { stage: state.layout().name(index).into_owned(), text })
    });
    told.take(limit).collect()
}

/// Tells what a stage or an item is waiting for; `None` if it has ended. `pools` is what the
/// executor knows at the moment; a journal alone does not tell who holds slots.
pub fn explain(state: &RunState, index: StageIndex, pools: Option<&Pools>) -> Option<String> {
    let record = state.stage(index);
    Some(match &record.state {
        StageState::Waiting { .. } => match state.doomed.get(&index) {
            Some(doom) => doom.reason.clone(),
            None => waits_for(state, index),
        },
        StageState::Ready => ready(state, index, pools),
        StageState::Retrying { not_before } => {
            let last = record.attempts.last();
            let failure = last.map(|attempt| match &attempt.outcome {
                AttemptOutcome::Failed(failure) => failure.to_string(),
                other => format!("{other:?}"),
            });
            let failure = failure.unwrap_or_default();
            let made = record.attempts.len();
            format!("attempt {made} failed ({failure}); the next is not before {not_before}")
        }
        StageState::Running { .. } => {
            let attempt = record.attempts.last()?;
            let (number, function) = (attempt.number, &attempt.function);
            format!("attempt {number} calls {function} since {}", attempt.started_at)
        }
        StageState::FannedOut { open } => {
            let count = state.layout().items_of(index).unwrap_or_default().len();
            format!("{open} of {count} items have not ended")
        }
        StageState::Faltered { failure } => format!("what follows {failure} is being decided"),
        StageState::Completed { .. }
        | StageState::Failed { .. }
        | StageState::Skipped { .. }
        | StageState::Cancelled { .. } => return None,
    })
}

fn waits_for(state: &RunState, index: StageIndex) -> String {
    let open: Vec<StageIndex> = state
        .pipeline()
        .dependencies(state.layout().stage_of(index))
        .iter()
        .copied()
        .filter(|before| !state.stage(*before).state.is_final())
        .collect();
    let mut names: Vec<Cow<'_, str>> =
        open.iter().take(NAMED_MAX).map(|before| state.layout().name(*before)).collect();
    if NAMED_MAX < open.len() {
        names.push(Cow::Owned(format!("{} more", open.len() - NAMED_MAX)));
    }
    match names.split_last() {
        None => "its turn comes at once".to_owned(),
        Some((last, [])) => format!("waits for {last}"),
        Some((last, others)) => format!("waits for {} and {last}", others.join(", ")),
    }
}

fn ready(state: &RunState, index: StageIndex, pools: Option<&Pools>) -> String {
    let definition = state.layout().definition(index);
    let since = state.stage(index).ready_since;
    let waiting = match pools {
        Some(pools) => match state.obstacle(index, pools) {
            Some(Obstacle::Limit(most)) => {
                format!("{most} items of {} run, and no more may", definition.name)
            }
            Some(Obstacle::Pool(claim)) => {
                let pool = pools.get(&claim.pool).unwrap_or_default();
                format!(
                    "waits for {} of pool {}, of whose {} slots {} are taken",
                    claim.slots, claim.pool, pool.slots, pool.taken
                )
            }
            None => "waits for a worker".to_owned(),
        },
        None => {
            let pools: Vec<&str> =
                definition.pools.iter().map(|claim| claim.pool.as_str()).collect();
            match pools.as_slice() {
                [] => "waits for a worker".to_owned(),
                pools => format!("waits for a worker and room in {}", pools.join(", ")),
            }
        }
    };
    format!("ready since {since}, {waiting}")
}
