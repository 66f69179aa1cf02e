//! Has a forecaster become worse than it used to be? The last weeks against the time before.
//!
//! What is watched is loss by the climatology's loss on the same days (1 − skill), which a
//! busy summer changes less than the loss itself. Of four weeks the one that hurts most is left out: a
//! single bad week is bad luck. The question is asked of the past: windows of the same length,
//! put together from whole weeks of the time before, drawn with replacement; drift is what they
//! rarely reached. It is asked every day and of every threshold, so rarely means 1 in 2,000.

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
    /// Share of windows of the time before that were as bad, each without its worst week.
    pub p_value: f64,
}

/// Days of the recent window.
pub const RECENT_DAYS: usize = 28;
/// Fewer days before it are not enough to know what is usual.
pub const EARLIER_DAYS_MIN: usize = 84;
/// Fewer exceedances in either part are luck.
const EXCEEDANCES_MIN: u64 = 5;
/// So rarely the past was as bad.
const P_VALUE_MAX: f64 = 0.0005;
const BLOCK_DAYS: usize = 7;
const DRAWS: usize = 10_000;
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
    let blocks: Vec<Sums> = earlier.windows(BLOCK_DAYS).map(Sums::of).collect();
    let now = without_the_worst(recent.chunks(BLOCK_DAYS).map(Sums::of));
    let mut random = Pcg64Mcg::seed_from_u64(SEED);
    let as_bad = (0..DRAWS).filter(|_| {
        let drawn: [Sums; RECENT_DAYS / BLOCK_DAYS] =
            std::array::from_fn(|_| blocks[random.random_range(0..blocks.len())]);
        now <= without_the_worst(drawn.into_iter())
    });
    // The window itself counts as one, so that no p-value is zero.
    let p_value = number(1 + as_bad.count()) / number(DRAWS + 1);
    let skill = |days: &[DayLoss]| 1.0 - Sums::of(days).ratio();
    let windows = Windows { recent: skill(recent), earlier: skill(earlier), p_value };
    if p_value <= P_VALUE_MAX { Drift::Worse(windows) } else { Drift::Steady(windows) }
}

/// Losses summed over days.
#[derive(Clone, Copy)]
struct Sums {
    loss: f64,
    reference: f64,
}

impl Sums {
    fn of(days: &[DayLoss]) -> Self {
        let sum = |of: fn(&DayLoss) -> f64| days.iter().map(of).sum();
        Self { loss: sum(|day| day.loss), reference: sum(|day| day.reference) }
    }

    fn ratio(self) -> f64 {
        self.loss / self.reference
    }
}

