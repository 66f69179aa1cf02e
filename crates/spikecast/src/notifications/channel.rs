//! Where notices go: a webhook in one of three formats, or one person's mailbox. Plain data; one
//! delivery is one attempt.

use std::fmt;

use super::payload::{generic, slack, teams};
use super::webhook::{Post, WebhookClient};
use super::{DeliveryError, MailAccount, Message, Notice, WebhookUrl};
use jiff::Timestamp;
use serde_json::Value;

/// Where notices go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// An address that takes JSON.
    Webhook {
        /// Which JSON.
        format: WebhookFormat,
        /// The address.
        url: WebhookUrl,
    },
    /// A mailbox.
    Mail(MailAccount),
}

/// Which JSON a webhook takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFormat {
    /// Ours, for programs.
    Generic,
    /// Slack's blocks.
    Slack,
    /// Teams' Adaptive Card.
    Teams,
}

impl WebhookFormat {
    /// Returns the name of the channel with this format; the setting of its address ends in `_url`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
        }
    }

    fn body(self, notice: &Notice) -> Value {
        match self {
            Self::Generic => generic(notice),
            Self::Slack => slack(notice),
            Self::Teams => teams(notice),
        }
    }
}

impl Channel {
    /// Returns the name by which the journal knows the channel; it holds no secret.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Webhook { format, .. } => format.name().to_owned(),
            Self::Mail(account) => format!("email {}", account.to.email),
        }
    }

    /// Returns where it leads: scheme, host and port.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Webhook { url, .. } => url.origin(),
            Self::Mail(account) => account.server.to_string(),
        }
    }

    /// Tells a notice, once.
    pub(super) fn deliver(
        &self,
        notice: &Notice,
        client: &WebhookClient,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let (channel, key) = (self.to_string(), notice.key());
        match self {
            Self::Webhook { format, url } => {
                client.post(&Post { channel, url, key, body: format.body(notice) }, now)
            }
            Self::Mail(account) => account.send((&Message::of(notice), &key), &channel, now),
        }
    }
}

/// Shows name and place.
impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.name(), self.place())
    }
}
