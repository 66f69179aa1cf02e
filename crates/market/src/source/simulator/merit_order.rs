//! The merit order: what the dearest plant that is needed costs, and how dear its gas is.

use jiff::Timestamp;

use super::noise::{Noise, Stream};

/// Below it wind parks switch off, $/MWh.
const PRICE_FLOOR: f64 = -35.0;

/// Fuel makes up the price until here, $/MWh; above it scarcity does.
const FUELLED_MAX: f64 = 60.0;

/// Prices by the share of the dispatchable plants that is needed, $/MWh: wind and its tax credits,
/// nuclear and lignite, coal, gas by efficiency, peakers, and offers near the cap. So that the
/// quantiles of the simulated price are about those of HB_HUBAVG from 2020 to 2024.
const MERIT_ORDER: [(f64, f64); 16] = [
    (0.05, -35.0),
    (0.13, -10.0),
    (0.20, 4.0),
    (0.28, 11.0),
    (0.38, 15.5),
    (0.49, 19.5),
    (0.59, 23.0),
    (0.67, 28.5),
    (0.74, 39.0),
    (0.80, 51.0),
    (0.86, 65.0),
    (0.93, 90.0),
    (0.97, 180.0),
    (1.0, 450.0),
    (1.03, 1_200.0),
    (1.09, 5_000.0),
];

/// Returns the price that a tightness clears at, with gas as dear as usual, $/MWh.
fn merit_order(tightness: f64) -> f64 {
    let upper = MERIT_ORDER.partition_point(|&(knot, _)| knot <= tightness);
    if upper == 0 {
        return PRICE_FLOOR;
    }
    let (from, price_from) = MERIT_ORDER[upper - 1];
    let Some(&(to, price_to)) = MERIT_ORDER.get(upper) else {
        // Who runs short of everything pays whatever the cap of the day allows.
        return price_from * (1.0 + 20.0 * (tightness - from));
    };
    let share = (tightness - from) / (to - from);
    if price_from <= 0.0 {
        return price_from + share * (price_to - price_from);
    }
    price_from * (price_to / price_from).powf(share)
}

/// Returns how dear gas is, relative to the usual: it has cost from $2 to $9 in these years, and
/// stays dear or cheap for many months.
pub(super) fn gas_factor(noise: Noise, at: Timestamp) -> f64 {
    (0.33 * noise.smooth(Stream::GasPrice, 0, at, 6_000.0)
        + 0.14 * noise.smooth(Stream::GasPrice, 1, at, 1_100.0)
        + 0.07 * noise.smooth(Stream::GasPrice, 2, at, 170.0))
    .exp()
}

/// Prices the tightness with gas as dear as it is, $/MWh; no cap yet.
pub(super) fn energy_price(tightness: f64, gas_factor: f64) -> f64 {
    let price = merit_order(tightness);
    let fuelled = price.clamp(0.0, FUELLED_MAX);
    price + fuelled * (gas_factor - 1.0)
}
