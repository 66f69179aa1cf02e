//! Where the Brier score comes from: reliability − resolution + uncertainty (Murphy, 1973).
//!
//! Frequencies in bins are estimates, which makes both reliability and resolution too large; the
//! correction of Bröcker (2012) and Ferro & Fricker (2012) takes the expected excess away:
//! each loses Σ nₖ/n · ōₖ(1−ōₖ)/(nₖ−1), resolution gets ō(1−ō)/(n−1) back, which uncertainty gains too.
//! The sum stays as it is. Corrected terms of a good forecast may be slightly negative.

use super::reliability::ReliabilityBin;
use crate::arithmetic::number;

/// The three terms over bins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Murphy {
    /// Mean squared distance of probabilities from frequencies; 0 is best.
    pub reliability: f64,
    /// Mean squared distance of frequencies from the base rate; more is better.
    pub resolution: f64,
    /// Variance of outcomes: what the base rate itself would score.
    pub uncertainty: f64,
}

/// The terms as binned, and with the bias of binning removed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MurphyTerms {
    /// As binned.
    pub binned: Murphy,
    /// Without the bias that the size of the bins brings.
    pub corrected: Murphy,
}

/// Splits the Brier score over bins; NaN of nothing.
#[must_use]
pub fn murphy(bins: &[ReliabilityBin]) -> MurphyTerms {
    let hours = number(bins.iter().map(|bin| bin.count).sum());
    let share = |bin: &ReliabilityBin| number(bin.count) / hours;
    let sum = |term: &dyn Fn(&ReliabilityBin) -> f64| -> f64 {
        bins.iter().map(|bin| share(bin) * term(bin)).sum()
    };
    let base_rate = if bins.is_empty() { f64::NAN } else { sum(&|bin| bin.observed) };
    let binned = Murphy {
        reliability: sum(&|bin| (bin.forecast - bin.observed).powi(2)),
        resolution: sum(&|bin| (bin.observed - base_rate).powi(2)),
        uncertainty: base_rate * (1.0 - base_rate),
    };
    // The frequency of a bin with one hour has no estimated variance.
    let excess = sum(&|bin| match bin.count {
        0 | 1 => 0.0,
        count => bin.observed * (1.0 - bin.observed) / (number(count) - 1.0),
    });
    let base_rate_variance = binned.uncertainty / (hours - 1.0);
    let corrected = Murphy {
        reliability: binned.reliability - excess,
        resolution: binned.resolution - excess + base_rate_variance,
        uncertainty: binned.uncertainty + base_rate_variance,
    };
    MurphyTerms { binned, corrected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{RELIABILITY_BINS, brier, reliability};
    use proptest::prelude::*;

    fn score(terms: Murphy) -> f64 {
        terms.reliability - terms.resolution + terms.uncertainty
    }

    #[test]
    fn two_bins_by_hand() {
        // 0.2 said four times, true once; 0.6 said four times, true three times. Base rate 1/2.
        let bin = |forecast, observed| ReliabilityBin { forecast, observed, count: 4 };
        let terms = murphy(&[bin(0.2, 0.25), bin(0.6, 0.75)]);
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
        near(terms.binned.reliability, (0.05f64.powi(2) + 0.15f64.powi(2)) / 2.0);
        near(terms.binned.resolution, 0.0625);
        near(terms.binned.uncertainty, 0.25);
        // Each bin: 3/16 / 3 = 1/16; the base rate: 1/4 / 7.
        near(terms.corrected.reliability, 0.0125 - 0.0625);
        near(terms.corrected.resolution, 0.0625 - 0.0625 + 0.25 / 7.0);
        near(terms.corrected.uncertainty, 0.25 * 8.0 / 7.0);
    }

    proptest! {
        #[test]
        fn both_ways_give_the_brier_score_of_discrete_forecasts(
            hours in prop::collection::vec((0usize..5, any::<bool>()), 20..200)
        ) {
            let forecasts: Vec<_> = hours.iter().map(|&(p, e)| (number(p) / 10.0, e)).collect();
            let terms = murphy(&reliability(&forecasts, RELIABILITY_BINS));
            let direct = forecasts.iter().map(|&(p, e)| brier(p, e)).sum::<f64>()
                / number(forecasts.len());
            // Bins may join different probabilities, which only loses what varies within them.
            prop_assert!((score(terms.binned) - score(terms.corrected)).abs() < 1e-12);
            let bins = reliability(&forecasts, 1_000);
            prop_assert!((score(murphy(&bins).binned) - direct).abs() < 1e-12);
        }
    }
}
