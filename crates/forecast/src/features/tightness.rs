//! Tightness: load less wind and solar of the target hour, against the last 60 days.

use jiff::Timestamp;
use market::time::OperatingDay;

use super::hour_table::{hour_number, local_hour};
use super::net_load::{GIGAWATT, NetHour, NetLoad};
use super::prices::mean_of;
use super::registry::ReadBy::{Both, Trees};
use super::registry::{FORECAST_NET_LOAD, Family, Feature, FeatureGroup, Input, NET_LOAD};
use crate::arithmetic::share_below;
use crate::horizon::TargetHour;

const FORECAST: Family = Family { group: FeatureGroup::Tightness, inputs: FORECAST_NET_LOAD };
const BEST: Family = Family { group: FeatureGroup::Tightness, inputs: NET_LOAD };
const ACTUAL: Family = Family {
    group: FeatureGroup::Tightness,
    inputs: &[Input::LoadActual, Input::RenewablesActual],
};

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 33] = [
    FORECAST.feature(Both, "load_forecast_to_recent_peak", "ratio", "forecast load ÷ highest actual load of 60 days"),
    FORECAST.feature(Both, "wind_forecast_rank", "0 to 1", "share of the last 60 days' hours with less wind than forecast"),
    FORECAST.feature(Both, "solar_forecast_to_recent", "GW", "forecast solar less its 7-day mean at the same hour of day"),
    FORECAST.feature(Both, "net_load_forecast_rank", "0 to 1", "share of the last 60 days' hours with less net load than forecast"),
    FORECAST.feature(Both, "net_load_forecast_z_same_hour", "standard deviations", "forecast net load against the same hour of day, 60 days"),
    FORECAST.feature(Trees, "load_forecast_missing", "0 or 1", "whether no load forecast of the hour was known"),
    FORECAST.feature(Trees, "wind_forecast_missing", "0 or 1", "whether no wind forecast of the hour was known"),
    BEST.feature(Both, "net_load_rank", "0 to 1", "share of the last 60 days' hours with less net load than best known"),
    BEST.feature(Both, "net_load_rank_squared_tail", "0 to 0.9", "10 · (net_load_rank − 0.7)² above 0.7, else 0"),
    BEST.feature(Both, "net_load_z_same_hour", "standard deviations", "best known net load against the same hour of day, 60 days"),
    BEST.feature(Both, "net_load_to_day_max", "ratio", "best known net load ÷ its maximum over the target day"),
    BEST.feature(Both, "net_load_day_max_rank", "0 to 1", "rank of the target day's highest net load among 60 days' hours"),
    BEST.feature(Both, "net_load_ramp_1h", "GW", "best known net load less that of the hour before"),
    BEST.feature(Both, "net_load_ramp_3h", "GW", "best known net load less that of three hours before"),
    BEST.feature(Both, "net_load_ramp_ahead_2h", "GW", "net load two hours later less that of the hour"),
    BEST.feature(Both, "net_load_change_from_issue_day", "GW", "best known net load less that of the issue day's same hour"),
    BEST.feature(Both, "net_load_day_max_change", "GW", "the target day's highest net load less the issue day's"),
    BEST.feature(Both, "net_load_to_annual_peak", "ratio", "best known net load ÷ the 99.5th percentile of 400 days"),
    BEST.feature(Both, "net_load_near_peak", "GW", "how far the best known net load lies above 85 % of the 99.5th percentile of 400 days"),
    ACTUAL.feature(Both, "load_same_hour_last", "ratio", "newest actual load at the hour of day ÷ highest of 60 days"),
    ACTUAL.feature(Both, "load_same_hour_change_week", "GW", "newest actual load at the hour of day less that of a week before"),
    ACTUAL.feature(Both, "load_day_max_last", "ratio", "highest load of the last known day ÷ highest of 60 days"),
    ACTUAL.feature(Both, "wind_mean_1d", "0 to 1", "rank of the last day's mean wind among 60 days' hours"),
    ACTUAL.feature(Both, "wind_same_hour_last", "0 to 1", "rank of the newest actual wind at the hour of day"),
    ACTUAL.feature(Trees, "solar_same_hour_mean_7d", "GW", "mean solar generation at the hour of day, 7 days"),
    BEST.feature(Both, "solar_drop_3h", "GW", "solar generation three hours before less that of the hour"),
    ACTUAL.feature(Both, "net_load_last_day_max_rank", "0 to 1", "rank of the last known day's highest net load"),
    ACTUAL.feature(Both, "net_load_last_day_mean_rank", "0 to 1", "rank of the last known day's mean net load"),
    BEST.feature(Both, "net_load_evening_peak_hour", "0 to 1", "1 in the target day's hour of highest net load, less by 1/6 for each hour from it"),
    BEST.feature(Both, "load_rank", "0 to 1", "share of the last 60 days' hours with less load than best known"),
    BEST.feature(Both, "wind_rank", "0 to 1", "share of the last 60 days' hours with less wind than best known"),
    BEST.feature(Both, "wind_day_mean_rank", "0 to 1", "rank of the target day's mean wind among 60 days' hours"),
    BEST.feature(Both, "net_load_day_mean_rank", "0 to 1", "rank of the target day's mean net load among 60 days' hours"),
];

