//! Randomness without state: a number belongs to a seed, a stream and an index, whoever asks.

use jiff::Timestamp;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg32;

/// What a random number is for. The discriminants are part of every simulated world: a number
/// that is given away again or changed changes the world of every seed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Fronts = 1,
    ZoneTemperature = 2,
    WindCommon = 3,
    WindOfRegion = 4,
    CloudsCommon = 5,
    CloudsOfRegion = 6,
    LoadHabit = 7,
    ForcedOutages = 8,
    OutagesOfZone = 9,
    IntermittentOutages = 10,
    GasPrice = 11,
    MinuteByMinute = 12,
    Shortage = 13,
    RestlessWeeks = 14,
    LineLoading = 15,
    RunOffset = 16,
    ExtraRun = 17,
    RunOutage = 18,
    Correction = 19,
    LoadForecastError = 20,
    LoadZoneForecastError = 21,
    LoadModelError = 22,
    LoadModelInUse = 23,
    WindForecastError = 24,
    WindRegionForecastError = 25,
    SolarForecastError = 26,
    SolarRegionForecastError = 27,
    TemperatureForecastError = 28,
    DayAheadPremium = 29,
    OperatorPlans = 30,
    DayAheadCorrection = 31,
}

/// All randomness of one simulated world.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    seed: u64,
}

const SECONDS_PER_HOUR: f64 = 3_600.0;

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Returns a standard normal number.
    pub(super) fn normal(self, stream: Stream, variant: u64, index: i64) -> f64 {
        StandardNormal.sample(&mut self.generator(stream, variant, index))
    }

    /// Returns numbers in [0, 1).
    pub(super) fn uniforms<const N: usize>(self, stream: Stream, index: i64) -> [f64; N] {
        let mut generator = self.generator(stream, 0, index);
        std::array::from_fn(|_| generator.random::<f64>())
    }

    /// Returns smooth noise of variance 1 that forgets itself within about `hours`.
    pub(super) fn smooth(self, stream: Stream, variant: u64, at: Timestamp, hours: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "seconds of our centuries fit 53 bits")]
        let knots = at.as_second() as f64 / (hours * SECONDS_PER_HOUR);
        let (knot, share) = (knots.floor(), knots - knots.floor());
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number, and small")]
        let index = knot as i64;
        // Eased, so that the curve has no corner at a knot.
        let later = share * share * (3.0 - 2.0 * share);
        let earlier = 1.0 - later;
        // Octaves of one stream must not share knots.
        let variant = variant.wrapping_mul(1_000).wrapping_add(hours.to_bits());
        let blend = earlier * self.normal(stream, variant, index)
            + later * self.normal(stream, variant, index + 1);
        blend / (earlier * earlier + later * later).sqrt()
    }

    fn generator(self, stream: Stream, variant: u64, index: i64) -> Pcg32 {
        let mut state = self.seed;
        for part in [stream as u64, variant, index.cast_unsigned()] {
            state = scramble(state ^ part);
        }
        Pcg32::new(state, stream as u64)
    }
}

/// Spreads every bit over all bits (the finalizer of SplitMix64).
fn scramble(bits: u64) -> u64 {
    let mut z = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn smooth_noise_has_variance_one_and_a_memory() {
        let noise = Noise::new(7);
        let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        let hours: Vec<f64> = (0..40_000)
            .map(|h| noise.smooth(Stream::Fronts, 0, start + SignedDuration::from_hours(h), 12.0))
            .collect();
        let mean = |xs: &mut dyn Iterator<Item = f64>| xs.sum::<f64>() / 40_000.0;
        let variance = mean(&mut hours.iter().map(|x| x * x));
        assert!((variance - 1.0).abs() < 0.06, "{variance}");
        let near = mean(&mut hours.windows(2).map(|w| w[0] * w[1]));
        let far = mean(&mut hours.windows(37).map(|w| w[0] * w[36]));
        assert!(0.9 < near && far.abs() < 0.06, "{near} {far}");
    }

    #[test]
    fn every_seed_stream_and_index_has_its_own_number() {
        let number = |seed, stream, index| Noise::new(seed).normal(stream, 0, index);
        let reference = number(1, Stream::Fronts, 5);
        assert_eq!(reference.to_bits(), number(1, Stream::Fronts, 5).to_bits());
        for other in [
            number(2, Stream::Fronts, 5),
            number(1, Stream::CloudsCommon, 5),
            number(1, Stream::Fronts, 6),
        ] {
            assert!(0.0 < (reference - other).abs(), "{other}");
        }
    }
}
