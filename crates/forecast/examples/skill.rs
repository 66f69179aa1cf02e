//! Measures skill and speed on a folder of history: describes every issue day, retrains through a
//! year, scores it by threshold and lead day, and prints what each step took.
//!
//! `cargo run --release --example skill -- FOLDER [RETRAIN_EVERY_DAYS [YEAR]]`

#![expect(clippy::disallowed_methods, reason = "it measures how long steps take")]
#![expect(clippy::print_stdout, reason = "it reports on the terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use forecast::evaluation::{Forecaster, ScoredHour, ScoredHours, scores};
use forecast::features::{Examples, examples};
use forecast::model::{FitSettings, FittedModel, LabelledExample, fit};
use forecast::target::{HourOutcome, outcomes};
use forecast::threshold::Thresholds;
use jiff::Timestamp;
use jiff::civil::{Date, date, time};
use market::observation::{History, HistoryBuilder, Series, SeriesKey};
use market::place::{Place, SettlementPoint, WeatherZone};
use market::source::files::FileSource;
use market::source::{FetchRequest, Source};
use market::time::instant;
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("name the folder of the history")?;
    let every: usize = arguments.get(1).map_or(Ok(28), |text| text.parse())?;
    let year: i16 = arguments.get(2).map_or(Ok(2024), |text| text.parse())?;
    let thresholds = Thresholds::new(&[50.0, 100.0, 200.0, 500.0, 1_000.0])?;
    let source = FileSource::open(Path::new(folder))?;
    let points = source.default_settlement_points()?;
    let started = Instant::now();
    let history = load(&source, &points)?;
    println!("loaded in {:.2} s", started.elapsed().as_secs_f64());

    let days: Vec<Date> = date(2020, 3, 1)
        .series(jiff::ToSpan::days(1))
        .take_while(|day| *day <= date(year, 12, 28))
        .collect();
    let started = Instant::now();
    let view = history.known_at(Timestamp::MAX);
    let described: Vec<Examples> = days
        .par_iter()
        .flat_map_iter(|day| {
            let issue_time = instant(*day, time(9, 57, 0, 0)).expect("the clock never skips 9:57");
            let view = view.narrowed_to(issue_time);
            points.iter().map(move |point| examples(&view, point, &thresholds_of()))
        })
        .collect();
    let rows: usize = described.iter().map(|day| day.rows.len()).sum();
    println!("described {rows} hours in {:.2} s", started.elapsed().as_secs_f64());

    let first = date(year, 1, 1);
    let issued: Vec<&Examples> = described
        .iter()
        .filter(|day| first <= market::time::local(day.issue_time).date())
        .collect();
    let started = Instant::now();
    let trainings: Vec<&[&Examples]> = issued.chunks(every * points.len()).collect();
    let forecasts: Vec<(&Examples, Vec<Vec<forecast::model::Prediction>>)> = trainings
        .par_iter()
        .flat_map_iter(|window| {
            let as_of = window[0].issue_time;
            let model = train(&history, &described, &thresholds, as_of);
            window
                .iter()
                .map(|day| (*day, day.rows.iter().map(|row| model.predict(row)).collect()))
                .collect::<Vec<_>>()
        })
        .collect();
    println!("{} trainings in {:.2} s", trainings.len(), started.elapsed().as_secs_f64());
    report(&history, &forecasts, &thresholds);
    Ok(())
}

fn thresholds_of() -> Thresholds {
    Thresholds::new(&[50.0, 100.0, 200.0, 500.0, 1_000.0]).expect("ascending prices")
}

