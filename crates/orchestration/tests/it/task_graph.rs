//! What tasks in memory can do besides running in order: fan out, be left out, live without some,
//! share pools, remember outputs.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use orchestration::{
    AttemptOutcome, Concurrency, ErrorRecoveryManager, FailureClass, ItemCounts, ManualClock,
    RecoveryStrategy, RecoveryTrigger, Retries, StageFailure, Task, TaskError, TaskHandle,
    TaskManager, TaskStatus,
};
use proptest::prelude::*;

use crate::support::{NOW, failure};
use crate::tasks::{AT_ONCE, manager, statuses};

fn execute(tasks: &mut TaskManager) -> Vec<Arc<orchestration::TaskResult>> {
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap()
}

#[test]
fn a_task_is_done_for_each_item_and_its_outputs_keep_their_order_and_type() {
    let mut tasks = manager(3);
    let words = tasks.create_task("words", (), |(), _| Ok(vec!["one", "three", ""])).unwrap();
    let lengths = tasks.create_map("lengths", &words, |word, _| Ok(word.len())).unwrap();
    let total = tasks
        .create_task("total", &lengths, |lengths, _| Ok(lengths.iter().flatten().sum::<usize>()))
        .unwrap();
    let results = execute(&mut tasks);
    assert_eq!(*tasks.output(&lengths).unwrap(), [Some(3), Some(5), Some(0)]);
    assert_eq!(*tasks.output(&total).unwrap(), 8);
    let names = [("words", "COMPLETED"), ("lengths", "COMPLETED"), ("total", "COMPLETED")];
    assert_eq!(statuses(&results), names);
    assert_eq!(results[1].items, Some(ItemCounts { completed: 3, ..ItemCounts::default() }));
    assert_eq!(tasks.metrics(&lengths).unwrap().count, 3);
    assert_eq!(&*tasks.item_results(&lengths, 1..2)[0].name, "lengths[1]");
}

#[test]
fn a_fan_out_goes_over_the_items_of_another_of_none_and_of_what_completed_before() {
    let mut tasks = manager(2);
    let numbers = tasks.create_task("numbers", (), |(), _| Ok((0..4_u32).collect())).unwrap();
    let none = tasks.create_task("none", (), |(), _| Ok(Vec::<u32>::new())).unwrap();
    let squares = tasks.create_map("squares", &numbers, |number, _| Ok(number * number)).unwrap();
    let nothing = tasks.create_map("nothing", &none, |number, _| Ok(*number)).unwrap();
    execute(&mut tasks);
    let halves = tasks.create_map("halves", &squares, |square, _| Ok(square.unwrap() / 2)).unwrap();
    execute(&mut tasks);
    assert_eq!(*tasks.output(&halves).unwrap(), [Some(0), Some(0), Some(2), Some(4)]);
    assert!(tasks.output(&nothing).unwrap().is_empty());
}

#[test]
fn items_have_their_own_attempts_and_fallbacks_and_a_failed_one_fails_the_task() {
    let mut tasks = manager(2);
    let list = tasks.create_task("list", (), |(), _| Ok((0..5_u32).collect())).unwrap();
    let pick = Task::map("pick", &list, |item, task| match (item, task.attempt()) {
        (1, 1) => Err(failure(FailureClass::Connection, "reset").into()),
        (2 | 3, _) => Err(failure(FailureClass::BadData, "not a number").into()),
        (item, _) => Ok(*item),
    })
    .retry(AT_ONCE)
    .fallback("cached", |task| match task.item_number() {
        Some(2) => Ok(22),
        _ => Err(failure(FailureClass::MissingData, "never seen").into()),
    });
    let pick = tasks.add_task(pick).unwrap();
    let results = execute(&mut tasks);
    assert_eq!(results[1].items.unwrap().failed, 1);
    let reason = "missing data: 1 of 5 items failed, first pick[3]: missing data: never seen";
    assert_eq!(results[1].reason.as_deref(), Some(reason));
    let items = tasks.item_results(&pick, 0..5);
    let attempts: Vec<usize> = items.iter().map(|item| item.attempts.len()).collect();
    assert_eq!(attempts, [1, 2, 2, 3, 1]);
    assert_eq!(items[2].degraded, ["pick[2]: recovered by cached after bad data: not a number"]);
    assert!(tasks.output(&pick).is_err());
}

