//! Notices against servers that fail, with a real journal and a clock that goes to whatever is
//! waited for.

pub(super) mod http_stub;
pub(super) mod smtp_stub;

mod durable;
mod mail;
mod webhook;

use std::sync::Arc;

use orchestration::ManualClock;

use super::{Channel, DeliveryError, Notice, NoticeKind, Notifier, WebhookFormat, WebhookUrl};
use crate::config::NotificationSettings;

const SECRET: &str = "s3cr3tw0rd";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-03-07T15:45:00Z".parse().unwrap()))
}

fn slack(origin: &str) -> Channel {
    let url = WebhookUrl::new(&format!("{origin}/services/T0DESK/{SECRET}")).unwrap();
    Channel::Webhook { format: WebhookFormat::Slack, url }
}

fn settings(channels: Vec<Channel>) -> NotificationSettings {
    NotificationSettings { channels, kinds: NoticeKind::CHOICES.into(), watch: Vec::new() }
}

/// Tells a notice once; nothing that the error says may be a secret.
fn tell(channel: Channel, notice: &Notice) -> Result<(), DeliveryError> {
    let notifier = Notifier::new(&settings(vec![channel]), clock()).unwrap();
    let told = notifier.tell_once(&notifier.channels()[0], notice);
    let shown = format!("{told:?} {notifier:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("T0DESK"), "{shown}");
    told
}
