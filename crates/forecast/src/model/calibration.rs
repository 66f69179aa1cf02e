//! What makes the combination's probabilities come true as often as they say: nothing, or one of
//! three corrections of its log-odds, chosen by rolling out-of-sample log-loss.
//!
//! The held-out days are cut three times. What was known at a cut fits each correction, the days
//! after it score it. A correction is used only where it gained more than chance would give: the
//! combination is calibrated in the large already, and a season's few exceedances mislead.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::combination::{Components, FittedCombination};
use super::fit::EMBARGO;
use super::shrunken::{Evidence, fit_shrunken};
use crate::arithmetic::{mean, number, week_number};
use crate::evaluation::{CalibrationStep, isotonic, log_loss};
use crate::horizon::LEAD_DAYS;
use crate::probability::{log_odds, probability, softplus};

/// A held-out hour: what the models said of it that had not seen it, and what happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldOutHour {
    pub(super) issue_time: Timestamp,
    pub(super) start: Timestamp,
    pub(super) components: Components,
    pub(super) exceeded: bool,
    /// What it counts beside other settlement points' rows of the same hour.
    pub(super) share: f64,
}

/// A correction of log-odds that never falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Calibration {
    /// The combination speaks as it is.
    Identity,
    /// z ↦ a + b·z (Platt, 1999).
    Platt([f64; 2]),
    /// z ↦ c + a·ln p − b·ln(1 − p) (Kull, Silva Filho & Flach, 2017).
    Beta([f64; 3]),
    /// Isotonic regression: log-odds of forecasts and of observed frequencies, straight between.
    Isotonic(Vec<(f64, f64)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Identity,
    Platt,
    Beta,
    Isotonic,
}

const METHODS: [Method; 4] = [Method::Identity, Method::Platt, Method::Beta, Method::Isotonic];

/// How strongly an intercept is drawn to 0 and slopes to 1, in units of information: as strongly as
/// the combination's weights. With a fiftieth of it, calibration to one season cost skill in the next
/// (see `docs/forecast-model.md`).
pub(super) const CALIBRATION_PRECISION: f64 = 20_000.0;
/// Hours that the forecast itself counts for in each step of the isotonic regression.
pub(super) const ISOTONIC_PRIOR_HOURS: f64 = 5_000.0;
/// A curve that never falls can be anything else: it takes this many hours above the threshold.
pub(super) const ISOTONIC_EXCEEDANCES_MIN: f64 = 500.0;
/// A gain must be so many standard errors above nothing.
pub(super) const STANDARD_ERRORS: f64 = 2.0;
/// The held-out days after the first half are scored in so many pieces.
pub(super) const FOLDS: i32 = 3;

impl Calibration {
    /// Returns what becomes of log-odds.
    pub(super) fn apply(&self, z: f64) -> f64 {
        match self {
            Calibration::Identity => z,
            Calibration::Platt([intercept, slope]) => intercept + slope * z,
            Calibration::Beta([intercept, low, high]) => {
                let [ln_p, ln_rest] = log_probabilities(z);
                intercept + low * ln_p - high * ln_rest
            }
            Calibration::Isotonic(knots) => interpolate(knots, z),
        }
    }

