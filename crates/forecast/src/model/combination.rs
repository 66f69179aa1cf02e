//! The calibrated combination: climatology plus weighted deviations of the other models.
//!
//! In log-odds, per threshold: z = c + b + Σ wₘ (zₘ − c), where c is the climatology. Weights and
//! bias are fitted on held-out days with a Gaussian prior around an even mixture of logistic and
//! trees, so few exceedances move them little, and shrinking every weight shrinks the forecast
//! to climatology. Two things the prior knows from 2022 to 2024, each of which years agreed on:
//! forecasts of later lead days should deviate less, and rare thresholds were forecast too often.

use serde::{Deserialize, Serialize};

use super::calibration::HeldOutHour;
use super::linear_algebra::dot;
use super::shrunken::{Evidence, fit_shrunken};
use crate::arithmetic::mean;
use crate::probability::probability;

/// What is combined, each in log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Components {
    pub(super) climatology: f64,
    pub(super) logistic: f64,
    pub(super) trees: f64,
    pub(super) persistence: f64,
    /// 1 to 3.
    pub(super) lead_day: u8,
}

const TERMS: usize = 4;

/// Prior means of bias and of the weights of logistic, trees and persistence.
pub(super) const PRIOR: [f64; TERMS] = [0.0, 1.0, 0.5, 0.0];
/// What the logistic regression's deviation counts for on each lead day.
pub(super) const LEAD_DAY_CONFIDENCE: [f64; 3] = [0.95, 0.9, 0.85];
/// What the prior mean of the bias falls by from a threshold that is usually exceeded in a share of
/// [`COMMON`] hours to one that is exceeded in a share e times less.
pub(super) const RARE_BIAS: f64 = -0.2;
pub(super) const COMMON: f64 = 0.05;
/// Prior precision of the weights: how many units of information a deviation must be worth.
pub(super) const WEIGHT_PRECISION: f64 = 20_000.0;
/// Prior precision of the bias: so much, and so much more times the share of exceedances. How often
/// a rare threshold is exceeded drifts more from year to year.
pub(super) const BIAS_PRECISION: [f64; 2] = [100.0, 8_000.0];
/// So many hours tell as much about the bias as one that does not depend on others: exceedances
/// come in clusters, and every hour counts for three lead days.
pub(super) const CLUSTERING: f64 = 45.0;
const WEIGHT_MAX: f64 = 1.5;

/// A fitted combination for one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FittedCombination {
    terms: [f64; TERMS],
    /// What remains uncertain about the bias, in squared log-odds.
    bias_variance: f64,
}

impl Components {
    fn terms(&self) -> [f64; TERMS] {
        [
            1.0,
            confidence(self.lead_day) * (self.logistic - self.climatology),
            self.trees - self.logistic,
            self.persistence - self.climatology,
        ]
    }
}

fn confidence(lead_day: u8) -> f64 {
    LEAD_DAY_CONFIDENCE[usize::from(lead_day) - 1]
}

impl FittedCombination {
    /// Returns the combination before anything was learnt from the held-out hours but how usual
    /// exceedances are.
    pub(super) fn prior(held_out: &[HeldOutHour]) -> Self {
        Self { terms: prior(held_out), bias_variance: CLUSTERING / BIAS_PRECISION[0] }
    }

    /// Fits the weights to held-out hours.
    pub(super) fn fit(held_out: &[HeldOutHour]) -> Self {
        let rows: Vec<(Evidence, [f64; TERMS])> = held_out
            .iter()
            .map(|hour| {
                let offset = hour.components.climatology;
                let evidence = Evidence { offset, exceeded: hour.exceeded, count: hour.share };
                (evidence, hour.components.terms())
            })
            .collect();
        let Some(fitted) = fit_shrunken(&rows, prior(held_out), precision(held_out)) else {
            return Self::prior(held_out);
        };
        let mut terms = fitted.terms;
        for weight in &mut terms[1..] {
            *weight = weight.clamp(0.0, WEIGHT_MAX);
        }
        Self { terms, bias_variance: CLUSTERING / fitted.information }
    }

