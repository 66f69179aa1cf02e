//! Load, wind and solar: actual hours of the last 400 days, and the forecasts of the hours ahead.
//!
//! Net load is load less wind and solar. For an hour ahead the newest forecast vintages speak;
//! where there are none (in the public history they cover the next operating day only) a proxy
//! from the newest actual hours does.

use jiff::{SignedDuration, Timestamp};
use market::observation::{Known, KnownAt, KnownSeries, Series, SeriesKey};

use super::hour_table::local_hour;
use super::prices::mean_of;

pub(super) const WINDOW_DAYS: i64 = 400;
pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);
pub(super) const GIGAWATT: f64 = 1_000.0;

/// One hour's load, wind and solar in MW; NaN where unknown.
#[derive(Clone, Copy, Debug)]
pub(super) struct NetHour {
    pub(super) start: Timestamp,
    /// The local hour of day.
    pub(super) hour: usize,
    pub(super) load: f64,
    pub(super) wind: f64,
    pub(super) solar: f64,
}

impl NetHour {
    pub(super) fn net(&self) -> f64 {
        self.load - self.wind - self.solar
    }
}

/// What is known about net load at an issue time.
pub(super) struct NetLoad<'a> {
    pub(super) load_forecast: KnownSeries<'a>,
    pub(super) wind_forecast: KnownSeries<'a>,
    pub(super) solar_forecast: KnownSeries<'a>,
    /// Hours of which load, wind or solar is known, oldest first.
    pub(super) hours: Vec<NetHour>,
    /// The newest known load at each hour of day.
    load_by_hour: [f64; 24],
    /// Mean solar generation at each hour of day over 7 days.
    solar_by_hour: [f64; 24],
    /// Mean wind generation of the last 24 known hours.
    wind_last_day: f64,
}

impl<'a> NetLoad<'a> {
    pub(super) fn of(view: &KnownAt<'a>) -> Self {
        let system = |series: Series| view.series(&SeriesKey::system(series));
        let hours = actual_hours(view);
        let mut load_by_hour = [f64::NAN; 24];
        let mut solar: [Vec<f64>; 24] = std::array::from_fn(|_| Vec::new());
        let recent = &hours[hours.len().saturating_sub(24 * 9)..];
        for hour in recent {
            if !hour.load.is_nan() {
                load_by_hour[hour.hour] = hour.load;
            }
            if !hour.solar.is_nan() {
                solar[hour.hour].push(hour.solar);
            }
        }
        let wind: Vec<f64> = recent.iter().map(|h| h.wind).filter(|w| !w.is_nan()).collect();
        Self {
            load_forecast: system(Series::LoadForecast),
            wind_forecast: system(Series::WindForecast),
            solar_forecast: system(Series::SolarForecast),
            load_by_hour,
            solar_by_hour: solar.map(|values| mean_of(&values[values.len().saturating_sub(7)..])),
            wind_last_day: mean_of(&wind[wind.len().saturating_sub(24)..]),
            hours,
        }
    }

    /// Returns the forecast of an hour; NaN where no vintage is known.
    pub(super) fn forecast(&self, start: Timestamp) -> NetHour {
        let value = |series: &KnownSeries<'_>| series.value_at(start).unwrap_or(f64::NAN);
        NetHour {
            start,
            hour: usize::from(local_hour(start).hour),
            load: value(&self.load_forecast),
            wind: value(&self.wind_forecast),
            solar: value(&self.solar_forecast),
        }
    }

    /// Returns the best known load, wind and solar of an hour ahead: what is not forecast is that
    /// of the nearest earlier day with a forecast, else of the newest actual hours.
    pub(super) fn best(&self, start: Timestamp) -> NetHour {
        let mut best = self.forecast(start);
        for days in 1..=DAYS_BACK_MAX {
            if !best.net().is_nan() {
                return best;
            }
            let earlier = self.forecast(start - HOUR * (24 * days));
            best.load = or(best.load, earlier.load);
            best.wind = or(best.wind, earlier.wind);
            best.solar = or(best.solar, earlier.solar);
        }
        best.load = or(best.load, self.load_by_hour[best.hour]);
        best.wind = or(best.wind, self.wind_last_day);
        best.solar = or(best.solar, self.solar_by_hour[best.hour]);
        best
    }

    /// Returns the actual hours of the last days.
    pub(super) fn last_days(&self, now: Timestamp, days: i64) -> &[NetHour] {
        let from = now - SignedDuration::from_hours(24 * days);
        &self.hours[self.hours.partition_point(|hour| hour.start < from)..]
    }
}

/// A forecast of an hour two days before says something of the hour, an older one little.
const DAYS_BACK_MAX: i32 = 2;

fn or(value: f64, proxy: f64) -> f64 {
    if value.is_nan() { proxy } else { value }
}

/// Walks the three series side by side.
fn actual_hours(view: &KnownAt<'_>) -> Vec<NetHour> {
    let now = view.instant();
    let from = now - SignedDuration::from_hours(24 * WINDOW_DAYS);
    let known =
        |series: Series| view.series(&SeriesKey::system(series)).between(from, now).peekable();
    let mut load = known(Series::LoadActual);
    let mut wind = known(Series::WindActual);
    let mut solar = known(Series::SolarActual);
    let mut hours = Vec::new();
    loop {
        let starts = [load.peek(), wind.peek(), solar.peek()];
        let Some(start) = starts.into_iter().flatten().map(|known| known.interval_start).min()
        else {
            return hours;
        };
        let at = |known: Option<Known>| known.map_or(f64::NAN, |known| known.value);
        let is = |known: &Known| known.interval_start == start;
        hours.push(NetHour {
            start,
            hour: usize::from(local_hour(start).hour),
            load: at(load.next_if(is)),
            wind: at(wind.next_if(is)),
            solar: at(solar.next_if(is)),
        });
    }
}
