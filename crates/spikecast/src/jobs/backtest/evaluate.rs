//! Stage *evaluate*: all forecasts against what happened; writes forecasts, scores and the report.

use std::collections::BTreeMap;
use std::path::Path;

use forecast::evaluation::Forecaster;
use forecast::target::{HourOutcome, outcomes};
use jiff::Timestamp;
use market::observation::History;
use market::table::{ColumnData, WriteError, write_atomically, write_parquet};
use orchestration::{StageContext, StageOutput, StageResult};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::page::page;
use super::references::{Columns, REFERENCES, read_columns};
use super::shapes::BacktestInput;
use super::window::provenance;
use super::workspace::BacktestWorkspace;
use crate::jobs::failure::JobError;
use crate::ledger::{ForecastRow, read_forecast, write_forecast_beside};
use crate::verification::{
    Assessment, Case, Cases, CasesBuilder, FigureError, scores_json, write_figures,
};

/// What the evaluation says in a few lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// How many forecast rows were written.
    pub rows: usize,
    /// The most important results, one sentence each.
    pub headlines: Vec<String>,
}

pub(super) fn evaluate(workspace: &BacktestWorkspace, stage: &StageContext) -> StageResult {
    let input: BacktestInput = stage.run_input_as()?;
    StageOutput::of(&write_all(workspace, &input, stage)?)
}

fn write_all(
    workspace: &BacktestWorkspace,
    input: &BacktestInput,
    stage: &StageContext,
) -> Result<Evaluated, JobError> {
    let history = workspace.history(input)?;
    let (rows, references) = collect(workspace, input, stage)?;
    stage.progress(0, 0, "scoring");
    let beside: Vec<(&str, &[f64])> =
        references.iter().map(|(who, cells)| (who.name(), cells.as_slice())).collect();
    write_forecast_beside(&workspace.forecasts(), &rows, &beside, &provenance(input)?)?;
    let truth = label(&rows, &history);
    drop(history);
    write_outcomes(&workspace.outcomes(), &rows, &truth)?;
    let cases = cases(&rows, &truth, &references);
    if cases.is_empty() {
        let message = "the source knows no prices of the forecast hours, so there is nothing to score; choose earlier days or add the prices";
        return Err(JobError::NotEnoughData(message.to_owned()));
    }
    let assessment = Assessment::of(&cases);
    let json = scores_json(&about(input), &cases, &assessment);
    write_atomically(&workspace.scores(), |out| out.write_all(json.as_bytes()))?;
    let page = page(&rows, &truth, (&cases, &assessment), input)?;
    let headlines = page.headlines.clone();
    let html = page.to_html();
    write_atomically(&workspace.report(), |out| out.write_all(html.as_bytes()))?;
    write_figures(&workspace.figures(), &page).map_err(|error| match error {
        FigureError::Write(error) => JobError::Write(error),
        FigureError::Bitmap { .. } => JobError::Backtest(error.to_string()),
    })?;
    Ok(Evaluated { rows: rows.len(), headlines })
}

/// Collects the forecasts of all windows with what the references said about them.
fn collect(
    workspace: &BacktestWorkspace,
    input: &BacktestInput,
    stage: &StageContext,
) -> Result<(Vec<ForecastRow>, Columns), JobError> {
    let (mut rows, mut references) = (Vec::new(), Columns::new());
    let windows = input.windows().len();
    for window in 0..windows {
        stage.progress(window as u64, windows as u64, "collecting forecasts");
        let number = window + 1;
        let of_window = read_forecast(&workspace.window_file(&format!("window-{number:04}")))?;
        let mut said = read_columns(&workspace.references_file(window), of_window.len())?;
        said.extend(read_columns(&workspace.previous_file(window), of_window.len())?);
        let unsaid = vec![f64::NAN; of_window.len()];
        for who in REFERENCES {
            let cells = said.get(&who).unwrap_or(&unsaid);
            references.entry(who).or_default().extend(cells);
        }
        rows.extend(of_window);
    }
    references.retain(|_, cells| cells.iter().any(|cell| !cell.is_nan()));
    Ok((rows, references))
}

/// Writes the highest price of every hour that was forecast, as `spikecast evaluate` reads it.
fn write_outcomes(
    path: &Path,
    rows: &[ForecastRow],
    truth: &[HourOutcome],
) -> Result<(), WriteError> {
    let mut hours: BTreeMap<(&str, Timestamp), (f64, bool)> = BTreeMap::new();
    for (row, outcome) in rows.iter().zip(truth) {
        let known = match outcome {
            HourOutcome::Unknown => continue,
            HourOutcome::AtLeast(price) => (price.value(), false),
            HourOutcome::Known(price) => (price.value(), true),
        };
        hours.insert((row.settlement_point.name(), row.target.hour.start), known);
    }
    let columns = [
        (
            "settlement_point",
            ColumnData::Texts(hours.keys().map(|(point, _)| (*point).into()).collect()),
        ),
        ("target_start", ColumnData::Instants(hours.keys().map(|(_, start)| *start).collect())),
        ("highest_price", ColumnData::Numbers(hours.values().map(|(price, _)| *price).collect())),
        ("covered", ColumnData::Flags(hours.values().map(|(_, covered)| *covered).collect())),
    ];
    write_parquet(path, &columns, &[])
}

/// Returns what happened in each row's hour, as known in the end.
fn label(rows: &[ForecastRow], history: &History) -> Vec<HourOutcome> {
    let view = history.known_at(Timestamp::MAX);
    rows.chunk_by(|a, b| a.settlement_point == b.settlement_point)
        .flat_map(|rows| {
            let hours = rows.iter().map(|row| &row.target.hour);
            outcomes(&view, &rows[0].settlement_point, hours)
        })
        .collect()
}

/// Puts forecasts beside what happened.
fn cases(rows: &[ForecastRow], truth: &[HourOutcome], references: &Columns) -> Cases {
    let takes_part = |who: &Forecaster| {
        references.contains_key(who)
            || rows.first().is_some_and(|row| who.of_prediction(&row.prediction).is_some())
    };
    let forecasters = Forecaster::ALL.into_iter().filter(takes_part);
    let mut cases = CasesBuilder::new(forecasters.collect());
    for (place, (row, outcome)) in rows.iter().zip(truth).enumerate() {
        let case = Case {
            issue_time: row.issue_time,
            target: row.target,
            settlement_point: row.settlement_point.name(),
            threshold: row.threshold.value(),
            exceeded: outcome.exceeds(row.threshold),
        };
        cases.add(&case, |who| match references.get(&who) {
            Some(cells) => cells[place],
            None => who.of_prediction(&row.prediction).unwrap_or(f64::NAN),
        });
    }
    cases.build()
}

/// Returns what `scores.json` says about the backtest itself.
fn about(input: &BacktestInput) -> serde_json::Value {
    json!({
        "program": input.program,
        "from": input.from.to_string(),
        "to": input.to.to_string(),
        "issue_time_of_day": input.issue_time_of_day.to_string(),
        "retrain_every_days": input.retrain_every_days,
    })
}
