//! What the backtest page shows, as plain values that a caller fills in.
//!
//! Dates arrive as the text to print, scores and shares as numbers, thresholds in $/MWh. The words
//! and pictures made of them are in `backtest_page`.

use super::forecast_view::{Estimate, ThresholdSkill};
use super::verification_view::VerificationView;

/// Everything on the backtest page.
#[derive(Clone, Debug)]
pub struct BacktestPage {
    /// The title, e.g. `Backtest 2024`.
    pub title: String,
    /// Which issue days, in words.
    pub period: String,
    /// The settlement points.
    pub settlement_points: Vec<String>,
    /// What was found, one sentence each, most important first.
    pub headlines: Vec<String>,
    /// How it was done.
    pub settings: Vec<Setting>,
    /// The share that intervals of skill cover, e.g. 0.9.
    pub skill_interval: f64,
    /// The results: of all settlement points together first, then of each one if wanted.
    pub sections: Vec<BacktestSection>,
    /// The hours with the highest probabilities.
    pub highest: Vec<NotableHour>,
    /// The hours where the forecast was most wrong.
    pub misses: Vec<NotableHour>,
    /// What a reader must know to judge the numbers, one sentence or paragraph each.
    pub notes: Vec<String>,
}

/// A setting and its value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value, in words.
    pub value: String,
}

/// The results of one settlement point, or of several pooled.
#[derive(Clone, Debug)]
pub struct BacktestSection {
    /// Whose results, e.g. `All settlement points` or `HB_WEST`.
    pub name: String,
    /// The scores in the order of the table; rows of one threshold together.
    pub scores: Vec<ScoreRow>,
    /// The models compared on the same hours; the last is the one that is issued, and stands out.
    pub models: Vec<ModelSkill>,
    /// Forecast probability against observed frequency, one per threshold.
    pub reliability: Vec<ReliabilityCurve>,
    /// Skill month by month, for the thresholds of interest.
    pub monthly: Vec<MonthlySkill>,
    /// What is known beyond skill.
    pub verification: VerificationView,
}

/// Which lead days a score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// All of them.
    Pooled,
    /// One: 1, 2 or 3 operating days after the issue day.
    Day(u8),
}

impl Lead {
    /// Returns the word in tables and legends.
    pub(super) fn label(self) -> String {
        match self {
            Self::Pooled => "all lead days".to_owned(),
            Self::Day(day) => format!("lead day {day}"),
        }
    }
}

/// The scores at one threshold and lead.
#[derive(Clone, Debug)]
pub struct ScoreRow {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// Which lead days.
    pub lead: Lead,
    /// How many hours were scored.
    pub hours: u64,
    /// How many of them exceeded the threshold.
    pub exceedances: u64,
    /// Brier score.
    pub brier: f64,
    /// Brier skill against climatology; absent where undefined.
    pub brier_skill: Option<f64>,
    /// Mean log-loss.
    pub log_loss: f64,
    /// Log-loss skill against climatology; absent where undefined.
    pub log_loss_skill: Option<Estimate>,
    /// Area under the ROC curve; absent without both outcomes.
    pub auc: Option<f64>,
    /// Average precision; absent without exceedances.
    pub average_precision: Option<f64>,
    /// Expected calibration error.
    pub ece: f64,
}

impl ScoreRow {
    /// Returns the share of hours that exceeded the threshold.
    pub(super) fn base_rate(&self) -> f64 {
        super::scale::as_f64(self.exceedances) / super::scale::as_f64(self.hours)
    }
}

/// One model's log-loss skill at each threshold.
#[derive(Clone, Debug)]
pub struct ModelSkill {
    /// The model in words, e.g. `boosted trees`.
    pub name: String,
    /// Its skill, one per threshold.
    pub skill: Vec<ThresholdSkill>,
}

/// Forecast probability against observed frequency at one threshold.
#[derive(Clone, Debug)]
pub struct ReliabilityCurve {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// The bins from low to high probability; empty ones left out.
    pub bins: Vec<ReliabilityBin>,
    /// The calibration curve (isotonic regression), from low to high.
    pub steps: Vec<CurveStep>,
    /// Where that curve would lie if the forecast were calibrated.
    pub band: Vec<BandPoint>,
    /// How many hours had a probability in each of the bars of equal width between 0 and 1.
    pub refinement: Vec<u64>,
    /// Its decomposition in words.
    pub terms: String,
}

/// Forecast probabilities with one observed frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurveStep {
    /// The lowest probability.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// The frequency.
    pub observed: f64,
}

/// The consistency band at one probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// The probability.
    pub forecast: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

/// The hours whose forecast probabilities were alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Their mean forecast probability.
    pub forecast: f64,
    /// The share that exceeded the threshold, with its interval.
    pub observed: Estimate,
    /// How many hours.
    pub hours: u64,
}

/// Log-loss skill month by month at one threshold.
#[derive(Clone, Debug)]
pub struct MonthlySkill {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// The months in order.
    pub months: Vec<MonthSkill>,
}

/// Log-loss skill in one month.
#[derive(Clone, Debug)]
pub struct MonthSkill {
    /// The month in words, e.g. `Jan 2024`.
    pub label: String,
    /// How many hours exceeded the threshold.
    pub exceedances: u64,
    /// The skill; absent where undefined.
    pub skill: Option<f64>,
}

/// An hour worth looking at.
#[derive(Clone, Debug)]
pub struct NotableHour {
    /// When, in local words, e.g. `Tue 20 Aug 2024, 19:00–20:00`.
    pub when: String,
    /// Where.
    pub settlement_point: String,
    /// How many operating days ahead it was forecast.
    pub lead_day: u8,
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// The forecast probability.
    pub probability: f64,
    /// What was usual for the hour and season.
    pub climatology: f64,
    /// The highest 5-minute price of the hour in $/MWh.
    pub highest_price: f64,
    /// What happened.
    pub outcome: Outcome,
}

/// What became of a forecast hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At least one 5-minute price was above the threshold.
    Exceeded,
    /// None was.
    NotExceeded,
}

impl Outcome {
    /// Returns the word in tables.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Exceeded => "exceeded",
            Self::NotExceeded => "not exceeded",
        }
    }
}
