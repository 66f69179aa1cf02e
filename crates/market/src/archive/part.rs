//! One part of the archive as bytes: a Parquet file of one series in one period, sorted by place,
//! interval, publication and fetch. The only file that knows its columns and format version.
//!
//! Row groups hold whole places, a large place alone, so that the bytes of one place can be read
//! without the others'. Where a part is and what it is about is said by `log`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::table::{ColumnData, ParquetBytes, encode_parquet};

/// The version of a part's columns and metadata. Older versions must stay readable.
pub(super) const FORMAT: u32 = 2;

const FORMAT_KEY: &str = "archive_format";

const PLACE: &str = "place";
pub(super) const INTERVAL_START: &str = "interval_start";
const PUBLISHED_AT: &str = "published_at";
const FETCHED_AT: &str = "fetched_at";
const VALUE: &str = "value";
const SOURCE: &str = "source";

/// Rows until a row group is closed: places share one until then, so that a thousand settlement
/// points of one SCED run are not a thousand row groups.
const GROUP_ROWS: usize = 8_192;

/// A longer place is divided: a reader decodes a row group at a time.
const GROUP_ROWS_MAX: usize = 1_000_000;

/// An observation with its origin; instants in seconds since 1970 UTC, the fetch in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArchivedRow {
    pub(super) interval_start: i64,
    pub(super) published_at: i64,
    pub(super) fetched_at: i64,
    pub(super) value: f64,
    pub(super) source: Arc<str>,
}

/// Rows of one series by place, of each in the order of [`ArchivedRow::order`].
pub(super) type Rows = BTreeMap<String, Vec<ArchivedRow>>;

impl ArchivedRow {
    /// Orders by interval, publication and fetch: of equal vintages the last counts.
    pub(super) fn order(&self) -> (i64, i64, i64) {
        (self.interval_start, self.published_at, self.fetched_at)
    }

    pub(super) fn vintage(&self) -> (i64, i64) {
        (self.interval_start, self.published_at)
    }
}

/// Orders rows and leaves out those that say the same as the row of their vintage fetched before.
pub(super) fn ordered(mut rows: Vec<ArchivedRow>) -> Vec<ArchivedRow> {
    // Stable, so of equal fetches the one that was committed last stays last.
    rows.sort_by_key(ArchivedRow::order);
    rows.dedup_by(|later, earlier| {
        later.vintage() == earlier.vintage() && later.value.to_bits() == earlier.value.to_bits()
    });
    rows
}

/// Writes rows as the bytes of a part; equal rows give equal bytes.
pub(super) fn encode(rows: &Rows) -> Bytes {
    let all = || rows.values().flatten();
    let instants = |of: fn(&ArchivedRow) -> i64| {
        ColumnData::Instants(all().map(|row| instant_of_microseconds(of(row))).collect())
    };
    let mut places = Vec::new();
    for (place, of_place) in rows {
        let place: Arc<str> = place.as_str().into();
        places.extend(std::iter::repeat_n(place, of_place.len()));
    }
    let columns = [
        (PLACE, ColumnData::Texts(places)),
        (INTERVAL_START, instants(|row| row.interval_start.saturating_mul(1_000_000))),
        (PUBLISHED_AT, instants(|row| row.published_at.saturating_mul(1_000_000))),
        (FETCHED_AT, instants(|row| row.fetched_at)),
        (VALUE, ColumnData::Numbers(all().map(|row| row.value).collect())),
        (SOURCE, ColumnData::Texts(all().map(|row| row.source.clone()).collect())),
    ];
    let metadata = [(FORMAT_KEY.to_owned(), FORMAT.to_string())];
    encode_parquet(&columns, &row_groups(rows), &metadata).into()
}

fn instant_of_microseconds(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

/// Divides the rows, places one after the other, into row groups.
fn row_groups(rows: &Rows) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut end = 0;
    for of_place in rows.values().filter(|rows| !rows.is_empty()) {
        let first = end;
        end += of_place.len();
        match groups.last_mut() {
            Some(last) if last.len() + of_place.len() <= GROUP_ROWS => last.end = end,
            Some(_) | None => {
                for first in (first..end).step_by(GROUP_ROWS_MAX) {
                    groups.push(first..end.min(first + GROUP_ROWS_MAX));
                }
            }
        }
    }
    groups
}

/// A part's file, opened; some of its bytes may be absent.
#[derive(Debug)]
pub(super) struct PartReader(ParquetBytes);

/// What of a part's rows is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetches {
    /// When each was fetched, too.
    Read,
    /// Not when: within one part the order says which of equal vintages counts.
    Skipped,
}

/// The rows of one place in columns; instants in seconds since 1970 UTC, `fetched_at` in
/// microseconds, or empty when it was not asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PlaceColumns {
    pub(super) interval_start: Vec<i64>,
    pub(super) published_at: Vec<i64>,
    pub(super) fetched_at: Vec<i64>,
    pub(super) value: Vec<f64>,
}

