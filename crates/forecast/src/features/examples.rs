//! The examples of one issue time: a row of features per target hour, and per threshold the
//! climatology and persistence forecasts.

use jiff::Timestamp;
use market::observation::KnownAt;
use market::place::SettlementPoint;

use super::adequacy::Adequacy;
use super::analogs::{self, Analogs};
use super::calendar;
use super::climatology::Climatology;
use super::forecast_error::ForecastErrors;
use super::hour_table::hour_number;
use super::net_load::NetLoad;
use super::prices::{self, PriceState};
use super::regime::{self, Regime};
use super::registry::features;
use super::tightness::{TargetDay, Tightness};
use super::uncertainty::Uncertainty;
use super::weather::Weather;
use crate::horizon::{TargetHour, horizon};
use crate::probability::log_odds;
use crate::threshold::Thresholds;

/// How many features each threshold has of its own.
pub const COLUMNS_PER_THRESHOLD: usize =
    prices::THRESHOLD_FEATURES.len() + regime::FEATURES.len() + analogs::THRESHOLD_FEATURES.len();

/// One target hour as it looked at the issue time.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The hour that is forecast.
    pub target: TargetHour,
    /// Features common to all thresholds, in the order of [`column_names`]; NaN where missing.
    pub common: Vec<f32>,
    /// [`COLUMNS_PER_THRESHOLD`] features for each threshold in turn.
    pub by_threshold: Vec<f32>,
    /// Climatology with a long memory, a probability for each threshold.
    pub climatology: Vec<f64>,
    /// Climatology of the last 365 days, a probability for each threshold.
    pub climatology_recent: Vec<f64>,
    /// Persistence, a probability for each threshold.
    pub persistence: Vec<f64>,
}

impl Example {
    /// Returns the log-odds that the models deviate from: the mean of both climatologies.
    #[must_use]
    pub fn offset(&self, threshold: usize) -> f64 {
        mean_log_odds(self.climatology[threshold], self.climatology_recent[threshold])
    }
}

fn mean_log_odds(a: f64, b: f64) -> f64 {
    (log_odds(a) + log_odds(b)) / 2.0
}

/// The examples of one issue time at one settlement point.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// When the forecast speaks.
    pub issue_time: Timestamp,
    /// Where.
    pub settlement_point: SettlementPoint,
    /// One per target hour, in order.
    pub rows: Vec<Example>,
}

/// Returns the names of the features common to all thresholds, then of those per threshold.
#[must_use]
pub fn column_names() -> Vec<&'static str> {
    features().into_iter().map(|feature| feature.name).collect()
}

/// Describes the target hours of the view's instant by what the view knows.
#[must_use]
pub fn examples(view: &KnownAt<'_>, point: &SettlementPoint, thresholds: &Thresholds) -> Examples {
    let issue_time = view.instant();
    let known = Known::of(view, point, thresholds);
    let horizon = horizon(issue_time);
    let mut rows = Vec::with_capacity(horizon.len());
    for day in horizon.chunk_by(|a, b| a.lead_day == b.lead_day) {
        let target_day = known.tightness.day(&known.net, day);
        rows.extend(day.iter().map(|target| known.describe(*target, &target_day)));
    }
    Examples { issue_time, settlement_point: point.clone(), rows }
}

/// Everything that is computed once for an issue time.
struct Known<'a> {
    issue_time: Timestamp,
    thresholds: usize,
    climatology: Climatology,
    prices: PriceState,
    net: NetLoad,
    tightness: Tightness,
    errors: ForecastErrors,
    adequacy: Adequacy<'a>,
    uncertainty: Uncertainty<'a>,
    weather: Weather,
    regime: Regime,
    analogs: Analogs,
}

impl<'a> Known<'a> {
    fn of(view: &KnownAt<'a>, point: &SettlementPoint, thresholds: &Thresholds) -> Self {
        let net = NetLoad::of(view);
        let climatology = Climatology::of(view, point, thresholds);
        Self {
            issue_time: view.instant(),
            thresholds: thresholds.count(),
            prices: PriceState::of(view, point, thresholds),
            tightness: Tightness::of(view.instant(), &net),
            errors: ForecastErrors::of(view, &net),
            adequacy: Adequacy::of(view),
            uncertainty: Uncertainty::of(view),
            weather: Weather::of(view),
            regime: Regime::of(view, point, thresholds, &climatology),
            analogs: Analogs::of(view, point, thresholds, &net),
            climatology,
            net,
        }
    }

    fn describe(&self, target: TargetHour, day: &TargetDay) -> Example {
        let said = self.analogs.say(&target, &self.net);
        let mut common = Vec::with_capacity(128);
        calendar::write(self.issue_time, &target, &mut common);
        self.prices.write(&target, &mut common);
        self.tightness.write(&self.net, (&target, day), &mut common);
        self.errors.write(&target, &self.net, &mut common);
        self.adequacy.write(&target, &mut common);
        self.uncertainty.write(&target, &mut common);
        self.weather.write(&mut common);
        common.extend([said.dam, said.max]);
        debug_assert_eq!(common.len() + COLUMNS_PER_THRESHOLD, column_names().len());
        let hour = hour_number(target.hour.start);
        let long = self.climatology.long(hour).to_vec();
        let recent = self.climatology.recent(hour).to_vec();
        let persistence: Vec<f64> = (0..self.thresholds)
            .map(|threshold| self.prices.persistence(hour, threshold, long[threshold]))
            .collect();
        let by_threshold = (0..self.thresholds).flat_map(|threshold| {
            let offset = mean_log_odds(long[threshold], recent[threshold]);
            let beyond = |frequency: f64| log_odds(frequency) - offset;
            let [fast, slow] = self.prices.intensities(threshold);
            let [fast_ratio, ratio, slow_ratio] = self.regime.of_threshold(threshold);
            let usual = f64::midpoint(long[threshold], recent[threshold]);
            [
                beyond(recent[threshold]),
                beyond(persistence[threshold]),
                fast.ln_1p(),
                slow.ln_1p(),
                fast_ratio,
                ratio,
                slow_ratio,
                beyond(said.frequency(threshold, usual)),
            ]
        });
        Example {
            target,
            by_threshold: kept(&by_threshold.collect::<Vec<f64>>()),
            common: kept(&common),
            climatology: long,
            climatology_recent: recent,
            persistence,
        }
    }
}

/// Returns features in no more memory than they need. Collecting them out of their own vector would
/// keep all of its memory, and a backtest keeps hundreds of thousands of hours.
fn kept(features: &[f64]) -> Vec<f32> {
    features.iter().copied().map(single).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are ample for a feature")]
fn single(value: f64) -> f32 {
    value as f32
}
