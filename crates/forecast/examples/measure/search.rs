//! Searches for better hyper-parameters on the days before an instant: the end of 2023, so that
//! 2024 stays a test, or another year's.

use std::error::Error;

use forecast::model::{Hyperparameters, SearchSettings, Trial, search};
use jiff::civil::{date, time};
use market::time::instant;

use super::history::{describe, issue_days, labelled, load, thresholds};

/// Halving leaves three of two dozen candidates for the fourth fold.
const FOLDS: usize = 4;
const FOLD_DAYS: u32 = 90;

pub(super) fn measure(folder: &str, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let candidates: usize = arguments.first().map_or(Ok(24), |text| text.parse())?;
    let year: i16 = arguments.get(1).map_or(Ok(2023), |text| text.parse())?;
    let (history, points) = load(folder)?;
    let described = describe(&history, &points, &issue_days(year));
    let as_of = instant(date(year + 1, 1, 1), time(9, 57, 0, 0))?;
    let rows = labelled(&history, &described, as_of);
    let settings =
        SearchSettings { as_of, candidates, folds: FOLDS, fold_days: FOLD_DAYS, seed: 1 };
    let trials = search(&rows, &thresholds(), &settings, &mut |trial| {
        println!("{}", line(trial));
        true
    })?;
    println!("ranking, those tried on most folds first:");
    for trial in &trials {
        println!("{}", line(trial));
    }
    Ok(())
}

fn line(trial: &Trial) -> String {
    let Hyperparameters {
        half_life_days,
        ridge,
        lead_day_ridge,
        kinship_ridge,
        intercept_ridge,
        trees,
        leaf_information_min,
        leaf_ridge,
        learning_rate,
        ..
    } = trial.hyperparameters;
    let is_default = trial.hyperparameters == Hyperparameters::default();
    format!(
        "{} folds, skill {:+.2} %: half-life {half_life_days:.0} d, ridges {ridge:.0} {lead_day_ridge:.0} {kinship_ridge:.0} {intercept_ridge:.0}, {trees} trees, leaves {leaf_information_min:.0} {leaf_ridge:.0} {learning_rate:.3}{}",
        trial.folds,
        100.0 * trial.skill,
        if is_default { " (default)" } else { "" },
    )
}
