//! What a graph can do besides running in order: fan out, leave stages out, live without some,
//! share pools, remember outputs.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};

use jiff::SignedDuration;
use orchestration::{
    AttemptOutcome, CancelScope, CancellationToken, ExecutionError, FailureClass, ItemCounts,
    Journal, Pipeline, PipelineBuilder, PipelineExecutor, Registry, RetryPolicy, RunReport,
    RunStatus, Stage, StageOutput, StageStatus, SystemClock,
};
use serde_json::{Value, json};

use crate::support::{Desk, collect, failure};

fn build(stages: impl IntoIterator<Item = Stage>) -> Pipeline {
    let builder = stages.into_iter().fold(PipelineBuilder::new("day"), PipelineBuilder::stage);
    builder.build().unwrap()
}

fn statuses(report: &RunReport) -> Vec<(&str, StageStatus)> {
    report.stages.iter().map(|stage| (stage.name.as_str(), stage.status)).collect()
}

/// `list` outputs `collection`, and `square` is done for each of its items.
fn squares(desk: &Desk, collection: Value) -> (Registry, Pipeline) {
    let mut registry = Registry::new();
    registry.register("list", move |_| Ok(StageOutput::fresh(collection.clone())));
    desk.register(&mut registry, "square", |stage| {
        let number: i64 = stage.item_as()?;
        StageOutput::of(&(number * number))
    });
    registry.register("sum", |stage| {
        let squares: Vec<i64> = stage.output_as("square")?;
        StageOutput::of(&squares.iter().sum::<i64>())
    });
    let pipeline = build([
        Stage::new("list", "list"),
        Stage::new("square", "square").map_over("list", None),
        Stage::new("sum", "sum").after(["square"]),
    ]);
    (registry, pipeline)
}

fn sum_of_squares(collection: Value) -> i64 {
    let desk = Desk::new();
    let (registry, pipeline) = squares(&desk, collection);
    let report = desk.run(registry, &pipeline, 3);
    assert_eq!(report.status, RunStatus::Completed, "{report:?}");
    report.output_as("sum").unwrap()
}

#[test]
fn a_stage_is_done_for_each_element_of_a_list_and_joined_in_its_order() {
    let desk = Desk::new();
    let (registry, pipeline) = squares(&desk, json!([3, 1, 2]));
    let report = desk.run(registry, &pipeline, 2);
    assert_eq!(report.output_as::<Vec<i64>>("square").unwrap(), [9, 1, 4]);
    assert_eq!(report.output_as::<i64>("sum").unwrap(), 14);
    let counts = ItemCounts { completed: 3, ..ItemCounts::default() };
    assert_eq!(report.stage("square").unwrap().items, Some(counts));
}

#[test]
fn a_number_stands_for_so_many_items_and_none_is_fine_too() {
    assert_eq!(sum_of_squares(json!(4)), 14);
    assert_eq!(sum_of_squares(json!(0)), 0);
    assert_eq!(sum_of_squares(json!([])), 0);
}

#[test]
fn what_cannot_be_counted_fails_the_stage_and_says_why() {
    let desk = Desk::new();
    for (collection, reason) in [
        (json!("x"), "bad data: expected an array or a number of items to fan out over"),
        (json!(1_000_001), "bad data: 1000001 items, but at most 1000000 are allowed"),
    ] {
        let (registry, pipeline) = squares(&desk, collection);
        let report = desk.run(registry, &pipeline, 2);
        assert_eq!(report.status, RunStatus::Failed);
        assert_eq!(report.stage("square").unwrap().reason.as_deref(), Some(reason));
        assert_eq!(report.stage("sum").unwrap().status, StageStatus::Skipped);
    }
}

#[test]
fn items_are_retried_one_by_one_and_a_failed_one_fails_the_stage_when_all_have_ended() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("list", |_| StageOutput::of(&5));
    desk.register(&mut registry, "pick", |stage| match (stage.item_number(), stage.attempt()) {
        (Some(1), 1) => Err(failure(FailureClass::Connection, "reset")),
        (Some(3), _) => Err(failure(FailureClass::BadData, "not a number")),
        (item, _) => StageOutput::of(&item),
    });
    let retry = RetryPolicy { attempts_max: 3, ..RetryPolicy::default() };
    let pipeline = build([
        Stage::new("list", "list"),
        Stage::new("pick", "pick").map_over("list", Some(2)).retry(retry),
    ]);
    let report = desk.run(registry, &pipeline, 4);
    let pick = report.stage("pick").unwrap();
    let counts = ItemCounts { completed: 4, failed: 1, ..ItemCounts::default() };
    assert_eq!((report.status, pick.items), (RunStatus::Failed, Some(counts)));
    let reason = "bad data: 1 of 5 items failed, first pick[3]: bad data: not a number";
    assert_eq!(pick.reason.as_deref(), Some(reason));
    assert_eq!(desk.take_calls().len(), 6);
    let journal = Journal::open_read_only(&desk.path()).unwrap();
    let items = journal.items(report.run_id, "pick", 1..2).unwrap();
    assert_eq!(items[0].name, "pick[1]");
    let outcomes: Vec<bool> = items[0]
        .attempts
        .iter()
        .map(|attempt| attempt.outcome == AttemptOutcome::Completed)
        .collect();
    assert_eq!(outcomes, [false, true]);
}

