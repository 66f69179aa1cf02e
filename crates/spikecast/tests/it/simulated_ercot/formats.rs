//! Files and rows look as ERCOT's recorded ones do, also on the days of the clock changes.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value, json};

use super::{Served, column, recorded, recorded_json};

const MORNING: &str = "2026-07-14T09:30";

/// Reads the first line of a recorded CSV file, alone or in a zip file.
fn recorded_header(name: &str) -> Option<String> {
    let bytes = fs::read(recorded()?.join("recorded").join(name)).unwrap();
    let zipped = name.ends_with("zip").then(|| super::unpacked(&bytes).unwrap().remove(0).1);
    let text = String::from_utf8(zipped.unwrap_or(bytes)).unwrap();
    text.lines().next().map(|line| line.trim().to_owned())
}

#[test]
fn files_have_the_recorded_headers() {
    let served = Served::at(MORNING, &[]);
    let mut compared = 0;
    for (report_type, name) in [
        (12_300, "mis_np6-788-cd_LMPSROSNODE_20101201_0110.csv"),
        (
            12_331,
            "mis_np4-190-cd_cdr.00012331.0000000000000000.20240309.123511.DAMSPNP4190_rezipped.zip",
        ),
        (13_101, "mis_np6-345-cd_ACTUALSYSLOADWZNP6345_20240201.csv"),
        (13_028, "mis_np4-732-cd_WPP_HRLY_ACTL_FCAST_20250503T163602.csv"),
        (14_787, "mis_np4-742-cd_WPPHRLYAVRACTGEOREG_20250410.csv"),
        (13_483, "mis_np4-737-cd_PVGR_SYSTEMWIDE_20250503T163602.csv"),
        (12_301, "mis_np6-905-cd_SPPHLZNP6905_20250410_HE19_int2.csv"),
        (13_103, "mis_np3-233-cd_HRLYRESOUTCAP_20250503T163602.csv"),
    ] {
        let Some(expected) = recorded_header(name) else { return };
        let Some(document) = served.mis(report_type).into_iter().next() else { continue };
        let text = served.mis_file(&document).unwrap().csv();
        assert_eq!(text.lines().next(), Some(expected.as_str()), "{name}");
        let commas = expected.matches(',').count();
        assert!(text.lines().all(|line| line.matches(',').count() == commas), "{name}");
        compared += 1;
    }
    assert!(6 <= compared, "only {compared} reports are simulated");
}

