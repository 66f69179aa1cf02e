//! What made a forecast: how far each feature moves it from the climatology, in log-odds.
//!
//! The logistic regression's terms are exact, the trees' are Shapley values; both are weighted as
//! in the combination. Climatology, baseline and drivers add up to the combination's log-odds.

use super::fit::FittedModel;
use crate::features::{COLUMNS_PER_THRESHOLD, Example, Feature, features};
use crate::probability::{log_odds, probability};

/// Why a probability is what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What is usual at this hour and season: the probability that the models deviate from.
    pub usual: f64,
    /// What no feature of the hour is needed for, in log-odds: intercepts and bias.
    pub baseline: f64,
    /// What each feature adds, the strongest first; features that add nothing are left out.
    pub drivers: Vec<Driver>,
    /// What calibration adds to all that, in log-odds; 0 where it is the identity.
    pub calibration: f64,
    /// The probability before it is made consistent with that of other thresholds.
    pub probability: f64,
}

/// What one feature adds to a forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Driver {
    /// Which feature.
    pub feature: Feature,
    /// Its value; NaN where it is missing.
    pub value: f64,
    /// What it adds to the log-odds: 0.7 doubles the odds.
    pub log_odds: f64,
}

impl FittedModel {
    /// Explains the forecast of an example at one threshold, given by its number.
    #[must_use]
    pub fn explain(&self, example: &Example, threshold: usize) -> Explanation {
        let [bias, of_logistic, of_trees, of_persistence] =
            self.weights(threshold, example.target.lead_day);
        let usual = example.offset(threshold);
        let (intercept, terms) = self.logistic().terms(example, threshold);
        let (mean, shares) = self.trees().shares(example, threshold);
        let persistence = log_odds(example.persistence[threshold]) - usual;
        // The number of the threshold is the trees' last column, and no feature of the hour.
        let (number, shares) = shares.split_last().expect("there is a column at least");
        let all = features();
        let mut drivers = Vec::with_capacity(all.len());
        for (place, feature) in all.into_iter().enumerate() {
            let own =
                if feature.name == "persistence" { of_persistence * persistence } else { 0.0 };
            let log_odds = of_logistic * terms[place] + of_trees * shares[place] + own;
            if log_odds != 0.0 {
                let value = f64::from(value_at(example, threshold, place));
                drivers.push(Driver { feature, value, log_odds });
            }
        }
        drivers.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        let baseline = bias + of_logistic * intercept + of_trees * (mean + number);
        let sum: f64 = drivers.iter().map(|driver| driver.log_odds).sum();
        let combined = usual + baseline + sum;
        let calibrated = self.calibration(threshold).apply(combined);
        Explanation {
            usual: probability(usual),
            baseline,
            drivers,
            calibration: calibrated - combined,
            probability: probability(calibrated),
        }
    }
}

fn value_at(example: &Example, threshold: usize, place: usize) -> f32 {
    match place.checked_sub(example.common.len()) {
        None => example.common[place],
        Some(own) => example.by_threshold[threshold * COLUMNS_PER_THRESHOLD + own],
    }
}
