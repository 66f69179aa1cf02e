//! Measures the forecast on a folder of history, without the orchestration around it.
//!
//! `cargo run --release -p forecast --example measure -- skill FOLDER [RETRAIN_EVERY_DAYS [YEAR]]`
//! retrains through a year and scores it; `… importance FOLDER` says what every feature is worth;
//! `… search FOLDER [CANDIDATES [YEAR]]` tries hyper-parameters. How fast it is, `cargo bench` says.

#![expect(clippy::print_stdout, reason = "it reports on the terminal")]

mod history;
mod importance;
mod search;
mod skill;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["skill", folder, rest @ ..] => skill::measure(folder, rest),
        ["search", folder, rest @ ..] => search::measure(folder, rest),
        ["importance", folder] => importance::measure(folder),
        _ => Err("expected skill, importance or search, and a folder".into()),
    }
}
