//! Outputs that are remembered from one execution to the next, in memory.
//!
//! When they count is decided by the instants of their completion; the journal has its own memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::handle::AnyOutput;
use crate::run::RunId;

/// So many outputs are remembered; of more, the one made first is forgotten.
pub(crate) const MEMOS_MAX: usize = 1_024;

/// What a task's output is remembered under, and for how long.
pub(crate) struct TaskMemo {
    pub(crate) key: Arc<str>,
    pub(crate) lifetime: SignedDuration,
}

/// An output that is remembered.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) from: RunId,
    pub(crate) completed_at: Timestamp,
    pub(crate) output: AnyOutput,
}

/// The name of a task and its key.
type MemoName = (Arc<str>, Arc<str>);

/// The remembered outputs of a manager.
#[derive(Default)]
pub(crate) struct Memos {
    by_name: Mutex<HashMap<MemoName, Remembered>>,
}

impl Memos {
    /// Remembers an output.
    pub(crate) fn remember(&self, task: &Arc<str>, memo: &TaskMemo, remembered: Remembered) {
        let mut by_name = self.lock();
        by_name.insert((Arc::clone(task), Arc::clone(&memo.key)), remembered);
        if MEMOS_MAX < by_name.len() {
            let first = by_name.iter().min_by_key(|(_, remembered)| remembered.completed_at);
            if let Some(name) = first.map(|(name, _)| name.clone()) {
                by_name.remove(&name);
            }
        }
    }

    /// Returns an output that still counts.
    pub(crate) fn recall(
        &self,
        task: &Arc<str>,
        memo: &TaskMemo,
        now: Timestamp,
    ) -> Option<Remembered> {
        let not_before = now.saturating_sub(memo.lifetime).unwrap_or(Timestamp::MIN);
        let name = (Arc::clone(task), Arc::clone(&memo.key));
        let remembered = self.lock().get(&name).cloned()?;
        (not_before <= remembered.completed_at).then_some(remembered)
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MemoName, Remembered>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