/// Runs items that count how many of them run at once; returns the most.
fn most_at_once(limit: Option<u32>, pool: Option<u32>, workers: usize) -> usize {
    let desk = Desk::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut registry = Registry::new();
    registry.register("list", |_| StageOutput::of(&24));
    let (running, seen) = (Arc::clone(&now), Arc::clone(&most));
    registry.register("work", move |_| {
        let count = running.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(count, Ordering::SeqCst);
        // Long enough for the others to begin, if they may.
        for _ in 0..500 {
            std::thread::yield_now();
        }
        running.fetch_sub(1, Ordering::SeqCst);
        Ok(StageOutput::fresh(Value::Null))
    });
    let mut work = Stage::new("work", "work").map_over("list", limit);
    let mut executor = desk.executor(registry, workers);
    if let Some(slots) = pool {
        executor = executor.pool("desk", slots);
        work = work.pool("desk", 1);
    }
    let pipeline = build([Stage::new("list", "list"), work]);
    let run_id = executor.submit(&pipeline, "k", Value::Null).unwrap().run_id;
    let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
    most.load(Ordering::SeqCst)
}

#[test]
fn neither_workers_nor_a_fan_outs_limit_nor_a_pool_are_exceeded() {
    assert!(most_at_once(None, None, 3) <= 3);
    assert!(most_at_once(Some(2), None, 6) <= 2);
    assert_eq!(most_at_once(None, Some(1), 6), 1);
}

#[test]
fn two_runs_share_a_pool_and_the_one_that_waits_is_woken() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let (begun, begins) = mpsc::channel();
    let meeting = Arc::new(Barrier::new(2));
    let met = Arc::clone(&meeting);
    registry.register("hold", move |_| {
        begun.send(()).unwrap();
        met.wait();
        Ok(StageOutput::fresh(Value::Null))
    });
    registry.register("use", |_| Ok(StageOutput::fresh(Value::Null)));
    let executor = Arc::new(desk.executor(registry, 2).pool("desk", 1));
    let first = build([Stage::new("hold", "hold").pool("desk", 1)]);
    let second = build([Stage::new("use", "use").pool("desk", 1)]);
    let first = executor.submit(&first, "first", Value::Null).unwrap().run_id;
    let second = executor.submit(&second, "second", Value::Null).unwrap().run_id;
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| executor.execute(first, &CancellationToken::new()).unwrap());
        begins.recv().unwrap();
        let user = scope.spawn(|| executor.execute(second, &CancellationToken::new()).unwrap());
        let text = loop {
            let told = executor.explain(second, 10).unwrap();
            if let Some(told) = told.first()
                && told.text.contains("pool")
            {
                break told.text.clone();
            }
            std::thread::yield_now();
        };
        assert!(text.ends_with("waits for 1 of pool desk, of whose 1 slots 1 are taken"), "{text}");
        meeting.wait();
        assert_eq!(holder.join().unwrap().status, RunStatus::Completed);
        assert_eq!(user.join().unwrap().status, RunStatus::Completed);
    });
}

#[test]
fn a_claim_that_can_never_be_met_is_refused_at_once() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let executor = desk.executor(registry, 2).pool("desk", 1);
    for (pool, slots) in [("desk", 2), ("other", 1)] {
        let pipeline = build([Stage::new("a", "collect").pool(pool, slots)]);
        let error = executor.submit(&pipeline, "k", Value::Null).unwrap_err();
        assert!(matches!(error, ExecutionError::Pool { .. }), "{error}");
    }
}

#[test]
fn a_value_stands_in_when_every_function_has_failed() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "broken", |_| Err(failure(FailureClass::BadData, "line 7")));
    let pipeline = build([Stage::new("a", "broken").fallback("broken").fallback_value(json!(7))]);
    let report = desk.run(registry, &pipeline, 2);
    assert_eq!(report.output_as::<i64>("a").unwrap(), 7);
    assert_eq!(report.degraded, ["a: recovered by a value after bad data: line 7"]);
    assert_eq!(desk.take_calls().len(), 2);
    let journal = Journal::open_read_only(&desk.path()).unwrap();
    assert_eq!(journal.run(report.run_id).unwrap(), Some(report));
}

