//! How long runs stay, what is left of them, and what is never touched.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::SignedDuration;
use orchestration::{
    CancellationToken, ExecutionError, Journal, JournalError, Pipeline, PipelineBuilder,
    PipelineExecutor, Registry, Retention, RunStatus, Stage, StageOutput,
};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{Desk, eventful_day, eventful_functions};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn executor(desk: &Desk, registry: Registry, retention: Retention) -> PipelineExecutor {
    let journal = Journal::open_with(&desk.path(), retention).unwrap();
    PipelineExecutor::new(journal, registry, Arc::clone(&desk.clock) as _, NonZeroUsize::MIN)
}

/// A pipeline of one stage whose output is so large, and its function.
fn ballast(bytes: usize) -> (Pipeline, Registry) {
    let mut registry = Registry::new();
    registry.register("fill", move |_| Ok(StageOutput::fresh("x".repeat(bytes).into())));
    registry.register("nothing", |_| Ok(StageOutput::fresh(json!(null))));
    let pipeline = PipelineBuilder::new("ballast").stage(Stage::new("fill", "fill")).build();
    (pipeline.unwrap(), registry)
}

fn statuses(journal: &Journal) -> Vec<(String, RunStatus)> {
    let runs = journal.runs(100).unwrap();
    runs.into_iter().rev().map(|run| (run.key, run.status)).collect()
}

#[test]
fn after_90_days_one_line_is_left_which_is_listed_and_found_and_not_run_again() {
    let desk = Desk::new();
    let executor = desk.executor(eventful_functions(&desk), 1);
    let submit = |key: &str| executor.submit_once(&eventful_day(), key, json!(null)).unwrap();
    let old = submit("old").run_id;
    let report = executor.execute(old, &CancellationToken::new()).unwrap();
    let waiting = submit("waiting").run_id;
    desk.clock.advance(89 * DAY);
    submit("after 89 days");
    assert!(executor.journal().run(old).unwrap().is_some());
    let listed = executor.journal().runs(10).unwrap().pop().unwrap();

    desk.clock.advance(2 * DAY);
    submit("after 91 days");
    let error = executor.journal().run(old).unwrap_err();
    assert_eq!(
        error.to_string(),
        "run r000001 ended on 2026-01-27 (FAILED) and its details were removed by retention"
    );
    let line = executor.journal().runs(10).unwrap().pop().unwrap();
    assert_eq!(line, listed, "the list of runs says the same");
    assert_eq!((line.status, line.finished_at), (RunStatus::Failed, report.finished_at));
    assert_eq!(executor.journal().runs(2).unwrap().len(), 2);

    desk.take_calls();
    let again = submit("old");
    assert_eq!((again.run_id, again.resumed), (old, true));
    let error = executor.execute(old, &CancellationToken::new()).unwrap_err();
    assert!(matches!(error, ExecutionError::Journal(JournalError::Removed { .. })), "{error}");
    assert_eq!(desk.take_calls(), Vec::<String>::new());

    assert!(executor.journal().run(waiting).unwrap().is_some(), "a run that is not over stays");
    assert_eq!(executor.journal().complaint().map(|error| error.to_string()), None);
    let check = executor.journal().check().unwrap();
    assert_eq!((check.runs, check.past_runs, check.findings.len()), (3, 1, 0));
}

#[test]
fn a_number_is_not_given_twice() {
    let desk = Desk::new();
    let nothing_stays = Retention { size_max_bytes: 0, ..Retention::default() };
    let executor = executor(&desk, eventful_functions(&desk), nothing_stays);
    for (key, expected) in [("one", "r000001"), ("two", "r000002"), ("three", "r000003")] {
        let run_id = executor.submit(&eventful_day(), key, json!(null)).unwrap().run_id;
        assert_eq!(run_id.to_string(), expected);
        executor.cancel(run_id, "not needed").unwrap();
        assert!(executor.journal().run(run_id).is_err(), "its details are gone");
    }
}

