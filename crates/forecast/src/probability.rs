//! Probabilities and log-odds.

/// No forecast is surer than this, in either direction; also the clip of the log score.
pub const PROBABILITY_MIN: f64 = 1e-6;

/// Returns the log-odds of a probability, which is clipped to stay finite.
#[must_use]
pub fn log_odds(probability: f64) -> f64 {
    let clipped = clip(probability);
    (clipped / (1.0 - clipped)).ln()
}

/// Returns the probability of log-odds.
#[must_use]
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Returns ln(1 + eᶻ) without overflow: the log-loss of a certain outcome at log-odds −z.
pub(crate) fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// Keeps a probability away from 0 and 1.
#[must_use]
pub fn clip(probability: f64) -> f64 {
    probability.clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN)
}

/// Makes a sequence non-increasing with the least change in squares (pool adjacent violators).
pub fn non_increasing(values: &mut [f64]) {
    let mut pools: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for &value in values.iter() {
        let mut pool = (value, 1);
        while let Some(&(mean, count)) = pools.last() {
            if pool.0 <= mean {
                break;
            }
            pools.pop();
            #[expect(clippy::cast_precision_loss, reason = "a handful of thresholds")]
            let (a, b) = (count as f64, pool.1 as f64);
            pool = ((mean * a + pool.0 * b) / (a + b), count + pool.1);
        }
        pools.push(pool);
    }
    let pooled = pools.iter().flat_map(|&(mean, count)| std::iter::repeat_n(mean, count));
    for (value, pooled) in values.iter_mut().zip(pooled) {
        *value = pooled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn violators_are_averaged_and_the_rest_is_left_alone() {
        let check = |mut values: Vec<f64>, expected: &[f64]| {
            non_increasing(&mut values);
            assert_eq!(values, expected);
        };
        check(vec![3.0, 2.0, 1.0], &[3.0, 2.0, 1.0]);
        check(vec![3.0, 1.0, 2.0], &[3.0, 1.5, 1.5]);
        check(vec![1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]);
        check(vec![], &[]);
    }

    proptest! {
        #[test]
        fn pooling_never_leaves_an_increase(mut values in prop::collection::vec(-9.0f64..9.0, 0..9)) {
            let sum: f64 = values.iter().sum();
            non_increasing(&mut values);
            prop_assert!(values.windows(2).all(|w| w[1] <= w[0]));
            prop_assert!((values.iter().sum::<f64>() - sum).abs() < 1e-9);
        }

        #[test]
        fn log_odds_and_probability_undo_each_other(p in 0.001f64..0.999) {
            prop_assert!((probability(log_odds(p)) - p).abs() < 1e-12);
        }
    }
}
