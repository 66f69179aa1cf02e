//! Isotonic regression of outcomes on probabilities: pool adjacent violators (Ayer et al., 1955).
//!
//! It is the calibration curve that fits best among all that never fall, and needs no bins.

use crate::arithmetic::{number, outcome};

/// Neighbouring probabilities that isotonic regression gives one observed frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationStep {
    /// The lowest probability.
    pub lowest: f64,
    /// The highest probability.
    pub highest: f64,
    /// How often an exceedance was observed.
    pub observed: f64,
    /// How many forecasts.
    pub hours: usize,
}

/// Equal probabilities: how many, and how many of them came true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tie {
    pub(super) probability: f64,
    pub(super) hours: usize,
    pub(super) exceedances: f64,
}

/// Gathers equal probabilities, in ascending order.
pub(super) fn ties(forecasts: &[(f64, bool)]) -> Vec<Tie> {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tie = |equal: &[(f64, bool)]| Tie {
        probability: equal[0].0,
        hours: equal.len(),
        exceedances: equal.iter().map(|(_, exceeded)| outcome(*exceeded)).sum(),
    };
    sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()).map(tie).collect()
}

/// Returns the steps of the isotonic regression, from low to high.
#[must_use]
pub fn isotonic(forecasts: &[(f64, bool)]) -> Vec<CalibrationStep> {
    pool(&ties(forecasts))
}

pub(super) fn pool(ties: &[Tie]) -> Vec<CalibrationStep> {
    let mut steps: Vec<CalibrationStep> = Vec::new();
    for tie in ties {
        let mut step = CalibrationStep {
            lowest: tie.probability,
            highest: tie.probability,
            observed: tie.exceedances / number(tie.hours),
            hours: tie.hours,
        };
        while let Some(before) = steps.pop_if(|before| step.observed <= before.observed) {
            let (a, b) = (number(before.hours), number(step.hours));
            step.observed = (before.observed * a + step.observed * b) / (a + b);
            step.lowest = before.lowest;
            step.hours += before.hours;
        }
        steps.push(step);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn violators_are_pooled_by_hand() {
        // Outcomes 0, 1, 0, 1 in order of probability: the middle two are pooled to one half.
        let forecasts = [(0.1, false), (0.2, true), (0.3, false), (0.9, true)];
        let steps = isotonic(&forecasts);
        let found: Vec<_> = steps.iter().map(|s| (s.lowest, s.highest, s.observed)).collect();
        assert_eq!(found, [(0.1, 0.1, 0.0), (0.2, 0.3, 0.5), (0.9, 0.9, 1.0)]);
    }

    #[test]
    fn equal_probabilities_get_one_frequency() {
        let steps = isotonic(&[(0.5, true), (0.5, false), (0.5, false)]);
        assert_eq!(steps.len(), 1);
        assert!((steps[0].observed - 1.0 / 3.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn steps_rise_and_keep_every_exceedance(
            forecasts in prop::collection::vec((0.0f64..1.0, any::<bool>()), 1..80)
        ) {
            let steps = isotonic(&forecasts);
            prop_assert!(steps.windows(2).all(|w| w[0].observed < w[1].observed));
            prop_assert!(steps.windows(2).all(|w| w[0].highest < w[1].lowest));
            let kept: f64 = steps.iter().map(|s| s.observed * number(s.hours)).sum();
            let seen = forecasts.iter().filter(|(_, exceeded)| *exceeded).count();
            prop_assert!((kept - number(seen)).abs() < 1e-9);
        }
    }
}
