//! The processes in which isolated stages run: how they are started, and their side of it.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use market::archive::ArchiveLocation;
use orchestration::{
    IsolatedCommand, IsolatedError, IsolatedPolicy, IsolatedPool, SystemClock, serve_isolated,
};

use super::args::ISOLATED_WORKER;
use super::run::internal;
use crate::config::store_options;
use crate::data_dir::DataDir;
use crate::exit::{CommandError, Exit};
use crate::jobs::forecast::{Workspace, registry};
use crate::operations;

/// Starts this program once more, to serve the stages of a data directory; as often as stages are
/// isolated side by side.
pub(super) fn pool(
    data_dir: &DataDir,
    children_max: NonZeroUsize,
) -> Result<Arc<IsolatedPool>, IsolatedError> {
    let this = IsolatedCommand::this_program();
    let this = this.map_err(|source| IsolatedError::NotStarted {
        command: "this program".to_owned(),
        source,
    })?;
    let mut command = this.argument(ISOLATED_WORKER).argument(data_dir.path());
    if *data_dir != DataDir::new(data_dir.path()) {
        // Credentials are in the environment, which it inherits.
        command = command.argument("--archive").argument(data_dir.archives().to_string());
    }
    let policy = IsolatedPolicy { children_max, idle_max: 1, ..IsolatedPolicy::default() };
    IsolatedPool::start(command, policy).map(Arc::new)
}

/// Serves until whoever started this process goes away.
pub(super) fn serve(directory: &Path, archive: Option<&str>) -> Result<Exit, CommandError> {
    let clock = Arc::new(SystemClock::new());
    let mut data_dir = DataDir::new(directory);
    if let Some(archive) = archive {
        let location = ArchiveLocation::parse(archive, store_options());
        data_dir = data_dir.with_archive(location.context("isolated worker").map_err(internal)?);
    }
    let workspace = Arc::new(Workspace::new(data_dir, clock));
    let mut registry = registry(&workspace);
    operations::register(&mut registry, &workspace);
    serve_isolated(&registry).context("isolated worker").map_err(internal)?;
    Ok(Exit::Fine)
}
