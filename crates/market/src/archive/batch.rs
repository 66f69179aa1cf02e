//! What is committed together: observations, the postings that they came from, raw files.
//!
//! A value that the caller fills; `commit` decides what of it is new.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;

use super::part::ArchivedRow;
use crate::observation::{Observation, SeriesKey};
use crate::reports::{Complaint, Posting};

/// What is committed together, wholly or not at all.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(super) source_id: String,
    pub(super) fetched_at: Timestamp,
    pub(super) observations: BTreeMap<SeriesKey, Vec<Observation>>,
    /// Rows that bring their own fetch and source: from an export.
    pub(super) rows: BTreeMap<SeriesKey, Vec<ArchivedRow>>,
    pub(super) postings: Vec<FetchedPosting>,
    pub(super) imports: BTreeMap<String, String>,
    pub(super) replaces: Option<String>,
}

/// A posting that was fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedPosting {
    /// Which.
    pub posting: Posting,
    /// Its bytes, if they are to be kept.
    pub raw: Option<Bytes>,
    /// What became of it.
    pub reading: Reading,
}

/// What became of a posting.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Its observations are in the batch.
    Read {
        /// About lines that could not be used.
        complaints: Vec<Complaint>,
        /// How it differs from what is known of its report.
        drift: BTreeSet<String>,
    },
    /// It cannot be used as a whole; its bytes should be kept.
    Quarantined {
        /// Why.
        reason: String,
    },
}

impl Batch {
    /// Starts a batch of what a source gave at an instant.
    #[must_use]
    pub fn new(source_id: &str, fetched_at: Timestamp) -> Self {
        Self {
            source_id: source_id.to_owned(),
            fetched_at,
            observations: BTreeMap::new(),
            rows: BTreeMap::new(),
            postings: Vec::new(),
            imports: BTreeMap::new(),
            replaces: None,
        }
    }

    /// Adds observations of one series. Of two with the same interval and publication the one
    /// added later counts; values that are not finite are no observations.
    pub fn add(&mut self, key: &SeriesKey, observations: impl IntoIterator<Item = Observation>) {
        let known = self.observations.entry(key.clone()).or_default();
        known.extend(observations.into_iter().filter(|o| o.value.is_finite()));
    }

    /// Adds a posting. Its observations are added apart.
    pub fn add_posting(&mut self, posting: FetchedPosting) {
        self.postings.push(posting);
    }

    /// Has the archive remember the fingerprint under which `name` is imported with this batch.
    /// A repair forgets it when something of that name's series was lost, if the name is written
    /// as the series' key is; and when the name begins with the id of the series' report.
    pub fn record_import(&mut self, name: &str, fingerprint: &str) {
        self.imports.insert(name.to_owned(), fingerprint.to_owned());
    }

    /// Makes the batch replace what was imported under a name before, of every series that it
    /// holds, empty ones too: for importing the user's own files again after they changed.
    pub fn replace_import(&mut self, name: &str) {
        self.replaces = Some(name.to_owned());
    }
}
