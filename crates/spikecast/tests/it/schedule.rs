//! `spikecast schedule`: what is previewed, kept, changed and refused.

use serde_json::{Value, json};

use crate::program::Program;

/// Previews; returns standard output and error.
fn preview(when: &str, flags: &[&str]) -> (String, String) {
    let arguments = [&["schedule", "preview", when][..], flags].concat();
    Program::new().run(&arguments, 0)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn a_preview_in_json_is_a_list_of_instants_local_times_and_notes() {
    let flags = ["--tz", "America/Chicago", "--from", "2026-03-07T00:00", "--count", "3", "--json"];
    let (out, err) = preview("30 2 * * *", &flags);
    let expected = json!([
        { "utc": "2026-03-07T08:30:00Z", "local": "2026-03-07T02:30:00-06:00", "note": null },
        {
            "utc": "2026-03-08T08:00:00Z",
            "local": "2026-03-08T03:00:00-05:00",
            "note": "02:30 does not exist: fires when the gap is over",
        },
        { "utc": "2026-03-09T07:30:00Z", "local": "2026-03-09T02:30:00-05:00", "note": null },
    ]);
    assert_eq!(json_of(&out), expected);
    let warning = "warning: 02:30 does not exist in America/Chicago on 2026-03-08: fires at 03:00";
    assert!(err.contains(warning), "{err}");
}

#[test]
fn firings_come_strictly_after_the_beginning_which_is_local_or_an_instant() {
    let first = |from: &str| {
        let (out, _) = preview("0 1 * * *", &["--from", from, "--count", "1", "--json"]);
        json_of(&out)[0]["utc"].as_str().unwrap().to_owned()
    };
    assert_eq!(first("2026-11-01T01:00"), "2026-11-02T07:00:00Z");
    assert_eq!(first("2026-11-01T00:59:59"), "2026-11-01T06:00:00Z");
    assert_eq!(first("2026-11-01T05:59:59Z"), "2026-11-01T06:00:00Z");
    assert_eq!(first("2026-11-01T01:00-06:00"), "2026-11-02T07:00:00Z");
}

#[test]
fn a_preview_for_people_marks_the_days_of_change_and_warns() {
    let flags = ["--from", "2026-10-31T12:00", "--count", "2"];
    let (out, err) = preview("0 1 */2 * *", &flags);
    assert_eq!(
        out,
        "0 1 */2 * *, America/Chicago, after Sat 2026-10-31 12:00 CDT\n\
         2026-11-01T06:00:00Z  Sun 2026-11-01 01:00 CDT    first of two such times\n\
         2026-11-03T07:00:00Z  Tue 2026-11-03 01:00 CST\n"
    );
    assert!(err.contains("use `every 2 days at 01:00 from 2026-11-01`"), "{err}");
    let (out, _) = preview("once at 2026-11-01T01:30", &flags);
    assert!(out.ends_with("It does not fire again after that.\n"), "{out}");
    let (out, err) = preview("0 0 30 2 *", &["--json"]);
    assert_eq!((json_of(&out), err.contains("warning: never fires")), (json!([]), true));
}

#[test]
fn the_fault_in_an_expression_has_a_caret_under_it() {
    let check = |when: &str, expected: &str| {
        let (_, err) = Program::new().run(&["schedule", "preview", when], 2);
        assert_eq!(err, expected);
    };
    check(
        "0 25 * * *",
        "error: cron \"0 25 * * *\", field hour, character 3: expected 0-23, found 25\n  \
         0 25 * * *\n    ^\n",
    );
    check(
        "every 2 dais at 01:00",
        "error: schedule \"every 2 dais at 01:00\", character 9: expected minutes, hours, days, \
         weeks or months, found dais\n  every 2 dais at 01:00\n          ^\n",
    );
}

#[test]
fn the_daily_operations_are_there_without_any_file() {
    let program = Program::new();
    let (out, _) = program.run(&["schedule", "list", "--json"], 0);
    let list = json_of(&out);
    let shown: Vec<(&str, &str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!(one["time_zone"], "America/Chicago");
            assert!(one["next"]["utc"].is_string());
            let text = |key: &str| one[key].as_str().unwrap();
            (text("name"), text("pipeline"), text("when"))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("backtest", "backtest", "0 2 * * SUN"),
            ("fetch", "fetch", "0 0 * * *"),
            ("forecast", "forecast", "0 6 * * *"),
            ("refresh", "forecast", "30 9 * * *"),
            ("score", "score", "0 7 * * *"),
            ("train", "train", "every 2 days at 01:00 from 2026-01-27"),
        ]
    );
    let (out, _) = program.run(&["schedule", "list"], 0);
    assert!(out.lines().all(|line| line.starts_with("warning") || line.chars().count() <= 100));
    assert!(!program.path("data/schedules.json").exists());
}

