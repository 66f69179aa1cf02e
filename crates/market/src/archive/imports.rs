//! Remembers which state of the user's files was imported, so that nothing is imported twice.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

use super::{Archive, ArchiveError};
use crate::table::write_atomically;

/// The version of the file. Older versions must stay readable.
const FORMAT: u32 = 1;

const FILE_NAME: &str = "imports.json";

/// The file's shape.
#[derive(Debug, Deserialize, Serialize)]
struct Imports {
    format: u32,
    /// The fingerprint of what was imported, by the name of the import.
    fingerprints: BTreeMap<String, String>,
}

impl Archive {
    /// Returns the fingerprint under which `name` was imported last.
    pub fn imported(&self, name: &str) -> Result<Option<String>, ArchiveError> {
        Ok(self.imports()?.fingerprints.remove(name))
    }

    /// Records that `name` has been imported in the state of this fingerprint.
    pub fn record_import(&self, name: &str, fingerprint: &str) -> Result<(), ArchiveError> {
        let mut imports = self.imports()?;
        imports.fingerprints.insert(name.to_owned(), fingerprint.to_owned());
        write_atomically(&self.folder.join(FILE_NAME), |out| {
            serde_json::to_writer_pretty(&mut *out, &imports).map_err(io::Error::from)?;
            out.write_all(b"\n")
        })?;
        Ok(())
    }

    fn imports(&self) -> Result<Imports, ArchiveError> {
        let path = self.folder.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                return Ok(Imports { format: FORMAT, fingerprints: BTreeMap::new() });
            }
            Err(cause) => return Err(ArchiveError::NotReadable { path, cause }),
        };
        let imports: Imports =
            serde_json::from_str(&text).map_err(|error| ArchiveError::Unexpected {
                path: path.clone(),
                found: format!("not as written: {error}"),
            })?;
        if FORMAT < imports.format {
            return Err(ArchiveError::NewerFormat { path, found: imports.format, known: FORMAT });
        }
        Ok(imports)
    }
}
