//! Proper scores: Brier (1950) and the logarithmic score (Good, 1952). Lower is better.

use crate::probability::clip;

/// A proper score, as losses are compared and skill is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The squared error.
    Brier,
    /// The logarithmic score.
    Logarithmic,
}

impl Loss {
    /// Returns the loss of one forecast.
    #[must_use]
    pub fn of(self, probability: f64, exceeded: bool) -> f64 {
        match self {
            Loss::Brier => brier(probability, exceeded),
            Loss::Logarithmic => log_loss(probability, exceeded),
        }
    }
}

/// Returns the squared error of one forecast.
#[must_use]
pub fn brier(probability: f64, exceeded: bool) -> f64 {
    let error = probability - f64::from(u8::from(exceeded));
    error * error
}

/// Returns the logarithmic score of one forecast in nats; probabilities are clipped at 1e-6.
#[must_use]
pub fn log_loss(probability: f64, exceeded: bool) -> f64 {
    let p = clip(probability);
    -if exceeded { p.ln() } else { (1.0 - p).ln() }
}

/// Returns the mean logarithmic score; NaN of nothing.
#[must_use]
pub fn log_loss_of(forecasts: &[(f64, bool)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let count = forecasts.len() as f64;
    forecasts.iter().map(|&(p, exceeded)| log_loss(p, exceeded)).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        assert!((brier(0.8, true) - 0.04).abs() < 1e-12);
        assert!((brier(0.8, false) - 0.64).abs() < 1e-12);
        assert!((log_loss(0.5, true) - std::f64::consts::LN_2).abs() < 1e-12);
        assert!(log_loss(0.0, true).is_finite());
    }
}
