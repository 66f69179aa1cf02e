//! Why the archive could not be used, by what a person does about it.
//!
//! What an object store says may hold signed addresses, so it is only quoted after `redact`; no
//! message and no debug output holds a credential.

use std::path::PathBuf;

use thiserror::Error;

use crate::table::{TableError, WriteError};

/// Why the archive could not be used.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The path is taken by a file: choose another folder.
    #[error("archive {}: is a file; name a folder", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The location is none: correct it.
    #[error("archive {location}: {reason}")]
    BadLocation {
        /// What was given, without credentials.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk, quota or bucket is full: make room.
    #[error(
        "archive {place}: no space left on the disk (or in the quota); make room. Nothing was added"
    )]
    NoSpace {
        /// What was to be written.
        place: String,
    },
    /// It may not be read or written: change permissions, or choose another place.
    #[error(
        "archive {place}: access is denied ({detail}); check owner, permissions and mount of the folder, or the rights of the credentials"
    )]
    NotPermitted {
        /// What was to be read or written.
        place: String,
        /// What the disk or store says.
        detail: String,
    },
    /// The store does not accept the credentials: a person must look.
    #[error(
        "archive {place}: the store refuses the credentials, or there are none ({detail}); check key, secret, token and region in the environment, e.g. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )]
    Credentials {
        /// What was to be read or written.
        place: String,
        /// What the store says.
        detail: String,
    },
    /// There is no such bucket or container: create it, or correct the URL.
    #[error("archive {place}: there is no such bucket or container; create it or correct the URL")]
    NoBucket {
        /// The archive's location.
        place: String,
    },
    /// The disk or store does not answer as it should: wait and try again, or look at it.
    #[error(
        "archive {place}: cannot be reached ({detail}); check the network, the endpoint or the disk"
    )]
    Unavailable {
        /// What was to be read or written.
        place: String,
        /// What the disk or store says.
        detail: String,
    },
    /// A file of the archive is broken or missing: verify and repair.
    #[error(
        "archive {place}: {found}; run a repair of the archive, or restore the file from a backup"
    )]
    Damaged {
        /// The file.
        place: String,
        /// What is wrong with it.
        found: String,
    },
    /// A newer program wrote it: use that program.
    #[error(
        "archive {place}: was written in format {found}, newer than this program's {known}; use the newer program"
    )]
    NewerFormat {
        /// The file.
        place: String,
        /// The file's format.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// Others committed all the time: try again when they are done.
    #[error(
        "archive {place}: other writers were faster {attempts} times in a row; nothing was added, try again"
    )]
    Contended {
        /// The archive's location.
        place: String,
        /// How often.
        attempts: u32,
    },
    /// An export could not be written.
    #[error("archive: the export is not complete")]
    NotExported(#[from] WriteError),
    /// What should be imported cannot be read.
    #[error("archive: nothing more was imported")]
    NotImported(#[from] TableError),
}
