//! One part of the archive: a Parquet file of one series' observations, with the time at which
//! each was fetched. The only file that knows the part's columns and format version.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::error::ArchiveError;
use crate::observation::Observation;
use crate::table::{
    ColumnData, ColumnKind, ColumnSpec, Table, TableError, read_metadata, write_parquet,
};

/// The version of a part's columns and metadata. Older versions must stay readable.
const FORMAT: u32 = 1;

const FORMAT_KEY: &str = "archive_format";
const NEWEST_KEY: &str = "newest_published_at";

const INTERVAL_START: ColumnSpec = ColumnSpec::required("interval_start", ColumnKind::Instant);
const PUBLISHED_AT: ColumnSpec = ColumnSpec::required("published_at", ColumnKind::Instant);
const FETCHED_AT: ColumnSpec = ColumnSpec::required("fetched_at", ColumnKind::Instant);
const VALUE: ColumnSpec = ColumnSpec::required("value", ColumnKind::ANY_NUMBER);
const SOURCE: ColumnSpec = ColumnSpec::required("source", ColumnKind::Text);

/// An observation with its origin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArchivedRow {
    pub(super) observation: Observation,
    pub(super) fetched_at: Timestamp,
    pub(super) source: Arc<str>,
}

impl ArchivedRow {
    /// Orders by interval, publication, value and fetch, so that equal statements are neighbours.
    pub(super) fn order(&self) -> (Timestamp, Timestamp, u64, Timestamp) {
        let Observation { interval_start, published_at, value } = self.observation;
        (interval_start, published_at, value.to_bits(), self.fetched_at)
    }

    /// Tells whether two rows state the same, whenever and from wherever they were fetched.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let (a, b) = (self.order(), other.order());
        (a.0, a.1, a.2) == (b.0, b.1, b.2)
    }
}

/// Where a part is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartPath(pub(super) PathBuf);

impl PartPath {
    pub(super) fn exists(&self) -> bool {
        self.0.exists()
    }

    pub(super) fn newest_publication(&self) -> Result<Option<Timestamp>, ArchiveError> {
        let metadata = self.metadata()?;
        let Some(text) = metadata.get(NEWEST_KEY) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.unexpected(NEWEST_KEY, text))
    }

    /// Reads the observations; among equal vintages the one fetched last comes last.
    pub(super) fn read_observations(&self) -> Result<Vec<Observation>, ArchiveError> {
        self.metadata()?;
        let table = self.table(&[INTERVAL_START, PUBLISHED_AT, FETCHED_AT, VALUE])?;
        let fetched_at = table.instants(FETCHED_AT.name);
        let observations = observations(&table);
        if fetched_at.iter().all(|cell| *cell == fetched_at[0]) {
            return Ok(observations.collect());
        }
        let mut rows: Vec<_> = fetched_at.iter().flatten().zip(observations).collect();
        rows.sort_by_key(|(fetched_at, _)| **fetched_at);
        Ok(rows.into_iter().map(|(_, observation)| observation).collect())
    }

    pub(super) fn read_rows(&self) -> Result<Vec<ArchivedRow>, ArchiveError> {
        self.metadata()?;
        let table = self.table(&[INTERVAL_START, PUBLISHED_AT, FETCHED_AT, VALUE, SOURCE])?;
        let sources = table.texts(SOURCE.name);
        let mut rows = Vec::with_capacity(table.rows());
        let origins = table.instants(FETCHED_AT.name).iter().flatten().zip(sources.codes());
        for (observation, (&fetched_at, source)) in observations(&table).zip(origins) {
            let source = source.expect("the column is required");
            let source = sources.distinct()[source].clone();
            rows.push(ArchivedRow { observation, fetched_at, source });
        }
        Ok(rows)
    }

    pub(super) fn write_rows(&self, rows: &[ArchivedRow]) -> Result<(), ArchiveError> {
        let instants =
            |of: fn(&ArchivedRow) -> Timestamp| ColumnData::Instants(rows.iter().map(of).collect());
        let values = rows.iter().map(|row| row.observation.value).collect();
        let sources = rows.iter().map(|row| row.source.clone()).collect();
        let columns = [
            (INTERVAL_START.name, instants(|row| row.observation.interval_start)),
            (PUBLISHED_AT.name, instants(|row| row.observation.published_at)),
            (FETCHED_AT.name, instants(|row| row.fetched_at)),
            (VALUE.name, ColumnData::Numbers(values)),
            (SOURCE.name, ColumnData::Texts(sources)),
        ];
        let mut metadata = vec![(FORMAT_KEY.to_owned(), FORMAT.to_string())];
        if let Some(newest) = rows.iter().map(|row| row.observation.published_at).max() {
            metadata.push((NEWEST_KEY.to_owned(), newest.to_string()));
        }
        write_parquet(&self.0, &columns, &metadata)?;
        Ok(())
    }

    /// Removes what writers of this part that were killed left behind.
    pub(super) fn remove_leftovers(&self, mark: &str) -> Result<(), ArchiveError> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!("{name}{mark}");
        let failed = |cause| ArchiveError::NotReadable { path: folder.to_path_buf(), cause };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Reads the metadata and refuses what a newer program wrote.
    fn metadata(&self) -> Result<BTreeMap<String, String>, ArchiveError> {
        let metadata = read_metadata(&self.0).map_err(|cause| self.damaged(cause))?;
        let text = metadata.get(FORMAT_KEY).map_or("", String::as_str);
        let format: u32 = text.parse().map_err(|_| self.unexpected(FORMAT_KEY, text))?;
        if FORMAT < format {
            return Err(ArchiveError::NewerFormat {
                path: self.0.clone(),
                found: format,
                known: FORMAT,
            });
        }
        Ok(metadata)
    }

    fn table(&self, specs: &[ColumnSpec]) -> Result<Table, ArchiveError> {
        Table::read(&self.0, specs).map_err(|cause| self.damaged(cause))
    }

    fn damaged(&self, cause: TableError) -> ArchiveError {
        match cause {
            TableError::NotReadable { path, cause } => ArchiveError::NotReadable { path, cause },
            other => ArchiveError::Damaged { path: self.0.clone(), cause: Box::new(other) },
        }
    }

    fn unexpected(&self, key: &str, text: &str) -> ArchiveError {
        ArchiveError::Unexpected {
            path: self.0.clone(),
            found: format!("its metadata {key} is {text:?}"),
        }
    }
}

fn observations(table: &Table) -> impl Iterator<Item = Observation> + '_ {
    let instants = |spec: ColumnSpec| table.instants(spec.name).iter().flatten();
    let values = table.numbers(VALUE.name).iter().flatten();
    let times = instants(INTERVAL_START).zip(instants(PUBLISHED_AT));
    times.zip(values).map(|((&interval_start, &published_at), &value)| Observation {
        interval_start,
        published_at,
        value,
    })
}
