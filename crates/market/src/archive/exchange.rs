//! Exports the archive as one Parquet file per series, which pandas and polars read, and imports
//! such files. Nothing is lost on the way: fetches and sources go along.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::Archive;
use super::batch::Batch;
use super::commit::{Committed, whole_second_after};
use super::error::ArchiveError;
use super::part::{ArchivedRow, Rows, ordered};
use crate::observation::{Series, SeriesKey};
use crate::place::Place;
use crate::table::{
    ColumnData, ColumnKind, ColumnSpec, Table, TableError, read_metadata, write_parquet,
};

/// The version of an export's columns. Older versions must stay readable.
const FORMAT: u32 = 1;

const FORMAT_KEY: &str = "archive_export_format";

const PLACE: ColumnSpec = ColumnSpec::required("place", ColumnKind::Text);
const INTERVAL_START: ColumnSpec = ColumnSpec::required("interval_start", ColumnKind::Instant);
const PUBLISHED_AT: ColumnSpec = ColumnSpec::required("published_at", ColumnKind::Instant);
const FETCHED_AT: ColumnSpec = ColumnSpec::required("fetched_at", ColumnKind::Instant);
const VALUE: ColumnSpec = ColumnSpec::required("value", ColumnKind::ANY_NUMBER);
const SOURCE: ColumnSpec = ColumnSpec::required("source", ColumnKind::Text);

impl Archive {
    /// Writes every vintage of the intervals that start in `[from, to)` to a folder, a file
    /// `SERIES.parquet` each; returns how many observations.
    pub fn export(
        &self,
        (from, to): (Timestamp, Timestamp),
        folder: &Path,
    ) -> Result<usize, ArchiveError> {
        let state = self.state();
        let is_asked_for = |row: &ArchivedRow| {
            from.as_second() <= row.interval_start && row.interval_start < to.as_second()
        };
        let mut exported = 0;
        for series in Series::all() {
            let mut rows = Rows::new();
            for part in state.parts_of(*series) {
                if part.intervals.1 < from.as_second() || to.as_second() <= part.intervals.0 {
                    continue;
                }
                for (place, of_place) in self.part_rows(&part)? {
                    let wanted = of_place.into_iter().filter(is_asked_for);
                    rows.entry(place).or_default().extend(wanted);
                }
            }
            let rows: Rows = rows.into_iter().map(|(place, rows)| (place, ordered(rows))).collect();
            let count: usize = rows.values().map(Vec::len).sum();
            if 0 < count {
                write(&folder.join(format!("{}.parquet", series.name())), &rows)?;
                exported += count;
            }
        }
        Ok(exported)
    }

    /// Commits what an export wrote to a folder, in one commit. What is there already changes
    /// nothing.
    pub fn import(&self, folder: &Path) -> Result<Committed, ArchiveError> {
        let mut batch = Batch::new("import", Timestamp::UNIX_EPOCH);
        let mut is_empty = true;
        for series in Series::all() {
            let path = folder.join(format!("{}.parquet", series.name()));
            if path.exists() {
                is_empty = false;
                batch.rows.extend(read(*series, &path)?);
            }
        }
        if is_empty {
            return Err(TableError::Missing {
                path: folder.to_path_buf(),
                expected: "the files of an export, e.g. rt_lmp.parquet".to_owned(),
            }
            .into());
        }
        self.commit(&batch)
    }
}

fn write(path: &Path, rows: &Rows) -> Result<(), ArchiveError> {
    let all = || rows.values().flatten();
    let seconds = |s: i64| Timestamp::from_second(s).unwrap_or(Timestamp::MAX);
    let microseconds = |m: i64| Timestamp::from_microsecond(m).unwrap_or(Timestamp::MAX);
    let mut places = Vec::new();
    for (place, of_place) in rows {
        let place: Arc<str> = place.as_str().into();
        places.extend(std::iter::repeat_n(place, of_place.len()));
    }
    let instants =
        |of: &dyn Fn(&ArchivedRow) -> Timestamp| ColumnData::Instants(all().map(of).collect());
    let columns = [
        (PLACE.name, ColumnData::Texts(places)),
        (INTERVAL_START.name, instants(&|row| seconds(row.interval_start))),
        (PUBLISHED_AT.name, instants(&|row| seconds(row.published_at))),
        (FETCHED_AT.name, instants(&|row| microseconds(row.fetched_at))),
        (VALUE.name, ColumnData::Numbers(all().map(|row| row.value).collect())),
        (SOURCE.name, ColumnData::Texts(all().map(|row| row.source.clone()).collect())),
    ];
    write_parquet(path, &columns, &[(FORMAT_KEY.to_owned(), FORMAT.to_string())])?;
    Ok(())
}

fn read(
    series: Series,
    path: &Path,
) -> Result<BTreeMap<SeriesKey, Vec<ArchivedRow>>, ArchiveError> {
    let metadata = read_metadata(path)?;
    if let Some(found) = metadata.get(FORMAT_KEY).and_then(|text| text.parse::<u32>().ok())
        && FORMAT < found
    {
        let place = path.display().to_string();
        return Err(ArchiveError::NewerFormat { place, found, known: FORMAT });
    }
    let specs = [PLACE, INTERVAL_START, PUBLISHED_AT, FETCHED_AT, VALUE, SOURCE];
    let table = Table::read(path, &specs)?;
    let (places, sources) = (table.texts(PLACE.name), table.texts(SOURCE.name));
    let mut keys = Vec::with_capacity(places.distinct().len());
    for name in places.distinct() {
        let place = Place::named(name).map_err(|error| {
            let row = places.codes().iter().position(|code| *code == Some(keys.len()));
            table.malformed(row.unwrap_or(0), PLACE.name, &error.to_string(), name)
        })?;
        keys.push(SeriesKey { series, place });
    }
    let instants = |spec: ColumnSpec| table.instants(spec.name).iter().flatten();
    let times = instants(INTERVAL_START).zip(instants(PUBLISHED_AT)).zip(instants(FETCHED_AT));
    let texts = places.codes().iter().flatten().zip(sources.codes().iter().flatten());
    let values = table.numbers(VALUE.name).iter().flatten();
    let mut rows: BTreeMap<SeriesKey, Vec<ArchivedRow>> = BTreeMap::new();
    for ((((start, published), fetched), value), (place, source)) in times.zip(values).zip(texts) {
        rows.entry(keys[*place].clone()).or_default().push(ArchivedRow {
            interval_start: start.as_second(),
            published_at: whole_second_after(*published),
            fetched_at: fetched.as_microsecond(),
            value: *value,
            source: sources.distinct()[*source].clone(),
        });
    }
    Ok(rows)
}
