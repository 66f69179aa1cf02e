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
}
