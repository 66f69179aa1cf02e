//! What a desk gets that can watch only so many hours: hits and false alarms at an alert budget.
//!
//! The hours with the highest probabilities are alerted, as many as the budget allows. Where equal
//! probabilities compete for the last places, each has the same chance and the expected count stands.
//! The cut is found among the scored hours themselves, in hindsight; it is the same for everybody.

use crate::arithmetic::number;

/// Shares of all hours for which a desk can be alerted.
pub const ALERT_BUDGETS: [f64; 3] = [0.01, 0.03, 0.05];

/// The contingency table of an alert budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alerts {
    /// The share of hours that are alerted.
    pub budget: f64,
    /// Alerted hours.
    pub alerts: f64,
    /// Alerted hours that exceeded.
    pub hits: f64,
    /// Hours that exceeded.
    pub exceedances: f64,
    /// The lowest probability that is alerted.
    pub cut: f64,
}

impl Alerts {
    /// Returns the probability of detection (recall).
    #[must_use]
    pub fn detected(&self) -> f64 {
        self.hits / self.exceedances
    }

    /// Returns the precision, which is 1 − the false alarm ratio.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.hits / self.alerts
    }

    /// Returns the critical success index: hits by all that were alerted or should have been.
    #[must_use]
    pub fn critical_success(&self) -> f64 {
        self.hits / (self.alerts + self.exceedances - self.hits)
    }
}

/// Returns what an alert budget gives; NaN ratios where nothing exceeded.
#[must_use]
pub fn alerts(forecasts: &[(f64, bool)], budget: f64) -> Alerts {
    let mut sorted = forecasts.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let alerts = places(forecasts.len(), budget);
    let (mut left, mut hits, mut exceedances, mut cut) = (alerts, 0.0, 0.0, f64::NAN);
    for tie in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let (all, exceeded) =
            (number(tie.len()), number(tie.iter().filter(|(_, exceeded)| *exceeded).count()));
        exceedances += exceeded;
        if 0.0 < left {
            let taken = left.min(all);
            hits += exceeded * taken / all;
            left -= taken;
            cut = tie[0].0;
        }
    }
    Alerts { budget, alerts, hits, exceedances, cut }
}

/// Returns how many of the hours a budget alerts: at least one.
pub(super) fn places(hours: usize, budget: f64) -> f64 {
    (number(hours) * budget).round().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_of_ten_hours_by_hand() {
        let mut forecasts = vec![(0.9, true), (0.8, false), (0.7, true)];
        forecasts.extend([(0.1, false); 7]);
        let table = alerts(&forecasts, 0.2);
        assert_eq!((table.alerts, table.hits, table.exceedances), (2.0, 1.0, 2.0));
        assert_eq!((table.detected(), table.precision(), table.cut), (0.5, 0.5, 0.8));
        assert!((table.critical_success() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn equal_probabilities_share_the_last_places() {
        let table = alerts(&[(0.5, true), (0.5, false), (0.5, false), (0.5, false)], 0.5);
        assert_eq!((table.alerts, table.hits), (2.0, 0.5));
    }

    #[test]
    fn without_exceedances_recall_is_not_a_number() {
        assert!(alerts(&[(0.5, false)], 0.05).detected().is_nan());
    }

    proptest! {
        #[test]
        fn more_alerts_never_find_less(
            forecasts in prop::collection::vec((0.0f64..1.0, any::<bool>()), 1..80)
        ) {
            let [few, more, most] = ALERT_BUDGETS.map(|budget| alerts(&forecasts, 10.0 * budget));
            prop_assert!(few.hits <= more.hits && more.hits <= most.hits + 1e-9);
            prop_assert!(most.hits <= most.exceedances + 1e-9);
        }
    }
}
