//! Can the forecast tell hours with from hours without exceedance? ROC area, average precision.

use std::collections::BTreeMap;

/// Returns the area under the ROC curve (Mann–Whitney; ties count half); NaN without both kinds.
#[must_use]
pub fn roc_auc(forecasts: &[(f64, bool)]) -> f64 {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut area, mut positives) = (0.0, 0.0, 0.0);
    for tie in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let (exceeded, quiet) = count(tie);
        area += exceeded * (below + quiet / 2.0);
        below += quiet;
        positives += exceeded;
    }
    area / (positives * below)
}

/// Returns the area under the ROC curve among forecasts of the same group: the share of pairs of
/// one with and one without exceedance, both of one group, that are told apart. By hour of day it
/// takes away what is gained by knowing the clock. NaN without such a pair.
#[must_use]
pub fn within_group_auc(forecasts: &[(f64, bool)], groups: &[u8]) -> f64 {
    assert_eq!(forecasts.len(), groups.len(), "every forecast belongs to a group");
    let mut by_group: BTreeMap<u8, Vec<(f64, bool)>> = BTreeMap::new();
    for (&forecast, &group) in forecasts.iter().zip(groups) {
        by_group.entry(group).or_default().push(forecast);
    }
    let (mut told_apart, mut pairs) = (0.0, 0.0);
    for forecasts in by_group.values() {
        let (exceeded, quiet) = count(forecasts);
        if 0.0 < exceeded && 0.0 < quiet {
            told_apart += roc_auc(forecasts) * exceeded * quiet;
            pairs += exceeded * quiet;
        }
    }
    told_apart / pairs
}

/// Returns the average precision: the mean, over exceedances, of the precision at the threshold
/// that just includes them (ties enter together); NaN without exceedances.
#[must_use]
pub fn average_precision(forecasts: &[(f64, bool)]) -> f64 {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut alerts, mut sum) = (0.0, 0.0, 0.0);
    for tie in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let (exceeded, quiet) = count(tie);
        hits += exceeded;
        alerts += exceeded + quiet;
        sum += exceeded * hits / alerts;
    }
    sum / hits
}

fn count(forecasts: &[(f64, bool)]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let (all, exceeded) =
        (forecasts.len() as f64, forecasts.iter().filter(|(_, exceeded)| *exceeded).count() as f64);
    (exceeded, all - exceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of scikit-learn's documentation: AUC 0.75, average precision 0.8333….
    const EXAMPLE: [(f64, bool); 4] = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];

    #[test]
    fn the_textbook_example() {
        assert!((roc_auc(&EXAMPLE) - 0.75).abs() < 1e-12);
        assert!((average_precision(&EXAMPLE) - 5.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_forecast_discriminates_nothing() {
        let constant = EXAMPLE.map(|(_, exceeded)| (0.3, exceeded));
        assert!((roc_auc(&constant) - 0.5).abs() < 1e-12);
        assert!((average_precision(&constant) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn knowing_the_clock_tells_nothing_within_an_hour_of_day() {
        // The group decides the forecast; within groups there is nothing but ties.
        let forecasts = [(0.1, false), (0.1, false), (0.9, true), (0.9, false), (0.1, true)];
        let groups = [0, 0, 1, 1, 0];
        assert!(0.5 < roc_auc(&forecasts));
        assert!((within_group_auc(&forecasts, &groups) - 0.5).abs() < 1e-12);
        // Two pairs in one group, one told apart; one pair in the other, told apart.
        let forecasts = [(0.2, true), (0.1, false), (0.3, false), (0.9, true), (0.8, false)];
        let found = within_group_auc(&forecasts, &[0, 0, 0, 1, 1]);
        assert!((found - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_tell_apart_is_not_a_number() {
        assert!(roc_auc(&[(0.5, true)]).is_nan());
        assert!(average_precision(&[(0.5, false)]).is_nan());
    }
}
