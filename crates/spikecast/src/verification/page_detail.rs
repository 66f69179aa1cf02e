//! Translates the deeper verification into its part of the page: references, alerts, value,
//! circumstances, stability, the exceedance curve.

use forecast::evaluation::{Division, Forecaster, Loss, Scores};

use super::assessment::{Assessment, CurveFindings, Findings, Group};
use super::cases::Cases;
use super::page::{estimate, finite};
use crate::report::{
    AlertRow, Better, CircumstanceCell, CircumstanceGroup, CircumstanceRow, CurveRow, Lead, PValue,
    ReferenceRow, Role, StabilityRow, ValueChart, ValueCurve, VerificationView,
};

/// Whose alerts are shown beside the issued forecast's.
const ALERTING: [Forecaster; 4] = [
    Forecaster::Climatology,
    Forecaster::DayAheadKnown,
    Forecaster::Combined,
    Forecaster::DayAheadOfTarget,
];

/// Whose value is drawn: one line for each role, so that lines can be told apart.
const VALUED: [Forecaster; 3] =
    [Forecaster::Combined, Forecaster::DayAheadOfTarget, Forecaster::Climatology];

/// What is found over all lead days, by threshold in $/MWh.
type Pooled<'f> = [(f64, &'f Findings)];

pub(super) fn verification_view(
    point: Option<u16>,
    pooled: &Pooled<'_>,
    cases: &Cases,
    assessment: &Assessment,
) -> VerificationView {
    let mut circumstances = circumstances(pooled);
    if point.is_none() && 1 < cases.settlement_points.len() {
        circumstances.push(settlement_points(cases, assessment));
    }
    VerificationView {
        references: pooled.iter().flat_map(|(price, found)| references(*price, found)).collect(),
        alerts: pooled.iter().flat_map(|(price, found)| alerts(*price, found)).collect(),
        values: pooled.iter().filter_map(|(price, found)| values(*price, found)).collect(),
        circumstances,
        stability: pooled.iter().filter_map(|(price, found)| stability(*price, found)).collect(),
        curves: assessment
            .curves
            .iter()
            .filter(|curve| curve.point == point)
            .flat_map(curve_rows)
            .collect(),
    }
}

fn role(who: Forecaster) -> Role {
    match (who, who.is_issuable()) {
        (Forecaster::Combined, _) => Role::Issued,
        (_, true) => Role::Reference,
        (_, false) => Role::NotIssuable,
    }
}

fn references(threshold: f64, found: &Findings) -> Vec<ReferenceRow> {
    let row = |(&who, scores): (&Forecaster, &Scores)| {
        let verification = found.detail.as_ref().and_then(|detail| detail.verifications.get(&who));
        ReferenceRow {
            threshold,
            name: who.words().to_owned(),
            role: role(who),
            brier: scores.brier,
            brier_skill: finite(scores.brier_skill),
            log_loss_skill: estimate(scores),
            auc: finite(scores.roc_auc),
            within_hour_auc: finite(scores.within_hour_auc),
            average_precision: finite(scores.average_precision),
            miscalibration: verification.map(|it| it.corp.miscalibration),
            discrimination: verification.map(|it| it.corp.discrimination),
            p_value: p_value(found, who),
        }
    };
    found.scores.iter().map(row).collect()
}

fn p_value(found: &Findings, who: Forecaster) -> Option<PValue> {
    let comparison = found
        .comparisons
        .iter()
        .find(|(other, loss, _)| *other == who && *loss == Loss::Logarithmic)?;
    let better = if comparison.2.difference < 0.0 { Better::Issued } else { Better::Other };
    Some(PValue { value: comparison.2.p_value, better })
}

fn alerts(threshold: f64, found: &Findings) -> Vec<AlertRow> {
    let Some(detail) = &found.detail else { return Vec::new() };
    let of = |who: Forecaster| detail.verifications.get(&who).map(|it| (who, &it.alerts));
    let tables: Vec<_> = ALERTING.into_iter().filter_map(of).collect();
    let budgets = tables.first().map_or(0, |(_, tables)| tables.len());
    let mut rows = Vec::new();
    for budget in 0..budgets {
        for (who, tables) in &tables {
            let (table, spells) = &tables[budget];
            rows.push(AlertRow {
                threshold,
                budget: table.budget,
                name: who.words().to_owned(),
                role: role(*who),
                detected: table.detected(),
                precision: table.precision(),
                critical_success: table.critical_success(),
                spells: (spells.spells as u64, spells.caught as u64),
                runs: (spells.alert_runs as u64, spells.false_runs as u64),
            });
        }
    }
    rows
}