    /// Combines component forecasts to log-odds.
    pub(super) fn combine(&self, components: &Components) -> f64 {
        components.climatology + dot(&components.terms(), &self.terms)
    }

    /// Returns what remains uncertain about the bias, in squared log-odds.
    pub(super) fn bias_variance(&self) -> f64 {
        self.bias_variance
    }

    /// Returns bias and weights of logistic, trees and persistence on a lead day.
    pub(super) fn terms(&self, lead_day: u8) -> [f64; TERMS] {
        let [bias, logistic, trees, persistence] = self.terms;
        [bias, confidence(lead_day) * logistic, trees, persistence]
    }

    /// Returns what climatology, logistic, trees and persistence count for, together 1, as a mean
    /// over the lead days. The trees speak on top of the logistic regression.
    pub(super) fn shares(&self) -> [f64; 4] {
        let [_, deviation, trees, persistence] = self.terms;
        let logistic = deviation * mean(LEAD_DAY_CONFIDENCE.into_iter());
        [1.0 - logistic - persistence, logistic - trees, trees, persistence]
    }
}

/// Returns the prior mean of each term.
fn prior(held_out: &[HeldOutHour]) -> [f64; TERMS] {
    let mut prior = PRIOR;
    if !held_out.is_empty() {
        let usual = mean(held_out.iter().map(|hour| probability(hour.components.climatology)));
        prior[0] = RARE_BIAS * (COMMON / usual).ln().max(0.0);
    }
    prior
}

/// Returns the prior precision of each term.
fn precision(held_out: &[HeldOutHour]) -> [f64; TERMS] {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let share =
        held_out.iter().filter(|hour| hour.exceeded).count() as f64 / held_out.len().max(1) as f64;
    let [least, by_share] = BIAS_PRECISION;
    [least + by_share * share, WEIGHT_PRECISION, WEIGHT_PRECISION, WEIGHT_PRECISION]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn components(logistic: f64) -> Components {
        Components { climatology: -2.0, logistic, trees: logistic, persistence: -2.0, lead_day: 2 }
    }

    #[test]
    fn without_held_out_days_the_prior_speaks() {
        let z = FittedCombination::fit(&[]).combine(&components(-1.0));
        assert!((z - (-2.0 + 0.9 * 1.0)).abs() < 1e-12);
    }

    #[test]
    fn a_rare_threshold_is_forecast_less_often_than_the_models_say() {
        let hour = |climatology: f64| HeldOutHour {
            issue_time: Timestamp::UNIX_EPOCH,
            start: Timestamp::UNIX_EPOCH,
            components: Components { climatology, ..components(climatology) },
            exceeded: false,
            share: 1.0,
        };
        let bias = |climatology: f64| FittedCombination::prior(&[hour(climatology)]).terms[0];
        assert!(bias(-1.0).abs() < 1e-12);
        assert!((bias(-6.0) - RARE_BIAS * (0.05 / probability(-6.0)).ln()).abs() < 1e-12);
    }

    #[test]
    fn a_component_that_misleads_loses_weight_and_one_that_knows_gains() {
        let held_out = |good: bool| -> Vec<HeldOutHour> {
            (0..400_000)
                .map(|i| {
                    let exceeded = i % 20 == 0;
                    let sign = if exceeded == good { 1.0 } else { -1.0 };
                    let components = components(-2.0 + sign);
                    let time = Timestamp::UNIX_EPOCH;
                    HeldOutHour { issue_time: time, start: time, components, exceeded, share: 1.0 }
                })
                .collect()
        };
        let weight = |good: bool| FittedCombination::fit(&held_out(good)).terms[1];
        assert!(weight(false) < 0.9 * PRIOR[1]);
        assert!(1.1 * PRIOR[1] < weight(true));
        let shares = FittedCombination::fit(&held_out(true)).shares();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
    }
}
