//! What every feature is worth: how much worse the forecasts of a year become when its values are
//! shuffled among the hours (permutation), how far it moves them (mean contribution), and which
//! other feature says nearly the same (correlation). For choosing features.

use std::error::Error;

use forecast::evaluation::log_loss;
use forecast::features::{COLUMNS_PER_THRESHOLD, Example, features};
use forecast::model::{FittedModel, LabelledExample};
use jiff::Timestamp;
use jiff::civil::{date, time};
use market::time::instant;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use super::history::{describe, issue_days, labelled, load, thresholds, train};

/// Every so many hours are looked at, which is enough for a year.
const STRIDE: usize = 3;
/// The threshold, by number, whose contributions are shown: $100.
const SHOWN: usize = 1;

pub(super) fn measure(folder: &str) -> Result<(), Box<dyn Error>> {
    let (history, points) = load(folder)?;
    let described = describe(&history, &points, &issue_days(2024));
    let as_of = instant(date(2024, 1, 1), time(9, 57, 0, 0))?;
    let model = train(&history, &described, as_of);
    let year = described.iter().filter(|day| as_of <= day.issue_time);
    let rows: Vec<LabelledExample<'_>> =
        labelled(&history, year, Timestamp::MAX).into_iter().step_by(STRIDE).collect();
    let examples: Vec<Example> = rows.iter().map(|row| row.example.clone()).collect();
    let usual = loss(&model, &rows, &examples);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.shuffle(&mut Pcg64Mcg::seed_from_u64(1));
    let contributions = contributions(&model, &examples);
    let columns: Vec<Vec<f64>> =
        (0..features().len()).map(|place| column(&examples, place)).collect();
    let mut found: Vec<(f64, String)> = features()
        .par_iter()
        .enumerate()
        .map(|(place, feature)| {
            let worse = loss(&model, &rows, &shuffled(&examples, &order, place)) / usual - 1.0;
            let (twin, correlation) = most_alike(&columns, place);
            let line = format!(
                "{:<30} {:+8.3} %  {:8.3}  {correlation:+.2} {}",
                feature.name,
                100.0 * worse,
                contributions[place],
                features()[twin].name,
            );
            (worse, line)
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("log-loss when shuffled · mean |log-odds| at $100 · most alike");
    for (_, line) in found {
        println!("{line}");
    }
    Ok(())
}

/// Returns the mean log-loss over thresholds and hours.
fn loss(model: &FittedModel, rows: &[LabelledExample<'_>], examples: &[Example]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (row, example) in rows.iter().zip(examples) {
        for (threshold, said) in thresholds().iter().zip(model.predict(example)) {
            if let Some(exceeded) = row.outcome.exceeds(threshold) {
                sum += log_loss(said.probability, exceeded);
                count += 1.0;
            }
        }
    }
    sum / count
}

/// Returns the examples with one feature taken from other hours, at all thresholds alike.
fn shuffled(examples: &[Example], order: &[usize], place: usize) -> Vec<Example> {
    let mut shuffled = examples.to_vec();
    for (example, &other) in shuffled.iter_mut().zip(order) {
        let from = &examples[other];
        match place.checked_sub(example.common.len()) {
            None => example.common[place] = from.common[place],
            Some(own) => {
                for at in (own..example.by_threshold.len()).step_by(COLUMNS_PER_THRESHOLD) {
                    example.by_threshold[at] = from.by_threshold[at];
                }
            }
        }
    }
    shuffled
}

fn contributions(model: &FittedModel, examples: &[Example]) -> Vec<f64> {
    let names: Vec<&str> = features().iter().map(|feature| feature.name).collect();
    let mut sums = vec![0.0; names.len()];
    for example in examples {
        for driver in model.explain(example, SHOWN).drivers {
            let place = names.iter().position(|name| *name == driver.feature.name);
            sums[place.expect("it is one of the features")] += driver.log_odds.abs();
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let count = examples.len() as f64;
    sums.into_iter().map(|sum| sum / count).collect()
}

fn column(examples: &[Example], place: usize) -> Vec<f64> {
    let value = |example: &Example| match place.checked_sub(example.common.len()) {
        None => f64::from(example.common[place]),
        Some(own) => f64::from(example.by_threshold[SHOWN * COLUMNS_PER_THRESHOLD + own]),
    };
    examples.iter().map(value).collect()
}

/// Returns the other column with the strongest correlation, over hours where both are known.
fn most_alike(columns: &[Vec<f64>], place: usize) -> (usize, f64) {
    let others = (0..columns.len()).filter(|&other| other != place);
    let correlations = others.map(|other| (other, correlation(&columns[place], &columns[other])));
    let strongest = correlations.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    strongest.expect("there are other features")
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let pairs: Vec<(f64, f64)> =
        a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| !(a + b).is_nan()).collect();
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let count = pairs.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (mean_a, mean_b) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
    let covariance = mean(&|pair| (pair.0 - mean_a) * (pair.1 - mean_b));
    let deviations =
        mean(&|pair| (pair.0 - mean_a).powi(2)) * mean(&|pair| (pair.1 - mean_b).powi(2));
    if 0.0 < deviations { covariance / deviations.sqrt() } else { 0.0 }
}
