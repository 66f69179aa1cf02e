//! Starting and stopping, signing in, limits, paging, the archive, and what is not served yet.

use std::collections::BTreeSet;
use std::process::Command;

use market::observation::{Series, SeriesKey};
use market::place::SettlementPoint;
use market::source::FetchRequest;
use serde_json::{Value, json};
use spikecast::jobs::source::SourceChoice;

use super::{CREDENTIALS, KEY, Served, TOKEN_PATH, column, recorded_json, unpacked};
use crate::program::Program;

const MORNING: &str = "2026-07-14T09:30";
const LMP: &str = "/np6-788-cd/lmp_node_zone_hub";

#[test]
fn the_first_line_says_where_and_a_signal_stops_it() {
    let mut served = Served::at(MORNING, &["--seed", "7"]);
    let expected = format!(
        "serving simulated ERCOT at http://{} (seed 7, time 2026-07-14 09:30 CDT)\n",
        served.address
    );
    assert_eq!(served.first_line, expected);
    let pid = served.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_first_line_is_json_for_machines() {
    let served = Served::at(MORNING, &["--json"]);
    let line: Value = serde_json::from_str(&served.first_line).unwrap();
    assert_eq!(line["url"], format!("http://{}", served.address));
    assert_eq!((&line["seed"], &line["time"]), (&json!(42), &json!("2026-07-14T14:30:00Z")));
}

#[test]
fn what_cannot_be_served_is_explained() {
    let program = Program::new();
    std::fs::write(program.path("faults.toml"), "[[rule]]\nfault = \"trottle\"\n").unwrap();
    let check = |arguments: &[&str], expected: &str| {
        let (_, message) = program.run(&[&["simulate", "serve"], arguments].concat(), 2);
        assert!(message.contains(expected), "{expected:?} is missing in: {message}");
    };
    check(&["--faults", "faults.toml"], "faults.toml: rule 1: unknown fault \"trottle\", did you");
    check(&["--faults", "nowhere.toml"], "nowhere.toml");
    check(&["--clock", "noon"], "2024-08-19T09:57");
    check(&["--clock", "1999-01-01T00:00"], "begins on 2018-01-01");
    check(&["--clock", MORNING, "--speed=-1"], "--speed: expected 0 or more");
    let served = Served::at(MORNING, &[]);
    let port = served.address.split(':').nth(1).unwrap();
    check(&["--port", port], "cannot be listened on");
}

#[test]
fn only_who_has_a_key_and_a_token_is_answered() {
    let served = Served::at(MORNING, &[]);
    let refused = served.request("GET", "/api/public-reports/", &[KEY], "").unwrap();
    assert_eq!(refused.status, 401);
    if let Some(recorded) = recorded_json("recorded/pubapi_error_401_missing_token.json") {
        assert_eq!(refused.json(), recorded);
    }
    let wrong = CREDENTIALS.replace("simulated", "wrong");
    let denied = served.request("POST", TOKEN_PATH, &[], &wrong).unwrap();
    assert_eq!((denied.status, &denied.json()["error"]), (400, &json!("access_denied")));
    let served = served.signed_in();
    assert_eq!(served.api("/").unwrap().status, 200);
    let bearer = format!("Authorization: Bearer {}", served.token);
    let without_key = served.request("GET", "/api/public-reports/", &[&bearer], "").unwrap();
    assert_eq!(without_key.status, 401);
    let target = "/api/public-reports/?subscription-key=simulated-subscription-key";
    assert_eq!(served.request("GET", target, &[&bearer], "").unwrap().status, 200);
    // What was asked for is logged, and no credential of it.
    let log = json!(served.requests()).to_string();
    assert!(log.contains("/api/public-reports/") && log.contains(TOKEN_PATH));
    for secret in ["simulated-subscription-key", "simulated-id-token", "desk"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn too_many_requests_and_too_many_bytes_are_refused_in_two_ways() {
    let served = Served::at(MORNING, &["--requests-per-minute", "2"]).signed_in();
    let statuses = [(); 3].map(|()| served.api("/np6-788-cd").unwrap());
    assert_eq!(statuses.each_ref().map(|reply| reply.status), [200, 200, 429]);
    assert_eq!(statuses[2].json()["error_key"], "throttled");
    // The MIS has no such limit.
    assert_eq!(
        served.get("/misapp/servlets/IceDocListJsonWS?reportTypeId=12331").unwrap().status,
        200
    );
    let served = Served::at(MORNING, &["--bytes-per-hour", "100"]).signed_in();
    assert_eq!(served.api("/np6-788-cd").unwrap().status, 200);
    let refused = served.api("/np6-788-cd").unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (429, &json!("BandwidthQuotaExceeded")));
}

#[test]
fn rows_are_the_simulators_and_nothing_is_told_before_its_time() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let range = "SCEDTimestampFrom=2026-07-14T08:00:00&SCEDTimestampTo=2026-07-14T23:00:00";
    let page = served.json(&format!("{LMP}?{range}&settlementPoint=HB_WEST&sort=SCEDTimestamp"));
    let simulator = SourceChoice::Simulator { seed: 42, history_days: 1 }.open().unwrap();
    let request = FetchRequest {
        key: SeriesKey::at(Series::RealTimeLmp, &SettlementPoint::new("HB_WEST").unwrap()),
        published_after: Some("2026-07-14T12:00:00Z".parse().unwrap()),
        published_until: "2026-07-14T14:30:00Z".parse().unwrap(),
    };
    let truth = simulator.fetch(&request).unwrap();
    // 08:00 Central is 13:00Z in summer.
    let from: jiff::Timestamp = "2026-07-14T13:00:00Z".parse().unwrap();
    let truth: Vec<_> = truth.iter().filter(|it| from <= it.interval_start).collect();
    assert!(10 < truth.len(), "{truth:?}");
    let prices: Vec<f64> = truth.iter().map(|it| it.value).collect();
    let served_prices: Vec<f64> =
        column(&page, "LMP").iter().map(|price| price.as_f64().unwrap()).collect();
    assert_eq!(served_prices, prices);
    let last = column(&page, "SCEDTimestamp").last().cloned();
    let last_run = market::time::local(truth.last().unwrap().interval_start);
    assert_eq!(last, Some(json!(last_run.strftime("%Y-%m-%dT%H:%M:%S").to_string())));
    // The day-ahead prices of tomorrow are published at noon.
    let day = "deliveryDateFrom=2026-07-15&deliveryDateTo=2026-07-15";
    let tomorrow = served.json(&format!("/np4-190-cd/dam_stlmnt_pnt_prices?{day}"));
    assert_eq!(tomorrow["_meta"]["totalRecords"], 0);
}

#[test]
fn a_posting_of_wind_shows_what_is_known_two_days_back_and_ahead() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let posted = "postedDatetimeFrom=2026-07-14T08:55:00&postedDatetimeTo=2026-07-14T08:59:59";
    let page = served.json(&format!("/np4-732-cd/wpp_hrly_avrg_actl_fcast?{posted}"));
    let simulator = SourceChoice::Simulator { seed: 42, history_days: 1 }.open().unwrap();
    let request = FetchRequest {
        key: SeriesKey::system(Series::WindActual),
        published_after: Some("2026-07-11T00:00:00Z".parse().unwrap()),
        published_until: "2026-07-14T13:55:00Z".parse().unwrap(),
    };
    let truth = simulator.fetch(&request).unwrap();
    // From 08:00 Central, 13:00Z, two days before.
    let from: jiff::Timestamp = "2026-07-12T13:00:00Z".parse().unwrap();
    let expected: Vec<i64> =
        truth.iter().filter(|it| from <= it.interval_start).map(|it| cents(it.value)).collect();
    let generated = column(&page, "genSystemWide");
    assert_eq!((generated.len(), expected.len()), (216, 48));
    let known: Vec<i64> = generated.iter().filter_map(|it| it.as_f64().map(cents)).collect();
    assert_eq!(known, expected);
    assert!(generated[48..].iter().all(Value::is_null), "the hour before is not known yet");
    let hours = column(&page, "hourEnding");
    assert_eq!((&hours[0], &hours[215]), (&json!(9), &json!(8)));
    // The next two operating days at least are forecast.
    assert!(column(&page, "STWPFSystemWide")[64..112].iter().all(Value::is_f64));
}

