//! When SCED runs: about every five minutes, some seconds after the minute, sometimes again
//! between, rarely not at all.
//!
//! Measured on the 107,031 runs of 2024: they start 8 to 25 seconds into the slot (10 or 18,
//! depending on the month), 1.5 % of the slots have a second run and few a third, and 12 slots of
//! 105,408 have none, in four holes.

use jiff::{SignedDuration, Timestamp};

use super::noise::{Noise, Stream};

const SLOT: i64 = 300;
const SLOTS_PER_HOUR: i64 = 12;

/// The chance that an operator starts a run between two regular ones, and then another.
const EXTRA_RUN: f64 = 0.0146;
const FURTHER_RUN: f64 = 0.055;

/// The chance that the runs of an hour have a hole, of two to four slots.
const HOLE: f64 = 4.0 / 8_784.0;

/// Lists when SCED runs in `[from, to)`, in order.
pub(super) fn run_starts(noise: Noise, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut starts = Vec::new();
    let mut slot = from.as_second().div_euclid(SLOT);
    while slot * SLOT < to.as_second() {
        add_slot(noise, slot, &mut starts);
        slot += 1;
    }
    starts.retain(|start| from <= *start && *start < to);
    starts
}

fn add_slot(noise: Noise, slot: i64, starts: &mut Vec<Timestamp>) {
    if is_in_a_hole(noise, slot) {
        return;
    }
    let start = Timestamp::from_second(slot * SLOT).expect("a source ends long before time does");
    let offset = offset(noise, slot, start);
    starts.push(start + SignedDuration::from_secs(offset));
    let [extra, when, further, when_again] = noise.uniforms(Stream::ExtraRun, slot);
    if EXTRA_RUN <= extra {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the slot")]
    let within = |from: i64, share: f64| from + ((SLOT - 15 - from) as f64 * share) as i64;
    let second = within(offset + 30, when);
    starts.push(start + SignedDuration::from_secs(second));
    if further < FURTHER_RUN && second < SLOT - 60 {
        starts.push(start + SignedDuration::from_secs(within(second + 20, when_again)));
    }
}

/// Returns how many seconds into the slot its run starts.
fn offset(noise: Noise, slot: i64, start: Timestamp) -> i64 {
    let usual = if noise.smooth(Stream::RunOffset, 0, start, 200.0) < 0.35 { 10.0 } else { 18.0 };
    let drift = 1.2 * noise.smooth(Stream::RunOffset, 1, start, 3.0);
    let jitter = 1.3 * noise.normal(Stream::RunOffset, 2, slot);
    #[expect(clippy::cast_possible_truncation, reason = "some seconds")]
    let offset = (usual + drift + jitter).round() as i64;
    offset.clamp(1, 60)
}

fn is_in_a_hole(noise: Noise, slot: i64) -> bool {
    let hour = slot.div_euclid(SLOTS_PER_HOUR);
    let [hole, first, length] = noise.uniforms(Stream::RunOutage, hour);
    if HOLE <= hole {
        return false;
    }
    #[expect(clippy::cast_possible_truncation, reason = "slots of an hour")]
    let (first, length) = ((9.0 * first) as i64, 2 + (3.0 * length) as i64);
    (first..first + length).contains(&slot.rem_euclid(SLOTS_PER_HOUR))
}
