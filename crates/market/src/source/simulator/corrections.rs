//! Price corrections: now and then ERCOT finds that some hours were priced wrongly, and publishes
//! what they should have cost, days later. Nothing is overwritten: a correction is a new
//! observation.

use jiff::civil::time;
use jiff::{SignedDuration, Timestamp};

use super::noise::{Noise, Stream};
use crate::time::{OperatingDay, instant};

/// The chance that real-time prices of an operating day are corrected: some days of a year.
const CORRECTED_DAYS: f64 = 0.02;

/// The same of day-ahead prices, which are wrong less often.
const CORRECTED_DAYS_AHEAD: f64 = 0.01;

/// No correction is published later after its operating day, days.
pub(super) const CORRECTION_DAYS_MAX: i32 = 4;

/// Hours that were priced wrongly at first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correction {
    from: Timestamp,
    to: Timestamp,
    /// By how much the first prices were wrong, relative to the right ones.
    error: f64,
    /// When the right prices were published.
    pub(super) published_at: Timestamp,
}

impl Correction {
    /// Draws the correction of an operating day's real-time prices; most days have none.
    pub(super) fn of(noise: Noise, day: OperatingDay) -> Option<Self> {
        Self::drawn(noise, day, (Stream::Correction, CORRECTED_DAYS))
    }

    /// Draws the correction of an operating day's day-ahead prices; most days have none.
    pub(super) fn of_day_ahead(noise: Noise, day: OperatingDay) -> Option<Self> {
        Self::drawn(noise, day, (Stream::DayAheadCorrection, CORRECTED_DAYS_AHEAD))
    }

    fn drawn(noise: Noise, day: OperatingDay, (stream, share): (Stream, f64)) -> Option<Self> {
        let start = day.start();
        let index = start.as_second().div_euclid(86_400);
        let [draw, first, length, error, wait] = noise.uniforms(stream, index);
        if share <= draw {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "hours and days")]
        let (first, length, wait) =
            ((20.0 * first) as i64, 1 + (10.0 * length) as i64, 2 + (3.0 * wait) as i32);
        let from = start + SignedDuration::from_hours(first);
        let posted = day.plus_days(wait.min(CORRECTION_DAYS_MAX));
        Some(Self {
            from,
            to: (from + SignedDuration::from_hours(length)).min(day.end()),
            error: 0.25 * (error - 0.5),
            published_at: instant(posted.date(), time(16, 0, 0, 0))
                .expect("16:00 exists on every day"),
        })
    }

    /// Returns what was published first about an interval; `None` when that was right.
    pub(super) fn first_price(&self, interval_start: Timestamp, price: f64) -> Option<f64> {
        let is_wrong = self.from <= interval_start && interval_start < self.to;
        is_wrong.then(|| price + self.error * price.abs().max(4.0))
    }
}
