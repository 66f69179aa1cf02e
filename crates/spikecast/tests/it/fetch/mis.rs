//! What is recent comes from the MIS, without an account. The served world has the real time here,
//! because the client has no other: the days are always those before today.

use jiff::SignedDuration;
use market::time::{OperatingDay, local};
use orchestration::{Clock, SystemClock};
use serde_json::{Value, json};

use super::served::{Served, Truth, Wish};
use crate::simulated_ercot;

fn served() -> Served {
    Served::of(simulated_ercot::Served::start(&["simulate", "serve", "--no-limits"]))
}

/// The day before yesterday, of which everything is posted.
fn day() -> OperatingDay {
    OperatingDay::of(SystemClock::new().now()).plus_days(-2)
}

fn truth() -> Truth {
    Truth { until: SystemClock::new().now(), published: |_, at| Some(at) }
}

fn daily() -> Wish {
    let time = |day: OperatingDay| format!("{day}T00:00");
    Wish::of("dam_spp,load_actual,load_forecast", &time(day()), &time(day().plus_days(1)))
}

/// Ten minutes of prices, in an hour that no clock change touches.
fn prices() -> Wish {
    Wish::of("rt_lmp", &format!("{}T10:00", day()), &format!("{}T10:10", day()))
}

#[test]
fn what_is_recent_comes_from_the_mis_without_an_account() {
    let served = served();
    let without_account = format!(
        "source = \"ercot\"\nercot_url = \"{}\"\nercot_requests_per_minute = 100000\n",
        served.url()
    );
    std::fs::write(served.program.path("spikecast.toml"), without_account).unwrap();
    for wish in [daily(), prices()] {
        assert_eq!(served.fetch_wish(&wish, 0)["gaps"], json!([]));
        served.holds(&wish, &truth());
    }
    let routes: Vec<Value> =
        served.server.requests().iter().map(|it| it["route"].clone()).collect();
    assert!(routes.iter().all(|it| it == "mis_list" || it == "mis_download"), "{routes:?}");
    assert_eq!(served.fetch_wish(&daily(), 0)["postings"], 0, "nothing is fetched twice");
}

#[test]
fn faults_of_the_mis_change_nothing_of_what_arrives() {
    let mut served = served();
    for fault in [
        "server_error",
        "bad_request",
        "reset",
        "html",
        "wrong_content_type",
        "truncated_zip",
        "corrupted_zip",
        "duplicated_rows",
    ] {
        let is_of_files = fault.ends_with("zip") || fault.ends_with("rows");
        let files = json!({ "fault": fault, "route": "mis_download", "nth": [1, 3] });
        let list = json!({ "fault": fault, "route": "mis_list", "nth": [1, 3] });
        served.now_goes_wrong(&if is_of_files { json!([files]) } else { json!([files, list]) });
        served.start_anew();
        let wish = daily();
        assert_eq!(served.fetch_wish(&wish, 0)["gaps"], json!([]), "{fault}");
        served.holds(&wish, &truth());
    }
}

#[test]
fn a_list_of_the_mis_that_is_empty_is_no_proof_that_there_is_nothing() {
    let served = served();
    served.now_goes_wrong(&json!([{ "fault": "empty", "route": "mis_list" }]));
    let wish = Wish { series: "dam_spp,load_actual", ..daily() };
    assert_eq!(served.fetch_wish(&wish, 0)["gaps"], json!([]));
    served.holds(&wish, &truth());
    assert!(!served.requests("rows").is_empty(), "the Public API has them");
}

#[test]
fn a_posting_that_the_mis_never_had_is_named() {
    let served = served();
    let hour = |time: &str| format!("{}T{time}", day());
    served.now_goes_wrong(&json!([{
        "fault": "missing", "report": "NP6-788-CD", "from": hour("10:00"), "until": hour("11:00"),
    }]));
    let wish = Wish::of("rt_lmp", &hour("09:55"), &hour("11:05"));
    let gaps = &served.fetch_wish(&wish, 4)["gaps"];
    // Posted from 10:00 to 10:55 are the runs of 09:55 to 10:50.
    assert_eq!((gaps.as_array().unwrap().len(), &gaps[0]["intervals"]), (1, &json!(12)), "{gaps}");
    let from: jiff::Timestamp = gaps[0]["from"].as_str().unwrap().parse().unwrap();
    assert_eq!(local(from).to_string(), format!("{}T09:55:00", day()));
    let to: jiff::Timestamp = gaps[0]["to"].as_str().unwrap().parse().unwrap();
    assert_eq!(to - from, SignedDuration::from_hours(1));
}
