//! What stands in when something is broken on the disk: the forecast of the morning is there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{Program, small_run};

const CONFIGURATION: &str = "simulator_history_days = 120\n";

/// Returns the files below a folder with an ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn turn_over_the_middle(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] = !bytes[middle];
    fs::write(path, bytes).unwrap();
}

/// Runs once, so that there are an archive, a model and a forecast.
fn after_a_day() -> Program {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), CONFIGURATION).unwrap();
    program.run(&small_run("2026-03-06T06:00"), 0);
    program
}

#[test]
fn a_damaged_file_of_the_archive_is_repaired_before_it_is_read_again() {
    let program = after_a_day();
    let archive = program.path("data/archive");
    let is_of_prices = |path: &&PathBuf| path.iter().any(|part| part == "rt_lmp");
    let parts = files(&archive, "parquet");
    turn_over_the_middle(parts.iter().rfind(is_of_prices).unwrap());
    let (out, told) = program.run(&small_run("2026-03-07T06:00"), 6);
    assert!(told.contains("is not as it was written"), "{told}");
    // A week of prices was lost.
    assert!(out.contains("of the last week known"), "{out}");
    program.run(&["archive", "verify"], 0);
    // What was lost is fetched again with the next run.
    program.run(&small_run("2026-03-08T06:00"), 0);
}

#[test]
fn where_nothing_can_be_read_the_previous_forecast_speaks_and_says_so() {
    let program = after_a_day();
    for path in files(&program.path("data/archive"), "json") {
        fs::write(path, "nonsense").unwrap();
    }
    // The day after has 23 hours among those that are forecast.
    let (out, _) = program.run(&small_run("2026-03-07T06:00"), 6);
    assert!(out.contains("that of the forecast that stands in"), "{out}");
    assert!(out.contains("recovered by repeat_previous_forecast"), "{out}");
    assert!(out.contains("142 rows, 71 hours"), "{out}");
    // Three days later the old forecast has nothing left to say.
    let (_, told) = program.run(&small_run("2026-03-10T06:00"), 3);
    assert!(told.contains("failed in stage fetch"), "{told}");
}

#[test]
fn a_damaged_model_is_refused_and_another_one_speaks() {
    let program = after_a_day();
    for path in files(&program.path("data/models"), "model") {
        turn_over_the_middle(&path);
    }
    let (out, _) = program.run(&small_run("2026-03-07T06:00"), 0);
    assert!(out.contains("trained in this run"), "{out}");
}
