//! `spikecast models list`: every registered model with its state.

use forecast::model::ModelCard;
use market::time::display;
use serde_json::{Value, json};

use super::{now, registry_error};
use crate::cli::table::{Side, table};
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::registry::{ModelEntry, ModelRegistry, ModelState, RegistryError, load_card};
use crate::report::format::{count, signed_percent};

/// A model as it is listed.
struct Listed {
    entry: ModelEntry,
    state: ModelState,
    card: Result<ModelCard, RegistryError>,
}

pub(super) fn list(
    registry: &ModelRegistry,
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let standing = registry.history().map_err(registry_error)?.standing_at(now());
    let entries = registry.entries().map_err(registry_error)?;
    let listed: Vec<Listed> = entries
        .into_iter()
        .map(|entry| {
            let (state, card) = (standing.state_of(entry.version), load_card(&entry.path));
            Listed { entry, state, card }
        })
        .collect();
    let unnumbered = registry.unnumbered().map_err(registry_error)?;
    if json {
        terminal.json(&Value::Array(listed.iter().map(to_json).collect()))?;
        return Ok(Exit::Fine);
    }
    if listed.is_empty() {
        terminal.note("no model was trained yet for this source and these targets; start with `spikecast run`");
    } else {
        print(&listed, terminal)?;
    }
    if let Some(first) = unnumbered.first() {
        terminal.note(&format!(
            "{} models of a former program are not used; remove them (e.g. {})",
            unnumbered.len(),
            first.display()
        ));
    }
    Ok(Exit::Fine)
}

fn print(listed: &[Listed], terminal: &mut Terminal) -> Result<(), CommandError> {
    let header = [
        ("version", Side::Left),
        ("state", Side::Left),
        ("trained", Side::Left),
        ("hours", Side::Right),
        ("features", Side::Right),
        ("held-out skill", Side::Right),
        ("fingerprint", Side::Left),
    ];
    let rows: Vec<[String; 7]> = listed.iter().map(row).collect();
    let mut lines = table(header, &rows).into_iter();
    if let Some(header) = lines.next() {
        terminal.line(terminal.paint(Style::Bold, &header))?;
    }
    for (model, line) in listed.iter().zip(lines) {
        let is_current = model.state == ModelState::Current;
        terminal.line(if is_current { terminal.paint(Style::Green, &line) } else { line })?;
    }
    for model in listed {
        if let Err(error) = &model.card {
            let error = error.to_string();
            let label = terminal.paint(Style::Yellow, "warning:");
            terminal.line(format!("{label} {}: {error}", model.entry.version))?;
        }
    }
    Ok(())
}

fn row(model: &Listed) -> [String; 7] {
    let Listed { entry, state, card } = model;
    let unknown = || "–".to_owned();
    let (hours, features, skill) = match card {
        Ok(card) => (
            count(card.lineage.rows as u64),
            count(card.lineage.features.len() as u64),
            skill(card).map_or_else(unknown, signed_percent),
        ),
        Err(_) => (unknown(), unknown(), unknown()),
    };
    let state = match card {
        Ok(_) => state.as_str().to_owned(),
        Err(_) => format!("{}, unusable", state.as_str()),
    };
    let trained = display(entry.trained_at);
    [entry.version.to_string(), state, trained, hours, features, skill, entry.fingerprint.clone()]
}

/// Returns the skill against climatology on the held-out days, pooled over the thresholds.
pub(super) fn skill(card: &ModelCard) -> Option<f64> {
    let weeks = || card.held_out.iter().flat_map(|held_out| &held_out.weeks);
    let climatology: f64 = weeks().map(|week| week.climatology_log_loss).sum();
    let log_loss: f64 = weeks().map(|week| week.log_loss).sum();
    (0.0 < climatology).then(|| 1.0 - log_loss / climatology)
}

fn to_json(model: &Listed) -> Value {
    let Listed { entry, state, card } = model;
    let card_or_null = card.as_ref().ok();
    json!({
        "version": entry.version.to_string(),
        "label": entry.label(),
        "state": state.as_str(),
        "trained_at": entry.trained_at.to_string(),
        "file": entry.path,
        "hours": card_or_null.map(|card| card.lineage.rows),
        "features": card_or_null.map(|card| card.lineage.features.len()),
        "held_out_skill": card_or_null.and_then(skill),
        "problem": card.as_ref().err().map(ToString::to_string),
    })
}
