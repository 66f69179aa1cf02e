//! The program that is made to suffer: `examples/killable_run.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use orchestration::{AttemptOutcome, Journal, JournalError, RunReport, RunStatus, StageStatus};

/// Returns where the program is; it is built with the tests, next to them.
pub(crate) fn program() -> PathBuf {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", "killable_run"]);
    assert!(path.exists(), "build the examples first: {} is missing", path.display());
    path
}

/// Returns what the journal in this folder says of the run with this key, if there is one.
pub(crate) fn report(folder: &Path, key: &str) -> Option<RunReport> {
    let path = folder.join("journal.sqlite");
    // Before the journal is made there is nothing to read.
    if !path.exists() {
        return None;
    }
    let journal = match Journal::open_read_only(&path) {
        Ok(journal) => journal,
        Err(JournalError::NotFound { .. }) => return None,
        // Whoever may only read cannot undo a beginning that was cut short; a writer can.
        Err(JournalError::NotWritable { .. } | JournalError::HalfMade { .. }) => return None,
        Err(other) => panic!("{other}"),
    };
    let summary = journal.runs(u32::MAX).unwrap().into_iter().find(|run| run.key == key)?;
    Some(journal.run(summary.run_id).unwrap().unwrap())
}

/// Returns how often each line is in the ledger.
fn ledger(folder: &Path) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    for line in fs::read_to_string(folder.join("ledger")).unwrap().lines() {
        *lines.entry(line.to_owned()).or_default() += 1;
    }
    lines
}

/// Compares a completed run with the ledger: every effect was accepted once, and what is in the
/// ledger besides is of attempts that the journal knows to be lost. Returns how many lost attempts
/// had left a line.
pub(crate) fn check_effects(folder: &Path, key: &str) -> usize {
    let report = report(folder, key).expect("the run is in the journal");
    assert_eq!(report.status, RunStatus::Completed);
    let (mut ledger, mut lost_lines) = (ledger(folder), 0);
    let of_run = format!("{},", report.run_id);
    ledger.retain(|line, _| line.starts_with(&of_run));
    for stage in &report.stages {
        assert_eq!(stage.status, StageStatus::Completed, "{}", stage.name);
        let (last, others) = stage.attempts.split_last().unwrap();
        assert_eq!(last.outcome, AttemptOutcome::Completed, "{}", stage.name);
        let line = |number: u32| format!("{}{},{number}", of_run, stage.name);
        assert_eq!(stage.output, Some(line(last.number).into()), "the effect that was accepted");
        assert_eq!(ledger.remove(&line(last.number)), Some(1), "{}", line(last.number));
        for attempt in others {
            assert_eq!(attempt.outcome, AttemptOutcome::Lost, "{}", line(attempt.number));
            if let Some(lines) = ledger.remove(&line(attempt.number)) {
                assert_eq!(lines, 1, "{} was begun twice", line(attempt.number));
                lost_lines += 1;
            }
        }
    }
    assert!(ledger.is_empty(), "effects that the journal never heard of: {ledger:?}");
    lost_lines
}
