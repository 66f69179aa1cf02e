//! One number for the whole curve of probabilities over thresholds: the threshold-weighted
//! continuous ranked probability score (Gneiting & Ranjan, 2011).
//!
//! ∫ (P(X > x) − 1{x < y})² w(x) dx from the lowest to the highest threshold with the weight
//! w(x) = 1/x, which is the integral over ln x: a doubling counts the same from $50 to $100 as from
//! $500 to $1,000. Between thresholds the squared error is taken as linear (trapezoids).

use super::proper::brier;

/// A threshold with what was said and what happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// $/MWh.
    pub threshold: f64,
    /// The probability that it is exceeded.
    pub probability: f64,
    /// Whether it was.
    pub exceeded: bool,
}

/// Returns the score of one hour, from points by ascending threshold; lower is better. `None` with
/// fewer than two thresholds.
#[must_use]
pub fn threshold_weighted_crps(curve: &[CurvePoint]) -> Option<f64> {
    let trapezoid = |pair: &[CurvePoint]| {
        let score = |point: &CurvePoint| brier(point.probability, point.exceeded);
        (pair[1].threshold / pair[0].threshold).ln() * (score(&pair[0]) + score(&pair[1])) / 2.0
    };
    (1 < curve.len()).then(|| curve.windows(2).map(trapezoid).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_trapezoids_by_hand() {
        let point =
            |threshold, probability, exceeded| CurvePoint { threshold, probability, exceeded };
        let curve = [point(50.0, 0.5, true), point(100.0, 0.2, false), point(400.0, 0.1, false)];
        let expected = 2f64.ln() * (0.25 + 0.04) / 2.0 + 4f64.ln() * (0.04 + 0.01) / 2.0;
        assert!((threshold_weighted_crps(&curve).unwrap() - expected).abs() < 1e-12);
        assert_eq!(threshold_weighted_crps(&curve[..1]), None);
    }
}
