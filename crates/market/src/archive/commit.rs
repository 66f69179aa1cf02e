//! Commits a batch: decides what of it is new, makes parts of that, and adds them in one commit.
//!
//! Bitemporal: a value that was published again with another number is kept beside the former
//! one, and of both the one fetched last counts. What is there already changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::Archive;
use super::batch::{Batch, FetchedPosting, Reading};
use super::checksum::checksum;
use super::error::ArchiveError;
use super::log::{CommitFile, PartRecord, PostingRecord, RawRecord};
use super::part::{ArchivedRow, Rows, encode, ordered};
use super::period::period;
use super::postings::{PostingLookup, series_names};
use super::read::{Query, Vintages};
use super::state::State;
use super::transaction::Change;
use crate::observation::{Observation, Series, SeriesKey};

/// Complaints that are kept of a posting; they are counted beyond.
const COMPLAINTS_KEPT: usize = 20;

/// What a commit added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The newest commit, which contains the batch.
    pub number: u64,
    /// Observations that were not in the archive.
    pub observations: usize,
    /// Postings that were not in the archive.
    pub postings: usize,
}

#[derive(Clone, Copy, Debug)]
struct Added {
    observations: usize,
    postings: usize,
}

impl Archive {
    /// Adds a batch in one commit. Whatever of it is in the archive already changes nothing, so a
    /// fetch that was killed is simply repeated; a batch whose postings are all there is not even
    /// looked at.
    pub fn commit(&self, batch: &Batch) -> Result<Committed, ArchiveError> {
        let (state, added) = self.transact(|state| self.prepare(state, batch))?;
        let added = added.unwrap_or(Added { observations: 0, postings: 0 });
        Ok(Committed {
            number: state.number,
            observations: added.observations,
            postings: added.postings,
        })
    }

    fn prepare(&self, state: &State, batch: &Batch) -> Result<Option<Change<Added>>, ArchiveError> {
        let mut commit = CommitFile::at(batch.fetched_at);
        let mut files = Vec::new();
        let postings = self.new_postings(state, batch)?;
        let is_known = !batch.postings.is_empty() && postings.is_empty();
        let mut observations = 0;
        if !is_known {
            let mut new = BTreeMap::new();
            for (key, given) in &batch.observations {
                let mut rows = archived_rows(batch, given);
                if batch.replaces.is_none() {
                    self.retain_new(state, key, &mut rows)?;
                }
                observations += rows.len();
                collect(&mut new, key, rows);
            }
            for (key, rows) in &batch.rows {
                let rows = self.absent_rows(state, key, rows)?;
                observations += rows.len();
                collect(&mut new, key, rows);
            }
            if let Some(import) = &batch.replaces {
                let kept = self.remove_import(state, batch, import, &mut commit)?;
                kept.into_iter().for_each(|(key, rows)| collect(&mut new, &key, rows));
            }
            for ((series, period), rows) in new {
                let part = NewPart { series, period, import: batch.replaces.as_deref() };
                part.add(rows, state.number + 1, &mut commit, &mut files);
            }
        }
        let series = series_names(batch.observations.keys());
        for posting in &postings {
            commit.postings.push(posting_record(batch, posting, &series, &mut files));
        }
        for (name, fingerprint) in &batch.imports {
            if state.imports.get(name) != Some(fingerprint) {
                commit.imports.insert(name.clone(), Some(fingerprint.clone()));
            }
        }
        let outcome = Added { observations, postings: postings.len() };
        Ok((!commit.is_empty()).then_some(Change { commit, files, outcome }))
    }

