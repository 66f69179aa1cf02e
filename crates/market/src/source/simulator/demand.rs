//! Simulated load by weather zone: people's day, cooling, heating, growth.

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};
use super::weather::{WEATHER_ZONES, Weather};

/// Load by hour of the day, relative to the day's mean, without the weather's part.
const LOAD_SHAPE: [f64; 24] = [
    0.90, 0.87, 0.85, 0.84, 0.85, 0.90, 0.98, 1.03, 1.02, 1.01, 1.02, 1.03, 1.03, 1.04, 1.05, 1.06,
    1.08, 1.11, 1.12, 1.12, 1.10, 1.05, 0.99, 0.93,
];

/// °C above which Texas cools, and below which it heats.
const COMFORT: (f64, f64) = (18.5, 13.0);

/// The load of one zone in 2022; MW, and MW per °C. So that means, quantiles and the hottest hours
/// of 2020 to 2024 are about those of ERCOT's weather zones.
struct ZoneLoad {
    base: f64,
    cooling: f64,
    heating: f64,
    /// By which the load grows in a year; the Permian basin grows fastest.
    growth: f64,
    /// How much of the day's shape it has: oil fields work day and night.
    shape: f64,
}

const fn zone(base: f64, cooling: f64, heating: f64) -> ZoneLoad {
    ZoneLoad { base, cooling, heating, growth: 1.04, shape: 1.0 }
}

/// By weather zone, in ERCOT's order.
const ZONES: [ZoneLoad; WEATHER_ZONES] = [
    zone(11_150.0, 372.0, 190.0),
    zone(1_300.0, 58.0, 62.0),
    ZoneLoad { growth: 1.11, shape: 0.25, ..zone(4_750.0, 42.0, 38.0) },
    ZoneLoad { growth: 1.07, ..zone(1_150.0, 38.0, 45.0) },
    zone(10_500.0, 395.0, 480.0),
    zone(6_000.0, 245.0, 270.0),
    zone(3_100.0, 122.0, 72.0),
    zone(1_000.0, 32.0, 38.0),
];

/// Returns the load by weather zone, MW.
pub(super) fn load_by_zone(
    noise: Noise,
    hour: &SimulatedHour,
    weather: &Weather,
) -> [f64; WEATHER_ZONES] {
    let people = if hour.is_working_day { 1.0 } else { 0.945 };
    let day = people * LOAD_SHAPE[usize::from(hour.local_hour)];
    let habit = 1.0 + 0.015 * noise.smooth(Stream::LoadHabit, 0, hour.start, 30.0);
    std::array::from_fn(|index| {
        let zone = &ZONES[index];
        let temperature = weather.temperatures[index];
        let cooling = zone.cooling * (temperature - COMFORT.0).max(0.0).powf(1.06);
        let heating = zone.heating * (COMFORT.1 - temperature).max(0.0);
        let shape = 1.0 + zone.shape * (day - 1.0);
        zone.growth.powf(hour.years) * habit * (zone.base * shape + cooling + heating)
    })
}
