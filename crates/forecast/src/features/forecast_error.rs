//! How wrong the load, wind and solar forecasts were in the last week, and how the forecast of the
//! target hour was revised.
//!
//! An hour's error is its actual value less the forecast that was known at this time of day one
//! or two days before: errors of the forecasts that the models see, not of later ones.

use jiff::SignedDuration;
use market::observation::KnownAt;

use super::hour_table::{hour_number, local_hour};
use super::hours::first_hour;
use super::net_load::{GIGAWATT, NetHours, NetLoad};
use super::prices::mean_of;
use super::registry::ReadBy::Logistic;
use super::registry::{FORECAST_NET_LOAD, Family, Feature, FeatureGroup, NET_LOAD};
use crate::horizon::{LEAD_DAYS, TargetHour};

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

const WINDOW_DAYS: i32 = 7;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The errors of the last week.
pub(super) struct ForecastErrors {
    mean: f64,
    absolute: f64,
    load: f64,
    by_hour: Vec<Vec<f64>>,
    /// Forecasts as they were known a day ago.
    day_before: NetHours,
}

impl ForecastErrors {
    pub(super) fn of(view: &KnownAt<'_>, net: &NetLoad) -> Self {
        let now = view.instant();
        let (mut all, mut load) = (Vec::new(), Vec::new());
        let mut by_hour = vec![Vec::new(); 24];
        for days_ago in 1..=WINDOW_DAYS {
            // What was known a day before these 24 hours began; of those that lie beyond its
            // horizon nothing is said.
            let from = first_hour(now - DAY * days_ago);
            let then = view.narrowed_to(now - DAY * (days_ago + 1));
            let forecast = NetHours::forecast(&then, from, from + 24);
            for (number, forecast) in forecast.iter() {
                let actual = net.actual.at(number);
                let error = (actual.net() - forecast.net()) / GIGAWATT;
                if !error.is_nan() {
                    all.push(error);
                    by_hour[usize::from(local_hour(number).hour)].push(error);
                }
                let error = (actual.load - forecast.load) / GIGAWATT;
                if !error.is_nan() {
                    load.push(error);
                }
            }
        }
        let absolute: Vec<f64> = all.iter().map(|error| error.abs()).collect();
        let today = hour_number(now);
        let horizon_end = today + 24 * (i64::from(LEAD_DAYS) + 1) + 1;
        Self {
            mean: mean_of(&all),
            absolute: mean_of(&absolute),
            load: mean_of(&load),
            by_hour,
            day_before: NetHours::forecast(&view.narrowed_to(now - DAY), today, horizon_end),
        }
    }

    pub(super) fn write(&self, target: &TargetHour, net: &NetLoad, row: &mut Vec<f64>) {
        let number = hour_number(target.hour.start);
        let hour = usize::from(local_hour(number).hour);
        let near: Vec<f64> = [23, 24, 25]
            .iter()
            .flat_map(|shift| self.by_hour[(hour + shift) % 24].iter().copied())
            .collect();
        row.extend([
            self.mean,
            mean_of(&near),
            self.absolute,
            self.load,
            (net.forecast(number).net() - self.day_before.at(number).net()) / GIGAWATT,
        ]);
    }
}
