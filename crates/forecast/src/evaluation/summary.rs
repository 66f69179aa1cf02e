//! The scores of one forecaster on one set of hours at one threshold.

use super::bootstrap::{Interval, skill_interval};
use super::discrimination::{average_precision, roc_auc, within_group_auc};
use super::forecaster::Forecaster;
use super::hour::ScoredHours;
use super::proper::Loss;
use super::reliability::{
    RELIABILITY_BINS, ReliabilityBin, expected_calibration_error, reliability,
};
use crate::arithmetic::{mean, number};

/// Scores of one forecaster on one set of hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Hours with a known outcome.
    pub hours: usize,
    /// How many exceeded the threshold.
    pub exceedances: usize,
    /// Mean Brier score.
    pub brier: f64,
    /// Mean logarithmic score in nats.
    pub log_loss: f64,
    /// 1 − Brier / that of the reference.
    pub brier_skill: f64,
    /// Its 90 % interval (weekly block bootstrap).
    pub brier_skill_interval: Option<Interval>,
    /// 1 − log-loss / that of the reference.
    pub log_loss_skill: f64,
    /// Its 90 % interval (weekly block bootstrap).
    pub log_loss_skill_interval: Option<Interval>,
    /// Area under the ROC curve; NaN without both kinds of hours.
    pub roc_auc: f64,
    /// The same among hours of the same hour of day: what climatology by the clock cannot gain.
    pub within_hour_auc: f64,
    /// Average precision; NaN without exceedances. Compare with the base rate.
    pub average_precision: f64,
    /// Expected calibration error, ten bins of equal size.
    pub calibration_error: f64,
    /// Forecast probability against observed frequency in those bins.
    pub reliability: Vec<ReliabilityBin>,
}

impl Scores {
    /// Returns the share of hours that exceeded.
    #[must_use]
    pub fn base_rate(&self) -> f64 {
        number(self.exceedances) / number(self.hours)
    }
}

/// What skill is measured against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reference {
    /// A climatology that was known at the issue time.
    Forecaster(Forecaster),
    /// The base rate of the scored hours themselves, where no climatology is there: nobody could
    /// have known it, which makes it the toughest constant.
    BaseRate(f64),
}

impl Reference {
    fn probability(self, hours: &ScoredHours, row: usize) -> f64 {
        match self {
            Reference::Forecaster(forecaster) => hours.probability(forecaster, row),
            Reference::BaseRate(rate) => rate,
        }
    }
}

const BOOTSTRAP_SEED: u64 = 20_240_101;

/// Returns the tougher of the climatologies on these very hours, or their base rate where there is
/// none.
#[must_use]
pub fn reference(hours: &ScoredHours, loss: Loss) -> Reference {
    let total = |forecaster: Forecaster| -> f64 {
        hours.pairs(forecaster).iter().map(|&(p, exceeded)| loss.of(p, exceeded)).sum()
    };
    let there = Forecaster::CLIMATOLOGIES.into_iter().filter(|&who| hours.has(who));
    match there.min_by(|&a, &b| total(a).total_cmp(&total(b))) {
        Some(forecaster) => Reference::Forecaster(forecaster),
        None => {
            let outcomes = hours.hours().iter().map(|hour| f64::from(u8::from(hour.exceeded)));
            Reference::BaseRate(mean(outcomes))
        }
    }
}

