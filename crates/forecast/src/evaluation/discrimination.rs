//! Can the forecast tell hours with from hours without exceedance? ROC area, average precision.

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
    fn nothing_to_tell_apart_is_not_a_number() {
        assert!(roc_auc(&[(0.5, true)]).is_nan());
        assert!(average_precision(&[(0.5, false)]).is_nan());
    }
}
