//! `spikecast fetch` against the simulated ERCOT over HTTP: what arrives is what was simulated,
//! whatever the server does on the way, or the list of what is missing says so.

mod faults;
mod killing;
mod mis;
mod served;
mod waiting;

use std::fs;

use serde_json::json;

use served::SECRETS;
pub(crate) use served::Served;

#[test]
fn what_is_fetched_over_http_is_what_was_simulated() {
    let served = Served::with_faults("");
    let outcome = served.fetch(0);
    assert_eq!(outcome["gaps"], json!([]));
    served.holds_the_truth();
    // The same again brings nothing new.
    assert_eq!(served.fetch(0)["observations"], 0);
}

#[test]
fn faults_on_the_way_change_nothing_of_what_arrives() {
    // Not the two refusals that want a minute's or an hour's wait.
    for fault in ["server_error", "bad_request", "reset", "html"] {
        let rule = |route: &str| {
            format!("[[rule]]\nfault = \"{fault}\"\nroute = \"{route}\"\nnth = [1, 3]\n")
        };
        let served = Served::with_faults(&(rule("rows") + &rule("archive_download")));
        let outcome = served.fetch(0);
        assert_eq!(outcome["gaps"], json!([]), "{fault}");
        served.holds_the_truth();
    }
    // A token may expire when it has been good, which it was for the list.
    for fault in ["truncated_zip", "corrupted_zip", "expired_token"] {
        let served = Served::with_faults(&format!(
            "[[rule]]\nfault = \"{fault}\"\nroute = \"archive_download\"\nnth = [1, 3]\n"
        ));
        assert_eq!(served.fetch(0)["gaps"], json!([]), "{fault}");
        served.holds_the_truth();
    }
}

#[test]
fn rows_that_are_empty_come_from_the_archive_instead() {
    let served = Served::with_faults(
        "[[rule]]\nfault = \"empty\"\nroute = \"rows\"\nreport = \"NP4-190-CD\"\n",
    );
    assert_eq!(served.fetch(0)["gaps"], json!([]));
    served.holds_the_truth();
}

#[test]
fn what_cannot_be_had_is_named() {
    let served = Served::with_faults(
        "[[rule]]\nfault = \"empty\"\nroute = \"rows\"\nreport = \"NP4-190-CD\"\n\n\
         [[rule]]\nfault = \"missing\"\nreport = \"NP4-190-CD\"\n",
    );
    let gaps = &served.fetch(4)["gaps"];
    let expected = json!([{
        "key": { "series": "dam_spp", "place": "HB_NORTH" },
        "from": "2026-03-08T06:00:00Z",
        "to": "2026-03-09T05:00:00Z",
        "intervals": 23,
    }]);
    assert_eq!(*gaps, expected);
}

#[test]
fn who_is_not_let_in_or_finds_nobody_is_told_what_to_do() {
    let served = Served::with_faults("");
    let url = fs::read_to_string(served.program.path("spikecast.toml")).unwrap();
    let url = url.lines().find_map(|line| line.strip_prefix("ercot_url = ")).unwrap().to_owned();
    served.configure(url.trim_matches('"'), SECRETS[1]);
    let failures = served.fetch(4)["failures"].to_string();
    assert!(failures.contains("password"), "{failures}");
    let served = Served::with_faults("");
    served.configure("http://127.0.0.1:9", "simulated");
    let failures = served.fetch(4)["failures"].to_string();
    assert!(failures.contains("127.0.0.1"), "{failures}");
}
