//! Reads the log and adds to it: one commit at a time, whole or not at all.
//!
//! A writer prepares its commit on the newest state, writes the files that it names, and then
//! creates the commit's own file, which is the commit. When another writer took that number, the
//! commit is prepared anew on what that one left: no request failed, so that is no retry. A
//! writer that is killed leaves files that no commit names.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;

use super::Archive;
use super::checksum::checksum;
use super::error::ArchiveError;
use super::log::{
    CHECKPOINTS, CheckpointFile, CommitFile, FORMAT, IndexFile, IndexRecord, PostingKey,
    PostingRecord, checkpoint_name, commit_name, from_bytes, number_in, to_bytes,
};
use super::period::month;
use super::state::State;
use super::store::Creation;

/// A writer gives up after losing so often to others: they commit for seconds, we for longer.
const PREPARATIONS_MAX: u32 = 64;

/// Commits that are read one by one at most; a checkpoint sums up the rest.
pub(super) const CHECKPOINT_EVERY: u64 = 32;

/// So many checkpoints are kept: a reader may have listed one that is no longer the newest.
const CHECKPOINTS_KEPT: usize = 3;

/// A reader that found only checkpoints that were removed since looks again so often.
const LISTINGS_MAX: usize = 5;

/// What a commit is about to do.
#[derive(Debug)]
pub(super) struct Change<T> {
    pub(super) commit: CommitFile,
    /// The files that it names.
    pub(super) files: Vec<(String, Bytes)>,
    /// What the caller wants to know about it.
    pub(super) outcome: T,
}

impl Archive {
    /// Returns the newest state that this archive has seen; see [`Archive::refresh`].
    pub(super) fn state(&self) -> Arc<State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks for what others have committed. Until then every reader of this archive sees the
    /// commit that it saw last, whole.
    pub fn refresh(&self) -> Result<(), ArchiveError> {
        self.newest_state().map(|_| ())
    }

    pub(super) fn newest_state(&self) -> Result<Arc<State>, ArchiveError> {
        let known = self.state();
        let mut state = match self.newest_checkpoint(known.number)? {
            Some(checkpoint) => State::from_checkpoint(checkpoint),
            None => (*known).clone(),
        };
        while let Some(commit) = self.read_commit(state.number + 1)? {
            state.apply(commit);
        }
        if state.number == known.number {
            return Ok(known);
        }
        Ok(self.keep(state))
    }

    /// Reads a commit, if it has happened.
    pub(super) fn read_commit(&self, number: u64) -> Result<Option<CommitFile>, ArchiveError> {
        let name = commit_name(number);
        let Some(bytes) = self.store().get(&name)? else { return Ok(None) };
        let commit: CommitFile = from_bytes(self.store(), &name, &bytes)?;
        if commit.number != number {
            let found = format!("says that it is commit {}", commit.number);
            return Err(ArchiveError::Damaged { place: self.store().place(&name), found });
        }
        Ok(Some(commit))
    }

    /// Prepares a change on the newest state until it is committed; `None` when there is nothing
    /// to change. Returns the state that contains it.
    pub(super) fn transact<T>(
        &self,
        prepare: impl Fn(&State) -> Result<Option<Change<T>>, ArchiveError>,
    ) -> Result<(Arc<State>, Option<T>), ArchiveError> {
        for _ in 0..PREPARATIONS_MAX {
            let state = self.newest_state()?;
            let Some(mut change) = prepare(&state)? else { return Ok((state, None)) };
            // Before rather than after the commit: what fails here has committed nothing.
            let state = self.write_checkpoint_if_due(state)?;
            change.commit.number = state.number + 1;
            self.store().put_all(change.files)?;
            let name = commit_name(change.commit.number);
            match self.store().create(&name, to_bytes(&change.commit))? {
                Creation::Taken => {}
                Creation::Created => {
                    let mut next = (*state).clone();
                    next.apply(change.commit);
                    return Ok((self.keep(next), Some(change.outcome)));
                }
            }
        }
        let place = self.store().location().to_string();
        Err(ArchiveError::Contended { place, attempts: PREPARATIONS_MAX })
    }

