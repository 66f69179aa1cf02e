//! Keeps the archive small: one part per series and period instead of many, and no file longer
//! than needed. Nothing that was observed is lost by it.
//!
//! A part that was merged stays as a file for a grace, for readers that saw the commit before;
//! likewise a file that no commit names, which may be about to be named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Archive;
use super::commit::NewPart;
use super::error::ArchiveError;
use super::log::{COMMITS, CommitFile, PartRecord, commit_name, from_bytes, number_in};
use super::part::Rows;
use super::state::State;
use super::transaction::Change;
use crate::observation::Series;

/// Parts of more rows in all are not merged: they are large enough, and merging is in memory.
const MERGED_ROWS_MAX: u64 = 4_000_000;

/// What to keep, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// The time.
    pub now: Timestamp,
    /// Files that no commit names any more are removed after so long. No fetch and no reader may
    /// take longer between reading the log and its end.
    pub grace: SignedDuration,
    /// Raw files are removed so long after they were posted; `None` keeps them.
    pub raw_kept: Option<SignedDuration>,
}

impl Upkeep {
    /// A day: no fetch takes as long.
    pub const GRACE: SignedDuration = SignedDuration::from_hours(24);
}

/// What upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Parts that were merged into others.
    pub parts_merged: usize,
    /// Files that were removed.
    pub files_removed: usize,
}

type Group = (String, String, Option<String>);

impl Archive {
    /// Merges the parts of each series and period, then removes what is no longer needed.
    pub fn compact(&self, upkeep: &Upkeep) -> Result<Kept, ArchiveError> {
        let mut parts_merged = 0;
        for (_, parts) in mergeable(&*self.newest_state()?) {
            let names: BTreeSet<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            let (_, merged) = self.transact(|state| self.merge(state, &names, upkeep.now))?;
            parts_merged += merged.unwrap_or(0);
        }
        Ok(Kept { parts_merged, files_removed: self.clean(upkeep)? })
    }

    /// Merges parts, if all of them are still there.
    fn merge(
        &self,
        state: &State,
        names: &BTreeSet<&str>,
        now: Timestamp,
    ) -> Result<Option<Change<usize>>, ArchiveError> {
        let mut parts: Vec<&Arc<PartRecord>> =
            names.iter().filter_map(|name| state.parts.get(*name)).collect();
        parts.sort_by_key(|part| part.order);
        let (Some(newest), true) = (parts.last(), parts.len() == names.len()) else {
            return Ok(None);
        };
        let Some(series) = Series::named(&newest.series) else { return Ok(None) };
        let mut rows = Rows::new();
        for part in &parts {
            for (place, of_place) in self.part_rows(part)? {
                rows.entry(place).or_default().extend(of_place);
            }
        }
        let mut commit = CommitFile::at(now);
        commit.removed = names.iter().map(|name| (*name).to_owned()).collect();
        let mut files = Vec::new();
        let import = newest.import.as_deref();
        NewPart { series, period: newest.period.clone(), import }.add(
            rows,
            newest.order,
            &mut commit,
            &mut files,
        );
        Ok(Some(Change { commit, files, outcome: parts.len() }))
    }

    /// Removes files that have not been needed for the grace; returns how many.
    pub(super) fn clean(&self, upkeep: &Upkeep) -> Result<usize, ArchiveError> {
        let before = upkeep.now - upkeep.grace;
        if let Some(kept) = upkeep.raw_kept {
            self.forget_raw(upkeep.now, upkeep.now - kept)?;
        }
        // Listed before the log is read, so that a file which is named since is known as named.
        let mut listed = Vec::new();
        for folder in ["parts", "postings", "raw"] {
            listed.extend(self.store().list(folder)?);
        }
        let state = self.newest_state()?;
        let mut needed = self.needed(&state)?;
        let mut removed = self.clean_log(&state, before, &mut needed)?;
        for file in listed {
            if file.modified < before && !needed.contains(&file.name) {
                self.store().remove(&file.name)?;
                removed += 1;
            }
        }
        Ok(removed + self.store().remove_unfinished(before)?)
    }

    /// Records that raw files from before an instant are no longer kept.
    fn forget_raw(&self, now: Timestamp, kept_from: Timestamp) -> Result<(), ArchiveError> {
        let prepare = |state: &State| {
            let mut commit = CommitFile::at(now);
            commit.raw_kept_from = Some(kept_from);
            let is_news = state.raw_kept_from < Some(kept_from);
            Ok(is_news.then_some(Change { commit, files: Vec::new(), outcome: () }))
        };
        self.transact(prepare).map(|_| ())
    }

    /// Returns the names of the files that a state needs.
    fn needed(&self, state: &State) -> Result<BTreeSet<String>, ArchiveError> {
        let mut needed: BTreeSet<String> = state.parts.keys().cloned().collect();
        needed.extend(state.indices.values().map(|index| index.name.clone()));
        for posting in self.posting_records(state, |_| true)? {
            let is_kept = state.raw_kept_from.is_none_or(|from| from <= posting.posted_at);
            needed.extend(posting.raw.iter().filter(|_| is_kept).map(|raw| raw.name.clone()));
        }
        Ok(needed)
    }

    /// Removes old commits that checkpoints sum up, and adds what recent commits removed to what
    /// is needed: a reader may still see the state before.
    fn clean_log(
        &self,
        state: &State,
        before: Timestamp,
        needed: &mut BTreeSet<String>,
    ) -> Result<usize, ArchiveError> {
        let oldest_checkpoint = self.checkpoints()?.into_iter().next().unwrap_or(0);
        let mut removed = 0;
        for file in self.store().list(COMMITS)? {
            let Some(number) = number_in(&file.name) else { continue };
            if file.modified < before {
                // The newest commits stay in any case: what follows them finds its number.
                if number < oldest_checkpoint && number < state.number {
                    self.store().remove(&commit_name(number))?;
                    removed += 1;
                }
            } else if let Some(bytes) = self.store().get(&file.name)? {
                let commit: CommitFile = from_bytes(self.store(), &file.name, &bytes)?;
                needed.extend(commit.removed);
            }
        }
        Ok(removed)
    }
}

/// Groups the parts that can be merged.
fn mergeable(state: &State) -> BTreeMap<Group, Vec<Arc<PartRecord>>> {
    let mut groups: BTreeMap<Group, Vec<Arc<PartRecord>>> = BTreeMap::new();
    for part in state.parts.values() {
        let group = (part.series.clone(), part.period.clone(), part.import.clone());
        groups.entry(group).or_default().push(part.clone());
    }
    groups.retain(|_, parts| {
        let rows: u64 = parts.iter().map(|part| part.rows).sum();
        1 < parts.len() && rows <= MERGED_ROWS_MAX
    });
    groups
}
