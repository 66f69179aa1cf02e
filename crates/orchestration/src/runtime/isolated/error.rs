//! Why children cannot be had, and why a program cannot be one. A call that fails is no such error.

use std::io;

use super::FrameError;
use crate::recovery::{FailureClass, StageFailure};

/// Why there is no child to call.
#[derive(Debug, thiserror::Error)]
pub enum IsolatedError {
    /// The system does not start the command.
    #[error("isolated worker {command} could not be started")]
    NotStarted {
        /// The command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The command is no child that serves calls.
    #[error("isolated worker {command} did not answer the handshake: {found}")]
    NoHandshake {
        /// The command.
        command: String,
        /// What it did instead.
        found: String,
    },
    /// The command was built from another version of this crate.
    #[error(
        "isolated worker {command} speaks version {found} of the protocol, expected {expected}; \
         start the same program"
    )]
    OtherProtocol {
        /// The command.
        command: String,
        /// Ours.
        expected: u32,
        /// Its own.
        found: u32,
    },
    /// The command serves other functions.
    #[error("isolated worker {command} has no function {function}; it has {functions}")]
    UnknownFunction {
        /// The command.
        command: String,
        /// What was asked for.
        function: String,
        /// What it has.
        functions: String,
    },
}

impl From<IsolatedError> for StageFailure {
    fn from(error: IsolatedError) -> Self {
        let class = match &error {
            IsolatedError::NotStarted { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => FailureClass::Bug,
                // Processes, handles or memory.
                _ => FailureClass::ResourceExhaustion,
            },
            IsolatedError::NoHandshake { .. }
            | IsolatedError::OtherProtocol { .. }
            | IsolatedError::UnknownFunction { .. } => FailureClass::Bug,
        };
        Self::caused_by(class, &error)
    }
}

/// Why this process cannot serve calls.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else started this process.
    #[error("the standard input is no connection to an orchestrator; only it starts this command")]
    NotAChild {
        /// What the system said.
        source: io::Error,
    },
    /// Whoever started this process did not begin as the protocol says.
    #[error("the handshake failed")]
    Handshake {
        /// What happened instead.
        source: FrameError,
    },
    /// The limit of memory cannot be set.
    #[error("the memory of this process cannot be limited to {bytes_max} bytes")]
    MemoryLimit {
        /// The limit.
        bytes_max: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no thread to listen on.
    #[error("no thread to listen on could be started")]
    NoThread {
        /// What the system said.
        source: io::Error,
    },
    /// Nobody calls any more.
    #[error("whoever started this process is gone")]
    Orphaned,
}
