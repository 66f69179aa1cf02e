//! Fits all models to past examples and predicts with them: the one entry for live and backtest.

use jiff::{SignedDuration, Timestamp};
use market::units::DollarsPerMwh;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

use super::boosting::{FittedTrees, PATIENCE, VALIDATED, fit_trees};
use super::calibration::{
    CALIBRATION_PRECISION, Calibration, FOLDS, HeldOutHour, ISOTONIC_EXCEEDANCES_MIN,
    ISOTONIC_PRIOR_HOURS, STANDARD_ERRORS,
};
use super::columns::KNOWN_SHARE_MIN;
use super::combination::{
    BIAS_PRECISION, CLUSTERING, COMMON, Components, FittedCombination, LEAD_DAY_CONFIDENCE, PRIOR,
    RARE_BIAS, WEIGHT_PRECISION,
};
use super::held_out::{HeldOut, HeldOutLoss};
use super::hyperparameters::Hyperparameters;
use super::lineage::Lineage;
use super::logistic::{FittedLogistic, fit_logistic};
use super::recipe::Recipe;
use super::sample::{Drawn, LabelledExample, Sampling, draw, hour_shares};
use crate::arithmetic::mean;
use crate::evaluation::log_loss;
use crate::features::Example;
use crate::probability::{log_odds, non_increasing, probability};
use crate::threshold::Thresholds;

/// How models are fitted.
#[derive(Clone, Copy, Debug)]
pub struct FitSettings {
    /// When the training happens; everything in the rows was known by then.
    pub as_of: Timestamp,
    /// Hyper-parameters.
    pub hyperparameters: Hyperparameters,
    /// Seeds sampling and column choice.
    pub seed: u64,
}

impl FitSettings {
    /// Returns the settings that the product uses.
    #[must_use]
    pub fn at(as_of: Timestamp) -> Self {
        Self { as_of, hyperparameters: Hyperparameters::default(), seed: 1 }
    }
}

/// The last days before the training are held out to fit combination and calibration.
const HELD_OUT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Between what a held-out model learns from and what it is tried on: the horizon and a day.
pub(super) const EMBARGO: SignedDuration = SignedDuration::from_hours(4 * 24);
/// Rows with known outcome without which nothing can be learnt: about a month.
const ROWS_MIN: usize = 2_000;
/// Two-sided 90 %.
const INTERVAL_QUANTILE: f64 = 1.645;

/// Why no model could be fitted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FitError {
    /// The history is too short.
    #[error(
        "training needs at least {ROWS_MIN} target hours with known prices, found {0}; add older history or forecast a later day"
    )]
    TooFewRows(usize),
    /// The numbers do not allow it.
    #[error("training did not converge; check the inputs for constant or absurd values")]
    Degenerate,
}

/// Fitted models for all thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedModel {
    thresholds: Vec<f64>,
    base: Base,
    combination: Vec<FittedCombination>,
    calibration: Vec<Calibration>,
    lineage: Lineage,
    held_out: Vec<HeldOut>,
}

/// The forecast of one target hour and threshold, with its components.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Probability that at least one 5-minute price exceeds the threshold.
    pub probability: f64,
    /// Lower end of the 90 % interval of the probability: how uncertain the estimation is, how far
    /// the models disagree, and how far the level may have drifted.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The climatology's forecast (long memory).
    pub climatology: f64,
    /// The climatology's forecast from the last 365 days.
    pub climatology_recent: f64,
    /// The persistence forecast.
    pub persistence: f64,
    /// The logistic regression's forecast.
    pub logistic: f64,
    /// The boosted trees' forecast.
    pub boosted_trees: f64,
}

/// What one fit gives before it is combined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Base {
    logistic: FittedLogistic,
    trees: FittedTrees,
}

