//! The intermediate file between the stages *features* and *infer*: one row per settlement point,
//! target hour and feature. A person can open it to see what a forecast rests on.

use std::path::Path;
use std::sync::Arc;

use forecast::features::{COLUMNS_PER_THRESHOLD, Example, Examples, column_names};
use forecast::horizon::TargetHour;
use forecast::threshold::Thresholds;
use jiff::Timestamp;
use market::place::SettlementPoint;
use market::table::{ColumnData, ColumnKind, ColumnSpec, Table, write_parquet};
use market::time::MarketHour;

use super::failure::JobError;

/// The forecasts that an example holds for each threshold.
const FORECASTS: [&str; 3] = ["climatology", "climatology_last_year", "persistence_forecast"];

/// Returns the names of an example's values in the file's order; those that differ by threshold
/// look like `persistence@50`.
fn value_names(thresholds: &Thresholds) -> Vec<Arc<str>> {
    let names = column_names();
    let (common, own) = names.split_at(names.len() - COLUMNS_PER_THRESHOLD);
    let mut all: Vec<Arc<str>> = common.iter().map(|&name| name.into()).collect();
    for price in thresholds.prices() {
        all.extend(own.iter().map(|name| format!("{name}@{price}").into()));
    }
    for price in thresholds.prices() {
        all.extend(FORECASTS.iter().map(|name| format!("{name}@{price}").into()));
    }
    all
}

fn values(example: &Example) -> impl Iterator<Item = f64> + '_ {
    let features = example.common.iter().chain(&example.by_threshold).map(|&v| f64::from(v));
    let forecasts = example.climatology.iter().zip(&example.climatology_recent);
    let forecasts = forecasts.zip(&example.persistence).flat_map(|((&a, &b), &c)| [a, b, c]);
    features.chain(forecasts)
}

/// Writes examples as a table for the next stage, for people and for tools.
pub(super) fn write_examples(
    path: &Path,
    examples: &[Examples],
    thresholds: &Thresholds,
) -> Result<(), JobError> {
    let names = value_names(thresholds);
    let (mut points, mut issues, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut lead_days, mut features, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    for examples in examples {
        let point: Arc<str> = examples.settlement_point.name().into();
        for example in &examples.rows {
            for (name, value) in names.iter().zip(values(example)) {
                points.push(point.clone());
                issues.push(examples.issue_time);
                starts.push(example.target.hour.start);
                lead_days.push(i64::from(example.target.lead_day));
                features.push(name.clone());
                cells.push(Some(value).filter(|value| value.is_finite()));
            }
        }
    }
    let columns = [
        ("settlement_point", ColumnData::Texts(points)),
        ("issue_time", ColumnData::Instants(issues)),
        ("target_start", ColumnData::Instants(starts)),
        ("lead_day", ColumnData::Integers(lead_days)),
        ("feature", ColumnData::Texts(features)),
        ("value", ColumnData::NullableNumbers(cells)),
    ];
    Ok(write_parquet(path, &columns, &[])?)
}

/// Reads what [`write_examples`] wrote, bit for bit.
pub(super) fn read_examples(
    path: &Path,
    thresholds: &Thresholds,
) -> Result<Vec<Examples>, JobError> {
    let specification = [
        ColumnSpec::required("settlement_point", ColumnKind::Text),
        ColumnSpec::required("issue_time", ColumnKind::Instant),
        ColumnSpec::required("target_start", ColumnKind::Instant),
        ColumnSpec::required("lead_day", ColumnKind::Integer),
        ColumnSpec::required("feature", ColumnKind::Text),
        ColumnSpec::nullable("value", ColumnKind::ANY_NUMBER),
    ];
    let table = Table::read(path, &specification)?;
    let names = value_names(thresholds);
    let damaged = || JobError::Intermediate(path.display().to_string());
    let mut all: Vec<Examples> = Vec::new();
    for first in (0..table.rows()).step_by(names.len()) {
        let features = table.texts("feature");
        let in_order =
            |(offset, name): (usize, &Arc<str>)| features.get(first + offset) == Some(name);
        if table.rows() < first + names.len() || !names.iter().enumerate().all(in_order) {
            return Err(damaged());
        }
        let cells = &table.numbers("value")[first..first + names.len()];
        let instant = |column: &str| table.instants(column)[first].ok_or_else(damaged);
        let lead_day = table.integers("lead_day")[first];
        let lead_day = lead_day.and_then(|day| u8::try_from(day).ok()).ok_or_else(damaged)?;
        let start: Timestamp = instant("target_start")?;
        let target = TargetHour { hour: MarketHour::starting(start), lead_day };
        let issue_time = instant("issue_time")?;
        let point = table.texts("settlement_point").get(first).ok_or_else(damaged)?;
        let example = example(cells, thresholds.count(), target);
        match all.last_mut() {
            Some(last) if last.settlement_point.name() == point => last.rows.push(example),
            Some(_) | None => all.push(Examples {
                issue_time,
                settlement_point: SettlementPoint::new(point)?,
                rows: vec![example],
            }),
        }
    }
    Ok(all)
}

fn example(cells: &[Option<f64>], thresholds: usize, target: TargetHour) -> Example {
    let own = thresholds * COLUMNS_PER_THRESHOLD;
    let common = cells.len() - own - thresholds * FORECASTS.len();
    #[expect(clippy::cast_possible_truncation, reason = "they were single precision before")]
    let single =
        |cells: &[Option<f64>]| cells.iter().map(|c| c.unwrap_or(f64::NAN) as f32).collect();
    let forecast = |which: usize| {
        let forecasts = cells[common + own..].chunks_exact(FORECASTS.len());
        forecasts.map(|of_threshold| of_threshold[which].unwrap_or(f64::NAN)).collect()
    };
    Example {
        target,
        common: single(&cells[..common]),
        by_threshold: single(&cells[common..common + own]),
        climatology: forecast(0),
        climatology_recent: forecast(1),
        persistence: forecast(2),
    }
}
