//! The error of a forecast: what is not yet resolved at its lead time.
//!
//! An hour's error is made of bands. Each is what becomes known between two lead times, so later
//! vintages repeat the bands that are still open and drop the others: errors grow with the lead,
//! vintages resemble each other, and neighbouring hours do too.

use jiff::{SignedDuration, Timestamp};

use super::noise::{Noise, Stream};

/// From which to which lead hour a band grows to its full size. The sizes add up (in squares) to
/// 1.4 after a day, 2.1 after two and 3.6 after a week.
const BANDS: [(f64, f64, f64); 5] =
    [(0.0, 12.0, 1.0), (12.0, 30.0, 1.4), (30.0, 54.0, 1.5), (54.0, 90.0, 1.6), (90.0, 168.0, 2.2)];

/// What even the last forecast before the hour gets wrong.
const RESIDUAL: f64 = 0.3;

/// For so many hours an error remembers itself, as those of 2022 and 2024 did.
const MEMORY_HOURS: f64 = 10.0;

/// The error of one hour at every lead time; its size after a day is about 1.4.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errors {
    residual: f64,
    bands: [f64; BANDS.len()],
}

impl Errors {
    pub(super) fn of(noise: Noise, stream: Stream, part: usize, target: Timestamp) -> Self {
        let band = |band: u64| noise.smooth(stream, 16 * part as u64 + band, target, MEMORY_HOURS);
        Self {
            residual: RESIDUAL * band(15),
            bands: std::array::from_fn(|index| BANDS[index].2 * band(index as u64)),
        }
    }

    /// Returns the error of a forecast that is published so long before the hour.
    pub(super) fn at(&self, lead: SignedDuration) -> f64 {
        let lead_hours = lead.as_secs_f64() / 3_600.0;
        let open =
            |&(from, to, _): &(f64, f64, f64)| ((lead_hours - from) / (to - from)).clamp(0.0, 1.0);
        let bands = BANDS.iter().map(open).zip(self.bands);
        self.residual + bands.map(|(open, error)| open * error).sum::<f64>()
    }
}