    /// Keeps a state unless a newer one is known.
    fn keep(&self, state: State) -> Arc<State> {
        let mut known = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = Arc::new(state);
        if known.number < state.number {
            *known = state.clone();
        }
        state
    }

    /// Reads the newest checkpoint if it sums up commits after this one.
    fn newest_checkpoint(&self, known: u64) -> Result<Option<CheckpointFile>, ArchiveError> {
        let mut name = String::new();
        for _ in 0..LISTINGS_MAX {
            let Some(number) = self.checkpoints()?.into_iter().next_back() else { return Ok(None) };
            if number <= known {
                return Ok(None);
            }
            name = checkpoint_name(number);
            if let Some(bytes) = self.store().get(&name)? {
                return from_bytes(self.store(), &name, &bytes).map(Some);
            }
        }
        let found = "is listed, but not there".to_owned();
        Err(ArchiveError::Damaged { place: self.store().place(&name), found })
    }

    /// Lists the checkpoints, oldest first.
    pub(super) fn checkpoints(&self) -> Result<Vec<u64>, ArchiveError> {
        let listed = self.store().list(CHECKPOINTS)?;
        let mut numbers: Vec<u64> =
            listed.iter().filter_map(|checkpoint| number_in(&checkpoint.name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Sums up the commits if there are many; returns the state, whose recent postings are then
    /// in the indices.
    fn write_checkpoint_if_due(&self, state: Arc<State>) -> Result<Arc<State>, ArchiveError> {
        if state.number < state.checkpoint + CHECKPOINT_EVERY {
            return Ok(state);
        }
        let indices = self.write_indices(&state)?;
        let checkpoint = state.to_checkpoint(indices);
        // Another writer's checkpoint of the same commit says the same.
        self.store().create(&checkpoint_name(state.number), to_bytes(&checkpoint))?;
        let numbers = self.checkpoints()?;
        for number in &numbers[..numbers.len().saturating_sub(CHECKPOINTS_KEPT)] {
            self.store().remove(&checkpoint_name(*number))?;
        }
        let summed_up = Arc::new(State::from_checkpoint(checkpoint));
        let mut known = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if known.number == summed_up.number {
            *known = summed_up.clone();
        }
        Ok(summed_up)
    }

    /// Adds the recent postings to the indices of their reports and months.
    fn write_indices(&self, state: &State) -> Result<Vec<IndexRecord>, ArchiveError> {
        let mut indices = state.indices.clone();
        let mut changed: BTreeMap<(String, String), Vec<PostingRecord>> = BTreeMap::new();
        let is_newer = |posting: &PostingRecord| state.recent.contains_key(&posting.key());
        for (key, index) in &state.indices {
            let touches = |(of, posting): (&PostingKey, &Option<Arc<PostingRecord>>)| {
                // Of a forgotten posting nobody knows the month.
                let in_month = posting.as_ref().is_none_or(|p| month(p.posted_at) == index.month);
                of.0 == index.report && in_month
            };
            if state.recent.iter().any(touches) {
                let postings = self.index(index)?;
                let kept = postings.iter().filter(|p| !is_newer(p)).map(|p| (**p).clone());
                changed.insert(key.clone(), kept.collect());
            }
        }
        for posting in state.recent.values().flatten() {
            let key = (posting.report.clone(), month(posting.posted_at));
            changed.entry(key).or_default().push((**posting).clone());
        }
        for ((report, month), mut postings) in changed {
            postings.sort_by(|a, b| (a.posted_at, &a.id).cmp(&(b.posted_at, &b.id)));
            let count = postings.len() as u64;
            let bytes = to_bytes(&IndexFile { format: FORMAT, postings });
            let checksum = checksum(&bytes);
            let name = format!("postings/{report}/{month}/{checksum}.json");
            let record = IndexRecord { report, month, name, postings: count, checksum };
            let key = (record.report.clone(), record.month.clone());
            if indices.get(&key) != Some(&record) {
                self.store().put_all(vec![(record.name.clone(), bytes)])?;
                indices.insert(key, record);
            }
        }
        Ok(indices.into_values().collect())
    }
}
