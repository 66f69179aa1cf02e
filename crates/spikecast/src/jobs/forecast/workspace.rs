//! What the stages of the main job share within one process: the data directory and the loaded
//! history. Nothing here must survive the process; what must, is in the journal or a file.

use std::sync::{Arc, Mutex, PoisonError};

use market::archive::Archive;
use market::observation::History;
use orchestration::Clock;

use super::shapes::ForecastInput;
use crate::data_dir::DataDir;
use crate::jobs::failure::JobError;
use crate::jobs::source::series_keys;

/// What stages share.
#[derive(Debug)]
pub struct Workspace {
    /// Where everything lives.
    pub data_dir: DataDir,
    /// The one reader of the time.
    pub clock: Arc<dyn Clock>,
    history: Mutex<Option<Arc<History>>>,
}

impl Workspace {
    /// Opens a workspace for one run.
    #[must_use]
    pub fn new(data_dir: DataDir, clock: Arc<dyn Clock>) -> Self {
        Self { data_dir, clock, history: Mutex::new(None) }
    }

    /// Returns the history of the run's settlement points, loading it from the archive at the
    /// first call. It changes no more once *fetch* is done.
    pub(super) fn history(&self, input: &ForecastInput) -> Result<Arc<History>, JobError> {
        let mut loaded = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(history) = &*loaded {
            return Ok(history.clone());
        }
        let source_id = input.source.open()?.id();
        let archive = Archive::open(&self.data_dir.archive(&source_id))?;
        let history = Arc::new(archive.load(&series_keys(&input.targets.points()?))?);
        *loaded = Some(history.clone());
        Ok(history)
    }
}