const WINDOW_DAYS: i64 = 60;
/// Scarcity begins somewhere below the peak of the year.
const NEAR_PEAK: f64 = 0.85;

/// Load, wind and solar of the last 60 days and as forecast.
pub(super) struct Tightness {
    issue_day: Vec<i64>,
    load: Recent,
    wind: Recent,
    solar: Recent,
    net_load: Recent,
    annual_peak: f64,
}

/// One actual series over the window.
struct Recent {
    ordered: Vec<f64>,
    by_hour: Vec<Vec<f64>>,
    /// Mean and standard deviation by hour of day.
    spread: Vec<(f64, f64)>,
    last_day: Vec<f64>,
}

impl Recent {
    fn of(hours: &[(i64, &NetHour)], value: impl Fn(&NetHour) -> f64) -> Self {
        let mut by_hour = vec![Vec::new(); 24];
        let mut ordered = Vec::with_capacity(hours.len());
        for (number, hour) in hours {
            let value = value(hour);
            if !value.is_nan() {
                by_hour[usize::from(local_hour(*number).hour)].push(value);
                ordered.push(value);
            }
        }
        let last_day = ordered[ordered.len().saturating_sub(24)..].to_vec();
        ordered.sort_unstable_by(f64::total_cmp);
        let spread = by_hour.iter().map(|values| mean_and_deviation(values)).collect();
        Self { ordered, by_hour, spread, last_day }
    }

    /// Returns the share of the window's values that lie below, 0 to 1.
    fn rank(&self, value: f64) -> f64 {
        share_below(&self.ordered, value)
    }

    fn max(&self) -> f64 {
        self.ordered.last().copied().unwrap_or(f64::NAN)
    }

    /// Returns the value `days` ago, counted in known days, at the hour of day.
    fn same_hour(&self, hour: usize, days: usize) -> f64 {
        let values = &self.by_hour[hour];
        let index = values.len().checked_sub(days);
        index.and_then(|index| values.get(index)).copied().unwrap_or(f64::NAN)
    }

    fn same_hour_mean(&self, hour: usize, days: usize) -> f64 {
        let values = &self.by_hour[hour];
        mean_of(&values[values.len().saturating_sub(days)..])
    }

    /// Returns how many standard deviations a value lies above its hour of day's mean.
    fn z_same_hour(&self, hour: usize, value: f64) -> f64 {
        let (mean, deviation) = self.spread[hour];
        (value - mean) / (deviation + 500.0)
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = mean_of(values);
    let squares: Vec<f64> = values.iter().map(|v| (v - mean) * (v - mean)).collect();
    (mean, mean_of(&squares).sqrt())
}

fn max_of(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NAN, f64::max)
}

impl Tightness {
    pub(super) fn of(now: Timestamp, net: &NetLoad) -> Self {
        let window: Vec<(i64, &NetHour)> = net.last_days(now, WINDOW_DAYS).collect();
        let hours = net.actual.iter().map(|(_, hour)| hour.net());
        let mut year: Vec<f64> = hours.filter(|net| !net.is_nan()).collect();
        let peak = year.len().saturating_sub(1 + year.len() / 200);
        let annual_peak = if year.is_empty() {
            f64::NAN
        } else {
            *year.select_nth_unstable_by(peak, f64::total_cmp).1
        };
        let issue_day = OperatingDay::of(now).hours();
        Self {
            issue_day: issue_day.iter().map(|hour| hour_number(hour.start)).collect(),
            load: Recent::of(&window, |hour| hour.load),
            wind: Recent::of(&window, |hour| hour.wind),
            solar: Recent::of(&window, |hour| hour.solar),
            net_load: Recent::of(&window, NetHour::net),
            annual_peak,
        }
    }

