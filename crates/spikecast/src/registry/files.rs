//! The models' files: `VERSION_TRAINED-AT_FINGERPRINT.model`, each with its checksum inside.
//!
//! What is listed needs no file to be opened, so that a damaged one is in nobody's way.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use forecast::model::{FittedModel, ModelCard};
use jiff::Timestamp;
use twox_hash::XxHash64;

use super::error::RegistryError;
use super::version::Version;

/// One registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// Its number.
    pub version: Version,
    /// When it was trained: from then on it may speak.
    pub trained_at: Timestamp,
    /// A fingerprint of its content, in hexadecimal digits.
    pub fingerprint: String,
    /// Its file.
    pub path: PathBuf,
}

impl ModelEntry {
    /// Returns what forecasts are labelled with: the version, and the fingerprint because other
    /// sources and targets have models with the same numbers.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}+{}", self.version, self.fingerprint)
    }
}

pub(super) const SUFFIX: &str = ".model";
const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

/// Loads a model that this program can forecast with.
pub fn load(path: &Path) -> Result<FittedModel, RegistryError> {
    let model = FittedModel::from_bytes(&read(path)?)
        .map_err(|cause| RegistryError::NotUsable { path: path.to_owned(), cause })?;
    if model.lineage().has_features_of_this_program() {
        Ok(model)
    } else {
        Err(RegistryError::OtherFeatures { path: path.to_owned() })
    }
}

/// Reads what a model says about itself, checking the whole file.
pub fn load_card(path: &Path) -> Result<ModelCard, RegistryError> {
    ModelCard::from_bytes(&read(path)?)
        .map_err(|cause| RegistryError::NotUsable { path: path.to_owned(), cause })
}

fn read(path: &Path) -> Result<Vec<u8>, RegistryError> {
    fs::read(path).map_err(|cause| RegistryError::NotReadable { path: path.to_owned(), cause })
}

/// Returns the fingerprint of a saved model.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    format!("{:08x}", XxHash64::oneshot(0, bytes) >> 32)
}

/// Returns an instant as the names of files have it.
pub(super) fn time_in_name(instant: Timestamp) -> String {
    instant.strftime(TIME_FORMAT).to_string()
}

/// Reads an instant in the name of a file.
pub(super) fn instant_in_name(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    Timestamp::strptime("%Y%m%dT%H%M%S%z", format!("{digits}+0000")).ok()
}

/// Names the file of a model.
pub(super) fn entry(
    folder: &Path,
    version: Version,
    trained_at: Timestamp,
    fingerprint: String,
) -> ModelEntry {
    let name = format!("{version}_{}_{fingerprint}{SUFFIX}", time_in_name(trained_at));
    ModelEntry { version, trained_at, fingerprint, path: folder.join(name) }
}

/// What a folder of models holds.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Registered models by version.
    pub(super) entries: Vec<ModelEntry>,
    /// Models of former programs, which had no numbers.
    pub(super) unnumbered: Vec<PathBuf>,
}

/// Lists a folder, which need not exist.
pub(super) fn list(folder: &Path) -> Result<Listed, RegistryError> {
    let mut listed = Listed::default();
    for path in paths(folder)? {
        match entry_of(&path) {
            Some(entry) => listed.entries.push(entry),
            None if path.extension().is_some_and(|ending| ending == "model") => {
                listed.unnumbered.push(path);
            }
            None => {}
        }
    }
    listed.entries.sort_by_key(|entry| entry.version);
    Ok(listed)
}

pub(super) fn paths(folder: &Path) -> Result<Vec<PathBuf>, RegistryError> {
    let failed = |cause| RegistryError::NotReadable { path: folder.to_owned(), cause };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    let mut paths = Vec::new();
    for entry in listed {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn entry_of(path: &Path) -> Option<ModelEntry> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let mut parts = name.split('_');
    let version = parts.next()?.parse().ok()?;
    let trained_at = instant_in_name(parts.next()?)?;
    let fingerprint = parts.next()?.to_owned();
    let path = path.to_owned();
    parts.next().is_none().then_some(ModelEntry { version, trained_at, fingerprint, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_the_entry_is() {
        let trained_at = "2026-03-07T12:00:00Z".parse().unwrap();
        let named = entry(Path::new("m"), "1.2.3".parse().unwrap(), trained_at, "1f2e3d4c".into());
        assert_eq!(named.path, Path::new("m/1.2.3_20260307T120000Z_1f2e3d4c.model"));
        assert_eq!(entry_of(&named.path), Some(named.clone()));
        assert_eq!(named.label(), "1.2.3+1f2e3d4c");
        for other in ["20260307T120000Z-1f2e3d4c.model", "1.2.3_20260307T120000Z_1f.model.partial"]
        {
            assert_eq!(entry_of(Path::new(other)), None, "{other}");
        }
    }
}
