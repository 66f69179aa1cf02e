//! `spikecast backfill status`: how far every backfill is, from its states alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use orchestration::{PartitionCounts, PartitionState, PartitionStates};
use serde_json::{Value, json};

use super::{STATES, partitions_error};
use crate::cli::args::GlobalArgs;
use crate::cli::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::jobs::backfill::BackfillInput;
use crate::jobs::forecast;

pub(super) fn status(global: &GlobalArgs, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    let data_dir = global.settings()?.data_dir;
    let mut found = Vec::new();
    // Without the folder there is no backfill.
    for entry in std::fs::read_dir(data_dir.backfills()).into_iter().flatten().flatten() {
        let path = entry.path().join(STATES);
        if path.exists() {
            let (purpose, counts) = PartitionStates::count(&path).map_err(partitions_error)?;
            let input: BackfillInput = serde_json::from_str(&purpose)
                .with_context(|| format!("{}: of another version", path.display()))
                .map_err(|cause| CommandError { exit: Exit::BadInput, cause })?;
            found.push((entry.path(), input, counts));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if global.json {
        let shown = found.iter().map(|(path, input, counts)| status_json(path, input, *counts));
        terminal.json(&Value::Array(shown.collect()))?;
        return Ok(Exit::Fine);
    }
    if found.is_empty() {
        terminal.line("There is no backfill yet.")?;
    }
    for (_, input, counts) in &found {
        let BackfillInput { from, to, issue_time_of_day, targets, .. } = input;
        terminal.line(format!(
            "{from} to {to} at {}, {}: {} days, {}",
            issue_time_of_day.strftime("%H:%M"),
            targets.settlement_points.join(","),
            counts.total(),
            in_words(*counts)
        ))?;
    }
    Ok(Exit::Fine)
}

pub(super) fn status_json(folder: &Path, input: &BackfillInput, counts: PartitionCounts) -> Value {
    let days = PartitionState::ALL.map(|state| (state.as_str(), counts.of(state)));
    json!({
        "pipeline": forecast::PIPELINE,
        "from": input.from,
        "to": input.to,
        "issue_time": input.issue_time_of_day.strftime("%H:%M").to_string(),
        "settlement_points": input.targets.settlement_points,
        "folder": folder,
        "days": days.into_iter().collect::<BTreeMap<_, _>>(),
        "total": counts.total(),
    })
}

/// Writes counts as `3 completed, 1 failed`.
pub(super) fn in_words(counts: PartitionCounts) -> String {
    let states = PartitionState::ALL.into_iter().map(|state| (counts.of(state), state.as_str()));
    let some = states.filter(|(count, _)| 0 < *count);
    some.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
