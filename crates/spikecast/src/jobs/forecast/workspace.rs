//! What the stages of the main job share within one process: the data directory and the loaded
//! history. Nothing here must survive the process; what must, is in the journal or a file.

use std::sync::{Arc, Mutex, PoisonError};

use market::archive::{Archive, ArchiveLocation};
use market::observation::{History, SeriesKey};
use orchestration::Clock;

use super::shapes::ForecastInput;
use crate::data_dir::DataDir;
use crate::jobs::failure::JobError;
use crate::jobs::source::{SourceChoice, series_keys};
use crate::jobs::targets::Targets;

/// What stages share.
#[derive(Debug)]
pub struct Workspace {
    /// Where everything lives.
    pub data_dir: DataDir,
    /// The one reader of the time.
    pub clock: Arc<dyn Clock>,
    loaded: Mutex<Option<Loaded>>,
}

/// A history, and what it was loaded from.
#[derive(Debug)]
struct Loaded {
    location: ArchiveLocation,
    version: u64,
    keys: Vec<SeriesKey>,
    history: Arc<History>,
}

impl Workspace {
    /// Opens a workspace.
    #[must_use]
    pub fn new(data_dir: DataDir, clock: Arc<dyn Clock>) -> Self {
        Self { data_dir, clock, loaded: Mutex::new(None) }
    }

    /// Returns the history of the run's settlement points.
    pub(super) fn history(&self, input: &ForecastInput) -> Result<Arc<History>, JobError> {
        self.history_of(&input.source, &input.targets)
    }

    /// Returns the history of settlement points. It is loaded again once the archive has changed.
    pub fn history_of(
        &self,
        source: &SourceChoice,
        targets: &Targets,
    ) -> Result<Arc<History>, JobError> {
        let location = self.data_dir.archive(&source.id()?);
        let archive = Archive::open(&location)?;
        let version = archive.version()?;
        let keys = series_keys(&targets.points()?);
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*loaded
            && (&kept.location, kept.version, &kept.keys) == (&location, version, &keys)
        {
            return Ok(Arc::clone(&kept.history));
        }
        let history = Arc::new(archive.load(&keys)?);
        *loaded = Some(Loaded { location, version, keys, history: Arc::clone(&history) });
        Ok(history)
    }
}
