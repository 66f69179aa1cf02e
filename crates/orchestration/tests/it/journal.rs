//! Who may open a journal, and what is said about files that are none.

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use orchestration::{CancellationToken, Journal, JournalError, RunStatus};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{Desk, eventful_day, eventful_functions, forge_event, rewind, tamper};

/// Opens the desk's journal for writing and for reading, and checks that both say the same.
fn check_refused(desk: &Desk, expected: &str) {
    let before = fs::read(desk.path()).unwrap();
    let writer = Journal::open(&desk.path()).unwrap_err();
    let reader = Journal::open_read_only(&desk.path()).unwrap_err();
    let place = desk.path().display().to_string();
    assert_eq!(writer.to_string().replace(&place, "PATH"), expected);
    assert_eq!(reader.to_string().replace(&place, "PATH"), expected);
    assert!(fs::read(desk.path()).unwrap() == before, "the file was changed");
}

#[test]
fn a_second_writer_is_refused_and_told_who_the_first_is() {
    let desk = Desk::new();
    let first = Journal::open(&desk.path()).unwrap();
    match Journal::open(&desk.path()).unwrap_err() {
        JournalError::InUse { path, pid } => {
            assert_eq!((path, pid), (desk.path(), Some(std::process::id())));
        }
        other => panic!("{other}"),
    }
    drop(first);
    Journal::open(&desk.path()).unwrap();
}

#[test]
fn a_reader_works_beside_a_writer_and_sees_what_is_committed() {
    let desk = Desk::new();
    let executor = desk.executor(eventful_functions(&desk), 1);
    let reader = Journal::open_read_only(&desk.path()).unwrap();
    assert_eq!(reader.runs(10).unwrap(), []);
    let run_id = executor.submit(&eventful_day(), "2026-01-28", json!(null)).unwrap().run_id;
    assert_eq!(reader.runs(10).unwrap()[0].status, RunStatus::Pending);
    let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
    assert_eq!(reader.run(run_id).unwrap(), Some(report.clone()));
    let summary = &reader.runs(10).unwrap()[0];
    assert_eq!(
        (summary.status, &summary.degraded, summary.finished_at),
        (RunStatus::Failed, &report.degraded, report.finished_at)
    );
    assert_eq!(reader.run("r9".parse().unwrap()).unwrap(), None);
}

#[test]
fn the_newest_runs_come_first_and_no_more_than_asked_for() {
    let desk = Desk::new();
    let executor = desk.executor(eventful_functions(&desk), 1);
    for key in ["one", "two", "three"] {
        executor.submit(&eventful_day(), key, json!(null)).unwrap();
    }
    let keys: Vec<String> =
        executor.journal().runs(2).unwrap().into_iter().map(|run| run.key).collect();
    assert_eq!(keys, ["three", "two"]);
}

#[test]
fn a_journal_that_does_not_exist_is_not_made_by_reading() {
    let desk = Desk::new();
    let error = Journal::open_read_only(&desk.path()).unwrap_err();
    assert!(matches!(error, JournalError::NotFound { .. }), "{error}");
    assert!(!desk.path().exists());
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_alone() {
    let expected = "PATH is not a journal of this program; it was left as it is, \
                    choose another path";
    let desk = Desk::new();
    fs::write(desk.path(), "settlement point,price\nHB_NORTH,31.5\n".repeat(100)).unwrap();
    check_refused(&desk, expected);

    let desk = Desk::new();
    Connection::open(desk.path()).unwrap().execute_batch("CREATE TABLE recipes (id)").unwrap();
    check_refused(&desk, expected);
}

#[test]
fn a_newer_format_is_refused() {
    let desk = Desk::new();
    drop(Journal::open(&desk.path()).unwrap());
    Connection::open(desk.path()).unwrap().pragma_update(None, "user_version", 3).unwrap();
    check_refused(
        &desk,
        "journal PATH has format 3, this program knows formats up to 2; use the newer program",
    );
}

#[test]
fn a_damaged_journal_is_refused_and_not_repaired() {
    let desk = Desk::new();
    desk.run(eventful_functions(&desk), &eventful_day(), 1);
    let mut file = fs::OpenOptions::new().write(true).open(desk.path()).unwrap();
    let bytes = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(bytes / 2)).unwrap();
    file.write_all(&[0xff; 4096]).unwrap();
    drop(file);
    let error = Journal::open(&desk.path()).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}

#[test]
fn what_is_wrong_with_a_run_is_said_of_that_run() {
    let original = Desk::new();
    let run_id = original.run(eventful_functions(&original), &eventful_day(), 1).run_id;
    let check = |change: &dyn Fn(&Connection), expected: &str| {
        let desk = Desk::new();
        fs::copy(original.path(), desk.path()).unwrap();
        change(&Connection::open(desk.path()).unwrap());
        let journal = Journal::open_read_only(&desk.path()).unwrap();
        match journal.run(run_id).unwrap_err() {
            JournalError::Damaged { detail, .. } => assert_eq!(detail, expected),
            other => panic!("{other}, expected {expected}"),
        }
        let findings: Vec<String> =
            journal.check().unwrap().findings.iter().map(ToString::to_string).collect();
        assert_eq!(findings, [expected]);
    };
    let sql = |change: &'static str| move |connection: &Connection| tamper(connection, change);
    check(
        &sql(r#"UPDATE runs SET input = '{"day":29}'"#),
        "run r000001: its submission has changed",
    );
    check(
        &sql("UPDATE events SET body = replace(body, 'reset', 'resex') WHERE sequence = 1"),
        "run r000001: event 1 has changed",
    );
    check(
        &sql("UPDATE events SET at = replace(at, '2026', '2025') WHERE sequence = 18"),
        "run r000001: event 18 has changed",
    );
    check(&sql("DELETE FROM events WHERE sequence = 4"), "run r000001: event 4 is missing");
    check(
        &sql("DELETE FROM events WHERE sequence = 18"),
        "run r000001: 18 events where 19 were written",
    );
    let impossible = |connection: &Connection| {
        rewind(connection, 1, 4);
        forge_event(connection, 1, 4, &json!({"kind": "stage_failed", "stage": "publish"}));
    };
    check(&impossible, "run r000001: event 4: stage_failed does not fit stage publish");
}

#[test]
fn what_is_written_cannot_be_changed() {
    let desk = Desk::new();
    desk.run(eventful_functions(&desk), &eventful_day(), 1);
    let connection = Connection::open(desk.path()).unwrap();
    for change in ["UPDATE events SET at = ''", "UPDATE runs SET key = ''"] {
        let error = connection.execute(change, []).unwrap_err();
        assert_eq!(error.to_string(), "the journal is append-only");
    }
}

#[test]
fn a_place_where_no_journal_can_be_is_named() {
    let desk = Desk::new();
    let missing = desk.folder.path().join("missing").join("journal.sqlite");
    let error = Journal::open(&missing).unwrap_err();
    assert!(matches!(&error, JournalError::NotWritable { path, .. } if *path == missing));
    let folder = desk.folder.path();
    let error = Journal::open(folder).unwrap_err();
    assert!(matches!(&error, JournalError::NotWritable { path, .. } if path == folder), "{error}");
}
