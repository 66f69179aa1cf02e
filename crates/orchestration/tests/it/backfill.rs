//! Backfills: every partition once, side by side, in order where one needs the other, and on from
//! where a dead process stood.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};

use orchestration::{
    Backfill, CancellationToken, FailureClass, Partition, PartitionCounts, PartitionState,
    PartitionStates, PartitionsError, Pipeline, PipelineBuilder, PipelineExecutor, Registry,
    RetryPolicy, Stage, StageContext, StageFailure, StageOutput, StageResult,
};
use serde_json::json;

use crate::support::Desk;

const PURPOSE: &str = "days of 2024";

fn pipeline() -> Pipeline {
    let stage = Stage::new("work", "work").retry(RetryPolicy::NEVER);
    PipelineBuilder::new("day").stage(stage).build().unwrap()
}

fn partitions(desk: &Desk) -> PathBuf {
    desk.folder.path().join("partitions")
}

fn number_of(stage: &StageContext) -> u64 {
    stage.run_input()["day"].as_u64().unwrap()
}

fn executor<F>(desk: &Desk, work: F) -> PipelineExecutor
where
    F: Fn(&StageContext) -> StageResult + Send + Sync + 'static,
{
    let mut registry = Registry::new();
    registry.register("work", work);
    desk.executor(registry, 2)
}

/// Runs a backfill whose groups have so many members; returns the counts and the order of ends.
fn run(
    executor: &PipelineExecutor,
    states: &PartitionStates,
    group: usize,
    token: &CancellationToken,
) -> (PartitionCounts, Vec<usize>) {
    let ended = Mutex::new(Vec::new());
    let backfill = Backfill {
        executor,
        pipeline: &pipeline(),
        states,
        partition: &|number| Partition {
            key: format!("day {number}"),
            input: json!({"day": number}),
        },
        group: NonZeroUsize::new(group).unwrap(),
        workers: NonZeroUsize::new(2).unwrap(),
        observer: &|number, _, _| ended.lock().unwrap().push(number),
    };
    let counts = backfill.run(token).unwrap();
    (counts, ended.into_inner().unwrap())
}

fn shown(counts: PartitionCounts) -> BTreeMap<&'static str, u64> {
    let all = PartitionState::ALL.map(|state| (state.as_str(), counts.of(state)));
    all.into_iter().filter(|(_, count)| 0 < *count).collect()
}

fn new_states(desk: &Desk, states: &[PartitionState]) -> PartitionStates {
    PartitionStates::create(&partitions(desk), PURPOSE, states.iter().copied()).unwrap()
}

#[test]
fn every_partition_runs_once_and_what_is_there_is_left_alone() {
    use PartitionState::{Pending, Present};
    let desk = Desk::new();
    let executor = executor(&desk, |stage| match number_of(stage) {
        2 => Ok(StageOutput::fresh(json!(2)).degraded_because("old prices".to_owned())),
        3 => Err(StageFailure::new(FailureClass::BadData, "no prices")),
        number => Ok(StageOutput::fresh(json!(number))),
    });
    let states = new_states(&desk, &[Pending, Present, Pending, Pending, Pending]);
    let (counts, mut ended) = run(&executor, &states, 1, &CancellationToken::new());
    let expected = [("completed", 2), ("degraded", 1), ("failed", 1), ("present", 1)];
    assert_eq!(shown(counts), expected.into());
    assert_eq!((counts.total(), counts.done()), (5, 4));
    ended.sort_unstable();
    assert_eq!(ended, [0, 2, 3, 4]);
    // Read beside the one who works.
    let counted = PartitionStates::count(&partitions(&desk)).unwrap();
    assert_eq!(counted, (PURPOSE.to_owned(), counts));
    assert_eq!(executor.journal().runs(9).unwrap().len(), 4);
}

#[test]
fn who_continues_tries_again_only_what_had_failed() {
    let desk = Desk::new();
    let broken = executor(&desk, |stage| match number_of(stage) {
        1 => Err(StageFailure::new(FailureClass::BadData, "no prices")),
        number => Ok(StageOutput::fresh(json!(number))),
    });
    let states = new_states(&desk, &[PartitionState::Pending; 3]);
    let (counts, _) = run(&broken, &states, 1, &CancellationToken::new());
    assert_eq!(shown(counts), [("completed", 2), ("failed", 1)].into());
    drop((broken, states));
    let repaired = executor(&desk, |stage| Ok(StageOutput::fresh(json!(number_of(stage)))));
    let states = PartitionStates::open(&partitions(&desk), PURPOSE).unwrap().unwrap();
    let (counts, ended) = run(&repaired, &states, 1, &CancellationToken::new());
    assert_eq!((shown(counts), ended), ([("completed", 3)].into(), vec![1]));
    assert_eq!(repaired.journal().runs(9).unwrap().len(), 4);
}

