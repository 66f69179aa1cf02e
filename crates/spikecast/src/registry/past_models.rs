//! Models of days that are forecast afterwards (`spikecast backfill`). Each speaks for its own day
//! and those until the next training, whatever was trained before or after it, so that what comes
//! out does not depend on which days are done first. They have no numbers and compete with nobody.

use std::path::{Path, PathBuf};

use forecast::model::FittedModel;
use jiff::Timestamp;
use market::table::write_atomically;

use super::error::RegistryError;
use super::files::{SUFFIX, fingerprint, instant_in_name, paths, time_in_name};

/// The past models of one source and scope.
#[derive(Clone, Debug)]
pub struct PastModels {
    folder: PathBuf,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastModel {
    /// When it was trained, by the clock that was turned back.
    pub trained_at: Timestamp,
    /// What forecasts are labelled with.
    pub label: String,
    /// Its file.
    pub path: PathBuf,
}

impl PastModels {
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps a model; the same model again gives the same file.
    pub fn keep(
        &self,
        model: &FittedModel,
        trained_at: Timestamp,
    ) -> Result<PastModel, RegistryError> {
        let bytes = model.to_bytes();
        let name = format!("{}_{}{SUFFIX}", time_in_name(trained_at), fingerprint(&bytes));
        let path = self.folder.join(name);
        write_atomically(&path, |out| out.write_all(&bytes))?;
        Ok(past_model(trained_at, &fingerprint(&bytes), path))
    }

    /// Lists the models trained at or before an instant, newest first.
    pub fn known_at(&self, instant: Timestamp) -> Result<Vec<PastModel>, RegistryError> {
        let listed = paths(&self.folder)?;
        let models = listed.iter().rev().filter_map(|path| named(path));
        Ok(models.filter(|model| model.trained_at <= instant).collect())
    }
}

fn past_model(trained_at: Timestamp, fingerprint: &str, path: PathBuf) -> PastModel {
    PastModel { trained_at, label: format!("past+{fingerprint}"), path }
}

fn named(path: &Path) -> Option<PastModel> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let (time, fingerprint) = name.split_once('_')?;
    Some(past_model(instant_in_name(time)?, fingerprint, path.to_owned()))
}
