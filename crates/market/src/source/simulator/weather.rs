//! Simulated weather: temperature with fronts of several days, wind, sun and clouds, by zone and
//! region. What is common to Texas and what is a region's own are drawn apart, so neighbours
//! resemble each other.

use std::f64::consts::TAU;

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};
use crate::place::WeatherZone;

/// The regions for which ERCOT reports wind, in the order of `Region`.
pub(super) const WIND_REGIONS: usize = 5;
/// The regions for which ERCOT reports solar, in the order of `Region`.
pub(super) const SOLAR_REGIONS: usize = 6;
/// ERCOT's weather zones.
pub(super) const WEATHER_ZONES: usize = 8;

/// The weather of one hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// °C by weather zone.
    pub(super) temperatures: [f64; WEATHER_ZONES],
    /// Share of the installed capacity that the wind parks of a region could deliver.
    pub(super) wind: [f64; WIND_REGIONS],
    /// Share of the installed capacity that the solar parks of a region could deliver.
    pub(super) solar: [f64; SOLAR_REGIONS],
}

impl Weather {
    pub(super) fn at(noise: Noise, hour: &SimulatedHour) -> Self {
        let fronts =
            octaves(noise, Stream::Fronts, 0, hour, [(0.75, 130.0), (0.5, 44.0), (0.3, 15.0)]);
        let wind =
            octaves(noise, Stream::WindCommon, 0, hour, [(0.75, 64.0), (0.55, 20.0), (0.25, 6.0)]);
        let clouds =
            octaves(noise, Stream::CloudsCommon, 0, hour, [(0.7, 48.0), (0.4, 14.0), (0.2, 4.0)]);
        Self {
            temperatures: std::array::from_fn(|zone| {
                let own = noise.smooth(Stream::ZoneTemperature, zone as u64, hour.start, 30.0);
                temperature(hour, &CLIMATES[zone], fronts, 0.3 * own)
            }),
            wind: std::array::from_fn(|region| wind_share(noise, hour, region, wind)),
            solar: std::array::from_fn(|region| solar_share(noise, hour, region, clouds)),
        }
    }

    pub(super) fn temperature(&self, zone: WeatherZone) -> f64 {
        self.temperatures[zone as usize]
    }
}

/// A zone's climate, °C: the mean of the year, how far the seasons and the day swing, and how much
/// of a front arrives. About the normals of Houston, Tyler, Midland, Wichita Falls, Dallas, San
/// Antonio, McAllen and Abilene.
struct Climate {
    mean: f64,
    season: f64,
    day: f64,
    front: f64,
}

const fn climate(mean: f64, season: f64, day: f64, front: f64) -> Climate {
    Climate { mean, season, day, front }
}

/// By weather zone, in ERCOT's order.
const CLIMATES: [Climate; WEATHER_ZONES] = [
    climate(21.3, 8.3, 4.0, 0.85),
    climate(19.0, 9.8, 5.5, 0.95),
    climate(18.5, 10.8, 7.5, 0.90),
    climate(17.5, 12.0, 6.5, 1.10),
    climate(19.3, 11.2, 5.6, 1.00),
    climate(20.5, 9.5, 5.5, 0.95),
    climate(23.3, 7.5, 5.5, 0.80),
    climate(18.3, 11.0, 6.5, 1.05),
];

fn octaves(
    noise: Noise,
    stream: Stream,
    variant: usize,
    hour: &SimulatedHour,
    octaves: [(f64, f64); 3],
) -> f64 {
    let smooth = |hours| noise.smooth(stream, variant as u64, hour.start, hours);
    octaves.iter().map(|&(size, hours)| size * smooth(hours)).sum()
}

fn temperature(hour: &SimulatedHour, climate: &Climate, fronts: f64, own: f64) -> f64 {
    // Winter weather swings more, and its cold outbreaks go further than its warm spells.
    let swing = 2.2 + 3.6 * hour.winter();
    let outbreak = if fronts < 0.0 { 1.0 + 0.45 * hour.winter() } else { 1.0 };
    let hottest_hour = 16.0;
    let day = (TAU * (f64::from(hour.local_hour) + 0.5 - hottest_hour) / 24.0).cos();
    // It is hottest a week after the middle of the year that is counted from the coldest day.
    let lag = 0.14 * (1.0 - hour.winter());
    climate.mean - climate.season * (hour.season() - lag).cos()
        + climate.day * day
        + swing * (outbreak * climate.front * fronts + own)
}

/// The local hour when the wind of a region is strongest: the jet of the plains blows by night,
/// the sea breeze in the late afternoon. Panhandle, coast, south, west, north.
const WINDIEST_HOUR: [f64; WIND_REGIONS] = [0.0, 18.0, 22.0, 1.0, 1.0];

fn wind_share(noise: Noise, hour: &SimulatedHour, region: usize, common: f64) -> f64 {
    let own =
        octaves(noise, Stream::WindOfRegion, region, hour, [(0.5, 40.0), (0.35, 12.0), (0.2, 4.0)]);
    // Windiest at the end of April, stillest in late summer.
    let spring = (hour.season() - 1.75).cos();
    let clock = TAU * (f64::from(hour.local_hour) + 0.5 - WINDIEST_HOUR[region]) / 24.0;
    let day = clock.cos() * (1.2 - 0.6 * hour.winter());
    0.81 * logistic(-0.60 + 0.33 * spring + 0.34 * day + 1.15 * common + 0.75 * own)
}

/// Where the solar parks of a region are, °E: centre-west, north-west, far west, far east,
/// south-east, centre-east.
const LONGITUDES: [f64; SOLAR_REGIONS] = [-100.5, -101.0, -102.8, -95.5, -97.3, -97.5];

fn solar_share(noise: Noise, hour: &SimulatedHour, region: usize, common: f64) -> f64 {
    const LATITUDE: f64 = 31.5;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
    let utc_hours = hour.middle().as_second().rem_euclid(86_400) as f64 / 3_600.0;
    let sun_angle = TAU * (utc_hours + LONGITUDES[region] / 15.0 - 12.0) / 24.0;
    let solstice = -10.0 / 365.0;
    let declination = -(23.44f64.to_radians()) * (TAU * (hour.years - solstice)).cos();
    let latitude = LATITUDE.to_radians();
    let elevation_sine =
        latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * sun_angle.cos();
    if elevation_sine <= 0.0 {
        return 0.0;
    }
    let own =
        octaves(noise, Stream::CloudsOfRegion, region, hour, [(0.6, 30.0), (0.4, 9.0), (0.3, 3.0)]);
    let clouds = logistic(-1.25 + 1.2 * common + 0.9 * own);
    // Panels that track the sun deliver much already at a low sun.
    0.91 * elevation_sine.powf(0.6) * (1.0 - 0.65 * clouds)
}

pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
