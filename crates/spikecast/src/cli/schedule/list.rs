//! `spikecast schedule list`: every schedule and its next firing.

use market::time::market_zone;
use orchestration::{Clock, SystemClock};
use serde_json::{Value, json};

use super::{file_error, firing_json, local, schedule_file, zone_name};
use crate::cli::args::GlobalArgs;
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::schedules::{ScheduleRecord, Standing};

pub(super) fn list(global: &GlobalArgs, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    let now = SystemClock::new().now();
    let schedules = schedule_file(global)?.read(now).map_err(file_error)?;
    if global.json {
        let records = schedules.iter().map(|record| record_json(record, now));
        terminal.json(&Value::Array(records.collect()))?;
        return Ok(Exit::Fine);
    }
    let rows: Vec<[String; 4]> = schedules.iter().map(|record| row(record, now)).collect();
    let header = ["schedule", "pipeline", "when", "next"].map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let aligned = |row: &[String; 4]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    terminal.line(terminal.paint(Style::Bold, &aligned(&header)))?;
    for (record, row) in schedules.iter().zip(&rows) {
        let is_paused = record.standing == Standing::Paused;
        let line = aligned(row);
        terminal.line(if is_paused { terminal.paint(Style::Dim, &line) } else { line })?;
    }
    for record in schedules.iter() {
        for warning in record.task.schedule.warnings(now) {
            let label = terminal.paint(Style::Yellow, "warning:");
            terminal.line(format!("{label} {}: {warning}", record.task.id))?;
        }
    }
    Ok(Exit::Fine)
}

fn row(record: &ScheduleRecord, now: jiff::Timestamp) -> [String; 4] {
    let schedule = &record.task.schedule;
    let zone = zone_name(schedule.zone());
    let place = if schedule.zone() == market_zone() { "" } else { &format!(" ({zone})") };
    let next = match (record.standing, record.next(now)) {
        (Standing::Paused, _) => "paused".to_owned(),
        (Standing::Active, Some(firing)) => format!("{}{place}", local(schedule, firing.at)),
        (Standing::Active, None) => "never again".to_owned(),
    };
    [record.task.id.to_string(), record.task.pipeline.to_string(), schedule.to_string(), next]
}

fn record_json(record: &ScheduleRecord, now: jiff::Timestamp) -> Value {
    let ScheduleRecord { task, standing, counts_from, requested_at } = record;
    let schedule = &task.schedule;
    let warnings = schedule.warnings(now);
    json!({
        "name": task.id.as_str(),
        "pipeline": &*task.pipeline,
        "when": schedule.to_string(),
        "time_zone": zone_name(schedule.zone()),
        "dst": schedule.dst_policy().to_string(),
        "misfire": task.misfire.to_string(),
        "grace_seconds": task.grace.as_secs(),
        "overlap": task.overlap.to_string(),
        "jitter_seconds": task.jitter.map(|jitter| jitter.max.as_secs_f64()),
        "priority": task.priority.to_string().to_lowercase(),
        "paused": *standing == Standing::Paused,
        "counts_from": counts_from.to_string(),
        "requested_at": requested_at.map(|at| at.to_string()),
        "next": record.next(now).map(|firing| firing_json(schedule, firing)),
        "warnings": warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
