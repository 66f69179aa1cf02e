//! The formats of the journal: what is written today is what was written when the format was made,
//! and what was written in older ones is still read.
//!
//! A golden file is SQL that makes a journal. If the format must change, the version must, and the
//! golden file gets a sibling. To write it the first time: run the ignored test.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use orchestration::journal::FORMAT_VERSION;
use orchestration::{
    AttemptOutcome, CancelScope, CancellationToken, Clock, Deadline, DeadlinePolicy, FailureClass,
    Journal, JournalError, Pipeline, PipelineBuilder, Priority, Registry, RunId, RunReport,
    RunStatus, RunSummary, Stage, StageOutput, WhenLate,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

use crate::support::{Desk, collect, eventful_day, eventful_functions, failure, rewind, tamper};

fn golden_path(version: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/journal_v{version}.sql"))
}

fn golden(version: i64) -> String {
    fs::read_to_string(golden_path(version)).unwrap()
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

/// What a stage can say of itself besides what [`eventful_day`] says, isolation apart: that needs
/// other processes.
fn versatile() -> (Pipeline, Registry) {
    let mut registry = Registry::new();
    registry.register("list", |_| StageOutput::of(&json!({"is_due": false, "items": [3, 1]})));
    registry.register("items", |stage| {
        let output = stage.output_of("list").and_then(|list| list.pointer("/items"));
        StageOutput::of(&output)
    });
    registry.register("square", |stage| {
        let number: i64 = stage.item_as()?;
        StageOutput::of(&(number * number))
    });
    registry.register("broken", |_| Err(failure(FailureClass::BadData, "line 7")));
    let pipeline = PipelineBuilder::new("versatile")
        .stage(Stage::new("list", "list").memo("2026-01-31", SignedDuration::from_hours(1)))
        .stage(Stage::new("items", "items").after(["list"]))
        .stage(Stage::new("square", "square").map_over("items", Some(1)).pool("desk", 1))
        .stage(
            Stage::new("train", "square")
                .when("list", "/is_due", true)
                .timeout(SignedDuration::from_mins(5)),
        )
        .stage(Stage::new("value", "broken").fallback_value(json!({"spare": true})))
        .stage(Stage::new("report", "items").after(["list"]).after_end_of(["train", "value"]))
        .stage(Stage::new("given up", "items").after(["list"]))
        .build()
        .unwrap();
    (pipeline, registry)
}

/// Runs the versatile pipeline twice, one stage cancelled, late for its deadline.
fn write_versatile(desk: &Desk) {
    let (pipeline, registry) = versatile();
    let executor = desk.executor(registry, 1).pool("desk", 1);
    for key in ["2026-01-31", "2026-01-31 again"] {
        let run_id = executor.submit(&pipeline, key, json!(null)).unwrap().run_id;
        executor.cancel_stage(run_id, "given up", CancelScope::Subtree, "not today").unwrap();
        let policy = DeadlinePolicy {
            deadline: desk.clock.now(),
            margin: SignedDuration::ZERO,
            when_late: WhenLate::KeepTrying,
        };
        executor.execute_by(run_id, &CancellationToken::new(), &Deadline::new(policy)).unwrap();
    }
}

/// Writes every kind of row: a run of which one line is left, then every kind of event: an eventful
/// run, an interrupted one, one given up after a crash, and one that never began.
fn write_journal(desk: &Desk) {
    let executor = desk.executor(eventful_functions(desk), 1);
    let run_id = executor.submit(&eventful_day(), "2026-01-27", json!(null)).unwrap().run_id;
    executor.cancel(run_id, "too early").unwrap();
    drop(executor);
    desk.clock.advance(SignedDuration::from_hours(91 * 24));
    desk.run(eventful_functions(desk), &eventful_day(), 1);
    let (pipeline, registry, token) = interrupted();
    let executor = desk.executor(registry, 1);
    let run_id = executor.submit(&pipeline, "2026-01-29", json!([1.5, "x", null])).unwrap().run_id;
    executor.execute(run_id, &token).unwrap();
    drop(executor);
    let run_id = desk.run(eventful_functions(desk), &eventful_day(), 1).run_id;
    rewind(&Connection::open(desk.path()).unwrap(), 4, 1);
    let executor = desk.executor(eventful_functions(desk), 1);
    executor.cancel(run_id, "the operating day has passed").unwrap();
    executor.submit(&eventful_day(), "2026-01-30", json!(null)).unwrap();
    drop(executor);
    write_versatile(desk);
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
        // A journal's name is random, and how much is written at once is nobody's promise.
        ("journal", "only, '0123456789abcdef0123456789abcdef' AS id, 0 AS commits"),
        ("runs", "id, pipeline, key, submitted_at, input, definition, checksum"),
        ("event_counts", "run_id, count"),
        ("events", "run_id, sequence, at, body, checksum"),
        ("past_runs", "id, pipeline, key, submitted_at, finished_at, status, degraded, checksum"),
    ] {
        let mut query =
            connection.prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1, 2")).unwrap();
        let names = query.column_names().collect::<Vec<_>>().join(", ");
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
            writeln!(sql, "INSERT INTO {table} ({names}) VALUES ({});", values.join(", ")).unwrap();
        }
    }
    sql
}

