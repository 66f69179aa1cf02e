//! What the threads of an execution share, and how it changes: an attempt ends, others follow.
//!
//! Everything here happens under one lock and waits for nothing. What follows from what is decided
//! in [`crate::run`]; threads and waiting are in `execution`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::attempt::{Job, MemoryTask, Produced, Product};
use crate::clock::Clock;
use crate::pipeline::StageIndex;
use crate::recovery::{ErrorRecoveryManager, FailureClass, StageFailure};
use crate::run::{
    CancelScope, Ended, Event, EventKind, FencingToken, Guide, ImpossibleEvent, Mode, Pools,
    Recalled, RunState, cancellations, conclude, decide,
};
use crate::runtime::alarms::{ABANDON_AFTER, Alarms, Urgency};
use crate::task::{
    AttemptEnd, CancellationToken, Memos, Remembered, StageOutput, TaskContext, TaskDefinition,
};

/// How a run in memory ended.
pub(crate) struct MemoryEnd {
    pub(crate) state: RunState,
    /// How long each attempt took and whether it had an output.
    pub(crate) samples: Vec<(StageIndex, Duration, AttemptEnd)>,
}

/// What does not change while a run is executed.
pub(super) struct Frame {
    /// What every stage does, in the order of definition.
    pub(super) tasks: Vec<MemoryTask>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recovery: Arc<ErrorRecoveryManager>,
    pub(super) memos: Arc<Memos>,
    pub(super) stop: CancellationToken,
}

pub(super) struct Core {
    /// Taken away when the run is over.
    pub(super) state: Option<RunState>,
    pub(super) mode: Mode,
    pub(super) pools: Pools,
    /// Attempts that no worker has begun.
    pub(super) jobs: VecDeque<Job>,
    /// Attempts that are decided and have not ended.
    attempts: BTreeMap<FencingToken, LiveAttempt>,
    pub(super) alarms: Alarms,
    pub(super) samples: Vec<(StageIndex, Duration, AttemptEnd)>,
    /// Workers that are stuck in attempts nobody waits for, and have no successor yet.
    pub(super) lost_workers: usize,
    pub(super) defect: Option<ImpossibleEvent>,
}

struct LiveAttempt {
    cancellation: CancellationToken,
    /// Its time, once that is over.
    overdue: Option<SignedDuration>,
}

/// What is known of an attempt whose worker is back.
pub(super) struct Back {
    pub(super) stage: StageIndex,
    pub(super) token: FencingToken,
    pub(super) produced: Produced,
    pub(super) elapsed: Duration,
}

