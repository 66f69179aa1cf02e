//! Broken lines, broken files, and what has drifted.

use super::*;

#[test]
fn a_service_that_is_not_known_is_drift_and_no_bad_line() {
    let contents = read(
        Report::DayAheadMcpc,
        "DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n09/26/2026,01:00,DRRS,0.19,N\n",
    );
    assert_eq!(contents.drift, BTreeSet::from(["unknown service DRRS".to_owned()]));
    assert_eq!((lines(&contents).len(), contents.complaints.len()), (0, 0));
}

#[test]
fn a_report_whose_column_was_renamed_says_what_it_lacks_and_has() {
    let message = refusal(Report::Lmp, "SCEDTimestamp,RepeatedHourFlag,Node,LMP\n");
    assert_eq!(
        message,
        "NP6-788-CD file.csv: lacks the columns settlementpoint or settlementpointname; \
         it has SCEDTimestamp, RepeatedHourFlag, Node, LMP"
    );
}

#[test]
fn a_column_that_is_new_is_drift() {
    let contents = read(
        Report::Lmp,
        "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP,Mood\n\
         06/30/2026 23:55:17,N,HB_WEST,1,good\n",
    );
    assert_eq!(contents.drift, BTreeSet::from(["unknown column Mood".to_owned()]));
    assert_eq!(lines(&contents).len(), 1);
}

/// A day of day-ahead prices for one point, with `broken` lines at its end.
fn day_with(broken: &[&str]) -> String {
    let hour = |hour: usize| format!("06/23/2026,{:02}:00,HB_WEST,{hour},N\n", hour % 24 + 1);
    let good: String = (0..96).map(hour).collect();
    let header = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n";
    format!("{header}{good}{}\n", broken.join("\n"))
}

#[test]
fn a_broken_line_is_named_and_the_others_count() {
    let contents = read(
        Report::DayAheadSpp,
        &day_with(&[
            "06/23/2026,30:00,HB_WEST,1,N",
            "06/23/2026,01:00,HB_WEST,much,N",
            "06/23/2026,01:00,HB WEST,1,N",
            "06/23/2026,01:00",
        ]),
    );
    let complaints: Vec<String> = contents
        .complaints
        .iter()
        .filter(|complaint| 97 < complaint.line)
        .map(|it| format!("{} {}: {}", it.file, it.line, it.reason))
        .collect();
    assert_eq!(
        complaints,
        [
            "file.csv 98: column HourEnding: expected an hour ending, 1 to 24 (25 on the day with \
             an extra hour), found \"30:00\"",
            "file.csv 99: column SettlementPointPrice: expected a number, found \"much\"",
            "file.csv 100: settlement point \"HB WEST\": expected ERCOT's spelling, 1 to 40 of \
             A-Z, 0-9, '_', '-', '.', e.g. HB_HUBAVG",
            "file.csv 101: expected 5 cells as in the header line, found 2",
        ]
    );
    assert_eq!(contents.rows, 100);
}

#[test]
fn a_report_with_too_many_broken_lines_is_refused() {
    let message = refusal(Report::DayAheadSpp, &day_with(&["x"; 6]));
    assert!(message.contains("6 of 102 lines cannot be used; e.g. line"), "{message}");
    let endless = format!("{}{}", day_with(&[]), "x\n".repeat(5_000));
    let message = refusal(Report::DayAheadSpp, &endless);
    assert!(message.contains("1001 of 1097 lines"), "it is not read to its end: {message}");
}

#[test]
fn of_two_rows_for_the_same_hour_the_first_counts() {
    let file = "DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n09/26/2026,01:00,RRS,1,N\n\
                09/26/2026,01:00,RRS,1,N\n09/26/2026,01:00,RRS,2,N\n";
    let contents = read(Report::DayAheadMcpc, file);
    assert_eq!(lines(&contents), ["dam_mcpc_rrs ERCOT 2026-09-26T05:00:00Z 1"]);
    assert_eq!(contents.drift, BTreeSet::from(["rows that say the same twice".to_owned()]));
    assert_eq!(contents.complaints.len(), 1);
    assert_eq!(contents.complaints[0].line, 4);
    assert!(contents.complaints[0].reason.ends_with("2, after a row that says 1"));
}

#[test]
fn what_is_no_report_is_refused_for_a_reason() {
    let check = |bytes: &[u8], expected: &str| {
        let posting = posting(Report::Lmp, "file");
        let message = parse(&posting, bytes, &Wanted::default()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(b"", "is empty");
    check(b"<?xml version=\"1.0\"?><Report/>", "is XML");
    check(b"<!DOCTYPE html>\n<HTML><body>Sorry", "is a web page");
    check(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "is no text");
    check(b"{\"message\": \"Unauthorized\"}", "names no fields");
    let message = refusal(Report::SettlementPoints, "HUB\nHB_WEST\n");
    assert!(message.contains("parse_settlement_points"), "{message}");
}
