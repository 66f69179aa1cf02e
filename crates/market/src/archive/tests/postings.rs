//! Which postings are known, so that nothing is fetched twice.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::civil::date;

use super::*;
use crate::reports::{Complaint, Posting, Report};

fn posting(number: u32, posted_at: &str) -> Posting {
    let name = format!("cdr.00012331.{number}.DAMSPNP4190_csv.zip");
    Posting { report: Report::DayAheadSpp, id: number.to_string(), name, posted_at: at(posted_at) }
}

fn fetched(posting: &Posting, reading: Reading) -> FetchedPosting {
    FetchedPosting { posting: posting.clone(), raw: Some(Bytes::from("zip")), reading }
}

fn read() -> Reading {
    Reading::Read { complaints: Vec::new(), drift: BTreeSet::new() }
}

#[test]
fn a_posting_is_committed_once_and_known_from_then_on() {
    let (_folder, archive) = archive();
    let first = posting(1, "2024-08-18T17:32:00Z");
    let second = posting(2, "2024-08-19T17:32:00Z");
    let mut batch = batch(&key(), "2024-08-18T18:00:00Z", &day(date(2024, 8, 19), 20.0));
    batch.add_posting(fetched(&first, read()));
    let committed = archive.commit(&batch).unwrap();
    assert_eq!((committed.observations, committed.postings), (24, 1));
    // Other values under the same posting are not even looked at.
    batch.add(&key(), day(date(2024, 8, 19), 90.0));
    assert_eq!(archive.commit(&batch).unwrap().observations, 0);
    let both = [first.clone(), second.clone()];
    assert_eq!(open(&folder(&archive)).uncommitted(&both).unwrap(), [second]);
    let window = (at("2024-08-18T00:00:00Z"), at("2024-08-19T00:00:00Z"));
    let known = archive.postings(Report::DayAheadSpp, window).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].posting, first);
    let raw = known[0].raw.clone().unwrap();
    assert!(raw.starts_with("raw/NP4-190-CD/2024/08/18/1-"), "{raw}");
    assert_eq!(std::fs::read(folder(&archive).join(raw)).unwrap(), b"zip");
}

#[test]
fn a_quarantined_posting_is_known_with_its_reason_until_it_can_be_read() {
    let (_folder, archive) = archive();
    let first = posting(1, "2024-08-18T17:32:00Z");
    let mut broken = Batch::new("mis", at("2024-08-18T18:00:00Z"));
    let reason = "its columns changed".to_owned();
    broken.add_posting(fetched(&first, Reading::Quarantined { reason: reason.clone() }));
    archive.commit(&broken).unwrap();
    let window = (at("2024-08-18T00:00:00Z"), at("2024-08-19T00:00:00Z"));
    let known = || archive.postings(Report::DayAheadSpp, window).unwrap().remove(0);
    assert_eq!(known().quarantined, Some(reason));
    assert!(archive.uncommitted(std::slice::from_ref(&first)).unwrap().is_empty());
    assert_eq!(archive.commit(&broken).unwrap().postings, 0);
    let mut good = batch(&key(), "2024-08-18T19:00:00Z", &day(date(2024, 8, 19), 20.0));
    let complaint = |line| Complaint { file: "a.csv".to_owned(), line, reason: "odd".to_owned() };
    let complaints = (0..30).map(complaint).collect();
    let drift = BTreeSet::from(["unknown column Mood".to_owned()]);
    good.add_posting(fetched(&first, Reading::Read { complaints, drift: drift.clone() }));
    assert_eq!(archive.commit(&good).unwrap().observations, 24);
    assert_eq!(known().quarantined, None);
    assert_eq!((known().complaints.len(), known().complaints_total), (20, 30));
    assert_eq!(known().drift, drift);
}

#[test]
fn postings_are_known_across_checkpoints() {
    let (_folder, archive) = archive();
    let months = ["2024-07", "2024-08"];
    let mut postings = Vec::new();
    for number in 0..80 {
        let posted_at = format!("{}-{:02}T12:00:00Z", months[number % 2], 1 + number / 4);
        postings.push(posting(u32::try_from(number).unwrap(), &posted_at));
        let mut batch = Batch::new("mis", at("2024-08-30T00:00:00Z"));
        batch.add_posting(FetchedPosting { raw: None, ..fetched(&postings[number], read()) });
        archive.commit(&batch).unwrap();
    }
    assert_eq!(archive.checkpoints().unwrap(), [32, 64]);
    let reopened = open(&folder(&archive));
    for archive in [&archive, &reopened] {
        assert!(archive.uncommitted(&postings).unwrap().is_empty());
        assert_eq!(archive.uncommitted(&[posting(80, "2024-08-01T00:00:00Z")]).unwrap().len(), 1);
        let window = (at("2024-07-01T00:00:00Z"), at("2024-08-01T00:00:00Z"));
        assert_eq!(archive.postings(Report::DayAheadSpp, window).unwrap().len(), 40);
        assert_eq!(archive.status().unwrap().postings, 80);
    }
    // Commits that a checkpoint sums up are no longer read.
    std::fs::remove_file(folder(&archive).join("commits/00000000000000000001.json")).unwrap();
    assert!(open(&folder(&archive)).uncommitted(&postings).unwrap().is_empty());
}
