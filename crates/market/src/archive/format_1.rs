//! Takes over an archive of format 1, `FOLDER/{series}/{place}/{part}.parquet` with
//! `imports.json`: commits its observations once and leaves its files alone.
//!
//! A program of format 1 that goes on writing there is not seen.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::Archive;
use super::batch::Batch;
use super::error::ArchiveError;
use crate::observation::{Observation, Series, SeriesKey};
use crate::place::Place;
use crate::table::{ColumnKind, ColumnSpec, Table, TableError, read_metadata};

const FORMAT: u32 = 1;
const FORMAT_KEY: &str = "archive_format";
const IMPORTS: &str = "imports.json";

/// Under this name the archive remembers that the take-over is complete.
const TAKEN_OVER: &str = "format 1";

/// The part that the user's files were imported to; a part of another name was fetched.
const IMPORTED: &str = "imported";

const INTERVAL_START: ColumnSpec = ColumnSpec::required("interval_start", ColumnKind::Instant);
const PUBLISHED_AT: ColumnSpec = ColumnSpec::required("published_at", ColumnKind::Instant);
const FETCHED_AT: ColumnSpec = ColumnSpec::required("fetched_at", ColumnKind::Instant);
const VALUE: ColumnSpec = ColumnSpec::required("value", ColumnKind::ANY_NUMBER);
const SOURCE: ColumnSpec = ColumnSpec::required("source", ColumnKind::Text);

/// What was fetched together: when, and from which source.
type Fetch = (Timestamp, String);

#[derive(Debug, Deserialize)]
struct Imports {
    format: u32,
    fingerprints: BTreeMap<String, String>,
}

impl Archive {
    /// Commits what a program of format 1 left in the folder, if anything. Killed half-way, it is
    /// done again: what is there already changes nothing.
    pub(super) fn take_over_format_1(&self) -> Result<(), ArchiveError> {
        let Some(folder) = self.store().folder().map(Path::to_path_buf) else { return Ok(()) };
        if self.imported(TAKEN_OVER).is_some() {
            return Ok(());
        }
        let parts = parts(&folder)?;
        let imports_file = folder.join(IMPORTS);
        if parts.is_empty() && !imports_file.exists() {
            return Ok(());
        }
        for (key, path) in &parts {
            let is_import = path.file_stem().is_some_and(|name| name == IMPORTED);
            for ((fetched_at, source), observations) in read(path)? {
                let mut batch = Batch::new(&source, fetched_at);
                batch.add(key, observations);
                if is_import {
                    batch.replace_import(IMPORTED);
                }
                self.commit(&batch)?;
            }
        }
        let mut last = Batch::new(TAKEN_OVER, Timestamp::UNIX_EPOCH);
        for (name, fingerprint) in read_imports(&imports_file)? {
            last.record_import(&name, &fingerprint);
        }
        last.record_import(TAKEN_OVER, "complete");
        self.commit(&last).map(|_| ())
    }
}

/// Lists the parts with their series, in the order of their names.
fn parts(folder: &Path) -> Result<Vec<(SeriesKey, PathBuf)>, ArchiveError> {
    let mut parts = Vec::new();
    for series in Series::all() {
        for place_folder in entries(&folder.join(series.name()))? {
            let name = place_folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Ok(place) = Place::named(name) else { continue };
            let key = SeriesKey { series: *series, place };
            for path in entries(&place_folder)? {
                if path.extension().is_some_and(|extension| extension == "parquet") {
                    parts.push((key.clone(), path));
                }
            }
        }
    }
    Ok(parts)
}

/// Lists a folder by name; one that is not there is empty.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let failed = |cause: std::io::Error| ArchiveError::Unavailable {
        place: folder.display().to_string(),
        detail: cause.to_string(),
    };
    let mut paths = Vec::new();
    match fs::read_dir(folder) {
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        Err(cause) => return Err(failed(cause)),
        Ok(found) => {
            for entry in found {
                paths.push(entry.map_err(failed)?.path());
            }
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads a part's observations by their fetches, oldest first.
fn read(path: &Path) -> Result<BTreeMap<Fetch, Vec<Observation>>, ArchiveError> {
    let damaged = |error: TableError| ArchiveError::Damaged {
        place: path.display().to_string(),
        found: error.to_string(),
    };
    let metadata = read_metadata(path).map_err(damaged)?;
    let text = metadata.get(FORMAT_KEY).map_or("", String::as_str);
    if text != FORMAT.to_string() {
        return Err(ArchiveError::Damaged {
            place: path.display().to_string(),
            found: format!("its metadata {FORMAT_KEY} is {text:?}, not {FORMAT}"),
        });
    }
    let specs = [INTERVAL_START, PUBLISHED_AT, FETCHED_AT, VALUE, SOURCE];
    let table = Table::read(path, &specs).map_err(damaged)?;
    let instants = |spec: ColumnSpec| table.instants(spec.name).iter().flatten();
    let times = instants(INTERVAL_START).zip(instants(PUBLISHED_AT)).zip(instants(FETCHED_AT));
    let mut fetches: BTreeMap<Fetch, Vec<Observation>> = BTreeMap::new();
    let values = table.numbers(VALUE.name).iter().flatten();
    for (row, (((start, published), fetched), value)) in times.zip(values).enumerate() {
        let source = table.texts(SOURCE.name).get(row).unwrap_or_default().to_owned();
        let observation =
            Observation { interval_start: *start, published_at: *published, value: *value };
        fetches.entry((*fetched, source)).or_default().push(observation);
    }
    Ok(fetches)
}

fn read_imports(path: &Path) -> Result<BTreeMap<String, String>, ArchiveError> {
    let damaged =
        |found: String| ArchiveError::Damaged { place: path.display().to_string(), found };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(cause) => return Err(damaged(cause.to_string())),
    };
    let imports: Imports = serde_json::from_str(&text)
        .map_err(|error| damaged(format!("is not as written: {error}")))?;
    if FORMAT < imports.format {
        let place = path.display().to_string();
        return Err(ArchiveError::NewerFormat { place, found: imports.format, known: FORMAT });
    }
    Ok(imports.fingerprints)
}
