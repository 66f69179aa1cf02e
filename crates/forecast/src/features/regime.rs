//! Whether exceedances came more often lately than is usual for the season and the hours of day.
//!
//! For each threshold: exceedances seen over exceedances that the climatology expected in the
//! same hours, both with weights that decay with age. A ratio of 1 means that nothing is unusual.

use jiff::SignedDuration;
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;

use super::climatology::Climatology;
use super::hours::Hours;
use super::registry::ReadBy::Logistic;
use super::registry::{Family, Feature, FeatureGroup, Input};
use crate::threshold::Thresholds;

const REGIME: Family = Family { group: FeatureGroup::Regime, inputs: &[Input::RealTimePrices] };

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 3] = [
    REGIME.feature(Logistic, "regime_3d", "log ratio", "ln of exceedances seen ÷ expected by the climatology, half-life 3 days"),
    REGIME.feature(Logistic, "regime_15d", "log ratio", "ln of exceedances seen ÷ expected by the climatology, half-life 15 days"),
    REGIME.feature(Logistic, "regime_60d", "log ratio", "ln of exceedances seen ÷ expected by the climatology, half-life 60 days"),
];

const HALF_LIVES_DAYS: [f64; 3] = [3.0, 15.0, 60.0];
const WINDOW_DAYS: i64 = 240;
/// Exceedances that are assumed seen and expected before any was: keeps quiet times near 0.
const PRIOR: f64 = 1.5;

/// The ratios of an issue time, by threshold.
pub(super) struct Regime(Vec<[f64; 3]>);

impl Regime {
    pub(super) fn of(
        view: &KnownAt<'_>,
        point: &SettlementPoint,
        thresholds: &Thresholds,
        climatology: &Climatology,
    ) -> Self {
        let now = view.instant();
        let from = now - SignedDuration::from_hours(24 * WINDOW_DAYS);
        let maxima = view.series(&SeriesKey::at(Series::HourlyMaxLmp, point));
        let decay = HALF_LIVES_DAYS.map(|days| (-1.0 / (24.0 * days)).exp2());
        // Sums of (seen, expected) for each threshold and half-life, decayed from hour to hour.
        let mut sums = vec![[(0.0, 0.0); 3]; thresholds.count()];
        let mut last = None;
        for (hour, max) in Hours::between(&maxima, from, now).known() {
            let elapsed = last.map_or(1, |last| hour - last);
            last = Some(hour);
            let weights = match elapsed {
                1 => decay,
                _ => decay.map(|d| d.powi(i32::try_from(elapsed).unwrap_or(i32::MAX))),
            };
            let exceeded = thresholds.exceeded_by(max);
            let expected = climatology.long(hour);
            for (threshold, (sums, expected)) in sums.iter_mut().zip(expected).enumerate() {
                let seen = f64::from(u8::from(threshold < exceeded));
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    sum.0 = sum.0 * weight + seen;
                    sum.1 = sum.1 * weight + expected;
                }
            }
        }
        let ratio = |(seen, expected): (f64, f64)| ((seen + PRIOR) / (expected + PRIOR)).ln();
        Self(sums.into_iter().map(|sums| sums.map(ratio)).collect())
    }

    /// Returns the log ratios of a threshold.
    pub(super) fn of_threshold(&self, threshold: usize) -> [f64; 3] {
        self.0[threshold]
    }
}
