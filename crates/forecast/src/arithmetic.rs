//! Counts as numbers, means and quantiles: the arithmetic that features, models and measures
//! share.

/// Returns a count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts of hours are far below 2^53")]
pub(crate) fn number(count: usize) -> f64 {
    count as f64
}

/// Returns the mean; NaN of nothing.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = number(values.len());
    values.sum::<f64>() / count
}

/// Returns 1 for an exceedance, else 0.
pub(crate) fn outcome(exceeded: bool) -> f64 {
    f64::from(u8::from(exceeded))
}

/// Returns the value below which `numerator` of `denominator` parts lie, of ascending values.
pub(crate) fn part(ascending: &[f64], numerator: usize, denominator: usize) -> f64 {
    let last = ascending.len() - 1;
    ascending[(numerator * last + denominator / 2) / denominator]
}
