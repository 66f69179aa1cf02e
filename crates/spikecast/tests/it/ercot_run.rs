//! `spikecast run --source ercot` against the simulated ERCOT over HTTP: the run brings the archive
//! up itself, and forecasts from what is archived when ERCOT cannot be reached.

use serde_json::{Value, json};

use crate::fetch::Served;
use crate::program::{Program, SMALL};

fn run(program: &Program, issue_time: &str, exit_code: i32) -> Value {
    let arguments = [&["run", "--issue-time", issue_time, "--json"][..], &SMALL].concat();
    serde_json::from_str(&program.run(&arguments, exit_code).0).expect("JSON")
}

fn reasons(told: &Value) -> Vec<&str> {
    told["degraded"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap()).collect()
}

fn prices(program: &Program, known_at: &str) -> Value {
    let of = ["--series", "rt_lmp", "--place", "HB_HOUSTON"];
    let span = ["--from", "2026-03-09", "--to", "2026-03-09"];
    program.json(&[&["data", "show"][..], &of, &span, &["--known-at", known_at]].concat())
}

#[test]
fn a_run_fetches_what_the_archive_lacks_and_does_without_ercot_when_it_must() {
    let served = Served::with_faults("");
    let program = &served.program;
    let first = run(program, "2026-03-10T06:00", 6);
    // A week of history is too little to train on; nothing else is wrong.
    let [reason] = reasons(&first)[..] else { panic!("{first}") };
    assert!(reason.starts_with("train: recovered by use_climatology"), "{reason}");
    let known = prices(program, "2026-03-10T06:00");
    assert!(280 < known[0]["observations"].as_array().unwrap().len(), "{known}");
    // The next run asks only for what came since.
    run(program, "2026-03-10T07:00", 6);
    served.configure("http://127.0.0.1:9", "simulated");
    let without = run(program, "2026-03-10T08:00", 6);
    let refused = reasons(&without).into_iter().filter(|it| it.contains("127.0.0.1")).count();
    assert!((1..5).contains(&refused), "what fails alike is told once: {without}");
    assert_eq!(without["hours"], json!(72));
    assert_eq!(prices(program, "2026-03-10T06:00"), known);
}

#[test]
fn what_the_usual_route_lacks_comes_from_another_before_the_forecast() {
    let served = Served::with_faults(
        "[[rule]]\nfault = \"empty\"\nroute = \"rows\"\nreport = \"NP4-190-CD\"\n",
    );
    let repaired = run(&served.program, "2026-03-10T06:00", 6);
    assert_eq!(reasons(&repaired).len(), 1, "only the training is: {repaired}");
    let shown = served.program.json(&["runs", "show", repaired["run"].as_str().unwrap()]);
    let stages = shown["stages"].as_array().unwrap().iter();
    let check = stages.into_iter().find(|stage| stage["stage"] == "check").unwrap();
    assert_eq!(check["attempts"].as_array().unwrap().len(), 2, "{check}");
    let known = prices(&served.program, "2026-03-10T06:00");
    assert!(280 < known[0]["observations"].as_array().unwrap().len(), "{known}");
}

#[test]
fn a_forecast_is_not_degraded_by_a_server_that_keeps_back_what_it_can_do_without() {
    let rule =
        |report: &str| format!("[[rule]]\nfault = \"server_error\"\nreport = \"{report}\"\n");
    let served = Served::with_faults(&(rule("NP3-233-CD") + &rule("NP3-763-CD")));
    let told = run(&served.program, "2026-03-10T06:00", 6);
    let [reason] = reasons(&told)[..] else { panic!("{told}") };
    assert!(reason.starts_with("train: recovered by use_climatology"), "{reason}");
}
