//! What the page of compared backtests shows, as plain values that a caller fills in.

use super::backtest_view::Setting;
use super::forecast_view::Estimate;

/// Everything on the page.
#[derive(Clone, Debug)]
pub struct ComparisonPage {
    /// The title.
    pub title: String,
    /// The scenarios, in the order of their file.
    pub scenarios: Vec<ScenarioView>,
    /// The scores, a table for each threshold from low to high.
    pub thresholds: Vec<ThresholdTable>,
    /// The share that intervals of skill cover, e.g. 0.9.
    pub skill_interval: f64,
    /// What a reader must know to judge the numbers, one sentence each.
    pub notes: Vec<String>,
}

/// One scenario.
#[derive(Clone, Debug)]
pub struct ScenarioView {
    /// Its name.
    pub name: String,
    /// Its own report, seen from the page.
    pub report: String,
    /// How it was done.
    pub settings: Vec<Setting>,
}

/// The scores of all scenarios at one threshold.
#[derive(Clone, Debug)]
pub struct ThresholdTable {
    /// $/MWh.
    pub threshold: f64,
    /// A row for each scenario and model.
    pub rows: Vec<ComparedRow>,
}

/// How one model of one scenario did, all lead days and settlement points together.
#[derive(Clone, Debug)]
pub struct ComparedRow {
    /// The scenario.
    pub scenario: String,
    /// The model in words.
    pub model: String,
    /// Whether it is the one that is issued.
    pub standing: RowStanding,
    /// How many hours were scored.
    pub hours: u64,
    /// How many of them exceeded the threshold.
    pub exceedances: u64,
    /// Mean log-loss.
    pub log_loss: f64,
    /// Log-loss skill against climatology; absent where undefined.
    pub log_loss_skill: Option<Estimate>,
    /// Brier score.
    pub brier: f64,
    /// Brier skill against climatology; absent where undefined.
    pub brier_skill: Option<f64>,
}

/// How much attention a row wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStanding {
    /// The forecast that is issued.
    Issued,
    /// One of its parts, or what it is compared with.
    Beside,
}