fn values(threshold: f64, found: &Findings) -> Option<ValueChart> {
    let detail = found.detail.as_ref()?;
    let curve = |who: Forecaster| {
        let verification = detail.verifications.get(&who)?;
        Some(ValueCurve {
            name: who.words().to_owned(),
            role: role(who),
            points: verification.value.iter().map(|it| (it.cost_loss_ratio, it.value)).collect(),
        })
    };
    let curves = VALUED.into_iter().filter_map(curve).collect();
    let base_rate = found.scores.get(&Forecaster::Combined)?.base_rate();
    Some(ValueChart { threshold, base_rate, curves })
}

fn cell(scores: &Scores) -> CircumstanceCell {
    CircumstanceCell {
        exceedances: scores.exceedances as u64,
        skill: finite(scores.log_loss_skill),
        interval: scores.log_loss_skill_interval.map(|it| (it.lower, it.upper)),
    }
}

fn words(by: Division) -> &'static str {
    match by {
        Division::HourOfDay => "Hour of day",
        Division::Month => "Month",
        Division::DayKind => "Day of the week",
        Division::MarketRules => "Market design",
        Division::UsualRate => "Usual for hour and season",
    }
}

fn circumstances(pooled: &Pooled<'_>) -> Vec<CircumstanceGroup> {
    let thresholds: Vec<f64> = pooled.iter().map(|(price, _)| *price).collect();
    let group = |by: Division| {
        let mut parts = Vec::new();
        let details = || pooled.iter().map(|(_, found)| found.detail.as_ref());
        for detail in details().flatten() {
            parts.extend(detail.divisions.iter().filter(|it| it.0 == by).map(|it| it.1));
        }
        parts.sort_unstable();
        parts.dedup();
        let row = |part: &forecast::evaluation::Part| CircumstanceRow {
            name: part.name.to_owned(),
            cells: details()
                .map(|detail| {
                    let mut divisions = detail?.divisions.iter();
                    divisions.find(|it| it.0 == by && it.1 == *part).map(|it| cell(&it.2))
                })
                .collect(),
        };
        CircumstanceGroup {
            name: words(by).to_owned(),
            thresholds: thresholds.clone(),
            rows: parts.iter().map(row).collect(),
        }
    };
    let groups = Division::ALL.into_iter().map(group);
    // A division with one part only repeats the whole.
    groups.filter(|group| 1 < group.rows.len()).collect()
}

fn settlement_points(cases: &Cases, assessment: &Assessment) -> CircumstanceGroup {
    let row = |(point, name): (u16, &String)| CircumstanceRow {
        name: name.clone(),
        cells: (0..cases.thresholds.len())
            .map(|threshold| {
                let group = Group { point: Some(point), threshold, lead_day: None };
                Some(cell(assessment.find(group)?.scores.get(&Forecaster::Combined)?))
            })
            .collect(),
    };
    CircumstanceGroup {
        name: "Settlement point".to_owned(),
        thresholds: cases.thresholds.clone(),
        rows: (0..).zip(&cases.settlement_points).map(row).collect(),
    }
}

fn stability(threshold: f64, found: &Findings) -> Option<StabilityRow> {
    let stability = found.detail.as_ref()?.stability.get(&Forecaster::Combined)?;
    (0 < stability.hours).then_some(StabilityRow {
        threshold,
        hours: stability.hours as u64,
        revision: stability.revision,
        flip_flop: stability.flip_flop,
    })
}

fn curve_rows(curve: &CurveFindings) -> Vec<CurveRow> {
    let climatologies = Forecaster::CLIMATOLOGIES.into_iter();
    let tougher =
        climatologies.filter_map(|who| curve.scores.get(&who)).copied().min_by(f64::total_cmp);
    let row = |(&who, &score): (&Forecaster, &f64)| CurveRow {
        lead: curve.lead_day.map_or(Lead::Pooled, Lead::Day),
        name: who.words().to_owned(),
        role: role(who),
        hours: curve.hours as u64,
        score,
        skill: tougher.map(|reference| 1.0 - score / reference).filter(|it| it.is_finite()),
    };
    curve.scores.iter().map(row).collect()
}
