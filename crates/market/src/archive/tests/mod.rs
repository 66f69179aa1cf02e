//! What the archive keeps and for whom, what it survives, and what it says about what is broken.

mod bucket;
mod care;
mod errors;
mod formats;
mod keeping;
mod killing;
mod moto;
mod postings;
mod reading;
mod writers;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::*;
use crate::observation::{Observation, Series, SeriesKey};
use crate::place::SettlementPoint;
use crate::time::OperatingDay;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn point(name: &str) -> SettlementPoint {
    SettlementPoint::new(name).unwrap()
}

fn key() -> SeriesKey {
    SeriesKey::at(Series::DayAheadSpp, &point("HB_HUBAVG"))
}

fn archive() -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let archive = open(&folder.path().join("archive"));
    (folder, archive)
}

fn open(folder: &Path) -> Archive {
    Archive::open(&ArchiveLocation::Folder(folder.to_path_buf())).unwrap()
}

fn folder(archive: &Archive) -> PathBuf {
    archive.store().folder().unwrap().to_path_buf()
}

/// The only part of an archive.
fn part_file(archive: &Archive) -> PathBuf {
    let parts = archive.store().list("parts").unwrap();
    assert_eq!(parts.len(), 1, "{parts:?}");
    folder(archive).join(&parts[0].name)
}

fn batch(key: &SeriesKey, fetched_at: &str, observations: &[Observation]) -> Batch {
    let mut batch = Batch::new("simulator-1", at(fetched_at));
    batch.add(key, observations.iter().copied());
    batch
}

/// The hours of one operating day, the first at the price `first`, each a dollar dearer.
fn day(day: Date, first: f64) -> Vec<Observation> {
    let day = OperatingDay::new(day);
    let published_at = day.plus_days(-1).start() + jiff::SignedDuration::from_hours(13);
    let mut value = first;
    let mut observations = Vec::new();
    for hour in day.hours() {
        observations.push(Observation { interval_start: hour.start, published_at, value });
        value += 1.0;
    }
    observations
}

fn loaded(archive: &Archive, instant: Timestamp) -> Vec<(Timestamp, f64)> {
    let history = archive.load(&[key()]).unwrap();
    let view = history.known_at(instant);
    let series = view.series(&key());
    series
        .between(Timestamp::MIN, Timestamp::MAX)
        .map(|known| (known.interval_start, known.value))
        .collect()
}

/// Everything of a series that the archive would show.
fn all(archive: &Archive, key: &SeriesKey) -> Columns {
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    archive.read(&Query { key: key.clone(), from, to, vintages: Vintages::All }).unwrap()
}

fn upkeep(now: &str) -> Upkeep {
    Upkeep { now: at(now), grace: Upkeep::GRACE, raw_kept: None }
}
