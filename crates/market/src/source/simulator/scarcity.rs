//! What scarce reserves add to the price of energy: the operating reserve demand curve until
//! RTC+B, demand curves inside the price since.
//!
//! The curve is ERCOT's: the value of lost load times the probability that load is lost, which is
//! certain below the minimum contingency level and falls with the reserves above it.

use jiff::Timestamp;

use super::eras::{Era, LOWER_CAP_SINCE, price_cap};
use super::storage::ramp;
use super::weather::logistic;

/// By how much the reserves of half an hour go wrong, MW.
const RESERVE_ERROR: f64 = 1_100.0;

/// Plants that are off but could be started within half an hour, MW.
const OFFLINE_RESERVES: f64 = 1_800.0;

/// Reserves when every dispatchable plant is needed, and at most, MW.
const RESERVES: (f64, f64) = (2_300.0, 12_000.0);

/// The share of the idle dispatchable plants that counts as reserve.
const IDLE_IN_RESERVE: f64 = 0.6;

/// The prices of one SCED run that come from scarcity, $/MWh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scarcity {
    /// The price of energy before congestion: with scarcity in it since RTC+B.
    pub(super) lambda: f64,
    /// What online reserves are worth.
    pub(super) online: f64,
    /// What offline reserves are worth.
    pub(super) offline: f64,
    /// What deploying loads and plants for reliability has kept out of the price.
    pub(super) reliability: f64,
    /// Reserves, MW.
    pub(super) reserves: f64,
}

impl Scarcity {
    /// Prices the reserves that a tightness leaves.
    pub(super) fn at(instant: Timestamp, tightness: f64, dispatchable: f64, energy: f64) -> Self {
        let cap = price_cap(instant);
        let energy = energy.min(cap);
        let idle = IDLE_IN_RESERVE * dispatchable * (1.0 - tightness);
        let reserves = (RESERVES.0 + idle).clamp(0.0, RESERVES.1);
        let lost = |reserves| 0.5 * (cap - energy) * loss_of_load(instant, reserves);
        let offline = lost(reserves + OFFLINE_RESERVES);
        let online = offline + lost(reserves);
        let deployed = 0.3 * ramp(tightness, 0.99, 1.06);
        let reliability = deployed * (cap - energy - online).max(0.0);
        let lambda = match Era::at(instant) {
            Era::OperatingReserveDemandCurve => energy,
            Era::RealTimeCoOptimization => (energy + online).min(cap),
        };
        Self { lambda, online, offline, reliability, reserves }
    }

    /// Returns what is added to the LMPs of a run when they are settled: the adders of its era.
    pub(super) fn added_at(&self, instant: Timestamp) -> f64 {
        match Era::at(instant) {
            Era::OperatingReserveDemandCurve => self.online + self.reliability,
            Era::RealTimeCoOptimization => self.reliability,
        }
    }
}

/// Returns the probability that reserves do not last for the next half hour.
fn loss_of_load(at: Timestamp, reserves: f64) -> f64 {
    let minimum = if at < LOWER_CAP_SINCE { 2_000.0 } else { 3_000.0 };
    if reserves <= minimum {
        return 1.0;
    }
    // The normal distribution, within 1 %.
    1.0 - logistic(1.702 * (reserves - minimum - 0.5 * RESERVE_ERROR) / RESERVE_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::simulator::eras::RTC_PLUS_B_SINCE;

    fn before() -> Timestamp {
        RTC_PLUS_B_SINCE - jiff::SignedDuration::from_hours(1)
    }

    #[test]
    fn plenty_costs_nothing_and_scarcity_the_value_of_lost_load() {
        let plenty = Scarcity::at(before(), 0.6, 65_000.0, 30.0);
        assert!(plenty.online < 0.01 && plenty.reliability == 0.0, "{plenty:?}");
        let scarce = Scarcity::at(before(), 1.05, 65_000.0, 1_000.0);
        assert!((1_000.0 + scarce.online - 5_000.0).abs() < 1.0, "{scarce:?}");
        assert!(scarce.offline <= scarce.online);
    }

    #[test]
    fn scarcity_is_inside_the_price_only_since_rtc_plus_b() {
        let priced = |at| Scarcity::at(at, 0.97, 65_000.0, 300.0);
        let (adder, inside) = (priced(before()), priced(RTC_PLUS_B_SINCE));
        assert!((adder.lambda - 300.0).abs() < 1e-9 && 1.0 < adder.online);
        assert!((inside.lambda - adder.lambda - adder.online).abs() < 1e-9);
    }

    #[test]
    fn no_price_passes_the_cap_of_its_time() {
        let early = LOWER_CAP_SINCE - jiff::SignedDuration::from_hours(1);
        for (at, cap) in [(early, 9_000.0), (before(), 5_000.0), (RTC_PLUS_B_SINCE, 5_000.0)] {
            let scarcity = Scarcity::at(at, 1.3, 65_000.0, 20_000.0);
            assert!((scarcity.lambda - cap).abs() < 1e-9, "{scarcity:?}");
        }
    }
}
