//! The recovery manager at work in durable runs: strategies, registered fallbacks, breakers and
//! deadlines, and what they leave in the journal.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orchestration::recovery::{BreakerPhase, RecoveryDecision};
use orchestration::{
    AttemptOutcome, BreakerPolicy, CancellationToken, Clock, Deadline, DeadlineAlert,
    DeadlinePolicy, ErrorRecoveryManager, FailureClass, Journal, ManualClock, Pipeline,
    PipelineBuilder, PipelineExecutor, RecoveryAction, RecoveryStrategy, RecoveryTrigger, Registry,
    RetryPolicy, RunReport, RunStatus, Stage, StageStatus, WhenLate,
};
use serde_json::json;

use crate::support::{Desk, NOW, collect, failure};

fn run(
    desk: &Desk,
    registry: Registry,
    pipeline: &Pipeline,
    recovery: ErrorRecoveryManager,
) -> (RunReport, Arc<ErrorRecoveryManager>) {
    let recovery = Arc::new(recovery);
    let executor = desk.executor(registry, 1).recover_with(Arc::clone(&recovery));
    let submission = executor.submit(pipeline, "2026-01-28", json!({ "day": 27 })).unwrap();
    let report = executor.execute(submission.run_id, &CancellationToken::new()).unwrap();
    // What a later process reads is what this one saw.
    assert_eq!(executor.journal().run(submission.run_id).unwrap().unwrap(), report);
    (report, recovery)
}

fn recovery(trigger: RecoveryTrigger, strategy: RecoveryStrategy) -> ErrorRecoveryManager {
    let mut recovery = ErrorRecoveryManager::new();
    recovery.register_recovery_strategy(trigger, strategy).unwrap();
    recovery
}

fn chain(names: &[(&str, &str)]) -> Pipeline {
    let mut builder = PipelineBuilder::new("day");
    let mut before: Vec<String> = Vec::new();
    for (name, function) in names {
        builder = builder.stage(Stage::new(*name, *function).after(before.clone()));
        before = vec![(*name).to_owned()];
    }
    builder.build().unwrap()
}

#[test]
fn a_skipped_stage_and_its_dependents_are_left_out_and_the_run_completes_degraded() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("broken", |_| Err(failure(FailureClass::BadData, "line 7")));
    desk.register(&mut registry, "collect", collect);
    let trigger = RecoveryTrigger::class(FailureClass::BadData).at_stage("news");
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("news", "broken"))
        .stage(Stage::new("mood", "collect").after(["news"]))
        .stage(Stage::new("prices", "collect"))
        .build()
        .unwrap();
    let (report, recovery) =
        run(&desk, registry, &pipeline, recovery(trigger, RecoveryStrategy::Skip));
    let reason = "stage news skipped after bad data: line 7";
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(report.degraded, [reason]);
    for name in ["news", "mood"] {
        let stage = report.stage(name).unwrap();
        assert_eq!((stage.status, stage.reason.as_deref()), (StageStatus::Skipped, Some(reason)));
    }
    assert_eq!(desk.take_calls(), ["prices"]);
    assert_eq!(recovery.statistics().count(RecoveryDecision::Skipped), 1);
}

#[test]
fn a_failed_stage_still_fails_the_run_although_another_was_skipped() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("broken", |_| Err(failure(FailureClass::BadData, "line 7")));
    let trigger = RecoveryTrigger::class(FailureClass::BadData).at_stage("news");
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("news", "broken"))
        .stage(Stage::new("prices", "broken"))
        .build()
        .unwrap();
    let (report, _) = run(&desk, registry, &pipeline, recovery(trigger, RecoveryStrategy::Skip));
    assert_eq!(report.status, RunStatus::Failed);
}

