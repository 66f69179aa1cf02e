//! Translates compared backtests into the view of their page.

use forecast::evaluation::Forecaster;

use super::comparison::{Comparison, Score};
use super::file::Scenario;
use crate::report::{
    ComparedRow, ComparisonPage, Estimate, RowStanding, ScenarioView, Setting, ThresholdTable,
};

/// Returns the page of a comparison.
#[must_use]
pub fn page(comparison: &Comparison) -> ComparisonPage {
    let tables = comparison.thresholds().into_iter().map(|threshold| ThresholdTable {
        threshold,
        rows: comparison.at(threshold).map(|(scenario, score)| row(scenario, score)).collect(),
    });
    ComparisonPage {
        title: "Backtests compared".to_owned(),
        scenarios: comparison.compared.iter().map(|it| view(&it.scenario)).collect(),
        thresholds: tables.collect(),
        skill_interval: 0.9,
        notes: notes(comparison),
    }
}

fn row(scenario: &Scenario, score: &Score) -> ComparedRow {
    let is_issued = score.forecaster == Forecaster::Combined.name();
    let skill = score.log_loss_skill.map(|value| Estimate {
        value,
        lower: score.log_loss_skill_lower.unwrap_or(value),
        upper: score.log_loss_skill_upper.unwrap_or(value),
    });
    ComparedRow {
        scenario: scenario.name.clone(),
        model: if is_issued { "issued".to_owned() } else { score.forecaster.replace('_', " ") },
        standing: if is_issued { RowStanding::Issued } else { RowStanding::Beside },
        hours: score.hours,
        exceedances: score.exceedances,
        log_loss: score.log_loss.unwrap_or(f64::NAN),
        log_loss_skill: skill,
        brier: score.brier.unwrap_or(f64::NAN),
        brier_skill: score.brier_skill,
    }
}

fn view(scenario: &Scenario) -> ScenarioView {
    let Scenario { name, input } = scenario;
    let setting = |name: &str, value: String| Setting { name: name.to_owned(), value };
    let thresholds: Vec<String> =
        input.targets.thresholds.iter().map(|t| format!("${t}")).collect();
    let mut settings = vec![
        setting("Issue days", format!("{} to {}", input.from, input.to)),
        setting("Issue time", format!("{} Central", input.issue_time_of_day.strftime("%H:%M"))),
        setting("Settlement points", input.targets.settlement_points.join(", ")),
        setting("Thresholds", thresholds.join(", ")),
        setting("Trained every", format!("{} days", input.retrain_every_days)),
    ];
    if 1 < input.stride_days {
        settings.insert(1, setting("Of these", format!("every {} days", input.stride_days)));
    }
    ScenarioView { name: name.clone(), report: format!("{name}/report.html"), settings }
}

fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = Vec::new();
    if !comparison.is_on_the_same_hours() {
        notes.push("The scenarios were not scored on the same hours: they differ in days, settlement points or thresholds. Compare skill with care, and not the losses themselves.".to_owned());
    }
    notes.push("The reference of skill is, for each scenario and threshold, the tougher of two climatologies on the same hours.".to_owned());
    notes.push("Intervals: 90 %, from drawing whole weeks with replacement. They are those of each scenario by itself; two that overlap may still differ beyond doubt on the same hours.".to_owned());
    notes
}
