//! Two models side by side on the held-out hours that both have: paired differences of log-loss
//! with a weekly block-bootstrap interval.
//!
//! Only weeks that hold the same hours for both count: at its edges the held-out span of a later
//! training has other hours. Which difference is enough for what, is decided elsewhere.

use std::collections::BTreeMap;

use super::held_out::{HeldOut, HeldOutWeek};
use crate::evaluation::{Interval, weekly_interval};

/// The difference of two models on the same hours.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedDifference {
    /// How many weeks both have.
    pub weeks: usize,
    /// How many hours those weeks have.
    pub hours: usize,
    /// How many of these hours exceeded the threshold.
    pub exceedances: usize,
    /// Mean log-loss of the first model; NaN without hours.
    pub first: f64,
    /// Mean log-loss of the second.
    pub second: f64,
    /// The second's mean log-loss minus the first's: negative if the second is better.
    pub difference: f64,
    /// 90 % interval of the difference; nothing when there are fewer than [`WEEKS_MIN`](crate::evaluation::WEEKS_MIN) weeks.
    pub interval: Option<Interval>,
}

/// What the interval of a difference says about the second model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Better beyond doubt: the whole interval is on the good side of 0.
    Better,
    /// Worse beyond doubt.
    Worse,
    /// The interval holds 0: it may be luck.
    Undecided,
    /// There are too few weeks in common to say anything.
    NotComparable,
}

/// Two models compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// For each threshold in $/MWh that both have.
    pub thresholds: Vec<(f64, PairedDifference)>,
    /// The mean over these thresholds.
    pub pooled: PairedDifference,
}

impl PairedDifference {
    /// Says what the interval says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.interval {
            None => Verdict::NotComparable,
            Some(interval) if interval.upper < 0.0 => Verdict::Better,
            Some(interval) if 0.0 < interval.lower => Verdict::Worse,
            Some(_) => Verdict::Undecided,
        }
    }
}

/// Compares the second model with the first one.
#[must_use]
pub fn compare(first: &[HeldOut], second: &[HeldOut]) -> Comparison {
    let pairs = first.iter().filter_map(|first| {
        let of_it = |second: &&HeldOut| second.threshold.total_cmp(&first.threshold).is_eq();
        Some((first.threshold, common_weeks(&first.weeks, &second.iter().find(of_it)?.weeks)))
    });
    let pairs: Vec<(f64, BTreeMap<&str, PairedWeek>)> = pairs.collect();
    let thresholds =
        pairs.iter().map(|(threshold, weeks)| (*threshold, difference(weeks.values()))).collect();
    Comparison { thresholds, pooled: difference(pool(&pairs).values()) }
}

/// A week that both have.
#[derive(Clone, Copy, Debug, Default)]
struct PairedWeek {
    hours: usize,
    exceedances: usize,
    first: f64,
    second: f64,
}

fn common_weeks<'w>(
    first: &'w [HeldOutWeek],
    second: &[HeldOutWeek],
) -> BTreeMap<&'w str, PairedWeek> {
    let second: BTreeMap<&str, &HeldOutWeek> =
        second.iter().map(|week| (week.start.as_str(), week)).collect();
    let paired = first.iter().filter_map(|first| {
        let second = second.get(first.start.as_str())?;
        let hours = |week: &HeldOutWeek| (week.hours, week.exceedances);
        (hours(first) == hours(second)).then(|| {
            let (hours, exceedances) = hours(first);
            let (first_loss, second_loss) = (first.log_loss, second.log_loss);
            let week = PairedWeek { hours, exceedances, first: first_loss, second: second_loss };
            (first.start.as_str(), week)
        })
    });
    paired.collect()
}

/// Sums up the weeks that every threshold has.
fn pool<'w>(pairs: &[(f64, BTreeMap<&'w str, PairedWeek>)]) -> BTreeMap<&'w str, PairedWeek> {
    let mut pooled: BTreeMap<&str, (usize, PairedWeek)> = BTreeMap::new();
    for (start, week) in pairs.iter().flat_map(|(_, weeks)| weeks) {
        let (thresholds, sum) = pooled.entry(start).or_default();
        *thresholds += 1;
        sum.hours += week.hours;
        sum.exceedances += week.exceedances;
        sum.first += week.first;
        sum.second += week.second;
    }
    let of_all = pooled.into_iter().filter(|(_, (thresholds, _))| *thresholds == pairs.len());
    of_all.map(|(start, (_, week))| (start, week)).collect()
}

const SEED: u64 = 91;

