//! The exceedance curve between and beyond the thresholds: the probability for any price.
//!
//! Over the logarithm of the price the log-odds are joined by straight lines, beyond the ends the
//! nearest line goes on: prices have tails much like a power law. Never increasing if the
//! probabilities at the thresholds are not.

use crate::probability::{log_odds, probability};

/// Returns the probability that a price is exceeded, from (price in $/MWh, probability) at
/// ascending thresholds; `None` without a threshold or for a price that is not above 0.
#[must_use]
pub fn exceedance_at(curve: &[(f64, f64)], price: f64) -> Option<f64> {
    if !price.is_finite() || price <= 0.0 {
        return None;
    }
    let &(only, known) = curve.first()?;
    if curve.len() == 1 {
        return (price.total_cmp(&only).is_eq()).then_some(known);
    }
    let above = curve.partition_point(|(threshold, _)| *threshold < price);
    let right = above.clamp(1, curve.len() - 1);
    let ((from, p_from), (to, p_to)) = (curve[right - 1], curve[right]);
    let share = (price / from).ln() / (to / from).ln();
    let (z_from, z_to) = (log_odds(p_from), log_odds(p_to));
    Some(probability(z_from + share * (z_to - z_from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CURVE: [(f64, f64); 3] = [(50.0, 0.5), (100.0, 0.2), (200.0, 0.1)];

    #[test]
    fn thresholds_keep_their_probability_and_the_middle_lies_between() {
        for (price, expected) in CURVE {
            assert!((exceedance_at(&CURVE, price).unwrap() - expected).abs() < 1e-12);
        }
        let between = exceedance_at(&CURVE, 70.71).unwrap();
        // Half way in ln price: the odds are the geometric mean of 1 and 1/4.
        assert!((between - 1.0 / 3.0).abs() < 1e-4, "{between}");
        assert!(exceedance_at(&CURVE, 400.0).unwrap() < 0.1);
        assert!(0.5 < exceedance_at(&CURVE, 25.0).unwrap());
    }

    #[test]
    fn what_cannot_be_said_is_not() {
        assert_eq!(exceedance_at(&[], 50.0), None);
        assert_eq!(exceedance_at(&CURVE, -5.0), None);
        assert_eq!(exceedance_at(&CURVE[..1], 60.0), None);
        assert_eq!(exceedance_at(&CURVE[..1], 50.0), Some(0.5));
    }

    proptest! {
        #[test]
        fn higher_prices_are_never_likelier(a in 1.0f64..5_000.0, b in 1.0f64..5_000.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(exceedance_at(&CURVE, high).unwrap() <= exceedance_at(&CURVE, low).unwrap() + 1e-12);
        }
    }
}
