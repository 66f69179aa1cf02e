//! Kill the process after any event: the run resumes, ends the same, and repeats nothing that was
//! completed.

use std::fs;

use orchestration::{
    AttemptOutcome, CancellationToken, ExecutionError, Journal, PipelineBuilder, Registry,
    RunStatus, Stage, StageOutput,
};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{
    Desk, collect, eventful_day, eventful_functions, forge_event, result_of, rewind,
};

/// Returns how many events the only run of a desk has.
fn count_events(desk: &Desk) -> i64 {
    let connection = Connection::open(desk.path()).unwrap();
    connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap()
}

/// Copies the journal as it was when it had only `kept` events; returns which stages were complete.
fn copy_journal(from: &Desk, to: &Desk, kept: i64) -> Vec<String> {
    fs::copy(from.path(), to.path()).unwrap();
    let connection = Connection::open(to.path()).unwrap();
    rewind(&connection, 1, kept);
    let mut query = connection
        .prepare("SELECT body ->> '$.stage' FROM events WHERE kind = 'stage_completed'")
        .unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn check_crash_after_each_event(workers: usize) {
    let undisturbed = Desk::new();
    let pipeline = eventful_day();
    let expected = undisturbed.run(eventful_functions(&undisturbed), &pipeline, workers);
    assert_eq!(expected.status, RunStatus::Failed);
    let events = count_events(&undisturbed);
    assert!(15 < events, "{events} events");
    for kept in 0..=events {
        let desk = Desk::new();
        let completed = copy_journal(&undisturbed, &desk, kept);
        let executor = desk.executor(eventful_functions(&desk), workers);
        let submission = executor.submit(&pipeline, "2026-01-28", json!({"day": 28})).unwrap();
        assert_eq!(submission.resumed, kept < events, "after {kept} events");
        if !submission.resumed {
            continue;
        }
        let report = executor.execute(submission.run_id, &CancellationToken::new()).unwrap();
        assert_eq!(result_of(&report), result_of(&expected), "after {kept} events");
        let calls = desk.take_calls();
        for stage in &completed {
            assert!(!calls.contains(stage), "after {kept} events, {stage} was repeated");
        }
        assert_eq!(executor.journal().run(submission.run_id).unwrap(), Some(report));
    }
}

#[test]
fn a_crash_after_any_event_changes_nothing_with_one_worker() {
    check_crash_after_each_event(1);
}

#[test]
fn a_crash_after_any_event_changes_nothing_with_three_workers() {
    check_crash_after_each_event(3);
}

#[test]
fn an_attempt_that_died_with_its_process_is_kept_and_made_again() {
    let undisturbed = Desk::new();
    undisturbed.run(eventful_functions(&undisturbed), &eventful_day(), 1);
    let desk = Desk::new();
    copy_journal(&undisturbed, &desk, 1);
    let report = desk.run(eventful_functions(&desk), &eventful_day(), 1);
    let attempts = &report.stage("prices").unwrap().attempts;
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(attempts[0].outcome, AttemptOutcome::Lost);
    assert_eq!(attempts[1].outcome, AttemptOutcome::Completed);
}

#[test]
fn a_stage_that_kills_its_process_again_and_again_takes_the_next_rung() {
    let undisturbed = Desk::new();
    undisturbed.run(eventful_functions(&undisturbed), &eventful_day(), 1);
    let desk = Desk::new();
    copy_journal(&undisturbed, &desk, 1);
    // Nineteen more processes begin the stage and die. What they would have written:
    let connection = Connection::open(desk.path()).unwrap();
    for death in 1..20 {
        let lost = json!({"kind": "attempt_lost", "stage": "prices", "token": death});
        let started = json!({"kind": "attempt_started", "stage": "prices", "function": "flaky",
            "attempt": death + 1, "token": death + 1});
        for (sequence, body) in [(2 * death - 1, lost), (2 * death, started)] {
            forge_event(&connection, 1, sequence, &body);
        }
    }
    drop(connection);
    let report = desk.run(eventful_functions(&desk), &eventful_day(), 1);
    let prices = report.stage("prices").unwrap();
    assert_eq!(prices.reason.as_deref(), Some("bug: the process died 20 times during this stage"));
    assert!(!desk.take_calls().contains(&"prices".to_owned()));
}

#[test]
fn a_resumed_run_keeps_the_definition_and_the_input_it_was_submitted_with() {
    let desk = Desk::new();
    let registry = || {
        let mut registry = Registry::new();
        registry.register("echo", |stage| Ok(StageOutput::fresh(stage.run_input().clone())));
        registry
    };
    let pipeline =
        |stage: &str| PipelineBuilder::new("day").stage(Stage::new(stage, "echo")).build().unwrap();
    let first = desk.executor(registry(), 1).submit(&pipeline("old"), "k", json!(1)).unwrap();
    let executor = desk.executor(registry(), 1);
    let second = executor.submit(&pipeline("new"), "k", json!(2)).unwrap();
    assert_eq!((second.run_id, second.resumed), (first.run_id, true));
    let report = executor.execute(second.run_id, &CancellationToken::new()).unwrap();
    assert_eq!(report.output_as::<i64>("old").unwrap(), 1);
    let third = executor.submit(&pipeline("new"), "k", json!(3)).unwrap();
    assert!(!third.resumed && first.run_id < third.run_id);
    let other = executor.submit(&pipeline("new"), "another key", json!(3)).unwrap();
    assert!(!other.resumed && third.run_id < other.run_id);
}

#[test]
fn whatever_a_function_does_the_journal_knew_before() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    let path = desk.path();
    registry.register("look", move |stage| {
        let journal = Journal::open_read_only(&path).unwrap();
        let report = journal.run(stage.run_id()).unwrap().unwrap();
        let statuses: Vec<&str> = report.stages.iter().map(|stage| stage.status.as_str()).collect();
        StageOutput::of(&statuses)
    });
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("first", "look"))
        .stage(Stage::new("second", "look").after(["first"]))
        .build()
        .unwrap();
    let report = desk.run(registry, &pipeline, 1);
    assert_eq!(report.output_as::<Vec<String>>("first").unwrap(), ["RUNNING", "PENDING"]);
    assert_eq!(report.output_as::<Vec<String>>("second").unwrap(), ["COMPLETED", "RUNNING"]);
}

#[test]
fn what_the_journal_does_not_take_is_not_acted_upon_and_the_run_can_be_resumed() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    desk.register(&mut registry, "collect", collect);
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("first", "collect"))
        .stage(Stage::new("second", "collect").after(["first"]))
        .build()
        .unwrap();
    let executor = desk.executor(registry, 1);
    let run_id = executor.submit(&pipeline, "k", json!(null)).unwrap().run_id;
    let execute = || executor.execute(run_id, &CancellationToken::new());
    let connection = Connection::open(desk.path()).unwrap();
    for (kind, calls) in [("attempt_started", vec![]), ("stage_completed", vec!["first"])] {
        let trigger = format!(
            "CREATE TRIGGER broken AFTER INSERT ON events WHEN new.body ->> '$.kind' = '{kind}'
             BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END"
        );
        connection.execute_batch(&trigger).unwrap();
        let error = execute().unwrap_err();
        assert!(matches!(error, ExecutionError::Journal(_)), "{error}");
        assert_eq!(desk.take_calls(), calls, "{kind}");
        connection.execute_batch("DROP TRIGGER broken").unwrap();
    }
    assert_eq!(execute().unwrap().status, RunStatus::Completed);
    assert_eq!(desk.take_calls(), ["first", "second"]);
}
