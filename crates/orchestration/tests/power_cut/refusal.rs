//! The disk refuses a write, a sync or a file, at every place where it can: the error says what to
//! do, nothing that was acknowledged is lost, and the same run completes afterwards.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, Once};

use orchestration::{ExecutionError, JournalError, ObservationKind, PipelineExecutor, RunReport};
use rusqlite::{Connection, ffi};

use crate::acknowledged::{Acknowledged, observe};
use crate::disk::{Disk, Files, Loss};
use crate::scenario::{Desk, Failure, check_tokens, completed_stages, read_rows, result_of, run};
use crate::tape::{Call, Fault, Tape};
use crate::vfs;

/// A fault that does not pass by itself.
const FOR_EVER: usize = usize::MAX;

/// Since when the disk refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Onset {
    /// Before there is a journal.
    Opening,
    /// Once the journal is open.
    Work,
}

/// Says all that there is to say about what went wrong, in one line.
fn tell(error: &JournalError) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

fn journal_error(result: Result<RunReport, ExecutionError>) -> Option<JournalError> {
    match result {
        Ok(_) => None,
        Err(ExecutionError::Journal(error)) => Some(error),
        Err(other) => panic!("{other}"),
    }
}

/// What a day's work came to that the disk disturbed.
struct Disturbed {
    /// If the journal could be opened.
    executor: Option<PipelineExecutor>,
    error: Option<JournalError>,
}

/// Does one day's work, in so far as the disk allows, which gets the fault at its onset.
fn work(desk: &Desk, tape: &Arc<Tape>, onset: Onset, fault: Fault) -> Disturbed {
    if onset == Onset::Opening {
        tape.set_fault(Some(fault.clone()));
    }
    let executor = match desk.executor(1) {
        Ok(executor) => observe(tape, desk, executor),
        Err(error) => return Disturbed { executor: None, error: Some(error) },
    };
    if onset == Onset::Work {
        tape.set_fault(Some(fault));
    }
    let error = journal_error(run(&executor, "one"));
    Disturbed { executor: Some(executor), error }
}

/// Refuses calls at one place after another until there are no more; returns what was said.
fn refuse(onset: Onset, calls: &[(Call, i32)]) -> BTreeSet<String> {
    let undisturbed = Desk::new(&Files::new());
    let expected = result_of(&run(&undisturbed.executor(1).unwrap(), "one").unwrap());
    let mut said = BTreeSet::new();
    for first in 0.. {
        let desk = Desk::new(&Files::new());
        let tape = Tape::new(desk.folder.path());
        let taping = vfs::record(&tape);
        // One call is refused, or all that follow.
        let count = if first / 2 % 2 == 0 { 1 } else { FOR_EVER };
        let fault = Fault { calls: calls.to_vec(), first, count };
        let Disturbed { executor, error } = work(&desk, &tape, onset, fault);
        let refused = tape.refused();
        tape.set_fault(None);
        if refused == 0 {
            assert!(error.is_none() && 0 < first, "{first}: {error:?}");
            break;
        }
        let mut acknowledged = Acknowledged::default();
        tape.operations().iter().for_each(|operation| acknowledged.note(operation));
        said.insert(error.as_ref().map_or_else(|| "nothing".to_owned(), tell));
        // The process goes on in every second case, and is started again in the others.
        let executor = executor.filter(|_| first % 2 == 0);
        recover(&desk, executor, &acknowledged, &expected)
            .and_then(|()| cut_power(&desk, &tape))
            .unwrap_or_else(|error| panic!("{calls:?}, {first} of them succeeded: {error}"));
        drop(taping);
    }
    said
}

/// Carries on after the fault has passed.
fn recover(
    desk: &Desk,
    executor: Option<PipelineExecutor>,
    acknowledged: &Acknowledged,
    expected: &[String],
) -> Result<(), Failure> {
    let executor = match executor {
        Some(executor) => executor,
        None => desk.executor(1)?,
    };
    let before = read_rows(&desk.path())?;
    acknowledged.check(&before)?;
    desk.take_calls();
    if result_of(&run(&executor, "one")?) != expected {
        return Err("the run ended differently".into());
    }
    let (calls, rows) = (desk.take_calls(), before.get("one").map_or(&[][..], Vec::as_slice));
    let mut completed = completed_stages(rows).into_iter();
    if let Some(stage) = completed.find(|stage| calls.iter().any(|call| call == stage)) {
        return Err(format!("completed stage {stage} was repeated").into());
    }
    let after = read_rows(&desk.path())?;
    if before.get("one").is_some_and(|rows| !after["one"].starts_with(rows)) {
        return Err("the past was rewritten".into());
    }
    check_tokens(&after["one"])
}

