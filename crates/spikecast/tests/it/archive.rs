//! `spikecast archive`: what is missing or damaged is named with the command that brings it back,
//! and what is exported can be imported.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::program::{Program, small_run};

const SERIES: [&str; 4] = ["--series", "dam_spp,load_actual", "--place", "HB_NORTH"];

fn span<'a>(command: &[&'a str], from: &'a str, to: &'a str) -> Vec<&'a str> {
    [command, &SERIES, &["--from", from, "--to", to]].concat()
}

/// A data directory with some days of the simulated market around the one with 23 hours.
fn archived() -> Program {
    let program = Program::new();
    program.run(&span(&["fetch"], "2026-03-01", "2026-03-09"), 0);
    program
}

fn shown(program: &Program, more: &[&str]) -> Value {
    program.json(&[&span(&["data", "show"], "2026-03-01", "2026-03-09")[..], more].concat())
}

/// Returns the parts of day-ahead prices.
fn parts(program: &Program) -> Vec<PathBuf> {
    let folder = program.path("data/archive/simulator-42/parts/dam_spp/2026");
    let mut parts: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    parts
}

fn json_of(program: &Program, arguments: &[&str], exit_code: i32) -> Value {
    let (out, _) = program.run(&[arguments, &["--json"]].concat(), exit_code);
    serde_json::from_str(&out).unwrap()
}

/// Runs the commands that an answer names, as a person who copies them does.
fn run_commands(program: &Program, answer: &Value) {
    let commands = answer["fetch"].as_array().unwrap();
    assert!(!commands.is_empty());
    for command in commands {
        let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
        assert_eq!(words[0], "spikecast");
        program.run(&words[1..], 0);
    }
}

#[test]
fn what_is_damaged_is_found_taken_out_and_fetched_again() {
    let program = archived();
    let before = shown(&program, &[]);
    let verified = json_of(&program, &["archive", "verify"], 0);
    assert_eq!(verified["problems"], json!([]));
    for part in parts(&program) {
        let bytes = fs::read(&part).unwrap();
        fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    }
    let (out, error) = program.run(&["archive", "verify"], 3);
    assert!(out.contains("damaged  parts/dam_spp/2026/"), "{out}");
    assert!(error.contains("spikecast archive repair"), "{error}");
    let repaired = json_of(&program, &["archive", "repair"], 4);
    assert_eq!(repaired["problems"], json!([]));
    assert_eq!(repaired["lost"][0]["series"], "dam_spp");
    assert_eq!(json_of(&program, &["archive", "verify"], 0)["problems"], json!([]));
    let gaps = json_of(&program, &span(&["archive", "gaps"], "2026-03-01", "2026-03-09"), 4);
    assert_eq!(gaps["gaps"].as_array().unwrap().len(), 1, "{gaps}");
    run_commands(&program, &repaired);
    assert_eq!(shown(&program, &[]), before);
    let (out, _) = program.run(&["archive", "repair"], 0);
    assert!(out.contains("the archive is whole"), "{out}");
}

#[test]
fn gaps_are_named_with_the_command_that_fills_them() {
    let program = Program::new();
    for (from, to) in [("2026-03-01", "2026-03-03"), ("2026-03-09", "2026-03-10")] {
        program.run(&span(&["fetch"], from, to), 0);
    }
    let ask = span(&["archive", "gaps"], "2026-03-01", "2026-03-09");
    let found = json_of(&program, &ask, 4);
    let prices: Vec<&Value> =
        found["gaps"].as_array().unwrap().iter().filter(|gap| gap["series"] == "dam_spp").collect();
    // A fetch reaches 36 hours around its days; the 8th has 23 hours.
    assert_eq!(prices.len(), 1, "{found}");
    assert_eq!(prices[0]["place"], "HB_NORTH");
    let from: jiff::Timestamp = prices[0]["from"].as_str().unwrap().parse().unwrap();
    let to: jiff::Timestamp = prices[0]["to"].as_str().unwrap().parse().unwrap();
    assert_eq!(prices[0]["intervals"], (to - from).as_hours());
    let (text, _) = program.run(&ask, 4);
    assert!(text.contains("missing  dam_spp at HB_NORTH: "), "{text}");
    assert!(text.contains("  spikecast fetch --source simulator --series dam_spp"), "{text}");
    run_commands(&program, &found);
    let (text, _) = program.run(&ask, 0);
    assert!(text.contains("complete"), "{text}");
    // What is not published yet is not missing.
    let (text, _) = program.run(&span(&["archive", "gaps"], "2026-03-09", "2026-03-10"), 0);
    assert!(text.contains("complete"), "{text}");
}

