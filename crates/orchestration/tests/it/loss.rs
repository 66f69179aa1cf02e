//! Whatever is cut off a journal or changed in it is noticed: opening refuses and leaves the files
//! as they are, or the run says so, or nothing that was acknowledged is missing.

use std::fs;
use std::path::{Path, PathBuf};

use orchestration::{CancellationToken, Journal, JournalError, JournalReader, RunId, RunReport};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{Desk, eventful_day, eventful_functions};

/// The files of a journal that matter; `-shm` holds nothing.
const FILES: [&str; 3] = ["", "-wal", ".mark"];

/// A journal as it lies on the disk at one moment.
#[derive(Clone, PartialEq)]
struct Snapshot(Vec<(&'static str, Vec<u8>)>);

fn beside(journal: &Path, ending: &str) -> PathBuf {
    let mut path = journal.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

impl Snapshot {
    fn take(journal: &Path) -> Self {
        let read = |ending| Some((ending, fs::read(beside(journal, ending)).ok()?));
        Self(FILES.into_iter().filter_map(read).collect()).whole()
    }

    /// Leaves an empty log out: whoever opens a journal makes one if there is none.
    fn whole(&self) -> Self {
        let is_there = |(ending, bytes): &&(&str, Vec<u8>)| *ending != "-wal" || !bytes.is_empty();
        Self(self.0.iter().filter(is_there).cloned().collect())
    }

    fn lay_out(&self) -> Desk {
        let desk = Desk::new();
        for (ending, bytes) in &self.0 {
            fs::write(beside(&desk.path(), ending), bytes).unwrap();
        }
        desk
    }

    fn bytes(&mut self, ending: &str) -> &mut Vec<u8> {
        &mut self.0.iter_mut().find(|(other, _)| *other == ending).unwrap().1
    }

    fn without(mut self, ending: &str) -> Self {
        self.0.retain(|(other, _)| *other != ending);
        self
    }
}

/// What was acknowledged: the runs of a journal in which a day was run, and another one submitted.
struct Acknowledged {
    runs: Vec<RunReport>,
    /// While the writer still had it open: what is new is in the write-ahead log.
    open: Snapshot,
    /// After the writer closed it: all is in the file.
    closed: Snapshot,
}

impl Acknowledged {
    fn new() -> Self {
        let desk = Desk::new();
        let executor = desk.executor(eventful_functions(&desk), 1);
        let run_id = executor.submit(&eventful_day(), "one", json!({"day": 28})).unwrap().run_id;
        executor.execute(run_id, &CancellationToken::new()).unwrap();
        executor.submit(&eventful_day(), "two", json!(null)).unwrap();
        let ids = ["r1", "r2"].map(|id| id.parse::<RunId>().unwrap());
        let runs = ids.map(|id| executor.journal().run(id).unwrap().unwrap()).into();
        let open = Snapshot::take(&desk.path());
        drop(executor);
        Self { runs, open, closed: Snapshot::take(&desk.path()) }
    }

    /// Checks that nothing is missing without being said; returns what was said, if anything.
    fn check(&self, snapshot: &Snapshot, change: &str) -> Option<JournalError> {
        let desk = snapshot.lay_out();
        let reader = Journal::open_read_only(&desk.path());
        let said = match &reader {
            Ok(reader) => self.read(reader, change),
            Err(_) => None,
        };
        drop(reader);
        match Journal::open(&desk.path()) {
            Err(error) => {
                let left = Snapshot::take(&desk.path());
                assert!(
                    left == snapshot.whole(),
                    "{change}: refused, and the files were changed: {error}"
                );
                Some(error)
            }
            Ok(journal) => {
                drop(journal);
                said.or_else(|| self.submit_again(&desk, change))
            }
        }
    }

    fn read(&self, reader: &JournalReader, change: &str) -> Option<JournalError> {
        let mut said = None;
        for expected in &self.runs {
            match reader.run(expected.run_id) {
                Ok(found) => assert_eq!(found.as_ref(), Some(expected), "{change}: lost"),
                Err(error) => said = Some(error),
            }
        }
        match reader.runs(10) {
            Ok(list) => {
                let found: Vec<_> = list.iter().rev().map(|run| (run.run_id, run.status)).collect();
                let expected: Vec<_> =
                    self.runs.iter().map(|run| (run.run_id, run.status)).collect();
                if said.is_none() {
                    assert_eq!(found, expected, "{change}: lost from the list");
                }
            }
            Err(error) => said = Some(error),
        }
        said
    }

    /// Submits what is there once more: it must be found.
    fn submit_again(&self, desk: &Desk, change: &str) -> Option<JournalError> {
        let executor = desk.executor(eventful_functions(desk), 1);
        for run in &self.runs {
            let found = executor.submit_once(&eventful_day(), &run.key, json!(null)).unwrap();
            assert_eq!((found.run_id, found.resumed), (run.run_id, true), "{change}: run again");
        }
        None
    }
}

fn detail(error: &JournalError) -> &str {
    match error {
        JournalError::Damaged { detail, .. } => detail,
        other => panic!("{other}"),
    }
}

#[test]
fn an_undamaged_journal_is_read_from_its_file_and_from_its_write_ahead_log() {
    let acknowledged = Acknowledged::new();
    let mut open = acknowledged.open.clone();
    assert!(open.bytes("").len() < open.bytes("-wal").len(), "what is new is in the log");
    for snapshot in [&acknowledged.open, &acknowledged.closed] {
        assert!(acknowledged.check(snapshot, "nothing").is_none());
    }
}

#[test]
fn a_log_cut_at_any_place_is_noticed_with_the_number_of_commits_it_lost() {
    let acknowledged = Acknowledged::new();
    let mut open = acknowledged.open.clone();
    let bytes = open.bytes("-wal").len();
    let mut last_missing = i64::MAX;
    let cuts = (0..bytes).step_by(1_777).chain([bytes - 1]);
    for cut in cuts {
        let mut snapshot = acknowledged.open.clone();
        snapshot.bytes("-wal").truncate(cut);
        let change = format!("log cut to {cut} of {bytes} bytes");
        let error = acknowledged.check(&snapshot, &change).expect(&change);
        let missing: Vec<i64> =
            detail(&error).split(' ').filter_map(|word| word.parse().ok()).collect();
        let [missing] = missing.as_slice() else { panic!("{error}") };
        assert!(1 <= *missing && *missing <= last_missing, "{change}: {error}");
        last_missing = *missing;
    }
    assert_eq!(last_missing, 1);
}

#[test]
fn a_log_that_is_gone_is_noticed_and_one_can_go_on_without_it_on_purpose() {
    let acknowledged = Acknowledged::new();
    let mut first = acknowledged.closed.clone();
    let mark = first.bytes(".mark").clone();
    let desk = first.lay_out();
    let executor = desk.executor(eventful_functions(&desk), 1);
    executor.submit(&eventful_day(), "three", json!(null)).unwrap();
    let snapshot = Snapshot::take(&desk.path()).without("-wal");
    drop(executor);
    let desk = snapshot.lay_out();
    let place = desk.path().display().to_string();
    for error in [
        Journal::open(&desk.path()).unwrap_err(),
        Journal::open_read_only(&desk.path()).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string().replace(&place, "PATH"),
            "journal PATH is damaged (its end was cut off, or an older copy was put in its place: \
             1 commit is missing; to go on without, on purpose, delete PATH.mark); it was left as \
             it is: move it away together with its -wal and -shm files and restore a copy, or \
             start without it"
        );
    }
    fs::remove_file(beside(&desk.path(), ".mark")).unwrap();
    let journal = Journal::open(&desk.path()).unwrap();
    assert_eq!(journal.runs(10).unwrap().len(), 2);
    drop(journal);
    assert_eq!(fs::read(beside(&desk.path(), ".mark")).unwrap(), mark, "a new mark, as before");
}

#[test]
fn an_older_copy_is_refused_and_a_mark_that_lags_or_is_of_another_journal_is_not() {
    let acknowledged = Acknowledged::new();
    let mut older = acknowledged.closed.clone();
    let desk = older.lay_out();
    let executor = desk.executor(eventful_functions(&desk), 1);
    executor.submit(&eventful_day(), "three", json!(null)).unwrap();
    drop(executor);
    let mut newer = Snapshot::take(&desk.path());

    // After a power cut the mark may be any earlier one, or torn, or not there.
    let mut lagging = newer.clone();
    lagging.bytes(".mark").clone_from(older.bytes(".mark"));
    assert!(acknowledged_runs(&lagging).is_ok());
    let mut torn = newer.clone();
    torn.bytes(".mark").truncate(40);
    assert!(acknowledged_runs(&torn).is_ok());
    assert!(acknowledged_runs(&newer.clone().without(".mark")).is_ok());

    let mut restored = older.clone();
    restored.bytes(".mark").clone_from(newer.bytes(".mark"));
    let error = acknowledged_runs(&restored).unwrap_err();
    assert!(detail(&error).contains("1 commit is missing"), "{error}");

    // A journal of another life, put where this one was.
    let mut foreign = Acknowledged::new().closed;
    foreign.bytes(".mark").clone_from(newer.bytes(".mark"));
    assert!(acknowledged_runs(&foreign).is_ok());

    // Nothing is there any more, on purpose: a new journal begins.
    assert_eq!(acknowledged_runs(&newer.without("")).unwrap(), 0);
}

fn acknowledged_runs(snapshot: &Snapshot) -> Result<usize, JournalError> {
    let desk = snapshot.lay_out();
    let runs = Journal::open(&desk.path())?.runs(10)?;
    // Whatever the mark was, it is the journal's own from now on.
    Journal::open(&desk.path()).map(|_| runs.len())
}

#[test]
fn an_older_copy_of_an_older_format_is_refused() {
    let acknowledged = Acknowledged::new();
    let desk = acknowledged.closed.lay_out();
    fs::remove_file(desk.path()).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journal_v1.sql");
    let golden = fs::read_to_string(golden).unwrap();
    Connection::open(desk.path()).unwrap().execute_batch(&golden).unwrap();
    let error = Journal::open(&desk.path()).unwrap_err();
    assert!(detail(&error).starts_with("an older copy of format 1"), "{error}");
}

#[test]
fn a_file_that_is_empty_or_gone_while_its_log_is_there_is_not_taken_for_a_new_journal() {
    let acknowledged = Acknowledged::new();
    let mut emptied = acknowledged.open.clone();
    emptied.bytes("").clear();
    for snapshot in [emptied.clone(), emptied.clone().without("-wal")] {
        let error = acknowledged.check(&snapshot, "an empty file").unwrap();
        assert!(detail(&error).starts_with("it is empty: "), "{error}");
    }
    let error = acknowledged.check(&emptied.without(".mark"), "an empty file").unwrap();
    assert_eq!(detail(&error), "it is empty, but its -wal file is not");
    let desk = acknowledged.open.clone().without("").lay_out();
    let error = Journal::open(&desk.path()).unwrap_err();
    assert_eq!(detail(&error), "it is gone, but its -wal file is there");
}

#[test]
fn a_file_cut_at_any_place_is_noticed() {
    let acknowledged = Acknowledged::new();
    let mut closed = acknowledged.closed.clone();
    let bytes = closed.bytes("").len();
    for cut in (0..bytes).step_by(1_777).chain([1, 99, 512, 4096, bytes - 4096, bytes - 1]) {
        let mut snapshot = acknowledged.closed.clone();
        snapshot.bytes("").truncate(cut);
        let change = format!("file cut to {cut} of {bytes} bytes");
        acknowledged.check(&snapshot, &change).expect(&change);
    }
}

#[test]
fn a_page_of_zeros_is_noticed() {
    let acknowledged = Acknowledged::new();
    let mut closed = acknowledged.closed.clone();
    let pages = closed.bytes("").len() / 4096;
    for page in 0..pages {
        let mut snapshot = acknowledged.closed.clone();
        snapshot.bytes("")[page * 4096..(page + 1) * 4096].fill(0);
        let change = format!("page {page} of {pages} zeroed");
        acknowledged.check(&snapshot, &change).expect(&change);
    }
}

/// Flips bits all over a file and checks each time that nothing is lost without being said.
fn check_flips(ending: &str, closed: bool, step: usize) {
    let acknowledged = Acknowledged::new();
    let original = if closed { &acknowledged.closed } else { &acknowledged.open };
    let bytes = original.clone().bytes(ending).len();
    let mut noticed = 0;
    let places = (0..bytes.min(128)).chain((128..bytes).step_by(step));
    for place in places.clone() {
        let mut snapshot = original.clone();
        snapshot.bytes(ending)[place] ^= 1 << (place % 8);
        let change = format!("bit {} of byte {place} of {bytes}", place % 8);
        noticed += usize::from(acknowledged.check(&snapshot, &change).is_some());
    }
    // Most bytes of a page are free or repeated elsewhere; if next to nothing were noticed, the
    // flips would not reach the journal.
    assert!(places.count() / 20 < noticed, "{noticed} noticed");
}

#[test]
fn a_flipped_bit_of_the_file_is_noticed_or_does_no_harm() {
    check_flips("", true, 149);
}

#[test]
fn a_key_changed_in_an_index_only_does_not_make_a_run_run_again() {
    let acknowledged = Acknowledged::new();
    let mut closed = acknowledged.closed.clone();
    // A record of the index is the name of the pipeline and the key, one behind the other.
    let is_record = |window: &[u8]| window == b"dayone";
    let place = closed.bytes("").windows(6).rposition(is_record).unwrap();
    assert_eq!(closed.bytes("").windows(6).filter(|window| is_record(window)).count(), 2);
    closed.bytes("")[place + 3] ^= 1;
    acknowledged.check(&closed, "a changed key").unwrap();
}

#[test]
fn a_flipped_bit_of_the_log_is_noticed_or_does_no_harm() {
    check_flips("-wal", false, 1_499);
}

#[test]
fn a_flipped_bit_of_the_mark_does_no_harm() {
    let acknowledged = Acknowledged::new();
    let mut closed = acknowledged.closed.clone();
    for place in 0..closed.bytes(".mark").len() {
        let mut snapshot = acknowledged.closed.clone();
        snapshot.bytes(".mark")[place] ^= 1;
        assert!(acknowledged.check(&snapshot, &format!("byte {place} of the mark")).is_none());
    }
}
