//! Where the Brier score comes from, without bins: the CORP decomposition into miscalibration −
//! discrimination + uncertainty (Dimitriadis, Gneiting & Jordan, PNAS 2021).
//!
//! Isotonic regression says what the probabilities should have been. What it would have saved is
//! miscalibration; what it saves against the base rate is discrimination. The consistency band is
//! where the curve of a perfectly calibrated forecast lies in 9 of 10 cases, pointwise, if hours
//! were independent; hours of one day are not, so a curve just outside is no proof.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::isotonic::{CalibrationStep, Tie, pool, ties};
use super::proper::brier;
use crate::arithmetic::{mean, number, part};

/// The decomposition with its curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Corp {
    /// Brier score that recalibration would have saved; 0 is best.
    pub miscalibration: f64,
    /// Brier score that the recalibrated forecast saves against the base rate; more is better.
    pub discrimination: f64,
    /// Brier score of the base rate.
    pub uncertainty: f64,
    /// The calibration curve.
    pub steps: Vec<CalibrationStep>,
}

/// Where the curve of a calibrated forecast would lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// A forecast probability.
    pub forecast: f64,
    /// 5th percentile of the observed frequency.
    pub lower: f64,
    /// 95th percentile.
    pub upper: f64,
}

/// How often outcomes are drawn for a consistency band.
const DRAWS: usize = 200;
/// So many places along the forecasts have a band.
const BAND_POINTS: usize = 40;

/// Splits the mean Brier score; NaN of nothing.
#[must_use]
pub fn corp(forecasts: &[(f64, bool)]) -> Corp {
    let steps = pool(&ties(forecasts));
    let hours = number(forecasts.len());
    let score = mean(forecasts.iter().map(|&(p, exceeded)| brier(p, exceeded)));
    // The Brier score of a step is the variance of its outcomes.
    let variance = |p: f64| p * (1.0 - p);
    let of_steps = |term: &dyn Fn(f64) -> f64| -> f64 {
        steps.iter().map(|step| number(step.hours) * term(step.observed)).sum::<f64>() / hours
    };
    let recalibrated = of_steps(&variance);
    let uncertainty = variance(of_steps(&|observed| observed));
    Corp {
        miscalibration: score - recalibrated,
        discrimination: uncertainty - recalibrated,
        uncertainty,
        steps,
    }
}

/// Returns the consistency band: outcomes are drawn as if every probability were right, and the
/// calibration curve is fitted to them, again and again.
#[must_use]
pub fn consistency_band(forecasts: &[(f64, bool)], seed: u64) -> Vec<BandPoint> {
    let ties = ties(forecasts);
    if ties.is_empty() {
        return Vec::new();
    }
    let places = places(&ties);
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut curves: Vec<Vec<f64>> = vec![Vec::with_capacity(DRAWS); places.len()];
    let mut drawn = ties.clone();
    for _ in 0..DRAWS {
        for tie in &mut drawn {
            let hits = (0..tie.hours).filter(|_| random.random::<f64>() < tie.probability).count();
            tie.exceedances = number(hits);
        }
        let steps = pool(&drawn);
        for (place, values) in places.iter().zip(&mut curves) {
            let step = steps.partition_point(|step| step.highest < *place);
            values.push(steps[step.min(steps.len() - 1)].observed);
        }
    }
    let point = |(forecast, mut values): (f64, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        BandPoint { forecast, lower: part(&values, 1, 20), upper: part(&values, 19, 20) }
    };
    places.into_iter().zip(curves).map(point).collect()
}

/// Returns forecasts spread evenly from the lowest to the highest: what was really said nearest
/// to each, so that the band ends where forecasts end.
fn places(ties: &[Tie]) -> Vec<f64> {
    let (lowest, highest) = (ties[0].probability, ties[ties.len() - 1].probability);
    let mut places: Vec<f64> = (0..=BAND_POINTS)
        .map(|point| {
            let aim = lowest + (highest - lowest) * number(point) / number(BAND_POINTS);
            let at = ties.partition_point(|tie| tie.probability < aim).min(ties.len() - 1);
            ties[at].probability
        })
        .collect();
    places.dedup_by(|a, b| a.total_cmp(b).is_eq());
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_terms_by_hand() {
        // Recalibrated to 0, ½, ½, 1: Brier 1/8. Said: (0.01 + 0.64 + 0.09 + 0.01) / 4. Base rate ½.
        let terms = corp(&[(0.1, false), (0.2, true), (0.3, false), (0.9, true)]);
        assert!((terms.miscalibration - (0.1875 - 0.125)).abs() < 1e-12);
        assert!((terms.discrimination - (0.25 - 0.125)).abs() < 1e-12);
        assert!((terms.uncertainty - 0.25).abs() < 1e-12);
    }

    #[test]
    fn the_curve_of_a_calibrated_forecast_lies_within_its_band_and_of_a_bold_one_does_not() {
        let mut random = Pcg64Mcg::seed_from_u64(5);
        let mut draw = |exponent: f64| -> Vec<(f64, bool)> {
            let hour = |_| {
                let p: f64 = random.random::<f64>();
                (p, random.random::<f64>() < p.powf(exponent))
            };
            (0..4_000).map(hour).collect()
        };
        let outside = |forecasts: &[(f64, bool)]| {
            let steps = corp(forecasts).steps;
            let band = consistency_band(forecasts, 1);
            let is_outside = |point: &&BandPoint| {
                let step = steps.iter().find(|step| point.forecast <= step.highest).unwrap();
                step.observed < point.lower || point.upper < step.observed
            };
            number(band.iter().filter(is_outside).count()) / number(band.len())
        };
        assert!(outside(&draw(1.0)) < 0.35);
        assert!(0.7 < outside(&draw(2.0)));
    }

    #[test]
    fn nothing_has_no_band() {
        assert!(consistency_band(&[], 1).is_empty());
        assert!(corp(&[]).uncertainty.is_nan());
    }

    proptest! {
        #[test]
        fn the_terms_are_never_negative_and_add_up(
            forecasts in prop::collection::vec((0.0f64..1.0, any::<bool>()), 1..80)
        ) {
            let terms = corp(&forecasts);
            let score = mean(forecasts.iter().map(|&(p, e)| brier(p, e)));
            prop_assert!(-1e-12 < terms.miscalibration && -1e-12 < terms.discrimination);
            let sum = terms.miscalibration - terms.discrimination + terms.uncertainty;
            prop_assert!((sum - score).abs() < 1e-12);
        }
    }
}
