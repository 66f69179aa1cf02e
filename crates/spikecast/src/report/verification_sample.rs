//! Made-up deeper verification for tests and for looking at. No number here is a result. Compiled
//! for tests only.

use super::backtest_view::Lead;
use super::forecast_view::Estimate;
use super::sample::THRESHOLDS;
use super::verification_view::*;

/// A forecaster's name, its role, and its skill.
type Made = (&'static str, Role, f64);

const FORECASTERS: [Made; 3] = [
    ("climatology, all years", Role::Reference, 0.0),
    ("issued forecast", Role::Issued, 0.12),
    ("not issuable: day-ahead", Role::NotIssuable, 0.2),
];

pub(super) fn verification() -> VerificationView {
    let each = || THRESHOLDS.iter().flat_map(|&it| FORECASTERS.map(|who| (it, who)));
    let stability = |&threshold: &f64| StabilityRow {
        threshold,
        hours: 8_760,
        revision: 0.021,
        flip_flop: 0.008,
    };
    let value = |&threshold: &f64| ValueChart {
        threshold,
        base_rate: 0.03,
        curves: FORECASTERS.map(value_curve).to_vec(),
    };
    VerificationView {
        references: each().map(|(threshold, who)| reference(threshold, who)).collect(),
        alerts: each().map(|(threshold, who)| alert(threshold, who)).collect(),
        values: THRESHOLDS.iter().map(value).collect(),
        circumstances: vec![circumstances()],
        stability: THRESHOLDS.iter().map(stability).collect(),
        curves: vec![CurveRow {
            lead: Lead::Pooled,
            name: "issued forecast".to_owned(),
            role: Role::Issued,
            hours: 26_064,
            score: 0.0312,
            skill: Some(0.11),
        }],
    }
}

fn reference(threshold: f64, (name, role, skill): Made) -> ReferenceRow {
    ReferenceRow {
        threshold,
        name: name.to_owned(),
        role,
        brier: 0.04 - 0.04 * skill,
        brier_skill: Some(skill),
        log_loss_skill: Some(Estimate { value: skill, lower: skill - 0.03, upper: skill + 0.03 }),
        auc: Some(0.9),
        within_hour_auc: Some(0.7),
        average_precision: Some(0.4),
        miscalibration: Some(0.0004),
        discrimination: Some(0.0083),
        p_value: (role != Role::Issued).then_some(PValue { value: 0.0002, better: Better::Issued }),
    }
}

fn alert(threshold: f64, (name, role, skill): Made) -> AlertRow {
    AlertRow {
        threshold,
        budget: 0.03,
        name: name.to_owned(),
        role,
        detected: 0.3 + skill,
        precision: 0.25 + skill,
        critical_success: 0.2,
        spells: (140, 61),
        runs: (88, 40),
    }
}

fn value_curve((name, role, skill): Made) -> ValueCurve {
    let point = |step: i32| {
        let distance = f64::from(step) - 14.0;
        (10f64.powf(f64::from(step) / 10.0 - 3.0), 0.3 + skill - 0.004 * distance * distance)
    };
    ValueCurve { name: name.to_owned(), role, points: (0..30).map(point).collect() }
}

fn circumstances() -> CircumstanceGroup {
    let cell = |skill: f64| CircumstanceCell {
        exceedances: 17,
        skill: Some(skill),
        interval: Some((skill - 0.05, skill + 0.05)),
    };
    let row = |name: &str, skill: f64| CircumstanceRow {
        name: name.to_owned(),
        cells: THRESHOLDS.iter().map(|_| Some(cell(skill))).collect(),
    };
    CircumstanceGroup {
        name: "Day of the week".to_owned(),
        thresholds: THRESHOLDS.to_vec(),
        rows: vec![row("Monday to Friday", 0.14), row("weekend", -0.02)],
    }
}