impl Core {
    pub(super) fn new(state: RunState, pools: Pools, mode: Mode) -> Self {
        let samples = Vec::with_capacity(state.unfinished_count());
        Self {
            state: Some(state),
            mode,
            pools,
            jobs: VecDeque::new(),
            attempts: BTreeMap::new(),
            alarms: Alarms::default(),
            samples,
            lost_workers: 0,
            defect: None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        let Some(state) = &self.state else { return true };
        let is_stopped = self.mode == Mode::Stopping && state.running_count() == 0;
        is_stopped || state.is_over() || self.defect.is_some()
    }

    /// Returns when a failed task may be tried again, unless there will be no more attempts.
    pub(super) fn next_retry(&self) -> Option<Timestamp> {
        match self.mode {
            Mode::Working { .. } => self.state.as_ref()?.next_retry(),
            Mode::Stopping => None,
        }
    }

    /// Starts no more attempts, and gives up those that do not heed their tokens.
    pub(super) fn stop(&mut self, now: Duration) {
        self.mode = Mode::Stopping;
        let Some(state) = &self.state else { return };
        for stage in state.running() {
            if let Some(token) = state.token(stage) {
                self.alarms.abandon_later(now, stage, token);
            }
        }
    }

    /// Takes note of the end of an attempt; tells whether it was accepted.
    pub(super) fn conclude(&mut self, frame: &Frame, back: Back, now: Timestamp) -> bool {
        let Back { stage, token, produced, elapsed } = back;
        let end = if produced.is_ok() { AttemptEnd::Completed } else { AttemptEnd::Failed };
        let Some(state) = &self.state else { return false };
        let place = state.layout().stage_of(stage);
        let task = &frame.tasks[place.0];
        let (result, commit) = match produced {
            Ok(Product::Output(commit)) => {
                let degraded = match task {
                    MemoryTask::Task(_, degraded) => degraded.clone(),
                    MemoryTask::Count(_) | MemoryTask::Condition(_) => Vec::new(),
                };
                (Ok(StageOutput { value: Value::Null, degraded }), Some(commit))
            }
            Ok(Product::Fact(value)) => (Ok(StageOutput::fresh(value)), None),
            Err(failure) => (Err(self.blame_time(token, failure)), None),
        };
        let Ok(event) = conclude(state, Ended { stage, token, result }, self.mode, now) else {
            return false;
        };
        if let Some(commit) = commit {
            commit.commit();
        }
        self.samples.push((place, elapsed, end));
        self.forget(token, task.definition());
        self.apply(frame, &event);
        if let EventKind::StageCompleted { degraded, .. } = &event.kind
            && degraded.is_empty()
        {
            self.remember(frame, task.definition(), now);
        }
        true
    }

    /// Who stops because its time is over has not been cancelled but was too slow.
    fn blame_time(&self, token: FencingToken, failure: StageFailure) -> StageFailure {
        let overdue = self.attempts.get(&token).and_then(|attempt| attempt.overdue);
        match overdue {
            Some(limit) if failure.class == FailureClass::Cancelled => {
                StageFailure::new(FailureClass::Timeout, format!("no output within {limit:#}"))
            }
            _ => failure,
        }
    }

    fn remember(&self, frame: &Frame, definition: &TaskDefinition, completed_at: Timestamp) {
        let (Some(memo), Some(state)) = (&definition.memo, &self.state) else { return };
        if let Some(output) = definition.slot.output() {
            let from = state.recorded().run_id;
            frame.memos.remember(&definition.name, memo, Remembered { from, completed_at, output });
        }
    }

    /// Decides everything that follows, and prepares the attempts that may start.
    pub(super) fn advance(&mut self, frame: &Frame, now: Timestamp) {
        if let Some(state) = &mut self.state {
            state.release_due(now);
        }
        while let Some(state) = &self.state
            && self.defect.is_none()
        {
            let (mode, recovery, pools) = (self.mode, &*frame.recovery, &self.pools);
            let guide = Guide { mode, recovery, deadline: None, pools, now };
            let Some(event) = decide(state, &guide) else { return };
            let event = self.recall(frame, event);
            self.apply(frame, &event);
            if let EventKind::AttemptStarted { stage, attempt, token, .. } = event.kind {
                self.prepare(frame, (stage, token), attempt, now);
            }
        }
    }

    /// Puts an output that is remembered in the place of an attempt, if there is one.
    fn recall(&self, frame: &Frame, event: Event) -> Event {
        let EventKind::AttemptStarted { stage, attempt, token, .. } = event.kind else {
            return event;
        };
        let Some(MemoryTask::Task(definition, _)) = frame.tasks.get(stage.0) else { return event };
        let Some(memo) = &definition.memo else { return event };
        let Some(remembered) = frame.memos.recall(&definition.name, memo, event.at) else {
            return event;
        };
        let Remembered { from, completed_at, output } = remembered;
        if !definition.slot.recall(output) {
            return event;
        }
        let recalled = Recalled { from, completed_at, output: Value::Null };
        let kind = EventKind::StageRecalled { stage, attempt, token, recalled };
        Event { at: event.at, kind }
    }

    fn apply(&mut self, frame: &Frame, event: &Event) {
        let Some(state) = &mut self.state else { return };
        if let Err(defect) = state.apply(event) {
            self.defect = Some(defect);
            return;
        }
        frame.recovery.note(state, event);
        let map = |stage: StageIndex| frame.tasks[stage.0].definition().map.as_ref();
        match event.kind {
            EventKind::FanOutOpened { stage, count } => {
                self.samples.reserve(count);
                if let Some(map) = map(stage) {
                    map.items.open(count);
                }
            }
            EventKind::FanOutJoined { stage } => {
                if let Some(map) = map(stage) {
                    map.items.join();
                }
            }
            _ => {}
        }
    }

    fn prepare(
        &mut self,
        frame: &Frame,
        (stage, token): (StageIndex, FencingToken),
        attempt: u32,
        now: Timestamp,
    ) {
        let Some(state) = &self.state else { return };
        let layout = state.layout();
        let place = layout.stage_of(stage).0;
        let task = &frame.tasks[place];
        let definition = task.definition();
        let cancellation = frame.stop.child();
        let record = state.stage(stage);
        let (rung, preparation) = match task {
            MemoryTask::Task(..) => {
                let shared = (&state.recorded().input, &cancellation);
                let preparation = frame.recovery.preparation(&definition.name, record, shared);
                (record.ladder.rung(), preparation.map(Box::new))
            }
            MemoryTask::Count(_) | MemoryTask::Condition(_) => (0, None),
        };
        let context = TaskContext {
            name: Arc::clone(&definition.name),
            item: layout.item_of(stage),
            attempt,
            cancellation: cancellation.clone(),
        };
        let decided_at = now;
        self.jobs.push_back(Job { stage, place, token, rung, decided_at, context, preparation });
        if let MemoryTask::Task(..) = task {
            self.pools.take(&definition.pools);
            if let Some(timeout) = definition.timeout {
                self.alarms.arm(frame.clock.monotonic(), timeout, (stage, token));
            }
        }
        self.attempts.insert(token, LiveAttempt { cancellation, overdue: None });
    }

    /// Asks attempts whose time is over to stop, and abandons those that do not.
    pub(super) fn ring(&mut self, frame: &Frame, now: Timestamp) {
        let elapsed = frame.clock.monotonic();
        while let Some((stage, token, urgency)) = self.alarms.ring(elapsed) {
            let (Some(state), Some(attempt)) = (&self.state, self.attempts.get_mut(&token)) else {
                continue;
            };
            match urgency {
                Urgency::Ask => {
                    attempt.overdue = state.layout().definition(stage).timeout;
                    attempt.cancellation.cancel();
                }
                Urgency::Abandon => {
                    let (class, limit) = match attempt.overdue {
                        Some(limit) => (FailureClass::Timeout, limit),
                        None => (FailureClass::Cancelled, SignedDuration::ZERO),
                    };
                    let message = "the attempt ignored its token when it was asked to stop; it \
                                   was abandoned, and its result will be refused";
                    let produced = Err(StageFailure::new(class, message));
                    self.part_with(token);
                    let elapsed = limit.unsigned_abs().saturating_add(ABANDON_AFTER);
                    self.conclude(frame, Back { stage, token, produced, elapsed }, now);
                }
            }
        }
    }

    /// Cancels stages; what runs of them is asked to stop, and its result will be refused.
    pub(super) fn cancel(
        &mut self,
        frame: &Frame,
        stage: StageIndex,
        wish: (CancelScope, &str),
        now: Timestamp,
    ) -> Vec<StageIndex> {
        let Some(state) = &self.state else { return Vec::new() };
        let events = cancellations(state, stage, wish, now);
        let mut cancelled = Vec::new();
        for event in &events {
            let EventKind::StageCancelled { stage, .. } = event.kind else { continue };
            let Some(state) = &self.state else { continue };
            let place = state.layout().stage_of(stage);
            if let Some(token) = state.token(stage) {
                if let Some(attempt) = self.attempts.get(&token) {
                    attempt.cancellation.cancel();
                }
                self.part_with(token);
                self.forget(token, frame.tasks[place.0].definition());
            }
            self.apply(frame, event);
            cancelled.push(stage);
        }
        cancelled
    }

    /// Lets somebody else take the place of the worker that makes an attempt, if one does.
    fn part_with(&mut self, token: FencingToken) {
        let jobs = self.jobs.len();
        self.jobs.retain(|job| job.token != token);
        self.lost_workers += usize::from(self.jobs.len() == jobs);
    }

    /// Gives back what an attempt held.
    fn forget(&mut self, token: FencingToken, definition: &TaskDefinition) {
        self.attempts.remove(&token);
        self.pools.give_back(&definition.pools);
    }
}
