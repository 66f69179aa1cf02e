//! Where numbers fall on paper: linear scales, logarithmic counts, round ticks.
//!
//! Pure arithmetic; drawing is in `svg`. Probability axes start at zero and are linear, so that a
//! bar or a line twice as high is twice as likely.

/// No probability axis ends below this, so that a calm day looks calm.
const PROBABILITY_AXIS_MIN: f64 = 0.10;

/// A linear map from data to paper.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// Maps the first data end to the first paper end, and the second to the second.
    pub(super) fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        assert!(from.0 < from.1, "a scale needs an extent");
        Self { from, to }
    }

    /// Returns the place of a value; values beyond the ends stay at the ends.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = ((value - self.from.0) / (self.from.1 - self.from.0)).clamp(0.0, 1.0);
        self.to.0 + share * (self.to.1 - self.to.0)
    }

    /// Tells whether a value lies between the ends.
    pub(super) fn contains(&self, value: f64) -> bool {
        self.from.0 <= value && value <= self.from.1
    }
}

/// Round values along an axis, its ends included.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    /// Where the axis begins; a multiple of the step.
    pub(super) low: f64,
    /// Where the axis ends; a multiple of the step.
    pub(super) high: f64,
    /// The values to label, from low to high.
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// Returns the tightest axis of round steps that covers both values with few ticks.
    pub(super) fn covering(low: f64, high: f64, steps_max: u32) -> Self {
        let extent = (high - low).max(f64::MIN_POSITIVE);
        let magnitude = 10f64.powf((extent / f64::from(steps_max)).log10().floor());
        for factor in [1.0, 2.0, 5.0, 10.0, 20.0] {
            let step = factor * magnitude;
            // A value a rounding error beyond a tick belongs to that tick.
            let first = (low / step + 1e-9).floor();
            let last = (high / step - 1e-9).ceil();
            if last - first <= f64::from(steps_max) {
                return Self::stepped(first, last, step);
            }
        }
        Self::stepped(0.0, 1.0, extent)
    }

    /// Returns an axis for probabilities: from zero, at least to 10 %, at most to 100 %.
    pub(super) fn of_probability(highest: f64) -> Self {
        Self::covering(0.0, highest.clamp(PROBABILITY_AXIS_MIN, 1.0), 5)
    }

    /// Returns an axis for skill: always with zero, never a hair's breadth.
    pub(super) fn of_skill(lowest: f64, highest: f64) -> Self {
        Self::covering(lowest.min(0.0), highest.max(0.05), 6)
    }

    fn stepped(first: f64, last: f64, step: f64) -> Self {
        let mut ticks = Vec::new();
        let mut index = first;
        while index <= last {
            ticks.push(index * step);
            index += 1.0;
        }
        Self { low: first * step, high: last * step, ticks }
    }

    /// Returns the scale that lays this axis between two places on paper.
    pub(super) fn onto(&self, start: f64, end: f64) -> Scale {
        Scale::new((self.low, self.high), (start, end))
    }
}

/// Returns the share of the height that a count takes on a logarithmic axis ending at `largest`;
/// one hour is still visible, none is not.
pub(super) fn log_share(count: u64, largest: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    (2.0 * as_f64(count)).ln() / (2.0 * as_f64(largest.max(count))).ln()
}

/// Returns a count as a number to draw; counts of hours are far below where this would round.
#[expect(clippy::cast_precision_loss, reason = "counts of hours are far below 2^53")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_axis(axis: &Axis, expected: &[f64]) {
        assert_eq!(axis.ticks.len(), expected.len(), "{axis:?}");
        for (tick, wanted) in axis.ticks.iter().zip(expected) {
            assert!((tick - wanted).abs() < 1e-9, "{axis:?}");
        }
    }

    #[test]
    fn a_scale_maps_its_ends_and_clamps_beyond() {
        let scale = Scale::new((0.0, 0.5), (200.0, 100.0));
        assert!((scale.at(0.0) - 200.0).abs() < 1e-9);
        assert!((scale.at(0.25) - 150.0).abs() < 1e-9);
        assert!((scale.at(0.9) - 100.0).abs() < 1e-9);
        assert!(scale.contains(0.5) && !scale.contains(-0.1));
    }

    #[test]
    fn probability_axes_reach_from_zero_to_a_round_end() {
        check_axis(&Axis::of_probability(0.003), &[0.0, 0.02, 0.04, 0.06, 0.08, 0.10]);
        check_axis(&Axis::of_probability(0.31), &[0.0, 0.1, 0.2, 0.3, 0.4]);
        check_axis(&Axis::of_probability(0.68), &[0.0, 0.2, 0.4, 0.6, 0.8]);
        check_axis(&Axis::of_probability(1.0), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    }

    #[test]
    fn skill_axes_always_show_zero() {
        check_axis(&Axis::of_skill(0.08, 0.33), &[0.0, 0.1, 0.2, 0.3, 0.4]);
        check_axis(&Axis::of_skill(-0.3, -0.1), &[-0.3, -0.2, -0.1, 0.0, 0.1]);
    }

    #[test]
    fn on_a_logarithmic_axis_one_is_seen_and_none_is_not() {
        assert!(log_share(0, 1000) < f64::EPSILON);
        assert!(0.05 < log_share(1, 1000));
        assert!((log_share(1000, 1000) - 1.0).abs() < 1e-12);
        assert!(log_share(10, 1000) < log_share(100, 1000));
    }
}
