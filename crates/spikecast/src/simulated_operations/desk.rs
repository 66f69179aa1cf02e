//! The desk that hears the notices, in place of a webhook's server.

use orchestration::{FailureClass, StageContext, StageFailure, StageOutput, StageResult};
use serde::Deserialize;
use serde_json::json;

use super::diary::Entry;
use super::light::Light;
use super::trouble::Kind;
use crate::notifications::Notice;

#[derive(Deserialize)]
struct Delivery {
    notice: Notice,
}

/// Hears a notice, unless the desk cannot be reached.
pub(super) fn deliver(light: &Light, stage: &StageContext) -> StageResult {
    light.work(stage, 1..=3)?;
    if light.suffers(Kind::DeskUnreachable) {
        let message = "nobody answers".to_owned();
        return Err(StageFailure::new(FailureClass::Connection, message));
    }
    let Delivery { notice } = stage.run_input_as()?;
    let at = light.clock.true_time();
    light.diary.write(&Entry::Told { at, key: notice.key() });
    StageOutput::of(&json!({ "delivered_at": at }))
}
