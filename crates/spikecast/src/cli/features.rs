//! `spikecast features`: what the models read of an hour, from the registry in the code.

use clap::Subcommand;
use forecast::features::{Feature, Input, ReadBy, features};
use serde_json::{Value, json};

use super::table::{Side, table};
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};

#[derive(Debug, Subcommand)]
pub(super) enum FeaturesCommand {
    /// List every feature with its group, unit and who reads it
    List,
    /// Describe one feature: definition, reports, publication lag
    Describe {
        /// The feature, e.g. net_load_rank
        name: String,
    },
}

pub(super) fn show_features(
    json: bool,
    command: &FeaturesCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match command {
        FeaturesCommand::List => list(json, terminal),
        FeaturesCommand::Describe { name } => describe(name, json, terminal),
    }
}

fn list(json: bool, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    let features = features();
    if json {
        terminal.json(&Value::from_iter(features.iter().map(to_json)))?;
        return Ok(Exit::Fine);
    }
    let rows: Vec<[String; 4]> = features
        .iter()
        .map(|feature| {
            let cells = [feature.group.name(), feature.name, feature.unit, read_by(feature)];
            cells.map(str::to_owned)
        })
        .collect();
    let header = [
        ("group", Side::Left),
        ("feature", Side::Left),
        ("unit", Side::Left),
        ("read by", Side::Left),
    ];
    for line in table(header, &rows) {
        terminal.line(line)?;
    }
    Ok(Exit::Fine)
}

fn describe(name: &str, json: bool, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    let features = features();
    let Some(feature) = features.iter().find(|feature| feature.name == name) else {
        let near = features.iter().map(|feature| feature.name).filter(|known| {
            name.split('_').any(|word| 2 < word.len() && known.split('_').any(|w| w == word))
        });
        let near: Vec<&str> = near.take(5).collect();
        let hint = match near.as_slice() {
            [] => "see `spikecast features list`".to_owned(),
            near => format!("did you mean one of {}?", near.join(", ")),
        };
        return Err(CommandError::usage(format!("there is no feature {name:?}; {hint}")));
    };
    if json {
        terminal.json(&to_json(feature))?;
        return Ok(Exit::Fine);
    }
    terminal.line(terminal.paint(Style::Bold, feature.name))?;
    terminal.line(format!("group       {}", feature.group.name()))?;
    terminal.line(format!("unit        {}", feature.unit))?;
    terminal.line(format!("read by     {}", read_by(feature)))?;
    terminal.line(format!("definition  {}", feature.definition))?;
    for input in feature.inputs {
        terminal.line(format!("computed of {}: {}", input.report(), input.publication_lag()))?;
    }
    Ok(Exit::Fine)
}

fn read_by(feature: &Feature) -> &'static str {
    match feature.read_by {
        ReadBy::Both => "both",
        ReadBy::Trees => "trees",
        ReadBy::Logistic => "logistic",
    }
}

fn to_json(feature: &Feature) -> Value {
    let input = |input: &Input| json!({ "report": input.report(), "publication_lag": input.publication_lag() });
    json!({
        "name": feature.name,
        "group": feature.group.name(),
        "unit": feature.unit,
        "read_by": read_by(feature),
        "definition": feature.definition,
        "inputs": Value::from_iter(feature.inputs.iter().map(input)),
    })
}
