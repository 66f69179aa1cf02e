//! Analogs: what prices did in past hours with a net load like the target hour's.
//!
//! Hours of the same time of day (± 1 h) are weighed by how near their net load and its ramp lie,
//! and by age. Where the target's net load is a proxy, not a forecast, more hours count as near.

use std::sync::OnceLock;

use jiff::SignedDuration;
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::time::OperatingDay;

use super::hour_table::{hour_number, local_hour};
use super::hours::Hours;
use super::net_load::{GIGAWATT, NetLoad, WINDOW_DAYS};
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
/// Hours three widths away weigh nothing.
const WIDTHS_MAX: f64 = 3.0;
const EXCEEDANCE_HALF_LIFE_DAYS: f64 = 150.0;
const PRICE_HALF_LIFE_DAYS: f64 = 12.0;
/// Prices of hours older than this weigh next to nothing.
const PRICE_WINDOW_DAYS: i64 = 80;
/// Hours of experience that the climatology counts for.
const SHRINKAGE_HOURS: f64 = 10.0;
const RAMP_HOURS: i64 = 3;
/// What the same hour of day and its neighbours count for.
const NEIGHBOURS: [(usize, f64); 3] = [(23, 0.5), (24, 1.0), (25, 0.5)];

/// Net load and its ramp, in GW.
#[derive(Clone, Copy)]
struct Likeness {
    net: f64,
    ramp: f64,
}

impl Likeness {
    /// Returns that of an hour; nothing where something is unknown.
    fn of(net: f64, before: f64) -> Option<Self> {
        let ramp = (net - before) / GIGAWATT;
        (!ramp.is_nan()).then_some(Self { net: net / GIGAWATT, ramp })
    }
}

/// What to compare with, and how far away an hour may be.
struct Kernel {
    target: Likeness,
    /// 1 ÷ (widest distance) of net load and ramp.
    scale: Likeness,
}

impl Kernel {
    /// Returns how near an hour is, 0 to 1: much like a Gaussian, but quick, and 0 from three
    /// widths on.
    fn nearness(&self, hour: Likeness) -> f64 {
        let net = (hour.net - self.target.net) * self.scale.net;
        let ramp = (hour.ramp - self.target.ramp) * self.scale.ramp;
        let rest = (1.0 - net * net - ramp * ramp).max(0.0);
        let squared = rest * rest;
        squared * squared
    }
}

/// The past hours of one hour of day.
#[derive(Default)]
struct HourOfDay {
    /// Those that exceeded no threshold: how like, what it weighs.
    quiet: Vec<(Likeness, f64)>,
    /// The others, with how many they exceeded.
    exceeding: Vec<(Likeness, f64, usize)>,
    /// The newest of them.
    priced: Vec<(Likeness, Priced)>,
}

/// What an hour cost, with what it weighs; NaN where unknown.
struct Priced {
    weight: f64,
    max: f64,
    dam: f64,
}

/// The past hours by hour of day.
pub(super) struct Analogs {
    by_hour: [HourOfDay; 24],
    thresholds: usize,
}

/// What analogs say about a target hour.
pub(super) struct Said {
    pub(super) dam: f64,
    pub(super) max: f64,
    /// Weight of the analogs that exceeded so many thresholds.
    by_exceeded: Vec<f64>,
}

impl Said {
    /// Returns the frequency of exceedance, shrunk to the climatology.
    pub(super) fn frequency(&self, threshold: usize, climatology: f64) -> f64 {
        let weight: f64 = self.by_exceeded.iter().sum();
        let exceedances: f64 = self.by_exceeded[threshold + 1..].iter().sum();
        (exceedances + SHRINKAGE_HOURS * climatology) / (weight + SHRINKAGE_HOURS)
    }
}