    /// Returns the batch's postings that are not in the archive, or were quarantined and can be
    /// read now.
    fn new_postings<'b>(
        &self,
        state: &State,
        batch: &'b Batch,
    ) -> Result<Vec<&'b FetchedPosting>, ArchiveError> {
        let mut lookup = PostingLookup::new(self, state.clone().into());
        let mut seen = BTreeSet::new();
        let mut new = Vec::new();
        for fetched in &batch.postings {
            let is_first = seen.insert((fetched.posting.report, &fetched.posting.id));
            let is_better = match lookup.find(&fetched.posting)? {
                None => true,
                Some(known) => {
                    known.quarantined.is_some() && matches!(fetched.reading, Reading::Read { .. })
                }
            };
            if is_first && is_better {
                new.push(fetched);
            }
        }
        Ok(new)
    }

    /// Leaves out the rows that say what the archive's own rows of the same vintage say.
    fn retain_new(
        &self,
        state: &State,
        key: &SeriesKey,
        rows: &mut Vec<ArchivedRow>,
    ) -> Result<(), ArchiveError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let intervals = (first.interval_start, last.interval_start);
        let published = rows.iter().map(|row| row.published_at);
        let published = (published.clone().min().unwrap_or(0), published.max().unwrap_or(0));
        let overlaps = |a: (i64, i64), b: (i64, i64)| a.0 <= b.1 && b.0 <= a.1;
        let may_repeat = |part: &PartRecord| {
            overlaps(part.intervals, intervals) && overlaps(part.published, published)
        };
        if !state.parts_at(key).iter().any(|part| may_repeat(part)) {
            return Ok(());
        }
        let query = Query::seconds(key, intervals, Vintages::All);
        let known = self.read_at(state, &query)?;
        let mut index = 0;
        rows.retain(|row| {
            let at = |i: usize| (known.interval_start[i], known.published_at[i]);
            while index < known.value.len() && at(index) < row.vintage() {
                index += 1;
            }
            let is_there = index < known.value.len()
                && at(index) == row.vintage()
                && known.value[index].to_bits() == row.value.to_bits();
            !is_there
        });
        Ok(())
    }

    /// Returns the rows that are not in the archive as they are, in order.
    fn absent_rows(
        &self,
        state: &State,
        key: &SeriesKey,
        rows: &[ArchivedRow],
    ) -> Result<Vec<ArchivedRow>, ArchiveError> {
        let mut known = BTreeSet::new();
        for part in state.parts_at(key) {
            let mut of_part = self.part_rows(&part)?;
            let of_place = of_part.remove(key.place.name()).unwrap_or_default();
            known.extend(of_place.iter().map(|row| (row.order(), row.value.to_bits())));
        }
        let is_absent = |row: &&ArchivedRow| !known.contains(&(row.order(), row.value.to_bits()));
        let mut absent: Vec<ArchivedRow> = rows.iter().filter(is_absent).cloned().collect();
        absent.sort_by_key(ArchivedRow::order);
        Ok(absent)
    }

    /// Removes what was imported of the batch's series under a name, and returns the rows of
    /// other places that go with it and must stay.
    fn remove_import(
        &self,
        state: &State,
        batch: &Batch,
        import: &str,
        commit: &mut CommitFile,
    ) -> Result<Vec<(SeriesKey, Vec<ArchivedRow>)>, ArchiveError> {
        let mut kept = Vec::new();
        for part in state.parts.values().filter(|part| part.import.as_deref() == Some(import)) {
            let is_replaced = |place: &String| {
                let mut keys = batch.observations.keys();
                keys.any(|key| key.series.name() == part.series && key.place.name() == place)
            };
            if !part.places.iter().any(is_replaced) {
                continue;
            }
            commit.removed.push(part.name.clone());
            if part.places.iter().all(is_replaced) {
                continue;
            }
            for (place, rows) in self.part_rows(part)? {
                if !is_replaced(&place) {
                    kept.push((self.key_of(part, &place)?, rows));
                }
            }
        }
        Ok(kept)
    }
}

/// Parts in the making, by series and period.
type NewRows = BTreeMap<(Series, String), Rows>;

fn collect(new: &mut NewRows, key: &SeriesKey, rows: Vec<ArchivedRow>) {
    let mut rows = rows.into_iter().peekable();
    while let Some(first) = rows.next() {
        let period_of_run = period(key.series, first.interval_start);
        let parts = new.entry((key.series, period_of_run.clone())).or_default();
        let into = parts.entry(key.place.name().to_owned()).or_default();
        into.push(first);
        let mut last = into.last().map(|row| row.interval_start);
        let is_same = |row: &ArchivedRow, last: Option<i64>| {
            last == Some(row.interval_start)
                || period(key.series, row.interval_start) == period_of_run
        };
        while let Some(row) = rows.next_if(|row| is_same(row, last)) {
            last = Some(row.interval_start);
            into.push(row);
        }
    }
}

/// A part to be added.
pub(super) struct NewPart<'a> {
    pub(super) series: Series,
    pub(super) period: String,
    pub(super) import: Option<&'a str>,
}