#[test]
fn a_repair_comes_before_the_next_attempt_and_sees_what_was_wrong() {
    let desk = Desk::new();
    let damaged = Arc::new(AtomicU32::new(1));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut registry = Registry::new();
    let partition = Arc::clone(&damaged);
    registry.register("read", move |stage| match partition.load(Ordering::SeqCst) {
        0 => collect(stage),
        _ => Err(failure(FailureClass::BadData, "checksum of day 27")),
    });
    let (mended, log) = (Arc::clone(&damaged), Arc::clone(&seen));
    let action = RecoveryAction::new(move |context| {
        log.lock()
            .unwrap()
            .push(format!("{} {} {}", context.stage, context.attempt, context.failure));
        assert_eq!(*context.run_input, json!({ "day": 27 }));
        assert!(!context.cancellation.is_cancelled());
        mended.store(0, Ordering::SeqCst);
        Ok(())
    });
    let strategy = RecoveryStrategy::Repair { action, policy: RetryPolicy::default() };
    let trigger = RecoveryTrigger::class(FailureClass::BadData);
    let pipeline = chain(&[("prices", "read")]);
    let (report, recovery) = run(&desk, registry, &pipeline, recovery(trigger, strategy));
    assert_eq!(report.status, RunStatus::Completed);
    assert!(report.degraded.is_empty(), "what was mended is not degraded");
    assert_eq!(*seen.lock().unwrap(), ["prices 1 bad data: checksum of day 27"]);
    let statistics = recovery.statistics();
    assert_eq!(statistics.count(RecoveryDecision::Repaired), 1);
    assert_eq!(statistics.recovered, 1);
    assert_eq!(statistics.failures[&FailureClass::BadData], 1);
}

#[test]
fn a_restart_that_fails_is_the_failure_of_its_attempt_and_the_ladder_goes_on() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    registry.register("ask", |_| Err(failure(FailureClass::Connection, "session closed")));
    registry.register("cached", collect);
    let action =
        RecoveryAction::new(|_| Err(failure(FailureClass::Authentication, "login refused")));
    let strategy = RecoveryStrategy::Restart { action, policy: RetryPolicy::default() };
    let trigger = RecoveryTrigger::class(FailureClass::Connection);
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("prices", "ask").fallback("cached"))
        .build()
        .unwrap();
    let (report, recovery) = run(&desk, registry, &pipeline, recovery(trigger, strategy));
    let errors: Vec<String> = report.stages[0]
        .attempts
        .iter()
        .filter_map(|attempt| match &attempt.outcome {
            AttemptOutcome::Failed(failure) => Some(failure.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(errors, ["connection: session closed", "authentication: login refused"]);
    assert_eq!(report.stages[0].attempts[2].function.as_ref(), "cached");
    let decisions: Vec<_> = recovery.history().iter().map(|record| record.decision).collect();
    assert_eq!(decisions, [RecoveryDecision::Restarted, RecoveryDecision::FellBack]);
}

#[test]
fn a_registered_fallback_is_the_last_rung_of_its_stage_and_is_journalled_with_it() {
    let desk = Desk::new();
    let mut registry = Registry::new();
    for name in ["fresh", "cached"] {
        registry.register(name, |_| Err(failure(FailureClass::Model, "no")));
    }
    registry.register("climatology", collect);
    let mut recovery = ErrorRecoveryManager::new();
    recovery.register_fallback("forecast", "climatology");
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("forecast", "fresh").fallback("cached"))
        .build()
        .unwrap();
    let (report, _) = run(&desk, registry, &pipeline, recovery);
    assert_eq!(report.degraded, ["forecast: recovered by climatology after model: no"]);
}

#[test]
fn an_open_breaker_spares_the_resource_and_the_stage_waits_until_it_may_ask_again() {
    let desk = Desk::new();
    let begun = desk.clock.now();
    let mut registry = Registry::new();
    desk.register(&mut registry, "ask", |stage| match stage.attempt() {
        1 | 2 => Err(failure(FailureClass::Connection, "refused")),
        _ => collect(stage),
    });
    let policy =
        BreakerPolicy { failures_max: 2, open_for: SignedDuration::from_mins(10), probes: 1 };
    let once = RetryPolicy { delay_first: SignedDuration::ZERO, ..RetryPolicy::default() };
    let mut recovery =
        recovery(RecoveryTrigger::class(FailureClass::Connection), RecoveryStrategy::Retry(once));
    recovery.register_breaker("ercot", policy, ["prices"]).unwrap();
    let pipeline = chain(&[("prices", "ask")]);
    let (report, recovery) = run(&desk, registry, &pipeline, recovery);
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(desk.take_calls().len(), 3, "the refused attempt never called");
    let attempts = &report.stages[0].attempts;
    let AttemptOutcome::Failed(refused) = &attempts[2].outcome else { panic!("{attempts:?}") };
    assert!(refused.message.starts_with("the breaker of ercot is open until"), "{refused}");
    assert_eq!(attempts[3].started_at - begun, policy.open_for);
    assert_eq!(recovery.breaker_phase("ercot"), Some(BreakerPhase::Closed { failures: 0 }));
}

/// A clock that is moved by hand only: waiting for a later instant takes as long as it says.
#[derive(Debug)]
struct HandClock(ManualClock);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn until(&self, instant: Timestamp) -> Duration {
        Duration::try_from(instant - self.now()).unwrap_or(Duration::ZERO)
    }
}

