//! Tasks in memory, through the public face of the manager.

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orchestration::recovery::RecoveryDecision;
use orchestration::{
    AttemptOutcome, Clock, Concurrency, ErrorRecoveryManager, FailureClass, ManualClock,
    RecoveryStrategy, RecoveryTrigger, Retries, RetryPolicy, StageFailure, Task, TaskError,
    TaskHandle, TaskManager, TaskPriority, TaskResult, TaskStatus,
};
use proptest::prelude::*;

use crate::support::NOW;

pub(crate) fn manager(workers: usize) -> TaskManager {
    let clock = ManualClock::new(NOW.parse().unwrap());
    TaskManager::new(NonZeroUsize::new(workers).unwrap()).with_clock(Arc::new(clock))
}

/// A clock that goes by itself to whatever is awaited, but not beyond an instant.
#[derive(Debug)]
struct BoundedClock {
    inner: ManualClock,
    last: Timestamp,
}

impl Clock for BoundedClock {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn until(&self, instant: Timestamp) -> Duration {
        if instant <= self.last { self.inner.until(instant) } else { Duration::from_hours(1) }
    }
}

/// One worker, a clock that stops after so many seconds, and retries at once.
fn manager_for_seconds(seconds: i64) -> TaskManager {
    let begin: Timestamp = NOW.parse().unwrap();
    let last = begin + SignedDuration::from_secs(seconds);
    let clock = BoundedClock { inner: ManualClock::new(begin), last };
    TaskManager::new(NonZeroUsize::MIN).with_clock(Arc::new(clock))
}

pub(crate) const AT_ONCE: RetryPolicy = RetryPolicy {
    attempts_max: 2,
    delay_first: SignedDuration::ZERO,
    backoff_factor: 1.0,
    delay_max: SignedDuration::ZERO,
};

pub(crate) fn statuses(results: &[Arc<TaskResult>]) -> Vec<(&str, &str)> {
    results.iter().map(|result| (&*result.name, result.status.as_str())).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("no route to the market")]
struct NoRoute;

#[test]
fn outputs_flow_to_dependents_with_their_types() {
    let mut tasks = manager(4);
    let prices = tasks.create_task("prices", (), |(), _| Ok(vec![20.0, 4_000.0])).unwrap();
    let limit = tasks.create_task("limit", (), |(), _| Ok(1_000.0)).unwrap();
    let spikes = tasks
        .create_task("spikes", (&prices, &limit), |(prices, limit), _| {
            Ok(prices.iter().filter(|price| *limit < **price).count())
        })
        .unwrap();
    let results = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(*tasks.output(&spikes).unwrap(), 1);
    assert!(results.iter().all(|result| result.status == TaskStatus::Completed));
}

#[test]
fn many_outputs_of_one_type_are_joined_in_order() {
    let mut tasks = manager(3);
    let squares: Vec<TaskHandle<u64>> = (0..100_u64)
        .map(|number| {
            tasks.create_task(&format!("{number}²"), (), move |(), _| Ok(number * number)).unwrap()
        })
        .collect();
    let all = tasks
        .create_task("all", squares.as_slice(), |squares, _| {
            Ok(squares.iter().map(|square| **square).collect::<Vec<u64>>())
        })
        .unwrap();
    tasks.execute_task(&all).unwrap();
    assert_eq!(*tasks.output(&all).unwrap(), (0..100).map(|n| n * n).collect::<Vec<_>>());
}

#[test]
fn a_cycle_is_named_in_order_and_nothing_runs() {
    let mut tasks = manager(1);
    let a = tasks.create_task("a", (), |(), _| Ok(())).unwrap();
    let b = tasks.create_task("b", &a, |_, _| Ok(())).unwrap();
    let c = tasks.create_task("c", &b, |_, _| Ok(())).unwrap();
    tasks.add_dependency(&a, &c).unwrap();
    let error = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pipeline tasks: a cycle, each stage waiting for the one before it: a → b → c → a"
    );
    tasks.remove_dependency(&a, &c).unwrap();
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
}

