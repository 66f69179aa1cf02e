//! Ancillary services: how much ERCOT plans to buy, what all resources could give, and what the
//! services cost in the day-ahead and, since RTC+B, in the real-time market.

use super::calendar::SimulatedHour;
use super::eras::is_bought;
use super::real_time::{Dispatch, in_cents};
use super::scarcity::Scarcity;
use super::storage::ramp;
use crate::observation::AncillaryService;

/// What is particular about a service.
struct ServiceFacts {
    /// Planned on an ordinary hour, MW.
    planned: f64,
    /// More for the ramps of morning and evening, MW.
    planned_for_ramps: f64,
    /// When nothing is scarce, $/MW.
    base_price: f64,
    /// The share of what is scarce that the service gets.
    scarcity_share: f64,
    /// What all resources together could give, per MW of reserves.
    capability: f64,
}

fn facts(service: AncillaryService) -> ServiceFacts {
    let facts = |planned, planned_for_ramps, base_price, scarcity_share, capability| ServiceFacts {
        planned,
        planned_for_ramps,
        base_price,
        scarcity_share,
        capability,
    };
    match service {
        AncillaryService::RegUp => facts(400.0, 350.0, 4.0, 0.35, 0.55),
        AncillaryService::RegDown => facts(350.0, 250.0, 3.5, 0.0, 0.55),
        AncillaryService::Responsive => facts(2_500.0, 400.0, 3.0, 0.30, 0.90),
        AncillaryService::Contingency => facts(1_300.0, 1_100.0, 2.5, 0.32, 1.05),
        AncillaryService::NonSpin => facts(2_600.0, 900.0, 2.0, 0.22, 1.30),
    }
}

/// Returns how much ERCOT plans to buy, MW; `None` before the service existed. The plan is made
/// once a month, by hour of the day.
pub(super) fn planned(service: AncillaryService, hour: &SimulatedHour) -> Option<f64> {
    is_bought(service, hour.start).then(|| {
        let facts = facts(service);
        let is_ramp = matches!(hour.local_hour, 6..=8 | 16..=21);
        let ramps = if is_ramp { facts.planned_for_ramps } else { 0.0 };
        let season = 1.0 + 0.08 * (1.0 - hour.winter());
        ((facts.planned * season + ramps) / 10.0).round() * 10.0
    })
}

/// Returns the day-ahead clearing price, $/MW, where the market expects a tightness and a price of
/// energy; `None` before the service existed.
pub(super) fn day_ahead_price(
    service: AncillaryService,
    hour: &SimulatedHour,
    tightness: f64,
    energy: f64,
) -> Option<f64> {
    is_bought(service, hour.start).then(|| {
        let facts = facts(service);
        // Regulation down is dear when wind leaves few plants that could go down.
        let tight = match service {
            AncillaryService::RegDown => (0.45 - tightness).max(0.0) * 40.0,
            _ => (tightness - 0.5).max(0.0) * 12.0,
        };
        let scarce = facts.scarcity_share * (energy - 35.0).max(0.0);
        in_cents(facts.base_price + tight + scarce)
    })
}

/// Returns the real-time clearing price of a SCED run, $/MW.
pub(super) fn real_time_price(service: AncillaryService, run: &Dispatch) -> f64 {
    let facts = facts(service);
    let Scarcity { online, offline, lambda, .. } = run.scarcity;
    let scarce = match service {
        AncillaryService::RegUp | AncillaryService::Responsive | AncillaryService::Contingency => {
            online
        }
        AncillaryService::NonSpin => offline,
        AncillaryService::RegDown => 0.0,
    };
    let usual = 0.3 * facts.base_price + 0.02 * facts.scarcity_share * lambda.max(0.0);
    in_cents(usual + scarce)
}

/// Returns what all resources together could give in a SCED run, MW.
pub(super) fn capability(service: AncillaryService, run: &Dispatch) -> f64 {
    let facts = facts(service);
    let reserves = run.scarcity.reserves;
    let spare = 1_500.0 * ramp(reserves, 6_000.0, 12_000.0);
    (facts.capability * reserves + spare).round()
}
