//! What was done, as seen from outside: a file that the process which dies has written to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A line of the diary. Times are true ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Entry {
    /// A process begins.
    Life { at: Timestamp },
    /// It dies, and nothing runs until another one begins.
    Death { at: Timestamp, until: Timestamp },
    /// A firing's run begins, or goes on.
    Began { at: Timestamp, key: String },
    /// It ended.
    Ended { at: Timestamp, key: String, run: Option<String>, status: String },
    /// Firings were left out.
    Skipped { at: Timestamp, schedule: String, first: Timestamp, last: Timestamp, reason: String },
    /// A forecast is there.
    Published {
        at: Timestamp,
        issue_day: Date,
        issue_time: Timestamp,
        run: String,
        degraded: Vec<String>,
    },
    /// Somebody heard a notice.
    Told { at: Timestamp, key: String },
}

/// The diary of all processes of one simulation.
#[derive(Debug)]
pub(super) struct Diary(Mutex<File>);

impl Diary {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(file)))
    }

    /// Writes a line. It survives the process, which dies, while the machine goes on.
    pub(super) fn write(&self, entry: &Entry) {
        let mut line = serde_json::to_vec(entry).expect("an entry is plain data");
        line.push(b'\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).expect("the diary of a simulation can be written");
    }
}

/// Reads the diary.
pub(super) fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for line in BufReader::new(File::open(path)?).lines() {
        entries.push(serde_json::from_str(&line?).map_err(io::Error::other)?);
    }
    Ok(entries)
}