/// Fetching takes 20 minutes and the rest 30; it is due in `due` minutes.
fn run_by(desk: &Desk, due: i64) -> (Vec<String>, Vec<DeadlineAlert>) {
    let mut registry = Registry::new();
    let clock = Arc::new(HandClock(ManualClock::new(NOW.parse().unwrap())));
    let moved = Arc::clone(&clock);
    registry.register("fresh", move |_| {
        moved.0.advance(SignedDuration::from_mins(20));
        Err(failure(FailureClass::Connection, "refused"))
    });
    registry.register("cached", collect);
    registry.register("fit", collect);
    let fixed = RetryPolicy { delay_first: SignedDuration::ZERO, ..RetryPolicy::default() };
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("fetch", "fresh").retry(fixed).fallback("cached"))
        .stage(Stage::new("fit", "fit").after(["fetch"]))
        .build()
        .unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let deadline = Deadline::new(DeadlinePolicy {
        deadline: clock.now() + SignedDuration::from_mins(due),
        margin: SignedDuration::ZERO,
        when_late: WhenLate::KeepTrying,
    })
    .expect("fetch", SignedDuration::from_mins(20))
    .expect("fit", SignedDuration::from_mins(30))
    .on_alert(move |alert| listener.lock().unwrap().push(alert));
    let journal = Journal::open(&desk.path()).unwrap();
    let executor = PipelineExecutor::new(journal, registry, clock, NonZeroUsize::MIN);
    let run_id = executor.submit(&pipeline, "k", json!(null)).unwrap().run_id;
    let report = executor.execute_by(run_id, &CancellationToken::new(), &deadline).unwrap();
    let functions =
        report.stage("fetch").unwrap().attempts.iter().map(|tried| tried.function.to_string());
    let told = told.lock().unwrap().clone();
    (functions.collect(), told)
}

#[test]
fn a_stage_is_retried_only_while_the_rest_can_still_be_done_in_time() {
    // After the first failure 90 minutes are left for 50, after the second 70, after the third 50.
    let (functions, told) = run_by(&Desk::new(), 110);
    assert_eq!(functions, ["fresh", "fresh", "fresh", "fresh", "cached"]);
    assert_eq!(told, [DeadlineAlert::AtRisk], "a fallback may take as long as what it replaces");
    let (functions, _) = run_by(&Desk::new(), 89);
    assert_eq!(functions, ["fresh", "fresh", "cached"]);
    let (functions, _) = run_by(&Desk::new(), 60);
    assert_eq!(functions, ["fresh", "cached"]);
}

#[test]
fn a_stage_that_takes_all_the_time_is_told_at_risk_and_missed_once_each() {
    let (functions, told) = run_by(&Desk::new(), 15);
    assert_eq!(functions, ["fresh", "cached"]);
    assert_eq!(told, [DeadlineAlert::AtRisk, DeadlineAlert::Missed]);
}

#[test]
fn a_deadline_is_watched_while_a_stage_hangs() {
    let desk = Desk::new();
    let told = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let (hears, listener) = (Arc::clone(&told), Arc::clone(&told));
    let mut registry = Registry::new();
    // It ends only when the last alert was heard: the alerts cannot have waited for it.
    registry.register("hang", move |stage| {
        let (heard, woken) = &*hears;
        drop(woken.wait_while(heard.lock().unwrap(), |alerts| alerts.len() < 2).unwrap());
        collect(stage)
    });
    let deadline = Deadline::new(DeadlinePolicy {
        deadline: desk.clock.now() + SignedDuration::from_mins(60),
        margin: SignedDuration::from_mins(5),
        when_late: WhenLate::Accept,
    })
    .on_alert(move |alert| {
        listener.0.lock().unwrap().push(alert);
        listener.1.notify_all();
    });
    let executor = desk.executor(registry, 1);
    let run_id = executor.submit(&chain(&[("fit", "hang")]), "k", json!(null)).unwrap().run_id;
    executor.execute_by(run_id, &CancellationToken::new(), &deadline).unwrap();
    assert_eq!(*told.0.lock().unwrap(), [DeadlineAlert::AtRisk, DeadlineAlert::Missed]);
}
