//! Why one delivery did not succeed, divided by what helps: another attempt, or a person who changes
//! a setting. The texts name the channel by its scheme and host; the rest of an address is a secret.

use jiff::SignedDuration;
use orchestration::{FailureClass, StageFailure};
use thiserror::Error;

/// Why a delivery did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryError {
    /// No answer, or one that the server is unwell.
    #[error("{channel}: {reason}")]
    Unavailable {
        /// Which channel, and where.
        channel: String,
        /// What happened.
        reason: String,
        /// How long the server asked to be left alone.
        wait: Option<SignedDuration>,
    },
    /// The server asks for fewer messages.
    #[error("{channel}: too many messages ({said})")]
    TooMany {
        /// Which channel, and where.
        channel: String,
        /// What the server said.
        said: String,
        /// How long the server asked to be left alone.
        wait: Option<SignedDuration>,
    },
    /// The server does not know the address or the account. An address is all that a webhook asks
    /// for, so one that is not there is a wrong credential.
    #[error("{channel}: {said}; {advice}")]
    NotLetIn {
        /// Which channel, and where.
        channel: String,
        /// What the server said.
        said: String,
        /// What to do.
        advice: &'static str,
    },
    /// The server will never take this message.
    #[error("{channel}: {said}; {advice}")]
    Refused {
        /// Which channel, and where.
        channel: String,
        /// What the server said.
        said: String,
        /// What to do.
        advice: &'static str,
    },
    /// A notice waits for a channel that the settings no longer name.
    #[error("{channel}: is not configured any longer; what waited for it is not delivered")]
    NotConfigured {
        /// Its name.
        channel: String,
    },
    /// Nothing can be sent at all.
    #[error(
        "TLS cannot be set up for notifications ({reason}); install the system's root certificates"
    )]
    NoTls {
        /// What is missing.
        reason: String,
    },
}

impl DeliveryError {
    /// Returns what kind of failure it is to the orchestrator.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Unavailable { .. } | Self::NoTls { .. } => FailureClass::Connection,
            Self::TooMany { .. } => FailureClass::RateLimit,
            Self::NotLetIn { .. } => FailureClass::Authentication,
            Self::Refused { .. } | Self::NotConfigured { .. } => FailureClass::BadData,
        }
    }

    fn wait(&self) -> Option<SignedDuration> {
        match self {
            Self::Unavailable { wait, .. } | Self::TooMany { wait, .. } => *wait,
            Self::NotLetIn { .. }
            | Self::Refused { .. }
            | Self::NotConfigured { .. }
            | Self::NoTls { .. } => None,
        }
    }
}

impl From<DeliveryError> for StageFailure {
    fn from(error: DeliveryError) -> Self {
        let failure = StageFailure::caused_by(error.class(), &error);
        match error.wait() {
            Some(wait) => failure.with_wait(wait),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orchestrator_is_told_how_long_the_server_wants_to_be_left_alone() {
        let wait = Some(SignedDuration::from_secs(30));
        let (channel, said) =
            ("slack at https://hooks.slack.com".to_owned(), "HTTP 429".to_owned());
        let failure = StageFailure::from(DeliveryError::TooMany { channel, said, wait });
        assert_eq!((failure.class, failure.wait), (FailureClass::RateLimit, wait));
        assert_eq!(
            failure.message,
            "slack at https://hooks.slack.com: too many messages (HTTP 429)"
        );
    }
}
