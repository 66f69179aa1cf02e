//! `spikecast config`: the settings as they are, and whether a file is right.

use serde_json::{Map, Value, json};

use super::args::{ConfigCommand, GlobalArgs, usage};
use super::terminal::{Style, Terminal};
use crate::config::{Config, KEYS, Layers, searched};
use crate::exit::{CommandError, Exit};

pub(super) fn config(
    global: &GlobalArgs,
    command: &ConfigCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match command {
        ConfigCommand::Show => show(global, terminal),
        ConfigCommand::Check { file } => {
            let file = file.as_deref().or(global.config.as_deref());
            let layers = Layers::read(file).map_err(usage)?;
            Config::from_layers(&layers).map_err(usage)?;
            let found = file.map(std::path::Path::to_owned);
            let found = found.or_else(|| searched().into_iter().find(|path| path.is_file()));
            if global.json {
                terminal.json(&json!({ "file": found, "exit_code": Exit::Fine.code() }))?;
                return Ok(Exit::Fine);
            }
            terminal.line(match found {
                Some(path) => format!("{}: fine", path.display()),
                None => "no configuration file, the defaults are fine".to_owned(),
            })?;
            Ok(Exit::Fine)
        }
    }
}

fn show(global: &GlobalArgs, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    let layers = global.layers()?;
    let config = Config::from_layers(&layers).map_err(usage)?;
    let origin =
        |key: &str| layers.origin(key).map_or_else(|| "default".to_owned(), ToString::to_string);
    if global.json {
        let entries = config.entries().into_iter().map(|(key, value)| {
            let parsed: Value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            (key.to_owned(), json!({ "value": parsed, "origin": origin(key) }))
        });
        terminal.json(&Value::Object(entries.collect::<Map<_, _>>()))?;
        return Ok(Exit::Fine);
    }
    for (key, value) in config.entries() {
        let meaning =
            KEYS.iter().find(|(known, _)| *known == key).map_or("", |(_, meaning)| meaning);
        let comment = terminal.paint(Style::Dim, &format!("# {meaning} ({})", origin(key)));
        terminal.line(format!("{key} = {value}  {comment}"))?;
    }
    Ok(Exit::Fine)
}
