//! `spikecast schedule`: what runs when. Changes the file of schedules, which a process that runs
//! them follows; nothing here waits for a firing.

mod args;
mod edit;
mod list;
mod preview;
mod run_now;

use jiff::Timestamp;
use orchestration::{Firing, Schedule, ScheduleError};
use serde_json::{Value, json};

use super::args::GlobalArgs;
use super::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::schedules::{ScheduleFile, ScheduleFileError, zone, zone_name};

pub(super) use args::ScheduleCommand;
use args::TimeArgs;

pub(super) fn schedule(
    global: &GlobalArgs,
    command: &ScheduleCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match command {
        ScheduleCommand::List => list::list(global, terminal),
        ScheduleCommand::Preview(arguments) => preview::preview(global, arguments, terminal),
        ScheduleCommand::Add(arguments) => edit::add(global, arguments, terminal),
        ScheduleCommand::Pause { name } => edit::pause(global, name, terminal),
        ScheduleCommand::Resume { name, skip_missed } => {
            edit::resume(global, name, *skip_missed, terminal)
        }
        ScheduleCommand::Remove { name } => edit::remove(global, name, terminal),
        ScheduleCommand::RunNow { name } => run_now::run_now(global, name, terminal),
    }
}

fn schedule_file(global: &GlobalArgs) -> Result<ScheduleFile, CommandError> {
    Ok(ScheduleFile::at(global.settings()?.data_dir.schedules()))
}

pub(super) fn file_error(error: ScheduleFileError) -> CommandError {
    let exit = match &error {
        ScheduleFileError::Edit(_) => Exit::Usage,
        ScheduleFileError::NotReadable { .. }
        | ScheduleFileError::Malformed { .. }
        | ScheduleFileError::Wrong { .. }
        | ScheduleFileError::Newer { .. } => Exit::BadInput,
        ScheduleFileError::NotLocked { .. } | ScheduleFileError::NotWritten(_) => Exit::NotWritable,
    };
    CommandError::new(exit, error)
}

/// Reads when something runs; what is wrong is shown with a caret under it.
fn parse_schedule(times: &TimeArgs) -> Result<Schedule, CommandError> {
    let zone = zone(&times.tz).map_err(CommandError::usage)?;
    let pointed = |error: ScheduleError| {
        let pointer = error.pointer().replace('\n', "\n  ");
        CommandError::usage(format!("{error}\n  {pointer}"))
    };
    Ok(Schedule::parse(&times.when, zone).map_err(pointed)?.dst(times.dst))
}

fn firing_json(schedule: &Schedule, firing: Firing) -> Value {
    let local = firing.at.to_zoned_datetime(schedule.zone().clone());
    json!({
        "utc": firing.at.to_string(),
        "local": local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        "note": firing.note.map(|note| note.to_string()),
    })
}

/// Writes an instant as the clocks of the schedule show it.
fn local(schedule: &Schedule, instant: Timestamp) -> String {
    let zoned = instant.to_zoned_datetime(schedule.zone().clone());
    let time = if zoned.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    zoned.strftime(&format!("%a %Y-%m-%d {time} %Z")).to_string()
}

/// Tells what may surprise the author of a schedule, beside standard output.
fn tell_warnings(schedule: &Schedule, now: Timestamp, terminal: &mut Terminal) {
    for warning in schedule.warnings(now) {
        terminal.warning(&warning.to_string());
    }
}
