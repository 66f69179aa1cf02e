//! Stage *evaluate*: all forecasts against what happened; writes forecasts, scores and the report.

use std::collections::BTreeMap;

use forecast::evaluation::{Forecaster, ScoredHour, Scores, scores};
use forecast::target::{HourOutcome, outcomes};
use jiff::Timestamp;
use market::observation::History;
use market::table::write_atomically;
use orchestration::{StageContext, StageOutput, StageResult};
use serde::{Deserialize, Serialize};

use super::page::page;
use super::scores_file::scores_json;
use super::shapes::BacktestInput;
use super::window::provenance;
use super::workspace::BacktestWorkspace;
use crate::jobs::failure::JobError;
use crate::ledger::{ForecastRow, read_forecast, write_forecast};

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
    let mut rows = Vec::new();
    let windows = input.windows().len();
    for number in 1..=windows {
        let (done, total) = (number as u64 - 1, windows as u64);
        stage.progress(done, total, "collecting forecasts");
        rows.extend(read_forecast(&workspace.window_file(&format!("window-{number:04}")))?);
    }
    stage.progress(0, 0, "scoring");
    write_forecast(&workspace.forecasts(), &rows, &provenance(input)?)?;
    let truth = label(&rows, &workspace.load(input)?);
    let cells = score_all(&rows, &truth, input);
    if cells.is_empty() {
        let message = "the source knows no prices of the forecast hours, so there is nothing to score; choose earlier days or add the prices";
        return Err(JobError::NotEnoughData(message.to_owned()));
    }
    let json = scores_json(&cells, input);
    write_atomically(&workspace.scores(), |out| out.write_all(json.as_bytes()))?;
    let page = page(&rows, &truth, &cells, input)?;
    let headlines = page.headlines.clone();
    let html = page.to_html();
    write_atomically(&workspace.report(), |out| out.write_all(html.as_bytes()))?;
    Ok(Evaluated { rows: rows.len(), headlines })
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

/// Which rows a score is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    /// A settlement point, or all of them.
    pub(super) settlement_point: Option<String>,
    /// The threshold's place in the list.
    pub(super) threshold: usize,
    /// A lead day, or all of them.
    pub(super) lead_day: Option<u8>,
}

/// The scores of every forecaster on one group of rows.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) group: Group,
    pub(super) scores: BTreeMap<Forecaster, Scores>,
}

/// Returns the rows with a known outcome as scoring takes them.
pub(super) fn scored_hours<'r>(
    rows: &'r [ForecastRow],
    truth: &'r [HourOutcome],
) -> impl Iterator<Item = (&'r ForecastRow, ScoredHour)> {
    rows.iter().zip(truth).filter_map(|(row, outcome)| {
        let hour = ScoredHour {
            target_start: row.target.hour.start.as_second(),
            prediction: row.prediction,
            exceeded: outcome.exceeds(row.threshold)?,
        };
        Some((row, hour))
    })
}

fn score_all(rows: &[ForecastRow], truth: &[HourOutcome], input: &BacktestInput) -> Vec<Cell> {
    let mut groups: BTreeMap<Group, Vec<ScoredHour>> = BTreeMap::new();
    for (row, hour) in scored_hours(rows, truth) {
        let price = row.threshold.value();
        let Some(threshold) =
            input.targets.thresholds.iter().position(|t| t.total_cmp(&price).is_eq())
        else {
            continue;
        };
        let mut points = vec![None];
        if 1 < input.targets.settlement_points.len() {
            points.push(Some(row.settlement_point.name().to_owned()));
        }
        for settlement_point in points {
            for lead_day in [None, Some(row.target.lead_day)] {
                let settlement_point = settlement_point.clone();
                let group = Group { settlement_point, threshold, lead_day };
                groups.entry(group).or_default().push(hour);
            }
        }
    }
    groups
        .into_iter()
        .map(|(group, hours)| Cell {
            group,
            scores: Forecaster::ALL.into_iter().map(|who| (who, scores(&hours, who))).collect(),
        })
        .collect()
}
