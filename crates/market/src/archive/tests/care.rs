//! Upkeep, verification and repair.

use std::collections::BTreeSet;
use std::fs;

use bytes::Bytes;
use jiff::civil::date;

use super::*;
use crate::reports::{Contents, Posting, Report, ReportError};

/// Commits three days, each on its own.
fn three_days(archive: &Archive) {
    for number in 19..22 {
        let observations = day(date(2024, 8, number), f64::from(number));
        let fetched_at = format!("2024-08-{}T19:00:00Z", number - 1);
        archive.commit(&batch(&key(), &fetched_at, &observations)).unwrap();
    }
}

fn parts(archive: &Archive) -> Vec<String> {
    archive.store().list("parts").unwrap().into_iter().map(|file| file.name).collect()
}

/// Makes every file as old as the first day of 1970.
fn age_files(archive: &Archive) {
    for name in ["parts", "commits", "raw", "postings"] {
        for file in archive.store().list(name).unwrap() {
            let file = fs::File::options().append(true).open(folder(archive).join(file.name));
            file.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        }
    }
}

#[test]
fn small_parts_become_one_and_readers_of_the_commit_before_still_find_theirs() {
    let (_folder, archive) = archive();
    three_days(&archive);
    let before = all(&archive, &key());
    let reader = open(&folder(&archive));
    age_files(&archive);
    // The commits that the old parts come from are old, but their removal is not.
    let kept = archive.compact(&upkeep("2024-09-01T00:00:00Z")).unwrap();
    assert_eq!(kept, Kept { parts_merged: 3, files_removed: 0 });
    assert_eq!(all(&archive, &key()), before);
    assert_eq!(all(&reader, &key()), before);
    age_files(&archive);
    let kept = archive.compact(&upkeep("2024-09-03T00:00:00Z")).unwrap();
    assert_eq!(kept, Kept { parts_merged: 0, files_removed: 3 });
    assert_eq!(all(&archive, &key()), before);
    assert_eq!(archive.verify().unwrap().problems, []);
    let error = reader.read(&Query {
        key: key(),
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        vintages: Vintages::All,
    });
    assert!(matches!(error, Err(ArchiveError::Damaged { .. })), "{error:?}");
    reader.refresh().unwrap();
    assert_eq!(all(&reader, &key()), before);
}

#[test]
fn files_that_no_commit_names_are_removed_when_they_are_old() {
    let (_folder, archive) = archive();
    three_days(&archive);
    let orphan = folder(&archive).join("parts/dam_spp/2024/0123456789abcdef.parquet");
    let unfinished = folder(&archive).join("parts/dam_spp/2024/fedcba9876543210.parquet#1");
    for path in [&orphan, &unfinished] {
        fs::write(path, "half a fi").unwrap();
    }
    let before = all(&archive, &key());
    let young = archive.compact(&upkeep("2024-08-22T00:00:00Z")).unwrap();
    assert_eq!(young.files_removed, 0);
    assert!(orphan.exists() && unfinished.exists());
    for path in [&orphan, &unfinished] {
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    assert_eq!(archive.compact(&upkeep("2024-08-22T00:00:00Z")).unwrap().files_removed, 2);
    assert!(!orphan.exists() && !unfinished.exists());
    assert_eq!(all(&archive, &key()), before);
}

#[test]
fn commits_that_checkpoints_sum_up_are_removed_when_they_are_old() {
    let (_folder, archive) = archive();
    for number in 0..200 {
        let mut batch = Batch::new("files-1", at("2024-09-01T00:00:00Z"));
        batch.record_import("files-1", &number.to_string());
        archive.commit(&batch).unwrap();
    }
    let stale = open(&folder(&archive));
    age_files(&archive);
    let removed = archive.compact(&upkeep("2024-09-03T00:00:00Z")).unwrap().files_removed;
    // 192, 160 and 128 are kept of the checkpoints; what 128 sums up is not needed but for itself.
    assert_eq!(archive.checkpoints().unwrap(), [128, 160, 192]);
    assert_eq!(removed, 127);
    assert_eq!(archive.verify().unwrap().problems, []);
    for archive in [&stale, &open(&folder(&archive))] {
        archive.refresh().unwrap();
        assert_eq!(archive.imported("files-1").as_deref(), Some("199"));
    }
}

#[test]
fn a_changed_a_shortened_and_a_missing_file_are_found() {
    let (_folder, archive) = archive();
    three_days(&archive);
    assert_eq!(archive.verify().unwrap().problems, []);
    let parts = parts(&archive);
    let path = |index: usize| folder(&archive).join(&parts[index]);
    let mut bytes = fs::read(path(0)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path(0), &bytes).unwrap();
    let bytes = fs::read(path(1)).unwrap();
    fs::write(path(1), &bytes[..bytes.len() - 1]).unwrap();
    fs::remove_file(path(2)).unwrap();
    let problems = archive.verify().unwrap().problems;
    let found: Vec<_> = problems.iter().map(|p| (p.file.as_str(), p.found.as_str())).collect();
    let changed = "is not as it was written (its checksum differs)";
    assert_eq!(found, [(&*parts[0], changed), (&*parts[1], changed), (&*parts[2], "is missing")]);
}

#[test]
fn a_missing_commit_is_found_by_those_behind_it() {
    let (_folder, archive) = archive();
    three_days(&archive);
    fs::remove_file(folder(&archive).join("commits/00000000000000000002.json")).unwrap();
    let problems = open(&folder(&archive)).verify().unwrap().problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].found, "follows a gap: commit 2 is missing");
}

