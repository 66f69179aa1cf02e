//! Analogs: what prices did in past hours with a net load like the target hour's.
//!
//! Hours of the same time of day (± 1 h) are weighed by how near their net load and its ramp lie,
//! and by age. Where the target's net load is a proxy, not a forecast, more hours count as near.

use std::sync::OnceLock;

use jiff::Timestamp;
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::time::OperatingDay;

use super::hour_table::hour_number;
use super::net_load::{GIGAWATT, HOUR, NetLoad, WINDOW_DAYS};
use super::prices::scaled;
use super::registry::ReadBy::Both;
use super::registry::{Family, Feature, FeatureGroup, Input};
use crate::horizon::TargetHour;
use crate::threshold::Thresholds;

const INPUTS: &[Input] = &[
    Input::LoadForecast,
    Input::WindForecast,
    Input::SolarForecast,
    Input::LoadActual,
    Input::RenewablesActual,
    Input::RealTimePrices,
];
const EXCEEDANCE: Family = Family { group: FeatureGroup::Analogs, inputs: INPUTS };
const PRICES: Family = Family {
    group: FeatureGroup::Analogs,
    inputs: &[
        Input::LoadForecast,
        Input::WindForecast,
        Input::SolarForecast,
        Input::LoadActual,
        Input::RenewablesActual,
        Input::RealTimePrices,
        Input::DayAheadPrices,
    ],
};

/// Common to all thresholds.
#[rustfmt::skip]
pub(super) const COMMON_FEATURES: [Feature; 2] = [
    PRICES.feature(Both, "analog_dam", "scaled price", "day-ahead price in hours of the last weeks with a net load like the target's"),
    PRICES.feature(Both, "analog_rt_max", "scaled price", "highest 5-minute price in hours of the last weeks with a net load like the target's"),
];

/// Each threshold has its own.
#[rustfmt::skip]
pub(super) const THRESHOLD_FEATURES: [Feature; 1] = [
    EXCEEDANCE.feature(Both, "analog_exceedance", "log-odds", "frequency of exceedance in hours of the last 400 days with a net load like the target's, beyond the climatology"),
];

/// How far net load and its ramp may differ, in GW, and how fast an hour is forgotten.
const NET_WIDTH: f64 = 2.5;
const RAMP_WIDTH: f64 = 3.0;
const PROXY_WIDENING: f64 = 2.0;
const EXCEEDANCE_HALF_LIFE_DAYS: f64 = 150.0;
const PRICE_HALF_LIFE_DAYS: f64 = 12.0;
/// Prices that weigh less than this are left out: those of hours older than eighty days.
const PRICE_WEIGHT_MIN: f64 = 0.01;
/// Hours of experience that the climatology counts for.
const SHRINKAGE_HOURS: f64 = 10.0;
const RAMP_HOURS: u8 = 3;

/// A past hour.
struct Analog {
    net: f64,
    ramp: f64,
    exceedance_weight: f64,
    price_weight: f64,
    exceeded: usize,
    max: f64,
    dam: f64,
}

/// The past hours by hour of day.
pub(super) struct Analogs {
    by_hour: Vec<Vec<Analog>>,
    thresholds: usize,
}

/// What analogs say about a target hour.
pub(super) struct Said {
    pub(super) dam: f64,
    pub(super) max: f64,
    /// By threshold: weighted exceedances; and the weight of all analogs.
    exceedances: Vec<f64>,
    weight: f64,
}

impl Said {
    /// Returns the frequency of exceedance, shrunk to the climatology.
    pub(super) fn frequency(&self, threshold: usize, climatology: f64) -> f64 {
        (self.exceedances[threshold] + SHRINKAGE_HOURS * climatology)
            / (self.weight + SHRINKAGE_HOURS)
    }
}

