//! Reads the archive in columns: one place of one series, a range of intervals, as known at an
//! instant or with every vintage.
//!
//! Parts of different periods hold different intervals, so periods are read side by side and put
//! one after the other. What a forecast may see is decided by `observation::KnownAt`, which reads
//! the [`History`] that [`Archive::load`] returns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;

use super::Archive;
use super::checksum::checksum;
use super::error::ArchiveError;
use super::log::PartRecord;
use super::part::{FORMAT, Fetches, PartFault, PartReader, PlaceColumns, Rows};
use super::state::State;
use crate::observation::{History, HistoryBuilder, Observation, Series, SeriesKey};
use crate::place::Place;
use crate::table::{FileBytes, ParquetBytes, footer_length};

/// How many periods are decoded at once: both cores of a small machine.
const READING_THREADS: usize = 2;
/// … of a bucket, where threads wait most of the time.
const BUCKET_THREADS: usize = 8;

/// A part is read as a whole, and its checksum verified, up to this size; of a larger one only
/// its end and what is about the place.
const WHOLE_BYTES: u64 = 1 << 20;
/// The end of a part that is read first; its footer is shorter unless it has hundreds of places.
const TAIL_BYTES: u64 = 64 << 10;

/// What to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which series, where.
    pub key: SeriesKey,
    /// Intervals that start from here on.
    pub from: Timestamp,
    /// Intervals that start before.
    pub to: Timestamp,
    /// Which vintages of an interval.
    pub vintages: Vintages,
}

/// Which vintages of an interval are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vintages {
    /// The newest that was published by then: what was known.
    KnownAt(Timestamp),
    /// Every one, of equal ones the one fetched last.
    All,
}

/// What was read, in the order of intervals and publications; instants in seconds since 1970 UTC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// When the intervals start.
    pub interval_start: Vec<i64>,
    /// When the values could be read.
    pub published_at: Vec<i64>,
    /// The values, in the series' unit.
    pub value: Vec<f64>,
}

impl Query {
    /// Asks for intervals that start in a range of seconds, both ends included.
    pub(super) fn seconds(key: &SeriesKey, (first, last): (i64, i64), vintages: Vintages) -> Self {
        let from = Timestamp::from_second(first).unwrap_or(Timestamp::MIN);
        let to = Timestamp::from_second(last.saturating_add(1)).unwrap_or(Timestamp::MAX);
        Self { key: key.clone(), from, to, vintages }
    }

    fn bounds(&self) -> (i64, i64) {
        // An interval that starts within a second starts with it, so both bounds are rounded up.
        let seconds = |at: Timestamp| at.as_second() + i64::from(0 < at.subsec_nanosecond());
        (seconds(self.from), seconds(self.to))
    }

    fn known_at(&self) -> i64 {
        match self.vintages {
            Vintages::KnownAt(instant) => instant.as_second(),
            Vintages::All => i64::MAX,
        }
    }

    fn wants(&self, part: &PartRecord) -> bool {
        let (from, to) = self.bounds();
        from <= part.intervals.1 && part.intervals.0 < to && part.published.0 <= self.known_at()
    }
}

impl Columns {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Tells whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Returns when the interval of a row starts.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn instant(&self, row: usize) -> Timestamp {
        at(self.interval_start[row])
    }

    /// Returns the rows as observations.
    pub fn observations(&self) -> impl Iterator<Item = Observation> + '_ {
        let times = self.interval_start.iter().zip(&self.published_at);
        times.zip(&self.value).map(move |((&start, &published), &value)| Observation {
            interval_start: at(start),
            published_at: at(published),
            value,
        })
    }

    /// Returns the rows whose intervals start in `[from, to)`.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Self {
        let row_at = |at: Timestamp| {
            let at = at.as_second() + i64::from(0 < at.subsec_nanosecond());
            self.interval_start.partition_point(|start| *start < at)
        };
        let rows = row_at(from)..row_at(to).max(row_at(from));
        Self {
            interval_start: self.interval_start[rows.clone()].to_vec(),
            published_at: self.published_at[rows.clone()].to_vec(),
            value: self.value[rows].to_vec(),
        }
    }

    /// Takes what a query wants of rows in the order of interval, publication and fetch.
    fn take(&mut self, query: &Query, rows: impl Iterator<Item = (i64, i64, f64)>) {
        let ((from, to), known_at) = (query.bounds(), query.known_at());
        let is_all = query.vintages == Vintages::All;
        for (start, published, value) in rows {
            if start < from || to <= start || known_at < published {
                continue;
            }
            let is_newer = self.interval_start.last() == Some(&start)
                && (!is_all || self.published_at.last() == Some(&published));
            if is_newer && let Some(last) = self.value.len().checked_sub(1) {
                self.published_at[last] = published;
                self.value[last] = value;
            } else {
                self.interval_start.push(start);
                self.published_at.push(published);
                self.value.push(value);
            }
        }
    }

    fn append(&mut self, mut later: Self) {
        self.interval_start.append(&mut later.interval_start);
        self.published_at.append(&mut later.published_at);
        self.value.append(&mut later.value);
    }
}

