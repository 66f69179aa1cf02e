//! Which postings are in the archive, so that nothing is fetched twice. Reads no parts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;

use super::Archive;
use super::checksum::checksum;
use super::error::ArchiveError;
use super::log::{IndexFile, IndexRecord, PostingKey, PostingRecord, from_bytes};
use super::period::month;
use super::state::State;
use crate::reports::{Posting, Report};

/// A posting that is in the archive.
#[derive(Clone, Debug, PartialEq)]
pub struct CommittedPosting {
    /// Which.
    pub posting: Posting,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// The raw file's name in the archive, if it was kept.
    pub raw: Option<String>,
    /// Why it could not be used, if so.
    pub quarantined: Option<String>,
    /// The first lines that could not be used.
    pub complaints: Vec<(u64, String)>,
    /// How many lines could not be used.
    pub complaints_total: u64,
    /// How it differs from what is known of its report.
    pub drift: BTreeSet<String>,
}

impl Archive {
    /// Returns those of the postings that are not in the archive, in their order. A quarantined
    /// one is there: fetching it again would give the same.
    pub fn uncommitted(&self, postings: &[Posting]) -> Result<Vec<Posting>, ArchiveError> {
        let mut lookup = PostingLookup::new(self, self.state());
        let mut absent = Vec::new();
        for posting in postings {
            if lookup.find(posting)?.is_none() {
                absent.push(posting.clone());
            }
        }
        Ok(absent)
    }

    /// Returns the postings of a report that were posted in `[from, to)`, oldest first.
    pub fn postings(
        &self,
        report: Report,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<CommittedPosting>, ArchiveError> {
        let (first, last) = (month(from), month(to));
        let is_asked_for = |index: &IndexRecord| {
            index.report == report.emil_id() && first <= index.month && index.month <= last
        };
        let mut found: Vec<CommittedPosting> = self
            .posting_records(&self.state(), is_asked_for)?
            .into_iter()
            .filter(|p| p.report == report.emil_id() && from <= p.posted_at && p.posted_at < to)
            .map(|record| record.to_committed(report))
            .collect();
        found.sort_by(|a, b| {
            let order = |p: &CommittedPosting| (p.posting.posted_at, p.posting.id.clone());
            order(a).cmp(&order(b))
        });
        Ok(found)
    }

    /// Returns the records of the recent postings and of those in some indices.
    pub(super) fn posting_records(
        &self,
        state: &State,
        is_wanted: impl Fn(&IndexRecord) -> bool,
    ) -> Result<Vec<Arc<PostingRecord>>, ArchiveError> {
        let mut records: Vec<Arc<PostingRecord>> =
            state.recent.values().flatten().cloned().collect();
        for index in state.indices.values().filter(|index| is_wanted(index)) {
            let postings = self.index(index)?;
            let is_older = |p: &&Arc<PostingRecord>| !state.recent.contains_key(&p.key());
            records.extend(postings.iter().filter(is_older).cloned());
        }
        Ok(records)
    }

    /// Has indices read from the store again.
    pub(super) fn forget_indices(&self) {
        self.shared.indices.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Reads an index, once.
    pub(super) fn index(
        &self,
        index: &IndexRecord,
    ) -> Result<Arc<Vec<Arc<PostingRecord>>>, ArchiveError> {
        let indices = &self.shared.indices;
        let known =
            indices.lock().unwrap_or_else(PoisonError::into_inner).get(&index.name).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let damaged = |found: &str| ArchiveError::Damaged {
            place: self.store().place(&index.name),
            found: found.to_owned(),
        };
        let bytes = self.store().get(&index.name)?.ok_or_else(|| damaged("is missing"))?;
        if checksum(&bytes) != index.checksum {
            return Err(damaged("is not as it was written"));
        }
        let file: IndexFile = from_bytes(self.store(), &index.name, &bytes)?;
        let postings: Arc<Vec<_>> = Arc::new(file.postings.into_iter().map(Arc::new).collect());
        let mut indices = indices.lock().unwrap_or_else(PoisonError::into_inner);
        indices.insert(index.name.clone(), postings.clone());
        Ok(postings)
    }
}

/// Finds postings by report and id; the month of their posting says in which index.
pub(super) struct PostingLookup<'a> {
    archive: &'a Archive,
    state: Arc<State>,
    by_id: BTreeMap<(String, String), BTreeMap<String, Arc<PostingRecord>>>,
}

impl<'a> PostingLookup<'a> {
    pub(super) fn new(archive: &'a Archive, state: Arc<State>) -> Self {
        Self { archive, state, by_id: BTreeMap::new() }
    }

    pub(super) fn find(
        &mut self,
        posting: &Posting,
    ) -> Result<Option<Arc<PostingRecord>>, ArchiveError> {
        let report = posting.report.emil_id().to_owned();
        let key: PostingKey = (report.clone(), posting.id.clone());
        if let Some(recent) = self.state.recent.get(&key) {
            return Ok(recent.clone());
        }
        let index_key = (report, month(posting.posted_at));
        let Some(index) = self.state.indices.get(&index_key) else { return Ok(None) };
        if !self.by_id.contains_key(&index_key) {
            let postings = self.archive.index(index)?;
            let by_id = postings.iter().map(|p| (p.id.clone(), p.clone())).collect();
            self.by_id.insert(index_key.clone(), by_id);
        }
        Ok(self.by_id[&index_key].get(&posting.id).cloned())
    }
}

impl PostingRecord {
    fn to_committed(&self, report: Report) -> CommittedPosting {
        CommittedPosting {
            posting: self.to_posting(report),
            fetched_at: self.fetched_at,
            raw: self.raw.as_ref().map(|raw| raw.name.clone()),
            quarantined: self.quarantined.clone(),
            complaints: self.complaints.clone(),
            complaints_total: self.complaints_total,
            drift: self.drift.clone(),
        }
    }

    pub(super) fn to_posting(&self, report: Report) -> Posting {
        Posting { report, id: self.id.clone(), name: self.name.clone(), posted_at: self.posted_at }
    }
}

/// Returns the names of the series of some keys.
pub(super) fn series_names<'a>(
    keys: impl Iterator<Item = &'a crate::observation::SeriesKey>,
) -> Vec<String> {
    let names: BTreeSet<&str> = keys.map(|key| key.series.name()).collect();
    names.into_iter().map(str::to_owned).collect()
}
