//! What the journal promises from within: who shares a transaction, whose fault is whose, and what is
//! remembered of earlier runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use jiff::SignedDuration;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::pipeline::{PipelineBuilder, Stage, StageIndex};
use crate::run::{FencingToken, RunStatus};

const NOON: &str = "2026-01-27T12:00:00Z";

fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

/// A journal, in a folder that lives as long as it is needed.
fn journal() -> (TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
    (folder, journal)
}

fn pipeline() -> Pipeline {
    PipelineBuilder::new("day").stage(Stage::new("a", "work")).build().unwrap()
}

fn layout() -> Layout {
    Layout::new(Arc::new(pipeline()))
}

fn submit(journal: &Journal, key: &str) -> RunId {
    let (input, now) = (Value::Null, noon());
    journal.submit(Earlier::First, &pipeline(), (key, &input), now).unwrap().run_id
}

/// Appends events as they will be written, so many seconds after noon.
fn append_bodies(journal: &Journal, run_id: RunId, sequence: i64, bodies: &[(i64, Value)]) {
    let at = |seconds: i64| format::write_instant(noon() + SignedDuration::from_secs(seconds));
    let events = bodies.iter().map(|(seconds, body)| (at(*seconds), body.to_string())).collect();
    journal.commit(Change::Append { run_id, sequence, events }).unwrap();
}

fn started(function: &str) -> Event {
    let (stage, token) = (StageIndex(0), FencingToken(1));
    let kind = EventKind::AttemptStarted { stage, attempt: 1, function: function.into(), token };
    Event { at: Timestamp::UNIX_EPOCH, kind }
}

fn count_events(journal: &Journal, run_id: RunId) -> i64 {
    journal.reader.state(run_id).unwrap().unwrap().1
}

#[test]
fn a_batch_that_does_not_fit_on_the_disk_is_refused_whole() {
    let ((_folder, journal), layout, now) = (journal(), layout(), noon());
    let (path, run_id) = (journal.path().to_owned(), submit(&journal, "k"));
    // SQLite answers in the same way when it meets its own limit and when it meets the disk's.
    journal.pen.connection().pragma_update(None, "max_page_count", 20).unwrap();
    let large = "x".repeat(1 << 20);
    let lost = Event {
        at: now,
        kind: EventKind::AttemptLost { stage: StageIndex(0), token: FencingToken(1) },
    };
    let batch = [started("work"), lost, started(&large)];
    let error = journal.append(run_id, 0, &batch, &layout).unwrap_err();
    assert!(matches!(&error, JournalError::DiskFull { path: full } if *full == path), "{error}");
    assert_eq!(count_events(&journal, run_id), 0);
    journal.append(run_id, 0, &[started("work")], &layout).unwrap();
    assert_eq!(count_events(&journal, run_id), 1);
}

#[test]
fn events_that_do_not_follow_what_is_there_are_refused() {
    let ((_folder, journal), layout) = (journal(), layout());
    let run_id = submit(&journal, "k");
    journal.append(run_id, 0, &[started("work")], &layout).unwrap();
    for (sequence, run_id) in [(0, run_id), (2, run_id), (0, RunId(9))] {
        let error = journal.append(run_id, sequence, &[started("work")], &layout).unwrap_err();
        assert!(
            matches!(error, JournalError::OutOfOrder { expected, .. } if expected == sequence)
                || matches!(&error, JournalError::Sqlite { .. }),
            "{error}"
        );
    }
    assert_eq!(count_events(&journal, run_id), 1);
}

