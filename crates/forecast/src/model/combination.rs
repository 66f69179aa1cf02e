//! The calibrated combination: climatology plus weighted deviations of the other models.
//!
//! In log-odds, per threshold: z = c + b + Σ wₘ (zₘ − c), where c is the climatology. Weights and
//! bias are fitted on held-out days with a Gaussian prior around an even mixture of logistic and
//! trees, so few exceedances move them little, and shrinking every weight shrinks the forecast
//! to climatology.

use serde::{Deserialize, Serialize};

use super::linear_algebra::{Cholesky, Square, dot};
use crate::probability::probability;

/// What is combined, each in log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Components {
    pub(super) climatology: f64,
    pub(super) logistic: f64,
    pub(super) trees: f64,
    pub(super) persistence: f64,
}

const TERMS: usize = 4;

/// Prior means of bias and of the weights of logistic, trees and persistence.
pub(super) const PRIOR: [f64; TERMS] = [0.0, 1.0, 0.5, 0.0];
/// Prior precisions: how many units of information a deviation must be worth.
pub(super) const PRECISION: [f64; TERMS] = [400.0, 20_000.0, 20_000.0, 20_000.0];
const ITERATIONS: usize = 12;
const WEIGHT_MAX: f64 = 1.5;

/// A fitted combination for one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FittedCombination {
    terms: [f64; TERMS],
}

impl Components {
    fn terms(&self) -> [f64; TERMS] {
        [
            1.0,
            self.logistic - self.climatology,
            self.trees - self.logistic,
            self.persistence - self.climatology,
        ]
    }
}

impl FittedCombination {
    /// The combination before any held-out day was seen.
    pub(super) const PRIOR: Self = Self { terms: PRIOR };

    /// Fits the weights to held-out forecasts and what happened.
    pub(super) fn fit(held_out: &[(Components, bool)]) -> Self {
        let mut terms = PRIOR;
        for _ in 0..ITERATIONS {
            let mut gradient: Vec<f64> =
                (0..TERMS).map(|i| PRECISION[i] * (terms[i] - PRIOR[i])).collect();
            let mut hessian = Square::zero(TERMS);
            for (components, exceeded) in held_out {
                let x = components.terms();
                let p = probability(components.climatology + dot(&x, &terms));
                for (g, xi) in gradient.iter_mut().zip(x) {
                    *g += (p - f64::from(u8::from(*exceeded))) * xi;
                }
                hessian.add_outer(&x, p * (1.0 - p));
            }
            for (i, precision) in PRECISION.iter().enumerate() {
                hessian.values[i * TERMS + i] += precision;
            }
            let Some(cholesky) = Cholesky::of(hessian) else { return Self::PRIOR };
            for (term, step) in terms.iter_mut().zip(cholesky.solve(&gradient)) {
                *term -= step.clamp(-0.5, 0.5);
            }
        }
        for weight in &mut terms[1..] {
            *weight = weight.clamp(0.0, WEIGHT_MAX);
        }
        Self { terms }
    }

    /// Combines component forecasts to log-odds.
    pub(super) fn combine(&self, components: &Components) -> f64 {
        components.climatology + dot(&components.terms(), &self.terms)
    }

    /// Returns bias and weights of logistic, trees and persistence.
    pub(super) fn terms(&self) -> [f64; TERMS] {
        self.terms
    }

    /// Returns the weights of logistic, trees and persistence.
    pub(super) fn weights(&self) -> [f64; 3] {
        [self.terms[1], self.terms[2], self.terms[3]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn components(logistic: f64) -> Components {
        Components { climatology: -3.0, logistic, trees: -3.0, persistence: -3.0 }
    }

    #[test]
    fn without_held_out_days_the_prior_speaks() {
        assert_eq!(FittedCombination::fit(&[]), FittedCombination::PRIOR);
        let z = FittedCombination::PRIOR.combine(&components(-1.0));
        assert!((z - (-3.0 + 0.5 * 2.0)).abs() < 1e-12);
    }

    #[test]
    fn a_component_that_misleads_loses_weight_and_one_that_knows_gains() {
        let held_out = |good: bool| -> Vec<(Components, bool)> {
            (0..20_000)
                .map(|i| {
                    let exceeded = i % 20 == 0;
                    let sign = if exceeded == good { 1.0 } else { -1.0 };
                    (components(-3.0 + sign), exceeded)
                })
                .collect()
        };
        let weight = |good: bool| FittedCombination::fit(&held_out(good)).weights()[0];
        assert!(weight(false) < 0.9 * PRIOR[1]);
        assert!(1.1 * PRIOR[1] < weight(true));
    }
}
