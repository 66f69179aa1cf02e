//! Notifications: what people are told, in which words, by which channel.
//!
//! `notice` holds facts, `message` puts them into words, `payload` into the formats of channels;
//! `watch` finds the hours of a forecast that somebody waits for, `peaks` the highest ones. All that
//! is pure. `channel` with `webhook` and `mail` makes one attempt at telling; `delivery` hands notices
//! to the orchestrator, which alone tries again, and whose journal keeps anyone from being told
//! twice. Whoever runs forecasts decides when there is a notice; nothing here does.

mod channel;
mod delivery;
mod error;
mod kind;
mod mail;
mod mail_server;
mod message;
mod notice;
mod payload;
mod peaks;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
mod watch;
mod webhook;
mod webhook_url;

pub use channel::{Channel, WebhookFormat};
pub use delivery::{Delivery, Notifier, PATIENCE, PIPELINE, pipeline};
pub use error::DeliveryError;
pub use kind::{NoticeKind, Severity};
pub use mail::MailAccount;
pub use mail_server::{MailServer, MailServerError};
pub use message::Message;
pub use notice::{ForecastReady, LikelyHour, Notice, Peak, SpikeLikely, ThresholdScore};
pub use peaks::peaks;
pub use watch::{WatchRule, WatchRuleError, likely_spikes};
pub use webhook_url::{WebhookUrl, WebhookUrlError};
