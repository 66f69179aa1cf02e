//! Logistic regression of a few terms that are drawn to what is expected of them: combination and
//! calibration are fitted so.

use super::linear_algebra::{Cholesky, Square, dot};
use crate::arithmetic::outcome;
use crate::probability::probability;

const ITERATIONS: usize = 12;
const STEP_MAX: f64 = 0.5;

/// What happened in an hour, beside its terms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// Log-odds that are given.
    pub(super) offset: f64,
    pub(super) exceeded: bool,
    /// What it counts.
    pub(super) count: f64,
}

/// Fitted terms.
pub(super) struct Shrunken<const TERMS: usize> {
    pub(super) terms: [f64; TERMS],
    /// Information about the first term, that of the prior included.
    pub(super) information: f64,
}

/// Minimises the log-loss of `offset + terms · x` plus ½ Σ precision · (term − prior)²; nothing
/// where the numbers do not allow it.
pub(super) fn fit_shrunken<const TERMS: usize>(
    rows: &[(Evidence, [f64; TERMS])],
    prior: [f64; TERMS],
    precision: [f64; TERMS],
) -> Option<Shrunken<TERMS>> {
    let mut terms = prior;
    let mut information = precision[0];
    for _ in 0..ITERATIONS {
        let mut gradient: Vec<f64> =
            (0..TERMS).map(|i| precision[i] * (terms[i] - prior[i])).collect();
        let mut hessian = Square::zero(TERMS);
        for (evidence, x) in rows {
            let p = probability(evidence.offset + dot(x, &terms));
            let residual = evidence.count * (p - outcome(evidence.exceeded));
            for (g, xi) in gradient.iter_mut().zip(x) {
                *g += residual * xi;
            }
            hessian.add_outer(x, evidence.count * p * (1.0 - p));
        }
        for (i, precision) in precision.iter().enumerate() {
            hessian.values[i * TERMS + i] += precision;
        }
        information = hessian.values[0];
        for (term, step) in terms.iter_mut().zip(Cholesky::of(hessian)?.solve(&gradient)) {
            *term -= step.clamp(-STEP_MAX, STEP_MAX);
        }
    }
    Some(Shrunken { terms, information })
}