impl NewPart<'_> {
    /// Adds the part to a commit; `order` is the commit of its newest rows.
    pub(super) fn add(
        self,
        rows: Rows,
        order: u64,
        commit: &mut CommitFile,
        files: &mut Vec<(String, Bytes)>,
    ) {
        let rows: Rows = rows
            .into_iter()
            .map(|(place, rows)| (place, ordered(rows)))
            .filter(|(_, rows)| !rows.is_empty())
            .collect();
        let all = || rows.values().flatten();
        let bounds = |of: fn(&ArchivedRow) -> i64| {
            let first = all().map(of).min()?;
            Some((first, all().map(of).max()?))
        };
        let Some(intervals) = bounds(|row| row.interval_start) else { return };
        let bytes = encode(&rows);
        let checksum = checksum(&bytes);
        let series = self.series.name();
        let record = PartRecord {
            name: format!("parts/{series}/{}/{checksum}.parquet", self.period),
            series: series.to_owned(),
            period: self.period,
            places: rows.keys().cloned().collect(),
            rows: all().count() as u64,
            bytes: bytes.len() as u64,
            checksum,
            intervals,
            published: bounds(|row| row.published_at).unwrap_or_default(),
            fetched: bounds(|row| row.fetched_at).unwrap_or_default(),
            import: self.import.map(str::to_owned),
            order,
        };
        files.push((record.name.clone(), bytes));
        commit.added.push(record);
    }
}

/// Makes rows of a batch's observations, in order; of two of the same vintage the later counts.
fn archived_rows(batch: &Batch, observations: &[Observation]) -> Vec<ArchivedRow> {
    let source: std::sync::Arc<str> = batch.source_id.as_str().into();
    let row = |observation: &Observation| ArchivedRow {
        interval_start: observation.interval_start.as_second(),
        published_at: whole_second_after(observation.published_at),
        fetched_at: batch.fetched_at.as_microsecond(),
        value: observation.value,
        source: source.clone(),
    };
    let mut rows: Vec<ArchivedRow> = observations.iter().map(row).collect();
    rows.sort_by_key(ArchivedRow::vintage);
    let mut latest: Vec<ArchivedRow> = Vec::with_capacity(rows.len());
    for row in rows {
        match latest.last_mut() {
            Some(last) if last.vintage() == row.vintage() => *last = row,
            Some(_) | None => latest.push(row),
        }
    }
    latest
}

/// The archive keeps whole seconds; a publication is late rather than early.
pub(super) fn whole_second_after(instant: jiff::Timestamp) -> i64 {
    instant.as_second() + i64::from(0 < instant.subsec_nanosecond())
}

fn posting_record(
    batch: &Batch,
    fetched: &FetchedPosting,
    series: &[String],
    files: &mut Vec<(String, Bytes)>,
) -> PostingRecord {
    let posting = &fetched.posting;
    let raw = fetched.raw.as_ref().map(|bytes| {
        let checksum = checksum(bytes);
        let day = TimeZone::UTC.to_datetime(posting.posted_at).strftime("%Y/%m/%d").to_string();
        let (id, name) = (file_name(&posting.id), file_name(&posting.name));
        let report = posting.report.emil_id();
        let name = format!("raw/{report}/{day}/{id}-{}-{name}", &checksum[..8]);
        files.push((name.clone(), bytes.clone()));
        RawRecord { name, bytes: bytes.len() as u64, checksum }
    });
    let (quarantined, complaints, drift) = match &fetched.reading {
        Reading::Read { complaints, drift } => (None, complaints.as_slice(), drift.clone()),
        Reading::Quarantined { reason } => (Some(reason.clone()), [].as_slice(), BTreeSet::new()),
    };
    let kept = complaints.iter().take(COMPLAINTS_KEPT);
    PostingRecord {
        report: posting.report.emil_id().to_owned(),
        id: posting.id.clone(),
        name: posting.name.clone(),
        posted_at: posting.posted_at,
        fetched_at: batch.fetched_at,
        source: batch.source_id.clone(),
        series: series.to_vec(),
        raw,
        quarantined,
        complaints: kept.map(|c| (c.line, c.reason.clone())).collect(),
        complaints_total: complaints.len() as u64,
        drift,
    }
}

/// Makes a name from elsewhere safe as a file's.
fn file_name(name: &str) -> String {
    /// Longer names are cut; the checksum beside them tells them apart.
    const LENGTH_MAX: usize = 100;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let safe = |c: char| if is_plain(c) { c } else { '_' };
    name.chars().take(LENGTH_MAX).map(safe).collect()
}