#[test]
fn a_journal_that_is_too_large_loses_its_oldest_runs_and_gives_the_space_back() {
    let desk = Desk::new();
    let (pipeline, registry) = ballast(200_000);
    let limit = 1 << 20;
    let retention = Retention { size_max_bytes: limit, ..Retention::default() };
    let executor = executor(&desk, registry, retention);
    // The oldest of all, and never over.
    let waiting = executor.submit(&pipeline, "waiting", json!("x".repeat(100_000))).unwrap();
    for day in 0..12 {
        let run_id = executor.submit(&pipeline, &format!("{day}"), json!(null)).unwrap().run_id;
        executor.execute(run_id, &CancellationToken::new()).unwrap();
        desk.clock.advance(DAY);
    }
    let full: Vec<String> = executor
        .journal()
        .runs(100)
        .unwrap()
        .into_iter()
        .filter(|run| executor.journal().run(run.run_id).is_ok())
        .map(|run| run.key)
        .collect();
    assert_eq!(full, ["11", "10", "9", "8", "waiting"], "what fits, the newest");
    assert_eq!(statuses(executor.journal()).len(), 13);
    assert!(executor.journal().run(waiting.run_id).unwrap().is_some());
    assert_eq!(executor.journal().complaint().map(|error| error.to_string()), None);
}

#[test]
fn room_that_is_not_needed_any_more_is_given_back() {
    let desk = Desk::new();
    let (pipeline, registry) = ballast(200_000);
    let generous = executor(&desk, registry, Retention::default());
    for key in 0..12 {
        let run_id = generous.submit(&pipeline, &format!("{key}"), json!(null)).unwrap().run_id;
        generous.execute(run_id, &CancellationToken::new()).unwrap();
    }
    drop(generous);
    let bytes = || fs::metadata(desk.path()).unwrap().len();
    assert!(2 << 20 < bytes(), "{} bytes", bytes());
    let strict = Retention { size_max_bytes: 1 << 20, ..Retention::default() };
    drop(Journal::open_with(&desk.path(), strict).unwrap());
    assert!(bytes() < 3 << 19, "{} bytes", bytes());
}

#[test]
fn a_run_of_many_events_goes_in_steps_and_a_crash_between_them_is_made_good() {
    let desk = Desk::new();
    let (_, registry) = ballast(1);
    let mut builder = PipelineBuilder::new("wide");
    for number in 0..1_200 {
        builder = builder.stage(Stage::new(format!("s{number}"), "nothing"));
    }
    let wide = builder.build().unwrap();
    let run = |key: &str| {
        let executor = desk.executor(ballast(1).1, 1);
        let run_id = executor.submit(&wide, key, json!(null)).unwrap().run_id;
        executor.execute(run_id, &CancellationToken::new()).unwrap();
        executor.journal().commits()
    };
    run("many");
    // What a process leaves that dies after its first step: the line, and some of the events.
    let connection = Connection::open(desk.path()).unwrap();
    let other = Desk::new();
    connection.execute("VACUUM INTO ?1", [other.path().to_str().unwrap()]).unwrap();
    drop(connection);
    desk.clock.advance(100 * DAY);
    let journal = executor(&desk, registry, Retention::default());
    let before = journal.journal().commits();
    journal.submit(&wide, "next", json!(null)).unwrap();
    let steps = journal.journal().commits() - before;
    assert!(4 <= steps, "{steps} transactions for 2,401 events");
    drop(journal);
    let line: (String, String, i64) = Connection::open(desk.path())
        .unwrap()
        .query_row("SELECT submitted_at, finished_at, checksum FROM past_runs", [], |row| {
            row.try_into()
        })
        .unwrap();

    let connection = Connection::open(other.path()).unwrap();
    let begun = "INSERT INTO past_runs VALUES (1, 'wide', 'many', ?1, ?2, 'completed', '[]', ?3)";
    connection.execute(begun, line).unwrap();
    connection.execute_batch("INSERT INTO removals VALUES (1)").unwrap();
    connection.execute_batch("DELETE FROM events WHERE sequence < 1000").unwrap();
    drop(connection);
    let journal = Journal::open_read_only(&other.path()).unwrap();
    assert_eq!(journal.runs(10).unwrap().len(), 1, "one line, not two");
    assert!(matches!(journal.run("r1".parse().unwrap()), Err(JournalError::Removed { .. })));
    assert_eq!(journal.check().unwrap().findings, []);
    drop(journal);
    let journal = Journal::open(&other.path()).unwrap();
    assert_eq!(journal.complaint().map(|error| error.to_string()), None);
    drop(journal);
    let connection = Connection::open(other.path()).unwrap();
    for table in ["events", "runs", "removals", "event_counts"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}
