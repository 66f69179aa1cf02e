//! How urgent a stage is among those that are ready.
//!
//! Ordering only: it never stops an attempt that is running.

use std::fmt;

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

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