#[expect(clippy::cast_possible_truncation, reason = "megawatts")]
fn cents(value: f64) -> i64 {
    (value * 100.0).round() as i64
}

#[test]
fn pages_are_the_whole_in_pieces() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let day = "deliveryDateFrom=2026-07-12&deliveryDateTo=2026-07-13";
    let rows = "/np4-190-cd/dam_stlmnt_pnt_prices";
    let whole = served.json(&format!("{rows}?{day}"));
    let total = usize::try_from(whole["_meta"]["totalRecords"].as_u64().unwrap()).unwrap();
    // Two days of 24 hours at six points at least.
    assert!(2 * 24 * 6 <= total);
    let mut pieces = Vec::new();
    for page in 1..=total.div_ceil(50) {
        let piece = served.json(&format!("{rows}?{day}&size=50&page={page}"));
        assert_eq!(piece["_meta"]["totalPages"], total.div_ceil(50));
        pieces.extend(piece["data"].as_array().unwrap().clone());
    }
    assert_eq!(json!(pieces), whole["data"]);
    let sorted = served.json(&format!("{rows}?{day}&sort=settlementPointPrice&dir=desc"));
    let prices: Vec<f64> =
        column(&sorted, "settlementPointPrice").iter().map(|it| it.as_f64().unwrap()).collect();
    assert!(prices.is_sorted_by(|a, b| a >= b) && prices.len() == total);
    let check_refused = |query: &str, expected: &str| {
        let refused = served.api(&format!("{rows}?{query}")).unwrap();
        let body = refused.json();
        assert_eq!((refused.status, &body["code"]), (400, &json!(400)));
        assert!(body["message"].as_str().unwrap().contains(expected), "{body}");
    };
    check_refused("deliverydateFrom=2026-07-12", "deliverydateFrom: no such parameter");
    check_refused("deliveryDateFrom=yesterday", "unreadable value");
    check_refused("size=0", "size");
    check_refused("", "at most 400 days");
}

