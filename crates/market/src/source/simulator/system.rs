//! The simulated power system: load, what serves it, and how tight it is.

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};
use super::weather::Weather;

/// The system in one hour; powers in MW.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemHour {
    pub(super) weather: Weather,
    pub(super) load: f64,
    pub(super) wind: f64,
    pub(super) solar: f64,
    /// Power plants that burn or split something and are not out of service.
    pub(super) dispatchable: f64,
}

/// What is installed, growing over the years; MW.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fleet {
    pub(super) dispatchable: f64,
    pub(super) wind: f64,
    pub(super) solar: f64,
    pub(super) storage: f64,
}

impl Fleet {
    pub(super) fn at(years: f64) -> Self {
        Self {
            dispatchable: (72_800.0 + 300.0 * years).max(60_000.0),
            wind: (35_000.0 + 1_500.0 * years).clamp(15_000.0, 60_000.0),
            solar: (11_000.0 + 4_500.0 * years).clamp(1_000.0, 60_000.0),
            storage: (2_000.0 + 1_800.0 * years).clamp(200.0, 25_000.0),
        }
    }
}

/// Load by hour of the day, relative to the day's mean, without the weather's part.
const LOAD_SHAPE: [f64; 24] = [
    0.90, 0.87, 0.85, 0.85, 0.87, 0.92, 0.98, 1.01, 1.01, 1.01, 1.02, 1.03, 1.03, 1.04, 1.05, 1.06,
    1.08, 1.11, 1.12, 1.12, 1.10, 1.05, 0.99, 0.93,
];

/// The share of the storage fleet that discharges by hour of the day, when the evening is tight.
const DISCHARGE_SHAPE: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.2, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.25,
    0.5, 0.75, 0.7, 0.4, 0.15, 0.0,
];

impl SystemHour {
    pub(super) fn at(noise: Noise, hour: &SimulatedHour) -> Self {
        let weather = Weather::at(noise, hour);
        let fleet = Fleet::at(hour.years);
        Self {
            weather,
            load: load(noise, hour, weather.temperature_of_load()),
            wind: fleet.wind * (0.82 * weather.wind_west + 0.18 * weather.wind_coast),
            solar: fleet.solar * weather.solar,
            dispatchable: fleet.dispatchable - outages(noise, hour, &weather),
        }
    }

    /// Returns the share of the dispatchable plants that is needed.
    pub(super) fn tightness(&self, hour: &SimulatedHour) -> f64 {
        tightness(hour, self.load - self.wind - self.solar, self.dispatchable)
    }
}

/// Returns the share of the dispatchable plants that a net load takes, after storage has shaved
/// the evening and filled the valley.
pub(super) fn tightness(hour: &SimulatedHour, net_load: f64, dispatchable: f64) -> f64 {
    let storage = Fleet::at(hour.years).storage;
    let before = net_load / dispatchable;
    let discharged =
        storage * DISCHARGE_SHAPE[usize::from(hour.local_hour)] * ramp(before, 0.70, 0.92);
    let is_valley = matches!(hour.local_hour, 1..=4 | 10..=14);
    let charged = if is_valley { 0.4 * storage * (1.0 - ramp(before, 0.55, 0.80)) } else { 0.0 };
    (net_load - discharged + charged) / dispatchable
}

/// Rises from 0 to 1 between two bounds.
fn ramp(x: f64, from: f64, to: f64) -> f64 {
    ((x - from) / (to - from)).clamp(0.0, 1.0)
}

fn load(noise: Noise, hour: &SimulatedHour, temperature: f64) -> f64 {
    const COMFORT_UPPER: f64 = 18.5;
    const COMFORT_LOWER: f64 = 13.0;
    let growth = 1.03f64.powf(hour.years);
    let people = if hour.is_working_day { 1.0 } else { 0.945 };
    let cooling = 1_300.0 * (temperature - COMFORT_UPPER).max(0.0).powf(1.06);
    let heating = 1_250.0 * (COMFORT_LOWER - temperature).max(0.0);
    let habit = 1.0 + 0.015 * noise.smooth(Stream::LoadHabit, 0, hour.start, 30.0);
    let base = 43_000.0 * people * LOAD_SHAPE[usize::from(hour.local_hour)];
    growth * habit * (base + cooling + heating)
}

fn outages(noise: Noise, hour: &SimulatedHour, weather: &Weather) -> f64 {
    // Plants are maintained in spring and autumn, when nobody heats or cools.
    let shoulder = f64::midpoint(1.0, -(2.0 * hour.season()).cos());
    let planned = 2_500.0 + 9_500.0 * shoulder.powf(1.5);
    let forced = 4_500.0
        + 1_300.0 * noise.smooth(Stream::ForcedOutages, 0, hour.start, 170.0)
        + 700.0 * noise.smooth(Stream::ForcedOutages, 1, hour.start, 36.0);
    let frozen = 450.0 * (-3.0 - weather.inland_temperature).max(0.0);
    planned + forced.max(500.0) + frozen
}
