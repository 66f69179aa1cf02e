//! The JSON inside the journal: how pipelines and events are written down in format 2.
//!
//! Separate from the types the program works with, so that those can change and this cannot. What
//! format 2 added may be missing, so the texts of format 1 are read in the same way.

mod event;
mod failure;
mod stage;

use jiff::{SignedDuration, Timestamp};

pub(super) use event::{EventReader, read_finish, write_event};
pub(super) use stage::{read_pipeline, write_pipeline};

/// A text of the journal does not say what it should; the message tells what.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ShapeError(String);

impl ShapeError {
    pub(super) fn new(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

fn read_seconds(seconds: f64) -> Result<SignedDuration, ShapeError> {
    SignedDuration::try_from_secs_f64(seconds).map_err(ShapeError::new)
}

/// Reads an instant such as `2026-01-27T12:00:00Z`.
pub(super) fn read_instant(text: &str) -> Result<Timestamp, ShapeError> {
    text.parse().map_err(ShapeError::new)
}
