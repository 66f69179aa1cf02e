//! Do intervals of probabilities hold what they say? Coverage over bins of like forecasts.
//!
//! A probability's interval cannot be checked on one hour, which is above the threshold or not. So
//! hours are sorted by forecast probability and cut into bins of equal size: a bin is covered when
//! its observed frequency lies between the means of its lower and upper ends. With 90 % intervals
//! and many hours a bin about nine bins of ten should be; chance in the hours themselves lowers it.

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

/// How many bins coverage is measured over.
pub const COVERAGE_BINS: usize = 20;

/// Returns the share of bins whose observed frequency lies within their mean interval, and the
/// mean width of the intervals; `None` with fewer hours than bins.
#[must_use]
pub fn interval_coverage(forecasts: &[IntervalForecast]) -> Option<(f64, f64)> {
    if forecasts.len() < COVERAGE_BINS {
        return None;
    }
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    let bounds = |bin: usize| bin * sorted.len() / COVERAGE_BINS;
    let covered = (0..COVERAGE_BINS)
        .filter(|&bin| {
            let hours = &sorted[bounds(bin)..bounds(bin + 1)];
            let lower = mean(hours.iter().map(|hour| hour.lower));
            let upper = mean(hours.iter().map(|hour| hour.upper));
            let observed = mean(hours.iter().map(|hour| outcome(hour.exceeded)));
            lower <= observed && observed <= upper
        })
        .count();
    let share = number(covered) / number(COVERAGE_BINS);
    Some((share, mean(sorted.iter().map(|hour| hour.upper - hour.lower))))
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
        let check = |probability: f64, margin: f64, expected: f64| {
            let (share, width) = interval_coverage(&hours(probability, margin)).unwrap();
            assert!((share - expected).abs() < 1e-12, "{share}");
            assert!((width - 2.0 * margin).abs() < 1e-9);
        };
        check(0.12, 0.03, 1.0);
        check(0.2, 0.05, 0.0);
    }

    #[test]
    fn a_few_hours_say_nothing() {
        assert_eq!(interval_coverage(&hours(0.1, 0.05)[..19]), None);
    }
}