fn load(source: &FileSource, points: &[SettlementPoint]) -> Result<History, Box<dyn Error>> {
    let mut builder = HistoryBuilder::default();
    for series in Series::FORECAST_INPUTS {
        let keys: Vec<SeriesKey> = match series {
            Series::RealTimeLmp | Series::DayAheadSpp => {
                points.iter().map(|point| SeriesKey::at(series, point)).collect()
            }
            Series::Temperature => [WeatherZone::Coast, WeatherZone::NorthCentral]
                .map(|zone| SeriesKey { series, place: Place::WeatherZone(zone) })
                .to_vec(),
            _ => vec![SeriesKey::system(series)],
        };
        for key in keys {
            let request = FetchRequest {
                key: key.clone(),
                published_after: None,
                published_until: Timestamp::MAX,
            };
            builder.add(&key, source.fetch(&request)?);
        }
    }
    Ok(builder.build())
}

fn train(
    history: &History,
    described: &[Examples],
    thresholds: &Thresholds,
    as_of: Timestamp,
) -> FittedModel {
    let view = history.known_at(as_of);
    let mut rows = Vec::new();
    for day in described.iter().filter(|day| day.issue_time < as_of) {
        let hours = day.rows.iter().map(|row| &row.target.hour);
        let outcomes = outcomes(&view, &day.settlement_point, hours);
        rows.extend(day.rows.iter().zip(outcomes).map(|(example, outcome)| LabelledExample {
            issue_time: day.issue_time,
            example,
            outcome,
        }));
    }
    fit(&rows, thresholds, &FitSettings::at(as_of)).expect("four years of history")
}

type Group = (usize, Option<u8>);

fn report(
    history: &History,
    forecasts: &[(&Examples, Vec<Vec<forecast::model::Prediction>>)],
    thresholds: &Thresholds,
) {
    let view = history.known_at(Timestamp::MAX);
    let mut groups: BTreeMap<Group, Vec<(ScoredHour, forecast::model::Prediction)>> =
        BTreeMap::new();
    for (day, predictions) in forecasts {
        let hours = day.rows.iter().map(|row| &row.target.hour);
        let outcomes: Vec<HourOutcome> = outcomes(&view, &day.settlement_point, hours);
        for ((row, predictions), outcome) in day.rows.iter().zip(predictions).zip(outcomes) {
            for ((index, threshold), prediction) in thresholds.iter().enumerate().zip(predictions) {
                let Some(exceeded) = outcome.exceeds(threshold) else { continue };
                let hour = ScoredHour::new(day.issue_time, &row.target, 0, exceeded);
                for lead_day in [None, Some(row.target.lead_day)] {
                    groups.entry((index, lead_day)).or_default().push((hour, *prediction));
                }
            }
        }
    }
    let groups: BTreeMap<Group, ScoredHours> = groups
        .into_iter()
        .map(|(group, rows)| (group, ScoredHours::of_predictions(&rows)))
        .collect();
    println!("skill in % against the tougher climatology: Brier / log-loss");
    for lead_day in [None, Some(1), Some(2), Some(3)] {
        for who in [Forecaster::Combined, Forecaster::Logistic, Forecaster::BoostedTrees] {
            let lead = lead_day.map_or("pooled".to_owned(), |day| format!("day {day} "));
            print!("{lead} {:<14}", who.name());
            for index in 0..thresholds.count() {
                let scores = scores(&groups[&(index, lead_day)], who);
                print!(
                    " {:+6.2}/{:+6.2}",
                    100.0 * scores.brier_skill,
                    100.0 * scores.log_loss_skill
                );
            }
            println!();
        }
    }
    print!("calibration error, pooled  ");
    for index in 0..thresholds.count() {
        let scores = scores(&groups[&(index, None)], Forecaster::Combined);
        print!(" {:.4}", scores.calibration_error);
    }
    println!();
    print!("mean forecast ÷ observed   ");
    for index in 0..thresholds.count() {
        let hours = &groups[&(index, None)];
        for who in [
            Forecaster::Combined,
            Forecaster::Logistic,
            Forecaster::Climatology,
            Forecaster::ClimatologyRecent,
        ] {
            let forecast: f64 = hours.pairs(who).iter().map(|(probability, _)| probability).sum();
            let observed = hours.hours().iter().filter(|hour| hour.exceeded).count();
            print!(" {:.2}", forecast / observed as f64);
        }
        print!(" |");
    }
    println!();
}
