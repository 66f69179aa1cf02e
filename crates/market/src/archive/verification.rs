//! Tells what is in the archive, and whether every file is there and as it was written. Changes
//! nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Archive;
use super::checksum::checksum;
use super::error::ArchiveError;
use super::log::{COMMITS, PartRecord, number_in};
use super::state::State;

/// What is in the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How often something was committed.
    pub commits: u64,
    /// By the series' names.
    pub series: BTreeMap<String, SeriesStatus>,
    /// Postings that are in the archive.
    pub postings: u64,
    /// Those of them that could not be used.
    pub quarantined: u64,
}

/// What is in the archive of one series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesStatus {
    /// Files.
    pub parts: usize,
    /// Observations.
    pub rows: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// At how many places.
    pub places: usize,
    /// When the first and the last interval start.
    pub intervals: Option<(Timestamp, Timestamp)>,
    /// When the newest value was published.
    pub newest_publication: Option<Timestamp>,
    /// When something was fetched last.
    pub newest_fetch: Option<Timestamp>,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Parts that were read.
    pub parts: usize,
    /// Observations in them.
    pub rows: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Raw files that were read.
    pub raw_files: usize,
    /// What is wrong; empty when the archive is whole.
    pub problems: Vec<Problem>,
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, from the archive's root.
    pub file: String,
    /// What is wrong with it.
    pub found: String,
}

impl Archive {
    /// Returns what is in the archive. Reads no parts.
    pub fn status(&self) -> Result<Status, ArchiveError> {
        let state = self.state();
        let mut status = Status { commits: state.number, ..Status::default() };
        let mut places: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
        for part in state.parts.values() {
            status.series.entry(part.series.clone()).or_default().add(part);
            let known = places.entry(part.series.as_str()).or_default();
            known.extend(part.places.iter().map(String::as_str));
        }
        for (series, places) in places {
            status.series.entry(series.to_owned()).or_default().places = places.len();
        }
        for posting in self.posting_records(&state, |_| true)? {
            status.postings += 1;
            status.quarantined += u64::from(posting.quarantined.is_some());
        }
        Ok(status)
    }

    /// Reads every file and compares it with what the log says.
    pub fn verify(&self) -> Result<Verified, ArchiveError> {
        let state = self.newest_state()?;
        self.forget_indices();
        let mut verified = Verified::default();
        self.verify_log(&state, &mut verified)?;
        for part in state.parts.values() {
            self.verify_part(part, &mut verified)?;
        }
        for index in state.indices.values() {
            let outcome = self.index(index).map(|_| ());
            verified.note(&index.name, outcome)?;
        }
        self.verify_raw(&state, &mut verified)?;
        Ok(verified)
    }

    /// A commit that is missing hides those after it.
    fn verify_log(&self, state: &State, verified: &mut Verified) -> Result<(), ArchiveError> {
        for file in self.store().list(COMMITS)? {
            if let Some(number) = number_in(&file.name)
                && state.number < number
                && self.newest_state()?.number < number
            {
                let found = format!("follows a gap: commit {} is missing", state.number + 1);
                verified.problems.push(Problem { file: file.name, found });
            }
        }
        Ok(())
    }

    fn verify_part(&self, part: &PartRecord, verified: &mut Verified) -> Result<(), ArchiveError> {
        let checked = self.part_rows(part).and_then(|rows| {
            let count: usize = rows.values().map(Vec::len).sum();
            if count as u64 == part.rows && rows.keys().eq(part.places.iter()) {
                return Ok(count as u64);
            }
            let found =
                format!("has {count} rows at {} places; the log says otherwise", rows.len());
            Err(ArchiveError::Damaged { place: self.store().place(&part.name), found })
        });
        if let Some(rows) = verified.note(&part.name, checked)? {
            verified.parts += 1;
            verified.rows += rows;
            verified.bytes += part.bytes;
        }
        Ok(())
    }

    fn verify_raw(&self, state: &State, verified: &mut Verified) -> Result<(), ArchiveError> {
        let postings = match self.posting_records(state, |_| true) {
            // A damaged index is among the problems already.
            Err(ArchiveError::Damaged { .. }) => return Ok(()),
            postings => postings?,
        };
        let kept_from = state.raw_kept_from.unwrap_or(Timestamp::MIN);
        for posting in postings.iter().filter(|posting| kept_from <= posting.posted_at) {
            let Some(raw) = &posting.raw else { continue };
            let damaged = |found: &str| ArchiveError::Damaged {
                place: self.store().place(&raw.name),
                found: found.to_owned(),
            };
            let outcome = match self.store().get(&raw.name) {
                Ok(None) => Err(damaged("is missing")),
                Ok(Some(bytes)) if checksum(&bytes) != raw.checksum => {
                    Err(damaged("is not as it was written (its checksum differs)"))
                }
                Ok(Some(_)) => Ok(()),
                Err(error) => Err(error),
            };
            if verified.note(&raw.name, outcome)?.is_some() {
                verified.raw_files += 1;
                verified.bytes += raw.bytes;
            }
        }
        Ok(())
    }
}

impl Verified {
    /// Notes what is wrong with a file; any other failure is one of the verification itself.
    fn note<T>(
        &mut self,
        file: &str,
        outcome: Result<T, ArchiveError>,
    ) -> Result<Option<T>, ArchiveError> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(ArchiveError::Damaged { found, .. }) => {
                self.problems.push(Problem { file: file.to_owned(), found });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl SeriesStatus {
    fn add(&mut self, part: &PartRecord) {
        let seconds = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let (first, last) = (seconds(part.intervals.0), seconds(part.intervals.1));
        self.parts += 1;
        self.rows += part.rows;
        self.bytes += part.bytes;
        self.intervals = Some(match self.intervals {
            None => (first, last),
            Some((before, after)) => (before.min(first), after.max(last)),
        });
        self.newest_publication = self.newest_publication.max(Some(seconds(part.published.1)));
        let fetched = Timestamp::from_microsecond(part.fetched.1).unwrap_or(Timestamp::MAX);
        self.newest_fetch = self.newest_fetch.max(Some(fetched));
    }
}
