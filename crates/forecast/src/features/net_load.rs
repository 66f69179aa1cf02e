//! Load, wind and solar: actual hours of the last 400 days, and the forecasts of the hours ahead.
//!
//! Net load is load less wind and solar. For an hour ahead the newest forecast vintages speak;
//! where there are none (in the public history they cover the next operating day only) a proxy
//! from the newest actual hours does. Hours go by their [number](super::hour_table::hour_number).

use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, Series, SeriesKey};
use market::time::OperatingDay;

use super::hour_table::{hour_number, local_hour};
use super::hours::{Hours, first_hour};
use super::prices::mean_of;
use crate::horizon::LEAD_DAYS;

pub(super) const WINDOW_DAYS: i64 = 400;
pub(super) const GIGAWATT: f64 = 1_000.0;

/// One hour's load, wind and solar in MW; NaN where unknown.
#[derive(Clone, Copy, Debug)]
pub(super) struct NetHour {
    pub(super) load: f64,
    pub(super) wind: f64,
    pub(super) solar: f64,
}

impl NetHour {
    const UNKNOWN: Self = Self { load: f64::NAN, wind: f64::NAN, solar: f64::NAN };

    pub(super) fn net(&self) -> f64 {
        self.load - self.wind - self.solar
    }

    /// Returns what is known of the hour, and for the rest what is known of a proxy.
    fn or(&self, proxy: &Self) -> Self {
        let or = |value: f64, proxy: f64| if value.is_nan() { proxy } else { value };
        Self {
            load: or(self.load, proxy.load),
            wind: or(self.wind, proxy.wind),
            solar: or(self.solar, proxy.solar),
        }
    }

    fn is_unknown(&self) -> bool {
        self.load.is_nan() && self.wind.is_nan() && self.solar.is_nan()
    }
}

/// Consecutive hours of load, wind and solar.
pub(super) struct NetHours {
    first: i64,
    hours: Vec<NetHour>,
}

impl NetHours {
    /// Reads the forecasts that a view knows of the hours with the numbers `[first, end)`.
    pub(super) fn forecast(view: &KnownAt<'_>, first: i64, end: i64) -> Self {
        let series = [Series::LoadForecast, Series::WindForecast, Series::SolarForecast];
        Self::of(view, series, first, end)
    }

    fn of(view: &KnownAt<'_>, series: [Series; 3], first: i64, end: i64) -> Self {
        let [load, wind, solar] = series
            .map(|series| Hours::numbered(&view.series(&SeriesKey::system(series)), first, end));
        let at =
            |hour: i64| NetHour { load: load.at(hour), wind: wind.at(hour), solar: solar.at(hour) };
        Self { first, hours: (first..end).map(at).collect() }
    }

    /// Returns an hour; unknown outside.
    pub(super) fn at(&self, hour: i64) -> NetHour {
        let index = usize::try_from(hour - self.first).ok();
        index.and_then(|index| self.hours.get(index)).copied().unwrap_or(NetHour::UNKNOWN)
    }

    /// Walks all hours, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, &NetHour)> {
        (self.first..).zip(&self.hours)
    }

    /// Walks the hours from a number on.
    pub(super) fn since(&self, hour: i64) -> impl Iterator<Item = (i64, &NetHour)> {
        self.iter().skip(usize::try_from(hour - self.first).unwrap_or(0))
    }
}

#[expect(clippy::cast_possible_wrap, reason = "far below the limit")]
fn number(index: usize) -> i64 {
    index as i64
}

/// What is known about net load at an issue time.
pub(super) struct NetLoad {
    /// The actual hours of the last days; the last of them is known.
    pub(super) actual: NetHours,
    forecast: NetHours,
    best: NetHours,
}

impl NetLoad {
    pub(super) fn of(view: &KnownAt<'_>) -> Self {
        let now = view.instant();
        let from = first_hour(now - SignedDuration::from_hours(24 * WINDOW_DAYS));
        let series = [Series::LoadActual, Series::WindActual, Series::SolarActual];
        let mut actual = NetHours::of(view, series, from, first_hour(now));
        while actual.hours.last().is_some_and(NetHour::is_unknown) {
            actual.hours.pop();
        }
        let today = OperatingDay::of(now);
        let first = hour_number(today.start()) - MARGIN_HOURS;
        let end = hour_number(today.plus_days(i32::from(LEAD_DAYS)).end()) + MARGIN_HOURS;
        let forecast = NetHours::forecast(view, first - 24 * DAYS_BACK_MAX, end);
        let usual = usual_day(&actual);
        let best = |hour: i64| {
            let earlier = (1..=DAYS_BACK_MAX).map(|days| forecast.at(hour - 24 * days));
            let best = earlier.fold(forecast.at(hour), |best, earlier| best.or(&earlier));
            best.or(&usual[usize::from(local_hour(hour).hour)])
        };
        let best = NetHours { first, hours: (first..end).map(best).collect() };
        Self { actual, forecast, best }
    }

    /// Returns the forecast of an hour; NaN where no vintage is known.
    pub(super) fn forecast(&self, hour: i64) -> NetHour {
        self.forecast.at(hour)
    }

    /// Returns the best known load, wind and solar of an hour of the issue day or the horizon: what
    /// is not forecast is that of the nearest earlier day with a forecast, else of the newest
    /// actual hours.
    pub(super) fn best(&self, hour: i64) -> NetHour {
        self.best.at(hour)
    }

    /// Walks the actual hours of the last days.
    pub(super) fn last_days(
        &self,
        now: Timestamp,
        days: i64,
    ) -> impl Iterator<Item = (i64, &NetHour)> {
        self.actual.since(first_hour(now - SignedDuration::from_hours(24 * days)))
    }
}

/// A forecast of an hour two days before says something of the hour, an older one little.
const DAYS_BACK_MAX: i64 = 2;
/// Features look so many hours beyond the horizon: ramps, and days that the clock made longer.
const MARGIN_HOURS: i64 = 4;

/// Returns for each hour of day the newest known load and the mean solar generation of 7 days, and
/// for all the mean wind of the last 24 known hours.
fn usual_day(actual: &NetHours) -> [NetHour; 24] {
    let newest = actual.first + number(actual.hours.len());
    let mut load = [f64::NAN; 24];
    let mut solar: [Vec<f64>; 24] = std::array::from_fn(|_| Vec::new());
    let mut wind = Vec::new();
    for (number, hour) in actual.since(newest - 24 * 9) {
        let of_day = usize::from(local_hour(number).hour);
        if !hour.load.is_nan() {
            load[of_day] = hour.load;
        }
        if !hour.solar.is_nan() {
            solar[of_day].push(hour.solar);
        }
        if !hour.wind.is_nan() {
            wind.push(hour.wind);
        }
    }
    let last =
        |values: &[f64], count: usize| mean_of(&values[values.len().saturating_sub(count)..]);
    let wind = last(&wind, 24);
    std::array::from_fn(|hour| NetHour { load: load[hour], wind, solar: last(&solar[hour], 7) })
}
