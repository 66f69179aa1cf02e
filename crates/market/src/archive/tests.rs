//! What the archive keeps, and what it says about parts that cannot be used.

use std::fs;
use std::path::PathBuf;

use jiff::civil::date;

use super::*;
use crate::observation::Series;
use crate::place::SettlementPoint;
use crate::table::{ColumnData, write_parquet};
use crate::time::OperatingDay;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key() -> SeriesKey {
    SeriesKey::at(Series::DayAheadSpp, &SettlementPoint::new("HB_HUBAVG").unwrap())
}

fn archive() -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(&folder.path().join("archive")).unwrap();
    (folder, archive)
}

fn fetch<'a>(key: &'a SeriesKey, part: &'a str, fetched_at: &str) -> Fetch<'a> {
    Fetch { key, part, fetched_at: at(fetched_at), source_id: "simulator-1" }
}

/// The hours of one operating day, the first at the price `first`, each a dollar dearer.
fn day(day: jiff::civil::Date, first: f64) -> Vec<Observation> {
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

fn part_file(archive: &Archive, part: &str) -> PathBuf {
    archive.folder().join("dam_spp/HB_HUBAVG").join(format!("{part}.parquet"))
}

#[test]
fn what_was_appended_is_loaded_on_both_clock_change_days_too() {
    let (_folder, archive) = archive();
    let mut expected = Vec::new();
    for (part, date) in [("2024-03", date(2024, 3, 10)), ("2024-11", date(2024, 11, 3))] {
        let observations = day(date, 20.0);
        expected.extend(observations.iter().map(|o| (o.interval_start, o.value)));
        let added =
            archive.append(&fetch(&key(), part, "2024-12-01T00:00:00Z"), &observations).unwrap();
        assert_eq!(added, observations.len());
    }
    assert_eq!(expected.len(), 23 + 25);
    assert_eq!(loaded(&archive, Timestamp::MAX), expected);
    assert!(loaded(&archive, at("2024-03-01T00:00:00Z")).is_empty());
    let newest = archive.newest_publication(&key()).unwrap();
    assert_eq!(newest, Some(at("2024-11-02T18:00:00Z")));
}

#[test]
fn appending_again_changes_nothing() {
    let (_folder, archive) = archive();
    let observations = day(date(2024, 8, 19), 20.0);
    archive.append(&fetch(&key(), "2024-08", "2024-08-18T19:00:00Z"), &observations).unwrap();
    let before = fs::read(part_file(&archive, "2024-08")).unwrap();
    let key = key();
    let again = fetch(&key, "2024-08", "2024-08-18T20:00:00Z");
    assert_eq!(archive.append(&again, &observations).unwrap(), 0);
    assert_eq!(fs::read(part_file(&archive, "2024-08")).unwrap(), before);
}

#[test]
fn a_fetch_that_was_killed_and_goes_on_later_loses_nothing() {
    let (_folder, archive) = archive();
    let (first, second) = (day(date(2024, 8, 19), 20.0), day(date(2024, 8, 20), 40.0));
    archive.append(&fetch(&key(), "2024-08", "2024-08-18T19:00:00Z"), &first).unwrap();
    // The second attempt asks only for what was published after the newest that is archived.
    archive.append(&fetch(&key(), "2024-08", "2024-08-19T19:00:00Z"), &second).unwrap();
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 48);
}

#[test]
fn of_two_values_with_the_same_publication_the_one_fetched_last_counts() {
    let (_folder, archive) = archive();
    let key = key();
    for (fetched_at, price) in [("2024-08-18T19:00:00Z", 90.0), ("2024-08-18T20:00:00Z", 20.0)] {
        let prices = day(date(2024, 8, 19), price);
        archive.append(&fetch(&key, "2024-08", fetched_at), &prices).unwrap();
    }
    assert_eq!(loaded(&archive, Timestamp::MAX)[0].1.to_bits(), 20f64.to_bits());
}

#[test]
fn replacing_a_part_forgets_what_it_held() {
    let (_folder, archive) = archive();
    let key = key();
    let import = fetch(&key, "import", "2024-09-01T00:00:00Z");
    archive.replace(&import, &day(date(2024, 8, 19), 20.0)).unwrap();
    archive.replace(&import, &day(date(2024, 8, 20), 20.0)).unwrap();
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 24);
    archive.replace(&import, &[]).unwrap();
    assert!(loaded(&archive, Timestamp::MAX).is_empty());
    assert_eq!(archive.newest_publication(&key).unwrap(), None);
}

#[test]
fn what_a_killed_writer_left_is_ignored_and_then_removed() {
    let (_folder, archive) = archive();
    let observations = day(date(2024, 8, 19), 20.0);
    archive.append(&fetch(&key(), "2024-08", "2024-08-18T19:00:00Z"), &observations).unwrap();
    let leftover = part_file(&archive, "2024-08.parquet.partial-99-0").with_extension("");
    fs::write(&leftover, "half a fi").unwrap();
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 24);
    let next = day(date(2024, 8, 20), 20.0);
    archive.append(&fetch(&key(), "2024-08", "2024-08-19T19:00:00Z"), &next).unwrap();
    assert!(!leftover.exists());
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 48);
}

#[test]
fn an_unknown_series_is_empty() {
    let (_folder, archive) = archive();
    assert!(loaded(&archive, Timestamp::MAX).is_empty());
    assert_eq!(archive.newest_publication(&key()).unwrap(), None);
}

#[test]
fn a_damaged_part_is_named() {
    let (_folder, archive) = archive();
    let key = key();
    let observations = day(date(2024, 8, 19), 20.0);
    archive.append(&fetch(&key, "2024-08", "2024-08-18T19:00:00Z"), &observations).unwrap();
    let path = part_file(&archive, "2024-08");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    for error in [
        archive.load(std::slice::from_ref(&key)).unwrap_err(),
        archive.newest_publication(&key).unwrap_err(),
    ] {
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("2024-08.parquet") && message.contains("backup"), "{message}");
    }
}

#[test]
fn a_part_of_a_newer_program_is_refused() {
    let (_folder, archive) = archive();
    let metadata = [("archive_format".to_owned(), "2".to_owned())];
    let path = part_file(&archive, "2024-08");
    write_parquet(&path, &[("value", ColumnData::Numbers(vec![1.0]))], &metadata).unwrap();
    let error = archive.load(&[key()]).unwrap_err();
    assert!(matches!(error, ArchiveError::NewerFormat { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn imports_are_remembered() {
    let (_folder, archive) = archive();
    assert_eq!(archive.imported("files-1").unwrap(), None);
    archive.record_import("files-1", "abc").unwrap();
    archive.record_import("files-1", "def").unwrap();
    let reopened = Archive::open(archive.folder()).unwrap();
    assert_eq!(reopened.imported("files-1").unwrap().as_deref(), Some("def"));
    fs::write(archive.folder().join("imports.json"), "{").unwrap();
    let error = archive.imported("files-1").unwrap_err();
    assert!(matches!(error, ArchiveError::Unexpected { .. }), "{error}");
}

#[test]
fn a_file_is_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    fs::write(&path, "").unwrap();
    assert!(matches!(Archive::open(&path), Err(ArchiveError::NotAFolder { .. })));
}
