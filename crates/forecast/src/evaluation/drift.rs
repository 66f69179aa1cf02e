//! Has a forecaster become worse than it used to be? The last weeks against the time before.
//!
//! What is watched is loss by the climatology's loss on the same days (1 − skill), which a
//! busy summer changes less than the loss itself. The question is asked of the past: windows of the same length,
//! put together from whole weeks of the time before, drawn with replacement; drift is what they
//! rarely reached. It is asked every day, so rarely means 1 in 500.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::arithmetic::number;

/// Sums of losses over the hours of one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayLoss {
    /// The forecaster's.
    pub loss: f64,
    /// The climatology's.
    pub reference: f64,
    /// How many hours exceeded.
    pub exceedances: u64,
}

/// What is said about drift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drift {
    /// Too few days or exceedances to say.
    Unknown,
    /// Nothing that did not happen before.
    Steady(Windows),
    /// The last weeks were worse than almost all before.
    Worse(Windows),
}

/// The last weeks and the time before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// Skill of the last weeks.
    pub recent: f64,
    /// Skill of the time before.
    pub earlier: f64,
    /// Share of windows of the time before that were as bad.
    pub p_value: f64,
}

/// Days of the recent window.
pub const RECENT_DAYS: usize = 28;
/// Fewer days before it are not enough to know what is usual.
pub const EARLIER_DAYS_MIN: usize = 84;
/// Fewer exceedances in either part are luck.
const EXCEEDANCES_MIN: u64 = 5;
/// So rarely the past was as bad.
const P_VALUE_MAX: f64 = 0.002;
const BLOCK_DAYS: usize = 7;
const DRAWS: usize = 5_000;
const SEED: u64 = 20_240_101;

/// Judges successive days, oldest first.
#[must_use]
pub fn drift(days: &[DayLoss]) -> Drift {
    let Some(split) = days.len().checked_sub(RECENT_DAYS) else { return Drift::Unknown };
    let (earlier, recent) = days.split_at(split);
    let exceedances = |days: &[DayLoss]| -> u64 { days.iter().map(|day| day.exceedances).sum() };
    if earlier.len() < EARLIER_DAYS_MIN
        || exceedances(recent) < EXCEEDANCES_MIN
        || exceedances(earlier) < EXCEEDANCES_MIN
    {
        return Drift::Unknown;
    }
    let now = ratio(recent.iter());
    let as_bad = (0..DRAWS).scan(Pcg64Mcg::seed_from_u64(SEED), |random, _| {
        let blocks: Vec<usize> = (0..RECENT_DAYS / BLOCK_DAYS)
            .map(|_| random.random_range(0..=earlier.len() - BLOCK_DAYS))
            .collect();
        Some(now <= ratio(blocks.iter().flat_map(|&block| &earlier[block..block + BLOCK_DAYS])))
    });
    // The window itself counts as one, so that no p-value is zero.
    let as_bad = 1 + as_bad.filter(|is_as_bad| *is_as_bad).count();
    let p_value = number(as_bad) / number(DRAWS + 1);
    let windows = Windows { recent: 1.0 - now, earlier: 1.0 - ratio(earlier.iter()), p_value };
    if p_value <= P_VALUE_MAX { Drift::Worse(windows) } else { Drift::Steady(windows) }
}

fn ratio<'d>(days: impl Iterator<Item = &'d DayLoss>) -> f64 {
    let (loss, reference) =
        days.fold((0.0, 0.0), |sums, day| (sums.0 + day.loss, sums.1 + day.reference));
    loss / reference
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of a forecaster that saves a fifth on average, with quiet and busy days.
    fn days(count: usize, seed: u64) -> Vec<DayLoss> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut day = || {
            let reference = 0.5 + 4.0 * random.random::<f64>().powi(4);
            let loss = reference * (0.8 + 0.6 * (random.random::<f64>() - 0.5));
            DayLoss { loss, reference, exceedances: 1 }
        };
        (0..count).map(|_| day()).collect()
    }

    fn worsened(mut days: Vec<DayLoss>, factor: f64) -> Vec<DayLoss> {
        let split = days.len() - RECENT_DAYS;
        days[split..].iter_mut().for_each(|day| day.loss *= factor);
        days
    }

    #[test]
    fn losing_a_quarter_more_than_ever_is_drift() {
        let Drift::Worse(windows) = drift(&worsened(days(365, 1), 1.25)) else {
            panic!("not seen");
        };
        assert!(windows.recent < windows.earlier - 0.1 && windows.p_value <= P_VALUE_MAX);
    }

    #[test]
    fn a_forecaster_that_stays_as_it_was_rarely_alarms() {
        let alarms =
            (0..300).filter(|&seed| matches!(drift(&days(200, seed)), Drift::Worse(_))).count();
        assert!(alarms <= 4, "{alarms} of 300");
    }

    #[test]
    fn becoming_better_is_no_alarm() {
        assert!(matches!(drift(&worsened(days(365, 1), 0.5)), Drift::Steady(_)));
    }

    #[test]
    fn few_days_or_exceedances_show_nothing() {
        assert_eq!(drift(&[]), Drift::Unknown);
        assert_eq!(
            drift(&worsened(days(RECENT_DAYS + EARLIER_DAYS_MIN - 1, 1), 3.0)),
            Drift::Unknown
        );
        let mut quiet = worsened(days(365, 1), 3.0);
        quiet.iter_mut().for_each(|day| day.exceedances = 0);
        assert_eq!(drift(&quiet), Drift::Unknown);
    }
}