/// Why a part gave nothing: what is wrong with it, or the newer format that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartFault {
    Damaged(String),
    Newer(u32),
}

impl From<String> for PartFault {
    fn from(found: String) -> Self {
        Self::Damaged(found)
    }
}

impl PartReader {
    /// Opens a part and refuses what a newer program wrote.
    pub(super) fn open(file: ParquetBytes) -> Result<Self, PartFault> {
        let metadata = file.metadata();
        let text = metadata.get(FORMAT_KEY).map_or("", String::as_str);
        let format: u32 =
            text.parse().map_err(|_| format!("its metadata {FORMAT_KEY} is {text:?}"))?;
        match format {
            FORMAT => Ok(Self(file)),
            newer if FORMAT < newer => Err(PartFault::Newer(newer)),
            older => Err(format!("its format {older} was never one of parts by period").into()),
        }
    }

    /// Returns the row groups in which a place may have rows.
    pub(super) fn groups_of(&self, place: &str) -> Vec<usize> {
        let may_hold = |group: &usize| {
            let bounds = self.0.text_bounds(*group, PLACE);
            bounds.is_none_or(|(first, last)| first <= place && place <= last)
        };
        (0..self.0.groups()).filter(may_hold).collect()
    }

    /// Returns which bytes of the file a row group takes.
    pub(super) fn byte_range(&self, group: usize) -> Result<Range<u64>, PartFault> {
        Ok(self.0.byte_range(group)?)
    }

    /// Reads the rows of a place in some row groups.
    pub(super) fn columns(
        &self,
        place: &str,
        groups: &[usize],
        fetches: Fetches,
    ) -> Result<PlaceColumns, PartFault> {
        let mut columns = PlaceColumns::default();
        for &group in groups {
            let rows = self.rows_of(place, group)?;
            if rows.is_empty() {
                continue;
            }
            let seconds = |cells: &[i64], into: &mut Vec<i64>| {
                into.extend(cells.iter().map(|ticks| ticks.div_euclid(1_000_000)));
            };
            let starts = self.0.integers(group, INTERVAL_START)?;
            seconds(&starts[rows.clone()], &mut columns.interval_start);
            let published = self.0.integers(group, PUBLISHED_AT)?;
            seconds(&published[rows.clone()], &mut columns.published_at);
            if fetches == Fetches::Read {
                let fetched = self.0.integers(group, FETCHED_AT)?;
                columns.fetched_at.extend_from_slice(&fetched[rows.clone()]);
            }
            columns.value.extend_from_slice(&self.0.numbers(group, VALUE)?[rows]);
        }
        Ok(columns)
    }

    /// Returns when the newest value of a place was published, from the statistics if they are
    /// about this place alone.
    pub(super) fn newest_publication(&self, place: &str) -> Result<Option<i64>, PartFault> {
        let mut newest = None;
        for group in self.groups_of(place) {
            let is_alone = self.0.text_bounds(group, PLACE).is_some_and(|(a, b)| a == b);
            let bounds = self.0.integer_bounds(group, PUBLISHED_AT);
            newest = newest.max(match bounds {
                Some((_, last)) if is_alone => Some(last.div_euclid(1_000_000)),
                _ => {
                    let columns = self.columns(place, &[group], Fetches::Skipped)?;
                    columns.published_at.into_iter().max()
                }
            });
        }
        Ok(newest)
    }

    /// Reads everything.
    pub(super) fn rows(&self) -> Result<Rows, PartFault> {
        let mut rows = Rows::new();
        for group in 0..self.0.groups() {
            let starts = self.0.integers(group, INTERVAL_START)?;
            let published = self.0.integers(group, PUBLISHED_AT)?;
            let fetched = self.0.integers(group, FETCHED_AT)?;
            let values = self.0.numbers(group, VALUE)?;
            let mut sources: Vec<Arc<str>> = Vec::with_capacity(values.len());
            for (source, run) in self.0.text_runs(group, SOURCE)? {
                sources.extend(std::iter::repeat_n(Arc::<str>::from(source), run.len()));
            }
            for (place, run) in self.0.text_runs(group, PLACE)? {
                rows.entry(place).or_default().extend(run.map(|row| ArchivedRow {
                    interval_start: starts[row].div_euclid(1_000_000),
                    published_at: published[row].div_euclid(1_000_000),
                    fetched_at: fetched[row],
                    value: values[row],
                    source: sources[row].clone(),
                }));
            }
        }
        Ok(rows)
    }

    /// Returns which rows of a group are a place's.
    fn rows_of(&self, place: &str, group: usize) -> Result<Range<usize>, PartFault> {
        if self.0.text_bounds(group, PLACE) == Some((place, place)) {
            return Ok(0..self.0.rows(group)?);
        }
        let runs = self.0.text_runs(group, PLACE)?;
        let found = runs.into_iter().find(|(of_run, _)| of_run == place);
        Ok(found.map_or(0..0, |(_, rows)| rows))
    }
}