#[test]
fn definitions_that_make_no_sense_are_refused_by_name() {
    let (mut tasks, mut others) = (manager(1), manager(1));
    let a = tasks.create_task("a", (), |(), _| Ok(1)).unwrap();
    let stranger = others.create_task("a", (), |(), _| Ok(1)).unwrap();
    let text = |error: TaskError| error.to_string();
    assert_eq!(
        text(tasks.create_task("a", (), |(), _| Ok(2)).unwrap_err()),
        "two tasks are named a; rename one"
    );
    assert_eq!(text(tasks.add_dependency(&a, &a).unwrap_err()), "task a cannot depend on itself");
    assert!(matches!(
        tasks.create_task("b", &stranger, |_, _| Ok(2)),
        Err(TaskError::UnknownTask { .. })
    ));
    let b = tasks.create_task("b", &a, |_, _| Ok(2)).unwrap();
    assert_eq!(
        text(tasks.remove_dependency(&b, &a).unwrap_err()),
        "task b takes the output of a; remove the task instead"
    );
    assert_eq!(
        text(tasks.remove_task(&a).unwrap_err()),
        "task a is needed by b; remove those first"
    );
    assert_eq!(text(tasks.output(&b).unwrap_err()), "task b has no output, it is PENDING");
    tasks.remove_task(&b).unwrap();
    tasks.remove_task(&a).unwrap();
    assert_eq!(tasks.find_task("a"), None);
}

#[test]
fn the_most_urgent_ready_task_goes_first_and_no_task_before_what_it_depends_on() {
    let mut tasks = manager(4);
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut add = |name: &'static str, priority| {
        let order = Arc::clone(&order);
        let work = move |(), _: &_| {
            order.lock().unwrap().push(name);
            Ok(())
        };
        tasks.add_task(Task::new(name, (), work).priority(priority)).unwrap()
    };
    let low = add("low", TaskPriority::Low);
    add("medium", TaskPriority::Medium);
    let critical = add("critical", TaskPriority::Critical);
    add("high", TaskPriority::High);
    tasks.add_dependency(&critical, &low).unwrap();
    tasks.execute_by_priority().unwrap();
    assert_eq!(*order.lock().unwrap(), ["high", "medium", "low", "critical"]);
}

