//! Records a scenario: what was done to the disk, what was acknowledged when, and what came of it.

use std::sync::Arc;

use orchestration::PipelineExecutor;
use rusqlite::Connection;

use crate::acknowledged::{Acknowledged, observe};
use crate::disk::{Files, Operation};
use crate::scenario::{Desk, Rows, count_events, read_rows, result_of, run, submit};
use crate::tape::Tape;
use crate::vfs;

/// Something that was done to a folder, and what came of it.
pub(crate) struct Recording {
    pub(crate) workers: usize,
    /// What was there for certain when it began.
    pub(crate) files: Files,
    /// What had been acknowledged when it began.
    pub(crate) acknowledged: Acknowledged,
    pub(crate) operations: Vec<Operation>,
    /// What the journal said at the end.
    pub(crate) rows: Rows,
    /// What every run comes to.
    pub(crate) result: Vec<String>,
}

/// Records three runs: the second overwrites a WAL that was copied into the main file, the third
/// begins after it was deleted.
pub(crate) fn record_three_runs(workers: usize) -> Recording {
    let desk = Desk::new(&Files::new());
    let tape = Tape::new(desk.folder.path());
    let taping = vfs::record(&tape);
    let first = observed(&tape, &desk, workers);
    let result = run_acknowledged(&first, &tape, &desk, "one");
    let beside = Connection::open(desk.path()).unwrap();
    let busy: i64 =
        beside.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0, "nobody is in the way");
    drop(beside);
    assert_eq!(run_acknowledged(&first, &tape, &desk, "two"), result);
    drop(first);
    let second = observed(&tape, &desk, workers);
    assert_eq!(run_acknowledged(&second, &tape, &desk, "three"), result);
    let (operations, rows) = (tape.operations(), read_rows(&desk.path()).unwrap());
    drop(taping);
    let (files, acknowledged) = (Files::new(), Acknowledged::default());
    Recording { workers, files, acknowledged, operations, rows, result }
}

/// Records how what a power cut left is opened and the runs in it are resumed.
pub(crate) fn record_resumption(workers: usize, files: Files) -> Recording {
    let desk = Desk::new(&files);
    let tape = Tape::new(desk.folder.path());
    let taping = vfs::record(&tape);
    let executor = observed(&tape, &desk, workers);
    let counts = count_events(&desk.path()).unwrap();
    let mut result = run_acknowledged(&executor, &tape, &desk, "one");
    for key in counts.keys() {
        result = run_acknowledged(&executor, &tape, &desk, key);
    }
    let acknowledged = Acknowledged::new(counts);
    let (operations, rows) = (tape.operations(), read_rows(&desk.path()).unwrap());
    drop(taping);
    Recording { workers, files, acknowledged, operations, rows, result }
}

fn observed(tape: &Arc<Tape>, desk: &Desk, workers: usize) -> PipelineExecutor {
    observe(tape, desk, desk.executor(workers).unwrap())
}

fn run_acknowledged(
    executor: &PipelineExecutor,
    tape: &Tape,
    desk: &Desk,
    key: &str,
) -> Vec<String> {
    let acknowledge = || tape.record(Operation::Counted(count_events(&desk.path()).unwrap()));
    submit(executor, key).unwrap();
    acknowledge();
    let report = run(executor, key).unwrap();
    acknowledge();
    result_of(&report)
}
