//! The MIS's client against canned lists, ERCOT's recorded one among them.

use std::path::PathBuf;

use super::Mis;
use crate::reports::{Posting, Report};
use crate::source::SourceError;
use crate::source::ercot_api::ErcotEndpoints;
use crate::source::http::stub::{Canned, Stub, TestClock, access, json, say};
use crate::source::listing::Listing;

fn mis(answers: Vec<Canned>) -> (Stub, Mis) {
    let stub = Stub::saying(answers);
    let base = stub.address();
    let endpoints = ErcotEndpoints::new(&base, &base, &base).unwrap();
    (stub, Mis::new(&endpoints, &access(&TestClock::at("2026-11-24T15:00:00Z"))))
}

fn listed(list: &str) -> Result<Listing, SourceError> {
    let body = format!(r#"{{"ListDocsByRptTypeRes":{list}}}"#);
    mis(vec![json(&body)]).1.postings(Report::Spp)
}

/// Writes a document of a list.
fn document(id: u32, name: &str, published: &str) -> String {
    format!(
        r#"{{"Document":{{"DocID":"{id}","FriendlyName":"{name}","ConstructedName":"cdr.00012301.{name}.zip","PublishDate":"{published}","ReportTypeID":"12301"}}}}"#
    )
}

/// Lists documents and returns the ids of the postings, in order.
fn kept(documents: &[(u32, &str, &str)]) -> Vec<String> {
    let documents: Vec<String> =
        documents.iter().map(|(id, name, published)| document(*id, name, published)).collect();
    let listing = listed(&format!(r#"{{"DocumentList":[{}]}}"#, documents.join(","))).unwrap();
    assert_eq!(listing.complaints, []);
    listing.postings.into_iter().map(|posting| posting.id).collect()
}

#[test]
fn a_list_is_read_in_every_shape() {
    let one = document(7, "SPP_1_csv", "2025-05-03T16:32:10-05:00");
    let bare = one.trim_start_matches(r#"{"Document":"#).trim_end_matches('}').to_owned() + "}";
    for list in [
        format!(r#"{{"DocumentList":[{one}]}}"#),
        format!(r#"{{"DocumentList":{one}}}"#),
        format!(r#"{{"DocumentList":{{"Document":[{bare}]}}}}"#),
        format!(r#"{{"DocumentList":[{bare}]}}"#),
        format!(r#"{{"DocumentList":[{}]}}"#, one.replace("\"7\"", "7")),
    ] {
        let posting = Posting {
            report: Report::Spp,
            id: "7".to_owned(),
            name: "cdr.00012301.SPP_1_csv.zip".to_owned(),
            posted_at: "2025-05-03T21:32:10Z".parse().unwrap(),
        };
        let listing = Listing { postings: vec![posting], complaints: Vec::new() };
        assert_eq!(listed(&list).unwrap(), listing, "{list}");
    }
    for empty in [r#"{"DocumentList":[]}"#, r#"{"DocumentList":""}"#, "{}"] {
        assert_eq!(listed(empty).unwrap(), Listing::default());
    }
    for other in [r#"{"DocumentList":7}"#, r#"{"DocumentList":true}"#] {
        assert!(matches!(listed(other), Err(SourceError::Unusable { .. })), "{other}");
    }
}

#[test]
fn the_recorded_list_is_read() {
    let name = "../../../shared/ercot/recorded/mis_IceDocListJsonWS_13061_one_entry.json";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there are no recorded responses at {}", path.display());
        return;
    };
    let listing = mis(vec![json(&text)]).1.postings(Report::Spp).unwrap();
    assert_eq!(listing.postings.len(), 1);
    let posting = &listing.postings[0];
    assert_eq!(posting.id, "1252031380");
    assert_eq!(posting.posted_at.to_string(), "2026-07-19T13:05:20Z");
    assert!(posting.name.ends_with(".RTMLZHBSPP_2026.zip"), "{}", posting.name);
}

#[test]
fn of_the_variants_of_a_posting_the_last_csv_stays() {
    let csv_and_xml = [
        (1, "SPP_20250503_1630_csv", "2025-05-03T16:32:10-05:00"),
        (2, "SPP_20250503_1630_xml", "2025-05-03T16:32:12-05:00"),
    ];
    assert_eq!(kept(&csv_and_xml), ["1"]);
    let retried = [
        (1, "SPP_20250503_1630_csv", "2025-05-03T16:32:10-05:00"),
        (2, "SPP_20250503_1630_xml", "2025-05-03T16:32:12-05:00"),
        (3, "SPP_20250503_1630_retry_1_csv", "2025-05-03T16:33:10-05:00"),
        (4, "SPP_20250503_1630_retry_2_csv", "2025-05-03T16:34:10-05:00"),
        (5, "SPP_20250503_1630_retry_2_xml", "2025-05-03T16:34:11-05:00"),
    ];
    assert_eq!(kept(&retried), ["4"]);
    assert_eq!(kept(&[(9, "SPP_1630_xml", "2025-05-03T16:32:12-05:00")]), ["9"]);
}

#[test]
fn postings_with_the_same_name_are_not_confused() {
    // NP6-86 is called the same every hour.
    let hourly = [
        (1, "SCEDBTCNP686_csv", "2025-05-03T15:05:10-05:00"),
        (2, "SCEDBTCNP686_xml", "2025-05-03T15:05:11-05:00"),
        (3, "SCEDBTCNP686_csv", "2025-05-03T16:05:10-05:00"),
        (4, "SCEDBTCNP686_xml", "2025-05-03T16:05:11-05:00"),
    ];
    assert_eq!(kept(&hourly), ["1", "3"]);
    // What is an hour apart is not the same, whatever its format and though it says retry.
    let apart = [
        (1, "SCEDBTCNP686_csv", "2025-05-03T15:05:10-05:00"),
        (2, "SCEDBTCNP686_xml", "2025-05-03T16:05:11-05:00"),
        (3, "SCEDBTCNP686_retry_1_csv", "2025-05-03T17:05:11-05:00"),
    ];
    assert_eq!(kept(&apart), ["1", "2", "3"]);
    // Neither run of a quarter of the repeated hour is lost, marked or not.
    let repeated = [
        (1, "SPP_20241103_0130_csv", "2024-11-03T01:32:10-05:00"),
        (2, "SPP_20241103_0130xhr_csv", "2024-11-03T01:32:10-05:00"),
        (3, "SPP_20241103_0145_csv", "2024-11-03T01:47:10-05:00"),
        (4, "SPP_20241103_0145_csv", "2024-11-03T01:47:10-06:00"),
    ];
    assert_eq!(kept(&repeated), ["1", "3", "2", "4"]);
    // Twice within a minute, and neither says that it is a retry.
    let twice =
        [(1, "SPP_csv", "2025-05-03T16:32:10-05:00"), (2, "SPP_csv", "2025-05-03T16:32:40-05:00")];
    assert_eq!(kept(&twice), ["1", "2"]);
}

#[test]
fn a_broken_entry_is_a_complaint_and_the_others_stay() {
    let list = format!(
        r#"{{"DocumentList":[{},{{"Document":{{"FriendlyName":"x"}}}},{},7]}}"#,
        document(1, "SPP_1_csv", "2025-05-03T16:32:10-05:00").replace("12301\"}", "13061\"}"),
        document(2, "SPP_2_csv", "2025-05-03T16:32:10-05:00"),
    );
    let listing = listed(&list).unwrap();
    assert_eq!(listing.postings.len(), 1);
    let complaints: Vec<_> =
        listing.complaints.iter().map(|c| format!("{} {}: {}", c.file, c.line, c.reason)).collect();
    let expected = [
        "list of NP6-905-CD 1: a document of report type 13061",
        "list of NP6-905-CD 2: document id: expected a number, found \"\"",
        "list of NP6-905-CD 4: document id: expected a number, found \"\"",
    ];
    assert_eq!(complaints, expected);
}

#[test]
fn the_mis_is_asked_without_an_account() {
    let file = crate::source::ercot_api::zip_of(&[("spp.csv", b"a\n1\n")]);
    let page = b"<html><title>Incapsula incident</title></html>";
    let (stub, mis) = mis(vec![
        json(r#"{"ListDocsByRptTypeRes":{}}"#),
        say("200 OK", "application/x-zip", &file),
        say("200 OK", "text/html", page),
        say("200 OK", "text/html", page),
        say("403 Forbidden", "text/html", page),
    ]);
    mis.postings(Report::Lmp).unwrap();
    let posting = Posting {
        report: Report::Lmp,
        id: "7".to_owned(),
        name: String::new(),
        posted_at: "2025-05-03T21:32:10Z".parse().unwrap(),
    };
    assert_eq!(mis.download(&posting).unwrap(), file);
    let lines = [
        "GET /misapp/servlets/IceDocListJsonWS?reportTypeId=12300",
        "GET /misdownload/servlets/mirDownload?doclookupId=7",
    ];
    assert_eq!(stub.lines(), lines);
    assert!(stub.asked().iter().all(|request| !request.to_lowercase().contains("authorization")));
    assert!(matches!(mis.download(&posting), Err(SourceError::Unusable { .. })));
    let error = mis.postings(Report::Lmp).unwrap_err().to_string();
    assert!(error.ends_with("found a page that says \"Incapsula incident\""), "{error}");
    assert!(matches!(mis.postings(Report::Lmp), Err(SourceError::Authentication { .. })));
}
