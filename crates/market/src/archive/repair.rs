//! Makes the archive whole again: what is broken is taken out, rebuilt from raw files where those
//! were kept, and what is lost is named and marked to be fetched again.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Archive;
use super::checksum::checksum;
use super::commit::{NewPart, whole_second_after};
use super::compaction::Upkeep;
use super::error::ArchiveError;
use super::log::{CommitFile, PartRecord, PostingRecord};
use super::part::{ArchivedRow, Rows};
use super::period::period;
use super::state::State;
use super::transaction::Change;
use super::verification::Problem;
use crate::observation::{Series, SeriesKey};
use crate::place::Place;
use crate::reports::{Contents, Posting, Report, ReportError};

/// A report's values may be published a little before or after it was posted.
const POSTING_SLACK: SignedDuration = SignedDuration::from_hours(2);

/// Reads a posting's raw bytes again.
pub type ReadAgain<'a> = dyn Fn(&Posting, &[u8]) -> Result<Contents, ReportError> + 'a;

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Observations that were read from raw files again.
    pub rows_rebuilt: u64,
    /// What is no longer in the archive.
    pub lost: Vec<Lost>,
    /// Postings that will be fetched again.
    pub postings_forgotten: usize,
    /// Files that no commit needs and that were removed.
    pub files_removed: usize,
    /// What cannot be repaired here: restore it from a backup.
    pub problems: Vec<Problem>,
}

/// Observations that were lost with a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The name of the series.
    pub series: String,
    /// The places' names.
    pub places: Vec<String>,
    /// How many, at most.
    pub rows: u64,
    /// When the first and the last interval start.
    pub intervals: (Timestamp, Timestamp),
    /// When the first and the last value were published.
    pub published: (Timestamp, Timestamp),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = self.intervals;
        let places = match self.places.as_slice() {
            [place] => place.clone(),
            places => format!("{} places", places.len()),
        };
        write!(f, "{} of {} at {places}, {first} to {last}", self.rows, self.series)
    }
}

/// What became of one broken part.
#[derive(Debug)]
struct Rebuilt {
    rows: u64,
    forgotten: usize,
}

impl Archive {
    /// Takes broken parts out of the archive, rebuilds them from raw files, and removes files
    /// that nobody needs. What is lost is marked, so that a fetch gets it again.
    pub fn repair(
        &self,
        upkeep: &Upkeep,
        read_again: &ReadAgain<'_>,
    ) -> Result<Repaired, ArchiveError> {
        let mut repaired = Repaired::default();
        let verified = self.verify()?;
        let state = self.newest_state()?;
        for problem in verified.problems {
            let Some(part) = state.parts.get(&problem.file) else {
                repaired.problems.push(problem);
                continue;
            };
            let rebuild = |state: &State| self.rebuild(state, part, upkeep.now, read_again);
            let (_, rebuilt) = self.transact(rebuild)?;
            let Some(rebuilt) = rebuilt else { continue };
            repaired.rows_rebuilt += rebuilt.rows;
            repaired.postings_forgotten += rebuilt.forgotten;
            repaired.lost.extend(lost(part, rebuilt.rows));
        }
        repaired.files_removed = self.clean(upkeep)?;
        Ok(repaired)
    }

    fn rebuild(
        &self,
        state: &State,
        part: &Arc<PartRecord>,
        now: Timestamp,
        read_again: &ReadAgain<'_>,
    ) -> Result<Option<Change<Rebuilt>>, ArchiveError> {
        if !state.parts.contains_key(&part.name) {
            return Ok(None);
        }
        let mut commit = CommitFile::at(now);
        commit.removed.push(part.name.clone());
        let mut rows = Rows::new();
        for posting in self.posting_records(state, |_| true)? {
            if !may_be_in(&posting, part) {
                continue;
            }
            match self.contents(&posting, read_again)? {
                Some(contents) => take(&posting, part, contents, &mut rows),
                None => commit.forgotten.push(posting.key()),
            }
        }
        let mut files = Vec::new();
        let rebuilt: usize = rows.values().map(Vec::len).sum();
        if let Some(series) = Series::named(&part.series) {
            let import = part.import.as_deref();
            let new = NewPart { series, period: part.period.clone(), import };
            new.add(rows, part.order, &mut commit, &mut files);
            if (rebuilt as u64) < part.rows {
                forget_imports(state, part, series, &mut commit);
            }
        }
        let forgotten = commit.forgotten.len();
        let outcome = Rebuilt { rows: (rebuilt as u64).min(part.rows), forgotten };
        Ok(Some(Change { commit, files, outcome }))
    }

