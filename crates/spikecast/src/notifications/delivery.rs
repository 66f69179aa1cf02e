//! Notices on their way: one durable run for each notice and channel.
//!
//! A delivery is the input of a run of the pipeline [`PIPELINE`] and the key to submit it under
//! once: the journal finds an earlier run with that key, so nobody is told twice, and the
//! orchestrator tries again what failed, also after a restart. Nothing here waits or retries, and
//! nothing secret crosses the journal: a run names its channel, and the address is looked up in the
//! settings when it is delivered.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use orchestration::{
    Clock, Pipeline, PipelineBuilder, PipelineError, Registry, RetryPolicy, Stage, StageContext,
    StageFailure, StageOutput, StageResult,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::webhook::WebhookClient;
use super::{Channel, DeliveryError, Notice, NoticeKind, WatchRule, likely_spikes};
use crate::config::NotificationSettings;
use crate::ledger::ForecastRow;

/// The name of the pipeline in the journal.
pub const PIPELINE: &str = "notify";

/// The name of its one stage, and of the stage's function.
const DELIVER: &str = "deliver";

/// How patiently a delivery is tried: thirteen waits, each anything up to a ceiling that doubles
/// from seconds to twenty minutes, are an hour on average and two at the most. After that the news
/// are old. A server that says how long to wait is waited for.
pub const PATIENCE: RetryPolicy = RetryPolicy {
    attempts_max: 14,
    delay_first: SignedDuration::from_secs(5),
    backoff_factor: 2.0,
    delay_max: SignedDuration::from_mins(20),
};

/// Returns the pipeline that delivers one notice to one channel.
pub fn pipeline(retry: RetryPolicy) -> Result<Pipeline, PipelineError> {
    PipelineBuilder::new(PIPELINE).stage(Stage::new(DELIVER, DELIVER).retry(retry)).build()
}

/// A notice for one channel: submit `input` once under `key`.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What makes it this delivery: the channel and the notice's own key.
    pub key: String,
    /// The input of the run.
    pub input: Value,
}

/// What crosses the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryInput {
    channel: String,
    notice: Notice,
}

/// Knows who is told what, and tells it.
#[derive(Debug)]
pub struct Notifier {
    channels: Vec<Channel>,
    kinds: BTreeSet<NoticeKind>,
    watch: Vec<WatchRule>,
    client: WebhookClient,
    clock: Arc<dyn Clock>,
}

impl Notifier {
    /// Prepares the channels of the settings; sends nothing.
    pub fn new(
        settings: &NotificationSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DeliveryError> {
        Ok(Self {
            channels: settings.channels.clone(),
            kinds: settings.kinds.clone(),
            watch: settings.watch.clone(),
            client: WebhookClient::new()?,
            clock,
        })
    }

    /// Returns the channels.
    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Returns what the rows of one forecast raise at watched points.
    #[must_use]
    pub fn likely_spikes(&self, rows: &[ForecastRow]) -> Vec<Notice> {
        likely_spikes(&self.watch, rows)
    }

    /// Returns a delivery for each channel, or none if the settings do not want such notices.
    #[must_use]
    pub fn deliveries(&self, notice: &Notice) -> Vec<Delivery> {
        let kind = notice.kind();
        if kind != NoticeKind::Test && !self.kinds.contains(&kind) {
            return Vec::new();
        }
        let delivery = |channel: &Channel| {
            let name = channel.name();
            let key = format!("{name}: {}", notice.key());
            let input = DeliveryInput { channel: name, notice: notice.clone() };
            let input = serde_json::to_value(input).expect("a notice is texts, numbers and times");
            Delivery { key, input }
        };
        self.channels.iter().map(delivery).collect()
    }

    /// Registers the function of the pipeline's stage.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        let notifier = Arc::clone(self);
        registry.register(DELIVER, move |stage: &StageContext| notifier.deliver(stage));
    }

    /// Tells a notice to one channel, once, outside any run: for a person who tries it.
    pub fn tell_once(&self, channel: &Channel, notice: &Notice) -> Result<(), DeliveryError> {
        channel.deliver(notice, &self.client, self.clock.now())
    }

    fn deliver(&self, stage: &StageContext) -> StageResult {
        let DeliveryInput { channel, notice } = stage.run_input_as()?;
        let found = self.channels.iter().find(|configured| configured.name() == channel);
        let Some(channel) = found else {
            return Err(StageFailure::from(DeliveryError::NotConfigured { channel }));
        };
        self.tell_once(channel, &notice)?;
        Ok(StageOutput::fresh(json!({ "delivered_at": self.clock.now() })))
    }
}
