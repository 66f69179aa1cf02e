//! Random pipelines with random failures, crashes and stops, decided without threads or files.
//!
//! Whatever happens, every stage comes to exactly one end, in an order that its dependencies allow.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orchestration::pipeline::StageIndex;
use orchestration::run::{
    Ended, Event, EventKind, FencingToken, Guide, Mode, Pools, Recorded, RunState, StageState,
    conclude, decide, losses,
};
use orchestration::{
    DeadlineAlert, ErrorRecoveryManager, FailureClass, Pipeline, PipelineBuilder, Priority,
    RetryPolicy, RunReport, RunStatus, Stage, StageFailure, StageOutput,
};
use proptest::prelude::*;

/// More steps than any of these small runs can need.
const STEPS_MAX: usize = 10_000;

#[derive(Clone, Debug)]
struct StagePlan {
    after: u16,
    fallbacks: usize,
    attempts_max: u32,
    priority: usize,
}

fn stage_plan() -> impl Strategy<Value = StagePlan> {
    (any::<u16>(), 0..3_usize, 1..4_u32, 0..4_usize).prop_map(
        |(after, fallbacks, attempts_max, priority)| StagePlan {
            after,
            fallbacks,
            attempts_max,
            priority,
        },
    )
}

/// Stage `i` may run after any stage with a smaller number; `backwards` turns the definition round.
fn build(plans: &[StagePlan], backwards: bool) -> Pipeline {
    let priorities = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];
    let mut stages = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        let before = (0..number).filter(|bit| plan.after >> bit & 1 == 1);
        let mut stage = Stage::new(format!("s{number}"), "work")
            .after(before.map(|dependency| format!("s{dependency}")))
            .retry(RetryPolicy { attempts_max: plan.attempts_max, ..RetryPolicy::default() })
            .priority(priorities[plan.priority]);
        for rung in 0..plan.fallbacks {
            stage = stage.fallback(format!("fallback {rung}"));
        }
        stages.push(stage);
    }
    if backwards {
        stages.reverse();
    }
    stages.into_iter().fold(PipelineBuilder::new("random"), PipelineBuilder::stage).build().unwrap()
}

/// Plays the runtime: keeps the events, the attempts under way and those of dead processes.
struct Play {
    state: RunState,
    events: Vec<Event>,
    under_way: Vec<(StageIndex, FencingToken)>,
    dead: Vec<(StageIndex, FencingToken)>,
    now: Timestamp,
    workers_max: usize,
}

