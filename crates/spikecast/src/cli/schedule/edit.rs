//! `spikecast schedule add`, `pause`, `resume`, `remove`: changes to the file of schedules.

use jiff::Timestamp;
use orchestration::{Clock, ScheduledTask, SystemClock};
use serde_json::json;

use super::args::AddArgs;
use super::{file_error, firing_json, local, parse_schedule, schedule_file, tell_warnings};
use crate::cli::args::GlobalArgs;
use crate::cli::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::schedules::{EditError, Missed, Schedules, jitter};

pub(super) fn add(
    global: &GlobalArgs,
    arguments: &AddArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let schedule = parse_schedule(&arguments.times)?;
    let mut task = ScheduledTask::new(&arguments.name, &arguments.pipeline, schedule.clone())
        .misfire(arguments.misfire)
        .grace(arguments.grace)
        .overlap(arguments.overlap)
        .priority(arguments.priority);
    if let Some(max) = arguments.jitter {
        task = task.jitter(jitter(max));
    }
    let now = SystemClock::new().now();
    let verb = if arguments.replace { "changed" } else { "added" };
    let change = |schedules: &mut Schedules| {
        if arguments.replace { schedules.replace(task, now) } else { schedules.add(task, now) }
    };
    change_and_tell(global, (&arguments.name, verb), now, change, terminal)?;
    tell_warnings(&schedule, now, terminal);
    Ok(Exit::Fine)
}

pub(super) fn pause(
    global: &GlobalArgs,
    name: &str,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let now = SystemClock::new().now();
    change_and_tell(global, (name, "paused"), now, |schedules| schedules.pause(name), terminal)
}

pub(super) fn resume(
    global: &GlobalArgs,
    name: &str,
    skip_missed: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let now = SystemClock::new().now();
    let missed = if skip_missed { Missed::LeftOut } else { Missed::AsAfterDowntime };
    let change = |schedules: &mut Schedules| schedules.resume(name, missed, now);
    change_and_tell(global, (name, "resumed"), now, change, terminal)
}

pub(super) fn remove(
    global: &GlobalArgs,
    name: &str,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let now = SystemClock::new().now();
    let change = |schedules: &mut Schedules| schedules.remove(name).map(drop);
    change_and_tell(global, (name, "removed"), now, change, terminal)
}

/// Changes the file and says what was done to which schedule, and when that fires next.
fn change_and_tell(
    global: &GlobalArgs,
    (name, done): (&str, &str),
    now: Timestamp,
    change: impl FnOnce(&mut Schedules) -> Result<(), EditError>,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let schedules = schedule_file(global)?.edit(now, change).map_err(file_error)?;
    let record = schedules.get(name).ok();
    let next = record.and_then(|record| Some((&record.task.schedule, record.next(now)?)));
    if global.json {
        let next = next.map(|(schedule, firing)| firing_json(schedule, firing));
        terminal.json(&json!({ "schedule": name, "done": done, "next": next }))?;
        return Ok(Exit::Fine);
    }
    let fires = next.map(|(schedule, firing)| {
        let note = firing.note.map(|note| format!(" ({note})")).unwrap_or_default();
        format!("; fires next {}{note}", local(schedule, firing.at))
    });
    terminal.line(format!("{done} {name}{}", fires.unwrap_or_default()))?;
    Ok(Exit::Fine)
}
