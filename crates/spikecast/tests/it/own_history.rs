//! A user's own files: what they say counts, live and in a backtest alike, and when they are old or
//! corrected the forecast says so or learns again.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use jiff::civil::date;
use market::observation::{Series, SeriesKey};
use market::place::SettlementPoint;
use market::source::simulator::{Simulator, SimulatorSettings, Vintages};
use market::source::{FetchRequest, Source};
use market::time::parse_local;
use spikecast::ledger::read_forecast;

use crate::program::Program;

/// Writes the simulated prices of January to August 2024, each as `rows` says.
fn write_prices(program: &Program, rows: impl Fn(&str, f64) -> String) -> PathBuf {
    let simulator = Simulator::new(SimulatorSettings {
        seed: 5,
        first_day: date(2024, 1, 1),
        vintages: Vintages::BeforeTheMarket,
    });
    let point = SettlementPoint::new("HB_HOUSTON").unwrap();
    let request = FetchRequest {
        key: SeriesKey::at(Series::RealTimeLmp, &point),
        published_after: None,
        published_until: parse_local("2024-08-20T00:00").unwrap(),
    };
    let mut text = "interval_start_utc,settlement_point,lmp_usd_mwh\n".to_owned();
    for price in simulator.fetch(&request).unwrap() {
        write!(text, "{}", rows(&price.interval_start.to_string(), price.value)).unwrap();
    }
    let folder = program.path("history");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("rt_lmp_5min_hubs.csv"), text).unwrap();
    folder
}

fn row(start: &str, price: f64) -> String {
    format!("{start},HB_HOUSTON,{price}\n")
}

const ON_FILES: [&str; 6] = ["--source", "files", "--path", "history", "--thresholds", "50,100"];

fn run_at(issue_time: &str) -> Vec<&str> {
    [&["run", "--issue-time", issue_time][..], &ON_FILES].concat()
}

#[test]
fn of_rows_with_equal_times_the_later_counts_in_run_and_backtest_alike() {
    let program = Program::new();
    write_prices(&program, |start, price| row(start, 900.0) + &row(start, price));
    let run = program.json(&run_at("2024-08-12T09:57"));
    let live = read_forecast(run["forecast"].as_str().unwrap().as_ref()).unwrap();
    let days = ["backtest", "--from", "2024-08-12", "--to", "2024-08-12", "--out", "out"];
    program.run(&[&days[..], &ON_FILES].concat(), 0);
    let past = read_forecast(&program.path("out/forecasts.parquet")).unwrap();
    let predictions = |rows: &[spikecast::ledger::ForecastRow]| -> Vec<_> {
        rows.iter().map(|row| row.prediction).collect()
    };
    assert_eq!(predictions(&live), predictions(&past));
    let mean = live.iter().map(|row| row.prediction.probability).sum::<f64>() / live.len() as f64;
    assert!(mean < 0.3, "the rows of $900 were replaced: {mean}");
}

#[test]
fn a_correction_of_the_files_retires_the_model_that_learnt_from_them() {
    let program = Program::new();
    write_prices(&program, row);
    assert_eq!(program.json(&run_at("2024-08-12T09:57"))["trained"], true);
    assert_eq!(program.json(&run_at("2024-08-12T09:57"))["trained"], false);
    write_prices(&program, |start, price| row(start, price + 30.0));
    assert_eq!(program.json(&run_at("2024-08-12T09:57"))["trained"], true);
}

#[test]
fn prices_that_are_too_old_make_the_forecast_degraded() {
    let program = Program::new();
    write_prices(&program, row);
    let (out, _) = program.run(&run_at("2024-09-15T09:57"), 6);
    assert!(out.contains("Real-time LMP, 5 minutes (HB_HOUSTON): newest of 2024-08-"), "{out}");
    let (_, message) = program.run(&run_at("2026-01-15T09:57"), 3);
    assert!(message.contains("HB_HOUSTON: the source has no real-time prices"), "{message}");
}

#[test]
fn a_backtest_needs_prices_to_train_on_and_to_score_with() {
    let program = Program::new();
    write_prices(&program, row);
    let backtest = |from: &str, to: &str, out: &str, exit_code: i32| {
        let days = ["backtest", "--from", from, "--to", to, "--out", out];
        program.run(&[&days[..], &ON_FILES].concat(), exit_code).1
    };
    let message = backtest("2024-01-10", "2024-01-11", "early", 3);
    assert!(message.contains("add older history or forecast a later day"), "{message}");
    let message = backtest("2024-09-01", "2024-09-02", "late", 3);
    assert!(message.contains("nothing to score"), "{message}");
    let message = backtest("2098-01-01", "2098-01-02", "future", 2);
    assert!(message.contains("lies in the future"), "{message}");
}
