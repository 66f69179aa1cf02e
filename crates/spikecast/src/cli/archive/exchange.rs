//! `spikecast archive export` and `import`: the way out and in, as Parquet files that pandas and
//! polars read.

use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::args::{ExportArgs, ImportArgs};
use super::{Opened, answer};
use crate::cli::args::GlobalArgs;
use crate::cli::data::{end, start};
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};

pub(super) fn export(
    global: &GlobalArgs,
    arguments: &ExportArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let from = arguments.from.as_deref().map_or(Ok(Timestamp::MIN), start)?;
    let to = arguments.to.as_deref().map_or(Ok(Timestamp::MAX), end)?;
    refuse_used(&arguments.out)?;
    let opened = Opened::of(&arguments.source.settings(global)?)?;
    let exported = answer(opened.archive.export((from, to), &arguments.out))?;
    if exported == 0 {
        return Err(opened.nothing(" of these days"));
    }
    if global.json {
        terminal.json(&json!({
            "archive": opened.archive.location().to_string(),
            "folder": arguments.out,
            "values": exported,
            "exit_code": Exit::Fine.code(),
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    let folder = arguments.out.display();
    terminal.line(format!("{exported} values written to {folder}, a file for each series"))?;
    Ok(Exit::Fine)
}

/// Refuses a folder that holds something: an import could not tell it from the export.
fn refuse_used(folder: &Path) -> Result<(), CommandError> {
    let shown = folder.display();
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(CommandError::usage(format!("{shown}: is not empty; name a new folder"))),
        Ok(false) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let cause = anyhow::Error::new(error)
                .context(format!("{shown}: cannot be used for an export; name a new folder"));
            Err(CommandError { exit: Exit::NotWritable, cause })
        }
    }
}

pub(super) fn import(
    global: &GlobalArgs,
    arguments: &ImportArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let opened = Opened::of(&arguments.source.settings(global)?)?;
    let committed = answer(opened.archive.import(&arguments.folder))?;
    if global.json {
        terminal.json(&json!({
            "archive": opened.archive.location().to_string(),
            "folder": arguments.folder,
            "values": committed.observations,
            "commit": committed.number,
            "exit_code": Exit::Fine.code(),
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    terminal.line(format!("{} values that were not there before", committed.observations))?;
    Ok(Exit::Fine)
}
