//! `spikecast models show`: where a model comes from, how it did, and what happened to it.

use forecast::model::{FittedModel, HeldOut, ModelCard};
use jiff::Timestamp;
use market::time::display;
use serde_json::{Value, json};

use super::{list::skill, now, registry_error};
use crate::cli::table::{Side, table};
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::registry::{Event, ModelEntry, ModelRegistry, RegistryError, Version, What, Who, load};
use crate::report::format::{count, dollars, signed_percent};

pub(super) fn show(
    registry: &ModelRegistry,
    version: Option<Version>,
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let history = registry.history().map_err(registry_error)?;
    let standing = history.standing_at(now());
    let version = version.or(standing.current());
    let version = version.ok_or(RegistryError::NoCurrentModel).map_err(registry_error)?;
    let entry = registry.find(version).map_err(registry_error)?;
    let model = load(&entry.path).map_err(registry_error)?;
    let state = standing.state_of(version).as_str();
    let events: Vec<&Event> = history.events().iter().filter(|it| concerns(it, version)).collect();
    if json {
        terminal.json(&to_json(&entry, &model, state, &events))?;
        return Ok(Exit::Fine);
    }
    let card = model.card();
    terminal.line(terminal.paint(Style::Bold, &format!("Model {} ({state})", entry.label())))?;
    for line in lineage(&entry, &card) {
        terminal.line(line)?;
    }
    title("What happened to it", terminal)?;
    for event in events {
        terminal.line(format!("  {}  {}", display(event.at), in_words(event, version)))?;
    }
    title("Held-out days, scored by a twin that had not seen them", terminal)?;
    for line in scores(&card) {
        terminal.line(format!("  {line}"))?;
    }
    title("What counts for how much, mean over thresholds and lead days", terminal)?;
    for (name, weight) in model.component_shares() {
        terminal.line(format!("  {name:20} {weight:5.2}"))?;
    }
    let trees = model.tree_count();
    terminal.line(format!("  boosted trees are the logistic regression and {trees} trees"))?;
    title("Calibration, chosen on the held-out days", terminal)?;
    for (threshold, method) in model.thresholds().iter().zip(model.calibration_methods()) {
        terminal.line(format!("  {:20} {method}", dollars(*threshold)))?;
    }
    title("Recipe", terminal)?;
    for (name, value) in card.lineage.recipe.constants() {
        terminal.line(format!("  {name:32} {value}"))?;
    }
    Ok(Exit::Fine)
}

fn title(text: &str, terminal: &mut Terminal) -> Result<(), CommandError> {
    terminal.line("")?;
    terminal.line(terminal.paint(Style::Bold, text))
}

fn concerns(event: &Event, version: Version) -> bool {
    event.version == version || matches!(event.what, What::RolledBackTo { from } if from == version)
}

fn lineage(entry: &ModelEntry, card: &ModelCard) -> Vec<String> {
    let lineage = &card.lineage;
    let words = |text: &str| text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), display);
    vec![
        format!("file      {}", entry.path.display()),
        format!(
            "trained   {}, program {}, seed {}",
            display(entry.trained_at),
            lineage.program,
            lineage.seed
        ),
        format!(
            "data      {} target hours with known prices, {} to {} (hash {})",
            count(lineage.rows as u64),
            words(&lineage.first_target),
            words(&lineage.last_target),
            lineage.data
        ),
        format!("features  {} (hash {})", lineage.features.len(), lineage.features_hash()),
    ]
}

/// Says what happened, seen from one of the models that it happened to.
fn in_words(event: &Event, version: Version) -> String {
    let Event { reason, .. } = event;
    match event.what {
        What::Promoted { by: Who::Rule } => format!("promoted: {reason}"),
        What::Promoted { by: Who::Person } => format!("promoted by command: {reason}"),
        What::Refused { current } => format!("refused, {current} went on speaking: {reason}"),
        What::RolledBackTo { from } if from == version => {
            format!("rolled back, {} spoke again: {reason}", event.version)
        }
        What::RolledBackTo { from } => format!("spoke again instead of {from}: {reason}"),
    }
}

fn scores(card: &ModelCard) -> Vec<String> {
    let scored: Vec<&HeldOut> = card.held_out.iter().filter(|it| 0 < it.hours).collect();
    if scored.is_empty() {
        return vec!["none: the history was too short to hold days out".to_owned()];
    }
    let header = [
        ("threshold", Side::Right),
        ("hours", Side::Right),
        ("exceedances", Side::Right),
        ("log-loss", Side::Right),
        ("climatology", Side::Right),
        ("skill", Side::Right),
        ("90 % interval", Side::Left),
    ];
    let row = |held_out: &&HeldOut| {
        let HeldOut { log_loss, climatology_log_loss, .. } = held_out;
        let interval = held_out.skill_interval.map_or_else(
            || "too few weeks".to_owned(),
            |(lower, upper)| format!("{} to {}", signed_percent(lower), signed_percent(upper)),
        );
        [
            dollars(held_out.threshold),
            count(held_out.hours as u64),
            count(held_out.exceedances as u64),
            format!("{log_loss:.5}"),
            format!("{climatology_log_loss:.5}"),
            signed_percent(1.0 - log_loss / climatology_log_loss),
            interval,
        ]
    };
    table(header, &scored.iter().map(row).collect::<Vec<_>>())
}

fn to_json(entry: &ModelEntry, model: &FittedModel, state: &str, events: &[&Event]) -> Value {
    let card = model.card();
    let weights: serde_json::Map<String, Value> = model
        .component_shares()
        .into_iter()
        .map(|(name, weight)| (name.to_owned(), json!(weight)))
        .collect();
    json!({
        "version": entry.version.to_string(),
        "label": entry.label(),
        "state": state,
        "file": entry.path,
        "lineage": card.lineage,
        "features_hash": card.lineage.features_hash(),
        "held_out": card.held_out,
        "held_out_skill": skill(&card),
        "weights": weights,
        "trees": model.tree_count(),
        "calibration": model.calibration_methods(),
        "history": events,
    })
}
