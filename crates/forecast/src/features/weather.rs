//! Temperature as last observed: its change, and how far it calls for heating.

use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::{Place, WeatherZone};

use super::prices::mean_of;
use super::registry::ReadBy::{Logistic, Trees};
use super::registry::{Family, Feature, FeatureGroup, Input};

const WEATHER: Family = Family { group: FeatureGroup::Weather, inputs: &[Input::Temperature] };

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 4] = [
    WEATHER.feature(Logistic, "temperature_coast_change_1d", "°C", "mean temperature of the last 24 hours less that of the 24 hours before, Coast weather zone"),
    WEATHER.feature(Trees, "heating_coast_1d", "°C", "how far the mean temperature of the last 24 hours lies below 8 °C, Coast weather zone"),
    WEATHER.feature(Logistic, "temperature_ncent_change_1d", "°C", "mean temperature of the last 24 hours less that of the 24 hours before, North Central weather zone"),
    WEATHER.feature(Trees, "heating_ncent_1d", "°C", "how far the mean temperature of the last 24 hours lies below 8 °C, North Central weather zone"),
];

/// Below this many hours a day's mean temperature would be that of a part of the day.
const HOURS_MIN: usize = 12;
const HEATING_BELOW: f64 = 8.0;

/// The temperature features of an issue time; the same for every target hour.
pub(super) struct Weather([f64; 4]);

impl Weather {
    pub(super) fn of(view: &KnownAt<'_>) -> Self {
        let mut features = [f64::NAN; 4];
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
            features[index * 2..][..2].copy_from_slice(&[
                last - before,
                if last.is_nan() { last } else { (HEATING_BELOW - last).max(0.0) },
            ]);
        }
        Self(features)
    }

    pub(super) fn write(&self, row: &mut Vec<f64>) {
        row.extend(self.0);
    }
}
