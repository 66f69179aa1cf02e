//! Several backtests of one file: each as if it had been asked for alone, then all of them compared.

use std::fs;

use serde_json::{Value, json};

use crate::program::Program;

const CONFIGURATION: &str =
    "simulator_history_days = 130\nthresholds = [50, 100]\nsettlement_points = [\"HB_HOUSTON\"]\n";

const SCENARIOS: &str = r#"
[defaults]
from = 2026-07-13
to = 2026-07-16
retrain_every = "7d"

[[scenario]]
name = "every-day"

[[scenario]]
name = "every-third"
stride = 3
models = ["climatology", "persistence"]
"#;

const ARGUMENTS: [&str; 5] = ["backtest", "--scenarios", "scenarios.toml", "--out", "out"];

fn program(scenarios: &str) -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), CONFIGURATION).unwrap();
    fs::write(program.path("scenarios.toml"), scenarios).unwrap();
    program
}

fn read(program: &Program, name: &str) -> String {
    fs::read_to_string(program.path(name)).unwrap()
}

#[test]
fn scenarios_are_backtests_of_their_own_and_stand_side_by_side() {
    let program = program(SCENARIOS);
    let done = program.json(&ARGUMENTS);
    assert_eq!(done["scenarios"], json!(["every-day", "every-third"]));
    assert_eq!(done["same_hours"], false);
    let comparison: Value = serde_json::from_str(&read(&program, "out/comparison.json")).unwrap();
    let scores = comparison["scores"].as_array().unwrap();
    let of = |scenario: &str| scores.iter().filter(|row| row["scenario"] == scenario).count();
    assert!(4 * 2 <= of("every-day"), "two thresholds of all models: {comparison:#}");
    assert_eq!(of("every-third"), 2 * 2);
    // Three days of 24 hours each for issue days 13 and 16 July.
    let third = scores.iter().find(|row| row["scenario"] == "every-third").unwrap();
    assert_eq!(third["hours"], 2 * 72);
    let html = read(&program, "out/comparison.html");
    assert!(html.contains("every-third/report.html") && html.contains("every 3 days"));
    assert!(!html.contains("src=\"http") && !html.contains("href=\"http"), "it works offline");

    // Done alone it comes out the same.
    let alone = ["--from", "2026-07-13", "--to", "2026-07-16", "--retrain-every", "7d"];
    program.run(&[&["backtest", "--out", "alone"][..], &alone].concat(), 0);
    let scores = |folder: &str| read(&program, &format!("{folder}/scores.json"));
    assert_eq!(scores("alone"), scores("out/every-day"));

    // What is done is not done again; what is added, is.
    let added = format!("{SCENARIOS}\n[[scenario]]\nname = \"one-day\"\nto = 2026-07-13\n");
    fs::write(program.path("scenarios.toml"), added).unwrap();
    let (out, err) = program.run(&ARGUMENTS, 0);
    assert_eq!(err.matches("this backtest is complete").count(), 2, "{err}");
    assert!(out.contains("one-day") && out.contains("log-loss skill"), "{out}");
    assert!(err.contains("not scored on the same hours"), "{err}");
    // Other settings are another backtest.
    fs::write(program.path("scenarios.toml"), SCENARIOS.replace("stride = 3", "stride = 2"))
        .unwrap();
    let (_, message) = program.run(&ARGUMENTS, 2);
    assert!(message.contains("scenario every-third: ") && message.contains("holds another"));
}

#[test]
fn what_is_wrong_with_a_file_of_scenarios_is_named_before_anything_is_done() {
    let check = |scenarios: &str, expected: &str| {
        let program = program(scenarios);
        let (_, message) = program.run(&ARGUMENTS, 2);
        assert!(message.contains(expected), "{message}");
        assert!(!program.path("out").exists(), "nothing was begun");
    };
    check("", "scenarios scenarios.toml: there is no scenario");
    let line = "scenarios.toml: line 12: unknown field \"strides\", did you mean \"stride\"?";
    check(&SCENARIOS.replace("stride =", "strides ="), line);
    let future = SCENARIOS.replace("to = 2026-07-16", "to = 2099-01-01");
    check(&future, "scenario every-day: --to 2099-01-01 lies in the future");
    let program = program(SCENARIOS);
    let both = [&ARGUMENTS[..], &["--from", "2026-07-13"]].concat();
    assert!(program.run(&both, 2).1.contains("cannot be used with"));
    assert!(program.run(&["backtest", "--out", "out"], 2).1.contains("--from"));
    let missing = ["backtest", "--scenarios", "nothing.toml", "--out", "out"];
    assert!(program.run(&missing, 2).1.contains("nothing.toml: cannot be read"));
}