/// Fits all models to rows that were known at `settings.as_of`.
pub fn fit(
    rows: &[LabelledExample<'_>],
    thresholds: &Thresholds,
    settings: &FitSettings,
) -> Result<FittedModel, FitError> {
    let lowest = thresholds.iter().next().expect("there is at least one threshold");
    let known = rows.iter().filter(|row| row.outcome.exceeds(lowest).is_some()).count();
    if known < ROWS_MIN {
        return Err(FitError::TooFewRows(known));
    }
    let held_out_from = settings.as_of - HELD_OUT;
    let learnable = held_out_from - EMBARGO;
    let before: Vec<LabelledExample<'_>> =
        rows.iter().filter(|row| row.example.target.hour.start < learnable).copied().collect();
    let after: Vec<LabelledExample<'_>> =
        rows.iter().filter(|row| held_out_from <= row.issue_time).copied().collect();
    let (base, tried) = rayon::join(
        || fit_base(rows, thresholds, settings),
        || {
            // Three weights per threshold are all that is learnt from it: half the rows do.
            let hyperparameters = Hyperparameters {
                rows_max: settings.hyperparameters.rows_max / 2,
                ..settings.hyperparameters
            };
            let settings = FitSettings { as_of: held_out_from, hyperparameters, ..*settings };
            fit_base(&before, thresholds, &settings).ok()
        },
    );
    let base = base?;
    // A history shorter than the held-out days leaves nothing to try: the prior mixture speaks.
    let tried = match tried.filter(|_| ROWS_MIN <= before.len()) {
        Some(tried) => combine(&tried, &after, thresholds),
        None => Tried::nothing(thresholds),
    };
    Ok(FittedModel {
        thresholds: thresholds.prices(),
        base,
        combination: tried.combination,
        calibration: tried.calibration,
        lineage: Lineage::of(rows, known, settings, recipe(settings)),
        held_out: tried.scores,
    })
}

/// What held-out days tell, by threshold.
struct Tried {
    combination: Vec<FittedCombination>,
    calibration: Vec<Calibration>,
    scores: Vec<HeldOut>,
}

impl Tried {
    fn nothing(thresholds: &Thresholds) -> Self {
        let count = thresholds.count();
        Self {
            combination: vec![FittedCombination::prior(&[]); count],
            calibration: vec![Calibration::Identity; count],
            scores: Vec::new(),
        }
    }
}

/// Names everything that a fit depends on beside its rows and its seed.
fn recipe(settings: &FitSettings) -> Recipe {
    let mut constants = vec![
        ("calibration_folds", json!(FOLDS)),
        ("calibration_isotonic_exceedances", json!(ISOTONIC_EXCEEDANCES_MIN)),
        ("calibration_isotonic_hours", json!(ISOTONIC_PRIOR_HOURS)),
        ("calibration_precision", json!(CALIBRATION_PRECISION)),
        ("calibration_standard_errors", json!(STANDARD_ERRORS)),
        ("combination_bias_precision", json!(BIAS_PRECISION)),
        ("combination_clustering", json!(CLUSTERING)),
        ("combination_common", json!(COMMON)),
        ("combination_lead_day_confidence", json!(LEAD_DAY_CONFIDENCE)),
        ("combination_rare_bias", json!(RARE_BIAS)),
        ("combination_weight_precision", json!(WEIGHT_PRECISION)),
        ("combination_prior", json!(PRIOR)),
        ("embargo_hours", json!(EMBARGO.as_hours())),
        ("feature_known_share_min", json!(KNOWN_SHARE_MIN)),
        ("tree_patience", json!(PATIENCE)),
        ("tree_validation_hours", json!(VALIDATED.as_hours())),
        ("held_out_hours", json!(HELD_OUT.as_hours())),
    ];
    let chosen = serde_json::to_value(settings.hyperparameters).expect("plain numbers");
    let chosen = chosen.as_object().expect("a struct is an object");
    constants.extend(chosen.iter().map(|(name, value)| (name.as_str(), value.clone())));
    Recipe::of(&constants)
}

fn fit_base(
    rows: &[LabelledExample<'_>],
    thresholds: &Thresholds,
    settings: &FitSettings,
) -> Result<Base, FitError> {
    let sampling = Sampling {
        as_of: settings.as_of,
        half_life_days: settings.hyperparameters.half_life_days,
        rows_max: settings.hyperparameters.rows_max,
        seed: settings.seed,
    };
    let shares = hour_shares(rows);
    let drawn: Vec<Vec<Drawn>> =
        thresholds.iter().map(|threshold| draw(rows, threshold, &sampling, &shares)).collect();
    let logistic =
        fit_logistic(rows, &drawn, &settings.hyperparameters).ok_or(FitError::Degenerate)?;
    let trees = fit_trees(rows, &drawn, &logistic, (&settings.hyperparameters, settings.seed))
        .ok_or(FitError::Degenerate)?;
    Ok(Base { logistic, trees })
}

impl Base {
    fn components(&self, example: &Example, threshold: usize) -> Components {
        self.around(self.logistic.log_odds(example, threshold), example, threshold)
    }

    /// Returns the components around the logistic regression's log-odds.
    fn around(&self, logistic: f64, example: &Example, threshold: usize) -> Components {
        Components {
            climatology: example.offset(threshold),
            logistic,
            trees: logistic + self.trees.correction(example, threshold),
            persistence: log_odds(example.persistence[threshold]),
            lead_day: example.target.lead_day,
        }
    }
}

/// Fits combination and calibration of each threshold on held-out rows.
fn combine(base: &Base, held_out: &[LabelledExample<'_>], thresholds: &Thresholds) -> Tried {
    let shares = hour_shares(held_out);
    let of_threshold = |(index, threshold): (usize, DollarsPerMwh)| {
        let known = held_out.iter().zip(&shares).filter_map(|(row, &share)| {
            let hour = HeldOutHour {
                issue_time: row.issue_time,
                start: row.example.target.hour.start,
                exceeded: row.outcome.exceeds(threshold)?,
                components: base.components(row.example, index),
                share,
            };
            Some((row.example, hour))
        });
        let (examples, tried): (Vec<&Example>, Vec<HeldOutHour>) = known.unzip();
        // Scored with the prior mixture: the fitted one has seen these hours.
        let prior = FittedCombination::prior(&tried);
        let loss = |(example, hour): (&&Example, &HeldOutHour)| {
            let loss = |probability: f64| log_loss(probability, hour.exceeded);
            HeldOutLoss {
                start: hour.start,
                exceeded: hour.exceeded,
                mixture: loss(probability(prior.combine(&hour.components))),
                climatologies: [example.climatology[index], example.climatology_recent[index]]
                    .map(loss),
            }
        };
        let losses: Vec<HeldOutLoss> = examples.iter().zip(&tried).map(loss).collect();
        let combination = FittedCombination::fit(&tried);
        let calibration = Calibration::chosen(&combination, &tried);
        (combination, calibration, HeldOut::of(threshold, &losses))
    };
    let mut all = Tried { combination: Vec::new(), calibration: Vec::new(), scores: Vec::new() };
    for (combination, calibration, scores) in thresholds.iter().enumerate().map(of_threshold) {
        all.combination.push(combination);
        all.calibration.push(calibration);
        all.scores.push(scores);
    }
    all
}

impl FittedModel {
    /// Forecasts one example: a prediction for each threshold, probabilities never increasing.
    #[must_use]
    pub fn predict(&self, example: &Example) -> Vec<Prediction> {
        let mut center = Vec::with_capacity(self.thresholds.len());
        let mut components = Vec::with_capacity(self.thresholds.len());
        let mut lower = Vec::with_capacity(self.thresholds.len());
        let mut upper = Vec::with_capacity(self.thresholds.len());
        for (index, combination) in self.combination.iter().enumerate() {
            let logistic = self.base.logistic.forecast(example, index);
            let parts = self.base.around(logistic.log_odds, example, index);
            let disagreement = (parts.logistic - parts.trees) / 2.0;
            let variance =
                logistic.variance + disagreement * disagreement + combination.bias_variance();
            let margin = INTERVAL_QUANTILE * variance.sqrt();
            let combined = combination.combine(&parts);
            let calibration = &self.calibration[index];
            center.push(calibration.apply(combined));
            lower.push(calibration.apply(combined - margin));
            upper.push(calibration.apply(combined + margin));
            components.push(parts);
        }
        non_increasing(&mut center);
        non_increasing(&mut lower);
        non_increasing(&mut upper);
        components
            .iter()
            .enumerate()
            .map(|(index, parts)| Prediction {
                probability: probability(center[index]),
                lower: probability(lower[index].min(center[index])),
                upper: probability(upper[index].max(center[index])),
                climatology: example.climatology[index],
                climatology_recent: example.climatology_recent[index],
                persistence: example.persistence[index],
                logistic: probability(parts.logistic),
                boosted_trees: probability(parts.trees),
            })
            .collect()
    }

    pub(super) fn logistic(&self) -> &FittedLogistic {
        &self.base.logistic
    }

    pub(super) fn trees(&self) -> &FittedTrees {
        &self.base.trees
    }

    pub(super) fn calibration(&self, threshold: usize) -> &Calibration {
        &self.calibration[threshold]
    }

    /// Returns how each threshold's log-odds are corrected: `identity`, `platt`, `beta` or `isotonic`.
    #[must_use]
    pub fn calibration_methods(&self) -> Vec<&'static str> {
        self.calibration.iter().map(Calibration::name).collect()
    }

    /// Returns bias and weights of logistic, trees and persistence at one threshold and lead day.
    pub(super) fn weights(&self, threshold: usize, lead_day: u8) -> [f64; 4] {
        self.combination[threshold].terms(lead_day)
    }

    /// Returns the thresholds in $/MWh that the model was fitted for.
    #[must_use]
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// Returns where the model comes from.
    #[must_use]
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// Returns how the combination did on held-out days, by threshold; empty after a history
    /// too short to hold any out.
    #[must_use]
    pub fn held_out(&self) -> &[HeldOut] {
        &self.held_out
    }

    /// Returns how many trees speak on top of the logistic regression; often none.
    #[must_use]
    pub fn tree_count(&self) -> usize {
        self.base.trees.count()
    }

    /// Returns what each component counts for by name, together 1: mean over thresholds and lead days.
    #[must_use]
    pub fn component_shares(&self) -> [(&'static str, f64); 4] {
        let names = ["climatology", "logistic regression", "boosted trees", "persistence"];
        std::array::from_fn(|index| {
            (names[index], mean(self.combination.iter().map(|it| it.shares()[index])))
        })
    }
}
