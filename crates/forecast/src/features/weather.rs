//! Temperature as last observed: level, change, and how far it calls for cooling or heating.

use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::{Place, WeatherZone};

use super::prices::mean_of;

pub(super) const NAMES: [&str; 8] = [
    "temperature_coast_mean_1d",
    "temperature_coast_change_1d",
    "cooling_coast_1d",
    "heating_coast_1d",
    "temperature_ncent_mean_1d",
    "temperature_ncent_change_1d",
    "cooling_ncent_1d",
    "heating_ncent_1d",
];

/// Below this many hours a day's mean temperature would be that of a part of the day.
const HOURS_MIN: usize = 12;
const COOLING_ABOVE: f64 = 24.0;
const HEATING_BELOW: f64 = 8.0;

/// The temperature features of an issue time; the same for every target hour.
pub(super) struct Weather([f64; 8]);

impl Weather {
    pub(super) fn of(view: &KnownAt<'_>) -> Self {
        let mut features = [f64::NAN; 8];
        for (index, zone) in [WeatherZone::Coast, WeatherZone::NorthCentral].into_iter().enumerate()
        {
            let key = SeriesKey { series: Series::Temperature, place: Place::WeatherZone(zone) };
            let mean = |from: Timestamp, to: Timestamp| {
                let values: Vec<f64> =
                    view.series(&key).between(from, to).map(|k| k.value).collect();
                if values.len() < HOURS_MIN { f64::NAN } else { mean_of(&values) }
            };
            let (now, day) = (view.instant(), SignedDuration::from_hours(24));
            let (last, before) = (mean(now - day, now), mean(now - day * 2, now - day));
            features[index * 4..][..4].copy_from_slice(&[
                last,
                last - before,
                if last.is_nan() { last } else { (last - COOLING_ABOVE).max(0.0) },
                if last.is_nan() { last } else { (HEATING_BELOW - last).max(0.0) },
            ]);
        }
        Self(features)
    }

    pub(super) fn write(&self, row: &mut Vec<f64>) {
        row.extend(self.0);
    }
}