/// `check` says whether training is due; `train` runs only then; `infer` does without it.
fn conditional(desk: &Desk, is_due: bool) -> (Registry, Pipeline) {
    let mut registry = Registry::new();
    registry.register("check", move |_| StageOutput::of(&json!({"train": {"is_due": is_due}})));
    desk.register(&mut registry, "collect", |stage| {
        StageOutput::of(&stage.output_of("train").is_some())
    });
    let pipeline = build([
        Stage::new("check", "check"),
        Stage::new("train", "collect").when("check", "/train/is_due", true),
        Stage::new("report", "collect").after(["train"]),
        Stage::new("infer", "collect").after(["check"]).after_end_of(["train"]),
    ]);
    (registry, pipeline)
}

#[test]
fn a_stage_whose_condition_is_not_met_is_left_out_with_whatever_needs_it() {
    let desk = Desk::new();
    let (registry, pipeline) = conditional(&desk, false);
    let report = desk.run(registry, &pipeline, 2);
    let expected = [
        ("check", StageStatus::Completed),
        ("train", StageStatus::Skipped),
        ("report", StageStatus::Skipped),
        ("infer", StageStatus::Completed),
    ];
    assert_eq!(statuses(&report), expected);
    let reason = "stage train is left out: /train/is_due in the output of check is false, not true";
    assert_eq!(report.stage("report").unwrap().reason.as_deref(), Some(reason));
    assert!(!report.output_as::<bool>("infer").unwrap());
    assert_eq!((report.status, report.degraded.len()), (RunStatus::Completed, 0));
}

#[test]
fn a_stage_whose_condition_is_met_runs() {
    let desk = Desk::new();
    let (registry, pipeline) = conditional(&desk, true);
    let report = desk.run(registry, &pipeline, 2);
    assert!(report.stages.iter().all(|stage| stage.status == StageStatus::Completed));
    assert!(report.output_as::<bool>("infer").unwrap());
}

#[test]
fn a_stage_that_does_without_a_failed_one_completes_degraded_and_the_run_too() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "broken", |_| Err(failure(FailureClass::BadData, "line 7")));
    desk.register(&mut registry, "collect", collect);
    let pipeline = build([
        Stage::new("weather", "broken"),
        Stage::new("features", "collect").after_end_of(["weather"]).input(json!([])),
    ]);
    let report = desk.run(registry, &pipeline, 2);
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(report.degraded, ["stage weather failed: bad data: line 7"]);
}

#[test]
fn a_cancelled_stage_takes_nobody_with_it_who_can_live_without_it() {
    let desk = Desk::new();
    let (registry, pipeline) = conditional(&desk, true);
    let executor = desk.executor(registry, 2);
    let run_id = executor.submit(&pipeline, "k", Value::Null).unwrap().run_id;
    let cancelled =
        executor.cancel_stage(run_id, "train", CancelScope::Stage, "not today").unwrap();
    assert_eq!(cancelled, ["train"]);
    let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
    let expected = [
        ("check", StageStatus::Completed),
        ("train", StageStatus::Cancelled),
        ("report", StageStatus::Skipped),
        ("infer", StageStatus::Completed),
    ];
    assert_eq!(statuses(&report), expected);
    assert_eq!(report.degraded, ["stage train was cancelled: not today"]);
}

#[test]
fn a_subtree_is_cancelled_while_its_stage_runs_and_the_late_result_is_refused() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let (begun, begins) = mpsc::channel();
    registry.register("wait", move |stage| {
        begun.send(()).unwrap();
        while !stage.cancellation().is_cancelled() {
            std::thread::yield_now();
        }
        Ok(StageOutput::fresh(Value::from("too late")))
    });
    desk.register(&mut registry, "collect", collect);
    let stage = |name: &str, after: &[&str]| {
        Stage::new(name, "collect").after(after.iter().copied()).input(json!([]))
    };
    let pipeline = build([
        Stage::new("slow", "wait"),
        stage("after", &["slow"]),
        stage("behind", &["after"]),
        stage("apart", &[]),
    ]);
    let executor = desk.executor(registry, 2);
    let run_id = executor.submit(&pipeline, "k", Value::Null).unwrap().run_id;
    let report = std::thread::scope(|scope| {
        let run = scope.spawn(|| executor.execute(run_id, &CancellationToken::new()).unwrap());
        begins.recv().unwrap();
        let cancelled =
            executor.cancel_stage(run_id, "slow", CancelScope::Subtree, "enough").unwrap();
        assert_eq!(cancelled, ["slow", "after", "behind"]);
        run.join().unwrap()
    });
    let expected = [
        ("slow", StageStatus::Cancelled),
        ("after", StageStatus::Cancelled),
        ("behind", StageStatus::Cancelled),
        ("apart", StageStatus::Completed),
    ];
    assert_eq!(statuses(&report), expected);
    assert_eq!(report.stages[0].output, None);
    let error = executor.cancel_stage(run_id, "nobody", CancelScope::Stage, "x").unwrap_err();
    assert_eq!(error.to_string(), "run r000001 has no stage or item nobody");
}