/// Lets one run write, and the others come while it does; returns what each was told.
fn write_at_once(journal: &Journal, others: &[(RunId, i64)]) -> Vec<Result<(), JournalError>> {
    let (first, layout) = (submit(journal, "first"), layout());
    // Whoever writes waits for the connection.
    let connection = journal.pen.connection();
    thread::scope(|scope| {
        let append = |(run_id, sequence): (RunId, i64)| {
            let layout = &layout;
            scope.spawn(move || journal.append(run_id, sequence, &[started("work")], layout))
        };
        let is_waiting = |changes: usize, writing: &str| {
            let queue = format!("{:?}", journal.queue);
            queue.matches("Append").count() == changes && queue.contains(writing)
        };
        let mut told = vec![append((first, 0))];
        while !is_waiting(0, "is_writing: true") {
            thread::yield_now();
        }
        for (place, other) in others.iter().enumerate() {
            told.push(append(*other));
            while !is_waiting(place + 1, "is_writing: true") {
                thread::yield_now();
            }
        }
        drop(connection);
        told.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn whoever_comes_while_somebody_writes_shares_the_next_transaction() {
    let (_folder, journal) = journal();
    let runs: Vec<_> = ["b", "c", "d", "e"].map(|key| (submit(&journal, key), 0)).into();
    let before = journal.commits();
    assert!(write_at_once(&journal, &runs).iter().all(Result::is_ok));
    assert_eq!(journal.commits() - before, 3, "one submission, the first, and all the others");
    for (run_id, _) in runs {
        assert_eq!(count_events(&journal, run_id), 1);
    }
}

#[test]
fn what_one_run_does_wrong_harms_no_other() {
    let (_folder, journal) = journal();
    let mut runs: Vec<_> = ["b", "c", "d", "e"].map(|key| (submit(&journal, key), 0)).into();
    runs[1].1 = 7;
    let told = write_at_once(&journal, &runs);
    let wrong: Vec<usize> =
        told.iter().enumerate().filter(|(_, told)| told.is_err()).map(|(place, _)| place).collect();
    assert_eq!(wrong, [2], "the second of the others");
    assert!(matches!(&told[2], Err(JournalError::OutOfOrder { run_id, expected: 7 })
        if *run_id == runs[1].0));
    let counts: Vec<i64> = runs.iter().map(|(run, _)| count_events(&journal, *run)).collect();
    assert_eq!(counts, [1, 0, 1, 1]);
}

#[test]
fn a_file_that_another_program_locks_is_told_as_busy_and_works_when_it_is_free() {
    let ((_folder, journal), layout) = (journal(), layout());
    let run_id = submit(&journal, "k");
    journal.pen.connection().busy_timeout(std::time::Duration::ZERO).unwrap();
    let other = Connection::open(journal.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = journal.append(run_id, 0, &[started("work")], &layout).unwrap_err();
    assert!(matches!(&error, JournalError::Busy { path } if path == journal.path()), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    journal.append(run_id, 0, &[started("work")], &layout).unwrap();
    assert_eq!(count_events(&journal, run_id), 1);
}

#[test]
fn a_commit_is_counted_and_a_look_is_not() {
    let ((_folder, journal), layout) = (journal(), layout());
    assert_eq!(journal.commits(), 0);
    let run_id = submit(&journal, "k");
    assert_eq!(journal.commits(), 1);
    assert_eq!(submit(&journal, "k"), run_id);
    assert_eq!(journal.commits(), 1, "an earlier run was found");
    journal.append(run_id, 0, &[started("work"), started("work")], &layout).unwrap();
    assert_eq!(journal.commits(), 2);
}

#[test]
fn the_newest_fresh_output_with_a_memo_key_is_recalled() {
    let (_folder, journal) = journal();
    let completed = |memo: &str, output: &str, degraded: &[&str]| {
        json!({"kind": "stage_completed", "stage": "a", "token": 1, "memo": memo,
            "output": output, "degraded": degraded})
    };
    let (first, second) = (submit(&journal, "one"), submit(&journal, "two"));
    let bodies = [
        (1, completed("prices", "old", &[])),
        (5, completed("weather", "sunny", &[])),
        (6, json!({"kind": "stage_skipped", "stage": "a", "reason": "", "memo": "skipped"})),
    ];
    append_bodies(&journal, first, 0, &bodies);
    let bodies = [
        (3, completed("prices", "new", &[])),
        (4, completed("prices", "newest, but degraded", &["a: cached"])),
    ];
    append_bodies(&journal, second, 0, &bodies);
    let recall = |memo: &str, seconds: i64| {
        let not_before = noon() + SignedDuration::from_secs(seconds);
        let recalled = journal.recall(memo, not_before).unwrap()?;
        Some((recalled.from, recalled.output))
    };
    let new = Some((second, json!("new")));
    assert_eq!(recall("prices", 0), new);
    assert_eq!(recall("prices", 3), new, "not before is not after");
    assert_eq!(recall("prices", 4), None);
    assert_eq!(recall("weather", 0), Some((first, json!("sunny"))));
    assert_eq!(recall("skipped", 0), None);
    assert_eq!(recall("nothing", 0), None);
}

#[test]
fn how_long_a_stage_takes_is_learned_from_the_latest_finished_runs() {
    let (_folder, journal) = journal();
    let run = |key: &str, seconds: i64, end: Value| {
        let run_id = submit(&journal, key);
        let bodies = [
            (0, json!({"kind": "attempt_started", "stage": "a", "attempt": 1, "token": 1})),
            (50, json!({"kind": "attempt_failed", "stage": "a", "token": 1})),
            (60, json!({"kind": "attempt_started", "stage": "a", "attempt": 2, "token": 2})),
            (60 + seconds, json!({"kind": "stage_completed", "stage": "a", "token": 2})),
            (60, json!({"kind": "attempt_started", "stage": "never", "attempt": 1, "token": 3})),
            (99, end),
        ];
        append_bodies(&journal, run_id, 0, &bodies);
    };
    run("too long ago", 30, json!({"kind": "run_finished"}));
    run("one", 10, json!({"kind": "run_finished"}));
    run("two", 20, json!({"kind": "run_finished"}));
    run("cancelled", 30, json!({"kind": "run_cancelled"}));
    run("running", 30, json!({"kind": "run_interrupted"}));
    let durations = |pipeline: &str, runs_max| journal.reader.stage_durations(pipeline, runs_max);
    let expected = BTreeMap::from([("a".to_owned(), SignedDuration::from_secs(20))]);
    assert_eq!(durations("day", 2).unwrap(), expected);
    assert_eq!(durations("day", 3).unwrap()["a"], SignedDuration::from_secs(30));
    assert_eq!(durations("night", 3).unwrap(), BTreeMap::new());
}

#[test]
fn the_oldest_lines_go_when_there_are_too_many() {
    let (_folder, mut journal) = journal();
    journal.keeper = Keeper::remembering(Retention::default(), 2);
    for key in ["one", "two", "three"] {
        let run_id = submit(&journal, key);
        let bodies = [(0, json!({"kind": "run_cancelled", "reason": "not needed"}))];
        append_bodies(&journal, run_id, 0, &bodies);
    }
    journal.keeper.keep(&journal.pen, Some(noon() + SignedDuration::from_hours(91 * 24)));
    assert_eq!(journal.complaint().map(|error| error.to_string()), None);
    let left: Vec<_> =
        journal.runs(10).unwrap().into_iter().map(|run| (run.key, run.status)).collect();
    let line = |key: &str| (key.to_owned(), RunStatus::Cancelled);
    assert_eq!(left, [line("three"), line("two")]);
    assert_eq!(submit(&journal, "two"), RunId(2), "a run with a line is found");
    assert_eq!(submit(&journal, "one"), RunId(4), "a run without is forgotten");
}

#[test]
fn commits_reach_the_disk_before_they_are_acted_upon() {
    let (_folder, journal) = journal();
    let pragma = |name: &str| -> String {
        let connection = journal.pen.connection();
        let value: rusqlite::types::Value =
            connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
        format!("{value:?}")
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("synchronous"), "Integer(2)", "2 is FULL");
    assert_eq!(pragma("foreign_keys"), "Integer(1)");
}
