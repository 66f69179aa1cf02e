//! Names of runs and of attempts.

use std::fmt;
use std::str::FromStr;

/// The name of a run: short, unique in its journal, sorted by the time of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub(crate) i64);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("r{:06}", self.0))
    }
}

/// A text is not the name of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run id: expected r and a number, such as r000012, found {found:?}")]
pub struct RunIdError {
    found: String,
}

impl FromStr for RunId {
    type Err = RunIdError;

    /// Reads `r000012`; leading zeros may be missing.
    fn from_str(text: &str) -> Result<Self, RunIdError> {
        text.strip_prefix('r')
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| RunIdError { found: text.to_owned() })
    }
}

/// Tells the living attempt of a stage from superseded ones: each attempt of a run has a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(pub(crate) u64);

impl fmt::Display for FencingToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_reads_back_what_it_shows() {
        assert_eq!(RunId(12).to_string(), "r000012");
        assert_eq!("r000012".parse(), Ok(RunId(12)));
        assert_eq!("r12".parse(), Ok(RunId(12)));
        for wrong in ["", "r", "12", "r-1", "r+1", "x12", "r99999999999999999999"] {
            assert!(wrong.parse::<RunId>().is_err(), "{wrong}");
        }
    }
}
