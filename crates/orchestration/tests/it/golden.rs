//! The format of the journal, version 1: what is written today is what was written then, and what
//! was written then is still read.
//!
//! The golden file is SQL that makes the journal. If the format must change, the version must, and
//! this file gets a sibling. To write it the first time: run the ignored test.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use orchestration::{
    AttemptOutcome, CancellationToken, FailureClass, Journal, Pipeline, PipelineBuilder, Priority,
    Registry, RunStatus, Stage,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

use crate::support::{Desk, collect, eventful_day, eventful_functions, failure};

fn golden_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal_v1.sql")
}

/// A pipeline whose only stage asks to stop, and uses what the eventful day does not.
fn interrupted() -> (Pipeline, Registry, CancellationToken) {
    let token = CancellationToken::new();
    let asked = token.clone();
    let mut registry = Registry::new();
    registry.register("stop", move |stage| {
        asked.cancel();
        stage.check_cancelled()?;
        collect(stage)
    });
    registry.register("limited", |_| {
        Err(failure(FailureClass::RateLimit, "too many requests")
            .with_wait(jiff::SignedDuration::from_mins(90)))
    });
    let pipeline = PipelineBuilder::new("interrupted")
        .stage(Stage::new("fetch", "limited").priority(Priority::Critical))
        .stage(Stage::new("fit", "stop").priority(Priority::Low))
        .build()
        .unwrap();
    (pipeline, registry, token)
}

/// Writes every kind of event: an eventful run, an interrupted one, one given up after a crash, and
/// one that never began.
fn write_journal(desk: &Desk) {
    desk.run(eventful_functions(desk), &eventful_day(), 1);
    let (pipeline, registry, token) = interrupted();
    let executor = desk.executor(registry, 1);
    let run_id = executor.submit(&pipeline, "2026-01-29", json!([1.5, "x", null])).unwrap().run_id;
    executor.execute(run_id, &token).unwrap();
    drop(executor);
    let run_id = desk.run(eventful_functions(desk), &eventful_day(), 1).run_id;
    Connection::open(desk.path())
        .unwrap()
        .execute("DELETE FROM events WHERE run_id = 3 AND 0 < sequence", [])
        .unwrap();
    let executor = desk.executor(eventful_functions(desk), 1);
    executor.cancel(run_id, "the operating day has passed").unwrap();
    executor.submit(&eventful_day(), "2026-01-30", json!(null)).unwrap();
}

/// Returns SQL that makes the journal again.
fn dump(path: &Path) -> String {
    let connection = Connection::open(path).unwrap();
    let mut sql = String::new();
    for pragma in ["application_id", "user_version"] {
        let value: i64 = connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        writeln!(sql, "PRAGMA {pragma} = {value};").unwrap();
    }
    let mut query = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY rowid")
        .unwrap();
    let statements = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for statement in statements {
        writeln!(sql, "{};", statement.unwrap()).unwrap();
    }
    for (table, columns) in [
        ("runs", "id, pipeline, key, submitted_at, input, definition"),
        ("events", "run_id, sequence, at, body"),
    ] {
        let mut query =
            connection.prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1, 2")).unwrap();
        let count = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..count)
                .map(|column| match row.get(column).unwrap() {
                    Value::Integer(number) => number.to_string(),
                    Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
                    other => panic!("{other:?}"),
                })
                .collect();
            writeln!(sql, "INSERT INTO {table} ({columns}) VALUES ({});", values.join(", "))
                .unwrap();
        }
    }
    sql
}

#[test]
fn format_1_is_written_as_ever() {
    let desk = Desk::new();
    write_journal(&desk);
    let golden = fs::read_to_string(golden_path()).unwrap();
    for (number, (today, then)) in dump(&desk.path()).lines().zip(golden.lines()).enumerate() {
        assert_eq!(today, then, "line {}", number + 1);
    }
    assert_eq!(dump(&desk.path()).len(), golden.len());
}

#[test]
fn the_sample_has_every_kind_of_event() {
    let golden = fs::read_to_string(golden_path()).unwrap();
    for kind in [
        "attempt_started",
        "stage_completed",
        "attempt_failed",
        "attempt_cancelled",
        "attempt_lost",
        "retry_scheduled",
        "rung_taken",
        "stage_failed",
        "stage_skipped",
        "run_interrupted",
        "run_cancelled",
        "run_finished",
    ] {
        assert!(golden.contains(&format!("{{\"kind\":\"{kind}\"")), "{kind}");
    }
}

#[test]
fn format_1_is_read_as_ever() {
    let desk = Desk::new();
    let golden = fs::read_to_string(golden_path()).unwrap();
    Connection::open(desk.path()).unwrap().execute_batch(&golden).unwrap();
    let journal = Journal::open(&desk.path()).unwrap();
    let runs: Vec<_> = journal
        .runs(10)
        .unwrap()
        .into_iter()
        .map(|run| (run.run_id.to_string(), run.key, run.status, run.degraded.len()))
        .collect();
    let expected = [
        ("r000004", "2026-01-30", RunStatus::Pending, 0),
        ("r000003", "2026-01-28", RunStatus::Cancelled, 0),
        ("r000002", "2026-01-29", RunStatus::Interrupted, 0),
        ("r000001", "2026-01-28", RunStatus::Failed, 1),
    ];
    let expected = expected
        .map(|(id, key, status, degraded)| (id.to_owned(), key.to_owned(), status, degraded));
    assert_eq!(runs, expected);
    let report = journal.run("r1".parse().unwrap()).unwrap().unwrap();
    assert_eq!(report.output_as::<Vec<String>>("prices").unwrap(), ["prices"]);
    let first = &report.stage("prices").unwrap().attempts[0];
    let expected = failure(FailureClass::Connection, "connection reset by peer");
    assert_eq!(first.outcome, AttemptOutcome::Failed(Box::new(expected)));
    let report = journal.run("r2".parse().unwrap()).unwrap().unwrap();
    assert_eq!(report.input, json!([1.5, "x", null]));
}

#[test]
#[ignore = "writes the golden file; only for a new format"]
fn write_the_golden_file() {
    let desk = Desk::new();
    write_journal(&desk);
    fs::write(golden_path(), dump(&desk.path())).unwrap();
}
