//! `spikecast archive`: what is in the archive and what it lacks, whether it is whole, its care,
//! and the way in and out.

mod args;
mod care;
mod exchange;
mod gaps;
mod refetch;
mod status;

use market::archive::{Archive, ArchiveError};
use market::source::Source;

pub(super) use args::ArchiveCommand;

use super::args::GlobalArgs;
use super::terminal::Terminal;
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::{JobError, exit_of_error};

pub(super) fn archive(
    global: &GlobalArgs,
    command: &ArchiveCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match command {
        ArchiveCommand::Status(source) => status::status(global, source, terminal),
        ArchiveCommand::Gaps(arguments) => gaps::gaps(global, arguments, terminal),
        ArchiveCommand::Verify(source) => care::verify(global, source, terminal),
        ArchiveCommand::Repair(source) => care::repair(global, source, terminal),
        ArchiveCommand::Compact(arguments) => care::compact(global, arguments, terminal),
        ArchiveCommand::Export(arguments) => exchange::export(global, arguments, terminal),
        ArchiveCommand::Import(arguments) => exchange::import(global, arguments, terminal),
    }
}

/// The archive of the configured source.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    pub(super) archive: Archive,
}

impl Opened {
    pub(super) fn of(config: &Config) -> Result<Self, CommandError> {
        let source = config.source.open().map_err(job_error)?;
        let archive = Archive::open(&config.data_dir.archive(&source.id()));
        Ok(Self { source, archive: archive.map_err(job_error)? })
    }

    /// Says which archive this is.
    pub(super) fn describe(&self) -> String {
        format!("{}, archived at {}", self.source.describe(), self.archive.location())
    }

    /// Says that nothing is there, and what to do.
    pub(super) fn nothing(&self, what: &str) -> CommandError {
        let message = format!(
            "nothing{what} is archived at {}; fetch it with `spikecast fetch`, or name another \
             place with --archive or --data-dir",
            self.archive.location()
        );
        CommandError::new(Exit::SourceUnavailable, anyhow::anyhow!(message))
    }
}

pub(super) fn job_error(error: impl Into<JobError>) -> CommandError {
    let error = error.into();
    CommandError::new(exit_of_error(&error), error)
}

/// Reads an archive's answer.
pub(super) fn answer<T>(answer: Result<T, ArchiveError>) -> Result<T, CommandError> {
    answer.map_err(job_error)
}

/// Writes a number of bytes as people do.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while 999.5 <= value && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let decimals = usize::from(0 < unit && value < 9.95);
    format!("{value:.decimals$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_leaves_few_digits() {
        let sizes = [0, 999, 1_000, 9_949, 9_951, 999_499, 999_501, 1_234_567_890_123];
        let shown = sizes.map(size);
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.2 TB"]
        );
    }
}
