//! Could the difference be luck? Weekly block bootstrap of a skill score.
//!
//! Hours of a week are dependent, weeks much less so: whole weeks are drawn with replacement.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::arithmetic::week_number;

/// A two-sided 90 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// 5th percentile.
    pub lower: f64,
    /// 95th percentile.
    pub upper: f64,
}

/// Fewer blocks than this say nothing about how much weeks differ.
pub const WEEKS_MIN: usize = 8;
const DRAWS: usize = 2_000;

/// Returns the 90 % interval of the skill 1 − Σ loss / Σ reference loss, from rows of
/// (target start in seconds, loss, reference loss); `None` with fewer than
/// [`WEEKS_MIN`] weeks.
#[must_use]
pub fn skill_interval(rows: &[(i64, f64, f64)], seed: u64) -> Option<Interval> {
    let mut weeks: std::collections::BTreeMap<i64, (f64, f64)> = std::collections::BTreeMap::new();
    for &(start, loss, reference) in rows {
        let week = weeks.entry(week_number(start)).or_default();
        week.0 += loss;
        week.1 += reference;
    }
    let weeks: Vec<(f64, f64)> = weeks.into_values().collect();
    weekly_interval(&weeks, seed, |drawn| {
        let (loss, reference) =
            drawn.fold((0.0, 0.0), |sum, week| (sum.0 + week.0, sum.1 + week.1));
        1.0 - loss / reference
    })
}

/// Returns the 90 % interval of a statistic of weeks: weeks are drawn with replacement, as many as
/// there are; `None` with fewer than [`WEEKS_MIN`].
pub(crate) fn weekly_interval<W>(
    weeks: &[W],
    seed: u64,
    statistic: impl Fn(&mut dyn Iterator<Item = &W>) -> f64,
) -> Option<Interval> {
    if weeks.len() < WEEKS_MIN {
        return None;
    }
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let mut draw = (0..weeks.len()).map(|_| &weeks[random.random_range(0..weeks.len())]);
            statistic(&mut draw)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    Some(Interval { lower: drawn[DRAWS / 20], upper: drawn[DRAWS - 1 - DRAWS / 20] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::WEEK_SECONDS;

    #[test]
    fn a_constant_advantage_has_a_narrow_interval() {
        let rows: Vec<_> = (0..52).map(|week| (week * WEEK_SECONDS, 0.9, 1.0)).collect();
        let interval = skill_interval(&rows, 7).unwrap();
        assert!((interval.lower - 0.1).abs() < 1e-9 && (interval.upper - 0.1).abs() < 1e-9);
    }

    #[test]
    fn an_advantage_of_one_lucky_week_is_not_certain() {
        let loss = |week: i64| if week == 3 { 0.0 } else { 1.01 };
        let rows: Vec<_> = (0..52).map(|week| (week * WEEK_SECONDS, loss(week), 1.0)).collect();
        let interval = skill_interval(&rows, 7).unwrap();
        assert!(interval.lower < 0.0 && 0.0 < interval.upper);
    }

    #[test]
    fn two_weeks_are_too_few() {
        assert_eq!(skill_interval(&[(0, 1.0, 1.0), (WEEK_SECONDS, 1.0, 1.0)], 7), None);
    }
}