#[test]
fn a_change_is_kept_and_told_with_the_next_firing() {
    let program = Program::new();
    let next_of = |name: &str| {
        let (out, _) = program.run(&["schedule", "list", "--json"], 0);
        let list = json_of(&out);
        let found = list.as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
        found.map(|one| (one["when"].clone(), one["paused"].clone(), one["next"].clone()))
    };
    let add = ["schedule", "add", "mine", "0 6 1 1 *", "--pipeline", "forecast", "--tz", "UTC"];
    let (out, _) = program.run(&add, 0);
    assert!(out.starts_with("added mine; fires next ") && out.contains("-01-01 06:00"), "{out}");
    let (_, err) = program.run(&add, 2);
    assert!(err.contains("exists already; change it with --replace"), "{err}");
    let change = ["schedule", "add", "mine", "0 7 1 1 *", "--pipeline", "forecast", "--replace"];
    assert!(program.run(&change, 0).0.starts_with("changed mine"));
    assert_eq!(next_of("mine").unwrap().0, "0 7 1 1 *");
    assert_eq!(program.run(&["schedule", "pause", "mine"], 0).0, "paused mine\n");
    assert_eq!(next_of("mine").unwrap(), (json!("0 7 1 1 *"), json!(true), Value::Null));
    let (out, _) = program.run(&["schedule", "resume", "mine", "--skip-missed"], 0);
    assert!(out.starts_with("resumed mine; fires next "), "{out}");
    assert_eq!(program.run(&["schedule", "remove", "mine"], 0).0, "removed mine\n");
    assert_eq!(next_of("mine"), None);
    let (_, err) = program.run(&["schedule", "pause", "forcast"], 2);
    assert!(err.contains("did you mean forecast?"), "{err}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_kept() {
    let program = Program::new();
    let check = |flags: &[&str], expected: &str| {
        let add = ["schedule", "add", "mine", "@daily", "--pipeline", "forecast"];
        let (_, err) = program.run(&[&add[..], flags].concat(), 2);
        assert!(err.contains(expected), "{err}");
    };
    check(&["--tz", "America/Chikago"], "time zone \"America/Chikago\" is not known");
    check(&["--dst", "twice"], "expected run_once, skip or as_shown, found \"twice\"");
    check(&["--misfire", "run_all"], "expected run_once, skip or run_all:N");
    check(&["--overlap", "wait"], "expected queue, skip or cancel_previous");
    check(&["--priority", "urgent"], "expected low, medium, high or critical");
    check(&["--jitter", "2h"], "schedule mine has a jitter that is not between 0 and an hour");
    check(&["--grace=-1m"], "schedule mine has a negative grace");
    let wrong = ["schedule", "add", "my own", "@daily", "--pipeline", "forcast"];
    let (_, err) = program.run(&wrong, 2);
    assert!(err.contains("letters, digits, hyphens"), "{err}");
    assert!(!program.path("data/schedules.json").exists());
}

#[test]
fn what_cannot_be_run_now_names_the_command_that_can() {
    let program = Program::new();
    let check = |name: &str, expected: &str| {
        let (_, err) = program.run(&["schedule", "run-now", name], 2);
        assert!(err.contains(expected), "{err}");
    };
    check("backtest", "use `spikecast backtest`");
    check("fetch", "use `spikecast fetch`");
    check("score", "no command runs it by hand");
    check("scores", "did you mean score?");
}
