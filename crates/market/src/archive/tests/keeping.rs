//! What is kept when the same, more, or other values are committed.

use std::fs;

use jiff::civil::date;

use super::*;

#[test]
fn what_was_committed_is_loaded_on_both_clock_change_days_too() {
    let (_folder, archive) = archive();
    let mut expected = Vec::new();
    for date in [date(2024, 3, 10), date(2024, 11, 3)] {
        let observations = day(date, 20.0);
        expected.extend(observations.iter().map(|o| (o.interval_start, o.value)));
        let batch = batch(&key(), "2024-12-01T00:00:00Z", &observations);
        assert_eq!(archive.commit(&batch).unwrap().observations, observations.len());
    }
    assert_eq!(expected.len(), 23 + 25);
    assert_eq!(loaded(&archive, Timestamp::MAX), expected);
    assert!(loaded(&archive, at("2024-03-01T00:00:00Z")).is_empty());
    let newest = archive.newest_publication(&key()).unwrap();
    assert_eq!(newest, Some(at("2024-11-02T18:00:00Z")));
    assert_eq!(loaded(&open(&self::folder(&archive)), Timestamp::MAX), expected);
}

#[test]
fn committing_again_changes_nothing() {
    let (_folder, archive) = archive();
    let observations = day(date(2024, 8, 19), 20.0);
    archive.commit(&batch(&key(), "2024-08-18T19:00:00Z", &observations)).unwrap();
    let before = fs::read(part_file(&archive)).unwrap();
    let again = batch(&key(), "2024-08-18T20:00:00Z", &observations);
    let committed = archive.commit(&again).unwrap();
    assert_eq!(committed, Committed { number: 1, observations: 0, postings: 0 });
    assert_eq!(fs::read(part_file(&archive)).unwrap(), before);
}

#[test]
fn a_fetch_that_overlaps_adds_only_what_is_new() {
    let (_folder, archive) = archive();
    let (first, second) = (day(date(2024, 8, 19), 20.0), day(date(2024, 8, 20), 40.0));
    archive.commit(&batch(&key(), "2024-08-18T19:00:00Z", &first)).unwrap();
    let both = [first, second].concat();
    let committed = archive.commit(&batch(&key(), "2024-08-19T19:00:00Z", &both)).unwrap();
    assert_eq!(committed.observations, 24);
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 48);
}

#[test]
fn of_two_values_with_the_same_publication_the_one_fetched_last_counts() {
    let (_folder, archive) = archive();
    // The third says again what the first said: by then it is news.
    for (hour, price) in [(19, 90.0), (20, 20.0), (21, 90.0), (18, 50.0)] {
        let prices = day(date(2024, 8, 19), price);
        let fetched_at = format!("2024-08-18T{hour}:00:00Z");
        let committed = archive.commit(&batch(&key(), &fetched_at, &prices)).unwrap();
        assert_eq!(committed.observations, 24, "{hour}");
    }
    assert_eq!(loaded(&archive, Timestamp::MAX)[0].1.to_bits(), 90f64.to_bits());
    let kept = archive.compact(&upkeep("2024-08-19T00:00:00Z")).unwrap();
    assert_eq!(kept.parts_merged, 4);
    assert_eq!(loaded(&archive, Timestamp::MAX)[0].1.to_bits(), 90f64.to_bits());
    assert_eq!(archive.status().unwrap().series["dam_spp"].rows, 4 * 24);
}

#[test]
fn of_two_fetches_at_the_same_time_the_one_committed_last_counts() {
    let (_folder, archive) = archive();
    for price in [90.0, 20.0] {
        let prices = day(date(2024, 8, 19), price);
        archive.commit(&batch(&key(), "2024-08-18T19:00:00Z", &prices)).unwrap();
    }
    let price = |archive: &Archive| loaded(archive, Timestamp::MAX)[0].1;
    assert_eq!(price(&archive).to_bits(), 20f64.to_bits());
    archive.compact(&upkeep("2024-08-19T00:00:00Z")).unwrap();
    assert_eq!(price(&archive).to_bits(), 20f64.to_bits());
}

#[test]
fn a_publication_within_a_second_counts_from_the_next() {
    let (_folder, archive) = archive();
    let observation = Observation {
        interval_start: at("2024-08-19T14:00:00Z"),
        published_at: at("2024-08-19T15:00:00.25Z"),
        value: 20.0,
    };
    archive.commit(&batch(&key(), "2024-08-19T15:00:01Z", &[observation])).unwrap();
    assert!(loaded(&archive, at("2024-08-19T15:00:00.5Z")).is_empty());
    assert_eq!(loaded(&archive, at("2024-08-19T15:00:01Z")).len(), 1);
}

