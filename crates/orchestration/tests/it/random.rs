//! Random pipelines with random failures, crashes, stops and cancellations, decided without threads
//! or files. What breaks a law here shrinks to the smallest pipeline that does; whole processes are
//! in `simulation`.
//!
//! Whatever happens, every stage and item comes to exactly one end, in an order that dependencies,
//! conditions, limits and pools allow.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use orchestration::pipeline::StageIndex;
use orchestration::run::{
    Ended, Event, EventKind, FencingToken, Guide, Mode, Pools, Recorded, RunState, StageState,
    cancellations, conclude, decide, losses,
};
use orchestration::{
    CancelScope, DeadlineAlert, ErrorRecoveryManager, FailureClass, Pipeline, PipelineBuilder,
    Priority, RetryPolicy, RunReport, RunStatus, Stage, StageFailure, StageOutput,
};
use proptest::prelude::*;
use serde_json::Value;

/// More steps than any of these small runs can need.
const STEPS_MAX: usize = 10_000;

/// What the stages share.
const POOL: (&str, u32) = ("desk", 2);

/// What a stage with a condition wants the first of its dependencies to output.
const WANTED: u8 = 1;

#[derive(Clone, Debug)]
struct StagePlan {
    after: u16,
    /// Of those that it is after: whose outputs it does without.
    spared: u16,
    fallbacks: usize,
    attempts_max: u32,
    priority: usize,
    role: Role,
    slots: u32,
}

/// What a stage does with the output of the first that it needs.
#[derive(Clone, Copy, Debug)]
enum Role {
    Plain,
    Conditional,
    FanOut { limit: Option<u32> },
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![
        2 => Just(Role::Plain),
        1 => Just(Role::Conditional),
        1 => prop::option::of(1..3_u32).prop_map(|limit| Role::FanOut { limit }),
    ]
}

fn stage_plan() -> impl Strategy<Value = StagePlan> {
    let graph = (any::<u16>(), any::<u16>(), role());
    let trying = (0..3_usize, 1..4_u32, 0..4_usize, 0..=POOL.1);
    (graph, trying).prop_map(|((after, spared, role), trying)| {
        let (fallbacks, attempts_max, priority, slots) = trying;
        StagePlan { after, spared, fallbacks, attempts_max, priority, role, slots }
    })
}

