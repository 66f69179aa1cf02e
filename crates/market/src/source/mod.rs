//! Where observations come from. A source asks once; whoever calls it decides what follows a
//! failure.

pub mod budget;
pub mod credentials;
pub mod ercot_api;
pub mod files;
pub mod http;
pub mod listing;
pub mod mis;
pub mod open_meteo;
pub mod publication;
pub mod routing;
pub mod simulator;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::observation::{Observation, SeriesKey};
use crate::place::SettlementPoint;
use crate::table::TableError;

/// What to fetch: one series, everything published after one instant and until another.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Which series, where.
    pub key: SeriesKey,
    /// Exclusive; `None` asks for the whole history.
    pub published_after: Option<Timestamp>,
    /// Inclusive.
    pub published_until: Timestamp,
}

/// Somewhere that publishes observations.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Returns a short name, safe as a folder's, under which its observations are archived.
    fn id(&self) -> String;

    /// Describes the source to a person.
    fn describe(&self) -> String;

    /// Returns a text that changes whenever what the source has may have changed other than by
    /// publishing more: then everything is to be fetched again.
    fn fingerprint(&self) -> Result<String, SourceError>;

    /// Returns the settlement points to forecast when the user names none.
    fn default_settlement_points(&self) -> Result<Vec<SettlementPoint>, SourceError>;

    /// Fetches one series, once. A series that the source does not have is empty.
    fn fetch(&self, request: &FetchRequest) -> Result<Vec<Observation>, SourceError>;
}

/// Why a source gave nothing, by what the caller can do about it.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The source cannot be reached now: wait, or use what is archived.
    #[error("source {source_name} is not available: {reason}")]
    Unavailable {
        /// Which source.
        source_name: String,
        /// What happened, and what to do.
        reason: String,
    },
    /// The source was asked too often, or for too much.
    #[error("source {source_name} wants us to wait: {reason}")]
    RateLimited {
        /// Which source.
        source_name: String,
        /// What it said.
        reason: String,
        /// How long it wants us to wait, where it or its rules say so.
        wait: Option<SignedDuration>,
    },
    /// The source does not accept who we say we are: a person must look.
    #[error("source {source_name} refuses the credentials: {reason}")]
    Authentication {
        /// Which source.
        source_name: String,
        /// What it said, and what to do; never a credential.
        reason: String,
    },
    /// The source answered, but has not got (all of) what should be there by now.
    #[error("source {source_name} lacks {what}")]
    Missing {
        /// Which source.
        source_name: String,
        /// What is missing, and how that is known.
        what: String,
    },
    /// What it gave is not what it should be: asking again may help, otherwise a person must look.
    #[error("source {source_name} gave something unusable: {reason}")]
    Unusable {
        /// Which source.
        source_name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What it gave cannot be used: a person must look.
    #[error(transparent)]
    BadData(#[from] TableError),
}