#[test]
fn an_item_that_is_skipped_leaves_a_gap_and_says_so() {
    let mut recovery = ErrorRecoveryManager::new();
    let trigger = RecoveryTrigger::class(FailureClass::MissingData);
    recovery.register_recovery_strategy(trigger, RecoveryStrategy::Skip).unwrap();
    let mut tasks = manager(2).recover_with(Arc::new(recovery));
    let list = tasks.create_task("list", (), |(), _| Ok((0..3_u32).collect())).unwrap();
    let map = tasks.create_map("map", &list, |item, _| match item {
        1 => Err(failure(FailureClass::MissingData, "not published").into()),
        item => Ok(*item),
    });
    let map = map.unwrap();
    let results = execute(&mut tasks);
    assert_eq!(*tasks.output(&map).unwrap(), [Some(0), None, Some(2)]);
    assert_eq!(results[1].degraded, ["stage map[1] skipped after missing data: not published"]);
}

#[test]
fn a_million_and_one_items_are_refused() {
    let mut tasks = manager(2);
    let list = tasks.create_task("list", (), |(), _| Ok(vec![(); 1_000_001])).unwrap();
    tasks.create_map("map", &list, |(), _| Ok(())).unwrap();
    let reason = execute(&mut tasks)[1].reason.clone();
    let expected = "bad data: 1000001 items, but at most 1000000 are allowed";
    assert_eq!(reason.as_deref(), Some(expected));
}