    /// Returns what the features of an operating day's hours have in common.
    pub(super) fn day(&self, net: &NetLoad, targets: &[TargetHour]) -> TargetDay {
        let numbers: Vec<i64> = targets.iter().map(|t| hour_number(t.hour.start)).collect();
        let hours: Vec<NetHour> = numbers.iter().map(|&hour| net.best(hour)).collect();
        let best: Vec<f64> = hours.iter().map(NetHour::net).collect();
        let wind: Vec<f64> = hours.iter().map(|hour| hour.wind).collect();
        let peak = (0..best.len()).max_by(|&a, &b| best[a].total_cmp(&best[b])).unwrap_or(0);
        TargetDay {
            max: max_of(best.iter().copied()),
            mean: mean_of(&best),
            wind_mean: mean_of(&wind),
            peak: numbers.get(peak).copied().unwrap_or(0),
            issue_day_max: max_of(self.issue_day.iter().map(|&hour| net.best(hour).net())),
        }
    }

    pub(super) fn write(
        &self,
        net: &NetLoad,
        (target, day): (&TargetHour, &TargetDay),
        row: &mut Vec<f64>,
    ) {
        let number = hour_number(target.hour.start);
        let forecast = net.forecast(number);
        let hour = usize::from(local_hour(number).hour);
        let net_at = |hours: i64| net.best(number + hours).net();
        let known = net.best(number);
        let best = known.net();
        let rank = self.net_load.rank(best);
        let missing = |value: f64| f64::from(u8::from(value.is_nan()));
        let solar_recent = self.solar.same_hour_mean(hour, 7);
        let same_hour_of_issue_day = net_at(-24 * i64::from(target.lead_day));
        #[expect(clippy::cast_precision_loss, reason = "at most a day")]
        let near_peak_hour = (1.0 - (number - day.peak).abs() as f64 / 6.0).max(0.0);
        row.extend([
            forecast.load / self.load.max(),
            self.wind.rank(forecast.wind),
            (forecast.solar - solar_recent) / GIGAWATT,
            self.net_load.rank(forecast.net()),
            self.net_load.z_same_hour(hour, forecast.net()),
            missing(forecast.load),
            missing(forecast.wind),
            rank,
            (rank - 0.7).max(0.0).powi(2) * 10.0,
            self.net_load.z_same_hour(hour, best),
            best / day.max,
            self.net_load.rank(day.max),
            (best - net_at(-1)) / GIGAWATT,
            (best - net_at(-3)) / GIGAWATT,
            (net_at(2) - best) / GIGAWATT,
            (best - same_hour_of_issue_day) / GIGAWATT,
            (day.max - day.issue_day_max) / GIGAWATT,
            best / self.annual_peak,
            (best - NEAR_PEAK * self.annual_peak).max(0.0) / GIGAWATT,
            self.load.same_hour(hour, 1) / self.load.max(),
            (self.load.same_hour(hour, 1) - self.load.same_hour(hour, 7)) / GIGAWATT,
            max_of(self.load.last_day.iter().copied()) / self.load.max(),
            self.wind.rank(mean_of(&self.wind.last_day)),
            self.wind.rank(self.wind.same_hour(hour, 1)),
            solar_recent / GIGAWATT,
            (net.best(number - 3).solar - known.solar) / GIGAWATT,
            self.net_load.rank(max_of(self.net_load.last_day.iter().copied())),
            self.net_load.rank(mean_of(&self.net_load.last_day)),
            near_peak_hour,
            self.load.rank(known.load),
            self.wind.rank(known.wind),
            self.wind.rank(day.wind_mean),
            self.net_load.rank(day.mean),
        ]);
    }
}

/// What the features of an operating day's hours have in common.
pub(super) struct TargetDay {
    max: f64,
    mean: f64,
    wind_mean: f64,
    /// The number of the hour of highest net load.
    peak: i64,
    issue_day_max: f64,
}
