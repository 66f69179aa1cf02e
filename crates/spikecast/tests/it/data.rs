//! `spikecast data`: what is archived can be seen, as it is and as it was known.

use std::fs;

use serde_json::Value;

use crate::program::{Program, small_run};

/// A data directory with the archive of one small run.
fn archived() -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 40\n").unwrap();
    program.output(&small_run("2026-03-09T09:30"));
    program
}

const SPRING: [&str; 8] =
    ["--series", "rt_lmp", "--place", "HB_HOUSTON", "--from", "2026-03-08", "--to", "2026-03-08"];

fn observations(shown: &Value) -> &Vec<Value> {
    shown[0]["observations"].as_array().unwrap()
}

#[test]
fn what_is_archived_is_shown_as_it_is_and_as_it_was_known() {
    let program = archived();
    let show = [&["data", "show"][..], &SPRING].concat();
    let shown = program.json(&show);
    assert_eq!(shown[0]["unit"], "$/MWh");
    // The day has 23 hours; some SCED runs are doubled, or left out.
    let runs = observations(&shown).len();
    assert!((270..=288).contains(&runs), "{runs} prices");
    let known = program.json(&[&show[..], &["--known-at", "2026-03-08T12:00"]].concat());
    let seen = observations(&known).len();
    assert!((125..=140).contains(&seen), "{seen} prices by noon");
    let (text, _) = program.run(&show, 0);
    assert!(text.contains("Real-time LMP, 5 minutes, HB_HOUSTON, $/MWh"), "{text}");
    assert!(text.contains(&format!("2026-03-08       {runs}")), "{text}");
}

#[test]
fn pictures_are_what_their_names_say() {
    let program = archived();
    let plot = [&["data", "plot"][..], &SPRING, &["--out"]].concat();
    program.run(&[&plot[..], &["day.png"]].concat(), 0);
    program.run(&[&plot[..], &["day.svg"]].concat(), 0);
    assert!(fs::read(program.path("day.png")).unwrap().starts_with(b"\x89PNG"));
    let svg = fs::read_to_string(program.path("day.svg")).unwrap();
    assert!(svg.contains("HB_HOUSTON") && svg.contains("06:00"), "{svg}");
    let (_, error) = program.run(&[&plot[..], &["day.gif"]].concat(), 2);
    assert!(error.contains("ends in .png or .svg"), "{error}");
}

#[test]
fn archived_days_are_judged_and_what_fails_is_told_in_words() {
    let program = archived();
    let judged = program.json(&[
        "data",
        "status",
        "--days",
        "3",
        "--series",
        "rt_lmp",
        "--place",
        "HB_HOUSTON",
    ]);
    let days: Vec<&str> =
        judged["days"].as_array().unwrap().iter().map(|day| day["day"].as_str().unwrap()).collect();
    // The whole days before the newest price.
    assert_eq!(days, ["2026-03-06", "2026-03-07", "2026-03-08"]);
    for check in ["coverage", "gaps", "range", "staleness", "drift"] {
        assert_eq!(judged["days"][2]["checks"][check]["verdict"], "passed", "{check}");
    }
    // What a forecast reads is judged by default; here for a point of which there is nothing.
    let (text, _) = program.run(&["data", "status"], 0);
    assert!(text.contains("rt_lmp") && text.contains("no check failed"), "{text}");
    assert!(text.contains("nothing archived of rt_lmp at"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    // The archive ends on the morning of the 9th, so of a range up to the 10th days are missing.
    let range = [
        "--series",
        "rt_lmp",
        "--place",
        "HB_HOUSTON",
        "--from",
        "2026-03-08",
        "--to",
        "2026-03-10",
    ];
    let (text, _) = program.run(&[&["data", "status"][..], &range, &["--failing"]].concat(), 4);
    assert!(text.contains("2026-03-10  rt_lmp at HB_HOUSTON"), "{text}");
    assert!(text.contains("0.0 % of the due intervals are known, not 95 %"), "{text}");
    assert!(!text.contains("2026-03-08  rt_lmp"), "{text}");
    let absent = ["--series", "rt_lmp", "--place", "HB_WEST"];
    let (_, error) = program.run(&[&["data", "status"][..], &absent].concat(), 4);
    assert!(error.contains("nothing of what is asked for is archived at"), "{error}");
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let program = archived();
    let show = |more: &[&'static str]| [&["data", "show"][..], more].concat();
    let days = ["--from", "2026-03-08", "--to", "2026-03-08"];
    let (_, error) = program.run(&show(&[&["--series", "rt_lpm"][..], &days].concat()), 2);
    assert!(error.contains("did you mean \"rt_lmp\"?"), "{error}");
    let other = ["--series", "rt_lmp", "--place", "HB_WEST"];
    let (_, error) = program.run(&show(&[&other[..], &days].concat()), 4);
    assert!(error.contains("has nothing of rt_lmp at HB_WEST between"), "{error}");
}
