//! Order, limits and data passing of an undisturbed run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use jiff::SignedDuration;
use orchestration::{
    CancellationToken, ExecutionError, PipelineBuilder, Priority, Registry, RunStatus, Stage,
    StageOutput,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Desk, collect};

#[test]
fn ready_stages_start_by_priority_and_then_in_the_order_of_definition() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let stage = |name: &str, priority| Stage::new(name, "collect").priority(priority);
    let pipeline = PipelineBuilder::new("day")
        .stage(stage("low", Priority::Low))
        .stage(stage("medium 1", Priority::Medium))
        .stage(stage("critical, but late", Priority::Critical).after(["low"]))
        .stage(stage("high", Priority::High))
        .stage(stage("medium 2", Priority::Medium))
        .build()
        .unwrap();
    desk.run(registry, &pipeline, 1);
    assert_eq!(desk.take_calls(), ["high", "medium 1", "medium 2", "low", "critical, but late"]);
}

#[test]
fn no_more_attempts_than_workers_are_made_at_once_and_no_fewer_if_there_is_work() {
    const WORKERS: usize = 3;
    let desk = Desk::new();
    let mut registry = Registry::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now_inside, most_inside) = (Arc::clone(&now), Arc::clone(&most));
    // Nobody leaves before three have come: fewer at once would hang here.
    let barrier = Barrier::new(WORKERS);
    registry.register("meet", move |stage| {
        let count = now_inside.fetch_add(1, Ordering::SeqCst) + 1;
        most_inside.fetch_max(count, Ordering::SeqCst);
        barrier.wait();
        now_inside.fetch_sub(1, Ordering::SeqCst);
        collect(stage)
    });
    let mut builder = PipelineBuilder::new("day");
    for number in 0..4 * WORKERS {
        builder = builder.stage(Stage::new(format!("s{number}"), "meet"));
    }
    let report = desk.run(registry, &builder.build().unwrap(), WORKERS);
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(most.load(Ordering::SeqCst), WORKERS);
}

#[test]
fn typed_inputs_and_outputs_arrive_unchanged() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Fitted {
        model: String,
        loss: f64,
    }
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("fit", |stage| {
        let model: String = stage.input_as()?;
        StageOutput::of(&Fitted { model, loss: 0.1 + 0.2 })
    });
    registry.register("publish", |stage| {
        let fitted: Fitted = stage.output_as("train")?;
        let day: serde_json::Value = stage.run_input_as()?;
        assert_eq!(stage.output_of("unrelated"), None);
        StageOutput::of(&(fitted, day, stage.attempt(), stage.run_id().to_string()))
    });
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("train", "fit").input(json!("logistic")))
        .stage(Stage::new("unrelated", "fit").input(json!("boosting")))
        .stage(Stage::new("publish", "publish").after(["train"]))
        .build()
        .unwrap();
    let report = desk.run(registry, &pipeline, 2);
    let fitted: Fitted = report.output_as("train").unwrap();
    assert_eq!(fitted, Fitted { model: "logistic".to_owned(), loss: 0.1 + 0.2 });
    let expected = json!([
        {"model": "logistic", "loss": 0.300_000_000_000_000_04},
        {"day": 28},
        1,
        "r000001"
    ]);
    assert_eq!(report.stage("publish").unwrap().output, Some(expected));
}

#[test]
fn an_output_of_another_shape_is_a_bug_that_names_the_stage() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("text", |_| Ok(StageOutput::fresh(json!("seven"))));
    registry.register("number", |stage| StageOutput::of(&stage.output_as::<i64>("fetch")?));
    registry.register("stranger", |stage| StageOutput::of(&stage.output_as::<i64>("compute")?));
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("fetch", "text"))
        .stage(Stage::new("compute", "number").after(["fetch"]))
        .stage(Stage::new("apart", "stranger").after(["fetch"]))
        .build()
        .unwrap();
    let report = desk.run(registry, &pipeline, 1);
    let reason = |stage: &str| report.stage(stage).unwrap().reason.clone().unwrap();
    assert!(
        reason("compute").starts_with("bug: the output of stage fetch has another shape"),
        "{}",
        reason("compute")
    );
    assert_eq!(reason("apart"), "bug: stage apart does not run after compute");
}

