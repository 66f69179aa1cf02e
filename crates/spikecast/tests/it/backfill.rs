//! `spikecast backfill`: past days side by side, none twice, each as `run` would have made it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::program::{Program, SMALL, small_run};

/// Four days, the first and the third of which train.
const SPAN: [&str; 9] = [
    "backfill",
    "--pipeline",
    "forecast",
    "--from",
    "2026-03-06",
    "--to",
    "2026-03-09",
    "--retrain-every",
    "2d",
];

fn program() -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), "simulator_history_days = 220\n").unwrap();
    program
}

fn span<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&SPAN[..], &SMALL, flags].concat()
}

/// The issue times in the ledger, one for each file.
fn issued(program: &Program) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(days) = fs::read_dir(program.path("data/ledger")) else { return found };
    for day in days {
        for file in fs::read_dir(day.unwrap().path()).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            found.push(name.split('-').next().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

fn days(document: &Value, state: &str) -> u64 {
    document["days"][state].as_u64().unwrap()
}

/// 06:00 in Texas: on 8 March clocks are set forward.
const MORNINGS: [&str; 4] =
    ["20260306T120000Z", "20260307T120000Z", "20260308T110000Z", "20260309T110000Z"];

#[test]
fn a_past_day_comes_out_as_it_would_have_then_and_nobodys_page_is_replaced() {
    let (program, then) = (program(), program());
    let done = program.json(&span(&[]));
    assert_eq!((days(&done, "completed"), days(&done, "pending")), (4, 0), "{done}");
    assert_eq!(issued(&program), MORNINGS);
    assert!(!program.path("data/report.html").exists());
    // The backfill had fetched what was published later, too. (How far a simulated history goes
    // back depends on the first day.)
    then.run(&small_run("2026-03-06T06:00"), 0);
    let export = |program: &Program| {
        let issue = ["forecast", "export", "--format", "csv", "--issue-time", "2026-03-06T06:00"];
        program.run(&issue, 0).0
    };
    // The same model spoke, under a label that says that it competes with nobody.
    let relabelled = export(&program).replace(",past+", ",1.0.0+");
    assert!(relabelled == export(&then), "they differ");
    // The same again is done already.
    let (out, err) = program.run(&span(&[]), 0);
    assert_eq!(out, "4 days: 4 completed\n");
    assert!(err.contains("to make them anew, remove"), "{err}");
    assert_eq!(issued(&program), MORNINGS);
}

#[test]
fn days_that_have_a_forecast_are_left_out_if_only_the_missing_are_asked_for() {
    let program = program();
    program.run(&small_run("2026-03-07T09:30"), 0);
    let other = ["run", "--issue-time", "2026-03-09T09:30", "--settlement-point", "HB_WEST"];
    program.run(&[&other[..], &["--thresholds", "50,100"]].concat(), 0);
    let done = program.json(&span(&["--missing-only"]));
    assert_eq!((days(&done, "completed"), days(&done, "present")), (3, 1), "{done}");
    let issued: BTreeSet<String> = issued(&program).into_iter().collect();
    assert!(!issued.contains(MORNINGS[1]) && issued.contains(MORNINGS[3]), "{issued:?}");
    // Whoever wants all days has the one that was left out done, too.
    let all = program.json(&span(&[]));
    assert_eq!((days(&all, "completed"), days(&all, "present")), (4, 0), "{all}");
}

#[test]
fn a_killed_backfill_goes_on_and_issues_no_day_twice() {
    let program = program();
    assert!(program.kill_at(&span(&["--jobs", "1"]), "1 of 4 days done"));
    let status = program.json(&["backfill", "status"]);
    assert_eq!(status[0]["total"], 4);
    assert_eq!(days(&status[0], "completed"), 1, "{status}");
    let done = program.json(&span(&["--jobs", "1"]));
    assert_eq!(days(&done, "completed"), 4, "{done}");
    assert_eq!(issued(&program), MORNINGS);
    let (out, _) = program.run(&["backfill", "status"], 0);
    assert_eq!(out, "2026-03-06 to 2026-03-09 at 06:00, HB_HOUSTON: 4 days, 4 completed\n");
}

#[test]
fn a_day_that_fails_is_named_and_tried_again() {
    let program = program();
    let before_the_world = [
        &["backfill", "--pipeline", "forecast", "--from", "2017-01-01", "--to", "2017-01-02"][..],
        &SMALL,
    ]
    .concat();
    for _ in 0..2 {
        let (out, err) = program.run(&before_the_world, 3);
        assert_eq!(out, "2 days: 2 failed\n");
        assert!(err.contains("error: 2017-01-01: run r"), "{err}");
        assert!(err.contains("the same command tries again what failed"), "{err}");
    }
}

#[test]
fn what_cannot_be_asked_for_is_explained() {
    let check = |arguments: &[&str], expected: &str| {
        let (_, err) = program().run(arguments, 2);
        assert!(err.contains(expected), "{err}");
    };
    check(&["backfill"], "--from <DAY>");
    let days = |from, to| ["backfill", "--pipeline", "forecast", "--from", from, "--to", to];
    check(&days("2026-03-09", "2026-03-06"), "--from 2026-03-09 lies after --to 2026-03-06");
    check(&days("2026-03-09", "2999-03-06"), "--to 2999-03-06: 2999-03-06 06:00");
    check(&["backfill", "--pipeline", "forcast"], "forecast");
    let (out, _) = program().run(&["backfill", "status"], 0);
    assert_eq!(out, "There is no backfill yet.\n");
}