#[test]
fn what_is_exported_is_imported_elsewhere_as_it_was() {
    let program = archived();
    program.run(&["archive", "export", "--out", "out"], 0);
    assert!(program.path("out/dam_spp.parquet").is_file());
    let elsewhere = ["--archive", "elsewhere"];
    let import = [&["archive", "import", "out"][..], &elsewhere].concat();
    let imported = program.json(&import);
    assert!(400 < imported["values"].as_u64().unwrap(), "{imported}");
    assert_eq!(program.json(&import)["values"], 0);
    assert_eq!(shown(&program, &elsewhere), shown(&program, &[]));
    let (_, error) = program.run(&["archive", "export", "--out", "out"], 2);
    assert!(error.contains("not empty"), "{error}");
    let (_, error) = program.run(&["archive", "import", "nowhere"], 3);
    assert!(error.contains("the files of an export"), "{error}");
    let days = ["--from", "2020-01-01", "--to", "2020-01-02"];
    let (_, error) = program.run(&[&["archive", "export", "--out", "x"][..], &days].concat(), 4);
    assert!(error.contains("nothing of these days is archived"), "{error}");
}

#[test]
fn many_small_files_become_few_and_say_the_same() {
    let program = archived();
    program.run(&span(&["fetch"], "2026-03-12", "2026-03-13"), 0);
    let before = shown(&program, &[]);
    let status = |program: &Program| program.json(&["archive", "status"]);
    let files = |status: &Value| status["series"]["dam_spp"]["files"].as_u64().unwrap();
    let values = |status: &Value| status["series"]["dam_spp"]["values"].as_u64().unwrap();
    let (old, compacted) = (status(&program), program.json(&["archive", "compact"]));
    assert!(1 < files(&old), "{old}");
    assert_eq!(compacted["raw_retention_days"], Value::Null);
    let new = status(&program);
    assert_eq!((files(&new), values(&new)), (1, values(&old)));
    assert_eq!(shown(&program, &[]), before);
    fs::write(program.path("spikecast.toml"), "raw_retention = \"400d\"\n").unwrap();
    assert_eq!(program.json(&["archive", "compact"])["raw_retention_days"], 400);
    let flag = ["archive", "compact", "--raw-retention", "30d"];
    assert_eq!(program.json(&flag)["raw_retention_days"], 30);
    let (_, error) = program.run(&["archive", "compact", "--raw-retention", "30"], 2);
    assert!(error.contains("raw_retention: expected a number of days from 1d"), "{error}");
}

#[test]
fn an_archive_elsewhere_is_used_by_every_command_and_by_isolated_stages() {
    let program = Program::new();
    fs::write(
        program.path("spikecast.toml"),
        "simulator_history_days = 220\narchive = \"elsewhere\"\n",
    )
    .unwrap();
    let run = program.json(&small_run("2026-07-14T09:30"));
    // Training is isolated, and reads the archive: it would fail on an empty one.
    assert_eq!(run["trained"], true, "{run}");
    assert_eq!(run["degraded"], json!([]), "{run}");
    assert!(program.path("elsewhere/simulator-42/parts/rt_lmp").is_dir());
    assert!(!program.path("data/archive").exists());
    let status = program.json(&["archive", "status"]);
    assert_eq!(status["archive"], "elsewhere/simulator-42");
    assert_eq!(status["series"]["rt_lmp"]["places"], 1);
    let (shown, _) = program.run(&["config", "show"], 0);
    assert!(shown.contains("archive = \"elsewhere\""), "{shown}");
    let (out, _) = program.run(&["archive", "status", "--archive", "nowhere"], 0);
    assert!(out.contains("nothing is archived yet"), "{out}");
}