#[test]
fn members_of_a_group_run_one_after_the_other_and_groups_beside_each_other() {
    let desk = Desk::new();
    // The first members of two groups wait for each other: alone, neither would ever end.
    let meeting = Arc::new((Mutex::new(0), Condvar::new()));
    let executor = executor(&desk, move |stage| {
        let number = number_of(stage);
        if number.is_multiple_of(3) {
            let (arrived, changed) = &*meeting;
            *arrived.lock().unwrap() += 1;
            changed.notify_all();
            drop(changed.wait_while(arrived.lock().unwrap(), |arrived| *arrived < 2).unwrap());
        }
        Ok(StageOutput::fresh(json!(number)))
    });
    let states = new_states(&desk, &[PartitionState::Pending; 6]);
    let (counts, ended) = run(&executor, &states, 3, &CancellationToken::new());
    assert_eq!(counts.done(), 6);
    for group in [[0, 1, 2], [3, 4, 5]] {
        let order: Vec<usize> = ended.iter().copied().filter(|it| group.contains(it)).collect();
        assert_eq!(order, group);
    }
}

#[test]
fn a_stop_leaves_the_rest_pending_and_the_next_start_does_it() {
    let desk = Desk::new();
    let token = CancellationToken::new();
    let stopping = token.clone();
    let executor = executor(&desk, move |stage| {
        if number_of(stage) == 1 {
            stopping.cancel();
        }
        Ok(StageOutput::fresh(json!(number_of(stage))))
    });
    let states = new_states(&desk, &[PartitionState::Pending; 40]);
    let (counts, _) = run(&executor, &states, 40, &token);
    assert!(counts.done() < 3 && 37 < counts.of(PartitionState::Pending), "{counts:?}");
    let (counts, ended) = run(&executor, &states, 40, &CancellationToken::new());
    assert_eq!(shown(counts), [("completed", 40)].into());
    assert!(37 < ended.len());
    assert_eq!(executor.journal().runs(99).unwrap().len(), 40);
}

#[test]
fn what_the_file_lost_in_a_crash_is_found_in_the_journal() {
    let desk = Desk::new();
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let executor = executor(&desk, move |stage| {
        *counted.lock().unwrap() += 1;
        Ok(StageOutput::fresh(json!(number_of(stage))))
    });
    let states = new_states(&desk, &[PartitionState::Pending; 3]);
    run(&executor, &states, 1, &CancellationToken::new());
    drop(states);
    // As if the process had died after the journal's commit, or the last writes were lost.
    let path = partitions(&desk);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("partitions 1 3 {PURPOSE}\nccc"));
    fs::write(&path, text.replace("ccc", "cr.")).unwrap();
    let states = PartitionStates::open(&path, PURPOSE).unwrap().unwrap();
    assert_eq!(shown(states.counts()), [("completed", 1), ("pending", 2)].into());
    let (counts, _) = run(&executor, &states, 1, &CancellationToken::new());
    assert_eq!((counts.done(), *calls.lock().unwrap()), (3, 3));
}

#[test]
fn a_file_that_is_damaged_or_of_another_backfill_is_refused() {
    let desk = Desk::new();
    let path = partitions(&desk);
    assert!(PartitionStates::open(&path, PURPOSE).unwrap().is_none());
    drop(new_states(&desk, &[PartitionState::Pending; 3]));
    let error = PartitionStates::open(&path, "days of 2025").unwrap_err();
    assert!(matches!(error, PartitionsError::Other { .. }), "{error}");
    for text in ["", "x", "partitions 1 3 p", "partitions 1 3 p\n..", "partitions 1 2 p\n.x"] {
        fs::write(&path, text).unwrap();
        let errors = [
            PartitionStates::open(&path, "p").unwrap_err(),
            PartitionStates::count(&path).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, PartitionsError::Damaged { .. }), "{text:?}: {error}");
        }
    }
}
