//! Zips as ERCOT packs them, and as nobody should.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

pub(super) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const LMP: &str = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n";

fn run(minute: u32) -> String {
    format!("{LMP}06/30/2026 23:{minute:02}:17,N,HB_WEST,{minute}\n")
}

fn refusal_of(bytes: &[u8]) -> String {
    let posting = posting(Report::Lmp, "posting.zip");
    parse(&posting, bytes, &Wanted::default()).unwrap_err().to_string()
}

#[test]
fn a_file_in_a_zip_was_published_with_the_posting() {
    let name = "cdr.00012300.0000000000000000.20260630.235017.LMPSROSNODENP6788.csv";
    let bytes = zipped(&[(name, run(50).as_bytes())]);
    let contents = parse(&posting(Report::Lmp, "a.zip"), &bytes, &Wanted::default()).unwrap();
    assert_eq!(lines(&contents), ["rt_lmp HB_WEST 2026-07-01T04:50:17Z 50"]);
}

#[test]
fn a_file_in_a_bundle_was_published_when_its_name_says() {
    let inner = |stamp: &str, minute: u32| {
        let csv = format!("cdr.00012300.0000000000000000.{stamp}.LMPSROSNODENP6788.csv");
        let zip =
            format!("12345.cdr.00012300.0000000000000000.{stamp}425.LMPSROSNODENP6788_csv.zip");
        (zip, zipped(&[(&csv, run(minute).as_bytes())]))
    };
    let (first, second) = (inner("20260630.235020", 50), inner("20260630.235522", 55));
    let day = zipped(&[(&first.0, &first.1), (&second.0, &second.1)]);
    let month = zipped(&[("20260630.zip", &day)]);
    for bundle in [day, month] {
        let contents = parse(&posting(Report::Lmp, "b.zip"), &bundle, &Wanted::default()).unwrap();
        assert_eq!(
            lines(&contents),
            [
                "rt_lmp HB_WEST 2026-07-01T04:50:17Z 50 (2026-07-01T04:50:20Z)",
                "rt_lmp HB_WEST 2026-07-01T04:55:17Z 55 (2026-07-01T04:55:22Z)",
            ]
        );
        assert_eq!(contents.rows, 2);
    }
}

#[test]
fn the_stamp_in_a_name_is_local_time_and_xhr_the_repeated_hour() {
    let check = |name: &str, expected: Option<&str>| {
        assert_eq!(posted_at_of(name), expected.map(at), "{name}");
    };
    check("cdr.00013101.0000000000000000.20241103.055000.X.csv", Some("2024-11-03T11:50:00Z"));
    check(
        "5.cdr.00012300.0000000000000000.20240702.130034954.X_csv.zip",
        Some("2024-07-02T18:00:34Z"),
    );
    check("cdr.00012300.0000000000000000.20241103.010017.X.csv", Some("2024-11-03T06:00:17Z"));
    check("cdr.00012300.0000000000000000.20241103.010017.xhr_X.csv", Some("2024-11-03T07:00:17Z"));
    check("cdr.00012300.0000000000000000.20240310.023000.X.csv", None);
    check("cdr.00012300.0000000000000000.20241340.023000.X.csv", None);
    check("LMP_20241103.csv", None);
}

#[test]
fn one_broken_file_does_not_spoil_a_bundle_and_many_do() {
    let good: Vec<(String, String)> = (0..30).map(|n| (format!("{n}.csv"), run(n))).collect();
    let mut files: Vec<(&str, &[u8])> =
        good.iter().map(|(name, file)| (name.as_str(), file.as_bytes())).collect();
    files.push(("broken.csv", b"<html>"));
    let contents =
        parse(&posting(Report::Lmp, "b.zip"), &zipped(&files), &Wanted::default()).unwrap();
    assert_eq!((lines(&contents).len(), contents.complaints.len()), (30, 1));
    assert_eq!(contents.complaints[0].file, "broken.csv");
    files.push(("broken too.csv", b"A,B\n"));
    let message = refusal_of(&zipped(&files));
    assert!(message.contains("2 of 32 files cannot be used; e.g. broken.csv"), "{message}");
}

#[test]
fn a_file_with_something_else_among_its_rows_is_taken_back_as_a_whole() {
    let good: Vec<(String, String)> = (0..30).map(|n| (format!("{n}.csv"), run(n))).collect();
    let mut files: Vec<(&str, &[u8])> =
        good.iter().map(|(name, file)| (name.as_str(), file.as_bytes())).collect();
    let broken = r#"{"fields": [{"name": "SCEDTimestamp"}, {"name": "repeatHourFlag"},
        {"name": "settlementPoint"}, {"name": "LMP"}],
        "data": [["2026-06-30T22:00:00", false, "HB_WEST", 99], "no row"]}"#;
    files.insert(3, ("broken.json", broken.as_bytes()));
    let contents =
        parse(&posting(Report::Lmp, "b.zip"), &zipped(&files), &Wanted::default()).unwrap();
    assert_eq!((lines(&contents).len(), contents.complaints.len()), (30, 1));
}

#[test]
fn a_zip_that_is_cut_off_or_empty_is_refused() {
    let whole = zipped(&[("a.csv", run(1).as_bytes())]);
    let message = refusal_of(&whole[..whole.len() / 2]);
    assert!(message.contains("damaged zip"), "{message}");
    assert!(refusal_of(&zipped(&[])).contains("is an empty zip"));
    let mut flipped = zipped(&[("a.csv", run(1).repeat(40).as_bytes())]);
    flipped[45] ^= 0x55;
    let message = refusal_of(&flipped);
    assert!(message.contains("cannot be unpacked"), "{message}");
}

#[test]
fn a_zip_that_is_made_to_fill_memory_is_refused() {
    let zeros = vec![b'0'; 3 << 20];
    let message = refusal_of(&zipped(&[("bomb.csv", &zeros)]));
    assert!(message.contains("bomb.csv unpacks to more than"), "{message}");
    let mut nested = zipped(&[("a.csv", run(1).as_bytes())]);
    for _ in 0..4 {
        nested = zipped(&[("a.zip", &nested)]);
    }
    assert!(refusal_of(&nested).contains("holds zips more than 4 deep"));
    let names: Vec<String> = (0..40_001).map(|n| n.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert!(refusal_of(&zipped(&many)).contains("holds more than 40000 files"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_damaged_zip_never_panics(place in 0usize..400, byte: u8, length in 0usize..400) {
        let inner = zipped(&[("a.csv", run(1).as_bytes())]);
        let mut bytes = zipped(&[("a.zip", &inner), ("b.csv", run(2).as_bytes())]);
        let place = place % bytes.len();
        bytes[place] = byte;
        bytes.truncate(bytes.len().saturating_sub(length));
        // Whatever it says, it says it.
        let posting = posting(Report::Lmp, "a.zip");
        let outcome = parse(&posting, &bytes, &Wanted::default());
        prop_assert!(outcome.map_or_else(|error| !error.reason.is_empty(), |it| it.rows <= 2));
    }
}
