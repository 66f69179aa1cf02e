//! Stopping a run to go on later, and giving it up for good.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::sync::{Mutex, atomic::AtomicBool, atomic::Ordering};

use orchestration::{
    AttemptOutcome, CancellationToken, ExecutionError, FailureClass, Pipeline, PipelineBuilder,
    Registry, RunStatus, Stage, StageStatus,
};
use serde_json::json;

use crate::support::{Desk, collect, failure};

fn three_in_a_row() -> Pipeline {
    PipelineBuilder::new("day")
        .stage(Stage::new("a", "collect"))
        .stage(Stage::new("b", "interrupted").after(["a"]))
        .stage(Stage::new("c", "collect").after(["b"]))
        .build()
        .unwrap()
}

/// In stage b somebody asks to stop; `b` notices it or not.
fn functions(desk: &Desk, token: &CancellationToken, notices: bool) -> Registry {
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let token = token.clone();
    desk.register(&mut registry, "interrupted", move |stage| {
        token.cancel();
        if notices {
            stage.check_cancelled()?;
        }
        collect(stage)
    });
    registry
}

fn check_interrupt_and_resume(notices: bool, first: &[&str], second: &[&str]) {
    let desk = Desk::new();
    let token = CancellationToken::new();
    let executor = desk.executor(functions(&desk, &token, notices), 2);
    let run_id = executor.submit(&three_in_a_row(), "k", json!(null)).unwrap().run_id;
    let report = executor.execute(run_id, &token).unwrap();
    assert_eq!(report.status, RunStatus::Interrupted);
    assert_eq!(desk.take_calls(), first);
    assert_eq!(executor.journal().runs(1).unwrap()[0].status, RunStatus::Interrupted);
    let again = executor.submit(&three_in_a_row(), "k", json!(null)).unwrap();
    assert_eq!((again.run_id, again.resumed), (run_id, true));
    let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(desk.take_calls(), second);
}

#[test]
fn a_stage_that_does_not_look_is_let_finish_and_the_rest_follows_when_resumed() {
    check_interrupt_and_resume(false, &["a", "b"], &["c"]);
}

#[test]
fn a_stage_that_notices_counts_for_nothing_and_is_repeated_when_resumed() {
    let desk = Desk::new();
    let token = CancellationToken::new();
    let executor = desk.executor(functions(&desk, &token, true), 2);
    let run_id = executor.submit(&three_in_a_row(), "k", json!(null)).unwrap().run_id;
    let report = executor.execute(run_id, &token).unwrap();
    let stage = report.stage("b").unwrap();
    assert_eq!(stage.status, StageStatus::Pending);
    assert_eq!(stage.attempts[0].outcome, AttemptOutcome::Cancelled);
    assert_eq!(desk.take_calls(), ["a", "b"]);
}

#[test]
fn nothing_starts_when_the_token_was_cancelled_before() {
    let desk = Desk::new();
    let token = CancellationToken::new();
    let executor = desk.executor(functions(&desk, &CancellationToken::new(), false), 2);
    let run_id = executor.submit(&three_in_a_row(), "k", json!(null)).unwrap().run_id;
    token.cancel();
    assert_eq!(executor.execute(run_id, &token).unwrap().status, RunStatus::Interrupted);
    assert_eq!(desk.take_calls(), [""; 0]);
}

#[test]
fn a_request_to_stop_wakes_a_run_that_waits_for_a_running_stage() {
    let desk = Desk::new();
    let token = CancellationToken::new();
    let mut registry = Registry::new();
    let (started_sender, started) = channel();
    let (release, released) = channel::<()>();
    let (started_sender, released) = (Mutex::new(started_sender), Mutex::new(released));
    let saw_request = Arc::new(AtomicBool::new(false));
    let saw = Arc::clone(&saw_request);
    registry.register("wait", move |stage| {
        started_sender.lock().unwrap().send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        saw.store(stage.cancellation().is_cancelled(), Ordering::SeqCst);
        collect(stage)
    });
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "wait")).build().unwrap();
    let executor = desk.executor(registry, 1);
    let run_id = executor.submit(&pipeline, "k", json!(null)).unwrap().run_id;
    std::thread::scope(|scope| {
        let execution = scope.spawn(|| executor.execute(run_id, &token));
        started.recv().unwrap();
        let busy = executor.execute(run_id, &token).unwrap_err();
        assert!(matches!(busy, ExecutionError::AlreadyExecuting { .. }));
        token.cancel();
        release.send(()).unwrap();
        assert_eq!(execution.join().unwrap().unwrap().status, RunStatus::Completed);
    });
    assert!(saw_request.load(Ordering::SeqCst));
}

#[test]
fn a_stage_that_says_cancelled_though_nobody_asked_has_failed() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("moody", |_| Err(failure(FailureClass::Cancelled, "no wish to go on")));
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "moody")).build().unwrap();
    let report = desk.run(registry, &pipeline, 1);
    assert_eq!(report.status, RunStatus::Failed);
    assert_eq!(report.stages[0].status, StageStatus::Cancelled);
}

#[test]
fn a_run_given_up_is_over_and_the_next_submission_starts_afresh() {
    let desk = Desk::new();
    let token = CancellationToken::new();
    let executor = desk.executor(functions(&desk, &token, true), 2);
    let run_id = executor.submit(&three_in_a_row(), "k", json!(null)).unwrap().run_id;
    executor.execute(run_id, &token).unwrap();
    let report = executor.cancel(run_id, "the operating day has passed").unwrap();
    assert_eq!(report.status, RunStatus::Cancelled);
    let statuses: Vec<_> = report.stages.iter().map(|stage| stage.status).collect();
    assert_eq!(statuses, [StageStatus::Completed, StageStatus::Cancelled, StageStatus::Cancelled]);
    assert_eq!(executor.execute(run_id, &CancellationToken::new()).unwrap(), report);
    assert!(!executor.submit(&three_in_a_row(), "k", json!(null)).unwrap().resumed);
}
