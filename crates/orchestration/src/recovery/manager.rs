//! Knows what to do about which failure, for all stages and tasks that share it.
//!
//! It answers questions of the pure core (which strategy?) and of workers (may this resource be
//! asked? what comes before the next attempt?), and counts. It never waits and reads no clock.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::history::RecoveryHistory;
use super::strategy::Cause;
use super::{
    Breaker, BreakerOutcome, BreakerPhase, BreakerPolicy, FailureClass, Permit, RecoveryAction,
    RecoveryContext, RecoveryDecision, RecoveryRecord, RecoveryStatistics, RecoveryStrategy,
    RecoveryTrigger, StageFailure,
};
use crate::run::{AttemptOutcome, Event, EventKind, RunState, StageRecord};
use crate::task::CancellationToken;

/// A registration that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// A strategy has a retry policy that makes no sense.
    #[error("recovery strategy {strategy}: its retry policy has {wrong}")]
    SenselessRetry {
        /// The strategy.
        strategy: &'static str,
        /// What makes no sense.
        wrong: &'static str,
    },
    /// A breaker would never let anybody through, or never open.
    #[error("breaker of {resource}: failures and probes must be at least 1 and its time positive")]
    SenselessBreaker {
        /// The resource.
        resource: String,
    },
    /// A stage has a breaker already.
    #[error("breaker of {resource}: stage {stage} is protected by another breaker already")]
    ProtectedTwice {
        /// The resource.
        resource: String,
        /// The stage.
        stage: String,
    },
}

/// Strategies by error type, failure class and stage; fallbacks; breakers; statistics.
///
/// Without any registration the stage's own [`super::RetryPolicy`] and ladder decide alone.
#[derive(Debug, Default)]
pub struct ErrorRecoveryManager {
    strategies: Vec<(RecoveryTrigger, RecoveryStrategy)>,
    fallbacks: BTreeMap<String, Vec<String>>,
    resources: BTreeMap<String, usize>,
    policies: Vec<(String, BreakerPolicy)>,
    breakers: Mutex<Vec<Breaker>>,
    history: Mutex<RecoveryHistory>,
}

impl ErrorRecoveryManager {
    /// Returns a manager that leaves everything to the stages' own policies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers what is done about the failures that `trigger` fits; the last one registered for
    /// the same trigger holds. A trigger for a stage goes before one for all stages, one for an
    /// error type before one for a class.
    pub fn register_recovery_strategy(
        &mut self,
        trigger: RecoveryTrigger,
        strategy: RecoveryStrategy,
    ) -> Result<(), RecoveryError> {
        if let Some(wrong) = strategy.policy().and_then(super::RetryPolicy::nonsense) {
            return Err(RecoveryError::SenselessRetry { strategy: strategy.as_str(), wrong });
        }
        self.strategies.retain(|(registered, _)| !registered.is_same(&trigger));
        self.strategies.push((trigger, strategy));
        Ok(())
    }

    /// Adds a registered function to the end of the ladder of the pipelines' stages of this name.
    ///
    /// Tasks in memory have fallbacks of their own type instead.
    pub fn register_fallback(&mut self, stage: impl Into<String>, function: impl Into<String>) {
        self.fallbacks.entry(stage.into()).or_default().push(function.into());
    }

    /// Lets stages ask one resource only through a circuit breaker.
    ///
    /// A refused attempt fails as *connection* and waits until the breaker opens half.
    pub fn register_breaker<N: Into<String>>(
        &mut self,
        resource: impl Into<String>,
        policy: BreakerPolicy,
        stages: impl IntoIterator<Item = N>,
    ) -> Result<(), RecoveryError> {
        let resource = resource.into();
        if policy.failures_max == 0 || policy.probes == 0 || !policy.open_for.is_positive() {
            return Err(RecoveryError::SenselessBreaker { resource });
        }
        let stages: Vec<String> = stages.into_iter().map(Into::into).collect();
        if let Some(stage) = stages.iter().find(|stage| self.resources.contains_key(*stage)) {
            return Err(RecoveryError::ProtectedTwice { resource, stage: stage.clone() });
        }
        let place = self.policies.len();
        self.resources.extend(stages.into_iter().map(|stage| (stage, place)));
        self.policies.push((resource, policy));
        self.breakers().push(Breaker::default());
        Ok(())
    }

    /// Returns where the breaker of a resource stands, if it has one.
    pub fn breaker_phase(&self, resource: &str) -> Option<BreakerPhase> {
        let place = self.policies.iter().position(|(name, _)| name == resource)?;
        self.breakers().get(place).map(Breaker::phase)
    }

