//! The simulated day-ahead market: it clears on the forecasts of its own morning, with a premium
//! for the risk of scarcity.

use jiff::SignedDuration;

use super::calendar::SimulatedHour;
use super::congestion::{PointShifts, loadings, shadow_prices};
use super::eras::price_cap;
use super::forecasts::HourForecast;
use super::merit_order::{energy_price, gas_factor};
use super::noise::{Noise, Stream};
use super::real_time::in_cents;
use super::system::{SystemHour, tightness};
use crate::time::OperatingDay;

/// What the traders take for the error of their forecast of the tightness.
const TIGHTNESS_ERROR: f64 = 0.035;

/// When the market closes, every hour so long before the cleared one has passed.
const OUTAGES_KNOWN_BEFORE: SignedDuration = SignedDuration::from_hours(48);

/// Traders know where it will be congested, roughly.
const CONGESTION_EXPECTED: f64 = 0.7;

/// Five-point Gauss-Hermite nodes and weights of the standard normal distribution.
const NORMAL_QUADRATURE: [(f64, f64); 5] = [
    (-2.856_970, 0.011_257),
    (-1.355_626, 0.222_076),
    (0.0, 0.533_333),
    (1.355_626, 0.222_076),
    (2.856_970, 0.011_257),
];

/// The day-ahead market of one hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct DayAheadHour {
    /// The system's price, $/MWh.
    pub(super) price: f64,
    /// The tightness that the market expected.
    pub(super) tightness: f64,
}

impl DayAheadHour {
    pub(super) fn cleared(noise: Noise, forecast: &HourForecast, day: OperatingDay) -> Self {
        let hour = &forecast.hour;
        let net_load = forecast.net_load_before_the_market(noise, day);
        // Which plants will be out is guessed from those that last were at this time of day.
        let known = SimulatedHour::starting(hour.start - OUTAGES_KNOWN_BEFORE);
        let dispatchable = SystemHour::at(noise, &known).dispatchable;
        let expected = tightness(hour, net_load, dispatchable);
        let gas_factor = gas_factor(noise, hour.start);
        let cap = price_cap(hour.start);
        let price =
            |node: f64| energy_price(expected + TIGHTNESS_ERROR * node, gas_factor).min(cap);
        let mean: f64 = NORMAL_QUADRATURE.iter().map(|&(node, weight)| weight * price(node)).sum();
        let mood = 0.05 * noise.smooth(Stream::DayAheadPremium, 0, hour.start, 20.0);
        Self { price: mean + mean.abs() * (0.06 + mood), tightness: expected }
    }

    /// Returns the price of a settlement point, $/MWh.
    pub(super) fn at_point(
        &self,
        noise: Noise,
        forecast: &HourForecast,
        point: &PointShifts,
    ) -> f64 {
        let hour = &forecast.hour;
        let shadow_prices =
            shadow_prices(noise, hour.start, &loadings(noise, hour, &forecast.truth.weather));
        let spread = CONGESTION_EXPECTED * point.spread(&shadow_prices);
        in_cents((self.price + spread).clamp(-251.0, price_cap(hour.start)))
    }
}
