//! The archive: what the market said, when it said so, and when we fetched it.
//!
//! Append-only Parquet under `FOLDER/{series}/{place}/{part}.parquet`. It keeps whatever it is
//! given and judges nothing; what a forecast may see is decided by `observation::KnownAt`.
//! Writers are kept apart by the orchestrator's journal, so there is no lock here.

mod error;
mod imports;
mod part;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;

use crate::observation::{History, HistoryBuilder, Observation, SeriesKey};
use crate::table::PARTIAL_MARK;

pub use error::ArchiveError;
use part::{ArchivedRow, PartPath};

/// How many parts are decoded at once: both cores of a small machine.
const LOADING_THREADS: usize = 2;

/// The archive of one source's observations.
#[derive(Clone, Debug)]
pub struct Archive {
    folder: PathBuf,
}

/// What an append is about.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// Which series, where.
    pub key: &'a SeriesKey,
    /// The name of the part it goes to: letters, digits, `-`, `_` and `.`, e.g. `2024-08`.
    pub part: &'a str,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// From which source.
    pub source_id: &'a str,
}

impl Archive {
    /// Opens the archive in a folder, which need not exist yet.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        if folder.exists() && !folder.is_dir() {
            return Err(ArchiveError::NotAFolder { path: folder.to_path_buf() });
        }
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds observations to a part. What the part already holds stays: the same observations
    /// again change nothing, so a fetch that was killed is simply repeated, and a month's part
    /// grows day by day. Returns how many observations were new.
    pub fn append(
        &self,
        fetch: &Fetch<'_>,
        observations: &[Observation],
    ) -> Result<usize, ArchiveError> {
        let path = self.part_path(fetch.key, fetch.part);
        let mut rows = if path.exists() { path.read_rows()? } else { Vec::new() };
        let before = rows.len();
        rows.extend(archived(fetch, observations));
        // Stable, so of equal observations the one that was fetched first stays.
        rows.sort_by_key(ArchivedRow::order);
        rows.dedup_by(|later, earlier| later.says_the_same(earlier));
        if rows.len() != before {
            self.write(&path, &rows)?;
        }
        Ok(rows.len() - before)
    }

    /// Replaces a part by these observations: for importing the user's own files again after
    /// they changed. Of two with the same interval and publication the later one stays, as in a
    /// [`History`].
    pub fn replace(
        &self,
        fetch: &Fetch<'_>,
        observations: &[Observation],
    ) -> Result<(), ArchiveError> {
        let rows: Vec<ArchivedRow> =
            latest_stated(observations).map(|o| archived_row(fetch, o)).collect();
        self.write(&self.part_path(fetch.key, fetch.part), &rows)
    }

    /// Tells whether replacing a part would change or remove anything that it states now, rather
    /// than only add to it.
    pub fn would_correct(
        &self,
        fetch: &Fetch<'_>,
        observations: &[Observation],
    ) -> Result<bool, ArchiveError> {
        let path = self.part_path(fetch.key, fetch.part);
        if !path.exists() {
            return Ok(false);
        }
        let stated = |o: &Observation| (o.interval_start, o.published_at, o.value.to_bits());
        let now: BTreeSet<_> = latest_stated(observations).map(|o| stated(&o)).collect();
        Ok(path.read_observations()?.iter().any(|before| !now.contains(&stated(before))))
    }

    /// Returns when the newest archived value of a series was published. Reads no rows.
    pub fn newest_publication(&self, key: &SeriesKey) -> Result<Option<Timestamp>, ArchiveError> {
        let mut newest = None;
        for part in self.parts(key)? {
            newest = newest.max(part.newest_publication()?);
        }
        Ok(newest)
    }

    /// Loads series with every vintage; of equal vintages the one that was fetched last counts,
    /// across parts the one in the part whose name sorts last. A series that was never archived
    /// is empty.
    pub fn load(&self, keys: &[SeriesKey]) -> Result<History, ArchiveError> {
        let mut parts = Vec::new();
        for key in keys {
            parts.extend(self.parts(key)?.into_iter().map(|part| (key, part)));
        }
        let mut loaded = read_in_parallel(&parts)?;
        let mut builder = HistoryBuilder::default();
        for (index, (key, _)) in parts.iter().enumerate() {
            builder.add(key, loaded.remove(&index).expect("every part was read or failed"));
        }
        Ok(builder.build())
    }

    fn part_path(&self, key: &SeriesKey, part: &str) -> PartPath {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let starts_well = part.starts_with(|c: char| c.is_ascii_alphanumeric());
        assert!(starts_well && part.chars().all(allowed), "part {part:?} is a plain file name");
        PartPath(self.series_folder(key).join(format!("{part}.parquet")))
    }

    fn series_folder(&self, key: &SeriesKey) -> PathBuf {
        self.folder.join(key.series.name()).join(key.place.name())
    }

    /// Lists a series' parts in the order of their names.
    fn parts(&self, key: &SeriesKey) -> Result<Vec<PartPath>, ArchiveError> {
        let folder = self.series_folder(key);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let failed = |cause| ArchiveError::NotReadable { path: folder.clone(), cause };
        let mut parts = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "parquet") {
                parts.push(PartPath(path));
            }
        }
        parts.sort();
        Ok(parts)
    }

    fn write(&self, part: &PartPath, rows: &[ArchivedRow]) -> Result<(), ArchiveError> {
        part.write_rows(rows)?;
        part.remove_leftovers(PARTIAL_MARK)
    }
}

/// Orders observations by interval and publication; of equal ones the last stays.
fn latest_stated(observations: &[Observation]) -> impl Iterator<Item = Observation> + use<> {
    let key = |o: &Observation| (o.interval_start, o.published_at);
    let mut ordered = observations.to_vec();
    ordered.sort_by_key(key);
    let mut latest: Vec<Observation> = Vec::with_capacity(ordered.len());
    for observation in ordered {
        match latest.last_mut() {
            Some(last) if key(last) == key(&observation) => *last = observation,
            Some(_) | None => latest.push(observation),
        }
    }
    latest.into_iter()
}

fn archived_row(fetch: &Fetch<'_>, observation: Observation) -> ArchivedRow {
    ArchivedRow { observation, fetched_at: fetch.fetched_at, source: fetch.source_id.into() }
}

fn archived<'a>(
    fetch: &'a Fetch<'_>,
    observations: &'a [Observation],
) -> impl Iterator<Item = ArchivedRow> + 'a {
    let source: std::sync::Arc<str> = fetch.source_id.into();
    observations.iter().map(move |observation| ArchivedRow {
        observation: *observation,
        fetched_at: fetch.fetched_at,
        source: source.clone(),
    })
}

/// Reads the observations of all parts, by their index.
fn read_in_parallel(
    parts: &[(&SeriesKey, PartPath)],
) -> Result<BTreeMap<usize, Vec<Observation>>, ArchiveError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut read = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, part)) = parts.get(index) else { return Ok(read) };
            read.push((index, part.read_observations()?));
        }
    };
    let outcomes: Vec<Result<Vec<_>, ArchiveError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..LOADING_THREADS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut loaded = BTreeMap::new();
    for outcome in outcomes {
        loaded.extend(outcome?);
    }
    Ok(loaded)
}
