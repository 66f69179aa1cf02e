//! The price thresholds of a forecast, in ascending order.

use market::units::DollarsPerMwh;
use thiserror::Error;

/// Prices whose exceedance is forecast: 1 to 20, ascending, all different.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds(Vec<DollarsPerMwh>);

/// What is wrong with a list of thresholds.
#[derive(Debug, Error, PartialEq)]
pub enum ThresholdsError {
    /// None, or too many.
    #[error("thresholds: expected 1 to {THRESHOLDS_MAX} prices in $/MWh, found {0}")]
    Count(usize),
    /// Not a price that a threshold can be.
    #[error("threshold {0}: expected a price in $/MWh above 0, e.g. 100")]
    NotAPrice(f64),
    /// Out of order.
    #[error("thresholds: expected ascending and different prices, found {1} after {0}")]
    Order(f64, f64),
}

/// More thresholds than this would only slow the work down; the curve between them is smooth.
pub const THRESHOLDS_MAX: usize = 20;

impl Thresholds {
    /// Checks a list of prices in $/MWh.
    pub fn new(prices: &[f64]) -> Result<Self, ThresholdsError> {
        if prices.is_empty() || THRESHOLDS_MAX < prices.len() {
            return Err(ThresholdsError::Count(prices.len()));
        }
        if let Some(pair) = prices.windows(2).find(|pair| pair[1] <= pair[0]) {
            return Err(ThresholdsError::Order(pair[0], pair[1]));
        }
        let price = |&price: &f64| match DollarsPerMwh::new(price) {
            Some(checked) if 0.0 < price => Ok(checked),
            Some(_) | None => Err(ThresholdsError::NotAPrice(price)),
        };
        prices.iter().map(price).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Walks them in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = DollarsPerMwh> + '_ {
        self.0.iter().copied()
    }

    /// Returns the numbers of $/MWh in ascending order.
    #[must_use]
    pub fn prices(&self) -> Vec<f64> {
        self.iter().map(DollarsPerMwh::value).collect()
    }

    /// Returns how many of the thresholds a price exceeds (strictly).
    #[must_use]
    pub fn exceeded_by(&self, price: f64) -> usize {
        self.0.partition_point(|threshold| threshold.value() < price)
    }
}

/// Returns the price below which a share of prices lies, between neighbours by a straight line: a
/// dynamic threshold. `None` of nothing or for a share outside 0 to 1.
#[must_use]
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among some thousand values"
    )]
    let (place, rest) = ((share * last as f64) as usize, (share * last as f64).fract());
    let next = sorted[(place + 1).min(last)];
    Some(sorted[place] + rest * (next - sorted[place]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_ascending_prices_above_zero() {
        assert!(Thresholds::new(&[50.0, 100.0]).is_ok());
        assert_eq!(Thresholds::new(&[]), Err(ThresholdsError::Count(0)));
        assert_eq!(Thresholds::new(&[100.0, 50.0]), Err(ThresholdsError::Order(100.0, 50.0)));
        assert_eq!(Thresholds::new(&[0.0]), Err(ThresholdsError::NotAPrice(0.0)));
    }

    #[test]
    fn an_exceedance_is_strict() {
        let thresholds = Thresholds::new(&[50.0, 100.0]).unwrap();
        assert_eq!([50.0, 50.01, 1e6].map(|price| thresholds.exceeded_by(price)), [0, 1, 2]);
    }

    #[test]
    fn percentiles_by_hand() {
        let values = [40.0, 10.0, 20.0, 30.0];
        let check = |share: f64, expected: f64| {
            assert!((percentile(&values, share).unwrap() - expected).abs() < 1e-12);
        };
        check(0.0, 10.0);
        check(0.5, 25.0);
        check(1.0, 40.0);
    }

    #[test]
    fn of_nothing_there_is_no_percentile() {
        assert_eq!(percentile(&[], 0.5), None);
        assert_eq!(percentile(&[1.0], 1.5), None);
    }
}
