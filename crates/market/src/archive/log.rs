//! The commit log: what each commit added and removed, and the checkpoints that sum it up.
//!
//! `commits/00000000000000000042.json` exists if and only if commit 42 happened; everything else
//! in the archive counts because a commit names it. This is the only file that knows the shapes
//! of the log; older versions must stay readable. What is valid after a commit is said by `state`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::ArchiveError;
use super::store::Store;

/// The version of commits, checkpoints and indices of postings.
pub(super) const FORMAT: u32 = 2;

/// One commit.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct CommitFile {
    pub(super) format: u32,
    pub(super) number: u64,
    /// When what it is about happened: the fetch, the compaction, the repair.
    pub(super) at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) added: Vec<PartRecord>,
    /// Names of parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) removed: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) postings: Vec<PostingRecord>,
    /// Postings that are to be fetched again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) forgotten: Vec<PostingKey>,
    /// The fingerprints of imports by their names; an import without one is to be repeated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) imports: BTreeMap<String, Option<String>>,
    /// Raw files of postings before this are no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raw_kept_from: Option<Timestamp>,
}

impl CommitFile {
    /// Returns a commit of nothing yet; its number is given when it is written.
    pub(super) fn at(at: Timestamp) -> Self {
        Self {
            format: FORMAT,
            number: 0,
            at,
            added: Vec::new(),
            removed: Vec::new(),
            postings: Vec::new(),
            forgotten: Vec::new(),
            imports: BTreeMap::new(),
            raw_kept_from: None,
        }
    }

    /// Tells whether it would change nothing.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self { number: self.number, ..Self::at(self.at) }
    }
}

/// A part that a commit added.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct PartRecord {
    /// The file, from the archive's root.
    pub(super) name: String,
    pub(super) series: String,
    pub(super) period: String,
    /// Sorted.
    pub(super) places: Vec<String>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// XXH64 of the file, in hexadecimal.
    pub(super) checksum: String,
    /// The first and the last, in seconds since 1970 UTC; likewise the next.
    pub(super) intervals: (i64, i64),
    pub(super) published: (i64, i64),
    /// In microseconds.
    pub(super) fetched: (i64, i64),
    /// What it was imported as, if importing it again replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<String>,
    /// The commit of its newest rows: of equal fetches the later commit counts.
    pub(super) order: u64,
}

/// A posting that a commit covers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct PostingRecord {
    /// ERCOT's id of the report.
    pub(super) report: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) posted_at: Timestamp,
    pub(super) fetched_at: Timestamp,
    /// From which source.
    pub(super) source: String,
    /// The series that were fetched with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) series: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raw: Option<RawRecord>,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) quarantined: Option<String>,
    /// The first lines that could not be used, and how many there were in all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) complaints: Vec<(u64, String)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) complaints_total: u64,
    /// How it differs from what is known of its report.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) drift: BTreeSet<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A raw file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct RawRecord {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) checksum: String,
}

/// What tells postings apart: the report's id and the document's.
pub(super) type PostingKey = (String, String);

impl PostingRecord {
    pub(super) fn key(&self) -> PostingKey {
        (self.report.clone(), self.id.clone())
    }
}

/// What all commits up to a number have left.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct CheckpointFile {
    pub(super) format: u32,
    pub(super) number: u64,
    pub(super) parts: Vec<PartRecord>,
    pub(super) imports: BTreeMap<String, String>,
    pub(super) indices: Vec<IndexRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) raw_kept_from: Option<Timestamp>,
}

/// Where the postings of one report and month are listed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct IndexRecord {
    pub(super) report: String,
    pub(super) month: String,
    pub(super) name: String,
    pub(super) postings: u64,
    pub(super) checksum: String,
}

/// The postings of one report and month.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct IndexFile {
    pub(super) format: u32,
    pub(super) postings: Vec<PostingRecord>,
}

pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const COMMITS: &str = "commits";

pub(super) fn commit_name(number: u64) -> String {
    format!("{COMMITS}/{number:020}.json")
}

pub(super) fn checkpoint_name(number: u64) -> String {
    format!("{CHECKPOINTS}/{number:020}.json")
}

/// Returns the number in a commit's or checkpoint's name.
pub(super) fn number_in(name: &str) -> Option<u64> {
    name.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

/// Writes a file of the log.
pub(super) fn to_bytes<T: Serialize>(file: &T) -> bytes::Bytes {
    let mut bytes = serde_json::to_vec(file).expect("texts, numbers and lists of them");
    bytes.push(b'\n');
    bytes.into()
}

/// Reads a file of the log; the format is looked at first, because a newer one may have any shape.
pub(super) fn from_bytes<T: DeserializeOwned>(
    store: &Store,
    name: &str,
    bytes: &[u8],
) -> Result<T, ArchiveError> {
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    let damaged = |error: serde_json::Error| ArchiveError::Damaged {
        place: store.place(name),
        found: format!("is not as written: {error}"),
    };
    let Versioned { format } = serde_json::from_slice(bytes).map_err(damaged)?;
    if FORMAT < format {
        let place = store.place(name);
        return Err(ArchiveError::NewerFormat { place, found: format, known: FORMAT });
    }
    serde_json::from_slice(bytes).map_err(damaged)
}
