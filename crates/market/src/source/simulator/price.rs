//! From tightness to prices: merit order, scarcity, short spikes, congestion between the hubs.

use jiff::{SignedDuration, Timestamp};

use super::noise::{Noise, Stream};
use super::weather::{Weather, logistic};

/// The highest price, $/MWh.
const PRICE_CAP: f64 = 5_000.0;
/// The lowest price, $/MWh: below it wind parks switch off.
const PRICE_FLOOR: f64 = -35.0;

/// Prices by the share of the dispatchable plants that is needed, $/MWh.
const MERIT_ORDER: [(f64, f64); 16] = [
    (0.05, -35.0),
    (0.20, -12.0),
    (0.28, 4.0),
    (0.36, 13.0),
    (0.45, 18.0),
    (0.56, 22.0),
    (0.68, 27.0),
    (0.76, 35.0),
    (0.81, 47.0),
    (0.85, 66.0),
    (0.89, 105.0),
    (0.935, 190.0),
    (0.98, 400.0),
    (1.02, 900.0),
    (1.06, 2_000.0),
    (1.12, 5_000.0),
];

/// Returns the price that a tightness clears at, with gas as dear as usual, $/MWh.
pub(super) fn merit_order(tightness: f64) -> f64 {
    let upper = MERIT_ORDER.partition_point(|&(knot, _)| knot <= tightness);
    if upper == 0 {
        return PRICE_FLOOR;
    }
    let Some(&(to, price_to)) = MERIT_ORDER.get(upper) else { return PRICE_CAP };
    let (from, price_from) = MERIT_ORDER[upper - 1];
    let share = (tightness - from) / (to - from);
    if price_from <= 0.0 {
        return price_from + share * (price_to - price_from);
    }
    price_from * (price_to / price_from).powf(share)
}

/// Returns how dear gas is, relative to the usual; what is scarce does not get dearer with it.
pub(super) fn gas_factor(noise: Noise, at: Timestamp) -> f64 {
    (0.16 * noise.smooth(Stream::GasPrice, 0, at, 1_400.0)
        + 0.08 * noise.smooth(Stream::GasPrice, 1, at, 170.0))
    .exp()
}

/// Prices the tightness with gas as dear as it is.
pub(super) fn energy_price(tightness: f64, gas_factor: f64) -> f64 {
    let price = merit_order(tightness);
    let fuelled = price.clamp(0.0, 60.0);
    price + fuelled * (gas_factor - 1.0)
}

/// A hub and what drives its distance from the system's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hub {
    Houston,
    North,
    Panhandle,
    South,
    West,
}

impl Hub {
    pub(super) const ALL: [Hub; 5] =
        [Hub::Houston, Hub::North, Hub::Panhandle, Hub::South, Hub::West];
    /// The hubs whose mean is HB_HUBAVG.
    pub(super) const AVERAGED: [Hub; 4] = [Hub::Houston, Hub::North, Hub::South, Hub::West];

    pub(super) fn name(self) -> &'static str {
        match self {
            Hub::Houston => "HB_HOUSTON",
            Hub::North => "HB_NORTH",
            Hub::Panhandle => "HB_PAN",
            Hub::South => "HB_SOUTH",
            Hub::West => "HB_WEST",
        }
    }

    /// Returns the hub's distance from the system's price, $/MWh.
    pub(super) fn spread(self, noise: Noise, weather: &Weather, at: Timestamp) -> f64 {
        let own = |hours| noise.smooth(Stream::HubSpread, self as u64, at, hours);
        // Lines out of the west are full when it blows there, and so are those into it when not.
        let export = (weather.wind_west - 0.50).max(0.0);
        let import = (0.14 - weather.wind_west).max(0.0);
        match self {
            Hub::Houston => 1.0 + 1.6 * own(9.0) + 8.0 * export,
            Hub::North => 0.4 + 0.9 * own(9.0) + 5.0 * export,
            Hub::South => {
                0.2 + 1.8 * own(9.0) + 6.0 * (weather.wind_coast - 0.6).max(0.0) * own(5.0)
            }
            Hub::West => 0.6 + 2.2 * own(9.0) - 95.0 * export + 60.0 * import,
            Hub::Panhandle => -0.8 + 2.6 * own(9.0) - 130.0 * export + 20.0 * import,
        }
    }
}

/// What an hour brings besides its tightness: a spike that starts in it, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortSpike {
    start: Timestamp,
    end: Timestamp,
    /// What it adds, $/MWh.
    pub(super) size: f64,
}

/// No spike lasts longer.
pub(super) const SPIKE_HOURS_MAX: i64 = 2;

impl ShortSpike {
    /// Draws the spike that starts in an hour: a trip, a ramp that nobody followed. Tight hours
    /// have more of them, and so have restless weeks.
    pub(super) fn starting_in(noise: Noise, hour: Timestamp, tightness: f64) -> Option<Self> {
        let [draw, when, how_long, how_much] =
            noise.uniforms(Stream::SpikeStart, hour.as_second().div_euclid(3_600));
        let restless = (0.7 * noise.smooth(Stream::SpikeWeather, 0, hour, 60.0)).exp();
        let chance = 0.002 + 0.09 * logistic((tightness - 0.80) / 0.05);
        if chance * restless <= draw {
            return None;
        }
        let minutes = (-25.0 * (1.0 - how_long).ln()).clamp(5.0, 60.0 * SPIKE_HOURS_MAX as f64);
        #[expect(clippy::cast_possible_truncation, reason = "between 5 and 120")]
        let slots = (minutes / 5.0).round() as i64;
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 11")]
        let start = hour + SignedDuration::from_mins((when * 12.0) as i64 * 5);
        // A Pareto tail: half of them stay below 70 $/MWh, one in a hundred passes 800.
        let size = 40.0 * (1.0 - how_much).powf(-0.65);
        Some(Self { start, end: start + SignedDuration::from_mins(5 * slots), size })
    }

    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

pub(super) fn within_limits(price: f64) -> f64 {
    // Prices are published in cents.
    (price.clamp(PRICE_FLOOR, PRICE_CAP) * 100.0).round() / 100.0
}
