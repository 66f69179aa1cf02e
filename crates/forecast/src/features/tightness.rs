//! Tightness: load less wind and solar for the target hour, against the last 60 days.
//!
//! Forecast vintages where any was published by the issue time; elsewhere (in the public history
//! they cover the next operating day only) a proxy from the newest actuals. A flag says which.

use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, KnownSeries, Series, SeriesKey};

use super::hour_table::local_hour;
use super::prices::mean_of;
use crate::horizon::TargetHour;

pub(super) const NAMES: [&str; 24] = [
    "load_forecast_to_recent_peak",
    "wind_forecast_rank",
    "solar_forecast_to_recent",
    "net_load_forecast_rank",
    "net_load_forecast_z_same_hour",
    "load_forecast_missing",
    "wind_forecast_missing",
    "net_load_rank",
    "net_load_rank_squared_tail",
    "net_load_z_same_hour",
    "net_load_to_day_max",
    "net_load_day_max_rank",
    "net_load_ramp_1h",
    "net_load_ramp_3h",
    "net_load_ramp_ahead_2h",
    "load_same_hour_last",
    "load_same_hour_change_week",
    "load_day_max_last",
    "wind_mean_1d",
    "wind_same_hour_last",
    "solar_same_hour_mean_7d",
    "solar_drop_3h",
    "net_load_last_day_max_rank",
    "net_load_last_day_mean_rank",
];

const WINDOW: SignedDuration = SignedDuration::from_hours(60 * 24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const GIGAWATT: f64 = 1_000.0;

/// Load, wind and solar of the last 60 days and as forecast.
pub(super) struct Tightness<'a> {
    load_forecast: KnownSeries<'a>,
    wind_forecast: KnownSeries<'a>,
    solar_forecast: KnownSeries<'a>,
    load: Recent,
    wind: Recent,
    solar: Recent,
    net_load: Recent,
}

/// One actual series over the window.
struct Recent {
    ordered: Vec<f64>,
    /// Mean, standard deviation and newest values by hour of day.
    by_hour: Vec<SameHour>,
    last_day: Vec<f64>,
}

#[derive(Clone, Debug, Default)]
struct SameHour {
    values: Vec<f64>,
}

impl Recent {
    fn of(rows: &[(Timestamp, f64)]) -> Self {
        let mut by_hour = vec![SameHour::default(); 24];
        for &(start, value) in rows {
            by_hour[usize::from(local_hour(start).hour)].values.push(value);
        }
        let mut ordered: Vec<f64> = rows.iter().map(|&(_, value)| value).collect();
        let last_day = ordered[ordered.len().saturating_sub(24)..].to_vec();
        ordered.sort_by(f64::total_cmp);
        Self { ordered, by_hour, last_day }
    }

    /// Returns the share of the window's values that lie below, 0 to 1.
    fn rank(&self, value: f64) -> f64 {
        if self.ordered.is_empty() || value.is_nan() {
            return f64::NAN;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 1,440 hours")]
        let share = self.ordered.partition_point(|&v| v < value) as f64 / self.ordered.len() as f64;
        share
    }

    fn max(&self) -> f64 {
        self.ordered.last().copied().unwrap_or(f64::NAN)
    }

    /// Returns the value `days` ago, counted in known days, at the hour of day.
    fn same_hour(&self, hour: usize, days: usize) -> f64 {
        let values = &self.by_hour[hour].values;
        values
            .len()
            .checked_sub(days)
            .and_then(|index| values.get(index))
            .copied()
            .unwrap_or(f64::NAN)
    }

    fn same_hour_mean(&self, hour: usize, days: usize) -> f64 {
        let values = &self.by_hour[hour].values;
        mean_of(&values[values.len().saturating_sub(days)..])
    }

    /// Returns how many standard deviations a value lies above its hour of day's mean.
    fn z_same_hour(&self, hour: usize, value: f64) -> f64 {
        let values = &self.by_hour[hour].values;
        let mean = mean_of(values);
        let squares: Vec<f64> = values.iter().map(|v| (v - mean) * (v - mean)).collect();
        (value - mean) / (mean_of(&squares).sqrt() + 500.0)
    }
}

impl<'a> Tightness<'a> {
    pub(super) fn of(view: &KnownAt<'a>) -> Self {
        let now = view.instant();
        let system = |series: Series| view.series(&SeriesKey::system(series));
        let (load, wind, solar) =
            (system(Series::LoadActual), system(Series::WindActual), system(Series::SolarActual));
        let rows = |series: KnownSeries<'_>| -> Vec<(Timestamp, f64)> {
            series.between(now - WINDOW, now).map(|k| (k.interval_start, k.value)).collect()
        };
        let net_load: Vec<(Timestamp, f64)> = load
            .between(now - WINDOW, now)
            .filter_map(|known| {
                let start = known.interval_start;
                Some((start, known.value - wind.value_at(start)? - solar.value_at(start)?))
            })
            .collect();
        Self {
            load_forecast: system(Series::LoadForecast),
            wind_forecast: system(Series::WindForecast),
            solar_forecast: system(Series::SolarForecast),
            load: Recent::of(&rows(load)),
            wind: Recent::of(&rows(wind)),
            solar: Recent::of(&rows(solar)),
            net_load: Recent::of(&net_load),
        }
    }