#[test]
fn the_archive_reaches_further_back_than_the_mis() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let oldest = served.mis(12_331).last().unwrap()["PublishDate"].clone();
    assert!(oldest.as_str().unwrap().starts_with("2026-06-1"), "{oldest}");
    let range = "postDatetimeFrom=2020-01-01T00:00:00&postDatetimeTo=2020-01-31T23:00:00";
    let archive = "/archive/np4-190-cd";
    let list = served.json(&format!("{archive}?{range}"));
    let archived = list["archives"].as_array().unwrap();
    let posted: BTreeSet<&str> =
        archived.iter().map(|entry| &entry["postDatetime"].as_str().unwrap()[..10]).collect();
    assert_eq!(posted.len(), 31);
    let ids: Vec<i64> = archived.iter().map(|entry| entry["docId"].as_i64().unwrap()).collect();
    let one = served.api(&format!("{archive}?download={}", ids[0])).unwrap();
    assert!(one.csv().starts_with("DeliveryDate,HourEnding"));
    // The link in the list leads to the same file.
    let link = archived[0]["_links"]["endpoint"]["href"].as_str().unwrap();
    let target = link.split("/api/public-reports").nth(1).unwrap();
    assert_eq!(served.api(target).unwrap().body, one.body);
    // Several come as a zip file of zip files, in an order of its own.
    let several =
        served.post(&format!("{archive}/download"), &json!({ "docIds": ids }).to_string());
    let files = several.files();
    let names: Vec<i64> =
        files.iter().map(|(name, _)| name.split('_').next().unwrap().parse().unwrap()).collect();
    assert_ne!(names, ids);
    assert_eq!(names.iter().collect::<BTreeSet<_>>(), ids.iter().collect::<BTreeSet<_>>());
    let same = files.iter().find(|(name, _)| name.starts_with(&ids[0].to_string())).unwrap();
    assert_eq!(unpacked(&same.1).unwrap(), one.files());
    // Ids mean the same in another process; unknown ones mean nothing.
    let other = Served::at(MORNING, &["--no-limits"]).signed_in();
    assert_eq!(other.api(&format!("{archive}?download={}", ids[0])).unwrap().body, one.body);
    assert_eq!(served.api(&format!("{archive}?download=1")).unwrap().status, 404);
    let many = json!({ "docIds": vec![ids[0]; 501] }).to_string();
    assert_eq!(served.post(&format!("{archive}/download"), &many).status, 400);
    let log = served.requests();
    let downloads = log.iter().filter(|entry| {
        entry["documents"].as_array().is_some_and(|it| it.contains(&json!(ids[1])))
    });
    assert_eq!(downloads.count(), 1, "each download is in the log with its documents");
}

#[test]
fn a_bundle_is_a_month_of_days() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let list = served.json("/bundle/np4-190-cd");
    let newest = &list["bundles"][0];
    assert_eq!(newest["friendlyName"], "NP4-190-CD_202606");
    let id = newest["docId"].as_i64().unwrap();
    assert!(id < 0);
    let days = served.api(&format!("/bundle/np4-190-cd?download={id}")).unwrap().files();
    assert_eq!(days.len(), 30);
    let files = unpacked(&unpacked(&days[0].1).unwrap()[0].1).unwrap();
    assert!(
        files[0].1.starts_with(b"DeliveryDate"),
        "a CSV file in a zip file in a day in a month"
    );
}
