//! What is written down while operations go on: a line for each thing that happened, with fields.
//!
//! Where the lines go and how they look is chosen by whoever starts the process. No line holds a
//! secret: what is logged of failures are their own texts, which name none.

use orchestration::{Observation, ObservationKind, RunStatus, ScheduleAction, ScheduledEvent};

use crate::quality::told_once;

/// Writes down what happens under the schedules.
pub(super) fn log_scheduled(event: &ScheduledEvent) {
    match event {
        ScheduledEvent::Started { run, .. } => {
            let note = run.note.map(|note| note.to_string());
            tracing::info!(
                schedule = %run.schedule, pipeline = %run.pipeline, due = %run.scheduled_at,
                note, "run begins"
            );
        }
        ScheduledEvent::Ended { run, result } => match result {
            Ok(report) if report.status == RunStatus::Failed => {
                let failed = report.stages.iter().filter(|stage| stage.output.is_none());
                let reason = failed.filter_map(|stage| stage.reason.clone()).next();
                tracing::error!(run = %report.run_id, schedule = %run.schedule, reason, "run failed");
            }
            Ok(report) if !report.degraded.is_empty() => {
                let degraded = told_once(&report.degraded).join("; ");
                tracing::warn!(
                    run = %report.run_id, schedule = %run.schedule, status = %report.status,
                    degraded, "run ended"
                );
            }
            Ok(report) => tracing::info!(
                run = %report.run_id, schedule = %run.schedule, status = %report.status, "run ended"
            ),
            Err(error) => {
                tracing::error!(schedule = %run.schedule, reason = %error, "run cannot be executed");
            }
        },
        ScheduledEvent::Decided(ScheduleAction::Skipped { schedule, first, last, reason }) => {
            tracing::warn!(%schedule, %first, %last, %reason, "firings left out");
        }
        ScheduledEvent::Decided(ScheduleAction::Cancel(run)) => {
            tracing::warn!(schedule = %run.schedule, due = %run.scheduled_at, "run asked to stop");
        }
        ScheduledEvent::Decided(ScheduleAction::ClockSetBack { from, to }) => {
            tracing::warn!(%from, %to, "the clock was set back");
        }
        ScheduledEvent::Decided(ScheduleAction::Start(_) | ScheduleAction::Handled { .. }) => {}
    }
}

/// Writes down what happens in a run.
pub(super) fn log_observation(observation: &Observation) {
    let run = observation.run_id;
    match &observation.kind {
        ObservationKind::StageStarted { stage, attempt, function } => {
            tracing::debug!(%run, stage, attempt, function, "stage begins");
        }
        ObservationKind::AttemptFailed { stage, failure, elapsed } => {
            let seconds = elapsed.as_secs_f64();
            tracing::warn!(%run, stage, class = %failure.class, seconds, reason = failure.message,
                "attempt failed");
        }
        ObservationKind::RetryScheduled { stage, not_before } => {
            tracing::info!(%run, stage, %not_before, "will be tried again");
        }
        ObservationKind::FallbackTaken { stage, function } => {
            tracing::warn!(%run, stage, function, "fallback stands in");
        }
        ObservationKind::StageCompleted { stage, elapsed, .. } => {
            tracing::debug!(%run, stage, seconds = elapsed.as_secs_f64(), "stage done");
        }
        ObservationKind::StageFailed { stage } => tracing::error!(%run, stage, "stage failed"),
        ObservationKind::StageSkipped { stage, reason } => {
            tracing::warn!(%run, stage, reason, "stage left out");
        }
        ObservationKind::AttemptLost { stage } => {
            tracing::warn!(%run, stage, "attempt of an earlier process is made again");
        }
        ObservationKind::StageCancelled { stage, reason } => {
            tracing::warn!(%run, stage, reason, "stage cancelled");
        }
        ObservationKind::LateResultRefused { stage, .. } => {
            tracing::warn!(%run, stage, "late result refused");
        }
        ObservationKind::StageProgress { .. }
        | ObservationKind::StageRecalled { .. }
        | ObservationKind::FanOutOpened { .. }
        | ObservationKind::FanOutJoined { .. }
        | ObservationKind::RunEnded { .. } => {}
    }
}