impl Analogs {
    pub(super) fn of(
        view: &KnownAt<'_>,
        point: &SettlementPoint,
        thresholds: &Thresholds,
        net: &NetLoad<'_>,
    ) -> Self {
        let now = view.instant();
        let from = now - jiff::SignedDuration::from_hours(24 * WINDOW_DAYS);
        let series = |series: Series| view.series(&SeriesKey::at(series, point)).between(from, now);
        let mut maxima = series(Series::HourlyMaxLmp).peekable();
        let mut dam = series(Series::DayAheadSpp).peekable();
        let weights = weights_by_age();
        let mut by_hour: Vec<Vec<Analog>> = (0..24).map(|_| Vec::new()).collect();
        for (index, hour) in net.hours.iter().enumerate() {
            let start = hour.start;
            while maxima.next_if(|known| known.interval_start < start).is_some() {}
            while dam.next_if(|known| known.interval_start < start).is_some() {}
            let Some(max) = maxima.next_if(|known| known.interval_start == start) else {
                continue;
            };
            let dam = dam.next_if(|known| known.interval_start == start);
            let earlier = index.checked_sub(usize::from(RAMP_HOURS)).map(|i| &net.hours[i]);
            let Some(earlier) = earlier.filter(|hour| hour.start == before(start)) else {
                continue;
            };
            let ramp = (hour.net() - earlier.net()) / GIGAWATT;
            if ramp.is_nan() {
                continue;
            }
            let age_hours = usize::try_from(hour_number(now) - hour_number(start)).unwrap_or(0);
            let [exceedance_weight, price_weight] = weights[age_hours.min(weights.len() - 1)];
            // The prices of older hours weigh next to nothing, and scaling them takes time.
            let is_recent = PRICE_WEIGHT_MIN < price_weight;
            let price = |price: f64| if is_recent { scaled(price) } else { f64::NAN };
            by_hour[hour.hour].push(Analog {
                net: hour.net() / GIGAWATT,
                ramp,
                exceedance_weight,
                price_weight,
                exceeded: thresholds.exceeded_by(max.value),
                max: price(max.value),
                dam: dam.map_or(f64::NAN, |dam| price(dam.value)),
            });
        }
        // The issue day's day-ahead prices are the newest there are; its load is not known yet.
        let dam = view.series(&SeriesKey::at(Series::DayAheadSpp, point));
        let today = OperatingDay::of(now);
        for known in dam.between(today.start(), today.end()) {
            let best = net.best(known.interval_start);
            let ramp = best.net() - net.best(before(known.interval_start)).net();
            if ramp.is_nan() {
                continue;
            }
            by_hour[best.hour].push(Analog {
                net: best.net() / GIGAWATT,
                ramp: ramp / GIGAWATT,
                exceedance_weight: 0.0,
                price_weight: 1.0,
                exceeded: 0,
                max: f64::NAN,
                dam: scaled(known.value),
            });
        }
        Self { by_hour, thresholds: thresholds.count() }
    }

    pub(super) fn say(&self, target: &TargetHour, net: &NetLoad<'_>) -> Said {
        let start = target.hour.start;
        let best = net.best(start);
        let ramp = (best.net() - net.best(before(start)).net()) / GIGAWATT;
        let level = best.net() / GIGAWATT;
        let is_forecast = !net.forecast(start).net().is_nan();
        let widening = if is_forecast { 1.0 } else { PROXY_WIDENING };
        let (net_width, ramp_width) = (NET_WIDTH * widening, RAMP_WIDTH * widening);
        let mut said =
            Said { dam: 0.0, max: 0.0, exceedances: vec![0.0; self.thresholds], weight: 0.0 };
        let (mut dam_weight, mut max_weight) = (0.0, 0.0);
        if level.is_nan() || ramp.is_nan() {
            return Said { dam: f64::NAN, max: f64::NAN, ..said };
        }
        for (shift, nearness) in [(23, 0.5), (24, 1.0), (25, 0.5)] {
            for analog in &self.by_hour[(best.hour + shift) % 24] {
                let (net, ramp) =
                    ((analog.net - level) / net_width, (analog.ramp - ramp) / ramp_width);
                let distance = net * net + ramp * ramp;
                if DISTANCE_MAX < distance {
                    continue;
                }
                let near = nearness * (-distance / 2.0).exp();
                let weight = near * analog.exceedance_weight;
                said.weight += weight;
                for exceedances in &mut said.exceedances[..analog.exceeded] {
                    *exceedances += weight;
                }
                let weight = near * analog.price_weight;
                if !analog.max.is_nan() {
                    said.max += weight * analog.max;
                    max_weight += weight;
                }
                if !analog.dam.is_nan() {
                    said.dam += weight * analog.dam;
                    dam_weight += weight;
                }
            }
        }
        let mean = |sum: f64, weight: f64| if weight < 1e-3 { f64::NAN } else { sum / weight };
        said.dam = mean(said.dam, dam_weight);
        said.max = mean(said.max, max_weight);
        said
    }
}

/// Returns what an hour weighs for exceedances and for prices, by age in hours; computed once.
fn weights_by_age() -> &'static [[f64; 2]] {
    static WEIGHTS: OnceLock<Vec<[f64; 2]>> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let half_lives = [EXCEEDANCE_HALF_LIFE_DAYS, PRICE_HALF_LIFE_DAYS];
        let weights = |age: u32| half_lives.map(|days| (-f64::from(age) / 24.0 / days).exp2());
        (0..u32::try_from(WINDOW_DAYS * 24 + 24).unwrap_or(u32::MAX)).map(weights).collect()
    })
}

/// Hours further away than three widths weigh nothing worth computing.
const DISTANCE_MAX: f64 = 9.0;

fn before(start: Timestamp) -> Timestamp {
    start - HOUR * i32::from(RAMP_HOURS)
}