fn difference<'w>(weeks: impl Iterator<Item = &'w PairedWeek>) -> PairedDifference {
    let weeks: Vec<PairedWeek> = weeks.copied().collect();
    let hours = weeks.iter().map(|week| week.hours).sum();
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let mean = |of: fn(&PairedWeek) -> f64| weeks.iter().map(of).sum::<f64>() / hours as f64;
    PairedDifference {
        weeks: weeks.len(),
        hours,
        exceedances: weeks.iter().map(|week| week.exceedances).sum(),
        first: mean(|week| week.first),
        second: mean(|week| week.second),
        difference: mean(|week| week.second - week.first),
        interval: interval(&weeks),
    }
}

fn interval(weeks: &[PairedWeek]) -> Option<Interval> {
    weekly_interval(weeks, SEED, |drawn| {
        let (sum, hours) = drawn.fold((0.0, 0), |(sum, hours), week| {
            (sum + (week.second - week.first), hours + week.hours)
        });
        #[expect(clippy::cast_precision_loss, reason = "row counts")]
        let mean = sum / hours as f64;
        mean
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One threshold whose weeks have 168 hours each, with these mean log-losses.
    fn held_out(threshold: f64, first_week: usize, losses: &[f64]) -> HeldOut {
        let week = |(number, loss): (usize, &f64)| HeldOutWeek {
            start: format!("week {:03}", first_week + number),
            hours: 168,
            exceedances: 7,
            log_loss: 168.0 * loss,
            climatology_log_loss: 168.0,
        };
        HeldOut {
            threshold,
            hours: 168 * losses.len(),
            exceedances: 7 * losses.len(),
            log_loss: 0.0,
            climatology_log_loss: 1.0,
            skill_interval: None,
            weeks: losses.iter().enumerate().map(week).collect(),
        }
    }

    fn check(first: &[f64], second: &[f64], expected: Verdict) {
        let compared = compare(&[held_out(50.0, 0, first)], &[held_out(50.0, 0, second)]);
        assert_eq!(compared.pooled.verdict(), expected, "{compared:?}");
        let differences = [compared.thresholds[0].1.difference, compared.pooled.difference];
        assert_eq!(differences[0].to_bits(), differences[1].to_bits());
    }

    #[test]
    fn what_is_the_same_every_week_is_beyond_doubt() {
        check(&[0.2; 12], &[0.21; 12], Verdict::Worse);
        check(&[0.2; 12], &[0.19; 12], Verdict::Better);
        check(&[0.2; 12], &[0.2; 12], Verdict::Undecided);
    }

    #[test]
    fn what_one_week_makes_may_be_luck() {
        let mut lucky = [0.2; 12];
        lucky[4] = 0.1;
        check(&[0.2; 12], &lucky, Verdict::Undecided);
    }

    #[test]
    fn too_few_weeks_say_nothing() {
        check(&[0.2; 7], &[0.1; 7], Verdict::NotComparable);
        check(&[], &[], Verdict::NotComparable);
    }

    #[test]
    fn only_weeks_with_the_same_hours_count() {
        let first = held_out(50.0, 0, &[0.2; 13]);
        let mut second = held_out(50.0, 1, &[0.3; 13]);
        second.weeks[0].hours -= 24;
        second.weeks[1].exceedances += 1;
        let pooled = compare(&[first], &[second]).pooled;
        // Twelve weeks overlap, of which one has fewer hours and one another outcome.
        assert_eq!((pooled.weeks, pooled.hours, pooled.exceedances), (10, 1_680, 70));
        assert!((pooled.first - 0.2).abs() < 1e-9 && (pooled.second - 0.3).abs() < 1e-9);
        assert!((pooled.difference - 0.1).abs() < 1e-9);
    }

    #[test]
    fn pooled_is_the_mean_over_the_thresholds_that_both_have() {
        let of = |losses: [f64; 2]| {
            [held_out(50.0, 0, &[losses[0]; 9]), held_out(100.0, 0, &[losses[1]; 9])]
        };
        let mut second = of([0.2, 0.3]).to_vec();
        second.push(held_out(200.0, 0, &[9.0; 9]));
        let compared = compare(&of([0.4, 0.3]), &second);
        let differences = compared.thresholds.iter().map(|(_, paired)| paired.difference);
        let expected = [-0.2, 0.0];
        for (difference, expected) in differences.zip(expected) {
            assert!((difference - expected).abs() < 1e-9, "{difference}");
        }
        assert!((compared.pooled.difference + 0.1).abs() < 1e-9);
        assert_eq!((compared.pooled.weeks, compared.pooled.verdict()), (9, Verdict::Better));
    }
}