#[test]
fn a_function_that_is_not_registered_is_refused_before_anything_is_recorded() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("collect", collect);
    let stage = Stage::new("fetch", "collect").fallback("cached");
    let pipeline = PipelineBuilder::new("day").stage(stage).build().unwrap();
    let executor = desk.executor(registry, 1);
    let error = executor.submit(&pipeline, "k", json!(null)).unwrap_err();
    assert!(
        matches!(&error, ExecutionError::UnknownFunction { function, .. } if function == "cached")
    );
    assert_eq!(executor.journal().runs(10).unwrap(), []);
}

#[test]
fn a_run_that_is_over_is_reported_and_not_repeated() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "collect")).build().unwrap();
    let executor = desk.executor(registry, 1);
    let run_id = executor.submit(&pipeline, "k", json!(null)).unwrap().run_id;
    let first = executor.execute(run_id, &CancellationToken::new()).unwrap();
    let second = executor.execute(run_id, &CancellationToken::new()).unwrap();
    assert_eq!(first, second);
    assert_eq!(desk.take_calls(), ["a"]);
    let unknown = "r000099".parse().unwrap();
    let error = executor.execute(unknown, &CancellationToken::new()).unwrap_err();
    assert_eq!(error.to_string(), "run r000099 is not in the journal");
}

#[test]
fn a_run_of_a_thousand_stages_completes() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let mut builder = PipelineBuilder::new("wide").stage(Stage::new("root", "collect"));
    let names: Vec<String> = (0..998).map(|number| format!("point {number}")).collect();
    for name in &names {
        builder = builder.stage(Stage::new(name.as_str(), "collect").after(["root"]));
    }
    let pipeline = builder.stage(Stage::new("join", "collect").after(names)).build().unwrap();
    let report = desk.run(registry, &pipeline, 2);
    assert_eq!(report.status, RunStatus::Completed);
    let calls = desk.take_calls();
    assert_eq!((calls.len(), calls[0].as_str(), calls[999].as_str()), (1000, "root", "join"));
}

#[test]
fn two_runs_can_be_executed_at_once() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    // Each run has one worker, so that they meet only if neither waits for the other's end.
    let barrier = Barrier::new(2);
    registry.register("meet", move |stage| {
        barrier.wait();
        collect(stage)
    });
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "meet")).build().unwrap();
    let executor = desk.executor(registry, 1);
    let submit = |key: &str| executor.submit(&pipeline, key, json!(null)).unwrap().run_id;
    let (first, second) = (submit("one"), submit("two"));
    std::thread::scope(|scope| {
        for run_id in [first, second] {
            let executor = &executor;
            scope.spawn(move || {
                let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
                assert_eq!(report.status, RunStatus::Completed);
            });
        }
    });
}

#[test]
fn submitting_once_finds_the_first_run_even_after_its_end_and_does_the_work_once() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "collect")).build().unwrap();
    let executor = desk.executor(registry, 1);
    let go_on = CancellationToken::new();
    let first = executor.submit_once(&pipeline, "2026-01-28", json!(1)).unwrap();
    assert!(!first.resumed);
    executor.execute(first.run_id, &go_on).unwrap();
    let again = executor.submit_once(&pipeline, "2026-01-28", json!(2)).unwrap();
    assert_eq!((again.run_id, again.resumed), (first.run_id, true));
    let report = executor.execute(again.run_id, &go_on).unwrap();
    assert_eq!(report.input, json!(1));
    assert_eq!(desk.take_calls(), ["a"]);
    let other = executor.submit_once(&pipeline, "2026-01-29", json!(1)).unwrap();
    assert_ne!(other.run_id, first.run_id);
    let repeated = executor.submit(&pipeline, "2026-01-28", json!(1)).unwrap();
    assert!(!repeated.resumed, "an ordinary submission repeats a run that is over");
}

#[test]
fn a_stage_that_waits_long_enough_goes_before_more_urgent_ones() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let clock = Arc::clone(&desk.clock);
    desk.register(&mut registry, "slow", move |stage| {
        clock.advance(SignedDuration::from_mins(11));
        collect(stage)
    });
    let mut builder = PipelineBuilder::new("day")
        .stage(Stage::new("patient", "slow").priority(Priority::Low))
        .stage(Stage::new("c0", "slow").priority(Priority::Critical));
    for number in 1..5 {
        let stage = Stage::new(format!("c{number}"), "slow").after([format!("c{}", number - 1)]);
        builder = builder.stage(stage.priority(Priority::Critical));
    }
    // Three steps of ageing make LOW as urgent as CRITICAL: c3 is ready after 33 minutes.
    desk.run(registry, &builder.build().unwrap(), 1);
    assert_eq!(desk.take_calls(), ["c0", "c1", "c2", "patient", "c3", "c4"]);
}