/// Counts how many run at once.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    fn join(&self) {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Long enough for the others to begin, if they may.
        for _ in 0..1_000 {
            std::thread::yield_now();
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Returns how many items ran at once, at most.
fn most_at_once(limit: Option<u32>, pool: Option<u32>) -> usize {
    let mut tasks = manager(6);
    let crowd = Arc::new(Crowd::default());
    let joined = Arc::clone(&crowd);
    let list = tasks.create_task("list", (), |(), _| Ok(vec![(); 24])).unwrap();
    let mut map = Task::map("map", &list, move |(), _| {
        joined.join();
        Ok(())
    });
    if let Some(limit) = limit {
        map = map.concurrency_max(limit);
    }
    if let Some(slots) = pool {
        tasks = tasks.pool("desk", slots);
        map = map.pool("desk", 1);
    }
    tasks.add_task(map).unwrap();
    assert!(execute(&mut tasks).iter().all(|result| result.status == TaskStatus::Completed));
    crowd.most.load(Ordering::SeqCst)
}

#[test]
fn neither_a_fan_outs_limit_nor_a_pool_are_exceeded() {
    assert!(most_at_once(Some(2), None) <= 2);
    assert_eq!(most_at_once(None, Some(1)), 1);
}

#[test]
fn a_claim_that_can_never_be_met_is_refused_before_anything_runs() {
    for (pool, slots, reason) in [
        ("desk", 2, "pool desk has 1 slots, and 2 are claimed at once"),
        ("other", 1, "pool other is not defined; say how many slots it has"),
    ] {
        let mut tasks = manager(1).pool("desk", 1);
        let first = tasks.create_task("first", (), |(), _| Ok(())).unwrap();
        tasks.add_task(Task::new("big", (), |(), _| Ok(())).pool(pool, slots)).unwrap();
        let error = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap_err();
        let TaskError::Pool { task, source } = error else { panic!("{error}") };
        assert_eq!((task.as_str(), source.to_string().as_str()), ("big", reason));
        assert!(tasks.check().is_err());
        assert_eq!(tasks.result(&first), None);
    }
}

/// `train` runs only if `share` is at least a half; `infer` does without it.
fn conditional(share: f64) -> (TaskManager, TaskHandle<bool>) {
    let mut tasks = manager(2);
    let new = tasks.create_task("new", (), move |(), _| Ok(share)).unwrap();
    let any = tasks.create_task("any", (), |(), _| Ok("yes".to_owned())).unwrap();
    let train = Task::new("train", (), |(), _| Ok(7_u8))
        .when(&new, |share| 0.5 <= *share)
        .when(&any, |any| any == "yes");
    let train = tasks.add_task(train).unwrap();
    tasks.create_task("report", &train, |_, _| Ok(())).unwrap();
    let infer = tasks
        .create_task("infer", (&new, train.if_completed()), |(_, train), _| Ok(train.is_some()))
        .unwrap();
    (tasks, infer)
}

#[test]
fn a_task_that_is_not_wanted_is_left_out_with_whatever_needs_it() {
    let (mut tasks, infer) = conditional(0.4);
    let results = execute(&mut tasks);
    assert_eq!(
        statuses(&results)[2..],
        [("train", "SKIPPED"), ("report", "SKIPPED"), ("infer", "COMPLETED")]
    );
    let reason = "stage train is left out: the output of condition of train is false, not true";
    assert_eq!(results[3].reason.as_deref(), Some(reason));
    assert!(!*tasks.output(&infer).unwrap());
    assert!(results[4].degraded.is_empty());
}

#[test]
fn a_task_that_is_wanted_runs() {
    let (mut tasks, infer) = conditional(0.5);
    assert!(execute(&mut tasks).iter().all(|result| result.status == TaskStatus::Completed));
    assert!(*tasks.output(&infer).unwrap());
}

#[test]
fn a_condition_that_panics_leaves_its_task_out_and_others_alone() {
    let mut tasks = manager(1);
    let asked = tasks.create_task("asked", (), |(), _| Ok(0)).unwrap();
    let task = Task::new("task", (), |(), _| Ok(()));
    tasks.add_task(task.when(&asked, |_| panic!("division by zero"))).unwrap();
    tasks.create_task("apart", &asked, |_, _| Ok(())).unwrap();
    let results = execute(&mut tasks);
    let reason = results[1].reason.clone().unwrap();
    assert!(reason.starts_with("stage condition of task failed: bug: panic: division by zero"));
    assert_eq!(statuses(&results)[1..], [("task", "SKIPPED"), ("apart", "COMPLETED")]);
}

#[test]
fn a_task_that_does_without_a_failed_one_is_degraded_and_says_why() {
    let mut tasks = manager(2);
    let weather = tasks.create_task::<u8, _, _>("weather", (), |(), _| Err("line 7".into()));
    let weather = weather.unwrap();
    let load = tasks.create_task("load", (), |(), _| Ok(5_u8)).unwrap();
    let both = [weather.if_completed(), load.if_completed()];
    let features = tasks.create_task("features", both.as_slice(), |both, _| {
        Ok(both.iter().map(|one| one.as_deref().copied()).collect::<Vec<_>>())
    });
    let features = features.unwrap();
    let view = tasks.get_task(&features).unwrap();
    assert_eq!(view.dependencies, [weather.id(), load.id()]);
    assert!(tasks.remove_task(&weather).is_err());
    let results = execute(&mut tasks);
    assert_eq!(*tasks.output(&features).unwrap(), [None, Some(5)]);
    assert_eq!(results[2].degraded, ["stage weather failed: bug: line 7"]);
}

#[test]
fn who_needs_an_output_does_not_run_without_it_even_if_it_also_could() {
    let mut tasks = manager(1);
    let broken = tasks.create_task::<u8, _, _>("broken", (), |(), _| Err("no".into())).unwrap();
    let both = tasks.create_task("both", (&broken, broken.if_completed()), |_, _| Ok(()));
    let ordered = tasks.create_task("ordered", broken.if_completed(), |_, _| Ok(())).unwrap();
    tasks.add_dependency(&ordered, &broken).unwrap();
    both.unwrap();
    let results = execute(&mut tasks);
    let expected = [("broken", "FAILED"), ("both", "SKIPPED"), ("ordered", "SKIPPED")];
    assert_eq!(statuses(&results), expected);
}

/// A manager on a clock that its test moves.
fn remembering() -> (TaskManager, Arc<ManualClock>, Arc<AtomicUsize>) {
    let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
    let timer = Arc::clone(&clock);
    let tasks = TaskManager::new(NonZeroUsize::MIN).with_clock(timer);
    (tasks, clock, Arc::default())
}

fn counting(calls: &Arc<AtomicUsize>) -> Task<usize> {
    let calls = Arc::clone(calls);
    Task::new("load", (), move |(), _| Ok(calls.fetch_add(1, Ordering::SeqCst)))
        .memo("2026-01-27", SignedDuration::from_hours(1))
}

#[test]
fn a_remembered_output_stands_for_an_attempt_as_long_as_it_counts() {
    let (mut tasks, clock, calls) = remembering();
    let load = tasks.add_task(counting(&calls)).unwrap();
    let made = execute(&mut tasks)[0].finished_at.unwrap();
    clock.advance(SignedDuration::from_hours(1));
    tasks.reset();
    let recalled = execute(&mut tasks);
    assert_eq!((recalled[0].status, recalled[0].attempts.len()), (TaskStatus::Completed, 1));
    let AttemptOutcome::Recalled { from, completed_at } = &recalled[0].attempts[0].outcome else {
        panic!("{recalled:?}")
    };
    assert_eq!((from.to_string().as_str(), *completed_at), ("r000001", made));
    assert_eq!((*tasks.output(&load).unwrap(), calls.load(Ordering::SeqCst)), (0, 1));
    clock.advance(SignedDuration::from_nanos(1));
    tasks.reset();
    execute(&mut tasks);
    assert_eq!(*tasks.output(&load).unwrap(), 1);
    tasks.forget_memos();
    tasks.reset();
    execute(&mut tasks);
    assert_eq!(*tasks.output(&load).unwrap(), 2);
}

#[test]
fn a_remembered_output_of_another_type_or_a_degraded_one_does_not_count() {
    let (mut tasks, _clock, calls) = remembering();
    let load = tasks.add_task(counting(&calls)).unwrap();
    execute(&mut tasks);
    tasks.remove_task(&load).unwrap();
    let hour = SignedDuration::from_hours(1);
    let text = Task::new("load", (), |(), _| Ok("text")).memo("2026-01-27", hour);
    let text = tasks.add_task(text).unwrap();
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let spare = Task::<u8>::new("spare", (), |(), _| Err("no".into()))
        .fallback("cached", move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(1)
        })
        .memo("today", hour);
    tasks.add_task(spare).unwrap();
    execute(&mut tasks);
    tasks.reset();
    execute(&mut tasks);
    assert_eq!(*tasks.output(&text).unwrap(), "text");
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
}

