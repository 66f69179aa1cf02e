//! How wrong the load, wind and solar forecasts were in the last week, and how the forecast of the
//! target hour was revised.
//!
//! An hour's error is its actual value less the forecast that was known at this time of day one
//! or two days before: errors of the forecasts that the models see, not of later ones.

use jiff::SignedDuration;
use market::observation::KnownAt;

use super::net_load::{GIGAWATT, NetLoad};
use super::prices::mean_of;
use super::registry::ReadBy::Logistic;
use super::registry::{FORECAST_NET_LOAD, Family, Feature, FeatureGroup, NET_LOAD};
use crate::horizon::TargetHour;

const ERRORS: Family = Family { group: FeatureGroup::ForecastErrors, inputs: NET_LOAD };
const REVISIONS: Family = Family { group: FeatureGroup::ForecastErrors, inputs: FORECAST_NET_LOAD };

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 5] = [
    ERRORS.feature(Logistic, "net_load_error_7d", "GW", "actual less forecast net load, mean of the last 7 days"),
    ERRORS.feature(Logistic, "net_load_error_same_hour_7d", "GW", "actual less forecast net load at the hour of day ± 1, mean of the last 7 days"),
    ERRORS.feature(Logistic, "net_load_absolute_error_7d", "GW", "mean absolute error of the net load forecast, last 7 days"),
    ERRORS.feature(Logistic, "load_error_7d", "GW", "actual less forecast load, mean of the last 7 days"),
    REVISIONS.feature(Logistic, "net_load_revision_1d", "GW", "forecast net load less what was forecast a day earlier; missing where only one vintage is known"),
];

const WINDOW_DAYS: i64 = 7;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The errors of the last week.
pub(super) struct ForecastErrors<'a> {
    mean: f64,
    absolute: f64,
    load: f64,
    by_hour: Vec<Vec<f64>>,
    net: NetVintages<'a>,
}

/// Forecasts as they were known a day ago.
struct NetVintages<'a>(KnownAt<'a>);

impl<'a> ForecastErrors<'a> {
    pub(super) fn of(view: &KnownAt<'a>, net: &NetLoad<'a>) -> Self {
        let now = view.instant();
        let (mut all, mut load) = (Vec::new(), Vec::new());
        let mut by_hour = vec![Vec::new(); 24];
        for days_ago in 1..=WINDOW_DAYS {
            // What was known a day before these 24 hours began; of those that lie beyond its
            // horizon nothing is said.
            let then = NetVintages(view.narrowed_to(now - DAY * i32_of(days_ago + 1)));
            let from = now - SignedDuration::from_hours(24 * days_ago);
            for actual in net.last_days(now, days_ago).iter().take_while(|h| h.start < from + DAY) {
                let forecast = then.forecast(actual.start);
                let error = (actual.net() - forecast.1) / GIGAWATT;
                if !error.is_nan() {
                    all.push(error);
                    by_hour[actual.hour].push(error);
                }
                let error = (actual.load - forecast.0) / GIGAWATT;
                if !error.is_nan() {
                    load.push(error);
                }
            }
        }
        let absolute: Vec<f64> = all.iter().map(|error| error.abs()).collect();
        Self {
            mean: mean_of(&all),
            absolute: mean_of(&absolute),
            load: mean_of(&load),
            by_hour,
            net: NetVintages(view.narrowed_to(now - DAY)),
        }
    }

    pub(super) fn write(&self, target: &TargetHour, net: &NetLoad<'_>, row: &mut Vec<f64>) {
        let start = target.hour.start;
        let forecast = net.forecast(start);
        let near: Vec<f64> = [23, 24, 25]
            .iter()
            .flat_map(|shift| self.by_hour[(forecast.hour + shift) % 24].iter().copied())
            .collect();
        let (_, before) = self.net.forecast(start);
        row.extend([
            self.mean,
            mean_of(&near),
            self.absolute,
            self.load,
            (forecast.net() - before) / GIGAWATT,
        ]);
    }
}

impl NetVintages<'_> {
    /// Returns forecast load and net load of an hour; NaN where no vintage was known.
    fn forecast(&self, start: jiff::Timestamp) -> (f64, f64) {
        use market::observation::{Series, SeriesKey};
        let value = |series: Series| {
            self.0.series(&SeriesKey::system(series)).value_at(start).unwrap_or(f64::NAN)
        };
        let load = value(Series::LoadForecast);
        (load, load - value(Series::WindForecast) - value(Series::SolarForecast))
    }
}

fn i32_of(days: i64) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}
