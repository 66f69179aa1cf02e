//! The main job as a user runs it: what it writes, around the clock changes, and again.

use std::fs;
use std::path::Path;

use spikecast::ledger::read_forecast;

use crate::program::{Program, real_data, small_run};

fn small() -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 220\n").unwrap();
    program
}

#[test]
fn a_first_run_trains_and_publishes_and_the_next_one_keeps_the_model() {
    let program = small();
    let first = program.json(&small_run("2026-07-14T09:30"));
    assert_eq!(first["rows"], 72 * 2);
    assert_eq!(first["first_target"], "2026-07-15 00:00 CDT");
    assert_eq!((&first["trained"], &first["degraded"]), (&true.into(), &serde_json::json!([])));
    let page = fs::read_to_string(first["report"].as_str().unwrap()).unwrap();
    assert!(page.contains("HB_HOUSTON") && page.contains("$100"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "it works offline");

    let next = program.json(&small_run("2026-07-15T09:30"));
    assert_eq!(next["trained"], false);
    assert_eq!(next["model_version"], first["model_version"]);
    let third = program.json(&small_run("2026-07-16T09:30"));
    assert_eq!(third["trained"], true);

    let runs = program.json(&["runs", "list"]);
    let names: Vec<&str> =
        runs.as_array().unwrap().iter().map(|r| r["run"].as_str().unwrap()).collect();
    assert_eq!(names, ["r000003", "r000002", "r000001"]);
    let shown = program.json(&["runs", "show", "r000001"]);
    assert_eq!(shown["stages"].as_array().unwrap().len(), 6);
    assert!(
        !program.path("data").join("work").join("r000001").exists(),
        "intermediate files are cleaned up"
    );
}

#[test]
fn probabilities_are_ordered_and_days_around_a_clock_change_have_their_hours() {
    let program = small();
    for (issue_time, hours) in [("2026-03-07T09:57", 71), ("2026-10-31T09:57", 73)] {
        let run = program.json(&small_run(issue_time));
        assert_eq!((&run["hours"], &run["rows"]), (&hours.into(), &(2 * hours).into()));
        let rows = read_forecast(Path::new(run["forecast"].as_str().unwrap())).unwrap();
        for pair in rows.chunks_exact(2) {
            let [low, high] = [&pair[0].prediction, &pair[1].prediction];
            assert!(high.probability <= low.probability);
            assert!(high.lower <= high.probability && high.probability <= high.upper);
        }
        let repeated = rows.iter().filter(|row| row.target.hour.repeated).count();
        assert_eq!(repeated, if hours == 73 { 2 } else { 0 });
    }
}

#[test]
fn real_data_gives_72_hours_from_midnight_central() {
    let Some(data) = real_data() else { return };
    let program = Program::new();
    let path = data.to_str().unwrap();
    let arguments = ["run", "--source", "files", "--path", path, "--issue-time"];
    let run = program.json(&[&arguments[..], &["2024-08-19T09:57"]].concat());
    assert_eq!((&run["rows"], &run["hours"]), (&(72 * 5).into(), &72.into()));
    assert_eq!(run["first_target"], "2024-08-20 00:00 CDT");
    assert_eq!(run["settlement_points"], serde_json::json!(["HB_HUBAVG"]));
}

#[test]
fn an_issued_forecast_is_exported_with_the_columns_of_the_design() {
    let program = small();
    program.json(&small_run("2026-07-14T09:30"));
    let out = program.path("out.csv");
    program.run(&["forecast", "export", "--format", "csv", "--out", out.to_str().unwrap()], 0);
    let text = fs::read_to_string(out).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some(
            "issue_time,target_start,operating_day,hour_ending,repeated_hour,lead_day,settlement_point,threshold,probability,lower,upper,price_basis,model_version,quality"
        )
    );
    let first = lines.next().unwrap();
    let start = "2026-07-14T14:30:00Z,2026-07-15T05:00:00Z,2026-07-15,1,false,1,HB_HOUSTON,50.0,0.";
    assert!(first.starts_with(start) && first.ends_with(",fresh"), "{first}");
    assert_eq!(lines.count() + 1, 72 * 2);

    let (json, _) = program.run(&["forecast", "export", "--format", "json"], 0);
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 72 * 2);
    let out = program.path("out.parquet");
    program.run(
        &[
            "forecast",
            "export",
            "--format",
            "parquet",
            "--out",
            out.to_str().unwrap(),
            "--issue-time",
            "2026-07-14T09:30",
        ],
        0,
    );
    assert!(out.is_file());
    let to = |out: &str, exit_code: i32| {
        program.run(&["forecast", "export", "--format", "csv", "--out", out], exit_code).1
    };
    assert!(to("/dev/null", 2).contains("is not a file"));
    assert!(to("nowhere/out.csv", 7).contains("no such folder"));
    let (_, err) = program.run(&["forecast", "show", "--issue-time", "2026-07-13T09:30"], 2);
    assert!(err.contains("the latest are of 2026-07-14 09:30 CDT"), "{err}");
}

#[test]
fn a_history_too_short_to_learn_from_gives_a_degraded_climatology_and_says_so() {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 80\n").unwrap();
    let arguments = [&small_run("2026-07-14T09:30")[..], &["--json"]].concat();
    let (out, _) = program.run(&arguments, 6);
    let run: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(run["model_version"], "climatology");
    assert_eq!(run["rows"], 72 * 2);
    let (out, _) = program.run(&["forecast", "show"], 0);
    assert!(
        out.contains(
            "degraded: train: recovered by use_climatology after bad data: training needs at least"
        ),
        "{out}"
    );
}
