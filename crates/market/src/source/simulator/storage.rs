//! What batteries do to the net load: they shave the evening when it is tight and fill the valley.

use super::calendar::SimulatedHour;
use super::fleet::Fleet;

/// The share of the storage fleet that discharges by hour of the day, when it is tight.
const DISCHARGE_SHAPE: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.2, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.15, 0.3,
    0.5, 0.75, 0.7, 0.4, 0.15, 0.0,
];

/// The share of the storage fleet that charges in an hour of the valley.
const CHARGING: f64 = 0.4;

/// Returns what storage discharges (negative: charges), MW, at a tightness without it.
pub(super) fn discharge(hour: &SimulatedHour, tightness: f64) -> f64 {
    let storage = Fleet::at(hour.years).storage;
    let discharged =
        storage * DISCHARGE_SHAPE[usize::from(hour.local_hour)] * ramp(tightness, 0.70, 0.92);
    let is_valley = matches!(hour.local_hour, 1..=4 | 10..=14);
    let charged =
        if is_valley { CHARGING * storage * (1.0 - ramp(tightness, 0.55, 0.80)) } else { 0.0 };
    discharged - charged
}

/// Rises from 0 to 1 between two bounds.
pub(super) fn ramp(x: f64, from: f64, to: f64) -> f64 {
    ((x - from) / (to - from)).clamp(0.0, 1.0)
}
