//! Capacity out of service: maintenance in spring and autumn, failures, frozen plants.

use jiff::Timestamp;

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};
use super::weather::Weather;
use crate::observation::ResourceKind;
use crate::place::WeatherZone;

/// The load zones for which ERCOT reports outages: Houston, North, South, West.
pub(super) const OUTAGE_ZONES: usize = 4;

/// The share of the dispatchable plants that stands in a load zone.
const DISPATCHABLE_SHARES: [f64; OUTAGE_ZONES] = [0.26, 0.36, 0.26, 0.12];
/// The share of wind and solar that stands in a load zone.
const INTERMITTENT_SHARES: [f64; OUTAGE_ZONES] = [0.04, 0.18, 0.28, 0.50];

/// Failures that are not known yet come at this rate: a plan of so many hours ahead lacks 63 % of
/// the failures that last.
const FAILURE_HOURS: f64 = 96.0;

/// What is out of service in one hour, MW by load zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outages {
    dispatchable: [f64; OUTAGE_ZONES],
    intermittent: [f64; OUTAGE_ZONES],
    new_equipment: [f64; OUTAGE_ZONES],
}

impl Outages {
    /// Returns what is out of service.
    pub(super) fn at(noise: Noise, hour: &SimulatedHour, weather: &Weather) -> Self {
        let planned = planned(hour);
        let frozen = 350.0 * (-5.0 - weather.temperature(WeatherZone::NorthCentral)).max(0.0);
        let forced = forced(noise, hour.start);
        let dispatchable = std::array::from_fn(|zone| {
            DISPATCHABLE_SHARES[zone] * (planned + frozen) + forced[zone]
        });
        Self::with_dispatchable(noise, hour, dispatchable)
    }

    /// Returns what was said at `published_at`: maintenance is planned long before, failures are
    /// reported as they are and expected to be repaired; those to come are not known.
    pub(super) fn reported(noise: Noise, hour: &SimulatedHour, published_at: Timestamp) -> Self {
        let lead_hours = (hour.start.duration_since(published_at).as_secs_f64() / 3_600.0).max(0.0);
        let lasting = (-lead_hours / FAILURE_HOURS).exp();
        let (planned, forced) = (planned(hour), forced(noise, published_at));
        let dispatchable = std::array::from_fn(|zone| {
            DISPATCHABLE_SHARES[zone] * planned + lasting * forced[zone]
        });
        Self::with_dispatchable(noise, hour, dispatchable)
    }

    fn with_dispatchable(
        noise: Noise,
        hour: &SimulatedHour,
        dispatchable: [f64; OUTAGE_ZONES],
    ) -> Self {
        let renewed = noise.smooth(Stream::IntermittentOutages, 0, hour.start, 400.0);
        let new = noise.smooth(Stream::IntermittentOutages, 1, hour.start, 900.0);
        let intermittent = (3_000.0 + 500.0 * hour.years + 600.0 * renewed).max(800.0);
        let new_equipment = (2_500.0 + 900.0 * new).max(300.0);
        Self {
            dispatchable,
            intermittent: INTERMITTENT_SHARES.map(|share| share * intermittent),
            new_equipment: INTERMITTENT_SHARES.map(|share| share * new_equipment),
        }
    }

    /// Returns what is out of a kind, MW by load zone.
    pub(super) fn of(&self, kind: ResourceKind) -> &[f64; OUTAGE_ZONES] {
        match kind {
            ResourceKind::Dispatchable => &self.dispatchable,
            ResourceKind::Intermittent => &self.intermittent,
            ResourceKind::NewEquipment => &self.new_equipment,
        }
    }

    /// Returns the dispatchable plants out of service, MW.
    pub(super) fn dispatchable(&self) -> f64 {
        self.dispatchable.iter().sum()
    }
}

/// Plants are maintained when nobody heats or cools: around the end of March and the start of
/// November, more in spring, hardly in January and not at all from June to September.
fn planned(hour: &SimulatedHour) -> f64 {
    let wintry = hour.winter() - 0.65;
    let from_season = wintry / if wintry < 0.0 { 0.47 } else { 0.36 };
    let spring = 1.0 + 0.18 * hour.season().sin();
    2_500.0 + 13_000.0 * spring * (1.0 - from_season * from_season).max(0.0)
}

fn forced(noise: Noise, at: Timestamp) -> [f64; OUTAGE_ZONES] {
    let common = 1_100.0 * noise.smooth(Stream::ForcedOutages, 0, at, 170.0)
        + 700.0 * noise.smooth(Stream::ForcedOutages, 1, at, 36.0);
    std::array::from_fn(|zone| {
        let own = 1_500.0 * noise.smooth(Stream::OutagesOfZone, zone as u64, at, 120.0);
        DISPATCHABLE_SHARES[zone] * (4_500.0 + common + own).max(500.0)
    })
}