    /// Returns the fallbacks registered for a stage, best first.
    pub fn fallbacks(&self, stage: &str) -> &[String] {
        self.fallbacks.get(stage).map_or(&[], Vec::as_slice)
    }

    /// Returns the stages for which fallbacks are registered.
    pub(crate) fn stages_with_fallbacks(&self) -> impl Iterator<Item = &str> {
        self.fallbacks.keys().map(String::as_str)
    }

    /// Turns an error into a failure: of the class registered for its type, or for the type of the
    /// first of its causes that is registered.
    ///
    /// An unregistered [`StageFailure`] is taken as it is, an unregistered I/O error by its kind,
    /// and any other error for a *bug*.
    pub fn failure_of(&self, error: &(dyn Error + 'static)) -> StageFailure {
        let mut cause = Some(error);
        let mut own = None;
        while let Some(candidate) = cause {
            for (trigger, _) in &self.strategies {
                if let Cause::Error(error_type) = &trigger.cause
                    && (error_type.matches)(candidate)
                {
                    let mut failure = StageFailure::caused_by(error_type.class, error);
                    failure.error_type = Some(error_type.id);
                    return failure;
                }
            }
            if own.is_none() {
                own = plain_failure(candidate, error);
            }
            cause = candidate.source();
        }
        own.unwrap_or_else(|| StageFailure::caused_by(FailureClass::Bug, error))
    }

    /// Returns the strategy registered for a failure of a stage, if one is.
    pub fn strategy(&self, stage: &str, failure: &StageFailure) -> Option<&RecoveryStrategy> {
        // Stopping on request is no failure that anything could be done about.
        if failure.class == FailureClass::Cancelled {
            return None;
        }
        self.strategies
            .iter()
            .filter_map(|(trigger, strategy)| Some((trigger.fit(stage, failure)?, strategy)))
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, strategy)| strategy)
    }

    /// Returns counts over everything decided so far.
    pub fn statistics(&self) -> RecoveryStatistics {
        self.history_lock().statistics.clone()
    }

    /// Returns the latest decisions, oldest first.
    pub fn history(&self) -> Vec<RecoveryRecord> {
        self.history_lock().records.iter().cloned().collect()
    }

    /// Returns what comes before the next attempt of a stage, if a repair or a restart does.
    pub(crate) fn preparation(
        &self,
        stage: &str,
        record: &StageRecord,
        (run_input, cancellation): (&Arc<Value>, &CancellationToken),
    ) -> Option<(RecoveryAction, RecoveryContext)> {
        if record.attempts_on_rung == 0 || self.strategies.is_empty() {
            return None;
        }
        let (attempt, failure) = last_failure(record)?;
        let action = self.strategy(stage, failure)?.action()?.clone();
        let (stage, failure) = (stage.to_owned(), failure.clone());
        let (run_input, cancellation) = (Arc::clone(run_input), cancellation.clone());
        Some((action, RecoveryContext { stage, attempt, failure, run_input, cancellation }))
    }

    /// Asks for permission to use the resource of a stage; `None` if it needs none.
    pub(crate) fn admit(
        &self,
        stage: &str,
        now: Timestamp,
    ) -> Result<Option<Permit>, StageFailure> {
        let Some(&place) = self.resources.get(stage) else { return Ok(None) };
        let (resource, policy) = &self.policies[place];
        self.breakers()[place].admit(policy, now).map(Some).map_err(|refused| {
            let until = refused.until;
            let message = format!("the breaker of {resource} is open until {until}");
            StageFailure::new(FailureClass::Connection, message).with_wait(until - now)
        })
    }

    /// Tells how an attempt with a permission ended.
    pub(crate) fn settle(
        &self,
        stage: &str,
        permit: Permit,
        outcome: BreakerOutcome,
        now: Timestamp,
    ) {
        if let Some(&place) = self.resources.get(stage) {
            self.breakers()[place].settle(&self.policies[place].1, permit, outcome, now);
        }
    }

    /// Counts what an event says about recovery; `state` has taken note of the event already.
    pub(crate) fn note(&self, state: &RunState, event: &Event) {
        let (stage, decision) = match &event.kind {
            EventKind::RetryScheduled { stage, .. } => (*stage, RecoveryDecision::Retried),
            EventKind::RungTaken { stage, .. } => (*stage, RecoveryDecision::FellBack),
            EventKind::StageSkipped { stage, .. } => (*stage, RecoveryDecision::Skipped),
            EventKind::StageFailed { stage } => (*stage, RecoveryDecision::GaveUp),
            EventKind::StageCompleted { stage, .. } => {
                if state.stage(*stage).attempts.iter().any(|tried| is_failed(&tried.outcome)) {
                    self.history_lock().statistics.recovered += 1;
                }
                return;
            }
            EventKind::AttemptStarted { .. }
            | EventKind::StageRecalled { .. }
            | EventKind::FanOutOpened { .. }
            | EventKind::FanOutJoined { .. }
            | EventKind::AttemptFailed { .. }
            | EventKind::AttemptCancelled { .. }
            | EventKind::AttemptLost { .. }
            | EventKind::StageCancelled { .. }
            | EventKind::AlertRaised { .. }
            | EventKind::AlertTold { .. }
            | EventKind::RunInterrupted
            | EventKind::RunCancelled { .. }
            | EventKind::RunFinished { .. } => return,
        };
        // Who is skipped without a failure of its own only follows another stage.
        let Some((attempt, failure)) = last_failure(state.stage(stage)) else { return };
        let name = &state.layout().definition(stage).name;
        let decision = match (decision, self.strategy(name, failure)) {
            (RecoveryDecision::Retried, Some(RecoveryStrategy::Repair { .. })) => {
                RecoveryDecision::Repaired
            }
            (RecoveryDecision::Retried, Some(RecoveryStrategy::Restart { .. })) => {
                RecoveryDecision::Restarted
            }
            (decision, _) => decision,
        };
        let (run_id, at) = (state.recorded().run_id, event.at);
        let (stage, failure) = (state.layout().name(stage).into_owned(), failure.clone());
        let record = RecoveryRecord { at, run_id, stage, attempt, failure, decision };
        self.history_lock().note(record);
    }

    fn breakers(&self) -> MutexGuard<'_, Vec<Breaker>> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn history_lock(&self) -> MutexGuard<'_, RecoveryHistory> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_failed(outcome: &AttemptOutcome) -> bool {
    matches!(outcome, AttemptOutcome::Failed(_))
}

