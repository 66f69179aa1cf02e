//! Group commit: one transaction at a time, and everybody who asks while it is on its way to the
//! disk shares the next one.
//!
//! Whoever finds nobody writing writes for all who wait; the others sleep until they are told. So a
//! lone caller hands nothing over and pays nothing. What a change is and how it is written is the
//! caller's business; this file knows neither SQLite nor threads of its own.

use std::collections::{BTreeMap, VecDeque};

use super::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The thread that wrote for others panicked: whether the change was written is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WriterPanicked;

/// Changes on their way to the disk, and what became of them until their callers fetch it.
#[derive(Debug)]
pub(super) struct CommitQueue<Change, Outcome> {
    changes_max: usize,
    state: Mutex<QueueState<Change, Outcome>>,
    /// A transaction has ended: outcomes are there, and somebody may write the next one.
    ended: Condvar,
}

#[derive(Debug)]
struct QueueState<Change, Outcome> {
    next_ticket: u64,
    waiting: VecDeque<(u64, Change)>,
    outcomes: BTreeMap<u64, Result<Outcome, WriterPanicked>>,
    is_writing: bool,
}

impl<Change, Outcome> CommitQueue<Change, Outcome> {
    /// Returns a queue of which at most so many changes are written at once.
    pub(super) fn new(changes_max: usize) -> Self {
        let (waiting, outcomes) = (VecDeque::new(), BTreeMap::new());
        let state = QueueState { next_ticket: 0, waiting, outcomes, is_writing: false };
        Self { changes_max, state: Mutex::new(state), ended: Condvar::new() }
    }

    /// Has a change written, by this thread or by another, and returns what became of it.
    ///
    /// `write` is given changes in the order of the calls and returns one outcome for each. It is
    /// never called by two threads at once.
    pub(super) fn commit(
        &self,
        change: Change,
        write: impl Fn(&[Change]) -> Vec<Outcome>,
    ) -> Result<Outcome, WriterPanicked> {
        let mut state = self.lock();
        let own = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back((own, change));
        loop {
            if let Some(outcome) = state.outcomes.remove(&own) {
                return outcome;
            }
            if state.is_writing {
                state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let count = state.waiting.len().min(self.changes_max);
            let (tickets, changes): (Vec<u64>, Vec<Change>) = state.waiting.drain(..count).unzip();
            state.is_writing = true;
            drop(state);
            let turn = Turn { queue: self, own, tickets };
            let outcomes = write(&changes);
            turn.end(outcomes);
            state = self.lock();
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<Change, Outcome>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write, given back on every way out, a panic included.
struct Turn<'q, Change, Outcome> {
    queue: &'q CommitQueue<Change, Outcome>,
    own: u64,
    /// Whose changes are being written.
    tickets: Vec<u64>,
}

impl<Change, Outcome> Turn<'_, Change, Outcome> {
    fn end(mut self, outcomes: Vec<Outcome>) {
        assert_eq!(outcomes.len(), self.tickets.len(), "every change has one outcome");
        let mut state = self.queue.lock();
        for (ticket, outcome) in self.tickets.drain(..).zip(outcomes) {
            state.outcomes.insert(ticket, Ok(outcome));
        }
    }
}

impl<Change, Outcome> Drop for Turn<'_, Change, Outcome> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        if !self.tickets.is_empty() {
            // This thread is panicking and will not come back for its own change.
            state.waiting.retain(|(ticket, _)| *ticket != self.own);
        }
        for ticket in self.tickets.drain(..).filter(|ticket| *ticket != self.own) {
            state.outcomes.insert(ticket, Err(WriterPanicked));
        }
        state.is_writing = false;
        drop(state);
        self.queue.ended.notify_all();
    }
}
