//! The examples of one issue time: a row of features per target hour, and per threshold the
//! climatology and persistence forecasts.

use jiff::Timestamp;
use market::observation::KnownAt;
use market::place::SettlementPoint;

use super::calendar;
use super::climatology::Climatology;
use super::prices::{self, PriceState};
use super::tightness::{self, Tightness};
use super::weather::{self, Weather};
use crate::horizon::{TargetHour, horizon};
use crate::probability::log_odds;
use crate::threshold::Thresholds;

/// Features that differ by threshold: recent climatology and persistence (log-odds beyond the
/// mean of both climatologies), and two decaying spike intensities.
pub const COLUMNS_PER_THRESHOLD: usize = 4;

const NAMES_PER_THRESHOLD: [&str; COLUMNS_PER_THRESHOLD] =
    ["recent_climatology", "persistence", "spike_intensity_2d", "spike_intensity_14d"];

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
    [&calendar::NAMES[..], &prices::NAMES, &tightness::NAMES, &weather::NAMES, &NAMES_PER_THRESHOLD]
        .concat()
}

/// Describes the target hours of the view's instant by what the view knows.
#[must_use]
pub fn examples(view: &KnownAt<'_>, point: &SettlementPoint, thresholds: &Thresholds) -> Examples {
    let issue_time = view.instant();
    let climatology = Climatology::of(view, point, thresholds);
    let prices = PriceState::of(view, point, thresholds);
    let tightness = Tightness::of(view);
    let weather = Weather::of(view);
    let example = |target: TargetHour| {
        let mut common = Vec::new();
        calendar::write(issue_time, &target, &mut common);
        prices.write(&target, &mut common);
        tightness.write(&target, &mut common);
        weather.write(&mut common);
        debug_assert_eq!(common.len() + COLUMNS_PER_THRESHOLD, column_names().len());
        let start = target.hour.start;
        let by =
            |f: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..thresholds.count()).map(f).collect() };
        let long = by(&|threshold| climatology.long(start, threshold));
        let recent = by(&|threshold| climatology.recent(start, threshold));
        let persistence = by(&|threshold| prices.persistence(start, threshold, long[threshold]));
        let by_threshold = (0..thresholds.count()).flat_map(|threshold| {
            let offset = mean_log_odds(long[threshold], recent[threshold]);
            let [fast, slow] = prices.intensities(threshold);
            [
                log_odds(recent[threshold]) - offset,
                log_odds(persistence[threshold]) - offset,
                fast.ln_1p(),
                slow.ln_1p(),
            ]
        });
        Example {
            target,
            by_threshold: by_threshold.map(single).collect(),
            common: common.into_iter().map(single).collect(),
            climatology: long,
            climatology_recent: recent,
            persistence,
        }
    };
    let rows = horizon(issue_time).into_iter().map(example).collect();
    Examples { issue_time, settlement_point: point.clone(), rows }
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are ample for a feature")]
fn single(value: f64) -> f32 {
    value as f32
}