impl Analogs {
    pub(super) fn of(
        view: &KnownAt<'_>,
        point: &SettlementPoint,
        thresholds: &Thresholds,
        net: &NetLoad,
    ) -> Self {
        let now = view.instant();
        let days_ago = |days: i64| now - SignedDuration::from_hours(24 * days);
        let series = |series: Series| view.series(&SeriesKey::at(series, point));
        let maxima = Hours::between(&series(Series::HourlyMaxLmp), days_ago(WINDOW_DAYS), now);
        let today = OperatingDay::of(now);
        let recent = days_ago(PRICE_WINDOW_DAYS);
        let dam = Hours::between(&series(Series::DayAheadSpp), recent, today.end());
        let (this_hour, recent) = (hour_number(now), hour_number(recent));
        let weights = weights_by_age();
        let mut by_hour: [HourOfDay; 24] = std::array::from_fn(|_| HourOfDay::default());
        for (hour, max) in maxima.known() {
            let before = net.actual.at(hour - RAMP_HOURS).net();
            let Some(likeness) = Likeness::of(net.actual.at(hour).net(), before) else { continue };
            let age_hours = usize::try_from(this_hour - hour).unwrap_or(0);
            let [exceedance_weight, weight] = weights[age_hours.min(weights.len() - 1)];
            let of_day = &mut by_hour[usize::from(local_hour(hour).hour)];
            match thresholds.exceeded_by(max) {
                0 => of_day.quiet.push((likeness, exceedance_weight)),
                exceeded => of_day.exceeding.push((likeness, exceedance_weight, exceeded)),
            }
            if recent <= hour {
                let priced = Priced { weight, max: scaled(max), dam: scaled(dam.at(hour)) };
                of_day.priced.push((likeness, priced));
            }
        }
        // The issue day's day-ahead prices are the newest there are; its load is not known yet.
        for hour in today.hours() {
            let hour = hour_number(hour.start);
            let before = net.best(hour - RAMP_HOURS).net();
            if let Some(likeness) = Likeness::of(net.best(hour).net(), before) {
                let priced = Priced { weight: 1.0, max: f64::NAN, dam: scaled(dam.at(hour)) };
                by_hour[usize::from(local_hour(hour).hour)].priced.push((likeness, priced));
            }
        }
        Self { by_hour, thresholds: thresholds.count() }
    }

    pub(super) fn say(&self, target: &TargetHour, net: &NetLoad) -> Said {
        let number = hour_number(target.hour.start);
        let mut by_exceeded = vec![0.0; self.thresholds + 1];
        let before = net.best(number - RAMP_HOURS).net();
        let Some(target) = Likeness::of(net.best(number).net(), before) else {
            return Said { dam: f64::NAN, max: f64::NAN, by_exceeded };
        };
        let is_forecast = !net.forecast(number).net().is_nan();
        let width = WIDTHS_MAX * if is_forecast { 1.0 } else { PROXY_WIDENING };
        let scale = Likeness { net: 1.0 / (NET_WIDTH * width), ramp: 1.0 / (RAMP_WIDTH * width) };
        let kernel = Kernel { target, scale };
        let (mut max, mut dam) = (WeightedMean::default(), WeightedMean::default());
        for (shift, factor) in NEIGHBOURS {
            let hour = &self.by_hour[(usize::from(local_hour(number).hour) + shift) % 24];
            let quiet = hour.quiet.iter().map(|(likeness, w)| w * kernel.nearness(*likeness));
            by_exceeded[0] += factor * quiet.sum::<f64>();
            for (likeness, weight, exceeded) in &hour.exceeding {
                by_exceeded[*exceeded] += factor * weight * kernel.nearness(*likeness);
            }
            for (likeness, priced) in &hour.priced {
                let weight = factor * priced.weight * kernel.nearness(*likeness);
                max.add(priced.max, weight);
                dam.add(priced.dam, weight);
            }
        }
        Said { dam: dam.value(), max: max.value(), by_exceeded }
    }
}

#[derive(Default)]
struct WeightedMean {
    sum: f64,
    weight: f64,
}

impl WeightedMean {
    fn add(&mut self, value: f64, weight: f64) {
        if !value.is_nan() {
            self.sum += weight * value;
            self.weight += weight;
        }
    }

    /// Returns the mean; NaN where hardly anything was added.
    fn value(&self) -> f64 {
        if self.weight < 1e-3 { f64::NAN } else { self.sum / self.weight }
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
