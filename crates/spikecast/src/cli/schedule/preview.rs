//! `spikecast schedule preview`: when something would fire.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use orchestration::{Clock, Firing, Schedule, SystemClock};
use serde_json::Value;

use super::args::PreviewArgs;
use super::{firing_json, local, parse_schedule, tell_warnings, zone_name};
use crate::cli::args::GlobalArgs;
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};

pub(super) fn preview(
    global: &GlobalArgs,
    arguments: &PreviewArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let schedule = parse_schedule(&arguments.times)?;
    let from = match &arguments.from {
        Some(text) => read_from(text, schedule.zone()).map_err(CommandError::usage)?,
        None => SystemClock::new().now(),
    };
    let count = usize::try_from(arguments.count).unwrap_or(usize::MAX);
    let firings: Vec<Firing> = schedule.firings_after(from).take(count).collect();
    if global.json {
        let firings = firings.iter().map(|firing| firing_json(&schedule, *firing));
        terminal.json(&Value::Array(firings.collect()))?;
    } else {
        print(&schedule, from, &firings, terminal)?;
        if !firings.is_empty() && firings.len() < count {
            terminal.line("It does not fire again after that.")?;
        }
    }
    tell_warnings(&schedule, from, terminal);
    Ok(Exit::Fine)
}

fn print(
    schedule: &Schedule,
    from: Timestamp,
    firings: &[Firing],
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let zone = zone_name(schedule.zone());
    let title = format!("{schedule}, {zone}, after {}", local(schedule, from));
    terminal.line(terminal.paint(Style::Bold, &title))?;
    for firing in firings {
        let shown = local(schedule, firing.at);
        let row = format!("{}  {shown:28}", firing.at);
        let note = firing.note.map(|note| note.to_string()).unwrap_or_default();
        let note = terminal.paint(Style::Yellow, &note);
        terminal.line(format!("{row}{note}").trim_end())?;
    }
    Ok(())
}

/// Reads an instant, or a time on the wall of `zone`; of a repeated hour, the first.
fn read_from(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let civil: DateTime = text.parse().map_err(|_| {
        format!(
            "--from {text:?}: expected a local time such as 2026-03-07T00:00, or one with an \
             offset such as 2026-03-07T00:00-06:00"
        )
    })?;
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    if let AmbiguousOffset::Gap { before, .. } = ambiguous.offset() {
        let name = zone_name(zone);
        let instant = before.to_timestamp(civil).map(|at| format!(" such as {at}"));
        let instant = instant.unwrap_or_default();
        return Err(format!(
            "--from {text:?}: the clocks of {name} skip this time; name an earlier or a later one, \
             or an instant{instant}"
        ));
    }
    ambiguous.compatible().map_err(|error| format!("--from {text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use market::time::market_zone;

    use super::*;

    #[test]
    fn the_beginning_is_local_or_an_instant() {
        let check = |text: &str, expected: &str| {
            let found = read_from(text, market_zone()).map(|instant| instant.to_string());
            assert_eq!(found.unwrap_or_else(|error| error), expected);
        };
        check("2026-03-07T00:00", "2026-03-07T06:00:00Z");
        check("2026-03-07", "2026-03-07T06:00:00Z");
        check("2026-03-07T00:00:30", "2026-03-07T06:00:30Z");
        check("2026-03-07T00:00Z", "2026-03-07T00:00:00Z");
        check("2026-03-07T00:00:00+01:00", "2026-03-06T23:00:00Z");
        // The repeated hour: first without an offset, either with one.
        check("2026-11-01T01:30", "2026-11-01T06:30:00Z");
        check("2026-11-01T01:30-06:00", "2026-11-01T07:30:00Z");
        check(
            "2026-03-08T02:30",
            "--from \"2026-03-08T02:30\": the clocks of America/Chicago skip this time; name an \
             earlier or a later one, or an instant such as 2026-03-08T08:30:00Z",
        );
        check(
            "yesterday",
            "--from \"yesterday\": expected a local time such as 2026-03-07T00:00, or one with an \
             offset such as 2026-03-07T00:00-06:00",
        );
    }
}
