//! Opens what ERCOT packs: a zip around a file, and zips of zips in bundles and bulk downloads.
//!
//! Nothing that a zip claims about itself is believed: what comes out is counted while it comes
//! out, and one file at a time is in memory.

use std::io::{Cursor, Read};

use zip::ZipArchive;

/// A month of files every 5 minutes is 9,000, each in a zip of its own.
const ENTRIES_MAX: usize = 40_000;

/// A bundle holds daily zips, which hold files.
const NESTING_MAX: usize = 4;

/// ERCOT's largest single file is about 45 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A month of 5-minute prices is 240 MB.
const TOTAL_BYTES_MAX: u64 = 1 << 30;

/// Reports shrink to a tenth; what shrinks to a five-hundredth is made to fill memory.
const RATIO_MAX: u64 = 500;

/// Below this, no ratio is suspicious.
const SMALL_BYTES: u64 = 1 << 20;

/// What is shown of a file's name in messages.
const NAME_CHARS_MAX: usize = 160;

/// A file inside of what was posted.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    /// The zip that it is in, if it is in one.
    pub(super) zip_name: Option<&'a str>,
    /// Whether there are others beside it.
    pub(super) has_siblings: bool,
    /// Its bytes, or why they cannot be had.
    pub(super) bytes: Result<&'a [u8], String>,
}

/// Tells whether bytes are a zip's.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Hands over every file in the bytes, or the bytes themselves if they are no zip. Fails when
/// there is more in them than any report holds.
pub(super) fn unpack(
    name: &str,
    bytes: &[u8],
    mut each: impl FnMut(Member<'_>),
) -> Result<(), String> {
    let mut unpacking = Unpacking { entries: 0, bytes: 0, each: &mut each };
    if is_zip(bytes) {
        return unpacking.zip(name, bytes, (1, false));
    }
    (unpacking.each)(Member { name, zip_name: None, has_siblings: false, bytes: Ok(bytes) });
    Ok(())
}

struct Unpacking<'f> {
    entries: usize,
    bytes: u64,
    each: &'f mut dyn FnMut(Member<'_>),
}

impl Unpacking<'_> {
    fn zip(
        &mut self,
        zip_name: &str,
        bytes: &[u8],
        (depth, has_siblings): (usize, bool),
    ) -> Result<(), String> {
        let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(error) => {
                let reason = format!("is a damaged zip ({error}): get it again");
                let bytes = Err(reason);
                (self.each)(Member { name: zip_name, zip_name: None, has_siblings, bytes });
                return Ok(());
            }
        };
        self.entries += archive.len();
        if ENTRIES_MAX < self.entries {
            return Err(format!("holds more than {ENTRIES_MAX} files"));
        }
        let has_siblings = has_siblings || 1 < archive.len();
        for number in 0..archive.len() {
            let (name, content) = self.entry(&mut archive, number)?;
            let Some(content) = content else { continue };
            match content {
                Ok(content) if is_zip(&content) => {
                    if depth == NESTING_MAX {
                        return Err(format!("holds zips more than {NESTING_MAX} deep"));
                    }
                    self.zip(&name, &content, (depth + 1, has_siblings))?;
                }
                content => (self.each)(Member {
                    name: &name,
                    zip_name: Some(zip_name),
                    has_siblings,
                    bytes: content.as_deref().map_err(Clone::clone),
                }),
            }
        }
        Ok(())
    }

    /// Unpacks one entry; a folder has no content. Fails when it is too large.
    #[expect(clippy::type_complexity, reason = "three outcomes, each handled where it is called")]
    fn entry(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        number: usize,
    ) -> Result<(String, Option<Result<Vec<u8>, String>>), String> {
        let damaged = |error: &dyn std::fmt::Display| {
            Some(Err(format!("cannot be unpacked ({error}): get it again")))
        };
        let mut file = match archive.by_index(number) {
            Ok(file) => file,
            Err(error) => return Ok((format!("file {}", number + 1), damaged(&error))),
        };
        let name = file.name().map_or_else(|_| format!("file {}", number + 1), |it| shown(&it));
        if file.is_dir() {
            return Ok((name, None));
        }
        let by_ratio = file.compressed_size().saturating_mul(RATIO_MAX).max(SMALL_BYTES);
        let limit = FILE_BYTES_MAX.min(by_ratio).min(TOTAL_BYTES_MAX - self.bytes);
        let mut content = Vec::new();
        let read = file.by_ref().take(limit + 1).read_to_end(&mut content);
        let size = content.len() as u64;
        if limit < size {
            return Err(format!("{name} unpacks to more than {limit} bytes, as no report does"));
        }
        self.bytes += size;
        match read {
            Ok(_) => Ok((name, Some(Ok(content)))),
            Err(error) => Ok((name, damaged(&error))),
        }
    }
}

/// Makes a name from a zip safe to show.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}