/// Scores a forecaster on the hours about which it and the climatologies said something.
#[must_use]
pub fn scores(hours: &ScoredHours, forecaster: Forecaster) -> Scores {
    let speakers: Vec<Forecaster> = Forecaster::CLIMATOLOGIES
        .into_iter()
        .filter(|&who| hours.has(who))
        .chain([forecaster])
        .collect();
    let hours = &hours.said_by(&speakers);
    let forecasts = hours.pairs(forecaster);
    let [
        (brier, brier_skill, brier_skill_interval),
        (log_loss, log_loss_skill, log_loss_skill_interval),
    ] = [Loss::Brier, Loss::Logarithmic].map(|loss| skill(hours, forecaster, loss));
    let hours_of_day: Vec<u8> = hours.hours().iter().map(|hour| hour.hour_of_day).collect();
    Scores {
        hours: forecasts.len(),
        exceedances: forecasts.iter().filter(|(_, exceeded)| *exceeded).count(),
        brier,
        log_loss,
        brier_skill,
        brier_skill_interval,
        log_loss_skill,
        log_loss_skill_interval,
        roc_auc: roc_auc(&forecasts),
        within_hour_auc: within_group_auc(&forecasts, &hours_of_day),
        average_precision: average_precision(&forecasts),
        calibration_error: expected_calibration_error(&forecasts),
        reliability: reliability(&forecasts, RELIABILITY_BINS),
    }
}

/// Returns the mean loss, the skill and its interval.
fn skill(hours: &ScoredHours, forecaster: Forecaster, loss: Loss) -> (f64, f64, Option<Interval>) {
    let reference = reference(hours, loss);
    let row = |(row, hour): (usize, &super::ScoredHour)| {
        let of = |probability: f64| loss.of(probability, hour.exceeded);
        let own = of(hours.probability(forecaster, row));
        (hour.target_start, own, of(reference.probability(hours, row)))
    };
    let rows: Vec<(i64, f64, f64)> = hours.hours().iter().enumerate().map(row).collect();
    let own = mean(rows.iter().map(|row| row.1));
    let skill = match reference {
        // Whoever knows that nothing, or everything, exceeds loses nothing: there is no skill.
        Reference::BaseRate(rate) if rate <= 0.0 || 1.0 <= rate => f64::NAN,
        Reference::BaseRate(_) | Reference::Forecaster(_) => {
            1.0 - own / mean(rows.iter().map(|row| row.2))
        }
    };
    (own, skill, skill_interval(&rows, BOOTSTRAP_SEED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{DayKind, ScoredHour};
    use std::collections::BTreeMap;

    fn hours(columns: &[(Forecaster, [f64; 4])]) -> ScoredHours {
        let hour = |(day, exceeded): (i64, bool)| ScoredHour {
            issue_time: day * 86_400,
            target_start: (day + 1) * 86_400,
            lead_day: 1,
            hour_of_day: 0,
            month: 1,
            year: 2024,
            day_kind: DayKind::Weekday,
            point: 0,
            exceeded,
        };
        let hours = (0..).zip([true, false, false, true]).map(hour).collect();
        let columns: BTreeMap<_, _> =
            columns.iter().map(|&(who, column)| (who, column.to_vec())).collect();
        ScoredHours::new(hours, columns)
    }

    #[test]
    fn the_reference_is_the_tougher_climatology() {
        let hours = hours(&[
            (Forecaster::Climatology, [0.5; 4]),
            (Forecaster::ClimatologyRecent, [0.6, 0.4, 0.4, 0.6]),
            (Forecaster::Combined, [0.8, 0.2, 0.2, 0.8]),
        ]);
        let found = scores(&hours, Forecaster::Combined);
        assert!((found.brier - 0.04).abs() < 1e-12);
        assert!((found.brier_skill - 0.75).abs() < 1e-12);
    }

    #[test]
    fn without_climatology_skill_is_against_the_base_rate() {
        let found = scores(&hours(&[(Forecaster::Combined, [0.9; 4])]), Forecaster::Combined);
        // Brier (2 · 0.01 + 2 · 0.81) / 4 against ¼.
        assert!((found.brier_skill - (1.0 - 0.41 / 0.25)).abs() < 1e-12);
    }

    #[test]
    fn hours_without_a_word_do_not_count() {
        let column = [f64::NAN, 0.2, 0.2, 0.8];
        let hours =
            hours(&[(Forecaster::Climatology, [0.5; 4]), (Forecaster::PreviousModel, column)]);
        let found = scores(&hours, Forecaster::PreviousModel);
        assert_eq!((found.hours, found.exceedances), (3, 1));
        assert!((found.brier_skill - (1.0 - 0.04 / 0.25)).abs() < 1e-12);
    }
}
