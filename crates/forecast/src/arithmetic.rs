//! Counts as numbers, means, ranks, quantiles and weeks: the arithmetic that features, models and
//! measures share.

/// Hours of a week depend on each other, weeks much less so: sums are taken by week.
pub(crate) const WEEK_SECONDS: i64 = 7 * 86_400;

/// Returns the number of the week in which a second since 1970 lies; weeks begin on Thursdays.
pub(crate) fn week_number(second: i64) -> i64 {
    second.div_euclid(WEEK_SECONDS)
}

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

/// Returns the share of ascending values that lie below one, 0 to 1; NaN without values or of NaN.
pub(crate) fn share_below(ascending: &[f64], value: f64) -> f64 {
    if value.is_nan() {
        return f64::NAN;
    }
    number(ascending.partition_point(|&other| other < value)) / number(ascending.len())
}
