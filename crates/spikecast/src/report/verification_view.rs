//! What the report page shows beyond skill: references, alerts, value, circumstances, stability.
//!
//! Plain values that a caller fills in; tables are in the template, the value picture in `value_chart`.

use super::backtest_view::Lead;
use super::forecast_view::Estimate;

/// The deeper verification of one section.
#[derive(Clone, Debug, Default)]
pub struct VerificationView {
    /// Every forecaster on the same hours; rows of one threshold together.
    pub references: Vec<ReferenceRow>,
    /// What alerts find; rows of one threshold together.
    pub alerts: Vec<AlertRow>,
    /// Relative economic value, one picture per threshold.
    pub values: Vec<ValueChart>,
    /// Skill by circumstance.
    pub circumstances: Vec<CircumstanceGroup>,
    /// How the forecast moved from issue to issue.
    pub stability: Vec<StabilityRow>,
    /// The score of the whole exceedance curve.
    pub curves: Vec<CurveRow>,
}

/// Whether a forecaster could have been issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is what was issued.
    Issued,
    /// It is a reference that was known at the issue time.
    Reference,
    /// It rests on what was published after the issue time.
    NotIssuable,
}

/// One forecaster at one threshold, over all lead days.
#[derive(Clone, Debug)]
pub struct ReferenceRow {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// Who forecasts.
    pub name: String,
    /// Whether it could have been issued.
    pub role: Role,
    /// Brier score.
    pub brier: f64,
    /// Brier skill against climatology.
    pub brier_skill: Option<f64>,
    /// Log-loss skill against climatology.
    pub log_loss_skill: Option<Estimate>,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// The same within hours of the day.
    pub within_hour_auc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// Miscalibration (CORP), where worked out.
    pub miscalibration: Option<f64>,
    /// Discrimination (CORP), where worked out.
    pub discrimination: Option<f64>,
    /// Probability of such a difference in log-loss from the issued forecast by chance
    /// (Diebold–Mariano); absent for the issued one.
    pub p_value: Option<PValue>,
}

/// The result of a comparison with the issued forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PValue {
    /// The two-sided probability.
    pub value: f64,
    /// Who did better.
    pub better: Better,
}

/// Who did better in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The issued forecast.
    Issued,
    /// The other one.
    Other,
}

impl PValue {
    /// Returns the words of tables.
    pub(super) fn words(self) -> String {
        let number =
            if self.value < 0.001 { "<0.001".to_owned() } else { format!("{:.3}", self.value) };
        match self.better {
            Better::Issued => format!("{number} (issued better)"),
            Better::Other => format!("{number} (issued worse)"),
        }
    }
}

/// What an alert budget finds.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// Share of hours that are alerted.
    pub budget: f64,
    /// Who forecasts.
    pub name: String,
    /// Whether it could have been issued.
    pub role: Role,
    /// Share of exceedances that were alerted.
    pub detected: f64,
    /// Share of alerts that were right.
    pub precision: f64,
    /// Critical success index.
    pub critical_success: f64,
    /// Spells, and how many had an alert at most an hour away.
    pub spells: (u64, u64),
    /// Runs of alerts, and how many had no exceedance at most an hour away.
    pub runs: (u64, u64),
}

/// Relative economic value at one threshold.
#[derive(Clone, Debug)]
pub struct ValueChart {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// The share of hours that exceeded.
    pub base_rate: f64,
    /// One curve per forecaster.
    pub curves: Vec<ValueCurve>,
}

/// The value of one forecaster.
#[derive(Clone, Debug)]
pub struct ValueCurve {
    /// Who forecasts.
    pub name: String,
    /// Whether it could have been issued.
    pub role: Role,
    /// Cost–loss ratio and value, from low to high ratio.
    pub points: Vec<(f64, f64)>,
}

/// Skill in the parts of one division.
#[derive(Clone, Debug)]
pub struct CircumstanceGroup {
    /// By what hours are divided, in words.
    pub name: String,
    /// The thresholds of the cells.
    pub thresholds: Vec<f64>,
    /// The parts in order.
    pub rows: Vec<CircumstanceRow>,
}

/// One part of a division.
#[derive(Clone, Debug)]
pub struct CircumstanceRow {
    /// The part.
    pub name: String,
    /// One cell for each threshold; absent where the part has no hours.
    pub cells: Vec<Option<CircumstanceCell>>,
}

/// Skill in one part at one threshold.
#[derive(Clone, Copy, Debug)]
pub struct CircumstanceCell {
    /// Hours that exceeded.
    pub exceedances: u64,
    /// Log-loss skill; absent where undefined.
    pub skill: Option<f64>,
    /// Its interval; absent with too few weeks.
    pub interval: Option<(f64, f64)>,
}

impl CircumstanceCell {
    /// Returns the class of the cell: whether the difference could be luck.
    pub(super) fn class(&self) -> &'static str {
        match self.interval {
            Some((lower, _)) if 0.0 < lower => "n sure-better",
            Some((_, upper)) if upper < 0.0 => "n sure-worse",
            Some(_) | None => "n",
        }
    }
}

/// How the forecast moved at one threshold.
#[derive(Clone, Copy, Debug)]
pub struct StabilityRow {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// Hours that were forecast three times.
    pub hours: u64,
    /// Mean change from issue to issue.
    pub revision: f64,
    /// Mean flip-flop index.
    pub flip_flop: f64,
}

/// The score of the exceedance curve.
#[derive(Clone, Debug)]
pub struct CurveRow {
    /// Which lead days.
    pub lead: Lead,
    /// Who forecasts.
    pub name: String,
    /// Whether it could have been issued.
    pub role: Role,
    /// Hours.
    pub hours: u64,
    /// Mean threshold-weighted CRPS.
    pub score: f64,
    /// 1 − score / that of the tougher climatology.
    pub skill: Option<f64>,
}
