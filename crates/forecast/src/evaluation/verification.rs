//! Everything that is asked of one forecaster on one set of hours: the scores, where they come
//! from, what alerts would have found, and what that is worth.

use super::alerts::{ALERT_BUDGETS, Alerts, alerts};
use super::comparison::{Comparison, by_day, diebold_mariano};
use super::corp::{BandPoint, Corp, consistency_band, corp};
use super::forecaster::Forecaster;
use super::hour::{ScoredHour, ScoredHours};
use super::murphy::{MurphyTerms, murphy};
use super::proper::Loss;
use super::reliability::refinement;
use super::spells::{SeriesHour, Spells, spells};
use super::stability::{Stability, stability};
use super::summary::{Scores, scores};
use super::value::{Value, value_curve};
use std::collections::BTreeMap;

/// The full verification of one forecaster.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// Scores, skill, discrimination, calibration error.
    pub scores: Scores,
    /// Reliability, resolution and uncertainty over the bins.
    pub murphy: MurphyTerms,
    /// Miscalibration, discrimination and uncertainty with the calibration curve.
    pub corp: Corp,
    /// Where that curve would lie if the forecast were calibrated; drawn for the issued one only,
    /// because drawing takes longer than all the rest.
    pub band: Vec<BandPoint>,
    /// How many probabilities lie in each of 50 bars of equal width.
    pub refinement: Vec<usize>,
    /// What each alert budget finds, by hours and by spells.
    pub alerts: Vec<(Alerts, Spells)>,
    /// Relative economic value by cost–loss ratio.
    pub value: Vec<Value>,
}

const BAND_SEED: u64 = 20_240_102;

/// Verifies a forecaster.
#[must_use]
pub fn verification(hours: &ScoredHours, forecaster: Forecaster) -> Verification {
    let scores = scores(hours, forecaster);
    let forecasts = hours.pairs(forecaster);
    let series = series(hours, forecaster);
    Verification {
        murphy: murphy(&scores.reliability),
        corp: corp(&forecasts),
        band: if forecaster == Forecaster::Combined {
            consistency_band(&forecasts, BAND_SEED)
        } else {
            Vec::new()
        },
        refinement: refinement(&forecasts),
        alerts: ALERT_BUDGETS
            .map(|budget| (alerts(&forecasts, budget), spells(&series, budget)))
            .to_vec(),
        value: value_curve(&forecasts),
        scores,
    }
}

fn series(hours: &ScoredHours, forecaster: Forecaster) -> Vec<SeriesHour> {
    let rows = hours.hours().iter().enumerate();
    let row = |(row, hour): (usize, &ScoredHour)| SeriesHour {
        series: (u32::from(hour.point) << 8) | u32::from(hour.lead_day),
        start: hour.target_start,
        probability: hours.probability(forecaster, row),
        exceeded: hour.exceeded,
    };
    rows.map(row).filter(|hour| !hour.probability.is_nan()).collect()
}

/// Compares two forecasters on the hours about which both spoke, by issue day.
#[must_use]
pub fn compare(
    hours: &ScoredHours,
    first: Forecaster,
    second: Forecaster,
    loss: Loss,
) -> Option<Comparison> {
    let hours = hours.said_by(&[first, second]);
    let horizon = hours.hours().iter().map(|hour| hour.lead_day).max()?;
    let difference = |(row, hour): (usize, &ScoredHour)| {
        let of = |who: Forecaster| loss.of(hours.probability(who, row), hour.exceeded);
        (hour.issue_time, of(first) - of(second))
    };
    let days = by_day(hours.hours().iter().enumerate().map(difference));
    diebold_mariano(&days, usize::from(horizon))
}

/// Returns how a forecaster's probabilities moved from issue to issue.
#[must_use]
pub fn stability_of(hours: &ScoredHours, forecaster: Forecaster) -> Stability {
    let mut issues: BTreeMap<(u16, i64), Vec<(i64, f64)>> = BTreeMap::new();
    for (row, hour) in hours.hours().iter().enumerate() {
        let probability = hours.probability(forecaster, row);
        if !probability.is_nan() {
            let target = issues.entry((hour.point, hour.target_start)).or_default();
            target.push((hour.issue_time, probability));
        }
    }
    let in_order = |mut issues: Vec<(i64, f64)>| -> Vec<f64> {
        issues.sort_by_key(|issue| issue.0);
        issues.into_iter().map(|issue| issue.1).collect()
    };
    stability(&issues.into_values().map(in_order).collect::<Vec<_>>())
}
