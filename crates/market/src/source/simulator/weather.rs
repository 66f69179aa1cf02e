//! Simulated weather: temperature with fronts of several days, wind, sun and clouds.

use std::f64::consts::TAU;

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};

/// The weather of one hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// °C in the weather zone Coast.
    pub(super) coast_temperature: f64,
    /// °C in the weather zone North Central.
    pub(super) inland_temperature: f64,
    /// Share of the installed capacity that the western wind parks deliver.
    pub(super) wind_west: f64,
    /// Share that the coastal ones deliver.
    pub(super) wind_coast: f64,
    /// Share that the solar parks deliver.
    pub(super) solar: f64,
}

impl Weather {
    pub(super) fn at(noise: Noise, hour: &SimulatedHour) -> Self {
        let fronts =
            octaves(noise, Stream::Fronts, hour, [(0.75, 130.0), (0.5, 44.0), (0.3, 15.0)]);
        Self {
            coast_temperature: temperature(
                hour,
                Climate { mean: 21.3, season: 8.3, day: 4.0 },
                0.85 * fronts + 0.4 * noise.smooth(Stream::CoastTemperature, 0, hour.start, 30.0),
            ),
            inland_temperature: temperature(
                hour,
                Climate { mean: 19.3, season: 11.2, day: 5.6 },
                fronts + 0.3 * noise.smooth(Stream::InlandTemperature, 0, hour.start, 30.0),
            ),
            wind_west: wind(noise, hour, Stream::WindWest),
            wind_coast: wind(noise, hour, Stream::WindCoast),
            solar: solar(noise, hour),
        }
    }

    /// Returns the temperature that load feels, °C.
    pub(super) fn temperature_of_load(&self) -> f64 {
        0.4 * self.coast_temperature + 0.6 * self.inland_temperature
    }
}

struct Climate {
    mean: f64,
    season: f64,
    day: f64,
}

fn octaves(noise: Noise, stream: Stream, hour: &SimulatedHour, octaves: [(f64, f64); 3]) -> f64 {
    octaves.iter().map(|&(size, hours)| size * noise.smooth(stream, 0, hour.start, hours)).sum()
}

fn temperature(hour: &SimulatedHour, climate: Climate, fronts: f64) -> f64 {
    // Winter weather swings more, and its cold outbreaks go further than its warm spells.
    let swing = 2.2 + 3.6 * hour.winter();
    let outbreak = if fronts < 0.0 { 1.0 + 0.45 * hour.winter() } else { 1.0 };
    let hottest_hour = 16.0;
    let day = (TAU * (f64::from(hour.local_hour) + 0.5 - hottest_hour) / 24.0).cos();
    climate.mean - climate.season * hour.season().cos()
        + climate.day * day
        + swing * outbreak * fronts
}

fn wind(noise: Noise, hour: &SimulatedHour, region: Stream) -> f64 {
    let common =
        octaves(noise, Stream::WindCommon, hour, [(0.75, 64.0), (0.55, 20.0), (0.25, 6.0)]);
    let own = octaves(noise, region, hour, [(0.4, 40.0), (0.3, 12.0), (0.2, 4.0)]);
    // Windiest at the end of April, stillest in late summer; stronger by night than by day.
    let spring = (hour.season() - 1.75).cos();
    let night = (TAU * (f64::from(hour.local_hour) + 0.5 - 1.0) / 24.0).cos();
    let strength = -0.65 + 0.33 * spring + 0.3 * night * (1.2 - 0.6 * hour.winter());
    0.92 * logistic(strength + 1.1 * common + 0.6 * own)
}

fn solar(noise: Noise, hour: &SimulatedHour) -> f64 {
    const LATITUDE: f64 = 31.5;
    const LONGITUDE: f64 = -99.5;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
    let utc_hours = hour.middle().as_second().rem_euclid(86_400) as f64 / 3_600.0;
    let sun_angle = TAU * (utc_hours + LONGITUDE / 15.0 - 12.0) / 24.0;
    let solstice = -10.0 / 365.0;
    let declination = -(23.44f64.to_radians()) * (TAU * (hour.years - solstice)).cos();
    let latitude = LATITUDE.to_radians();
    let elevation_sine =
        latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * sun_angle.cos();
    let cloudiness = octaves(noise, Stream::Clouds, hour, [(0.8, 48.0), (0.5, 14.0), (0.3, 4.0)]);
    let clouds = logistic(-1.5 + 1.4 * cloudiness);
    // Panels that track the sun deliver much already at a low sun.
    0.9 * elevation_sine.max(0.0).powf(0.6) * (1.0 - 0.65 * clouds)
}

pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