    pub(super) fn write(&self, target: &TargetHour, row: &mut Vec<f64>) {
        let start = target.hour.start;
        let hour = usize::from(local_hour(start).hour);
        let forecast = |series: &KnownSeries<'_>| series.value_at(start).unwrap_or(f64::NAN);
        let (load, wind, solar) = (
            forecast(&self.load_forecast),
            forecast(&self.wind_forecast),
            forecast(&self.solar_forecast),
        );
        let net = load - wind - solar;
        let best = self.net_load(start);
        let rank = self.net_load.rank(best);
        let day_max = target
            .hour
            .operating_day
            .hours()
            .iter()
            .map(|hour| self.net_load(hour.start))
            .fold(f64::NAN, f64::max);
        let missing = |value: f64| f64::from(u8::from(value.is_nan()));
        let solar_recent = self.solar.same_hour_mean(hour, 7);
        row.extend([
            load / self.load.max(),
            self.wind.rank(wind),
            (solar - solar_recent) / GIGAWATT,
            self.net_load.rank(net),
            self.net_load.z_same_hour(hour, net),
            missing(load),
            missing(wind),
            rank,
            (rank - 0.7).max(0.0).powi(2) * 10.0,
            self.net_load.z_same_hour(hour, best),
            best / day_max,
            self.net_load.rank(day_max),
            (best - self.net_load(start - HOUR)) / GIGAWATT,
            (best - self.net_load(start - HOUR * 3)) / GIGAWATT,
            (self.net_load(start + HOUR * 2) - best) / GIGAWATT,
            self.load.same_hour(hour, 1) / self.load.max(),
            (self.load.same_hour(hour, 1) - self.load.same_hour(hour, 7)) / GIGAWATT,
            self.load.last_day.iter().copied().fold(f64::NAN, f64::max) / self.load.max(),
            self.wind.rank(mean_of(&self.wind.last_day)),
            self.wind.rank(self.wind.same_hour(hour, 1)),
            solar_recent / GIGAWATT,
            (self.solar_at(start - HOUR * 3) - self.solar_at(start)) / GIGAWATT,
            self.net_load.rank(self.net_load.last_day.iter().copied().fold(f64::NAN, f64::max)),
            self.net_load.rank(mean_of(&self.net_load.last_day)),
        ]);
    }

    /// Returns the best known net load of an hour: from forecast vintages, else from the newest
    /// actuals at the same hour of day.
    fn net_load(&self, start: Timestamp) -> f64 {
        let hour = usize::from(local_hour(start).hour);
        let load =
            self.load_forecast.value_at(start).unwrap_or_else(|| self.load.same_hour(hour, 1));
        let wind =
            self.wind_forecast.value_at(start).unwrap_or_else(|| mean_of(&self.wind.last_day));
        load - wind - self.solar_at(start)
    }

    fn solar_at(&self, start: Timestamp) -> f64 {
        let hour = usize::from(local_hour(start).hour);
        self.solar_forecast.value_at(start).unwrap_or_else(|| self.solar.same_hour_mean(hour, 7))
    }
}