#[test]
fn of_too_many_remembered_outputs_the_oldest_is_forgotten() {
    let (mut tasks, clock, calls) = remembering();
    let oldest = tasks.add_task(counting(&calls)).unwrap();
    execute(&mut tasks);
    clock.advance(SignedDuration::from_secs(1));
    let hour = SignedDuration::from_hours(1);
    for number in 0..1_024 {
        let task = Task::new(&format!("t{number}"), (), |(), _| Ok(())).memo("k", hour);
        tasks.add_task(task).unwrap();
    }
    execute(&mut tasks);
    tasks.reset();
    let results = execute(&mut tasks);
    let is_recalled = |result: &Arc<orchestration::TaskResult>| {
        matches!(result.attempts[0].outcome, AttemptOutcome::Recalled { .. })
    };
    assert!(!is_recalled(&results[0]));
    assert_eq!(*tasks.output(&oldest).unwrap(), 1);
    // Being made again, it took the place of one of the others.
    assert_eq!(results.iter().filter(|result| is_recalled(result)).count(), 1_023);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Some items fail at first, some for good and are skipped; a plain loop is the oracle.
    #[test]
    fn any_fan_out_computes_what_a_plain_loop_does(
        numbers in prop::collection::vec(0..100_u32, 0..60),
        workers in 1..5_usize,
        limit in prop::option::of(1..4_u32),
    ) {
        let mut recovery = ErrorRecoveryManager::new();
        let trigger = RecoveryTrigger::class(FailureClass::MissingData);
        recovery.register_recovery_strategy(trigger, RecoveryStrategy::Skip).unwrap();
        let mut tasks = manager(workers).recover_with(Arc::new(recovery));
        let expected: Vec<Option<u32>> =
            numbers.iter().map(|number| (number % 3 != 0).then_some(number * 2)).collect();
        let list = tasks.create_task("list", (), move |(), _| Ok(numbers.clone())).unwrap();
        let mut map = Task::map("map", &list, |number, task| match (number % 3, task.attempt()) {
            (0, _) => Err(StageFailure::new(FailureClass::MissingData, "gone").into()),
            (1, 1) => Err(StageFailure::new(FailureClass::Connection, "reset").into()),
            _ => Ok(number * 2),
        })
        .retry(AT_ONCE);
        if let Some(limit) = limit {
            map = map.concurrency_max(limit);
        }
        let map = tasks.add_task(map).unwrap();
        execute(&mut tasks);
        prop_assert_eq!(&*tasks.output(&map).unwrap(), &expected);
    }
}
