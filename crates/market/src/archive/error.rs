//! Why the archive could not be read or written, by what a person does about it.

use std::io;
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
    /// The operating system refuses to read.
    #[error("archive {}: cannot be read; check its permissions and the disk", path.display())]
    NotReadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// One file is broken: restore it, or remove it and fetch again.
    #[error("archive {}: cannot be used; restore it from a backup, or remove it and fetch its part again", path.display())]
    Damaged {
        /// The part.
        path: PathBuf,
        /// What is broken.
        #[source]
        cause: Box<TableError>,
    },
    /// A file of the archive says what it should not: restore or remove it.
    #[error("archive {}: {found}; restore it from a backup, or remove it and import again", path.display())]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A newer program wrote it: use that program.
    #[error("archive {}: was written in format {found}, newer than this program's {known}; use the newer program", path.display())]
    NewerFormat {
        /// The part.
        path: PathBuf,
        /// The part's format.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// It could not be written.
    #[error("archive: nothing was added")]
    NotWritten(#[from] WriteError),
}
