//! `scores.json`: everything that was found, for machines; documented in `docs/verification.md`.

use forecast::evaluation::{
    Alerts, BandPoint, CalibrationStep, Forecaster, Interval, Loss, Murphy, ReliabilityBin, Scores,
    Spells, Value as EconomicValue, Verification,
};
use serde_json::{Map, Value, json};

use super::assessment::{Assessment, Findings};
use super::cases::Cases;

/// The version of the file's shape.
const FORMAT: u32 = 2;

/// Returns the text of the file: `about` says what was verified, the rest what was found. A number
/// that does not exist (an AUC without exceedances) is null.
#[must_use]
pub fn scores_json(about: &Value, cases: &Cases, assessment: &Assessment) -> String {
    let mut text = serde_json::to_string_pretty(&document(about, cases, assessment))
        .expect("numbers and texts");
    text.push('\n');
    text
}

/// Returns the document of [`scores_json`].
#[must_use]
pub fn document(about: &Value, cases: &Cases, assessment: &Assessment) -> Value {
    let mut document = Map::new();
    document.insert("format".to_owned(), json!(FORMAT));
    if let Value::Object(about) = about {
        document.extend(about.clone());
    }
    let reference = if cases.hours.first().is_some_and(|hours| {
        Forecaster::CLIMATOLOGIES.into_iter().any(|climatology| hours.has(climatology))
    }) {
        "for each score the tougher of climatology and climatology_recent"
    } else {
        "the base rate of the scored hours"
    };
    let each = |rows: &dyn Fn(&Findings) -> Vec<Value>| -> Value {
        assessment.findings.iter().flat_map(|found| labelled(cases, found, rows(found))).collect()
    };
    let entries = [
        ("settlement_points", json!(cases.settlement_points)),
        ("thresholds", json!(cases.thresholds)),
        ("unknown_hours", json!(cases.unknown)),
        ("reference", json!(reference)),
        ("interval", json!("90 %, weekly block bootstrap")),
        ("scores", each(&scores_rows)),
        ("comparisons", each(&comparisons)),
        ("verifications", each(&verifications)),
        ("stability", each(&stability)),
        ("divisions", each(&divisions)),
        ("months", each(&months)),
        ("curves", curves(cases, assessment)),
    ];
    document.extend(entries.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(document)
}

/// Puts the group before what was found about it.
fn labelled(cases: &Cases, found: &Findings, rows: Vec<Value>) -> Vec<Value> {
    let label = |row: Value| {
        let mut labelled = Map::new();
        labelled.insert("settlement_point".to_owned(), point(cases, found.group.point));
        labelled.insert("threshold".to_owned(), json!(cases.thresholds[found.group.threshold]));
        labelled.insert("lead_day".to_owned(), lead_day(found.group.lead_day));
        if let Value::Object(row) = row {
            labelled.extend(row);
        }
        Value::Object(labelled)
    };
    rows.into_iter().map(label).collect()
}

fn point(cases: &Cases, point: Option<u16>) -> Value {
    point.map_or(json!("pooled"), |point| json!(cases.settlement_points[usize::from(point)]))
}

fn lead_day(lead_day: Option<u8>) -> Value {
    lead_day.map_or(json!("pooled"), |lead_day| json!(lead_day))
}

fn scores_rows(found: &Findings) -> Vec<Value> {
    let row = |(who, scores): (&Forecaster, &Scores)| {
        let mut row = scores_value(scores);
        row.insert("forecaster".to_owned(), json!(who.name()));
        row.insert("issuable".to_owned(), json!(who.is_issuable()));
        row.insert(
            "reliability".to_owned(),
            scores.reliability.iter().map(reliability_bin).collect(),
        );
        Value::Object(row)
    };
    found.scores.iter().map(row).collect()
}

fn scores_value(scores: &Scores) -> Map<String, Value> {
    let lower = |interval: Option<Interval>| json!(interval.map(|interval| interval.lower));
    let upper = |interval: Option<Interval>| json!(interval.map(|interval| interval.upper));
    let entries = [
        ("hours", json!(scores.hours)),
        ("exceedances", json!(scores.exceedances)),
        ("base_rate", json!(scores.base_rate())),
        ("brier", json!(scores.brier)),
        ("brier_skill", json!(scores.brier_skill)),
        ("brier_skill_lower", lower(scores.brier_skill_interval)),
        ("brier_skill_upper", upper(scores.brier_skill_interval)),
        ("log_loss", json!(scores.log_loss)),
        ("log_loss_skill", json!(scores.log_loss_skill)),
        ("log_loss_skill_lower", lower(scores.log_loss_skill_interval)),
        ("log_loss_skill_upper", upper(scores.log_loss_skill_interval)),
        ("roc_auc", json!(scores.roc_auc)),
        ("within_hour_auc", json!(scores.within_hour_auc)),
        ("average_precision", json!(scores.average_precision)),
        ("calibration_error", json!(scores.calibration_error)),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn reliability_bin(bin: &ReliabilityBin) -> Value {
    json!({ "forecast": bin.forecast, "observed": bin.observed, "hours": bin.count })
}

fn comparisons(found: &Findings) -> Vec<Value> {
    let row = |(other, loss, comparison): &(_, _, forecast::evaluation::Comparison)| {
        let other: &Forecaster = other;
        json!({
            "forecaster": Forecaster::Combined.name(),
            "against": other.name(),
            "loss": match loss { Loss::Brier => "brier", Loss::Logarithmic => "log_loss" },
            "days": comparison.days,
            "difference": comparison.difference,
            "statistic": comparison.statistic,
            "p_value": comparison.p_value,
        })
    };
    found.comparisons.iter().map(row).collect()
}

fn verifications(found: &Findings) -> Vec<Value> {
    let Some(detail) = &found.detail else { return Vec::new() };
    let row = |(who, verification): (&Forecaster, &Verification)| {
        let corp = &verification.corp;
        json!({
            "forecaster": who.name(),
            "murphy": murphy(&verification.murphy.binned),
            "murphy_corrected": murphy(&verification.murphy.corrected),
            "corp": {
                "miscalibration": corp.miscalibration,
                "discrimination": corp.discrimination,
                "uncertainty": corp.uncertainty,
            },
            "calibration_curve": corp.steps.iter().map(step).collect::<Vec<_>>(),
            "consistency_band": verification.band.iter().map(band_point).collect::<Vec<_>>(),
            "refinement": verification.refinement,
            "alerts": verification.alerts.iter().map(alerts).collect::<Vec<_>>(),
            "value": verification.value.iter().map(economic_value).collect::<Vec<_>>(),
        })
    };
    detail.verifications.iter().map(row).collect()
}

fn murphy(terms: &Murphy) -> Value {
    json!({
        "reliability": terms.reliability,
        "resolution": terms.resolution,
        "uncertainty": terms.uncertainty,
    })
}

fn step(step: &CalibrationStep) -> Value {
    json!({
        "lowest": step.lowest,
        "highest": step.highest,
        "observed": step.observed,
        "hours": step.hours,
    })
}

fn band_point(point: &BandPoint) -> Value {
    json!({ "forecast": point.forecast, "lower": point.lower, "upper": point.upper })
}

fn alerts((table, spells): &(Alerts, Spells)) -> Value {
    json!({
        "budget": table.budget,
        "alerts": table.alerts,
        "hits": table.hits,
        "detected": table.detected(),
        "precision": table.precision(),
        "false_alarm_ratio": 1.0 - table.precision(),
        "critical_success": table.critical_success(),
        "cut": table.cut,
        "spells": spells.spells,
        "spells_caught": spells.caught,
        "alert_runs": spells.alert_runs,
        "false_runs": spells.false_runs,
    })
}

fn economic_value(point: &EconomicValue) -> Value {
    json!({ "cost_loss_ratio": point.cost_loss_ratio, "value": point.value })
}

fn stability(found: &Findings) -> Vec<Value> {
    let Some(detail) = &found.detail else { return Vec::new() };
    let row = |(who, stability): (&Forecaster, &forecast::evaluation::Stability)| {
        json!({
            "forecaster": who.name(),
            "hours": stability.hours,
            "flip_flop": stability.flip_flop,
            "revision": stability.revision,
        })
    };
    detail.stability.iter().map(row).collect()
}

fn divisions(found: &Findings) -> Vec<Value> {
    let Some(detail) = &found.detail else { return Vec::new() };
    let row = |(by, part, scores): &(_, _, Scores)| {
        let (by, part): (&forecast::evaluation::Division, &forecast::evaluation::Part) = (by, part);
        let mut row = scores_value(scores);
        row.insert("by".to_owned(), json!(by.name()));
        row.insert("part".to_owned(), json!(part.name));
        Value::Object(row)
    };
    detail.divisions.iter().map(row).collect()
}

fn months(found: &Findings) -> Vec<Value> {
    let Some(detail) = &found.detail else { return Vec::new() };
    let row = |((year, month), scores): &((i16, u8), Scores)| {
        let mut row = scores_value(scores);
        row.insert("month".to_owned(), json!(format!("{year}-{month:02}")));
        Value::Object(row)
    };
    detail.months.iter().map(row).collect()
}

fn curves(cases: &Cases, assessment: &Assessment) -> Value {
    let mut rows = Vec::new();
    for curve in &assessment.curves {
        for (who, score) in &curve.scores {
            rows.push(json!({
                "settlement_point": point(cases, curve.point),
                "lead_day": lead_day(curve.lead_day),
                "forecaster": who.name(),
                "hours": curve.hours,
                "threshold_weighted_crps": score,
            }));
        }
    }
    Value::Array(rows)
}
