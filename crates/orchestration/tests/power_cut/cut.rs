//! The power is cut after any write, sync, creation or deletion: nothing that was acknowledged is
//! lost, the run resumes and ends as it would have, and no completed stage is repeated.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use orchestration::PipelineExecutor;
use twox_hash::XxHash64;

use crate::acknowledged::{Acknowledged, EventCounts};
use crate::disk::{Disk, Files, Loss, Operation};
use crate::recording::{Recording, record_resumption, record_three_runs};
use crate::scenario::{
    Desk, Failure, Row, Rows, check_tokens, completed_stages, read_rows, result_of, run, submit,
};

/// Of the disks on which runs stand as they stood on another, one in so many is carried on from.
const CARRIED_ON_ONE_IN: usize = 4;

/// What power cuts at one place after another left behind.
#[derive(Debug, Default)]
struct Found {
    disks: usize,
    /// So many had events that nobody had been told of.
    with_more: usize,
    /// On some disk there was a file of this name.
    files: BTreeSet<String>,
}

/// Power cuts in one recording.
struct Cuts<'r> {
    recording: &'r Recording,
    acknowledged: Acknowledged,
    found: Found,
    /// What disks that have been looked at held, by their digest.
    known: HashMap<u64, Rows>,
    /// How far runs had come from where they have been carried on.
    carried_on: HashSet<EventCounts>,
}

/// Cuts the power after every `step`th operation, and looks at what is left if everything unsynced
/// is lost, if nothing is, and if chance decides.
fn cut(recording: &Recording, step: usize) -> Found {
    let mut disk = Disk::new(&recording.files);
    let (acknowledged, found) = (recording.acknowledged.clone(), Found::default());
    let (known, carried_on) = (HashMap::new(), HashSet::new());
    let mut cuts = Cuts { recording, acknowledged, found, known, carried_on };
    for (place, operation) in recording.operations.iter().enumerate() {
        disk.apply(operation);
        cuts.acknowledged.note(operation);
        if place % step != 0 {
            continue;
        }
        for loss in [Loss::Whole, Loss::None, Loss::Torn { seed: place as u64 }] {
            cuts.look(&disk.after_power_cut(loss)).unwrap_or_else(|error| {
                panic!(
                    "{} workers, power cut after operation {place} ({}), loss {loss:?}: {error}",
                    recording.workers,
                    tell(operation),
                )
            });
        }
    }
    cuts.found
}

impl Cuts<'_> {
    /// Looks at what a power cut left.
    fn look(&mut self, files: &Files) -> Result<(), Failure> {
        let digest = digest(files);
        if let Some(rows) = self.known.get(&digest) {
            // The same disk as before, but by now more may have been acknowledged.
            return self.acknowledged.check(rows);
        }
        let desk = Desk::new(files);
        let executor = desk.executor(self.recording.workers)?;
        let rows = read_rows(&desk.path())?;
        self.acknowledged.check(&rows)?;
        for (key, kept) in &rows {
            if !self.recording.rows.get(key).is_some_and(|all| all.starts_with(kept)) {
                return Err(format!("run {key}: events that never were: {kept:?}").into());
            }
        }
        let counts: EventCounts =
            rows.iter().map(|(key, kept)| (key.clone(), kept.len())).collect();
        self.found.with_more +=
            usize::from(self.acknowledged.events() < counts.values().sum::<usize>());
        let is_new = self.carried_on.insert(counts);
        if is_new || self.found.disks.is_multiple_of(CARRIED_ON_ONE_IN) {
            carry_on(&desk, &executor, &rows, &self.recording.result)?;
        }
        self.found.disks += 1;
        self.found.files.extend(files.keys().cloned());
        self.known.insert(digest, rows);
        Ok(())
    }
}

/// Resumes every run, or begins the first one.
fn carry_on(
    desk: &Desk,
    executor: &PipelineExecutor,
    rows: &Rows,
    expected: &[String],
) -> Result<(), Failure> {
    let keys =
        if rows.is_empty() { vec!["one"] } else { rows.keys().map(String::as_str).collect() };
    for key in keys {
        carry_on_with(desk, executor, key, (rows.get(key), expected))
            .map_err(|error| format!("run {key}: {error}"))?;
    }
    let after = read_rows(&desk.path())?;
    for (key, kept) in rows {
        if !after[key].starts_with(kept) {
            return Err(format!("run {key}: the past was rewritten").into());
        }
        check_tokens(&after[key]).map_err(|error| format!("run {key}: {error}"))?;
    }
    Ok(())
}

/// Resumes a run, or begins it.
fn carry_on_with(
    desk: &Desk,
    executor: &PipelineExecutor,
    key: &str,
    (rows, expected): (Option<&Vec<Row>>, &[String]),
) -> Result<(), Failure> {
    let submission = submit(executor, key)?;
    if submission.resumed != rows.is_some() {
        return Err(format!("resumed is {}", submission.resumed).into());
    }
    let result = result_of(&run(executor, key)?);
    if result != expected {
        return Err(format!("it ended with {result:#?}").into());
    }
    let calls = desk.take_calls();
    let completed = completed_stages(rows.map_or(&[], Vec::as_slice));
    if let Some(stage) = completed.into_iter().find(|stage| calls.iter().any(|call| call == stage))
    {
        return Err(format!("completed stage {stage} was repeated").into());
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
    let found = cut(&recording, 1);
    assert!(250 < found.disks && 15 < found.with_more, "{found:?}");
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
        if place % 41 == 0 {
            let files = disk.after_power_cut(Loss::Torn { seed: place as u64 });
            disks += cut(&record_resumption(1, files), 5).disks;
        }
    }
    assert!(100 < disks, "{disks} disks");
}
