//! What a forecast is worth to somebody who can pay a cost to avoid a loss: relative economic value
//! (Richardson, 2000).
//!
//! V(α) = (E_climate − E_forecast) / (E_climate − E_perfect), with expenses per loss: whoever acts
//! when the probability reaches α = cost/loss pays α for each alert and 1 for each miss; whoever
//! knows only the base rate ō pays min(α, ō), whoever knows everything α·ō. 1 is perfect, 0 worth
//! nothing, below 0 worse than knowing the base rate. Acting at α is best if the forecast is
//! calibrated, so miscalibration costs value here.

use crate::arithmetic::{number, outcome};

/// The value to somebody with a cost–loss ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Cost of acting by the loss it avoids.
    pub cost_loss_ratio: f64,
    /// Relative economic value; NaN where nothing or everything exceeded.
    pub value: f64,
}

/// Ratios from 1 in 1,000 to 0.8, ten for each factor of ten.
const RATIOS: usize = 30;

/// Returns the value curve over cost–loss ratios, from low to high.
#[must_use]
pub fn value_curve(forecasts: &[(f64, bool)]) -> Vec<Value> {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut missed_before = vec![0.0; sorted.len() + 1];
    for (index, (_, exceeded)) in sorted.iter().enumerate() {
        missed_before[index + 1] = missed_before[index] + outcome(*exceeded);
    }
    let hours = number(sorted.len());
    let base_rate = missed_before[sorted.len()] / hours;
    let value = |step: usize| {
        let ratio = 10f64.powf(number(step) / 10.0 - 3.0);
        let quiet = sorted.partition_point(|(p, _)| *p < ratio);
        let alerted = number(sorted.len() - quiet) / hours;
        let expense = alerted * ratio + missed_before[quiet] / hours;
        let climate = ratio.min(base_rate);
        let value = (climate - expense) / (climate - ratio * base_rate);
        let value = if 0.0 < base_rate && base_rate < 1.0 { value } else { f64::NAN };
        Value { cost_loss_ratio: ratio, value }
    };
    (0..RATIOS).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(forecasts: &[(f64, bool)], ratio: f64) -> f64 {
        let curve = value_curve(forecasts);
        curve.iter().find(|point| (point.cost_loss_ratio - ratio).abs() < 1e-9).unwrap().value
    }

    #[test]
    fn four_hours_by_hand() {
        // α = 0.1: alerts at 0.1 and 0.9, one hit, one miss; base rate 1/2.
        let forecasts = [(0.9, true), (0.1, false), (0.05, true), (0.01, false)];
        let expected = (0.1 - (0.5 * 0.1 + 0.25)) / (0.1 - 0.05);
        assert!((at(&forecasts, 0.1) - expected).abs() < 1e-12);
    }

    #[test]
    fn perfect_forecasts_are_worth_one_and_the_base_rate_nothing() {
        let outcomes = [true, false, false, false];
        let perfect = outcomes.map(|exceeded| (outcome(exceeded), exceeded));
        assert!(value_curve(&perfect).iter().all(|point| (point.value - 1.0).abs() < 1e-12));
        let climate = outcomes.map(|exceeded| (0.25, exceeded));
        assert!(value_curve(&climate).iter().all(|point| point.value.abs() < 1e-12));
        assert!(value_curve(&[(0.5, false)])[0].value.is_nan());
    }

    proptest! {
        #[test]
        fn nothing_is_worth_more_than_perfection(
            forecasts in prop::collection::vec((0.0f64..1.0, any::<bool>()), 2..60)
        ) {
            for point in value_curve(&forecasts).iter().filter(|point| !point.value.is_nan()) {
                prop_assert!(point.value <= 1.0 + 1e-9);
            }
        }
    }
}
