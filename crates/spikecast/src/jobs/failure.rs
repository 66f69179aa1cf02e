//! What went wrong in a stage, and which class of failure that is to the orchestrator.

use forecast::model::FitError;
use forecast::threshold::ThresholdsError;
use market::archive::ArchiveError;
use market::place::SettlementPointError;
use market::source::SourceError;
use market::table::{TableError, WriteError};
use orchestration::{FailureClass, StageFailure};
use thiserror::Error;

use crate::exit::Exit;
use crate::ledger::LedgerError;
use crate::registry::RegistryError;

/// Why a stage could not do its work.
#[derive(Debug, Error)]
pub enum JobError {
    /// The source gave nothing.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A table could not be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The archive could not be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The model registry could not be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No model could be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A name is not a settlement point's.
    #[error(transparent)]
    SettlementPoint(#[from] SettlementPointError),
    /// A list of thresholds is none.
    #[error(transparent)]
    Thresholds(#[from] ThresholdsError),
    /// The data is there, but not enough of it.
    #[error("{0}")]
    NotEnoughData(String),
    /// Something is missing, or there and wrong.
    #[error("incomplete: {0}")]
    Incomplete(String),
    /// The configuration asks for something impossible.
    #[error("{0}")]
    Configuration(String),
    /// A backtest could not be executed.
    #[error("backtest: {0}")]
    Backtest(String),
    /// Somebody asked to stop.
    #[error("asked to stop")]
    Stopped,
    /// An intermediate file is not what an earlier stage wrote.
    #[error("intermediate file {0}: is damaged; remove it and run again")]
    Intermediate(String),
}

impl JobError {
    fn class(&self) -> FailureClass {
        match self {
            JobError::Source(SourceError::Unavailable { .. })
            | JobError::Source(SourceError::BadData(TableError::Missing { .. }))
            | JobError::Table(TableError::Missing { .. }) => FailureClass::Connection,
            JobError::Source(SourceError::RateLimited { .. }) => FailureClass::RateLimit,
            JobError::Source(SourceError::Authentication { .. }) => FailureClass::Authentication,
            JobError::Source(SourceError::Missing { .. }) | JobError::Incomplete(_) => {
                FailureClass::MissingData
            }
            JobError::Source(SourceError::BadData(_) | SourceError::Unusable { .. })
            | JobError::Table(_)
            | JobError::NotEnoughData(_)
            | JobError::Configuration(_)
            | JobError::SettlementPoint(_)
            | JobError::Thresholds(_)
            | JobError::Intermediate(_)
            | JobError::Fit(FitError::TooFewRows(_)) => FailureClass::BadData,
            JobError::Write(_)
            | JobError::Archive(
                ArchiveError::NoSpace { .. }
                | ArchiveError::NotPermitted { .. }
                | ArchiveError::NotExported(_),
            )
            | JobError::Ledger(LedgerError::NotWritten(_))
            | JobError::Registry(RegistryError::NotWritten(_)) => FailureClass::ResourceExhaustion,
            JobError::Archive(
                ArchiveError::Unavailable { .. } | ArchiveError::Contended { .. },
            ) => FailureClass::Connection,
            JobError::Archive(ArchiveError::Credentials { .. } | ArchiveError::NoBucket { .. }) => {
                FailureClass::Authentication
            }
            JobError::Archive(
                ArchiveError::NotAFolder { .. }
                | ArchiveError::BadLocation { .. }
                | ArchiveError::Damaged { .. }
                | ArchiveError::NewerFormat { .. }
                | ArchiveError::NotImported(_),
            )
            | JobError::Ledger(_) => FailureClass::BadData,
            JobError::Stopped => FailureClass::Cancelled,
            JobError::Registry(_) | JobError::Backtest(_) | JobError::Fit(FitError::Degenerate) => {
                FailureClass::Model
            }
        }
    }
}

impl From<JobError> for StageFailure {
    fn from(error: JobError) -> Self {
        StageFailure::caused_by(error.class(), &error)
    }
}

/// Returns how the program ends when a run failed for this reason.
#[must_use]
pub fn exit_of(class: FailureClass) -> Exit {
    match class {
        FailureClass::BadData => Exit::BadInput,
        FailureClass::Connection
        | FailureClass::RateLimit
        | FailureClass::Authentication
        | FailureClass::MissingData
        | FailureClass::Timeout => Exit::SourceUnavailable,
        FailureClass::ResourceExhaustion => Exit::NotWritable,
        FailureClass::Cancelled => Exit::Interrupted,
        FailureClass::Model | FailureClass::Bug => Exit::Internal,
    }
}

/// Returns how the program ends when a job outside a run failed for this reason.
#[must_use]
pub fn exit_of_error(error: &JobError) -> Exit {
    exit_of(error.class())
}
