//! Makes what the operations of a real process are made of.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context;
use market::table::remove_partial_files;
use orchestration::{Clock, ErrorRecoveryManager, Journal};

use crate::cli::isolated;
use crate::cli::run::internal;
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::exit_of_error;
use crate::jobs::fetch::{self, recover_fetching};
use crate::jobs::forecast::{
    self, Attendance, Fetching, Setup, Training, Workspace, recover_archive,
};
use crate::notifications::Notifier;
use crate::operations::{self, Parts, fetcher, patient_fetching};
use crate::schedules::ScheduleFile;

/// A training and a backtest may be isolated side by side.
const CHILDREN: NonZeroUsize = NonZeroUsize::new(2).expect("two is not zero");

pub(super) fn parts(
    config: &Arc<Config>,
    clock: &Arc<dyn Clock>,
    journal: Journal,
) -> Result<Parts, CommandError> {
    let data_dir = &config.data_dir;
    // The journal keeps other writers out, so whatever is half-written was left by a killed one.
    remove_partial_files(data_dir.path());
    let workspace = Arc::new(Workspace::new(data_dir.clone(), clock.clone()));
    let notifier = Notifier::new(&config.notifications, clock.clone());
    let notifier = Arc::new(notifier.map_err(|error| CommandError::new(Exit::Usage, error))?);
    let mut registry = forecast::registry(&workspace);
    operations::register(&mut registry, &workspace);
    notifier.register(&mut registry);
    let mut recovery = ErrorRecoveryManager::new();
    recover_archive(&mut recovery, &workspace).context("recovery").map_err(internal)?;
    let fetching = patient_fetching(config, clock)
        .map_err(|error| CommandError::new(exit_of_error(&error), error))?;
    let fetched = match &fetching {
        None => Fetching::AtOnce,
        Some(fetching) => {
            fetch::register(&mut registry, fetching);
            recover_fetching(&mut recovery, fetching, config.fetch_retry)
                .context("recovery")
                .map_err(internal)?;
            Fetching::Patient(config.fetch_retry)
        }
    };
    let (training, isolated) = isolation(config);
    let schedules = ScheduleFile::at(data_dir.schedules())
        .establish(clock.now())
        .map_err(crate::cli::schedule::file_error)?;
    Ok(Parts {
        config: config.clone(),
        clock: clock.clone(),
        journal,
        registry,
        recovery,
        isolated,
        setup: Setup { training, fetching: fetched, attendance: Attendance::Unattended },
        notifier,
        fetcher: fetcher(&config.source, fetching),
        schedules,
        observer: Box::new(|_| {}),
    })
}

type Isolated = (Training, Option<Arc<orchestration::IsolatedPool>>);

/// Starts the processes in which models are fitted, where that is possible.
fn isolation(config: &Config) -> Isolated {
    match isolated::pool(&config.data_dir, CHILDREN) {
        Ok(pool) => (Training::Isolated, Some(pool)),
        Err(error) => {
            let reason = format!("{:#}", anyhow::Error::from(error));
            tracing::warn!(reason, "models are trained in this process");
            (Training::Here, None)
        }
    }
}
