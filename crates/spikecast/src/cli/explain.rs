//! `spikecast forecast explain`: what made the probability of an hour. The hour is described anew
//! by what the archive knew at the issue time, so nothing needs to have been kept.

use std::sync::Arc;

use clap::Args;
use forecast::features::Examples;
use forecast::model::{Driver, Explanation};
use forecast::threshold::Thresholds;
use market::time::{display, parse_local};
use orchestration::SystemClock;
use serde_json::{Value, json};

use super::args::{GlobalArgs, IssueArgs, TargetArgs};
use super::run::targets;
use super::table::{Side, table};
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::{JobError, exit_of_error};
use crate::jobs::forecast::Workspace;
use crate::jobs::models::model_registry;
use crate::jobs::training::examples_at;
use crate::ledger::ForecastRow;
use crate::registry;
use crate::report::format::{dollars, percent};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    pub(super) issue: IssueArgs,
    #[command(flatten)]
    targets: TargetArgs,
    /// Market-local start of the hour, e.g. 2026-07-15T18:00 (the likeliest one by default)
    #[arg(long, value_name = "TIME")]
    hour: Option<String>,
    /// Which of the thresholds, in $/MWh (the first of at least 100 by default)
    #[arg(long, value_name = "PRICE")]
    threshold: Option<f64>,
    /// How many drivers to show
    #[arg(long, default_value_t = 8)]
    top: usize,
}

/// The threshold that is explained unless another is asked for.
const REFERENCE_THRESHOLD: f64 = 100.0;

pub(super) fn explain(
    global: &GlobalArgs,
    arguments: &ExplainArgs,
    rows: &[ForecastRow],
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.targets.settings(global)?;
    let targets = targets(&config)?;
    let row = chosen(arguments, rows)?;
    let registry = model_registry(&config.data_dir, &config.source, &targets).map_err(failed)?;
    let entries = registry.entries().map_err(|error| failed(error.into()))?;
    let entry = entries.iter().find(|entry| entry.label() == *row.model_version).ok_or_else(|| {
        CommandError::usage(format!(
            "the forecast was made by model {}, which is not registered for this source and these targets; name those of the forecast, see `spikecast models list`",
            row.model_version
        ))
    })?;
    let model = registry::load(&entry.path).map_err(|error| failed(error.into()))?;
    let workspace = Workspace::new(config.data_dir.clone(), Arc::new(SystemClock::new()));
    let history = workspace.history_of(&config.source, &targets).map_err(failed)?;
    let thresholds = targets.thresholds().map_err(failed)?;
    let view = history.known_at(row.issue_time);
    let points = [row.settlement_point.clone()];
    let described = examples_at(&view, row.issue_time, &points, &thresholds);
    let explanation = of_row(&model, &described, row, &thresholds)?;
    if global.json {
        terminal.json(&to_json(row, &explanation))?;
        return Ok(Exit::Fine);
    }
    show(row, &explanation, arguments.top, terminal)
}

fn failed(error: JobError) -> CommandError {
    CommandError::new(exit_of_error(&error), error)
}

/// Returns the row that is asked for.
fn chosen<'r>(
    arguments: &ExplainArgs,
    rows: &'r [ForecastRow],
) -> Result<&'r ForecastRow, CommandError> {
    let hour = arguments.hour.as_deref().map(parse_local).transpose();
    let hour = hour.map_err(CommandError::usage)?;
    let thresholds = rows.iter().map(|row| row.threshold.value());
    let threshold = arguments.threshold.or_else(|| {
        let least = thresholds.clone().filter(|price| REFERENCE_THRESHOLD <= *price);
        least.min_by(f64::total_cmp).or_else(|| thresholds.clone().max_by(f64::total_cmp))
    });
    let wanted = |row: &&ForecastRow| {
        hour.is_none_or(|hour| row.target.hour.start == hour)
            && threshold.is_some_and(|price| row.threshold.value().total_cmp(&price).is_eq())
    };
    let likeliest = rows
        .iter()
        .filter(wanted)
        .max_by(|a, b| a.prediction.probability.total_cmp(&b.prediction.probability));
    likeliest.ok_or_else(|| {
        CommandError::usage(
            "the forecast has no such hour or threshold; `spikecast forecast show` says what it has",
        )
    })
}