/// Stage `i` may run after any stage with a smaller number; `backwards` turns the definition round.
fn build(plans: &[StagePlan], backwards: bool) -> Pipeline {
    let priorities = [Priority::Low, Priority::Medium, Priority::High, Priority::Critical];
    let mut stages = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        let before = (0..number).filter(|bit| plan.after >> bit & 1 == 1);
        let (spared, needed): (Vec<usize>, Vec<usize>) =
            before.partition(|bit| plan.spared >> bit & 3 == 3);
        let names = |numbers: &[usize]| -> Vec<String> {
            numbers.iter().map(|number| format!("s{number}")).collect()
        };
        let mut stage = Stage::new(format!("s{number}"), "work")
            .after(names(&needed))
            .after_end_of(names(&spared))
            .retry(RetryPolicy { attempts_max: plan.attempts_max, ..RetryPolicy::default() })
            .priority(priorities[plan.priority]);
        if let Some(first) = needed.first().map(|number| format!("s{number}")) {
            stage = match plan.role {
                Role::Plain => stage,
                Role::Conditional => stage.when(first, "", WANTED),
                Role::FanOut { limit } => stage.map_over(first, limit),
            };
        }
        if 0 < plan.slots {
            stage = stage.pool(POOL.0, plan.slots);
        }
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

fn desk() -> Pools {
    let mut pools = Pools::default();
    pools.define(POOL.0, POOL.1);
    pools
}

/// Plays the runtime: keeps the events, the attempts under way and those of dead processes.
struct Play {
    state: RunState,
    events: Vec<Event>,
    under_way: Vec<(StageIndex, FencingToken)>,
    /// Attempts of dead processes, and cancelled ones.
    dead: Vec<(StageIndex, FencingToken)>,
    pools: Pools,
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
        Self { state, events, under_way, dead, pools: desk(), now, workers_max }
    }

    fn take(&mut self, event: Event) {
        self.state.apply(&event).unwrap();
        if let EventKind::AttemptStarted { stage, token, .. } = event.kind {
            self.check_start(stage);
            self.under_way.push((stage, token));
            self.pools.take(&self.state.layout().definition(stage).pools);
        }
        self.events.push(event);
    }

    /// What is needed has completed, what is waited for has ended, and there is room.
    fn check_start(&self, index: StageIndex) {
        let (layout, pipeline) = (self.state.layout(), self.state.pipeline());
        let stage = layout.stage_of(index);
        for &dependency in pipeline.dependencies(stage) {
            let state = &self.state.stage(dependency).state;
            let is_fine = matches!(state, StageState::Completed { .. })
                || (pipeline.does_without(stage, dependency) && state.is_final());
            assert!(is_fine, "{state:?}");
        }
        let definition = layout.definition(index);
        assert_eq!(self.pools.full(&definition.pools), None);
        let others = self.under_way.iter().filter(|(other, _)| layout.stage_of(*other) == stage);
        let limit = definition.map.as_ref().and_then(|map| map.concurrency_max);
        assert!(limit.is_none_or(|limit| others.count() < limit as usize), "{definition:?}");
    }

    /// Takes an attempt off those under way, with what it holds.
    fn release(&mut self, at: usize) -> (StageIndex, FencingToken) {
        let (stage, token) = self.under_way.swap_remove(at);
        self.pools.give_back(&self.state.layout().definition(stage).pools);
        (stage, token)
    }

    /// Cancels something and everything behind it.
    fn cancel(&mut self, choice: usize) {
        let Some(index) = self.state.layout().indices().nth(choice) else { return };
        let wish = (CancelScope::Subtree, "not today");
        for event in cancellations(&self.state, index, wish, self.now) {
            let EventKind::StageCancelled { stage, .. } = event.kind else { unreachable!() };
            if let Some(at) = self.under_way.iter().position(|(running, _)| *running == stage) {
                let attempt = self.release(at);
                self.dead.push(attempt);
            }
            self.take(event);
        }
        let mut behind = vec![index];
        while let Some(index) = behind.pop() {
            assert!(self.state.stage(index).state.is_final());
            if self.state.layout().item_of(index).is_none() {
                behind.extend(self.state.pipeline().dependents(index));
            }
        }
    }

    fn settle(&mut self, mode: Mode) {
        self.state.release_due(self.now);
        let recovery = ErrorRecoveryManager::new();
        loop {
            let (recovery, pools) = (&recovery, &self.pools);
            let guide = Guide { mode, recovery, deadline: None, pools, now: self.now };
            let Some(event) = decide(&self.state, &guide) else { break };
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
        self.pools = desk();
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
        let (stage, token) = self.release(at);
        let failures = usize::from(choice >> 2);
        let result = match FailureClass::ALL.get(failures % (2 * FailureClass::ALL.len())) {
            Some(class) => Err(StageFailure::new(*class, "by chance")),
            None => Ok(StageOutput::fresh((choice % 4).into())),
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
                11 if step < 40 => {
                    self.cancel(usize::from(choice) * 7 % 31);
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
                | EventKind::FanOutJoined { stage }
                | EventKind::StageFailed { stage }
                | EventKind::StageCancelled { stage, .. }
                | EventKind::StageSkipped { stage, .. } => *ends.entry(stage).or_default() += 1,
                _ => {}
            }
        }
        for index in self.state.layout().indices() {
            assert_eq!(ends.get(&index), Some(&1), "ends of {index:?}");
        }
        for index in self.state.pipeline().indices() {
            let state = &self.state.stage(index).state;
            let is_skipped = matches!(state, StageState::Skipped { .. });
            let is_cancelled = matches!(state, StageState::Cancelled { .. });
            assert!(is_cancelled || is_skipped != self.is_wanted(index), "{state:?}");
            self.check_items(index);
        }
        let last = self.events.last().map(|event| &event.kind);
        assert!(matches!(last, Some(EventKind::RunFinished { .. })), "{last:?}");
    }

    fn value(&self, index: StageIndex) -> Option<&Value> {
        match &self.state.stage(index).state {
            StageState::Completed { output } => Some(&output.value),
            _ => None,
        }
    }

    /// Tells whether everything a stage needs has completed, and its condition is met.
    fn is_wanted(&self, index: StageIndex) -> bool {
        let pipeline = self.state.pipeline();
        let mut needed = pipeline
            .dependencies(index)
            .iter()
            .filter(|dependency| !pipeline.does_without(index, **dependency));
        let condition = pipeline.stage(index).condition.as_ref();
        let is_met = condition.is_none_or(|condition| {
            let asked = self.state.layout().find(&condition.stage).unwrap();
            self.value(asked) == Some(&Value::from(WANTED))
        });
        is_met && needed.all(|dependency| self.value(*dependency).is_some())
    }

    /// A completed fan-out outputs what its items do, in their order.
    fn check_items(&self, index: StageIndex) {
        let layout = self.state.layout();
        if let (Some(joined), Some(items)) = (self.value(index), layout.items_of(index)) {
            let values = (0..items.len()).map(|item| layout.item(index, item).unwrap());
            let values = values.map(|item| self.value(item).cloned().unwrap_or_default());
            assert_eq!(joined, &values.collect::<Value>());
        }
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
    fn everything_comes_to_exactly_one_end_and_nothing_starts_that_may_not(
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
    let (stage, token) = play.release(0);
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
    let (stage, token) = play.release(0);
    let result = Ok(StageOutput::fresh(0.into()));
    let event = conclude(&play.state, Ended { stage, token, result }, mode, play.now).unwrap();
    play.take(event);
    play.settle(mode);
    assert!(play.state.is_over());
}

#[test]
fn a_run_that_completes_although_a_stage_failed_says_so_even_if_nobody_else_can() {
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("weather", "work").retry(RetryPolicy::NEVER))
        .stage(Stage::new("features", "work").after_end_of(["weather"]))
        .build()
        .unwrap();
    let mut play = Play::new(pipeline, 1);
    let mode = Mode::Working { workers_max: 1 };
    play.settle(mode);
    play.cancel(1);
    let (stage, token) = play.release(0);
    let result = Err(StageFailure::new(FailureClass::BadData, "line 7"));
    let event = conclude(&play.state, Ended { stage, token, result }, mode, play.now).unwrap();
    play.take(event);
    play.settle(mode);
    let report = RunReport::from(&play.state);
    assert_eq!(report.status, RunStatus::Completed);
    let expected =
        ["stage weather failed: bad data: line 7", "stage features was cancelled: not today"];
    assert_eq!(report.degraded, expected);
}
