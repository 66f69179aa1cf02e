//! What follows a failure, seen from outside: retries, the ladder, degraded results, skipped stages.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use orchestration::{
    Clock, FailureClass, ObservationKind, PipelineBuilder, Registry, RetryPolicy, RunStatus, Stage,
    StageOutput, StageStatus,
};
use serde_json::json;

use crate::support::{Desk, collect, eventful_day, eventful_functions, failure};

#[test]
fn an_eventful_day_ends_as_it_should() {
    let desk = Desk::new();
    let report = desk.run(eventful_functions(&desk), &eventful_day(), 2);
    let recovered = "weather: recovered by cached after authentication: the key is not valid";
    let broken = "bad data: line 7: expected a price, found \"-\"";
    let stages: Vec<_> = report
        .stages
        .iter()
        .map(|stage| {
            let reason = stage.reason.as_deref().unwrap_or_default();
            (stage.name.as_str(), stage.status.as_str(), reason, stage.degraded.join("; "))
        })
        .collect();
    let skipped = format!("stage train failed: {broken}");
    assert_eq!(
        stages,
        [
            ("prices", "COMPLETED", "", String::new()),
            ("weather", "COMPLETED", "", recovered.to_owned()),
            ("features", "COMPLETED", "", recovered.to_owned()),
            ("train", "FAILED", broken, String::new()),
            ("evaluate", "SKIPPED", skipped.as_str(), String::new()),
            ("publish", "COMPLETED", "", recovered.to_owned()),
        ]
    );
    assert_eq!(report.status, RunStatus::Failed);
    assert_eq!(report.degraded, [recovered]);
}

#[test]
fn the_ladder_is_taken_rung_by_rung_and_every_error_is_kept() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "fresh", |stage| {
        Err(failure(FailureClass::Connection, &format!("refused, attempt {}", stage.attempt())))
    });
    desk.register(&mut registry, "cached", |_| {
        Err(failure(FailureClass::MissingData, "the cache is empty"))
    });
    desk.register(&mut registry, "climatology", collect);
    let stage = Stage::new("forecast", "fresh")
        .retry(RetryPolicy { attempts_max: 2, ..RetryPolicy::default() })
        .fallback("cached")
        .fallback("climatology");
    let pipeline = PipelineBuilder::new("day").stage(stage).build().unwrap();
    let report = desk.run(registry, &pipeline, 1);
    let stage = report.stage("forecast").unwrap();
    let functions: Vec<_> = stage.attempts.iter().map(|a| &*a.function).collect();
    assert_eq!(functions, ["fresh", "fresh", "cached", "cached", "climatology"]);
    assert_eq!(
        report.degraded,
        ["forecast: recovered by climatology after connection: refused, attempt 2"]
    );
    assert_eq!(report.status, RunStatus::Completed);
}

#[test]
fn a_retry_waits_as_long_as_the_server_asked() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let begun = desk.clock.now();
    registry.register("limited", |stage| match stage.attempt() {
        1 => Err(failure(FailureClass::RateLimit, "too many requests")
            .with_wait(SignedDuration::from_secs(300))),
        _ => collect(stage),
    });
    let stage = Stage::new("fetch", "limited");
    let pipeline = PipelineBuilder::new("day").stage(stage).build().unwrap();
    let report = desk.run(registry, &pipeline, 1);
    let attempts = &report.stages[0].attempts;
    assert_eq!(attempts[1].started_at - begun, SignedDuration::from_secs(300));
}

#[test]
fn a_panic_is_a_bug_with_its_message() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("careless", |_| panic!("index {} is out of bounds", 7));
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "careless")).build().unwrap();
    let report = desk.run(registry, &pipeline, 1);
    let stage = &report.stages[0];
    assert_eq!(stage.status, StageStatus::Failed);
    assert_eq!(stage.reason.as_deref(), Some("bug: panic: index 7 is out of bounds"));
    assert_eq!(stage.attempts.len(), 1, "a bug is not retried");
}

#[test]
fn a_stage_that_ends_with_a_timeout_is_shown_so() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("slow", |_| Err(failure(FailureClass::Timeout, "no answer in 30 s")));
    let stage = Stage::new("a", "slow").retry(RetryPolicy::NEVER);
    let pipeline = PipelineBuilder::new("day").stage(stage).build().unwrap();
    assert_eq!(desk.run(registry, &pipeline, 1).stages[0].status, StageStatus::Timeout);
}

#[test]
fn a_function_may_call_its_own_output_degraded_and_dependents_see_why() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("stale", |_| {
        Ok(StageOutput::fresh(json!(1)).degraded_because("prices are 3 hours old"))
    });
    registry.register("look", |stage| StageOutput::of(&stage.degraded("fetch")));
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("fetch", "stale"))
        .stage(Stage::new("left", "look").after(["fetch"]))
        .stage(Stage::new("right", "look").after(["fetch", "left"]))
        .build()
        .unwrap();
    let report = desk.run(registry, &pipeline, 2);
    assert_eq!(report.output_as::<Vec<String>>("left").unwrap(), ["prices are 3 hours old"]);
    assert_eq!(report.stage("right").unwrap().degraded, ["prices are 3 hours old"]);
    assert_eq!(report.degraded, ["prices are 3 hours old"]);
}

#[test]
fn an_output_too_large_for_the_journal_is_refused() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("huge", |_| Ok(StageOutput::fresh(json!("x".repeat(1 << 20)))));
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "huge")).build().unwrap();
    let report = desk.run(registry, &pipeline, 1);
    let reason = report.stages[0].reason.as_deref().unwrap();
    assert!(reason.starts_with("bug: an output of 1048578 bytes"), "{reason}");
}

#[test]
fn observers_hear_what_happened_in_order() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("own", |_| Err(failure(FailureClass::Model, "did not converge")));
    registry.register("previous", |stage| {
        stage.progress(1, 2, "half-way");
        collect(stage)
    });
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&heard);
    let stage = Stage::new("train", "own").fallback("previous");
    let pipeline = PipelineBuilder::new("day").stage(stage).build().unwrap();
    let executor = desk.executor(registry, 1).observe(Box::new(move |observation| {
        listener.lock().unwrap().push(match &observation.kind {
            ObservationKind::StageStarted { attempt, function, .. } => {
                format!("started {attempt} {function}")
            }
            ObservationKind::StageProgress { progress, .. } => {
                format!("{} of {}: {}", progress.done, progress.total, progress.message)
            }
            ObservationKind::AttemptFailed { failure, .. } => format!("failed, {failure}"),
            ObservationKind::FallbackTaken { function, .. } => format!("takes {function}"),
            ObservationKind::StageCompleted { degraded, .. } => {
                format!("completed, {} reason", degraded.len())
            }
            ObservationKind::RunEnded { status, .. } => format!("run {status}"),
            other => format!("{other:?}"),
        });
    }));
    let submission = executor.submit(&pipeline, "k", json!(null)).unwrap();
    executor.execute(submission.run_id, &orchestration::CancellationToken::new()).unwrap();
    assert_eq!(
        *heard.lock().unwrap(),
        [
            "started 1 own",
            "failed, model: did not converge",
            "takes previous",
            "started 2 previous",
            "1 of 2: half-way",
            "completed, 1 reason",
            "run COMPLETED",
        ]
    );
}