/// Checks that everything which was acknowledged after the fault is durable: what a failed sync
/// left unwritten must be written anew, since the system will not try again.
fn cut_power(desk: &Desk, tape: &Tape) -> Result<(), Failure> {
    let mut disk = Disk::new(&Files::new());
    for operation in tape.operations() {
        disk.apply(&operation);
    }
    let found = Desk::new(&disk.after_power_cut(Loss::Whole));
    let _executor = found.executor(1)?;
    if read_rows(&found.path())? != read_rows(&desk.path())? {
        return Err("a power cut lost something after the fault had passed".into());
    }
    Ok(())
}

fn check(onset: Onset, calls: &[(Call, i32)], expected: &str) {
    for told in refuse(onset, calls) {
        assert!(told.contains(expected), "{calls:?}: {told}");
    }
}

const FULL: [(Call, i32); 1] = [(Call::Write, ffi::SQLITE_FULL)];

const NO_FILE: [(Call, i32); 1] = [(Call::Create, ffi::SQLITE_CANTOPEN)];

const SYNC_FAILS: [(Call, i32); 1] = [(Call::Sync, ffi::SQLITE_IOERR_FSYNC)];

const READ_ONLY: [(Call, i32); 4] = [
    (Call::Write, ffi::SQLITE_READONLY),
    (Call::Truncate, ffi::SQLITE_READONLY),
    (Call::Create, ffi::SQLITE_CANTOPEN),
    (Call::Delete, ffi::SQLITE_READONLY),
];

#[test]
fn a_full_disk_is_said_at_every_write_and_the_run_completes_once_there_is_room() {
    check(Onset::Work, &FULL, "the disk is full; make room");
}

#[test]
fn a_failed_sync_is_said_and_what_it_left_unwritten_is_written_anew() {
    check(Onset::Work, &SYNC_FAILS, "disk I/O error");
}

#[test]
fn a_file_system_that_becomes_read_only_is_said_and_the_run_completes_once_it_is_not() {
    check(
        Onset::Work,
        &READ_ONLY,
        "cannot be written; check that its directory exists and is writable",
    );
}

#[test]
fn a_journal_whose_files_cannot_be_made_is_refused_and_can_be_made_later() {
    check(
        Onset::Opening,
        &NO_FILE,
        "cannot be written; check that its directory exists and is writable",
    );
}

#[test]
fn a_journal_that_is_disturbed_while_it_is_made_says_so_and_can_be_made_later() {
    check(Onset::Opening, &FULL, "the disk is full; make room");
    check(Onset::Opening, &SYNC_FAILS, "disk I/O error");
    check(
        Onset::Opening,
        &READ_ONLY,
        "cannot be written; check that its directory exists and is writable",
    );
}

#[test]
fn a_journal_that_another_program_keeps_locked_is_said_and_the_run_completes_afterwards() {
    // Nobody sleeps in this process, so the long wait for the lock is short.
    vfs::install();
    let desk = Desk::new(&Files::new());
    let held = Arc::new(Mutex::new(None));
    let (path, holder) = (desk.path(), Arc::clone(&held));
    let lock = move || {
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
        holder.lock().unwrap().replace(connection);
    };
    let unlock = || drop(held.lock().unwrap().take().expect("it was locked"));
    let lock_once = lock.clone();
    let once = Once::new();
    let executor = desk.executor(1).unwrap().observe(Box::new(move |observation| {
        if let ObservationKind::StageStarted { stage, .. } = &observation.kind
            && stage == "features"
        {
            once.call_once(&lock_once);
        }
    }));

    lock();
    let said = journal_error(run(&executor, "one")).map(|error| tell(&error));
    assert!(said.is_some_and(|told| told.contains("is locked")));
    assert_eq!(desk.take_calls(), Vec::<String>::new());
    unlock();

    let said = journal_error(run(&executor, "one")).map(|error| tell(&error));
    assert!(said.is_some_and(|told| told.contains("is locked")));
    unlock();
    let undisturbed = Desk::new(&Files::new());
    let expected = result_of(&run(&undisturbed.executor(1).unwrap(), "one").unwrap());
    recover(&desk, Some(executor), &Acknowledged::default(), &expected).unwrap();
}
