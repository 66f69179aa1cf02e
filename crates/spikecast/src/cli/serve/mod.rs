//! `spikecast serve`: the daily operations as a long-lived process.
//!
//! It waits in one place, for signals; what is scheduled runs on threads of its own. `signals` says
//! what people and service managers ask for, `logging` how lines look, `building` makes what
//! operations are made of.

mod building;
mod logging;
mod signals;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use orchestration::{Clock, SystemClock};

use super::args::{DataArgs, GlobalArgs};
use super::run::{internal, open_journal};
use super::terminal::Terminal;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::exit::{CommandError, Exit};
use crate::operations::{Operations, OperationsError};
use crate::schedules::ScheduleFile;
use signals::{Request, ServiceManager, Signals};

/// How often the schedules' file is looked at. A look costs some microseconds.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// How long runs may take to end when the process is asked to stop; what takes longer is
    /// interrupted and goes on at the next start
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    stop_grace: SignedDuration,
    /// What is logged: error, warn, info or debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: tracing::Level,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people on a terminal, JSON elsewhere
    Auto,
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

pub(super) fn serve(
    global: &GlobalArgs,
    arguments: &ServeArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let mut config = arguments.data.settings(global)?;
    logging::start(arguments.log_format, arguments.log_level);
    let _lock = lock(&config.data_dir, terminal)?;
    let signals = Signals::listen().context("signals").map_err(internal)?;
    let manager = ServiceManager::find();
    loop {
        let server = Server::start(config, &manager)?;
        match server.run_until_asked(&signals, || arguments.data.settings(global))? {
            Ended::Reload(next) => {
                server.stop(Duration::ZERO)?;
                config = *next;
            }
            Ended::Stop => {
                manager.stopping();
                let grace = Duration::try_from(arguments.stop_grace).unwrap_or(Duration::ZERO);
                tracing::info!(grace = %arguments.stop_grace, "stopping");
                server.stop(grace)?;
                tracing::info!("stopped");
                return Ok(Exit::Fine);
            }
        }
    }
}

/// Why a server's time is over.
enum Ended {
    Stop,
    Reload(Box<Config>),
}

/// Operations by one state of the settings.
struct Server<'m> {
    operations: Operations,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    manager: &'m ServiceManager,
}

impl<'m> Server<'m> {
    fn start(config: Config, manager: &'m ServiceManager) -> Result<Self, CommandError> {
        let config = Arc::new(config);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let journal = open_journal(&config.data_dir.journal())?;
        let parts = building::parts(&config, &clock, journal)?;
        let schedules = parts.schedules.iter().count();
        let operations = Operations::start(parts).map_err(operations_error)?;
        let data_dir = config.data_dir.path().display();
        tracing::info!(%data_dir, schedules, version = env!("CARGO_PKG_VERSION"), "serving");
        manager.ready();
        Ok(Self { operations, config, clock, manager })
    }

    /// Waits for signals, follows the file of schedules, and tells the service manager that it
    /// lives.
    fn run_until_asked(
        &self,
        signals: &Signals,
        settings: impl Fn() -> Result<Config, CommandError>,
    ) -> Result<Ended, CommandError> {
        let file = ScheduleFile::at(self.config.data_dir.schedules());
        let mut seen = stamp(&self.config.data_dir.schedules());
        loop {
            match signals.next(LOOK_INTERVAL) {
                Ok(Request::Stop) => return Ok(Ended::Stop),
                Ok(Request::Reload) => match self.reloaded(&settings) {
                    Some(config) => return Ok(Ended::Reload(Box::new(config))),
                    None => continue,
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Stop),
            }
            let found = stamp(&self.config.data_dir.schedules());
            if found != seen {
                seen = found;
                self.follow(&file);
            }
            if self.manager.is_watching() && self.operations.answers() {
                self.manager.alive();
            }
        }
    }

    /// Returns the new settings, unless they cannot be used: then the old ones stay.
    fn reloaded(&self, settings: &impl Fn() -> Result<Config, CommandError>) -> Option<Config> {
        self.manager.reloading();
        let refused = match settings() {
            Ok(config) if config.data_dir == self.config.data_dir => {
                tracing::info!("settings are read again; runs under way are interrupted and go on");
                return Some(config);
            }
            Ok(_) => "another data directory needs a new start".to_owned(),
            Err(error) => error.to_string(),
        };
        tracing::error!(reason = refused, "the new settings are not used, the former ones stay");
        self.manager.ready();
        None
    }

    /// Follows the changed file of schedules; one that cannot be understood changes nothing.
    fn follow(&self, file: &ScheduleFile) {
        let followed = file.read(self.clock.now()).map_err(anyhow::Error::from);
        let followed = followed.and_then(|schedules| Ok(self.operations.follow(schedules)?));
        match followed {
            Ok(()) => tracing::info!("schedules changed"),
            Err(error) => {
                tracing::error!(reason = format!("{error:#}"), "schedules stay as they were");
            }
        }
    }

    fn stop(self, grace: Duration) -> Result<(), CommandError> {
        if !grace.is_zero() {
            self.operations.drain(grace).map_err(operations_error)?;
        }
        for (run, since) in self.operations.under_way() {
            tracing::warn!(run, %since, "interrupted; it goes on at the next start");
        }
        self.operations.stop();
        Ok(())
    }
}

/// Keeps a second server out of the data directory as long as the file is held.
fn lock(data_dir: &DataDir, terminal: &mut Terminal) -> Result<File, CommandError> {
    let path = data_dir.serve_lock();
    let open = || -> std::io::Result<File> {
        std::fs::create_dir_all(data_dir.path())?;
        File::options().write(true).create(true).truncate(false).open(&path)
    };
    let file = open().with_context(|| {
        format!(
            "{}: cannot be made; name another data directory or change its permissions",
            path.display()
        )
    });
    let file = file.map_err(|cause| CommandError { exit: Exit::NotWritable, cause })?;
    if file.try_lock().is_err() {
        terminal.note("`spikecast schedule list` shows what the running server does");
        let message = format!(
            "{}: another server runs in this data directory; stop it, or name another one",
            data_dir.path().display()
        );
        return Err(CommandError { exit: Exit::NotWritable, cause: anyhow::anyhow!(message) });
    }
    Ok(file)
}

/// Tells whether a server runs in a data directory.
pub(super) fn is_serving(data_dir: &DataDir) -> bool {
    // Without the file, or where it cannot be opened, nobody has locked it.
    let file = File::options().write(true).open(data_dir.serve_lock());
    file.is_ok_and(|file| file.try_lock().is_err())
}

/// What tells one state of a file from another.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn operations_error(error: OperationsError) -> CommandError {
    match error {
        OperationsError::Journal(error) => super::run::journal_error(error),
        other => CommandError::new(Exit::Internal, other),
    }
}
