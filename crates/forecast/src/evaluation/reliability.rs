//! Does 10 % happen in one case of ten? Reliability by bins of equal size.

use crate::arithmetic::number;

/// How many bins a reliability diagram and the calibration error have.
pub const RELIABILITY_BINS: usize = 10;

/// Forecasts of similar probability and how often they came true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Mean forecast probability.
    pub forecast: f64,
    /// Observed frequency of exceedance.
    pub observed: f64,
    /// How many forecasts.
    pub count: usize,
}

/// Returns up to `bins` bins of equal size, by ascending probability; equal probabilities are
/// never torn apart, so there may be fewer.
#[must_use]
pub fn reliability(forecasts: &[(f64, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut result = Vec::with_capacity(bins);
    let mut start = 0;
    for bin in 1..=bins {
        let mut end = (bin * sorted.len() / bins).max(start);
        while 0 < end && end < sorted.len() && sorted[end].0 <= sorted[end - 1].0 {
            end += 1;
        }
        if start < end {
            result.push(summarise(&sorted[start..end]));
        }
        start = end;
    }
    result
}

/// How many bars a refinement histogram has between 0 and 1.
pub const REFINEMENT_BARS: usize = 50;

/// Returns the refinement histogram: how many probabilities lie in each of [`REFINEMENT_BARS`] bars
/// of equal width.
#[must_use]
pub fn refinement(forecasts: &[(f64, bool)]) -> Vec<usize> {
    let mut bars = vec![0; REFINEMENT_BARS];
    for (probability, _) in forecasts {
        let ends = (1..REFINEMENT_BARS).map(|bar| number(bar) / number(REFINEMENT_BARS));
        bars[ends.take_while(|end| end <= probability).count()] += 1;
    }
    bars
}

fn summarise(forecasts: &[(f64, bool)]) -> ReliabilityBin {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let mean = |sum: f64| sum / forecasts.len() as f64;
    ReliabilityBin {
        forecast: mean(forecasts.iter().map(|(p, _)| p).sum()),
        observed: mean(forecasts.iter().map(|(_, e)| f64::from(u8::from(*e))).sum()),
        count: forecasts.len(),
    }
}

/// Returns the expected calibration error over [`RELIABILITY_BINS`] bins of equal size.
#[must_use]
pub fn expected_calibration_error(forecasts: &[(f64, bool)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let share = |bin: &ReliabilityBin| bin.count as f64 / forecasts.len() as f64;
    reliability(forecasts, RELIABILITY_BINS)
        .iter()
        .map(|b| share(b) * (b.forecast - b.observed).abs())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_equal_shares_and_ties_stay_together() {
        let forecasts = [(0.1, false), (0.1, true), (0.1, false), (0.9, true)];
        let bins = reliability(&forecasts, 2);
        assert_eq!(bins.iter().map(|b| b.count).collect::<Vec<_>>(), [3, 1]);
        assert!((bins[0].observed - 1.0 / 3.0).abs() < 1e-12);
        let expected = 0.75 * (1.0 / 3.0 - 0.1) + 0.25 * 0.1;
        assert!((expected_calibration_error(&forecasts) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_refinement_bar_begins_where_the_one_before_ends() {
        let bars = refinement(&[(0.0, false), (0.0199, false), (0.02, true), (1.0, true)]);
        assert_eq!((bars[0], bars[1], bars[49], bars.iter().sum::<usize>()), (2, 1, 1, 4));
    }

    #[test]
    fn nothing_has_no_bins() {
        assert!(reliability(&[], 10).is_empty());
    }
}
