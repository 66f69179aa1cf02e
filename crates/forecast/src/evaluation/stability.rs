//! Do successive forecasts of the same hour change their mind? The flip-flop index (Griffiths et
//! al., 2019), and how far forecasts move at all.

use crate::arithmetic::{mean, number};

/// How forecasts of the same hours moved from issue to issue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stability {
    /// Hours that were forecast at least three times.
    pub hours: usize,
    /// Mean flip-flop index; 0 where every forecast went only one way.
    pub flip_flop: f64,
    /// Mean change of the probability from one issue to the next.
    pub revision: f64,
}

/// Returns the flip-flop index of successive forecasts: (Σ |pᵢ₊₁ − pᵢ| − (max − min)) / (n − 2);
/// `None` with fewer than three.
#[must_use]
pub fn flip_flop_index(issues: &[f64]) -> Option<f64> {
    if issues.len() < 3 {
        return None;
    }
    let highest = issues.iter().copied().fold(f64::MIN, f64::max);
    let lowest = issues.iter().copied().fold(f64::MAX, f64::min);
    Some((path(issues) - (highest - lowest)) / (number(issues.len()) - 2.0))
}

/// Returns the stability over hours, each with its forecasts in the order of issue; NaN where no
/// hour was forecast three times.
#[must_use]
pub fn stability(hours: &[Vec<f64>]) -> Stability {
    let indices: Vec<f64> = hours.iter().filter_map(|issues| flip_flop_index(issues)).collect();
    let full = hours.iter().filter(|issues| 3 <= issues.len());
    let revisions: Vec<f64> =
        full.map(|issues| path(issues) / (number(issues.len()) - 1.0)).collect();
    Stability {
        hours: indices.len(),
        flip_flop: mean(indices.into_iter()),
        revision: mean(revisions.into_iter()),
    }
}

fn path(issues: &[f64]) -> f64 {
    issues.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_flips_and_straight_on_does_not() {
        let check =
            |issues: &[f64], expected: Option<f64>| match (flip_flop_index(issues), expected) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-12, "{found}")
                }
                (found, expected) => assert_eq!(found, expected),
            };
        check(&[0.1, 0.4, 0.1], Some(0.3));
        check(&[0.1, 0.2, 0.4], Some(0.0));
        // The path is 1.1, the range 0.5, and there are two inner issues.
        check(&[0.5, 0.1, 0.6, 0.4], Some(0.3));
        check(&[0.1, 0.2], None);
    }

    #[test]
    fn hours_forecast_too_rarely_do_not_count() {
        let found = stability(&[vec![0.1, 0.4, 0.1], vec![0.9]]);
        assert_eq!(found.hours, 1);
        assert!((found.flip_flop - 0.3).abs() < 1e-12 && (found.revision - 0.3).abs() < 1e-12);
    }
}