fn posting(number: i8) -> Posting {
    Posting {
        report: Report::DayAheadSpp,
        id: number.to_string(),
        name: format!("{number}.zip"),
        posted_at: at(&format!("2024-08-{:02}T17:32:00Z", number - 1)),
    }
}

/// Reads raw bytes that are the number of a day: what a report's parser does, made small.
fn read_again(posting: &Posting, bytes: &[u8]) -> Result<Contents, ReportError> {
    let number: i8 = String::from_utf8_lossy(bytes).parse().map_err(|_| ReportError {
        report: posting.report,
        file: posting.name.clone(),
        reason: "not a number".to_owned(),
    })?;
    let mut contents = Contents::default();
    contents.observations.insert(key(), day(date(2024, 8, number), f64::from(number)));
    Ok(contents)
}

#[test]
fn a_repair_rebuilds_from_raw_files_and_names_what_is_lost() {
    let (_folder, archive) = archive();
    let name = key().to_string();
    for number in 19..22i8 {
        let observations = day(date(2024, 8, number), f64::from(number));
        let fetched_at = format!("2024-08-{}T19:00:00Z", number - 1);
        let mut batch = batch(&key(), &fetched_at, &observations);
        // The raw file of the last was not kept.
        let raw = (number != 21).then(|| Bytes::from(number.to_string()));
        let reading = Reading::Read { complaints: Vec::new(), drift: BTreeSet::new() };
        batch.add_posting(FetchedPosting { posting: posting(number), raw, reading });
        batch.record_import(&name, "all");
        batch.record_import("NP4-190-CD HB_HUBAVG page 1", "last");
        batch.record_import("NP6-345-CD all page 1", "last");
        archive.commit(&batch).unwrap();
    }
    let before = all(&archive, &key());
    for part in parts(&archive) {
        fs::write(folder(&archive).join(part), "torn").unwrap();
    }
    let repaired = archive.repair(&upkeep("2024-08-22T00:00:00Z"), &read_again).unwrap();
    assert_eq!((repaired.rows_rebuilt, repaired.postings_forgotten), (48, 1));
    assert_eq!(repaired.problems, []);
    let lost: Vec<String> = repaired.lost.iter().map(ToString::to_string).collect();
    let expected = "24 of dam_spp at HB_HUBAVG, 2024-08-21T05:00:00Z to 2024-08-22T04:00:00Z";
    assert_eq!(lost, [expected]);
    let after = all(&archive, &key());
    assert_eq!(after.value[..], before.value[..48]);
    assert_eq!(archive.verify().unwrap().problems, []);
    // What is lost is fetched again.
    assert_eq!(archive.imported(&name), None);
    assert_eq!(archive.imported("NP4-190-CD HB_HUBAVG page 1"), None);
    assert!(archive.imported("NP6-345-CD all page 1").is_some());
    let postings: Vec<Posting> = (19..22).map(posting).collect();
    assert_eq!(archive.uncommitted(&postings).unwrap(), [posting(21)]);
}

#[test]
fn raw_files_are_kept_as_long_as_is_asked_for() {
    let (_folder, archive) = archive();
    for number in 19..22i8 {
        let mut batch = Batch::new("mis", at("2024-08-22T00:00:00Z"));
        let reading = Reading::Read { complaints: Vec::new(), drift: BTreeSet::new() };
        let raw = Some(Bytes::from(number.to_string()));
        batch.add_posting(FetchedPosting { posting: posting(number), raw, reading });
        archive.commit(&batch).unwrap();
    }
    age_files(&archive);
    let raw_kept = Some(jiff::SignedDuration::from_hours(48));
    // Posted on the 18th, 19th and 20th; kept from the 19th at 12:00 on.
    let upkeep = Upkeep { raw_kept, ..upkeep("2024-08-21T12:00:00Z") };
    assert_eq!(archive.compact(&upkeep).unwrap().files_removed, 1);
    let verified = archive.verify().unwrap();
    assert_eq!((verified.raw_files, verified.problems.len()), (2, 0));
}

#[test]
fn gaps_are_the_hours_that_nobody_published() {
    let (_folder, archive) = archive();
    let mut observations = day(date(2024, 11, 3), 20.0);
    observations.drain(10..12);
    archive.commit(&batch(&key(), "2024-11-04T00:00:00Z", &observations)).unwrap();
    let range = (at("2024-11-03T05:00:00Z"), at("2024-11-04T07:00:00Z"));
    let gaps: Vec<String> =
        archive.gaps(&[key()], range).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        gaps,
        [
            "dam_spp at HB_HUBAVG: 2 intervals from 2024-11-03T15:00:00Z to 2024-11-03T17:00:00Z",
            "dam_spp at HB_HUBAVG: 1 intervals from 2024-11-04T06:00:00Z to 2024-11-04T07:00:00Z",
        ]
    );
}