    /// Returns the name used in files.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Calibration::Identity => "identity",
            Calibration::Platt(_) => "platt",
            Calibration::Beta(_) => "beta",
            Calibration::Isotonic(_) => "isotonic",
        }
    }

    /// Chooses and fits the correction for the combination of one threshold.
    pub(super) fn chosen(combination: &FittedCombination, held_out: &[HeldOutHour]) -> Self {
        let method = choose(held_out);
        Self::fit(method, combination, held_out).unwrap_or(Calibration::Identity)
    }

    /// Fits one correction; nothing where the hours do not allow it.
    fn fit(method: Method, combination: &FittedCombination, hours: &[HeldOutHour]) -> Option<Self> {
        let forecasts: Vec<(f64, &HeldOutHour)> =
            hours.iter().map(|hour| (combination.combine(&hour.components), hour)).collect();
        let evidence = |hour: &HeldOutHour| Evidence {
            offset: 0.0,
            exceeded: hour.exceeded,
            count: hour.share,
        };
        match method {
            Method::Identity => Some(Calibration::Identity),
            Method::Platt => {
                let rows: Vec<_> =
                    forecasts.iter().map(|(z, hour)| (evidence(hour), [1.0, *z])).collect();
                let fitted = fit_shrunken(&rows, [0.0, 1.0], [CALIBRATION_PRECISION; 2])?;
                let [intercept, slope] = fitted.terms;
                (0.0 < slope).then_some(Calibration::Platt([intercept, slope]))
            }
            Method::Beta => {
                let terms = |z: f64| {
                    let [ln_p, ln_rest] = log_probabilities(z);
                    [1.0, ln_p, -ln_rest]
                };
                let rows: Vec<_> =
                    forecasts.iter().map(|(z, hour)| (evidence(hour), terms(*z))).collect();
                let precision = [CALIBRATION_PRECISION; 3];
                let terms = fit_shrunken(&rows, [0.0, 1.0, 1.0], precision)?.terms;
                (0.0 < terms[1] && 0.0 < terms[2]).then_some(Calibration::Beta(terms))
            }
            Method::Isotonic => {
                // An hour was forecast on each lead day.
                let exceedances: f64 = hours
                    .iter()
                    .filter(|hour| hour.exceeded)
                    .map(|hour| hour.share / f64::from(LEAD_DAYS))
                    .sum();
                let pair = |(z, hour): &(f64, &HeldOutHour)| (probability(*z), hour.exceeded);
                let pairs: Vec<(f64, bool)> = forecasts.iter().map(pair).collect();
                (ISOTONIC_EXCEEDANCES_MIN <= exceedances)
                    .then(|| Calibration::Isotonic(knots(&pairs)))
            }
        }
    }
}

/// Returns the method that gained most over the identity on days after those that it was fitted to.
fn choose(held_out: &[HeldOutHour]) -> Method {
    let folds = Fold::all(held_out);
    let worth = METHODS.into_iter().filter_map(|method| Some((method, worth(method, &folds)?)));
    let best = worth.filter(|(_, worth)| 0.0 < *worth).max_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or(Method::Identity, |(method, _)| method)
}

/// Returns how much log-loss a method surely saves in a week; nothing where it cannot be fitted.
fn worth(method: Method, folds: &[Fold]) -> Option<f64> {
    // By week, because hours of a week are not independent.
    let mut gains: BTreeMap<i64, f64> = BTreeMap::new();
    for fold in folds {
        let calibration = Calibration::fit(method, &fold.combination, &fold.before)?;
        for hour in &fold.after {
            let z = fold.combination.combine(&hour.components);
            let loss = |z: f64| log_loss(probability(z), hour.exceeded);
            let gain = hour.share * (loss(z) - loss(calibration.apply(z)));
            *gains.entry(week_number(hour.start.as_second())).or_default() += gain;
        }
    }
    let gains: Vec<f64> = gains.into_values().collect();
    let average = mean(gains.iter().copied());
    let variance = mean(gains.iter().map(|gain| (gain - average).powi(2)));
    Some(average - STANDARD_ERRORS * (variance / (number(gains.len()) - 1.0)).sqrt())
}

/// What was known at a cut, the combination fitted to it, and the days after it.
struct Fold {
    before: Vec<HeldOutHour>,
    combination: FittedCombination,
    after: Vec<HeldOutHour>,
}

impl Fold {
    fn all(held_out: &[HeldOutHour]) -> Vec<Self> {
        let times = || held_out.iter().map(|hour| hour.issue_time);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return Vec::new() };
        let length = SignedDuration::from_secs((last - first).as_secs() / 2 / i64::from(FOLDS));
        let middle = first + length * FOLDS;
        let fold = |number: i32| {
            let (from, to) = (middle + length * number, middle + length * (number + 1));
            let is_after = |hour: &&HeldOutHour| from <= hour.issue_time && hour.issue_time < to;
            let is_before = |hour: &&HeldOutHour| hour.start < from - EMBARGO;
            let before: Vec<HeldOutHour> = held_out.iter().filter(is_before).copied().collect();
            let combination = FittedCombination::fit(&before);
            let after = held_out.iter().filter(is_after).copied().collect();
            Self { before, combination, after }
        };
        (0..FOLDS).map(fold).collect()
    }
}