#[test]
fn importing_again_replaces_what_was_imported_and_nothing_else() {
    let (_folder, archive) = archive();
    let import = |observations: &[Observation]| {
        let mut batch = batch(&key(), "2024-09-01T00:00:00Z", observations);
        batch.replace_import("imported");
        archive.commit(&batch).unwrap();
    };
    let fetched = batch(&key(), "2024-08-17T20:00:00Z", &day(date(2024, 8, 18), 5.0));
    archive.commit(&fetched).unwrap();
    import(&day(date(2024, 8, 19), 20.0));
    import(&day(date(2024, 8, 20), 20.0));
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 48);
    import(&[]);
    assert_eq!(loaded(&archive, Timestamp::MAX).len(), 24);
}

#[test]
fn importing_one_place_again_leaves_its_neighbours() {
    let (_folder, archive) = archive();
    let west = SeriesKey::at(Series::DayAheadSpp, &point("HB_WEST"));
    let mut both = batch(&key(), "2024-09-01T00:00:00Z", &day(date(2024, 8, 19), 20.0));
    both.add(&west, day(date(2024, 8, 19), 90.0));
    both.replace_import("imported");
    archive.commit(&both).unwrap();
    let mut one = batch(&key(), "2024-09-02T00:00:00Z", &day(date(2024, 8, 20), 20.0));
    one.replace_import("imported");
    assert_eq!(archive.commit(&one).unwrap().observations, 24);
    assert_eq!(all(&archive, &west).value[0].to_bits(), 90f64.to_bits());
    let start = all(&archive, &key()).instant(0);
    assert_eq!(start, at("2024-08-20T05:00:00Z"));
}

#[test]
fn a_correction_of_what_was_imported_is_told_from_an_addition() {
    let (_folder, archive) = archive();
    let would_correct =
        |now: &[Observation]| archive.would_correct(&key(), "imported", now).unwrap();
    let (first, second) = (day(date(2024, 8, 19), 20.0), day(date(2024, 8, 20), 20.0));
    assert!(!would_correct(&first));
    let mut import = batch(&key(), "2024-09-01T00:00:00Z", &first);
    import.replace_import("imported");
    archive.commit(&import).unwrap();
    assert!(!would_correct(&[first.clone(), second.clone()].concat()));
    assert!(would_correct(&second));
    assert!(would_correct(&day(date(2024, 8, 19), 21.0)));
}

#[test]
fn imports_are_remembered_with_the_data() {
    let (_folder, archive) = archive();
    assert_eq!(archive.imported("files-1"), None);
    for fingerprint in ["abc", "def", "def"] {
        let mut batch = Batch::new("files-1", at("2024-09-01T00:00:00Z"));
        batch.record_import("files-1", fingerprint);
        archive.commit(&batch).unwrap();
    }
    assert_eq!(archive.status().unwrap().commits, 2);
    let reopened = open(&self::folder(&archive));
    assert_eq!(reopened.imported("files-1").as_deref(), Some("def"));
}

#[test]
fn an_unknown_series_is_empty_and_nothing_is_written_by_looking() {
    let (_folder, archive) = archive();
    assert!(loaded(&archive, Timestamp::MAX).is_empty());
    assert_eq!(archive.newest_publication(&key()).unwrap(), None);
    assert_eq!(archive.verify().unwrap(), Verified::default());
    assert!(!self::folder(&archive).exists());
}

#[test]
fn what_was_exported_is_imported_with_fetches_and_corrections() {
    let (_folder, archive) = archive();
    for (hour, price) in [(19, 90.0), (20, 20.0)] {
        let prices = day(date(2024, 8, 19), price);
        let fetched_at = format!("2024-08-18T{hour}:00:00Z");
        archive.commit(&batch(&key(), &fetched_at, &prices)).unwrap();
    }
    archive.commit(&batch(&key(), "2024-08-20T00:00:00Z", &day(date(2024, 8, 20), 1.0))).unwrap();
    let export = tempfile::tempdir().unwrap();
    let range = (at("2024-08-19T00:00:00Z"), at("2024-08-20T05:00:00Z"));
    assert_eq!(archive.export(range, export.path()).unwrap(), 48);
    let (_other_folder, other) = self::archive();
    assert_eq!(other.import(export.path()).unwrap().observations, 48);
    assert_eq!(other.import(export.path()).unwrap().observations, 0);
    assert_eq!(loaded(&other, Timestamp::MAX), loaded(&archive, Timestamp::MAX)[..24]);
    let empty = tempfile::tempdir().unwrap();
    let error = other.import(empty.path()).unwrap_err();
    assert!(matches!(error, ArchiveError::NotImported(_)), "{error:?}");
}
