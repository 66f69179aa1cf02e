//! Short-term system adequacy: what is planned to be online, what could be started, what is left
//! after load.

use jiff::Timestamp;

use super::fleet::Fleet;
use super::forecasts::{HourForecast, model_in_use};
use super::noise::{Noise, Stream};
use super::outages::Outages;
use super::system::total;

/// Operators plan to have so much more online than the net load that they expect.
const ONLINE_MARGIN: f64 = 1.10;
const ONLINE_RESERVES: f64 = 2_500.0;

/// One vintage of the adequacy of one hour, MW.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adequacy {
    /// What is planned to be online.
    pub(super) generation: f64,
    /// Load that can be switched off.
    pub(super) load_resources: f64,
    /// What is offline and could be started.
    pub(super) offline: f64,
    load: f64,
}

impl Adequacy {
    pub(super) fn published(noise: Noise, forecast: &HourForecast, at: Timestamp) -> Self {
        let hour = &forecast.hour;
        let load = total(&forecast.load(model_in_use(noise, at), at));
        let renewables = total(&forecast.wind(at)) + total(&forecast.solar(at));
        let out = Outages::reported(noise, hour, at).dispatchable();
        let available = Fleet::at(hour.years).dispatchable - out;
        let wanted = ONLINE_MARGIN * (load - renewables) + ONLINE_RESERVES;
        let online = wanted.clamp(0.25 * available, available);
        let willing = noise.smooth(Stream::OperatorPlans, 0, hour.start, 60.0);
        Self {
            generation: online + renewables,
            load_resources: (1_800.0 + 250.0 * willing).max(800.0),
            offline: available - online,
            load,
        }
    }

    /// Returns the generation left after load.
    pub(super) fn available_generation(&self) -> f64 {
        self.generation - self.load
    }

    /// Returns generation and reserves left after load.
    pub(super) fn available_reserves(&self) -> f64 {
        self.available_generation() + self.offline + self.load_resources
    }
}
