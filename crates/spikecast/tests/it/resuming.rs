//! Kill it anywhere: the same command continues, repeats nothing that was finished, and ends with
//! the same bytes as if nothing had happened.

use std::fs;
use std::path::Path;

use crate::program::{Program, SMALL, small_run};

const CONFIGURATION: &str = "simulator_history_days = 220\n";
const ISSUE_TIME: &str = "2026-07-14T09:30";

fn program() -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), CONFIGURATION).unwrap();
    program
}

fn bytes(path: &serde_json::Value) -> Vec<u8> {
    fs::read(Path::new(path.as_str().unwrap())).unwrap()
}

#[test]
fn a_run_that_is_killed_in_every_stage_ends_like_an_undisturbed_one() {
    let undisturbed = program().json_in_place();
    let program = program();
    let arguments = small_run(ISSUE_TIME);
    let mut kills = 0;
    for stage in ["starting", "fetch ", "validate ", "features ", "train ", "infer "] {
        kills += usize::from(program.kill_at(&arguments, stage));
    }
    assert!(3 <= kills, "only {kills} kills hit the run");
    let run = program.json(&arguments);
    assert_eq!(run["run"], "r000001", "it is one and the same run");
    assert_eq!(bytes(&run["forecast"]), undisturbed);
    let shown = program.json(&["runs", "show", "r000001"]);
    for stage in shown["stages"].as_array().unwrap() {
        let outcomes: Vec<&str> = stage["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attempt| attempt["outcome"].as_str().unwrap())
            .collect();
        assert_eq!(outcomes.iter().filter(|o| **o == "completed").count(), 1, "{stage}");
        assert_eq!(outcomes.last(), Some(&"completed"), "{stage}");
    }
}

impl Program {
    /// Runs undisturbed and returns the forecast's bytes.
    fn json_in_place(self) -> Vec<u8> {
        bytes(&self.json(&small_run(ISSUE_TIME))["forecast"])
    }
}

fn backtest(out: &str) -> Vec<&str> {
    let days = ["backtest", "--from", "2026-07-01", "--to", "2026-07-10", "--out", out];
    [&days[..], &SMALL].concat()
}

#[test]
fn a_backtest_that_is_killed_continues_and_ends_like_an_undisturbed_one() {
    let program = program();
    program.run(&backtest("undisturbed"), 0);
    assert!(program.kill_at(&backtest("killed"), "1 of 5 windows"), "the kill came too late");
    assert!(!program.path("killed/forecasts.parquet").exists());
    let (_, err) = program.run(&backtest("killed"), 0);
    assert!(err.contains("continuing backtest: ") && !err.contains(": 0 of 5"), "{err}");
    for file in ["forecasts.parquet", "scores.json", "report.html"] {
        let of = |folder: &str| fs::read(program.path(folder).join(file)).unwrap();
        assert_eq!(of("undisturbed"), of("killed"), "{file}");
    }
    let (_, err) = program.run(&backtest("killed"), 0);
    assert!(err.contains("this backtest is complete"), "{err}");
    let other = [&backtest("killed")[..], &["--retrain-every", "5d"]].concat();
    let (_, err) = program.run(&other, 2);
    assert!(err.contains("holds another backtest"), "{err}");
}

#[test]
fn a_backtest_issues_every_day_also_at_a_time_that_the_clock_skips() {
    let program = program();
    let days = ["backtest", "--from", "2026-03-06", "--to", "2026-03-08", "--issue-time", "02:30"];
    program.run(&[&days[..], &["--out", "gap"], &SMALL].concat(), 0);
    let rows = spikecast::ledger::read_forecast(&program.path("gap/forecasts.parquet")).unwrap();
    let mut issued: Vec<String> = rows.iter().map(|row| row.issue_time.to_string()).collect();
    issued.dedup();
    assert_eq!(issued, ["2026-03-06T08:30:00Z", "2026-03-07T08:30:00Z", "2026-03-08T08:30:00Z"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_stops_a_backtest_where_the_same_command_continues() {
    let program = program();
    let mut child = program.command(&backtest("stopped")).spawn().unwrap();
    // The first window's file says that the backtest is at work.
    let windows = program.path("stopped/windows");
    while !windows.exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    program.run(&backtest("stopped"), 0);
}

#[test]
fn the_live_forecast_of_a_past_day_is_the_backtests_whatever_the_number_of_threads() {
    let program = program();
    let run = program.json(&small_run(ISSUE_TIME));
    let live =
        spikecast::ledger::read_forecast(Path::new(run["forecast"].as_str().unwrap())).unwrap();
    let days = ["backtest", "--from", "2026-07-14", "--to", "2026-07-14", "--issue-time", "09:30"];
    let arguments = [&days[..], &["--out", "one-day"], &SMALL].concat();
    let status = program.command(&arguments).env("RAYON_NUM_THREADS", "1").status().unwrap();
    assert!(status.success());
    let past =
        spikecast::ledger::read_forecast(&program.path("one-day/forecasts.parquet")).unwrap();
    assert_eq!(live.len(), past.len());
    for (live, past) in live.iter().zip(&past) {
        assert_eq!((live.target, live.prediction), (past.target, past.prediction));
    }
}