/// Returns ln p and ln (1 − p) of log-odds, however large.
fn log_probabilities(z: f64) -> [f64; 2] {
    [-softplus(-z), -softplus(z)]
}

/// Returns the middle of each step of the isotonic regression and the frequency observed there,
/// drawn to the middle itself; both in log-odds.
fn knots(forecasts: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut highest = f64::NEG_INFINITY;
    let knot = |step: CalibrationStep| {
        let hours = number(step.hours);
        let middle = f64::midpoint(log_odds(step.lowest), log_odds(step.highest));
        let prior = ISOTONIC_PRIOR_HOURS * probability(middle);
        let drawn = (step.observed * hours + prior) / (hours + ISOTONIC_PRIOR_HOURS);
        highest = highest.max(log_odds(drawn));
        (middle, highest)
    };
    isotonic(forecasts).into_iter().map(knot).collect()
}

fn interpolate(knots: &[(f64, f64)], z: f64) -> f64 {
    let next = knots.partition_point(|(at, _)| *at <= z);
    match (next.checked_sub(1).and_then(|before| knots.get(before)), knots.get(next)) {
        (Some(a), Some(b)) => a.1 + (z - a.0) / (b.0 - a.0) * (b.1 - a.1),
        (Some(end), None) | (None, Some(end)) => end.1,
        (None, None) => z,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ninety days of hours on three lead days: forecast log-odds between −4 and 2 from hour to hour,
    /// of which `odds` makes how likely an exceedance is.
    fn held_out(odds: impl Fn(f64) -> f64) -> Vec<HeldOutHour> {
        let mut seed = 1_u64;
        let mut uniform = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        let mut hours = Vec::new();
        for hour in 0..90 * 24 {
            let z = 6.0 * uniform() - 4.0;
            let exceeded = uniform() < probability(odds(z));
            for lead_day in 1..=3 {
                let start = Timestamp::from_second(3_600 * (hour + 24 * 4)).unwrap();
                hours.push(HeldOutHour {
                    issue_time: start - SignedDuration::from_hours(24 * lead_day),
                    start,
                    components: Components {
                        climatology: z,
                        logistic: z,
                        trees: z,
                        persistence: z,
                        lead_day: 1,
                    },
                    exceeded,
                    share: 1.0,
                });
            }
        }
        hours
    }

    fn chosen(odds: impl Fn(f64) -> f64) -> Calibration {
        let hours = held_out(odds);
        Calibration::chosen(&FittedCombination::fit(&hours), &hours)
    }

    #[test]
    fn a_calibrated_forecast_is_left_alone() {
        assert_eq!(chosen(|z| z), Calibration::Identity);
    }

    #[test]
    fn a_forecast_that_is_too_sure_is_corrected_towards_what_happened() {
        let calibration = chosen(|z| -1.0 + 0.3 * z);
        assert_ne!(calibration, Calibration::Identity);
        assert!(calibration.apply(2.0) < 2.0 && -4.0 < calibration.apply(-4.0), "{calibration:?}");
    }

    #[test]
    fn few_exceedances_draw_no_curve() {
        let hours = held_out(|z| z - 4.0);
        let combination = FittedCombination::fit(&hours);
        assert_eq!(Calibration::fit(Method::Isotonic, &combination, &hours), None);
        assert!(Calibration::fit(Method::Beta, &combination, &hours).is_some());
        assert_eq!(Calibration::chosen(&combination, &[]), Calibration::Identity);
    }

    proptest! {
        #[test]
        fn no_correction_ever_falls(slope in 0.2f64..2.0, shift in -2.0f64..2.0) {
            let hours = held_out(|z| shift + slope * z);
            let combination = FittedCombination::fit(&hours);
            for calibration in METHODS.map(|method| Calibration::fit(method, &combination, &hours)) {
                let Some(calibration) = calibration else { continue };
                let values: Vec<f64> =
                    (-80..=80).map(|z| calibration.apply(f64::from(z) / 10.0)).collect();
                prop_assert!(values.windows(2).all(|w| w[0] <= w[1]), "{:?}", calibration);
            }
        }
    }
}
