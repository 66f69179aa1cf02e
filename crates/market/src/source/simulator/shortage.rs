//! Short spikes: for some minutes the fleet does not follow the net load, and the power balance is
//! violated by some megawatts.
//!
//! Sizes follow ERCOT's power balance penalty curve, whose steps rise from $250 for 5 MW to the cap
//! beyond 100 MW; below them are the last offers.

use jiff::{SignedDuration, Timestamp};

use super::noise::{Noise, Stream};
use super::weather::logistic;

/// No shortage lasts longer.
pub(super) const SHORTAGE_HOURS_MAX: i64 = 2;

/// Prices by the violation of the power balance, MW and $/MWh; between the steps the last offers
/// and the blends of runs.
const PENALTY: [(f64, f64); 8] = [
    (0.0, 55.0),
    (8.0, 100.0),
    (16.0, 200.0),
    (27.0, 500.0),
    (45.0, 1_000.0),
    (66.0, 2_250.0),
    (95.0, 4_500.0),
    (130.0, 9_000.0),
];

/// The mean violation when few plants run, and how much larger it is when most do, MW: what is
/// idle follows within minutes.
const MEGAWATTS_MEAN: f64 = 11.0;
const MEGAWATTS_TIGHT: f64 = 12.0;
/// The mean length, minutes.
const MINUTES_MEAN: f64 = 19.0;

/// A time when the power balance is violated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shortage {
    start: Timestamp,
    end: Timestamp,
    megawatts: f64,
}

/// What makes shortages likely in an hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strain {
    pub(super) tightness: f64,
    /// By how much the tightness rises over the neighbouring hours.
    pub(super) rise: f64,
}

impl Shortage {
    /// Draws the shortage that starts in an hour: a trip, a ramp that nobody followed. Tight hours
    /// and steep ramps have more of them, and so have restless weeks.
    pub(super) fn starting_in(noise: Noise, hour: Timestamp, strain: Strain) -> Option<Self> {
        let [draw, when, how_long, how_much] =
            noise.uniforms(Stream::Shortage, hour.as_second().div_euclid(3_600));
        let restless = (0.9 * noise.smooth(Stream::RestlessWeeks, 0, hour, 90.0)).exp();
        let tight = logistic((strain.tightness - 0.80) / 0.05);
        // Ramps are missed when what could follow them is in use.
        let used = logistic((strain.tightness - 0.62) / 0.05);
        let steep = used * (strain.rise / 0.06).clamp(0.0, 2.5);
        let chance = 0.005 + 0.17 * tight + 0.020 * steep;
        if (0.8 * chance * restless).min(0.6) <= draw {
            return None;
        }
        let longest = 60.0 * SHORTAGE_HOURS_MAX as f64;
        let minutes = (-MINUTES_MEAN * (1.0 - how_long).ln()).clamp(5.0, longest);
        #[expect(clippy::cast_possible_truncation, reason = "at most two hours")]
        let (start, length) = ((3_600.0 * when) as i64, (60.0 * minutes) as i64);
        let start = hour + SignedDuration::from_secs(start);
        let most_run = logistic((strain.tightness - 0.68) / 0.06);
        let mean = MEGAWATTS_MEAN + MEGAWATTS_TIGHT * most_run;
        let megawatts = -mean * (1.0 - how_much).ln();
        Some(Self { start, end: start + SignedDuration::from_secs(length), megawatts })
    }

    /// Returns what the violation costs at an instant, $/MWh; `None` outside it.
    pub(super) fn price(&self, noise: Noise, at: Timestamp) -> Option<f64> {
        if at < self.start || self.end <= at {
            return None;
        }
        let wavering = 1.0 + 0.15 * noise.smooth(Stream::MinuteByMinute, 2, at, 0.12);
        Some(penalty(self.megawatts * wavering.max(0.2)))
    }
}

fn penalty(megawatts: f64) -> f64 {
    let upper = PENALTY.partition_point(|&(knot, _)| knot <= megawatts);
    let Some(&(to, price_to)) = PENALTY.get(upper) else { return PENALTY[PENALTY.len() - 1].1 };
    let Some(&(from, price_from)) = PENALTY.get(upper.wrapping_sub(1)) else { return price_to };
    price_from * (price_to / price_from).powf((megawatts - from) / (to - from))
}
