//! How the program ends: one documented exit code for each kind of end.

use std::fmt;
use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Fine,
    /// Our own mistake.
    Internal,
    /// The command line or the configuration asks for something impossible.
    Usage,
    /// The input data cannot be used.
    BadInput,
    /// The source has nothing, or cannot be reached.
    SourceUnavailable,
    /// The forecast was published after the deadline.
    DeadlineMissed,
    /// A forecast was published, but not from everything it should rest on.
    Degraded,
    /// The output could not be written: permissions, a full disk.
    NotWritable,
    /// Stopped on request; the same command continues.
    Interrupted,
}

impl Exit {
    /// Every kind of end with its code and meaning, as the help prints them.
    pub const ALL: [(Exit, u8, &'static str); 9] = [
        (Exit::Fine, 0, "fine"),
        (Exit::Internal, 1, "internal error"),
        (Exit::Usage, 2, "wrong usage or configuration"),
        (Exit::BadInput, 3, "input data that cannot be used"),
        (Exit::SourceUnavailable, 4, "source not available"),
        (Exit::DeadlineMissed, 5, "forecast published after the deadline"),
        (Exit::Degraded, 6, "forecast published, but degraded"),
        (Exit::NotWritable, 7, "output cannot be written"),
        (Exit::Interrupted, 130, "stopped on request, can be resumed"),
    ];

    /// Returns the exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        let found = Self::ALL.iter().find(|(exit, ..)| *exit == self);
        found.map_or(1, |(_, code, _)| *code)
    }

    /// Returns the lines of the help that explain the exit codes.
    #[must_use]
    pub fn help() -> String {
        let lines = Self::ALL.iter().map(|(_, code, meaning)| format!("  {code:>3}  {meaning}"));
        format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Why a command did not do what it was asked to, with the code to end with.
#[derive(Debug)]
pub struct CommandError {
    /// How the program ends.
    pub exit: Exit,
    /// What a person reads.
    pub cause: anyhow::Error,
}

impl CommandError {
    /// Pairs a cause with the way to end.
    pub fn new(exit: Exit, cause: impl Into<anyhow::Error>) -> Self {
        Self { exit, cause: cause.into() }
    }

    /// Returns an error of usage.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, cause: anyhow::anyhow!("{message}") }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_a_code_of_its_own() {
        let codes: std::collections::BTreeSet<u8> =
            Exit::ALL.iter().map(|it| it.0.code()).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
        assert_eq!(Exit::Fine.code(), 0);
    }
}
