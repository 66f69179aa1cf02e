//! How a model did on the days that were held out of the training of its twin.
//!
//! Beside the scores it keeps the sums of every week, so that two models can be compared on the
//! same hours later, without their training data ([`compare`](super::compare)).

use std::collections::BTreeMap;

use jiff::Timestamp;
use market::units::DollarsPerMwh;
use serde::{Deserialize, Serialize};

use crate::arithmetic::{WEEK_SECONDS, week_number};
use crate::evaluation::skill_interval;

/// How the combination did on the days that were held out, at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// $/MWh.
    pub threshold: f64,
    /// Target hours with a known outcome.
    pub hours: usize,
    /// How many of them exceeded the threshold.
    pub exceedances: usize,
    /// Mean log-loss of the combination.
    pub log_loss: f64,
    /// Mean log-loss of the tougher of the two climatologies on the same hours.
    pub climatology_log_loss: f64,
    /// 90 % interval of the skill (weekly block bootstrap); nothing when there are too few weeks.
    pub skill_interval: Option<(f64, f64)>,
    /// The same hours, week by week.
    pub weeks: Vec<HeldOutWeek>,
}

/// The held-out hours of one week at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutWeek {
    /// When the week starts, RFC 3339.
    pub start: String,
    /// Target hours with a known outcome; an hour counts for each lead day and settlement point.
    pub hours: usize,
    /// How many of them exceeded the threshold.
    pub exceedances: usize,
    /// Sum of the combination's log-losses.
    pub log_loss: f64,
    /// Sum of the log-losses of the tougher climatology.
    pub climatology_log_loss: f64,
}

/// The losses of one held-out hour at one threshold.
pub(super) struct HeldOutLoss {
    pub(super) start: Timestamp,
    pub(super) exceeded: bool,
    /// Of models that had not seen the hour.
    pub(super) mixture: f64,
    /// Of the long and the recent climatology.
    pub(super) climatologies: [f64; 2],
}

const BOOTSTRAP_SEED: u64 = 90;

impl HeldOut {
    /// Scores the held-out hours of one threshold.
    pub(super) fn of(threshold: DollarsPerMwh, losses: &[HeldOutLoss]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "row counts")]
        let mean = |of: &dyn Fn(&HeldOutLoss) -> f64| {
            losses.iter().map(of).sum::<f64>() / losses.len().max(1) as f64
        };
        let climatology =
            [mean(&|loss| loss.climatologies[0]), mean(&|loss| loss.climatologies[1])];
        let tougher = usize::from(climatology[1] < climatology[0]);
        let rows: Vec<(i64, f64, f64)> = losses
            .iter()
            .map(|loss| (loss.start.as_second(), loss.mixture, loss.climatologies[tougher]))
            .collect();
        let interval = skill_interval(&rows, BOOTSTRAP_SEED);
        Self {
            threshold: threshold.value(),
            hours: losses.len(),
            exceedances: losses.iter().filter(|loss| loss.exceeded).count(),
            log_loss: mean(&|loss| loss.mixture),
            climatology_log_loss: climatology[tougher],
            skill_interval: interval.map(|interval| (interval.lower, interval.upper)),
            weeks: weeks(losses, tougher),
        }
    }
}

fn weeks(losses: &[HeldOutLoss], tougher: usize) -> Vec<HeldOutWeek> {
    let mut weeks: BTreeMap<Timestamp, HeldOutWeek> = BTreeMap::new();
    for loss in losses {
        let second = week_number(loss.start.as_second()) * WEEK_SECONDS;
        let start = Timestamp::from_second(second).expect("a week in which an hour lies");
        let week = weeks.entry(start).or_insert_with(|| HeldOutWeek {
            start: start.to_string(),
            hours: 0,
            exceedances: 0,
            log_loss: 0.0,
            climatology_log_loss: 0.0,
        });
        week.hours += 1;
        week.exceedances += usize::from(loss.exceeded);
        week.log_loss += loss.mixture;
        week.climatology_log_loss += loss.climatologies[tougher];
    }
    weeks.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_sum_up_to_the_scores() {
        let loss = |hour: i64| HeldOutLoss {
            start: Timestamp::from_second(hour * 3_600).unwrap(),
            exceeded: hour % 100 == 0,
            mixture: 0.25,
            climatologies: [0.75, 0.5],
        };
        let losses: Vec<HeldOutLoss> = (0..400).map(loss).collect();
        let held_out = HeldOut::of(DollarsPerMwh::new(100.0).unwrap(), &losses);
        let starts: Vec<&str> = held_out.weeks.iter().map(|week| week.start.as_str()).collect();
        // 1 January 1970, on which weeks begin, was a Thursday.
        let thursdays = ["1970-01-01T00:00:00Z", "1970-01-08T00:00:00Z", "1970-01-15T00:00:00Z"];
        assert_eq!(starts, thursdays);
        assert_eq!(
            held_out.weeks.iter().map(|week| week.hours).collect::<Vec<_>>(),
            [168, 168, 64]
        );
        let exceedances: usize = held_out.weeks.iter().map(|week| week.exceedances).sum();
        assert_eq!((exceedances, held_out.exceedances), (4, 4));
        assert!((held_out.weeks[0].log_loss - 42.0).abs() < 1e-9);
        assert!((held_out.weeks[0].climatology_log_loss - 84.0).abs() < 1e-9);
    }
}