    /// Reads a posting's raw file again; `None` if there is none that can be used.
    fn contents(
        &self,
        posting: &PostingRecord,
        read_again: &ReadAgain<'_>,
    ) -> Result<Option<Contents>, ArchiveError> {
        let (Some(raw), Some(report)) = (&posting.raw, Report::with_emil_id(&posting.report))
        else {
            return Ok(None);
        };
        let Some(bytes) = self.store().get(&raw.name)? else { return Ok(None) };
        if checksum(&bytes) != raw.checksum {
            return Ok(None);
        }
        Ok(read_again(&posting.to_posting(report), &bytes).ok())
    }
}

/// Tells whether a part may hold what a posting said.
fn may_be_in(posting: &PostingRecord, part: &PartRecord) -> bool {
    let seconds = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let (first, last) = (seconds(part.published.0), seconds(part.published.1));
    posting.quarantined.is_none()
        && posting.series.contains(&part.series)
        && first - POSTING_SLACK <= posting.posted_at
        && posting.posted_at <= last + POSTING_SLACK
}

/// Takes a part's rows from what a posting says.
fn take(posting: &PostingRecord, part: &PartRecord, contents: Contents, rows: &mut Rows) {
    let source: Arc<str> = posting.source.as_str().into();
    for (key, observations) in contents.observations {
        let place = key.place.name();
        if key.series.name() != part.series || !part.holds(place) {
            continue;
        }
        for observation in observations.iter().filter(|o| o.value.is_finite()) {
            let row = ArchivedRow {
                interval_start: observation.interval_start.as_second(),
                published_at: whole_second_after(observation.published_at),
                fetched_at: posting.fetched_at.as_microsecond(),
                value: observation.value,
                source: source.clone(),
            };
            let (first, last) = part.intervals;
            let is_within = first <= row.interval_start && row.interval_start <= last;
            if is_within && period(key.series, row.interval_start) == part.period {
                rows.entry(place.to_owned()).or_default().push(row);
            }
        }
    }
}

/// Has the imports and spans of a part's series repeated, and the rows of its reports.
fn forget_imports(state: &State, part: &PartRecord, series: Series, commit: &mut CommitFile) {
    let (mut names, mut reports) = (BTreeSet::new(), BTreeSet::new());
    for place in part.places.iter().filter_map(|place| Place::named(place).ok()) {
        let key = SeriesKey { series, place };
        let report = Report::publishing(&key);
        let corrections = report.and_then(Report::corrections);
        reports.extend([report, corrections].into_iter().flatten().map(Report::emil_id));
        names.insert(key.to_string());
    }
    let is_of_report = |name: &str| name.split_once(' ').is_some_and(|it| reports.contains(it.0));
    for name in state.imports.keys().filter(|name| names.contains(*name) || is_of_report(name)) {
        commit.imports.insert(name.clone(), None);
    }
}

fn lost(part: &PartRecord, rebuilt: u64) -> Option<Lost> {
    let seconds = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let rows = part.rows.saturating_sub(rebuilt);
    (0 < rows).then(|| Lost {
        series: part.series.clone(),
        places: part.places.clone(),
        rows,
        intervals: (seconds(part.intervals.0), seconds(part.intervals.1)),
        published: (seconds(part.published.0), seconds(part.published.1)),
    })
}
