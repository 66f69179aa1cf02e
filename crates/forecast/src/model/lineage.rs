//! Where a model comes from, and how it did on the days that were held out.
//!
//! It travels inside the saved model, so that a model can be judged without its training data.

use jiff::Timestamp;
use market::units::DollarsPerMwh;
use serde::{Deserialize, Serialize};

use super::fit::FitSettings;
use super::sample::LabelledExample;
use crate::evaluation::skill_interval;
use crate::target::HourOutcome;

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// When it was trained, RFC 3339.
    pub trained_at: String,
    /// The first and the last target hour it learnt from, RFC 3339.
    pub first_target: String,
    /// The last one.
    pub last_target: String,
    /// How many target hours with a known outcome it was offered.
    pub rows: usize,
    /// What seeded it.
    pub seed: u64,
    /// The program's version.
    pub program: String,
}

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

impl Lineage {
    /// Describes a fit to these rows, of which `known` have a known outcome.
    pub(super) fn of(rows: &[LabelledExample<'_>], known: usize, settings: &FitSettings) -> Self {
        let is_known = |row: &&LabelledExample<'_>| row.outcome != HourOutcome::Unknown;
        let targets = rows.iter().filter(is_known).map(|row| row.example.target.hour.start);
        let text = |instant: Option<Timestamp>| instant.map(|t| t.to_string()).unwrap_or_default();
        Self {
            trained_at: settings.as_of.to_string(),
            first_target: text(targets.clone().min()),
            last_target: text(targets.max()),
            rows: known,
            seed: settings.seed,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

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
        }
    }
}