/// Returns loss by reference over all weeks but the one without which it is smallest.
fn without_the_worst(weeks: impl Iterator<Item = Sums> + Clone) -> f64 {
    let add =
        |a: Sums, b: Sums| Sums { loss: a.loss + b.loss, reference: a.reference + b.reference };
    let total = weeks.clone().fold(Sums { loss: 0.0, reference: 0.0 }, add);
    let without = |week: Sums| {
        Sums { loss: total.loss - week.loss, reference: total.reference - week.reference }.ratio()
    };
    weeks.map(without).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::super::proper::log_loss;
    use super::*;
    use crate::probability::probability;
    use rayon::prelude::*;

    /// Log-odds of the thresholds in quiet hours: exceeded in 16 % to 0.5 % of all hours.
    const LEVELS: [f64; 5] = [-2.2, -3.2, -4.2, -5.2, -6.2];
    const CALIBRATED_YEARS: u64 = 24;
    const BROKEN_YEARS: u64 = 12;
    /// When somebody could first judge, and a year later.
    const JUDGED: std::ops::RangeInclusive<usize> = EARLIER_DAYS_MIN + RECENT_DAYS..=477;
    /// From this day on a broken forecaster is broken.
    const BREAK: usize = 362;

    /// What a forecaster does with the true log-odds and those of the climatology; the last is chance.
    type Change = fn(f64, f64, f64) -> f64;
    const CALIBRATED: Change = |known, _, _| known;

    fn normal(random: &mut Pcg64Mcg) -> f64 {
        (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Days of a forecaster that is calibrated until it breaks, by threshold: exceedances happen as often
    /// as it says, and it knows what makes hours, days and above all weeks unlike. The climatology knows
    /// hour and season.
    fn record(seed: u64, broken: Change) -> Vec<Vec<DayLoss>> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut record = vec![Vec::new(); LEVELS.len()];
        let mut week = 0.0;
        for day in 0..*JUDGED.end() {
            week = 0.85 * week + 0.53 * normal(&mut random);
            let today = 0.35 * normal(&mut random);
            let season = 0.8 * (number(day) / 365.0 * std::f64::consts::TAU).cos();
            let empty = DayLoss { loss: 0.0, reference: 0.0, exceedances: 0 };
            let mut losses = [empty; LEVELS.len()];
            for hour in 0..24 {
                let usual = season + 2.0 * (-((number(hour) - 19.0) / 3.0).powi(2)).exp();
                let unusual = 0.8 * week + today + 0.3 * normal(&mut random) - 0.5;
                let (luck, chance) = (random.random::<f64>(), normal(&mut random));
                for (day_loss, level) in losses.iter_mut().zip(LEVELS) {
                    let (climatology, known) = (level + usual, level + usual + unusual);
                    let exceeded = luck < probability(known);
                    let forecast = if day < BREAK { CALIBRATED } else { broken };
                    let said = forecast(known, climatology, chance);
                    day_loss.loss += log_loss(probability(said), exceeded);
                    day_loss.reference += log_loss(probability(climatology), exceeded);
                    // Three forecasts speak about every hour.
                    day_loss.exceedances += 3 * u64::from(exceeded);
                }
            }
            record.iter_mut().zip(losses).for_each(|(days, losses)| days.push(losses));
        }
        record
    }

    fn is_told(record: &[Vec<DayLoss>], days: usize) -> bool {
        record.iter().any(|all| matches!(drift(&all[..days]), Drift::Worse(_)))
    }

    /// Returns after how many days a broken forecaster is told of, for each year, the soonest first.
    fn days_to_tell(broken: Change) -> Vec<Option<usize>> {
        let told = |seed: u64| {
            let record = record(1_000 + seed, broken);
            (BREAK..=*JUDGED.end()).find(|days| is_told(&record, *days)).map(|days| days - BREAK)
        };
        let mut days: Vec<Option<usize>> = (0..BROKEN_YEARS).into_par_iter().map(told).collect();
        days.sort_by_key(|days| days.unwrap_or(usize::MAX));
        days
    }

    #[test]
    fn a_calibrated_forecaster_alarms_once_a_year_at_most() {
        let alarms = |seed: u64| -> Vec<usize> {
            let record = record(seed, CALIBRATED);
            JUDGED.step_by(2).filter(|days| is_told(&record, *days)).collect()
        };
        let alarms: Vec<Vec<usize>> = (0..CALIBRATED_YEARS).into_par_iter().map(alarms).collect();
        // Days that share part of their four weeks tell the same.
        let episodes = |days: &Vec<usize>| {
            let apart = days.windows(2).filter(|pair| RECENT_DAYS < pair[1] - pair[0]).count();
            apart + usize::from(!days.is_empty())
        };
        let episodes: usize = alarms.iter().map(episodes).sum();
        assert!(episodes <= 24, "{episodes} in {CALIBRATED_YEARS} years: {alarms:?}");
    }

    #[test]
    fn forecasts_replaced_by_chance_are_told_within_a_month() {
        let days = days_to_tell(|_, climatology, chance| climatology + 1.5 * chance);
        assert!(days.iter().all(|days| days.is_some_and(|days| days <= 21)), "{days:?}");
    }

    #[test]
    fn forecasts_that_know_no_more_than_the_climatology_are_mostly_told_within_five_weeks() {
        let days = days_to_tell(|_, climatology, _| climatology);
        assert!(days[2 * days.len() / 3].is_some_and(|days| days <= 35), "{days:?}");
    }

    #[test]
    fn forecasts_with_doubled_odds_are_mostly_told_within_a_quarter() {
        let days = days_to_tell(|known, _, _| known + 0.7);
        assert!(days[days.len() / 2].is_some_and(|days| days <= 90), "{days:?}");
    }

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
    fn losing_a_third_more_than_ever_is_drift() {
        let Drift::Worse(windows) = drift(&worsened(days(365, 1), 1.35)) else {
            panic!("not seen");
        };
        assert!(windows.recent < windows.earlier - 0.1 && windows.p_value <= P_VALUE_MAX);
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