fn last_failure(record: &StageRecord) -> Option<(u32, &StageFailure)> {
    record.attempts.iter().rev().find_map(|attempt| match &attempt.outcome {
        AttemptOutcome::Failed(failure) => Some((attempt.number, &**failure)),
        AttemptOutcome::Running
        | AttemptOutcome::Completed
        | AttemptOutcome::Recalled { .. }
        | AttemptOutcome::Cancelled
        | AttemptOutcome::Lost => None,
    })
}

/// Reads a failure from one of the causes of `whole` that says by itself what class it is of.
fn plain_failure(
    cause: &(dyn Error + 'static),
    whole: &(dyn Error + 'static),
) -> Option<StageFailure> {
    if let Some(failure) = cause.downcast_ref::<StageFailure>() {
        return Some(failure.clone());
    }
    let error = cause.downcast_ref::<io::Error>()?;
    let class = match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::NotConnected
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::BrokenPipe => FailureClass::Connection,
        io::ErrorKind::TimedOut => FailureClass::Timeout,
        io::ErrorKind::PermissionDenied => FailureClass::Authentication,
        io::ErrorKind::NotFound => FailureClass::MissingData,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => FailureClass::BadData,
        io::ErrorKind::OutOfMemory
        | io::ErrorKind::StorageFull
        | io::ErrorKind::QuotaExceeded
        | io::ErrorKind::ResourceBusy => FailureClass::ResourceExhaustion,
        _ => FailureClass::Bug,
    };
    Some(StageFailure::caused_by(class, whole))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::recovery::RetryPolicy;

    #[derive(Debug, thiserror::Error)]
    #[error("the grid operator does not answer")]
    struct Unreachable;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot fetch prices")]
    struct FetchError(#[source] Unreachable);

    fn retry(attempts_max: u32) -> RecoveryStrategy {
        RecoveryStrategy::Retry(RetryPolicy { attempts_max, ..RetryPolicy::default() })
    }

    fn chosen(manager: &ErrorRecoveryManager, stage: &str, failure: &StageFailure) -> String {
        match manager.strategy(stage, failure) {
            Some(RecoveryStrategy::Retry(policy)) => format!("RETRY {}", policy.attempts_max),
            Some(strategy) => strategy.as_str().to_owned(),
            None => "own policy".to_owned(),
        }
    }

    #[test]
    fn the_nearest_trigger_decides_a_stage_before_a_type_before_a_class() {
        let mut manager = ErrorRecoveryManager::new();
        let connection = FailureClass::Connection;
        for (trigger, attempts_max) in [
            (RecoveryTrigger::error::<Unreachable>(connection).at_stage("prices"), 4),
            (RecoveryTrigger::class(connection).at_stage("prices"), 3),
            (RecoveryTrigger::error::<Unreachable>(connection), 2),
            (RecoveryTrigger::class(connection), 1),
        ] {
            manager.register_recovery_strategy(trigger, retry(attempts_max)).unwrap();
        }
        let typed = manager.failure_of(&Unreachable);
        let plain = StageFailure::new(connection, "refused");
        assert_eq!(chosen(&manager, "prices", &typed), "RETRY 4");
        assert_eq!(chosen(&manager, "prices", &plain), "RETRY 3");
        assert_eq!(chosen(&manager, "weather", &typed), "RETRY 2");
        assert_eq!(chosen(&manager, "weather", &plain), "RETRY 1");
        let bug = StageFailure::new(FailureClass::Bug, "index out of bounds");
        assert_eq!(chosen(&manager, "prices", &bug), "own policy");
    }

    #[test]
    fn registering_the_same_trigger_again_replaces_the_strategy() {
        let mut manager = ErrorRecoveryManager::new();
        let trigger = RecoveryTrigger::class(FailureClass::Model);
        manager.register_recovery_strategy(trigger.clone(), retry(2)).unwrap();
        manager.register_recovery_strategy(trigger, RecoveryStrategy::Skip).unwrap();
        let failure = StageFailure::new(FailureClass::Model, "did not converge");
        assert_eq!(chosen(&manager, "train", &failure), "SKIP");
    }

    #[test]
    fn an_error_is_known_by_the_type_of_its_cause_and_keeps_the_whole_message() {
        let mut manager = ErrorRecoveryManager::new();
        let trigger = RecoveryTrigger::error::<Unreachable>(FailureClass::Connection);
        manager.register_recovery_strategy(trigger, retry(2)).unwrap();
        assert_eq!(
            manager.failure_of(&FetchError(Unreachable)).to_string(),
            "connection: cannot fetch prices: the grid operator does not answer"
        );
    }

    #[test]
    fn unregistered_errors_speak_for_themselves_or_are_bugs() {
        let manager = ErrorRecoveryManager::new();
        let timed_out = io::Error::from(io::ErrorKind::TimedOut);
        assert_eq!(manager.failure_of(&timed_out).class, FailureClass::Timeout);
        assert_eq!(manager.failure_of(&Unreachable).class, FailureClass::Bug);
        let said = StageFailure::new(FailureClass::MissingData, "no report yet");
        assert_eq!(manager.failure_of(&said), said);
    }

    #[test]
    fn nothing_is_done_about_a_stop_on_request() {
        let mut manager = ErrorRecoveryManager::new();
        let trigger = RecoveryTrigger::class(FailureClass::Cancelled);
        manager.register_recovery_strategy(trigger, retry(2)).unwrap();
        let asked = StageFailure::new(FailureClass::Cancelled, "asked to stop");
        assert_eq!(chosen(&manager, "a", &asked), "own policy");
    }

    #[test]
    fn senseless_registrations_are_refused() {
        let mut manager = ErrorRecoveryManager::new();
        let trigger = RecoveryTrigger::class(FailureClass::Timeout);
        let error = manager.register_recovery_strategy(trigger, retry(0)).unwrap_err();
        assert_eq!(error.to_string(), "recovery strategy RETRY: its retry policy has no attempt");
        let never = BreakerPolicy { probes: 0, ..BreakerPolicy::default() };
        manager.register_breaker("ercot", never, ["prices"]).unwrap_err();
        manager.register_breaker("ercot", BreakerPolicy::default(), ["prices"]).unwrap();
        let error =
            manager.register_breaker("mis", BreakerPolicy::default(), ["prices"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "breaker of mis: stage prices is protected by another breaker already"
        );
    }

    #[test]
    fn stages_of_one_resource_share_its_breaker_and_others_do_not_feel_it() {
        let mut manager = ErrorRecoveryManager::new();
        let policy = BreakerPolicy { failures_max: 2, ..BreakerPolicy::default() };
        manager.register_breaker("ercot", policy, ["prices", "load"]).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        for stage in ["prices", "load"] {
            let permit = manager.admit(stage, now).unwrap().unwrap();
            manager.settle(stage, permit, BreakerOutcome::Failure, now);
        }
        let refusal = manager.admit("prices", now).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "connection: the breaker of ercot is open until 1970-01-01T00:00:30Z"
        );
        assert_eq!(refusal.wait, Some(SignedDuration::from_secs(30)));
        assert_eq!(manager.admit("weather", now), Ok(None));
        assert!(matches!(manager.breaker_phase("ercot"), Some(BreakerPhase::Open { .. })));
    }
}