#[test]
fn the_present_format_is_written_as_ever() {
    let desk = Desk::new();
    write_journal(&desk);
    let (today, golden) = (dump(&desk.path()), golden(FORMAT_VERSION));
    for (number, (today, then)) in today.lines().zip(golden.lines()).enumerate() {
        assert_eq!(today, then, "line {}", number + 1);
    }
    assert_eq!(today.len(), golden.len());
}

#[test]
fn the_sample_has_every_kind_of_event() {
    let golden = golden(FORMAT_VERSION);
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
        "stage_recalled",
        "stage_cancelled",
        "fan_out_opened",
        "fan_out_joined",
        "alert_raised",
        "alert_told",
        "run_interrupted",
        "run_cancelled",
        "run_finished",
    ] {
        assert!(golden.contains(&format!("{{\"kind\":\"{kind}\"")), "{kind}");
    }
}

/// Makes the journal of a golden file.
fn restore(version: i64) -> Desk {
    let desk = Desk::new();
    Connection::open(desk.path()).unwrap().execute_batch(&golden(version)).unwrap();
    desk
}

/// Returns the runs with what is known of each.
fn list(runs: Vec<RunSummary>) -> Vec<(String, String, RunStatus, usize)> {
    runs.into_iter()
        .map(|run| (run.run_id.to_string(), run.key, run.status, run.degraded.len()))
        .collect()
}

fn expected(runs: &[(&str, &str, RunStatus, usize)]) -> Vec<(String, String, RunStatus, usize)> {
    let owned = |&(id, key, status, degraded): &(&str, &str, RunStatus, usize)| {
        (id.to_owned(), key.to_owned(), status, degraded)
    };
    runs.iter().map(owned).collect()
}

#[test]
fn format_2_is_read_as_ever() {
    let desk = restore(2);
    let journal = Journal::open(&desk.path()).unwrap();
    let runs = expected(&[
        ("r000007", "2026-01-31 again", RunStatus::Completed, 2),
        ("r000006", "2026-01-31", RunStatus::Completed, 2),
        ("r000005", "2026-01-30", RunStatus::Pending, 0),
        ("r000004", "2026-01-28", RunStatus::Cancelled, 0),
        ("r000003", "2026-01-29", RunStatus::Interrupted, 0),
        ("r000002", "2026-01-28", RunStatus::Failed, 1),
        ("r000001", "2026-01-27", RunStatus::Cancelled, 0),
    ]);
    assert_eq!(list(journal.runs(10).unwrap()), runs);
    let report = journal.run("r2".parse().unwrap()).unwrap().unwrap();
    assert_eq!(report.output_as::<Vec<String>>("prices").unwrap(), ["prices"]);
    let report = journal.run("r7".parse().unwrap()).unwrap().unwrap();
    assert_eq!(report.output_as::<Vec<i64>>("square").unwrap(), [9, 1]);
    assert_eq!(journal.check().unwrap().findings, []);
}