impl Archive {
    /// Reads one place of one series. What was never archived is empty.
    pub fn read(&self, query: &Query) -> Result<Columns, ArchiveError> {
        self.read_at(&self.state(), query)
    }

    /// Loads series with every vintage; a series that was never archived is empty.
    pub fn load(&self, keys: &[SeriesKey]) -> Result<History, ArchiveError> {
        let state = self.state();
        let mut builder = HistoryBuilder::default();
        for key in keys {
            let (from, to) = (Timestamp::MIN, Timestamp::MAX);
            let query = Query { key: key.clone(), from, to, vintages: Vintages::All };
            let columns = self.read_at(&state, &query)?;
            if !columns.is_empty() {
                builder.add(key, columns.observations());
            }
        }
        Ok(builder.build())
    }

    /// Returns when the newest archived value of a series was published. Reads as little as
    /// possible: no more than one part where publications go on from part to part.
    pub fn newest_publication(&self, key: &SeriesKey) -> Result<Option<Timestamp>, ArchiveError> {
        let mut parts = self.state().parts_at(key);
        parts.sort_by_key(|part| std::cmp::Reverse(part.published.1));
        let mut newest: Option<i64> = None;
        for part in parts {
            if newest.is_some_and(|newest| part.published.1 <= newest) {
                break;
            }
            if part.places.len() == 1 {
                newest = newest.max(Some(part.published.1));
                continue;
            }
            let place = key.place.name();
            let reader = self.open_whole(&part)?;
            let of_part = reader.newest_publication(place);
            newest = newest.max(of_part.map_err(|fault| self.fault(&part, fault))?);
        }
        Ok(newest.and_then(|seconds| Timestamp::from_second(seconds).ok()))
    }

    pub(super) fn read_at(&self, state: &State, query: &Query) -> Result<Columns, ArchiveError> {
        let mut periods: BTreeMap<String, Vec<Arc<PartRecord>>> = BTreeMap::new();
        for part in state.parts_at(&query.key) {
            if query.wants(&part) {
                periods.entry(part.period.clone()).or_default().push(part);
            }
        }
        let periods: Vec<_> = periods.into_values().collect();
        let threads = match self.store().folder() {
            Some(_) => READING_THREADS,
            None => BUCKET_THREADS,
        };
        let mut read = in_parallel(&periods, threads, |parts| self.read_period(query, parts))?;
        let mut columns = Columns::default();
        for index in 0..periods.len() {
            columns.append(read.remove(&index).expect("every period was read or failed"));
        }
        Ok(columns)
    }

    fn read_period(
        &self,
        query: &Query,
        parts: &[Arc<PartRecord>],
    ) -> Result<Columns, ArchiveError> {
        let place = query.key.place.name();
        let mut columns = Columns::default();
        if let [part] = parts {
            let rows = self.place_columns(part, place, Fetches::Skipped)?;
            columns.take(query, rows.vintages());
            return Ok(columns);
        }
        let mut rows: Vec<(i64, i64, i64, f64)> = Vec::new();
        for part in parts {
            let of_part = self.place_columns(part, place, Fetches::Read)?;
            let fetched_at = of_part.fetched_at.iter();
            rows.extend(of_part.vintages().zip(fetched_at).map(|((a, b, v), f)| (a, b, *f, v)));
        }
        // Stable, so of equal fetches the one that was committed last stays last.
        rows.sort_by_key(|row| (row.0, row.1, row.2));
        columns.take(query, rows.into_iter().map(|(start, published, _, v)| (start, published, v)));
        Ok(columns)
    }