impl Play {
    fn new(pipeline: Pipeline, workers_max: usize) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let state = RunState::new(Recorded {
            run_id: "r1".parse().unwrap(),
            pipeline: Arc::new(pipeline),
            key: "k".to_owned(),
            input: Arc::default(),
            submitted_at: now,
        });
        let (events, under_way, dead) = (Vec::new(), Vec::new(), Vec::new());
        Self { state, events, under_way, dead, now, workers_max }
    }

    fn take(&mut self, event: Event) {
        self.state.apply(&event).unwrap();
        if let EventKind::AttemptStarted { stage, token, .. } = event.kind {
            for dependency in self.state.pipeline().dependencies(stage) {
                let state = &self.state.stage(*dependency).state;
                assert!(matches!(state, StageState::Completed { .. }), "{state:?}");
            }
            self.under_way.push((stage, token));
        }
        self.events.push(event);
    }

    fn settle(&mut self, mode: Mode) {
        self.state.release_due(self.now);
        let recovery = ErrorRecoveryManager::new();
        let (recovery, pools) = (&recovery, &Pools::default());
        let guide = Guide { mode, recovery, deadline: None, pools, now: self.now };
        while let Some(event) = decide(&self.state, &guide) {
            self.take(event);
        }
        assert!(self.under_way.len() <= self.workers_max);
        assert_eq!(self.under_way.len(), self.state.running_count());
    }

    /// The process dies and another one reads the journal.
    fn crash(&mut self) {
        let mut replayed = RunState::new(self.state.recorded().clone());
        for event in &self.events {
            replayed.apply(event).unwrap();
        }
        assert_eq!(RunReport::from(&replayed), RunReport::from(&self.state));
        self.state = replayed;
        self.dead.append(&mut self.under_way);
        for event in losses(&self.state, self.now) {
            self.take(event);
        }
    }

    /// One of the attempts under way ends, or the next retry falls due.
    fn step(&mut self, choice: u8, mode: Mode) {
        if self.under_way.is_empty() {
            if let Some(not_before) = self.state.next_retry() {
                self.now = self.now.max(not_before);
            }
            return;
        }
        self.now += SignedDuration::from_millis(i64::from(choice));
        let at = usize::from(choice) % self.under_way.len();
        let (stage, token) = self.under_way.swap_remove(at);
        let failures = usize::from(choice >> 2);
        let result = match FailureClass::ALL.get(failures % (2 * FailureClass::ALL.len())) {
            Some(class) => Err(StageFailure::new(*class, "by chance")),
            None => Ok(StageOutput::fresh(choice.into())),
        };
        let event = conclude(&self.state, Ended { stage, token, result }, mode, self.now).unwrap();
        self.take(event);
    }

    fn play(&mut self, choices: &[u8]) {
        let working = Mode::Working { workers_max: self.workers_max };
        let mut choices = choices.iter().copied().cycle();
        for step in 0..STEPS_MAX {
            if self.state.is_over() {
                return;
            }
            let choice = choices.next().unwrap_or(0);
            // Crashes and stops come only at first, so that a crash loop does not decide the run.
            let mode = match choice % 16 {
                12..15 if step < 40 => Mode::Stopping,
                15 if step < 40 => {
                    self.crash();
                    working
                }
                _ => working,
            };
            self.settle(mode);
            if mode == Mode::Stopping && self.under_way.is_empty() && !self.state.is_over() {
                self.take(Event { at: self.now, kind: EventKind::RunInterrupted });
            }
            self.step(choice.wrapping_mul(31), mode);
        }
        panic!("the run does not end");
    }

    fn check_ends(&self) {
        let mut ends: BTreeMap<StageIndex, usize> = BTreeMap::new();
        for event in &self.events {
            match event.kind {
                EventKind::StageCompleted { stage, .. }
                | EventKind::StageFailed { stage }
                | EventKind::StageSkipped { stage, .. } => *ends.entry(stage).or_default() += 1,
                _ => {}
            }
        }
        for index in self.state.pipeline().indices() {
            assert_eq!(ends.get(&index), Some(&1), "ends of {index:?}");
            let mut dependencies = self.state.pipeline().dependencies(index).iter();
            let all_completed = dependencies.all(|dependency| {
                matches!(self.state.stage(*dependency).state, StageState::Completed { .. })
            });
            let state = &self.state.stage(index).state;
            assert_eq!(matches!(state, StageState::Skipped { .. }), !all_completed, "{state:?}");
        }
        let last = self.events.last().map(|event| &event.kind);
        assert!(matches!(last, Some(EventKind::RunFinished { .. })), "{last:?}");
    }

    /// Whoever comes back from the dead is not heard.
    fn check_late_results(&self) {
        let mode = Mode::Working { workers_max: self.workers_max };
        for &(stage, token) in &self.dead {
            let result = Ok(StageOutput::fresh("late".into()));
            conclude(&self.state, Ended { stage, token, result }, mode, self.now).unwrap_err();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_stage_comes_to_exactly_one_end_and_dependencies_are_respected(
        plans in prop::collection::vec(stage_plan(), 1..12),
        choices in prop::collection::vec(any::<u8>(), 1..60),
        workers_max in 1..5_usize,
        backwards in any::<bool>(),
    ) {
        let mut play = Play::new(build(&plans, backwards), workers_max);
        play.play(&choices);
        play.check_ends();
        play.check_late_results();
    }
}

#[test]
fn the_result_of_a_superseded_attempt_is_refused() {
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "work")).build().unwrap();
    let mut play = Play::new(pipeline, 1);
    let mode = Mode::Working { workers_max: 1 };
    play.settle(mode);
    play.crash();
    play.settle(mode);
    let (stage, token) = play.dead[0];
    let result = Ok(StageOutput::fresh("late".into()));
    let error = conclude(&play.state, Ended { stage, token, result }, mode, play.now).unwrap_err();
    assert_eq!(
        error.to_string(),
        "attempt with fencing token 1 was superseded: its result is refused"
    );
}

#[test]
fn a_fan_out_without_items_is_degraded_like_the_collection_it_is_derived_from() {
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("list", "work"))
        .stage(Stage::new("each", "work").map_over("list", None))
        .build()
        .unwrap();
    let mut play = Play::new(pipeline, 1);
    let mode = Mode::Working { workers_max: 1 };
    play.settle(mode);
    let (stage, token) = play.under_way.remove(0);
    let result = Ok(StageOutput::fresh(0.into()).degraded_because("yesterday's list"));
    let event = conclude(&play.state, Ended { stage, token, result }, mode, play.now).unwrap();
    play.take(event);
    play.settle(mode);
    let report = RunReport::from(&play.state);
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(report.stage("each").unwrap().degraded, ["yesterday's list"]);
}

#[test]
fn an_alert_of_a_deadline_that_nobody_has_any_more_does_not_keep_a_run_from_its_end() {
    let pipeline = PipelineBuilder::new("day").stage(Stage::new("a", "work")).build().unwrap();
    let mut play = Play::new(pipeline, 1);
    // The process that raised it died before it told anybody; its successor has no deadline.
    let (alert, deadline) = (DeadlineAlert::AtRisk, play.now);
    play.take(Event { at: play.now, kind: EventKind::AlertRaised { alert, deadline } });
    let mode = Mode::Working { workers_max: 1 };
    play.settle(mode);
    let (stage, token) = play.under_way.remove(0);
    let result = Ok(StageOutput::fresh(0.into()));
    let event = conclude(&play.state, Ended { stage, token, result }, mode, play.now).unwrap();
    play.take(event);
    play.settle(mode);
    assert!(play.state.is_over());
}
