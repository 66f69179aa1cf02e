//! Why a model could not be kept, found, used or given the floor.

use std::path::PathBuf;

use forecast::model::SavedModelError;
use market::table::WriteError;
use thiserror::Error;

use super::version::Version;

/// Why the registry could not do what it was asked to.
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
    /// The model learnt from features that this program does not compute.
    #[error(
        "model {}: learnt from other features than this version of the program computes; the next \
         run trains a new one",
        path.display()
    )]
    OtherFeatures {
        /// The file.
        path: PathBuf,
    },
    /// The history of the models is not as it was written.
    #[error(
        "history of the models {}: is damaged ({damage}); remove it, the next run trains a model \
         and begins a new history",
        path.display()
    )]
    HistoryDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        damage: String,
    },
    /// A newer program wrote the history.
    #[error(
        "history of the models {}: has format {found}, this program reads up to {known}; update spikecast",
        path.display()
    )]
    HistoryNewer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// A text is no version.
    #[error(
        "{0:?} is not a version of a model; write it as in 1.0.3 (see `spikecast models list`)"
    )]
    NotAVersion(String),
    /// There is no such model.
    #[error("there is no model {0} for this source and these targets; see `spikecast models list`")]
    NoSuchModel(Version),
    /// No model speaks yet.
    #[error("no model speaks yet for this source and these targets; start with `spikecast run`")]
    NoCurrentModel,
    /// The model speaks already.
    #[error("model {0} is the current one already")]
    IsCurrent(Version),
    /// Nothing came before the current model.
    #[error(
        "no model spoke before {0}; name one with --to, or promote one with `spikecast models promote`"
    )]
    NoFormerModel(Version),
    /// It would speak before it knew what it knows.
    #[error("model {version} was trained {trained_at}; it cannot speak before that")]
    FromTheFuture {
        /// The model.
        version: Version,
        /// When it was trained, in words.
        trained_at: String,
    },
    /// It could not be kept.
    #[error(transparent)]
    NotWritten(#[from] WriteError),
}
