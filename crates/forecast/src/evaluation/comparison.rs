//! Is one forecaster better than another, or was it luck? The test of Diebold & Mariano (1995) on
//! losses aggregated by issue day.
//!
//! Days are the units, because the hours of a day come from one forecast. Successive forecasts
//! overlap, so the variance of the mean difference is that of Newey & West (1987), Bartlett weights
//! and ⌊4 (n/100)^(2/9)⌋ lags, at least the overlap; the statistic is corrected for small samples
//! (Harvey, Leybourne & Newbold, 1997) and referred to Student's t with n − 1 degrees of freedom.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::arithmetic::{mean, number};

/// The result of a paired comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Days compared.
    pub days: usize,
    /// Mean loss of the first minus that of the second; negative where the first is better.
    pub difference: f64,
    /// The corrected statistic.
    pub statistic: f64,
    /// Two-sided probability of such a difference between equally good forecasters.
    pub p_value: f64,
}

/// Fewer days say nothing about how much days differ.
const DAYS_MIN: usize = 20;
/// Differences that vary less, in shares of themselves, are equal but for rounding.
const ROUNDING: f64 = 1e-12;

/// Averages loss differences by day, in the order of days.
#[must_use]
pub fn by_day(differences: impl IntoIterator<Item = (i64, f64)>) -> Vec<f64> {
    let mut days: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (day, difference) in differences {
        let sums = days.entry(day).or_default();
        sums.0 += difference;
        sums.1 += 1.0;
    }
    days.into_values().map(|(sum, count)| sum / count).collect()
}

/// Compares two forecasters by their loss differences on successive days, of which each overlaps
/// with `horizon` − 1 following ones. `None` with fewer than 20 days or where days do not differ.
#[must_use]
pub fn diebold_mariano(differences: &[f64], horizon: usize) -> Option<Comparison> {
    let days = differences.len();
    if days < DAYS_MIN {
        return None;
    }
    let (n, h) = (number(days), number(horizon));
    let difference = mean(differences.iter().copied());
    let deviation = long_run_variance(differences, lags(days, horizon)).max(0.0).sqrt();
    if deviation <= ROUNDING * difference.abs() {
        return None;
    }
    let correction = ((n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n).sqrt();
    let statistic = correction * difference / (deviation / n.sqrt());
    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("20 days have degrees of freedom");
    let p_value = 2.0 * student.cdf(-statistic.abs());
    Some(Comparison { days, difference, statistic, p_value })
}

/// Returns the lags of the variance: the rule of Newey & West (1994), at least the overlap.
fn lags(days: usize, horizon: usize) -> usize {
    let rule =
        (1..days).take_while(|&lag| number(lag) <= 4.0 * (number(days) / 100.0).powf(2.0 / 9.0));
    rule.count().max(horizon.saturating_sub(1))
}

fn long_run_variance(values: &[f64], lags: usize) -> f64 {
    let centre = mean(values.iter().copied());
    let covariance = |lag: usize| {
        let pairs = values.iter().zip(&values[lag..]);
        pairs.map(|(a, b)| (a - centre) * (b - centre)).sum::<f64>() / number(values.len())
    };
    let weight = |lag: usize| 1.0 - number(lag) / (number(lags) + 1.0);
    let lagged = (1..=lags).map(|lag| 2.0 * weight(lag) * covariance(lag));
    covariance(0) + lagged.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn the_variance_by_hand() {
        // Deviations −1.5, −0.5, 0.5, 1.5: covariances 1.25 and 0.3125, Bartlett weight ½.
        let variance = long_run_variance(&[1.0, 2.0, 3.0, 4.0], 1);
        assert!((variance - (1.25 + 0.3125)).abs() < 1e-12);
    }

    #[test]
    fn lags_follow_the_rule_of_thumb_and_cover_the_overlap() {
        assert_eq!([lags(366, 1), lags(100, 1), lags(20, 1), lags(20, 8)], [5, 4, 2, 7]);
    }

    #[test]
    fn a_steady_advantage_is_significant_and_its_reverse_has_the_other_sign() {
        let better: Vec<f64> = (0..60).map(|day| -0.1 + 0.05 * f64::from(day % 3 - 1)).collect();
        let found = diebold_mariano(&better, 3).unwrap();
        assert!(found.difference < 0.0 && found.statistic < 0.0 && found.p_value < 1e-6);
        let worse: Vec<f64> = better.iter().map(|loss| -loss).collect();
        let reverse = diebold_mariano(&worse, 3).unwrap();
        assert!((reverse.p_value - found.p_value).abs() < 1e-12);
        assert!((reverse.statistic + found.statistic).abs() < 1e-9);
    }

    #[test]
    fn equally_good_forecasters_are_told_apart_in_few_of_many_years() {
        let mut random = Pcg64Mcg::seed_from_u64(3);
        let mut year = || -> Vec<f64> { (0..365).map(|_| random.random::<f64>() - 0.5).collect() };
        let significant =
            (0..400).filter(|_| diebold_mariano(&year(), 3).unwrap().p_value < 0.05).count();
        assert!((8..40).contains(&significant), "{significant} of 400");
    }

    #[test]
    fn few_days_or_no_difference_say_nothing() {
        assert_eq!(diebold_mariano(&[0.1; 19], 3), None);
        assert_eq!(diebold_mariano(&[0.0; 60], 3), None);
        assert_eq!(diebold_mariano(&[0.1; 60], 3), None);
    }

    #[test]
    fn hours_of_a_day_are_averaged() {
        assert_eq!(by_day([(2, 0.5), (1, 1.0), (2, 1.5)]), [1.0, 1.0]);
    }
}
