//! `cargo bench -p forecast [-- FOLDER [PYTHON]]`: times description, training and inference on a folder
//! of history, and has a Python with LightGBM and polars do the same work in the same run (`peer.py`).
//!
//! Paths start at the workspace's root. Without a folder it is the one of real data beside it; where
//! that is not there, nothing is measured.

#![expect(clippy::print_stdout, reason = "it reports on the terminal")]

#[path = "../../examples/measure/history.rs"]
mod history;

use std::error::Error;
use std::path::Path;
use std::process::Command;

use forecast::evaluation::log_loss_of;
use forecast::features::{COLUMNS_PER_THRESHOLD, Example, Examples, column_names};
use forecast::model::FittedModel;
use jiff::Timestamp;
use jiff::civil::{date, time};
use market::observation::History;
use market::table::{ColumnData, write_parquet};
use market::time::instant;

use history::{describe, issue_days, labelled, load, thresholds, timed, train};

const REPEATS: usize = 3;

/// Where real data is, if it is there.
const REAL_DATA: &str = "../shared/data";

fn main() -> Result<(), Box<dyn Error>> {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))?;
    // Cargo adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] if !Path::new(REAL_DATA).is_dir() => {
            println!(
                "nothing measured: no real market data in {REAL_DATA}; name a folder after --"
            );
            Ok(())
        }
        [] => measure(REAL_DATA, None),
        [folder] => measure(folder, None),
        [folder, python] => measure(folder, Some(python)),
        _ => Err("expected at most a folder and a Python".into()),
    }
}

fn measure(folder: &str, python: Option<&str>) -> Result<(), Box<dyn Error>> {
    let (loaded, seconds) = timed(|| load(folder));
    let (history, points) = loaded?;
    println!("load: {seconds:.2} s");
    let days = issue_days(2024);
    let mut described = Vec::new();
    for _ in 0..REPEATS {
        let (again, seconds) = timed(|| describe(&history, &points, &days));
        described = again;
        let rows: usize = described.iter().map(|day| day.rows.len()).sum();
        println!("describe {rows} hours, {} features: {seconds:.2} s", column_names().len());
    }
    let as_of = instant(date(2024, 1, 1), time(9, 57, 0, 0))?;
    for _ in 0..REPEATS {
        let (_, seconds) = timed(|| train(&history, &described, as_of));
        println!("train on what was known on 1 January 2024: {seconds:.2} s");
    }
    let model = train(&history, &described, as_of);
    let tested = described.iter().filter(|day| as_of <= day.issue_time);
    println!("log-loss of 2024, mean over thresholds: {:.5}", log_loss(&history, tested, &model));
    let bytes = model.to_bytes();
    let (rows, seconds) = timed(|| infer(&history, &points, &days, &bytes));
    println!(
        "infer {rows} probabilities from a model of {} kB: {seconds:.3} s",
        bytes.len() / 1_000
    );
    let Some(python) = python else {
        println!("name a Python that has lightgbm and polars to compare with them");
        return Ok(());
    };
    let exported = std::env::temp_dir().join("spikecast-speed-examples.parquet");
    export(&history, &described, as_of, &exported)?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/speed/peer.py");
    let status = Command::new(python).arg(script).arg(folder).arg(&exported).status()?;
    std::fs::remove_file(&exported)?;
    if status.success() { Ok(()) } else { Err("the Python script failed".into()) }
}

/// Describes and forecasts the newest issue day with a model read from its saved form.
fn infer(
    history: &History,
    points: &[market::place::SettlementPoint],
    days: &[jiff::civil::Date],
    bytes: &[u8],
) -> usize {
    let model = FittedModel::from_bytes(bytes).expect("it was just saved");
    let described = describe(history, points, &days[days.len() - 1..]);
    described.iter().flat_map(|day| &day.rows).map(|row| model.predict(row).len()).sum()
}

/// Returns the mean over thresholds of the mean log-loss over the days' hours.
fn log_loss<'e>(
    history: &History,
    days: impl Iterator<Item = &'e Examples>,
    model: &FittedModel,
) -> f64 {
    let rows = labelled(history, days, Timestamp::MAX);
    let mut pairs: Vec<Vec<(f64, bool)>> = vec![Vec::new(); thresholds().count()];
    for row in &rows {
        let predictions = model.predict(row.example);
        for ((pairs, threshold), prediction) in
            pairs.iter_mut().zip(thresholds().iter()).zip(predictions)
        {
            pairs.extend(row.outcome.exceeds(threshold).map(|e| (prediction.probability, e)));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of thresholds")]
    let count = pairs.len() as f64;
    pairs.iter().map(|pairs| log_loss_of(pairs)).sum::<f64>() / count
}

/// Writes every described hour with what is known in the end: features, climatology's log-odds and
/// exceedances by threshold, and whether it may be learnt from.
fn export(
    history: &History,
    described: &[Examples],
    as_of: Timestamp,
    path: &Path,
) -> Result<(), Box<dyn Error>> {
    let rows = labelled(history, described, Timestamp::MAX);
    let names = column_names();
    let (common, own) = names.split_at(names.len() - COLUMNS_PER_THRESHOLD);
    let mut columns: Vec<(String, ColumnData)> = Vec::new();
    let mut add = |name: String, value: &dyn Fn(&Example) -> f64| {
        let cell = |value: f64| Some(value).filter(|value| value.is_finite());
        let cells = rows.iter().map(|row| cell(value(row.example))).collect();
        columns.push((name, ColumnData::NullableNumbers(cells)));
    };
    for (place, name) in common.iter().enumerate() {
        add((*name).to_owned(), &|example| f64::from(example.common[place]));
    }
    add("lead_day".to_owned(), &|example| f64::from(example.target.lead_day));
    for threshold in 0..thresholds().count() {
        for (place, name) in own.iter().enumerate() {
            let place = threshold * COLUMNS_PER_THRESHOLD + place;
            add(format!("{name}@{threshold}"), &|e| f64::from(e.by_threshold[place]));
        }
        add(format!("offset@{threshold}"), &|example| example.offset(threshold));
    }
    for (index, threshold) in thresholds().iter().enumerate() {
        let known = rows.iter().map(|row| row.outcome.exceeds(threshold));
        let cells = known.map(|e| e.map(|e| f64::from(u8::from(e)))).collect();
        columns.push((format!("exceeded@{index}"), ColumnData::NullableNumbers(cells)));
    }
    let known = labelled(history, described, as_of);
    let learnt = known.iter().map(|row| {
        let outcome = row.outcome != forecast::target::HourOutcome::Unknown;
        f64::from(u8::from(row.issue_time < as_of && outcome))
    });
    columns.push(("learnt".to_owned(), ColumnData::Numbers(learnt.collect())));
    let tested = rows.iter().map(|row| f64::from(u8::from(as_of <= row.issue_time)));
    columns.push(("tested".to_owned(), ColumnData::Numbers(tested.collect())));
    let ages = rows
        .iter()
        .map(|row| as_of.duration_since(row.example.target.hour.start).as_secs_f64() / 86_400.0);
    columns.push(("age_days".to_owned(), ColumnData::Numbers(ages.collect())));
    let columns: Vec<(&str, ColumnData)> =
        columns.iter().map(|(name, data)| (name.as_str(), data.clone())).collect();
    write_parquet(path, &columns, &[])?;
    Ok(())
}
