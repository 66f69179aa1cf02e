//! `spikecast fetch` against the simulated ERCOT over HTTP: what arrives is what was simulated,
//! whatever the server does on the way, or the list of what is missing says so.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::program::Program;

/// A served world whose time stands still in spring 2026, after the day with 23 hours.
pub(crate) struct Served {
    pub(crate) program: Program,
    server: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.kill().expect("a child can be killed");
        self.server.wait().expect("a child can be waited for");
    }
}

const SPAN: [&str; 4] = ["--from", "2026-03-08", "--to", "2026-03-08"];
const SERIES: [&str; 4] =
    ["--series", "rt_lmp,dam_spp,load_actual,load_forecast", "--place", "HB_NORTH"];
const SECRETS: [&str; 2] = ["simulated-subscription-key", "a-secret-password"];

impl Served {
    pub(crate) fn with_faults(faults: &str) -> Self {
        let program = Program::new();
        fs::write(program.path("faults.toml"), faults).unwrap();
        let arguments = ["simulate", "serve", "--clock", "2026-03-10T09:30", "--no-limits"];
        let mut server = program
            .command(&[&arguments[..], &["--faults", "faults.toml", "--json"]].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let out = server.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("the first line");
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let served = Self { program, server };
        served.configure(told["url"].as_str().unwrap(), told["password"].as_str().unwrap());
        served
    }

    pub(crate) fn configure(&self, url: &str, password: &str) {
        let settings = format!(
            "source = \"ercot\"\nercot_url = \"{url}\"\nercot_username = \"desk@example.com\"\n\
             ercot_password = \"{password}\"\nercot_subscription_key = \"{}\"\n\
             ercot_requests_per_minute = 100000\nfetch_retry_delay = \"2ms\"\n",
            SECRETS[0]
        );
        fs::write(self.program.path("spikecast.toml"), settings).unwrap();
    }

    fn fetch(&self, exit_code: i32) -> Value {
        let fetch = [&["fetch"][..], &SERIES, &SPAN, &["--json"]].concat();
        let (out, error) = self.program.run(&fetch, exit_code);
        for secret in SECRETS {
            assert!(!out.contains(secret) && !error.contains(secret), "{out}{error}");
        }
        serde_json::from_str(&out).expect("JSON on standard output")
    }

    /// Checks that the archive holds what the simulator says itself, to the cent or the hundredth
    /// of a megawatt, with the same times of publication.
    fn holds_the_truth(&self) {
        let truth = Program::new();
        let span = |command: &[&'static str]| [command, &SERIES, &SPAN].concat();
        truth.run(&span(&["fetch", "--source", "simulator"]), 0);
        let expected = truth.json(&span(&["data", "show", "--source", "simulator"]));
        let found = self.program.json(&span(&["data", "show"]));
        let rounded = |shown: &Value, index: usize| -> Vec<(String, String, i64)> {
            let observations = shown[index]["observations"].as_array().unwrap().iter();
            let cents = |value: &Value| (100.0 * value.as_f64().unwrap()).round();
            #[expect(clippy::cast_possible_truncation, reason = "prices and powers are small")]
            observations
                .map(|it| {
                    let text = |key: &str| it[key].as_str().unwrap().to_owned();
                    (text("interval_start"), text("published_at"), cents(&it["value"]) as i64)
                })
                .collect()
        };
        // Prices and load; of forecasts the archive keeps what every posting says.
        for index in 0..3 {
            let expected = rounded(&expected, index);
            assert!(20 < expected.len(), "{expected:?}");
            assert_eq!(rounded(&found, index), expected);
        }
        assert!(found[3]["observations"].as_array().unwrap().len() == 23);
    }
}

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
