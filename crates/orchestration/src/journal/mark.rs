//! A mark beside the journal: how many commits it had when somebody last looked.
//!
//! SQLite forgets the damaged end of a write-ahead log without a word. The mark is written after a
//! commit has reached the disk and is itself never forced there, so it may lag behind the journal
//! but is never ahead of it: a journal that is behind its mark has lost commits.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::checksum;

/// A mark is one short line; whatever is longer is none.
const BYTES_MAX: u64 = 256;

/// What a journal had reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which journal.
    pub(super) id: String,
    /// How many commits it had.
    pub(super) commits: i64,
}

impl Mark {
    /// Reads the mark of a journal; what is no whole mark is none.
    pub(super) fn read(journal: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        match File::open(mark_path(journal)) {
            Ok(file) => file.take(BYTES_MAX).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (id, commits) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        let mark = Self { id, commits };
        (mark.line() == text).then_some(mark)
    }

    /// Every line of one journal has the same length, so that a new one covers the old.
    fn line(&self) -> String {
        let checksum = checksum::of_row(&[self.commits], &[&self.id]).cast_unsigned();
        format!("{} {:020} {checksum:016x}\n", self.id, self.commits)
    }
}

/// The file that holds the mark, open for as long as the journal is.
#[derive(Debug)]
pub(super) struct MarkFile {
    file: File,
}

impl MarkFile {
    /// Opens the mark of a journal and writes the first one.
    pub(super) fn open(journal: &Path, mark: &Mark) -> io::Result<Self> {
        let path = mark_path(journal);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let line = mark.line();
        file.write_all_at(line.as_bytes(), 0)?;
        file.set_len(line.len() as u64)?;
        Ok(Self { file })
    }

    /// Replaces the mark by a later one of the same journal.
    pub(super) fn write(&self, mark: &Mark) -> io::Result<()> {
        self.file.write_all_at(mark.line().as_bytes(), 0)
    }
}

/// Returns where the mark of a journal is.
pub(super) fn mark_path(journal: &Path) -> PathBuf {
    let mut path = OsString::from(journal);
    path.push(".mark");
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(commits: i64) -> Mark {
        Mark { id: "0123456789abcdef".to_owned(), commits }
    }

    #[test]
    fn the_latest_mark_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.sqlite");
        assert_eq!(Mark::read(&journal).unwrap(), None);
        let file = MarkFile::open(&journal, &mark(i64::MAX)).unwrap();
        file.write(&mark(7)).unwrap();
        assert_eq!(Mark::read(&journal).unwrap(), Some(mark(7)));
    }

    #[test]
    fn a_line_that_is_not_whole_is_no_mark() {
        let line = mark(12).line();
        assert_eq!(Mark::parse(&line), Some(mark(12)));
        for end in 0..line.len() {
            assert_eq!(Mark::parse(&line[..end]), None, "{end} bytes");
            let flipped: String = line
                .char_indices()
                .map(|(place, letter)| if place == end { '#' } else { letter })
                .collect();
            assert_eq!(Mark::parse(&flipped), None, "byte {end}");
        }
    }
}