#[test]
fn rows_have_the_recorded_fields_and_types() {
    let Some(fields) = recorded_json("recorded/pubapi_response_fields_by_endpoint_derived.json")
    else {
        return;
    };
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let products = served.json("/");
    let mut compared = 0;
    for product in products["_embedded"]["products"].as_array().unwrap() {
        let link = product["artifacts"][0]["_links"]["endpoint"]["href"].as_str().unwrap();
        let endpoint = link.split("/api/public-reports/").nth(1).unwrap();
        let expected = fields[endpoint].as_object().unwrap_or_else(|| panic!("{endpoint}"));
        let page = served.json(&format!("/{endpoint}?{}&size=5", recently(expected)));
        let found: BTreeMap<&str, &str> = page["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (field["name"].as_str().unwrap(), field["dataType"].as_str().unwrap()))
            .collect();
        let expected: BTreeMap<&str, &str> =
            expected.iter().map(|(name, kind)| (name.as_str(), kind.as_str().unwrap())).collect();
        assert_eq!(found, expected, "{endpoint}");
        for row in page["data"].as_array().unwrap() {
            check_types(endpoint, &page["fields"], row);
        }
        compared += 1;
    }
    assert_eq!(compared, 21, "every report with an endpoint");
}

/// Returns a query for rows of the last hours, or of the last day where they do not say when they
/// were posted.
pub(super) fn recently(fields: &Map<String, Value>) -> String {
    if fields.contains_key("postedDatetime") {
        return "postedDatetimeFrom=2026-07-14T08:00:00".to_owned();
    }
    let is_about = |name: &&String| {
        matches!(fields[*name].as_str(), Some("DATE" | "DATETIME"))
            && *name != "priceCorrectionTime"
    };
    let name = fields.keys().find(is_about).unwrap();
    let time = if fields[name] == "DATE" { "" } else { "T00:00:00" };
    format!("{name}From=2026-07-13{time}")
}

fn check_types(endpoint: &str, fields: &Value, row: &Value) {
    for (field, cell) in fields.as_array().unwrap().iter().zip(row.as_array().unwrap()) {
        let kind = field["dataType"].as_str().unwrap();
        let is_right = match kind {
            "BOOLEAN" => cell.is_boolean(),
            "INTEGER" => cell.is_i64(),
            "DOUBLE" => cell.is_f64(),
            "DATE" => cell.as_str().is_some_and(|it| it.len() == 10),
            "DATETIME" => cell.as_str().is_some_and(|it| it.len() == 19),
            _ => cell.is_string(),
        };
        assert!(is_right || cell.is_null(), "{endpoint}: {field} {cell}");
    }
}

#[test]
fn products_look_like_the_recorded_ones() {
    let Some(recorded) = recorded_json("recorded/pubapi_root_products_listing_2026-01.json") else {
        return;
    };
    let recorded = recorded["_embedded"]["products"].as_array().unwrap();
    let served = Served::at(MORNING, &[]).signed_in();
    let list = served.json("/");
    for product in list["_embedded"]["products"].as_array().unwrap() {
        let expected = recorded.iter().find(|it| it["emilId"] == product["emilId"]).unwrap();
        let keys = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(product), keys(expected));
        for key in [
            "reportTypeId",
            "name",
            "bundle",
            "downloadLimit",
            "misDisplayDuration",
            "archiveDuration",
        ] {
            assert_eq!(product[key], expected[key], "{key} of {}", product["emilId"]);
        }
        let endpoint = |artifact: &Value| {
            let link = artifact["_links"]["endpoint"]["href"].as_str().unwrap();
            link.rsplit('/').next().unwrap().to_owned()
        };
        let known: Vec<String> =
            expected["artifacts"].as_array().unwrap().iter().map(endpoint).collect();
        assert!(known.contains(&endpoint(&product["artifacts"][0])), "{known:?}");
        let id = product["emilId"].as_str().unwrap().to_lowercase();
        assert_eq!(served.json(&format!("/{id}"))["emilId"], product["emilId"]);
    }
}

/// Returns hour endings and flags of one settlement point's day in the row store.
fn day_ahead_hours(served: &Served, day: &str) -> Vec<(String, bool)> {
    let query = format!("deliveryDateFrom={day}&deliveryDateTo={day}&settlementPoint=HB_NORTH");
    let page = served.json(&format!("/np4-190-cd/dam_stlmnt_pnt_prices?{query}"));
    let hours = column(&page, "hourEnding").into_iter().zip(column(&page, "DSTFlag"));
    hours.map(|(hour, flag)| (hour.as_str().unwrap().to_owned(), flag.as_bool().unwrap())).collect()
}

#[test]
fn the_autumn_day_has_25_hours_of_which_one_is_flagged() {
    let served = Served::at("2026-11-02T12:00", &["--no-limits"]).signed_in();
    let hours = day_ahead_hours(&served, "2026-11-01");
    assert_eq!(hours.len(), 25);
    let near: Vec<(&str, bool)> =
        hours[..4].iter().map(|(hour, flag)| (hour.as_str(), *flag)).collect();
    assert_eq!(near, [("01:00", false), ("02:00", false), ("02:00", true), ("03:00", false)]);
    // The file of actual load, beside the recorded one of another autumn day.
    let newest = &served.mis(13_101)[0];
    let text = served.mis_file(newest).unwrap().csv();
    let label = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[1].to_owned(), (*cells.last().unwrap()).to_owned())
    };
    let labels: Vec<_> = text.lines().skip(1).map(label).collect();
    assert!(text.lines().nth(1).unwrap().starts_with("11/01/2026,01:00,"));
    if let Some(folder) = recorded() {
        let name = "recorded/mis_np6-345-cd_20241104.055000424.ACTUALSYSLOADWZNP6345_csv.zip";
        let recorded = super::unpacked(&fs::read(folder.join(name)).unwrap()).unwrap().remove(0).1;
        let recorded = String::from_utf8(recorded).unwrap();
        assert_eq!(labels, recorded.lines().skip(1).map(label).collect::<Vec<_>>());
    }
}