    /// Reads the rows of a place of a part.
    fn place_columns(
        &self,
        part: &PartRecord,
        place: &str,
        fetches: Fetches,
    ) -> Result<PlaceColumns, ArchiveError> {
        let fault = |fault: PartFault| self.fault(part, fault);
        if part.bytes <= WHOLE_BYTES || part.places.len() == 1 {
            let reader = self.open_whole(part)?;
            return reader.columns(place, &reader.groups_of(place), fetches).map_err(fault);
        }
        let (reader, bytes) = self.open_tail(part)?;
        let groups = reader.groups_of(place);
        let ranges: Result<Vec<_>, _> =
            groups.iter().map(|group| reader.byte_range(*group)).collect();
        let ranges = ranges.map_err(fault)?;
        let read = self.store().get_ranges(&part.name, &ranges)?;
        let read = read.ok_or_else(|| self.missing(part))?;
        let mut bytes = bytes;
        for (range, of_range) in ranges.iter().zip(read) {
            bytes.add(range.start, of_range);
        }
        let reader = self.open_bytes(part, bytes)?;
        reader.columns(place, &groups, fetches).map_err(fault)
    }

    /// Reads every row of a part.
    pub(super) fn part_rows(&self, part: &PartRecord) -> Result<Rows, ArchiveError> {
        self.open_whole(part)?.rows().map_err(|fault| self.fault(part, fault))
    }

    fn open_whole(&self, part: &PartRecord) -> Result<PartReader, ArchiveError> {
        let bytes = self.store().get(&part.name)?.ok_or_else(|| self.missing(part))?;
        if checksum(&bytes) != part.checksum {
            let found = "is not as it was written (its checksum differs)".to_owned();
            return Err(self.fault(part, PartFault::Damaged(found)));
        }
        self.open_bytes(part, FileBytes::whole(bytes))
    }

    /// Opens a part with its end only.
    fn open_tail(&self, part: &PartRecord) -> Result<(PartReader, FileBytes), ArchiveError> {
        let tail_of = |length: u64| {
            let range = part.bytes.saturating_sub(length)..part.bytes;
            let read = self.store().get_ranges(&part.name, &[range])?;
            let tail = read.and_then(|ranges| ranges.into_iter().next());
            tail.ok_or_else(|| self.missing(part))
        };
        let mut tail = tail_of(TAIL_BYTES)?;
        let needed = footer_length(&tail).unwrap_or(0).min(part.bytes);
        if (tail.len() as u64) < needed {
            tail = tail_of(needed)?;
        }
        let bytes = FileBytes::tail(part.bytes, tail);
        Ok((self.open_bytes(part, bytes.clone())?, bytes))
    }

    fn open_bytes(&self, part: &PartRecord, bytes: FileBytes) -> Result<PartReader, ArchiveError> {
        let file = ParquetBytes::open(bytes).map_err(PartFault::Damaged);
        file.and_then(PartReader::open).map_err(|fault| self.fault(part, fault))
    }

    pub(super) fn missing(&self, part: &PartRecord) -> ArchiveError {
        self.fault(part, PartFault::Damaged("is missing".to_owned()))
    }

    pub(super) fn fault(&self, part: &PartRecord, fault: PartFault) -> ArchiveError {
        let place = self.store().place(&part.name);
        match fault {
            PartFault::Damaged(found) => ArchiveError::Damaged { place, found },
            PartFault::Newer(found) => ArchiveError::NewerFormat { place, found, known: FORMAT },
        }
    }

    /// Returns the series that a part is of, at a place of it.
    pub(super) fn key_of(&self, part: &PartRecord, place: &str) -> Result<SeriesKey, ArchiveError> {
        let unknown = |what: &str, name: &str| ArchiveError::Damaged {
            place: self.store().place(&part.name),
            found: format!("is of the {what} {name:?}, which this program does not know"),
        };
        let series = Series::named(&part.series).ok_or_else(|| unknown("series", &part.series))?;
        let place = Place::named(place).map_err(|_| unknown("place", place))?;
        Ok(SeriesKey { series, place })
    }
}

impl PlaceColumns {
    fn vintages(&self) -> impl Iterator<Item = (i64, i64, f64)> + '_ {
        let times = self.interval_start.iter().zip(&self.published_at);
        times.zip(&self.value).map(|((&start, &published), &value)| (start, published, value))
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

/// Does some work on every item; the results are by the items' indices.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, ArchiveError> + Sync,
) -> Result<BTreeMap<usize, R>, ArchiveError> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(done) };
            done.push((index, work(item)?));
        }
    };
    if items.len() < 2 {
        return run().map(BTreeMap::from_iter);
    }
    let outcomes: Vec<Result<Vec<_>, ArchiveError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(items.len())).map(|_| scope.spawn(run)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut done = BTreeMap::new();
    for outcome in outcomes {
        done.extend(outcome?);
    }
    Ok(done)
}
