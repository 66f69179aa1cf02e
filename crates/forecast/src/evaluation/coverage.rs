//! Do intervals of probabilities hold what they say? Coverage over bins of like forecasts.
//!
//! A probability's interval cannot be checked on one hour, which is above the threshold or not. So
//! hours are sorted by forecast probability and cut into bins in which equally many exceedances are
//! expected: a bin is covered when its observed frequency lies between the means of its lower and
//! upper ends. With 90 % intervals about nine bins of ten should be; chance in the hours themselves
//! lowers it, which is why a bin has to expect some exceedances.

use crate::arithmetic::{mean, number, outcome};

/// A probability with its interval, and what happened.
#[derive(Clone, Copy, Debug)]
pub struct IntervalForecast {
    /// The forecast probability.
    pub probability: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Whether the threshold was exceeded.
    pub exceeded: bool,
}

/// Into how many bins hours are cut at the most.
const BINS_MAX: usize = 20;
/// How many exceedances a bin expects at least.
const EXPECTED_MIN: f64 = 15.0;

/// How many bins' observed frequencies their intervals hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntervalCoverage {
    /// Bins of equally many expected exceedances.
    pub bins: usize,
    /// Those whose observed frequency lies within their mean interval.
    pub covered: usize,
    /// Mean width of the intervals.
    pub width: f64,
}

/// Returns the coverage; `None` where too few exceedances are expected for two bins.
#[must_use]
pub fn interval_coverage(forecasts: &[IntervalForecast]) -> Option<IntervalCoverage> {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let expected: f64 = sorted.iter().map(|hour| hour.probability).sum();
    let bins = (2..=BINS_MAX).rev().find(|bins| EXPECTED_MIN <= expected / number(*bins))?;
    let mut sum = 0.0;
    let mut by_bin: Vec<Vec<IntervalForecast>> = vec![Vec::new(); bins];
    for hour in &sorted {
        // The bin in which the middle of the hour's own share lies.
        let middle = sum + hour.probability / 2.0;
        let bin = (1..bins).take_while(|bin| number(*bin) * expected <= middle * number(bins));
        by_bin[bin.count()].push(*hour);
        sum += hour.probability;
    }
    let is_covered = |hours: &&Vec<IntervalForecast>| {
        let lower = mean(hours.iter().map(|hour| hour.lower));
        let upper = mean(hours.iter().map(|hour| hour.upper));
        let observed = mean(hours.iter().map(|hour| outcome(hour.exceeded)));
        lower <= observed && observed <= upper
    };
    Some(IntervalCoverage {
        bins,
        covered: by_bin.iter().filter(is_covered).count(),
        width: mean(sorted.iter().map(|hour| hour.upper - hour.lower)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours of which every tenth exceeds, forecast as `probability` ± `margin`.
    fn hours(probability: f64, margin: f64) -> Vec<IntervalForecast> {
        let hour = |index: usize| IntervalForecast {
            probability,
            lower: probability - margin,
            upper: probability + margin,
            exceeded: index.is_multiple_of(10),
        };
        (0..2_000).map(hour).collect()
    }

    #[test]
    fn an_interval_that_holds_the_frequency_is_covered_and_a_wrong_one_is_not() {
        let check = |probability: f64, margin: f64, bins: usize, covered: usize| {
            let coverage = interval_coverage(&hours(probability, margin)).unwrap();
            assert_eq!((coverage.bins, coverage.covered), (bins, covered));
            assert!((coverage.width - 2.0 * margin).abs() < 1e-9);
        };
        check(0.12, 0.03, 16, 16);
        check(0.2, 0.05, 20, 0);
    }

    #[test]
    fn few_expected_exceedances_say_nothing() {
        assert_eq!(interval_coverage(&hours(0.1, 0.05)[..290]), None);
        assert_eq!(interval_coverage(&[]), None);
    }
}
