//! `spikecast models`: which models there are, which one speaks, and who changes that. Works beside a
//! running server; what is decided here is followed by its next run.

mod args;
mod compare;
mod list;
mod show;
mod speak;

use jiff::Timestamp;
use orchestration::{Clock, SystemClock};

pub(super) use args::ModelsCommand;

use super::args::{GlobalArgs, TargetArgs};
use super::run::targets;
use super::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::exit_of_error;
use crate::jobs::models::model_registry;
use crate::registry::{ModelRegistry, RegistryError, Version};

pub(super) fn models(
    global: &GlobalArgs,
    command: &ModelsCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match command {
        ModelsCommand::List { targets } => {
            list::list(&registry(global, targets)?, global.json, terminal)
        }
        ModelsCommand::Show { targets, version } => {
            let version = version.as_deref().map(parse).transpose()?;
            show::show(&registry(global, targets)?, version, global.json, terminal)
        }
        ModelsCommand::Compare { targets, first, second } => {
            let versions = (parse(first)?, parse(second)?);
            compare::compare(&registry(global, targets)?, versions, global.json, terminal)
        }
        ModelsCommand::Promote { targets, version, why } => {
            let version = parse(version)?;
            speak::promote(&registry(global, targets)?, version, why, (global.json, terminal))
        }
        ModelsCommand::Rollback { targets, to, why } => {
            let to = to.as_deref().map(parse).transpose()?;
            speak::roll_back(&registry(global, targets)?, to, why, (global.json, terminal))
        }
    }
}

fn registry(global: &GlobalArgs, arguments: &TargetArgs) -> Result<ModelRegistry, CommandError> {
    let config = arguments.settings(global)?;
    model_registry(&config.data_dir, &config.source, &targets(&config)?)
        .map_err(|error| CommandError::new(exit_of_error(&error), error))
}

fn parse(version: &str) -> Result<Version, CommandError> {
    version.parse().map_err(registry_error)
}

fn now() -> Timestamp {
    SystemClock::new().now()
}

fn registry_error(error: RegistryError) -> CommandError {
    let exit = match &error {
        RegistryError::NotAVersion(_)
        | RegistryError::NoSuchModel(_)
        | RegistryError::NoCurrentModel
        | RegistryError::IsCurrent(_)
        | RegistryError::NoFormerModel(_)
        | RegistryError::FromTheFuture { .. } => Exit::Usage,
        RegistryError::NotReadable { .. }
        | RegistryError::NotUsable { .. }
        | RegistryError::OtherFeatures { .. }
        | RegistryError::HistoryDamaged { .. }
        | RegistryError::HistoryNewer { .. } => Exit::BadInput,
        RegistryError::NotWritten(_) => Exit::NotWritable,
    };
    CommandError::new(exit, error)
}