#[test]
fn a_run_is_given_up_while_it_is_executed_even_if_an_attempt_does_not_listen() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let (begun, begins) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    registry.register("deaf", move |_| {
        begun.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Ok(StageOutput::fresh(Value::Null))
    });
    let executor = desk.executor(registry, 2);
    let pipeline = build([Stage::new("deaf", "deaf")]);
    let run_id = executor.submit(&pipeline, "k", Value::Null).unwrap().run_id;
    std::thread::scope(|scope| {
        let run = scope.spawn(|| executor.execute(run_id, &CancellationToken::new()).unwrap());
        begins.recv().unwrap();
        let report = executor.cancel(run_id, "the day has passed").unwrap();
        assert_eq!(report.status, RunStatus::Cancelled);
        assert_eq!(run.join().unwrap().status, RunStatus::Cancelled);
        release.send(()).unwrap();
    });
}

#[test]
fn an_attempt_whose_time_is_over_is_asked_to_stop_and_its_stage_timed_out() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("slow", |stage| {
        while !stage.cancellation().is_cancelled() {
            std::thread::yield_now();
        }
        stage.check_cancelled()?;
        Ok(StageOutput::fresh(Value::Null))
    });
    let timeout = SignedDuration::from_millis(20);
    let stage = Stage::new("slow", "slow").retry(RetryPolicy::NEVER).timeout(timeout);
    // A clock that goes to the next alarm by itself would not wait for the attempt to listen.
    let (journal, clock) = (Journal::open(&desk.path()).unwrap(), Arc::new(SystemClock::new()));
    let executor = PipelineExecutor::new(journal, registry, clock, NonZeroUsize::MIN);
    let run_id = executor.submit(&build([stage]), "k", Value::Null).unwrap().run_id;
    let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
    assert_eq!(report.stages[0].status, StageStatus::Timeout);
    assert_eq!(report.stages[0].reason.as_deref(), Some("timeout: no output within 20ms"));
}

#[test]
fn an_attempt_that_ignores_its_token_is_abandoned_and_its_late_result_is_refused() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    registry.register("deaf", move |_| {
        released.lock().unwrap().recv().unwrap();
        Ok(StageOutput::fresh(Value::Null))
    });
    desk.register(&mut registry, "collect", collect);
    let timeout = SignedDuration::from_secs(40);
    let pipeline = build([
        Stage::new("deaf", "deaf").retry(RetryPolicy::NEVER).timeout(timeout),
        Stage::new("other", "collect").input(json!([])).after_end_of(["deaf"]),
    ]);
    let report = desk.run(registry, &pipeline, 1);
    let deaf = &report.stages[0];
    assert_eq!(deaf.status, StageStatus::Timeout);
    assert!(deaf.reason.as_ref().unwrap().contains("abandoned"), "{deaf:?}");
    assert_eq!(report.stages[1].status, StageStatus::Completed);
    release.send(()).unwrap();
}
#[test]
fn an_output_is_remembered_for_other_runs_as_long_as_it_lives() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let hour = SignedDuration::from_hours(1);
    let pipeline =
        build([Stage::new("a", "collect").input(json!([])).memo("prices of 2026-01-28", hour)]);
    let executor = desk.executor(registry, 1);
    let run = |key: &str| {
        let run_id = executor.submit(&pipeline, key, Value::Null).unwrap().run_id;
        executor.execute(run_id, &CancellationToken::new()).unwrap()
    };
    let first = run("first");
    let at = first.stages[0].finished_at.unwrap();
    desk.clock.advance(hour - SignedDuration::from_secs(1));
    let second = run("second");
    assert_eq!(desk.take_calls(), ["a"]);
    let attempt = &second.stages[0].attempts[0];
    let recalled = AttemptOutcome::Recalled { from: first.run_id, completed_at: at };
    assert_eq!((second.stages[0].status, &attempt.outcome), (StageStatus::Completed, &recalled));
    assert_eq!(second.stages[0].output, first.stages[0].output);
    desk.clock.advance(SignedDuration::from_secs(2));
    run("third");
    assert_eq!(desk.take_calls(), ["a"]);
}

#[test]
fn the_journal_knows_how_long_a_fan_out_takes_but_not_each_of_its_items() {
    let desk = Desk::new();
    let (registry, pipeline) = squares(&desk, json!([3, 1, 2]));
    desk.run(registry, &pipeline, 2);
    let journal = Journal::open_read_only(&desk.path()).unwrap();
    let durations = journal.stage_durations("day", 10).unwrap();
    assert_eq!(durations.keys().collect::<Vec<_>>(), ["list", "square", "sum"]);
}
