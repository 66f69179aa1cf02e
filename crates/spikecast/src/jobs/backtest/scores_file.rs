//! The file `scores.json` of a backtest; documented in `docs/backtest.md`.

use forecast::evaluation::{Forecaster, ReliabilityBin, Scores};
use serde_json::{Value, json};

use super::evaluate::Cell;
use super::shapes::BacktestInput;

const FORMAT: u32 = 1;

/// Writes all scores; a number that does not exist (an AUC without exceedances) is null.
pub(super) fn scores_json(cells: &[Cell], input: &BacktestInput) -> String {
    let rows: Vec<Value> = cells.iter().flat_map(|cell| cell_rows(cell, input)).collect();
    let document = json!({
        "format": FORMAT,
        "program": input.program,
        "from": input.from.to_string(),
        "to": input.to.to_string(),
        "issue_time_of_day": input.issue_time_of_day.to_string(),
        "retrain_every_days": input.retrain_every_days,
        "settlement_points": input.targets.settlement_points,
        "thresholds": input.targets.thresholds,
        "reference": "for each score the tougher of climatology and climatology_recent",
        "interval": "90 %, weekly block bootstrap",
        "scores": rows,
    });
    let mut text = serde_json::to_string_pretty(&document).expect("plain data");
    text.push('\n');
    text
}

fn bin_json(bin: &ReliabilityBin) -> Value {
    json!({ "forecast": bin.forecast, "observed": bin.observed, "hours": bin.count })
}

fn cell_rows(cell: &Cell, input: &BacktestInput) -> Vec<Value> {
    let row = |(who, scores): (&Forecaster, &Scores)| {
        let interval = scores.log_loss_skill_interval;
        json!({
            "settlement_point": cell.group.settlement_point.as_deref().unwrap_or("pooled"),
            "threshold": input.targets.thresholds[cell.group.threshold],
            "lead_day": cell.group.lead_day.map_or(json!("pooled"), |lead| json!(lead)),
            "forecaster": who.name(),
            "hours": scores.hours,
            "exceedances": scores.exceedances,
            "brier": scores.brier,
            "brier_skill": scores.brier_skill,
            "log_loss": scores.log_loss,
            "log_loss_skill": scores.log_loss_skill,
            "log_loss_skill_lower": interval.map(|interval| interval.lower),
            "log_loss_skill_upper": interval.map(|interval| interval.upper),
            "roc_auc": scores.roc_auc,
            "average_precision": scores.average_precision,
            "calibration_error": scores.calibration_error,
            "reliability": scores.reliability.iter().map(bin_json).collect::<Vec<_>>(),
        })
    };
    cell.scores.iter().map(row).collect()
}