#[test]
fn parallel_tasks_run_at_the_same_time_and_never_more_than_the_workers() {
    let mut tasks = manager(3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let together = Arc::new(Barrier::new(3));
    for number in 0..9 {
        let (now, most, together) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&together));
        tasks
            .create_task(&format!("t{number}"), (), move |(), _| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                together.wait();
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
            .unwrap();
    }
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn a_failure_skips_dependents_and_leaves_others_alone() {
    let mut tasks = manager(2);
    let broken =
        tasks.create_task::<u8, _, _>("broken", (), |(), _| Err(Box::new(NoRoute))).unwrap();
    tasks.create_task("behind", &broken, |_, _| Ok(())).unwrap();
    tasks.create_task("apart", (), |(), _| Ok(())).unwrap();
    let results = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(
        statuses(&results),
        [("broken", "FAILED"), ("behind", "SKIPPED"), ("apart", "COMPLETED")]
    );
    assert_eq!(results[0].reason.as_deref(), Some("bug: no route to the market"));
}

#[test]
fn a_strategy_for_an_error_type_retries_it_and_only_it() {
    let mut recovery = ErrorRecoveryManager::new();
    let policy = RetryPolicy { attempts_max: 3, ..RetryPolicy::default() };
    recovery
        .register_recovery_strategy(
            RecoveryTrigger::error::<NoRoute>(FailureClass::Bug),
            RecoveryStrategy::Retry(policy),
        )
        .unwrap();
    let recovery = Arc::new(recovery);
    let mut tasks = manager(1).recover_with(Arc::clone(&recovery));
    let flaky = tasks
        .create_task("flaky", (), |(), task| {
            if task.attempt() < 3 { Err(Box::new(NoRoute) as Box<_>) } else { Ok(task.attempt()) }
        })
        .unwrap();
    let other = tasks
        .create_task::<u8, _, _>("other", (), |(), _| Err("another error of class bug".into()))
        .unwrap();
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(*tasks.output(&flaky).unwrap(), 3);
    assert_eq!(tasks.result(&other).unwrap().attempts.len(), 1);
    assert_eq!(recovery.statistics().count(RecoveryDecision::Retried), 2);
    let metrics = tasks.metrics(&flaky).unwrap();
    assert_eq!((metrics.count, metrics.failures), (3, 2));
}

#[test]
fn without_retries_every_rung_is_tried_once() {
    let mut tasks = manager(1);
    let offline = || StageFailure::new(FailureClass::Connection, "offline");
    let task = Task::<u8>::new("fetch", (), move |(), _| Err(offline().into()))
        .fallback("cached", |_| Ok(7));
    let fetch = tasks.add_task(task).unwrap();
    let after = tasks.create_task("after", &fetch, |value, _| Ok(*value + 1)).unwrap();
    tasks.execute_all(Concurrency::Parallel, Retries::Off).unwrap();
    let result = tasks.result(&fetch).unwrap();
    let functions: Vec<_> = result.attempts.iter().map(|it| &*it.function).collect();
    assert_eq!(functions, ["fetch", "cached"]);
    let reason = "fetch: recovered by cached after connection: offline";
    assert_eq!(result.degraded, [reason]);
    assert_eq!(tasks.result(&after).unwrap().degraded, [reason]);
    assert_eq!(*tasks.output(&after).unwrap(), 8);
}

#[test]
fn what_completed_is_not_executed_again_until_reset_and_its_degradation_is_inherited() {
    let mut tasks = manager(1);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let task = Task::<usize>::new("first", (), |(), _| Err("no".into()))
        .fallback("spare", move |_| Ok(counted.fetch_add(1, Ordering::SeqCst)));
    let first = tasks.add_task(task).unwrap();
    tasks.execute_task(&first).unwrap();
    let second = tasks.create_task("second", &first, |value, _| Ok(*value)).unwrap();
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(
        tasks.result(&second).unwrap().degraded,
        ["first: recovered by spare after bug: no"]
    );
    tasks.reset();
    assert!(tasks.output(&first).is_err());
    assert_eq!(tasks.metrics(&first).unwrap().count, 0);
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(*tasks.output(&second).unwrap(), 1);
}

#[test]
fn a_panic_is_a_bug_of_its_task_alone() {
    let mut tasks = manager(2);
    tasks.create_task::<u8, _, _>("careless", (), |(), _| panic!("index 7")).unwrap();
    tasks.create_task("careful", (), |(), _| Ok(())).unwrap();
    let results = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(statuses(&results), [("careless", "FAILED"), ("careful", "COMPLETED")]);
    assert_eq!(results[0].reason.as_deref(), Some("bug: panic: index 7"));
}

#[test]
fn a_stop_on_request_cancels_what_has_not_ended() {
    let mut tasks = manager(1);
    let token = tasks.cancellation();
    let done = tasks.create_task("done", (), |(), _| Ok(())).unwrap();
    let asks = tasks
        .create_task::<(), _, _>("asks", &done, move |_, task| {
            token.cancel();
            task.check_cancelled()?;
            Ok(())
        })
        .unwrap();
    tasks.create_task("never", &asks, |_, _| Ok(())).unwrap();
    let results = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(
        statuses(&results),
        [("done", "COMPLETED"), ("asks", "CANCELLED"), ("never", "CANCELLED")]
    );
    tasks.reset();
    tasks.remove_task(tasks.find_task("never").unwrap()).unwrap();
    tasks.remove_task(&asks).unwrap();
    let results = tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    assert_eq!(statuses(&results), [("done", "COMPLETED")]);
}

#[test]
fn an_attempt_that_heeds_its_token_ends_with_a_timeout_and_is_tried_again() {
    let mut tasks = manager_for_seconds(30);
    let task = Task::new("slow", (), |(), task| {
        while task.attempt() == 1 {
            task.check_cancelled()?;
        }
        Ok(task.attempt())
    })
    .timeout(SignedDuration::from_secs(30))
    .retry(AT_ONCE);
    let slow = tasks.add_task(task).unwrap();
    tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
    let result = tasks.result(&slow).unwrap();
    let AttemptOutcome::Failed(failure) = &result.attempts[0].outcome else { panic!("{result:?}") };
    assert_eq!(failure.to_string(), "timeout: no output within 30s");
    assert_eq!(*tasks.output(&slow).unwrap(), 2);
}

#[test]
fn an_attempt_that_ignores_its_token_is_abandoned_and_its_late_result_refused() {
    let mut tasks = manager_for_seconds(32);
    let door = Arc::new((Mutex::new(false), Condvar::new()));
    let (left, leaves) = channel();
    let shut = Arc::clone(&door);
    // On a busy machine the clock may pass the timeout before the attempt has begun: then there is
    // no late result either.
    let begun = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&begun);
    let task = Task::new("stuck", (), move |(), task| {
        if task.attempt() == 1 {
            begins.store(true, Ordering::SeqCst);
            let (open, opened) = &*shut;
            drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
            left.send(()).unwrap();
            return Ok("late");
        }
        Ok("in time")
    })
    .timeout(SignedDuration::from_secs(30))
    .retry(AT_ONCE);
    let stuck = tasks.add_task(task).unwrap();
    let result = tasks.execute_task(&stuck).unwrap();
    assert_eq!(result.status, TaskStatus::Completed);
    let AttemptOutcome::Failed(failure) = &result.attempts[0].outcome else { panic!("{result:?}") };
    assert_eq!(failure.class, FailureClass::Timeout);
    assert!(failure.message.contains("abandoned"), "{failure}");
    *door.0.lock().unwrap() = true;
    door.1.notify_all();
    if begun.load(Ordering::SeqCst) {
        leaves.recv().unwrap();
    }
    assert_eq!(*tasks.output(&stuck).unwrap(), "in time");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every task adds one to the sum of what it depends on; a plain loop is the oracle.
    #[test]
    fn any_graph_computes_what_a_plain_loop_does(
        edges in prop::collection::vec(any::<u32>(), 1..30),
        workers in 1..5_usize,
    ) {
        let mut tasks = manager(workers);
        let mut handles: Vec<TaskHandle<u64>> = Vec::new();
        let mut expected: Vec<u64> = Vec::new();
        for (number, bits) in edges.iter().enumerate() {
            let before: Vec<usize> =
                (0..number).filter(|bit| bits >> (bit % 32) & 1 == 1).collect();
            let sum = |of: &dyn Fn(usize) -> u64| {
                before.iter().fold(1, |sum: u64, place| sum.wrapping_add(of(*place)))
            };
            expected.push(sum(&|place| expected[place]));
            let inputs: Vec<_> = before.iter().map(|place| handles[*place].clone()).collect();
            let task = tasks.create_task(&format!("t{number}"), inputs.as_slice(), |values, _| {
                Ok(values.iter().fold(1, |sum: u64, value| sum.wrapping_add(**value)))
            });
            handles.push(task.unwrap());
        }
        tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap();
        let found: Result<Vec<u64>, Box<dyn Error>> =
            handles.iter().map(|task| Ok(*tasks.output(task)?)).collect();
        prop_assert_eq!(found.unwrap(), expected);
    }
}