fn of_row(
    model: &forecast::model::FittedModel,
    described: &[Examples],
    row: &ForecastRow,
    thresholds: &Thresholds,
) -> Result<Explanation, CommandError> {
    let number = thresholds.iter().position(|price| price == row.threshold);
    let examples = described.iter().flat_map(|examples| &examples.rows);
    let example = examples.into_iter().find(|e| e.target.hour.start == row.target.hour.start);
    match (example, number) {
        (Some(example), Some(number)) => Ok(model.explain(example, number)),
        _ => Err(CommandError::usage(
            "the settings' thresholds are not those of the forecast; name them with --thresholds",
        )),
    }
}

fn show(
    row: &ForecastRow,
    explanation: &Explanation,
    top: usize,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let title = format!(
        "{} at {}: {} that a 5-minute price exceeds {}",
        row.settlement_point.name(),
        display(row.target.hour.start),
        percent(row.prediction.probability),
        dollars(row.threshold.value()),
    );
    terminal.line(terminal.paint(Style::Bold, &title))?;
    terminal.line(format!("usual for the hour and season: {}", percent(explanation.usual)))?;
    terminal.line("")?;
    let rows: Vec<[String; 4]> = explanation.drivers.iter().take(top).map(cells).collect();
    let header = [
        ("odds", Side::Right),
        ("feature", Side::Left),
        ("value", Side::Right),
        ("what it is", Side::Left),
    ];
    for line in table(header, &rows) {
        terminal.line(line)?;
    }
    let shown: f64 = explanation.drivers.iter().take(top).map(|driver| driver.log_odds).sum();
    let all: f64 = explanation.drivers.iter().map(|driver| driver.log_odds).sum();
    let others = explanation.drivers.len().saturating_sub(top);
    terminal.line(format!("{} {others} other features", odds(all - shown)))?;
    terminal.line(format!("{} what the models add to every hour", odds(explanation.baseline)))?;
    if explanation.calibration != 0.0 {
        terminal.line(format!("{} calibration", odds(explanation.calibration)))?;
    }
    terminal.line("")?;
    terminal.line(
        "odds: ×2 doubles the odds against what is usual, ×0.5 halves them; they multiply.",
    )?;
    Ok(Exit::Fine)
}

fn odds(log_odds: f64) -> String {
    format!("×{:.2}", log_odds.exp())
}

fn cells(driver: &Driver) -> [String; 4] {
    let (value, unit) = match driver.feature.price_of(driver.value) {
        _ if driver.value.is_nan() => ("missing".to_owned(), driver.feature.unit),
        Some(price) => (dollars(price.round()), "$/MWh"),
        None => (format!("{:.2}", driver.value), driver.feature.unit),
    };
    let what = format!("{} ({unit})", driver.feature.definition);
    [odds(driver.log_odds), driver.feature.name.to_owned(), value, what]
}

fn to_json(row: &ForecastRow, explanation: &Explanation) -> Value {
    let driver = |driver: &Driver| {
        json!({
            "feature": driver.feature.name,
            "group": driver.feature.group.name(),
            "value": Some(driver.value).filter(|value| value.is_finite()),
            "unit": driver.feature.unit,
            "log_odds": driver.log_odds,
            "definition": driver.feature.definition,
        })
    };
    json!({
        "issue_time": row.issue_time.to_string(),
        "settlement_point": row.settlement_point.name(),
        "target_start": row.target.hour.start.to_string(),
        "threshold": row.threshold.value(),
        "model_version": &*row.model_version,
        "probability": row.prediction.probability,
        "usual": explanation.usual,
        "baseline_log_odds": explanation.baseline,
        "calibration_log_odds": explanation.calibration,
        "drivers": Value::from_iter(explanation.drivers.iter().map(driver)),
    })
}
