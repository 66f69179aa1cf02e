//! Records what is done to a folder, and refuses some of it on demand.
//!
//! The SQLite side is in [`crate::vfs`]; what the operations amount to is in [`crate::disk`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::Operation;

/// What is asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    Write,
    Truncate,
    Sync,
    Delete,
}

/// Refuses calls from the `first` of these kinds on.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// What is refused, and with which code of SQLite.
    pub(crate) calls: Vec<(Call, i32)>,
    /// So many of them still succeed.
    pub(crate) first: usize,
    /// So many are refused.
    pub(crate) count: usize,
}

/// A recording of one folder.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(crate) folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: Vec<Operation>,
    /// Files that SQLite opened.
    known: BTreeSet<String>,
    /// The others, as they were when last looked at.
    beside: BTreeMap<String, Vec<u8>>,
    fault: Option<Fault>,
    /// How many calls have been refused.
    refused: usize,
}

impl Tape {
    /// Prepares to record what happens in `folder`; [`crate::vfs::record`] begins.
    pub(crate) fn new(folder: &Path) -> Arc<Self> {
        // SQLite resolves links before it opens a file.
        let folder = folder.canonicalize().unwrap();
        Arc::new(Self { folder, state: Mutex::default() })
    }

    pub(crate) fn know(&self, file: &str) {
        self.state.lock().unwrap().known.insert(file.to_owned());
    }

    pub(crate) fn record(&self, operation: Operation) {
        let mut state = self.state.lock().unwrap();
        self.look_beside(&mut state);
        state.operations.push(operation);
    }

    /// Notes what has become of files that bypass SQLite.
    fn look_beside(&self, state: &mut State) {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            // The shared memory of SQLite is built anew after every crash.
            if !state.known.contains(&name) && !name.ends_with("-shm") {
                // It may be gone by now; then the next look says so.
                if let Ok(content) = fs::read(entry.path()) {
                    found.insert(name, content);
                }
            }
        }
        for name in state.beside.keys() {
            if !found.contains_key(name) {
                let file = name.clone();
                state.operations.push(Operation::Beside { file, content: None });
            }
        }
        for (name, content) in &found {
            if state.beside.get(name) != Some(content) {
                let (file, content) = (name.clone(), Some(content.clone()));
                state.operations.push(Operation::Beside { file, content });
            }
        }
        state.beside = found;
    }

    /// Returns everything that was recorded.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.state.lock().unwrap().operations.clone()
    }

    /// Refuses some of the calls to come, or none.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut state = self.state.lock().unwrap();
        state.fault = fault;
        state.refused = 0;
    }

    /// Returns how many calls the present fault has refused.
    pub(crate) fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    /// Returns the code with which this call is refused, if it is.
    pub(crate) fn refuse(&self, call: Call) -> Option<i32> {
        let mut state = self.state.lock().unwrap();
        let fault = state.fault.as_mut()?;
        let code = fault.calls.iter().find(|(refused, _)| *refused == call)?.1;
        if 0 < fault.first {
            fault.first -= 1;
            return None;
        }
        fault.count = fault.count.checked_sub(1)?;
        state.refused += 1;
        Some(code)
    }
}