#[test]
fn the_spring_day_has_23_hours_and_no_third() {
    let served = Served::at("2026-03-09T12:00", &["--no-limits"]).signed_in();
    let hours = day_ahead_hours(&served, "2026-03-08");
    assert_eq!(hours.len(), 23);
    assert!(hours.iter().all(|(hour, flag)| hour != "03:00" && !flag));
    let range = "SCEDTimestampFrom=2026-03-08T01:50:00&SCEDTimestampTo=2026-03-08T03:10:00";
    let target = format!("/np6-788-cd/lmp_node_zone_hub?{range}&settlementPoint=HB_NORTH");
    let runs = column(&served.json(&target), "SCEDTimestamp");
    assert!(runs.iter().all(|run| !run.as_str().unwrap().contains("T02:")), "{runs:?}");
    assert!(runs.iter().any(|run| run.as_str().unwrap().contains("T03:")), "{runs:?}");
}

#[test]
fn runs_of_the_repeated_hour_are_flagged_and_their_files_named_xhr() {
    // 01:30 for the second time.
    let served = Served::at("2026-11-01T01:30-06:00", &["--no-limits"]).signed_in();
    let range = "SCEDTimestampFrom=2026-11-01T01:00:00&SCEDTimestampTo=2026-11-01T01:59:59";
    let target = format!("/np6-788-cd/lmp_node_zone_hub?{range}&settlementPoint=HB_NORTH");
    let page = served.json(&target);
    let flags = column(&page, "repeatHourFlag");
    let repeated = flags.iter().filter(|flag| **flag == json!(true)).count();
    // About twelve runs of the first hour, and those published in half of the second one.
    assert!((4..8).contains(&repeated) && 10 < flags.len() - repeated, "{flags:?}");
    let documents = served.mis(12_300);
    let in_hour = |it: &&Value| it["FriendlyName"].as_str().unwrap().contains("_20261101_01");
    let (second, first): (Vec<&Value>, Vec<&Value>) = documents
        .iter()
        .filter(in_hour)
        .partition(|it| it["FriendlyName"].as_str().unwrap().ends_with("xhr_csv"));
    assert!(second.len() >= repeated && first.len() > second.len());
    for document in second {
        // ERCOT's offset is the summer's, and wrong; the file itself says what is right.
        assert!(document["PublishDate"].as_str().unwrap().ends_with("-05:00"));
        let text = served.mis_file(document).unwrap().csv();
        assert!(text.lines().nth(1).unwrap().contains(",Y,"), "{text}");
    }
}

#[test]
fn some_files_are_posted_a_second_time() {
    let served = Served::at(MORNING, &[]);
    let documents = served.mis(12_300);
    let name = |it: &Value| it["FriendlyName"].as_str().unwrap().to_owned();
    let again: Vec<&Value> = documents.iter().filter(|it| name(it).contains("_retry_")).collect();
    assert!(!again.is_empty() && again.len() * 20 < documents.len(), "{}", again.len());
    for document in again {
        let original = documents.iter().find(|it| name(it) == name(document).replace("_retry", ""));
        let original = original.unwrap();
        assert_ne!(original["DocID"], document["DocID"]);
        let texts = [original, document].map(|it| served.mis_file(it).unwrap().csv());
        assert_eq!(texts[0], texts[1]);
    }
}

#[test]
fn an_entry_of_a_list_looks_like_the_recorded_one() {
    let served = Served::at(MORNING, &[]);
    let entry = served.mis(13_101).remove(0);
    // Posted at 05:50 on the day after, as the recorded names of that report say.
    let name = entry["ConstructedName"].as_str().unwrap();
    assert!(name.starts_with("cdr.00013101.0000000000000000.20260714.055000"), "{name}");
    assert!(name.ends_with(".ACTUALSYSLOADWZNP6345_csv.zip"), "{name}");
    assert_eq!(entry["PublishDate"], "2026-07-14T05:50:00-05:00");
    let inside = served.mis_file(&entry).unwrap().files().remove(0).0;
    assert_eq!(inside, "cdr.00013101.0000000000000000.20260714.055000.ACTUALSYSLOADWZNP6345.csv");
}
