//! The median and the median absolute deviation: what is usual, whatever the outliers are.

/// Makes a median absolute deviation comparable to a standard deviation, for normal values.
const TO_STANDARD: f64 = 1.4826;

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    pub(super) median: f64,
    /// In units of a standard deviation.
    pub(super) deviation: f64,
}

/// Returns what is usual among some values; `None` without any.
pub(super) fn usual(values: &[f64]) -> Option<Usual> {
    let median = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    Some(Usual { median, deviation: TO_STANDARD * self::median(&distances)? })
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[middle - 1], upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_changes_neither_median_nor_deviation() {
        let usual_of = |last: f64| usual(&[10.0, 11.0, 12.0, 13.0, last]).unwrap();
        // Distances from 12 are 2, 1, 0, 1 and that of the last.
        let expected = Usual { median: 12.0, deviation: 1.4826 };
        assert_eq!(usual_of(14.0), expected);
        assert_eq!(usual_of(9_000.0), expected);
        assert_eq!(usual(&[1.0, 3.0]).unwrap().median.to_bits(), 2f64.to_bits());
        assert_eq!(usual(&[]), None);
    }
}
