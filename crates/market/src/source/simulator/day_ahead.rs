//! The simulated day-ahead market: it clears on the forecast of its own morning, with a premium
//! for the risk of scarcity.

use jiff::{SignedDuration, Timestamp};

use super::calendar::SimulatedHour;
use super::forecasts::{ForecastHour, PUBLISHED_DAILY_AT};
use super::noise::{Noise, Stream};
use super::price::{energy_price, gas_factor};
use super::system::{SystemHour, tightness};
use crate::observation::{AncillaryService, Series};
use crate::time::{OperatingDay, instant};

/// What the traders take for the error of their forecast of the tightness.
const TIGHTNESS_ERROR: f64 = 0.03;

/// At 09:55 on the day before, every hour so long before the cleared one has passed.
const OUTAGES_KNOWN_BEFORE: SignedDuration = SignedDuration::from_hours(48);

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
    pub(super) fn cleared(noise: Noise, hour: &SimulatedHour, truth: &SystemHour) -> Self {
        let forecast = ForecastHour::published(noise, hour, truth, closing(hour.start));
        let net_load = forecast.load - forecast.wind - forecast.solar;
        // Which plants will be out is guessed from those that last were at this time of day.
        let known = SimulatedHour::starting(hour.start - OUTAGES_KNOWN_BEFORE);
        let dispatchable = SystemHour::at(noise, &known).dispatchable;
        let expected = tightness(hour, net_load, dispatchable);
        let gas_factor = gas_factor(noise, hour.start);
        let mean: f64 = NORMAL_QUADRATURE
            .iter()
            .map(|&(node, weight)| {
                weight * energy_price(expected + TIGHTNESS_ERROR * node, gas_factor)
            })
            .sum();
        let mood = 0.05 * noise.smooth(Stream::DayAheadPremium, 0, hour.start, 20.0);
        Self { price: mean + mean.abs() * (0.06 + mood), tightness: expected }
    }

    /// Returns the price of an ancillary service, $/MW; `None` before the service existed.
    pub(super) fn ancillary(&self, series: Series, at: Timestamp) -> Option<f64> {
        let (base, share) = match series {
            Series::DayAheadMcpc(AncillaryService::RegUp) => (4.0, 0.35),
            Series::DayAheadMcpc(AncillaryService::Responsive) => (3.0, 0.30),
            Series::DayAheadMcpc(AncillaryService::NonSpin) => (2.0, 0.22),
            Series::DayAheadMcpc(AncillaryService::Contingency)
                if at < contingency_reserve_start() =>
            {
                return None;
            }
            Series::DayAheadMcpc(AncillaryService::Contingency) => (2.5, 0.32),
            _ => return None,
        };
        let tight = (self.tightness - 0.5).max(0.0) * 12.0;
        let scarce = share * (self.price - 35.0).max(0.0);
        Some(((base + tight + scarce) * 100.0).round() / 100.0)
    }
}

/// Returns the forecast's publication that the market of an hour's day is cleared on.
fn closing(hour: Timestamp) -> Timestamp {
    let day_before = OperatingDay::of(hour).plus_days(-1);
    instant(day_before.date(), PUBLISHED_DAILY_AT[0]).expect("09:55 exists on every day")
}

/// Contingency reserve has been bought since 10 June 2023.
fn contingency_reserve_start() -> Timestamp {
    OperatingDay::new(jiff::civil::date(2023, 6, 10)).start()
}