/// Checks what a journal of format 1 says, whoever reads it.
fn check_format_1(runs: Vec<RunSummary>, run: impl Fn(&str) -> RunReport) {
    let told = expected(&[
        ("r000004", "2026-01-30", RunStatus::Pending, 0),
        ("r000003", "2026-01-28", RunStatus::Cancelled, 0),
        ("r000002", "2026-01-29", RunStatus::Interrupted, 0),
        ("r000001", "2026-01-28", RunStatus::Failed, 1),
    ]);
    assert_eq!(list(runs), told);
    let report = run("r1");
    assert_eq!(report.output_as::<Vec<String>>("prices").unwrap(), ["prices"]);
    let first = &report.stage("prices").unwrap().attempts[0];
    let expected = failure(FailureClass::Connection, "connection reset by peer");
    assert_eq!(first.outcome, AttemptOutcome::Failed(Box::new(expected)));
    let report = run("r2");
    assert_eq!(report.input, json!([1.5, "x", null]));
}

#[test]
fn format_1_is_read_as_it_is_and_migrated_by_a_writer_with_every_run_equal() {
    let desk = restore(1);
    let before = fs::read(desk.path()).unwrap();
    let id = |text: &str| text.parse::<RunId>().unwrap();
    let reader = Journal::open_read_only(&desk.path()).unwrap();
    check_format_1(reader.runs(10).unwrap(), |run| reader.run(id(run)).unwrap().unwrap());
    let seen: Vec<_> = ["r1", "r2", "r3", "r4"].map(|run| reader.run(id(run)).unwrap()).into();
    assert_eq!(reader.recall("prices", Timestamp::MIN).unwrap(), None);
    assert_eq!(reader.check().unwrap().findings, []);
    drop(reader);
    assert!(fs::read(desk.path()).unwrap() == before, "a reader changed the file");

    let journal = Journal::open(&desk.path()).unwrap();
    check_format_1(journal.runs(10).unwrap(), |run| journal.run(id(run)).unwrap().unwrap());
    let migrated: Vec<_> = ["r1", "r2", "r3", "r4"].map(|run| journal.run(id(run)).unwrap()).into();
    assert_eq!(migrated, seen);
    assert_eq!(journal.check().unwrap().findings, []);
    drop(journal);
    let connection = Connection::open(desk.path()).unwrap();
    let pragma = |name: &str| -> i64 {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    };
    assert_eq!((pragma("user_version"), pragma("auto_vacuum")), (2, 2));
}

#[test]
fn before_a_migration_the_old_journal_is_kept_beside_and_no_backup_is_replaced() {
    let desk = restore(1);
    let beside = |ending: &str| desk.folder.path().join(format!("journal.sqlite{ending}"));
    fs::write(beside(".v1.bak"), "the only copy of something").unwrap();
    fs::write(beside(".v1.bak.draft"), "left by a process that died").unwrap();
    drop(Journal::open(&desk.path()).unwrap());
    assert_eq!(fs::read(beside(".v1.bak")).unwrap(), b"the only copy of something");
    assert!(!beside(".v1.bak.draft").exists());
    let backup = Journal::open_read_only(&beside(".v1.bak.2")).unwrap();
    check_format_1(backup.runs(10).unwrap(), |run| {
        backup.run(run.parse().unwrap()).unwrap().unwrap()
    });
    drop(Journal::open(&desk.path()).unwrap());
    assert!(!beside(".v1.bak.3").exists(), "a migrated journal needs no backup");
}

#[test]
fn a_migration_that_fails_leaves_a_journal_of_format_1() {
    let desk = restore(1);
    let connection = Connection::open(desk.path()).unwrap();
    tamper(&connection, "UPDATE events SET at = 'noon' WHERE run_id = 3 AND sequence = 2");
    drop(connection);
    let error = Journal::open(&desk.path()).unwrap_err();
    assert!(matches!(&error, JournalError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("run r000003: event 2: "), "{error}");
    let connection = Connection::open(desk.path()).unwrap();
    tamper(
        &connection,
        "UPDATE events SET at = '2026-01-27T12:00:00Z' WHERE run_id = 3 AND sequence = 2",
    );
    drop(connection);
    let journal = Journal::open(&desk.path()).unwrap();
    check_format_1(journal.runs(10).unwrap(), |run| {
        journal.run(run.parse().unwrap()).unwrap().unwrap()
    });
}

#[test]
#[ignore = "writes the golden file; only for a new format"]
fn write_the_golden_file() {
    let desk = Desk::new();
    write_journal(&desk);
    fs::write(golden_path(FORMAT_VERSION), dump(&desk.path())).unwrap();
}
