//! How urgent a stage is among those that are ready.
//!
//! Ordering only: it never stops an attempt that is running.

use std::fmt;
use std::str::FromStr;

/// Orders ready stages: the highest starts first, among equals the one that is ready longest, then
/// the one defined first. Waiting makes a stage more urgent: see [`crate::run::AGEING_STEP`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Can wait for everything else.
    Low,
    /// The ordinary case.
    #[default]
    Medium,
    /// Others wait for it.
    High,
    /// A deadline depends on it.
    Critical,
}

impl Priority {
    /// Every priority, the lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the word shown to people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A text is not the name of a priority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("priority: expected low, medium, high or critical, found {found:?}")]
pub struct PriorityError {
    found: String,
}

impl FromStr for Priority {
    type Err = PriorityError;

    /// Reads the word, in capitals or not.
    fn from_str(text: &str) -> Result<Self, PriorityError> {
        let priority =
            Self::ALL.into_iter().find(|priority| priority.as_str().eq_ignore_ascii_case(text));
        priority.ok_or_else(|| PriorityError { found: text.to_owned() })
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
