//! The simulated power system: load, what serves it, and how tight it is.

use super::calendar::SimulatedHour;
use super::congestion::curtailed;
use super::demand::load_by_zone;
use super::fleet::{Fleet, SOLAR_SHARES, WIND_SHARES};
use super::noise::Noise;
use super::outages::Outages;
use super::storage::discharge;
use super::weather::{SOLAR_REGIONS, WEATHER_ZONES, WIND_REGIONS, Weather};

/// The system in one hour; powers in MW.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemHour {
    pub(super) weather: Weather,
    pub(super) load: [f64; WEATHER_ZONES],
    /// What the wind parks of a region could generate.
    pub(super) wind_limit: [f64; WIND_REGIONS],
    /// What they generate: full lines keep the rest.
    pub(super) wind: [f64; WIND_REGIONS],
    pub(super) solar_limit: [f64; SOLAR_REGIONS],
    pub(super) solar: [f64; SOLAR_REGIONS],
    /// Power plants that burn or split something and are not out of service.
    pub(super) dispatchable: f64,
}

impl SystemHour {
    pub(super) fn at(noise: Noise, hour: &SimulatedHour) -> Self {
        let weather = Weather::at(noise, hour);
        let fleet = Fleet::at(hour.years);
        let outages = Outages::at(noise, hour, &weather);
        let lost = curtailed(&weather);
        let wind_limit: [f64; WIND_REGIONS] =
            std::array::from_fn(|r| fleet.wind * WIND_SHARES[r] * weather.wind[r]);
        let solar_limit: [f64; SOLAR_REGIONS] =
            std::array::from_fn(|r| fleet.solar * SOLAR_SHARES[r] * weather.solar[r]);
        Self {
            weather,
            load: load_by_zone(noise, hour, &weather),
            wind_limit,
            wind: std::array::from_fn(|r| wind_limit[r] * (1.0 - lost.wind[r])),
            solar_limit,
            solar: solar_limit.map(|limit| limit * (1.0 - lost.solar)),
            dispatchable: fleet.dispatchable - outages.dispatchable(),
        }
    }

    /// Returns the load that wind and solar leave to others, MW.
    pub(super) fn net_load(&self) -> f64 {
        total(&self.load) - total(&self.wind) - total(&self.solar)
    }

    /// Returns the share of the dispatchable plants that is needed.
    pub(super) fn tightness(&self, hour: &SimulatedHour) -> f64 {
        tightness(hour, self.net_load(), self.dispatchable)
    }
}

/// Returns the share of the dispatchable plants that a net load takes after storage has acted.
pub(super) fn tightness(hour: &SimulatedHour, net_load: f64, dispatchable: f64) -> f64 {
    (net_load - discharge(hour, net_load / dispatchable)) / dispatchable
}

/// Adds what the parts of a whole have.
pub(super) fn total(parts: &[f64]) -> f64 {
    parts.iter().sum()
}
