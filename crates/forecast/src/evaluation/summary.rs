//! The scores of one set of hours at one threshold, for each forecaster.

use super::bootstrap::{Interval, skill_interval};
use super::discrimination::{average_precision, roc_auc};
use super::proper::{brier, log_loss};
use super::reliability::{
    RELIABILITY_BINS, ReliabilityBin, expected_calibration_error, reliability,
};
use crate::model::Prediction;

/// Whose probability is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forecaster {
    /// Hour of day × month, all years.
    Climatology,
    /// Hour of day × month, the last 365 days.
    ClimatologyRecent,
    /// The last weeks at the same hour of day.
    Persistence,
    /// Logistic regression.
    Logistic,
    /// Boosted trees.
    BoostedTrees,
    /// The calibrated combination: the forecast that is issued.
    Combined,
}

impl Forecaster {
    /// All of them, the issued one last.
    pub const ALL: [Forecaster; 6] = [
        Forecaster::Climatology,
        Forecaster::ClimatologyRecent,
        Forecaster::Persistence,
        Forecaster::Logistic,
        Forecaster::BoostedTrees,
        Forecaster::Combined,
    ];

    /// Returns the name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Forecaster::Climatology => "climatology",
            Forecaster::ClimatologyRecent => "climatology_recent",
            Forecaster::Persistence => "persistence",
            Forecaster::Logistic => "logistic",
            Forecaster::BoostedTrees => "boosted_trees",
            Forecaster::Combined => "combined",
        }
    }

    /// Returns this forecaster's probability.
    #[must_use]
    pub fn probability(self, prediction: &Prediction) -> f64 {
        match self {
            Forecaster::Climatology => prediction.climatology,
            Forecaster::ClimatologyRecent => prediction.climatology_recent,
            Forecaster::Persistence => prediction.persistence,
            Forecaster::Logistic => prediction.logistic,
            Forecaster::BoostedTrees => prediction.boosted_trees,
            Forecaster::Combined => prediction.probability,
        }
    }
}

/// A forecast hour with what happened.
#[derive(Clone, Copy, Debug)]
pub struct ScoredHour {
    /// When the hour starts, in seconds since 1970 UTC; weeks of it are the bootstrap's blocks.
    pub target_start: i64,
    /// What was forecast.
    pub prediction: Prediction,
    /// Whether the threshold was exceeded.
    pub exceeded: bool,
}

/// Scores of one forecaster on one set of hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Hours with a known outcome.
    pub hours: usize,
    /// How many exceeded the threshold.
    pub exceedances: usize,
    /// Mean Brier score.
    pub brier: f64,
    /// Mean logarithmic score in nats.
    pub log_loss: f64,
    /// 1 − Brier / that of the tougher climatology.
    pub brier_skill: f64,
    /// 1 − log-loss / that of the tougher climatology.
    pub log_loss_skill: f64,
    /// 90 % interval of the log-loss skill (weekly block bootstrap).
    pub log_loss_skill_interval: Option<Interval>,
    /// Area under the ROC curve; NaN without both kinds of hours.
    pub roc_auc: f64,
    /// Average precision; NaN without exceedances. Compare with the base rate.
    pub average_precision: f64,
    /// Expected calibration error, ten bins of equal size.
    pub calibration_error: f64,
    /// Forecast probability against observed frequency in those bins.
    pub reliability: Vec<ReliabilityBin>,
}

const BOOTSTRAP_SEED: u64 = 20_240_101;

/// Scores a forecaster. The reference is, for each score, the tougher of the two climatologies
/// on these very hours.
#[must_use]
pub fn scores(hours: &[ScoredHour], forecaster: Forecaster) -> Scores {
    let pairs = |who: Forecaster| -> Vec<(f64, bool)> {
        hours.iter().map(|h| (who.probability(&h.prediction), h.exceeded)).collect()
    };
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let mean = |loss: &dyn Fn(f64, bool) -> f64, who: Forecaster| {
        pairs(who).iter().map(|&(p, e)| loss(p, e)).sum::<f64>() / hours.len() as f64
    };
    let climatologies = [Forecaster::Climatology, Forecaster::ClimatologyRecent];
    let tougher = |loss: &dyn Fn(f64, bool) -> f64| {
        let means = climatologies.map(|who| (mean(loss, who), who));
        if means[1].0 < means[0].0 { means[1] } else { means[0] }
    };
    let (brier_reference, _) = tougher(&brier);
    let (log_reference, reference) = tougher(&log_loss);
    let forecasts = pairs(forecaster);
    let (brier_mean, log_mean) = (mean(&brier, forecaster), mean(&log_loss, forecaster));
    let losses: Vec<(i64, f64, f64)> = hours
        .iter()
        .map(|h| {
            let loss = |who: Forecaster| log_loss(who.probability(&h.prediction), h.exceeded);
            (h.target_start, loss(forecaster), loss(reference))
        })
        .collect();
    Scores {
        hours: hours.len(),
        exceedances: hours.iter().filter(|h| h.exceeded).count(),
        brier: brier_mean,
        log_loss: log_mean,
        brier_skill: 1.0 - brier_mean / brier_reference,
        log_loss_skill: 1.0 - log_mean / log_reference,
        log_loss_skill_interval: skill_interval(&losses, BOOTSTRAP_SEED),
        roc_auc: roc_auc(&forecasts),
        average_precision: average_precision(&forecasts),
        calibration_error: expected_calibration_error(&forecasts),
        reliability: reliability(&forecasts, RELIABILITY_BINS),
    }
}
