//! The power is cut after any write, sync, creation or deletion: nothing that was acknowledged is
//! lost, the run resumes and ends as it would have, and no completed stage is repeated.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use orchestration::PipelineExecutor;
use twox_hash::XxHash64;

use crate::acknowledged::Acknowledged;
use crate::disk::{Disk, Files, Loss, Operation};
use crate::recording::{Recording, record_resumption, record_three_runs};
use crate::scenario::{
    Desk, Failure, Rows, check_tokens, completed_stages, read_rows, result_of, run, submit,
};

/// What power cuts at one place after another left behind.
#[derive(Debug, Default)]
struct Found {
    disks: usize,
    /// So many had events that nobody had been told of.
    with_more: usize,
    /// On some disk there was a file of this name.
    files: BTreeSet<String>,
}

/// Cuts the power after every `step`th operation, and looks at what is left if everything unsynced
/// is lost, if nothing is, and if chance decides, so many times.
fn cut(recording: &Recording, step: usize, chances: usize) -> Found {
    let mut disk = Disk::new(&recording.files);
    let mut acknowledged = recording.acknowledged.clone();
    let (mut found, mut seen) = (Found::default(), HashMap::new());
    for (place, operation) in recording.operations.iter().enumerate() {
        disk.apply(operation);
        acknowledged.note(operation);
        if place % step != 0 {
            continue;
        }
        let seeds = place * chances..(place + 1) * chances;
        let torn = seeds.map(|seed| Loss::Torn { seed: seed as u64 });
        for loss in [Loss::Whole, Loss::None].into_iter().chain(torn) {
            let files = disk.after_power_cut(loss);
            let looked = match seen.entry(digest(&files)) {
                // The same disk as before, but by now more may have been acknowledged.
                Entry::Occupied(known) => acknowledged.check(known.get()),
                Entry::Vacant(unknown) => check(recording, &files, &acknowledged).map(|rows| {
                    let kept: usize = rows.values().map(Vec::len).sum();
                    found.disks += 1;
                    found.with_more += usize::from(acknowledged.events() < kept);
                    found.files.extend(files.keys().cloned());
                    unknown.insert(rows);
                }),
            };
            looked.unwrap_or_else(|error| {
                panic!(
                    "{} workers, power cut after operation {place} ({}), loss {loss:?}: {error}",
                    recording.workers,
                    tell(operation),
                )
            });
        }
    }
    found
}

/// Opens what a power cut left and carries on; returns which events were left.
fn check(
    recording: &Recording,
    files: &Files,
    acknowledged: &Acknowledged,
) -> Result<Rows, Failure> {
    let desk = Desk::new(files);
    let executor = desk.executor(recording.workers)?;
    let rows = read_rows(&desk.path())?;
    acknowledged.check(&rows)?;
    for (key, kept) in &rows {
        if !recording.rows.get(key).is_some_and(|all| all.starts_with(kept)) {
            return Err(format!("run {key}: events that never were: {kept:?}").into());
        }
    }
    let keys =
        if rows.is_empty() { vec!["one"] } else { rows.keys().map(String::as_str).collect() };
    for key in keys {
        let was_known = rows.contains_key(key);
        carry_on(&desk, &executor, key, (was_known, &recording.result))
            .map_err(|error| format!("run {key}: {error}"))?;
    }
    let after = read_rows(&desk.path())?;
    for (key, kept) in &rows {
        if !after[key].starts_with(kept) {
            return Err(format!("run {key}: the past was rewritten").into());
        }
        check_tokens(&after[key]).map_err(|error| format!("run {key}: {error}"))?;
    }
    Ok(rows)
}

/// Resumes a run, or begins the first one.
fn carry_on(
    desk: &Desk,
    executor: &PipelineExecutor,
    key: &str,
    (was_known, expected): (bool, &[String]),
) -> Result<(), Failure> {
    let submission = submit(executor, key)?;
    if submission.resumed != was_known {
        return Err(format!("resumed is {}", submission.resumed).into());
    }
    let before = executor.journal().run(submission.run_id)?.ok_or("it is not in the journal")?;
    let result = result_of(&run(executor, key)?);
    if result != expected {
        return Err(format!("it ended with {result:#?}").into());
    }
    let calls = desk.take_calls();
    for stage in completed_stages(&before) {
        if calls.contains(&stage) {
            return Err(format!("completed stage {stage} was repeated").into());
        }
    }
    Ok(())
}

fn digest(files: &Files) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    files.hash(&mut hasher);
    hasher.finish()
}

fn tell(operation: &Operation) -> String {
    match operation {
        Operation::Wrote { file, offset, data } => {
            format!("{} bytes written to {file} at {offset}", data.len())
        }
        Operation::Created { .. }
        | Operation::Truncated { .. }
        | Operation::Synced { .. }
        | Operation::SyncFailed { .. }
        | Operation::Deleted { .. }
        | Operation::FolderSynced
        | Operation::Beside { .. }
        | Operation::Told(_)
        | Operation::Counted(_) => format!("{operation:?}"),
    }
}

/// Tells whether the main file was written after something had been acknowledged, and its WAL
/// deleted: what happens to a journal only now and then.
fn has_checkpoints(operations: &[Operation]) -> bool {
    let is_counted = |operation: &Operation| matches!(operation, Operation::Counted(_));
    let begin = operations.iter().position(is_counted).unwrap();
    let later = &operations[begin..];
    let main = |operation: &Operation| matches!(operation, Operation::Wrote { file, .. } if file == "journal.sqlite");
    let deletion = |operation: &Operation| matches!(operation, Operation::Deleted { file } if file == "journal.sqlite-wal");
    later.iter().any(main) && later.iter().any(deletion)
}

fn check_power_cuts(workers: usize) {
    let recording = record_three_runs(workers);
    assert!(has_checkpoints(&recording.operations));
    let found = cut(&recording, 1, 2);
    assert!(recording.operations.len() < found.disks && 15 < found.with_more, "{found:?}");
    for file in ["journal.sqlite-journal", "journal.sqlite-wal"] {
        assert!(found.files.contains(file), "{found:?}");
    }
}

#[test]
fn a_power_cut_at_any_write_loses_nothing_acknowledged_with_one_worker() {
    check_power_cuts(1);
}

#[test]
fn a_power_cut_at_any_write_loses_nothing_acknowledged_with_three_workers() {
    check_power_cuts(3);
}

#[test]
fn a_second_power_cut_while_the_first_is_recovered_from_loses_nothing_either() {
    let recording = record_three_runs(1);
    let (mut disk, mut disks) = (Disk::new(&recording.files), 0);
    for (place, operation) in recording.operations.iter().enumerate() {
        disk.apply(operation);
        if place % 31 == 0 {
            let files = disk.after_power_cut(Loss::Torn { seed: place as u64 });
            disks += cut(&record_resumption(1, files), 3, 1).disks;
        }
    }
    assert!(200 < disks, "{disks} disks");
}
