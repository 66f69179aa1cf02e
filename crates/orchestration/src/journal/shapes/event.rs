//! Events, as the journal keeps them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::FailureShape;
use super::{ShapeError, read_instant};
use crate::pipeline::{Pipeline, StageIndex};
use crate::recovery::DeadlineAlert;
use crate::run::{Event, EventKind, FencingToken, Layout, Recalled, RunEnd};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndShape {
    Completed,
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AlertShape {
    AtRisk,
    Missed,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum EventShape {
    AttemptStarted {
        stage: String,
        attempt: u32,
        function: String,
        token: u64,
    },
    StageCompleted {
        stage: String,
        token: u64,
        output: Value,
        degraded: Vec<String>,
        /// Under this key later runs find the output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memo: Option<String>,
    },
    StageRecalled {
        stage: String,
        attempt: u32,
        token: u64,
        from: String,
        completed_at: String,
        output: Value,
    },
    FanOutOpened {
        stage: String,
        count: usize,
    },
    FanOutJoined {
        stage: String,
    },
    AttemptFailed {
        stage: String,
        token: u64,
        failure: FailureShape,
    },
    AttemptCancelled {
        stage: String,
        token: u64,
    },
    AttemptLost {
        stage: String,
        token: u64,
    },
    RetryScheduled {
        stage: String,
        not_before: String,
    },
    RungTaken {
        stage: String,
        rung: usize,
    },
    StageFailed {
        stage: String,
    },
    StageSkipped {
        stage: String,
        reason: String,
    },
    StageCancelled {
        stage: String,
        reason: String,
    },
    AlertRaised {
        alert: AlertShape,
        deadline: String,
    },
    AlertTold {
        alert: AlertShape,
        deadline: String,
    },
    RunInterrupted {},
    RunCancelled {
        reason: String,
    },
    RunFinished {
        end: EndShape,
        degraded: Vec<String>,
    },
}

/// Writes the body of an event down.
pub(in crate::journal) fn write_event(kind: &EventKind, layout: &Layout) -> String {
    serde_json::to_string(&event_shape(kind, layout))
        .expect("texts, numbers and JSON values can be written as JSON")
}

fn event_shape(kind: &EventKind, layout: &Layout) -> EventShape {
    let name = |index: &StageIndex| layout.name(*index).into_owned();
    match kind {
        EventKind::AttemptStarted { stage, attempt, function, token } => {
            EventShape::AttemptStarted {
                stage: name(stage),
                attempt: *attempt,
                function: function.to_string(),
                token: token.0,
            }
        }
        EventKind::StageCompleted { stage, token, output, degraded } => {
            let (output, degraded) = (output.clone(), degraded.clone());
            let memo = layout.definition(*stage).memo_key().filter(|_| degraded.is_empty());
            let (stage, token) = (name(stage), token.0);
            EventShape::StageCompleted { stage, token, output, degraded, memo }
        }
        EventKind::StageRecalled { stage, attempt, token, recalled } => EventShape::StageRecalled {
            stage: name(stage),
            attempt: *attempt,
            token: token.0,
            from: recalled.from.to_string(),
            completed_at: recalled.completed_at.to_string(),
            output: recalled.output.clone(),
        },
        EventKind::FanOutOpened { stage, count } => {
            EventShape::FanOutOpened { stage: name(stage), count: *count }
        }
        EventKind::FanOutJoined { stage } => EventShape::FanOutJoined { stage: name(stage) },
        EventKind::AttemptFailed { stage, token, failure } => EventShape::AttemptFailed {
            stage: name(stage),
            token: token.0,
            failure: failure.into(),
        },
        EventKind::AttemptCancelled { stage, token } => {
            EventShape::AttemptCancelled { stage: name(stage), token: token.0 }
        }
        EventKind::AttemptLost { stage, token } => {
            EventShape::AttemptLost { stage: name(stage), token: token.0 }
        }
        EventKind::RetryScheduled { stage, not_before } => {
            EventShape::RetryScheduled { stage: name(stage), not_before: not_before.to_string() }
        }
        EventKind::RungTaken { stage, rung } => {
            EventShape::RungTaken { stage: name(stage), rung: *rung }
        }
        EventKind::StageFailed { stage } => EventShape::StageFailed { stage: name(stage) },
        EventKind::StageSkipped { stage, reason } => {
            EventShape::StageSkipped { stage: name(stage), reason: reason.clone() }
        }
        EventKind::StageCancelled { stage, reason } => {
            EventShape::StageCancelled { stage: name(stage), reason: reason.clone() }
        }
        EventKind::AlertRaised { alert, deadline } => {
            EventShape::AlertRaised { alert: alert.into(), deadline: deadline.to_string() }
        }
        EventKind::AlertTold { alert, deadline } => {
            EventShape::AlertTold { alert: alert.into(), deadline: deadline.to_string() }
        }
        EventKind::RunInterrupted => EventShape::RunInterrupted {},
        EventKind::RunCancelled { reason } => EventShape::RunCancelled { reason: reason.clone() },
        EventKind::RunFinished { end, degraded } => {
            let end = match end {
                RunEnd::Completed => EndShape::Completed,
                RunEnd::Failed => EndShape::Failed,
            };
            EventShape::RunFinished { end, degraded: degraded.clone() }
        }
    }
}

impl From<&DeadlineAlert> for AlertShape {
    fn from(alert: &DeadlineAlert) -> Self {
        match alert {
            DeadlineAlert::AtRisk => Self::AtRisk,
            DeadlineAlert::Missed => Self::Missed,
        }
    }
}

impl From<&AlertShape> for DeadlineAlert {
    fn from(shape: &AlertShape) -> Self {
        match shape {
            AlertShape::AtRisk => Self::AtRisk,
            AlertShape::Missed => Self::Missed,
        }
    }
}

/// Reads events of one pipeline.
pub(in crate::journal) struct EventReader<'p> {
    positions: BTreeMap<&'p str, StageIndex>,
}

impl<'p> EventReader<'p> {
    /// Prepares to find the stages of `pipeline` by name.
    pub(in crate::journal) fn new(pipeline: &'p Pipeline) -> Self {
        let names = pipeline.stages().iter().map(|stage| &*stage.name);
        Self { positions: names.zip(pipeline.indices()).collect() }
    }

    /// Reads one event of a run that has come to this layout.
    pub(in crate::journal) fn read(
        &self,
        layout: &Layout,
        at: &str,
        body: &str,
    ) -> Result<Event, ShapeError> {
        let shape: EventShape = serde_json::from_str(body).map_err(ShapeError::new)?;
        Ok(Event { at: read_instant(at)?, kind: self.read_kind(layout, shape)? })
    }

    fn read_kind(&self, layout: &Layout, shape: EventShape) -> Result<EventKind, ShapeError> {
        let find = |name: &str| self.find(layout, name);
        Ok(match shape {
            EventShape::AttemptStarted { stage, attempt, function, token } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptStarted { stage, attempt, function: function.into(), token }
            }
            EventShape::StageCompleted { stage, token, output, degraded, memo: _ } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::StageCompleted { stage, token, output, degraded }
            }
            EventShape::StageRecalled { stage, attempt, token, from, completed_at, output } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                let from = from.parse().map_err(ShapeError::new)?;
                let completed_at = read_instant(&completed_at)?;
                let recalled = Recalled { from, completed_at, output };
                EventKind::StageRecalled { stage, attempt, token, recalled }
            }
            EventShape::FanOutOpened { stage, count } => {
                EventKind::FanOutOpened { stage: find(&stage)?, count }
            }
            EventShape::FanOutJoined { stage } => EventKind::FanOutJoined { stage: find(&stage)? },
            EventShape::AttemptFailed { stage, token, failure } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptFailed { stage, token, failure: failure.read()? }
            }
            EventShape::AttemptCancelled { stage, token } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptCancelled { stage, token }
            }
            EventShape::AttemptLost { stage, token } => {
                let (stage, token) = (find(&stage)?, FencingToken(token));
                EventKind::AttemptLost { stage, token }
            }
            EventShape::RetryScheduled { stage, not_before } => {
                let (stage, not_before) = (find(&stage)?, read_instant(&not_before)?);
                EventKind::RetryScheduled { stage, not_before }
            }
            EventShape::RungTaken { stage, rung } => {
                EventKind::RungTaken { stage: find(&stage)?, rung }
            }
            EventShape::StageFailed { stage } => EventKind::StageFailed { stage: find(&stage)? },
            EventShape::StageSkipped { stage, reason } => {
                EventKind::StageSkipped { stage: find(&stage)?, reason }
            }
            EventShape::StageCancelled { stage, reason } => {
                EventKind::StageCancelled { stage: find(&stage)?, reason }
            }
            EventShape::AlertRaised { alert, deadline } => {
                let (alert, deadline) = ((&alert).into(), read_instant(&deadline)?);
                EventKind::AlertRaised { alert, deadline }
            }
            EventShape::AlertTold { alert, deadline } => {
                let (alert, deadline) = ((&alert).into(), read_instant(&deadline)?);
                EventKind::AlertTold { alert, deadline }
            }
            EventShape::RunInterrupted {} => EventKind::RunInterrupted,
            EventShape::RunCancelled { reason } => EventKind::RunCancelled { reason },
            EventShape::RunFinished { end, degraded } => {
                EventKind::RunFinished { end: read_end(&end), degraded }
            }
        })
    }

    /// Finds `fetch`, or `fetch[17]`, an item of it.
    fn find(&self, layout: &Layout, name: &str) -> Result<StageIndex, ShapeError> {
        let missing = || ShapeError(format!("an event of stage {name}, which is not defined"));
        if let Some(stage) = self.positions.get(name) {
            return Ok(*stage);
        }
        let (stage, item) =
            name.strip_suffix(']').and_then(|name| name.rsplit_once('[')).ok_or_else(missing)?;
        let stage = self.positions.get(stage).ok_or_else(missing)?;
        let item = item.parse().map_err(|_| missing())?;
        layout.item(*stage, item).ok_or_else(missing)
    }
}

/// Reads how a run ended and why it was degraded, if this is the body of such an event.
pub(in crate::journal) fn read_finish(
    body: &str,
) -> Result<Option<(RunEnd, Vec<String>)>, ShapeError> {
    let shape: EventShape = serde_json::from_str(body).map_err(ShapeError::new)?;
    let EventShape::RunFinished { end, degraded } = shape else { return Ok(None) };
    Ok(Some((read_end(&end), degraded)))
}

fn read_end(end: &EndShape) -> RunEnd {
    match end {
        EndShape::Completed => RunEnd::Completed,
        EndShape::Failed => RunEnd::Failed,
    }
}
