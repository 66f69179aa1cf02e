//! Weeks of daily operations in virtual time, as the command shows them.

use crate::program::Program;

/// Four seeds of three months: a year in all.
const SEEDS: [&str; 4] = ["1", "2", "3", "4"];

#[test]
fn every_morning_has_its_forecast_whatever_breaks_and_every_firing_its_run() {
    let program = Program::new();
    for seed in SEEDS {
        let arguments =
            ["simulate-operations", "--days", "91", "--faults", "heavy", "--seed", seed];
        let account = program.json(&arguments);
        assert_eq!(account["days"], 91);
        assert_eq!(account["in_time"], 91, "{account:#}");
        for nothing in ["lost", "duplicates", "missed_alarms", "late_days", "untold"] {
            assert_eq!(
                account[nothing].as_array().map(Vec::len),
                Some(0),
                "{nothing}: {account:#}"
            );
        }
        let deaths = account["deaths"].as_u64().unwrap();
        assert!(5 < deaths, "{account:#}");
        assert!(account["by_rung"]["fresh"].as_u64().unwrap() < 91, "{account:#}");
    }
}

#[test]
fn without_faults_nothing_is_degraded_and_nobody_is_alarmed() {
    let program = Program::new();
    let arguments = ["simulate-operations", "--days", "60", "--faults", "none"];
    let account = program.json(&arguments);
    assert_eq!(account["by_rung"]["fresh"], 60, "{account:#}");
    assert_eq!(account["alarms"], 0, "{account:#}");
    assert_eq!(account["failed_runs"].as_object().map(serde_json::Map::len), Some(0));
}

#[test]
fn the_days_around_clock_changes_have_their_forecasts() {
    let program = Program::new();
    for first_day in ["2026-03-06", "2026-10-30", "2027-12-29", "2028-02-27"] {
        let arguments = ["simulate-operations", "--days", "6", "--first-day", first_day];
        let account = program.json(&[&arguments[..], &["--faults", "none"]].concat());
        assert_eq!(account["in_time"], 6, "{first_day}: {account:#}");
        assert_eq!(account["lost"].as_array().map(Vec::len), Some(0), "{account:#}");
    }
}
