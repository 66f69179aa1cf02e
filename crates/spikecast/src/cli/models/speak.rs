//! `spikecast models promote` and `rollback`: somebody decides which model speaks.

use jiff::Timestamp;
use market::time::{display, parse_local};
use serde_json::json;

use super::args::WhyArgs;
use super::{now, registry_error};
use crate::cli::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::registry::{ModelEntry, ModelRegistry, Version};

pub(super) fn promote(
    registry: &ModelRegistry,
    version: Version,
    why: &WhyArgs,
    (json, terminal): (bool, &mut Terminal),
) -> Result<Exit, CommandError> {
    let (at, reason) = when_and_why(why)?;
    let history = registry.history().map_err(registry_error)?;
    let former = history.standing_at(at).current();
    let entry = registry.promote(version, at, reason).map_err(registry_error)?;
    tell(&entry, former, at, (json, terminal))
}

pub(super) fn roll_back(
    registry: &ModelRegistry,
    to: Option<Version>,
    why: &WhyArgs,
    (json, terminal): (bool, &mut Terminal),
) -> Result<Exit, CommandError> {
    let (at, reason) = when_and_why(why)?;
    let (from, entry) = registry.roll_back(to, at, reason).map_err(registry_error)?;
    tell(&entry, Some(from), at, (json, terminal))
}

fn when_and_why(why: &WhyArgs) -> Result<(Timestamp, &str), CommandError> {
    let reason = why.reason.trim();
    if reason.is_empty() {
        return Err(CommandError::usage("--reason: say in a few words why; the history keeps it"));
    }
    let now = now();
    let at = match why.from.as_deref() {
        Some(text) => parse_local(text).map_err(CommandError::usage)?,
        None => now,
    };
    if now < at {
        let at = display(at);
        return Err(CommandError::usage(format!("--from {at} lies in the future")));
    }
    Ok((at, reason))
}

fn tell(
    entry: &ModelEntry,
    former: Option<Version>,
    at: Timestamp,
    (json, terminal): (bool, &mut Terminal),
) -> Result<Exit, CommandError> {
    if json {
        terminal.json(&json!({
            "version": entry.version.to_string(),
            "label": entry.label(),
            "former": former.map(|former| former.to_string()),
            "from": at.to_string(),
        }))?;
        return Ok(Exit::Fine);
    }
    let instead = former.map_or_else(String::new, |former| format!(" instead of {former}"));
    terminal.line(format!("{} speaks{instead} from {} on", entry.version, display(at)))?;
    Ok(Exit::Fine)
}
