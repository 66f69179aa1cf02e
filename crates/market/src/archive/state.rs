//! What is valid after a commit: parts, imports, postings. A value; reading and writing the log is
//! done by `transaction`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::log::{
    CheckpointFile, CommitFile, FORMAT, IndexRecord, PartRecord, PostingKey, PostingRecord,
};
use crate::observation::{Series, SeriesKey};

/// What is valid after a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The commit; 0 before the first.
    pub(super) number: u64,
    /// The newest commit that a checkpoint sums up.
    pub(super) checkpoint: u64,
    /// By name.
    pub(super) parts: BTreeMap<String, Arc<PartRecord>>,
    /// Fingerprints by name.
    pub(super) imports: BTreeMap<String, String>,
    /// Where the postings up to the checkpoint are listed, by report and month.
    pub(super) indices: BTreeMap<(String, String), IndexRecord>,
    /// The postings since the checkpoint; `None` is to be fetched again.
    pub(super) recent: BTreeMap<PostingKey, Option<Arc<PostingRecord>>>,
    pub(super) raw_kept_from: Option<Timestamp>,
}

impl State {
    pub(super) fn from_checkpoint(file: CheckpointFile) -> Self {
        let index_key = |index: &IndexRecord| (index.report.clone(), index.month.clone());
        Self {
            number: file.number,
            checkpoint: file.number,
            parts: file.parts.into_iter().map(|part| (part.name.clone(), part.into())).collect(),
            imports: file.imports,
            indices: file.indices.into_iter().map(|index| (index_key(&index), index)).collect(),
            recent: BTreeMap::new(),
            raw_kept_from: file.raw_kept_from,
        }
    }

    /// Returns the checkpoint of this state, once its recent postings are in these indices.
    pub(super) fn to_checkpoint(&self, indices: Vec<IndexRecord>) -> CheckpointFile {
        CheckpointFile {
            format: FORMAT,
            number: self.number,
            parts: self.parts.values().map(|part| (**part).clone()).collect(),
            imports: self.imports.clone(),
            indices,
            raw_kept_from: self.raw_kept_from,
        }
    }

    /// Goes on to the next commit.
    pub(super) fn apply(&mut self, commit: CommitFile) {
        self.number = commit.number;
        for name in &commit.removed {
            self.parts.remove(name);
        }
        self.parts.extend(commit.added.into_iter().map(|part| (part.name.clone(), part.into())));
        self.recent.extend(commit.forgotten.into_iter().map(|key| (key, None)));
        let postings = commit.postings.into_iter();
        self.recent.extend(postings.map(|posting| (posting.key(), Some(posting.into()))));
        for (name, fingerprint) in commit.imports {
            match fingerprint {
                Some(fingerprint) => self.imports.insert(name, fingerprint),
                None => self.imports.remove(&name),
            };
        }
        self.raw_kept_from = self.raw_kept_from.max(commit.raw_kept_from);
    }

    /// Returns the parts of a series, in the order in which their newest rows were committed.
    pub(super) fn parts_of(&self, series: Series) -> Vec<Arc<PartRecord>> {
        let is_of_series = |part: &&Arc<PartRecord>| part.series == series.name();
        let mut parts: Vec<_> = self.parts.values().filter(is_of_series).cloned().collect();
        parts.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
        parts
    }

    /// Returns the parts in which a place of a series has rows, in the same order.
    pub(super) fn parts_at(&self, key: &SeriesKey) -> Vec<Arc<PartRecord>> {
        let mut parts = self.parts_of(key.series);
        parts.retain(|part| part.holds(key.place.name()));
        parts
    }
}

impl PartRecord {
    /// Tells whether a place has rows in the part.
    pub(super) fn holds(&self, place: &str) -> bool {
        self.places.binary_search_by(|known| known.as_str().cmp(place)).is_ok()
    }
}
