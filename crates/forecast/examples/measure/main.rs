//! Measures the forecast on a folder of history, without the orchestration around it.
//!
//! `cargo run --release --example measure -- skill FOLDER [RETRAIN_EVERY_DAYS [YEAR]]` retrains
//! through a year and scores it; `… speed FOLDER [PYTHON]` times description, training and
//! inference, beside LightGBM and polars where PYTHON has them (see `peer.py`); `… importance FOLDER`
//! says what every feature is worth; `… search FOLDER [CANDIDATES [YEAR]]` tries hyper-parameters.

#![expect(clippy::print_stdout, reason = "it reports on the terminal")]

mod history;
mod importance;
mod search;
mod skill;
mod speed;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["skill", folder, rest @ ..] => skill::measure(folder, rest),
        ["speed", folder, python @ ..] => speed::measure(folder, python.first().copied()),
        ["search", folder, rest @ ..] => search::measure(folder, rest),
        ["importance", folder] => importance::measure(folder),
        _ => Err("expected skill, speed, importance or search, and a folder".into()),
    }
}
