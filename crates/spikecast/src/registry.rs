//! The model registry: one file per trained model, named by when and from what it was trained.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use forecast::model::{FittedModel, SavedModelError};
use jiff::Timestamp;
use market::table::{WriteError, write_atomically};
use thiserror::Error;
use twox_hash::XxHash64;

/// Why a model could not be kept or found.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The file cannot be read.
    #[error("model {}: cannot be read; check its permissions and the disk", path.display())]
    NotReadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not a model that this program can use.
    #[error("model {}: cannot be used", path.display())]
    NotUsable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: SavedModelError,
    },
    /// The model could not be kept.
    #[error(transparent)]
    NotWritten(#[from] WriteError),
}

/// The models that were trained on one source.
#[derive(Clone, Debug)]
pub struct ModelRegistry {
    folder: PathBuf,
}

/// One kept model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// Its version: when it was trained, and a fingerprint of its content.
    pub version: String,
    /// When it was trained.
    pub trained_at: Timestamp,
    /// Its file.
    pub path: PathBuf,
}

const SUFFIX: &str = ".model";

impl ModelRegistry {
    /// Names the registry in a folder, which need not exist yet.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps a model; the same model again gives the same version and file.
    pub fn keep(
        &self,
        model: &FittedModel,
        trained_at: Timestamp,
    ) -> Result<ModelEntry, RegistryError> {
        let bytes = model.to_bytes();
        let fingerprint = XxHash64::oneshot(0, &bytes) >> 32;
        let version = format!("{}-{fingerprint:08x}", trained_at.strftime("%Y%m%dT%H%M%SZ"));
        let path = self.folder.join(format!("{version}{SUFFIX}"));
        write_atomically(&path, |out| out.write_all(&bytes))?;
        Ok(ModelEntry { version, trained_at, path })
    }

    /// Lists the models trained at or before an instant, newest first: a forecast whose clock was
    /// turned back must not use a model from its future.
    pub fn known_at(&self, instant: Timestamp) -> Result<Vec<ModelEntry>, RegistryError> {
        let failed = |cause| RegistryError::NotReadable { path: self.folder.clone(), cause };
        let listed = match fs::read_dir(&self.folder) {
            Ok(listed) => listed,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(failed(cause)),
        };
        let mut entries = Vec::new();
        for entry in listed {
            let path = entry.map_err(failed)?.path();
            entries.extend(entry_of(&path).filter(|model| model.trained_at <= instant));
        }
        entries.sort_by(|a, b| b.version.cmp(&a.version));
        Ok(entries)
    }

    /// Loads a model.
    pub fn load(path: &Path) -> Result<FittedModel, RegistryError> {
        let bytes = fs::read(path)
            .map_err(|cause| RegistryError::NotReadable { path: path.to_owned(), cause })?;
        FittedModel::from_bytes(&bytes)
            .map_err(|cause| RegistryError::NotUsable { path: path.to_owned(), cause })
    }
}

fn entry_of(path: &Path) -> Option<ModelEntry> {
    let version = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let (time, _) = version.split_once('-')?;
    let trained_at = Timestamp::strptime("%Y%m%dT%H%M%S%z", time.replace('Z', "+0000")).ok()?;
    Some(ModelEntry { version: version.to_owned(), trained_at, path: path.to_owned() })
}
