//! Executes tasks in memory: the same decisions as for durable runs, without a journal.
//!
//! The state is shared: whoever ends an attempt decides what follows and takes the next attempt
//! itself, so small tasks cost no change of threads. The calling thread only watches the clock.
//! An attempt that ignores its token is abandoned: its thread is replaced and never waited for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::worker::panic_text;
use crate::clock::Clock;
use crate::pipeline::StageIndex;
use crate::recovery::{
    BreakerOutcome, ErrorRecoveryManager, FailureClass, RecoveryAction, RecoveryContext,
    StageFailure,
};
use crate::run::{
    Ended, Event, EventKind, FencingToken, Guide, ImpossibleEvent, Mode, Pools, RunState,
    StageState, conclude, decide,
};
use crate::task::{
    AttemptEnd, CancellationToken, Commit, StageOutput, TaskContext, TaskDefinition,
};

/// An attempt whose time is over and that has not ended so long after is abandoned.
const ABANDON_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// What is executed, and with what.
pub(crate) struct MemoryRun {
    pub(crate) state: RunState,
    /// What every stage does, in the order of definition.
    pub(crate) tasks: Vec<MemoryTask>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recovery: Arc<ErrorRecoveryManager>,
    pub(crate) workers_max: usize,
}

/// What a stage does, and why what it begins with is degraded.
pub(crate) struct MemoryTask {
    pub(crate) definition: Arc<TaskDefinition>,
    pub(crate) degraded: Vec<String>,
}

/// How a run in memory ended.
pub(crate) struct MemoryEnd {
    pub(crate) state: RunState,
    /// How long each attempt took and whether it had an output.
    pub(crate) samples: Vec<(StageIndex, Duration, AttemptEnd)>,
}

/// Why a run in memory could not be executed to its end.
#[derive(Debug)]
pub(crate) enum MemoryError {
    NoWorker(std::io::Error),
    Inconsistent(ImpossibleEvent),
}

/// Runs everything; returns when every task has come to an end or `cancellation` asked to stop.
pub(crate) fn execute(
    run: MemoryRun,
    cancellation: &CancellationToken,
) -> Result<MemoryEnd, MemoryError> {
    let MemoryRun { state, tasks, clock, recovery, workers_max } = run;
    let workers = workers_max.min(state.unfinished_count()).max(1);
    let core = Core {
        state: Some(state),
        mode: Mode::Working { workers_max },
        pools: Pools::default(),
        jobs: VecDeque::new(),
        alarms: BTreeSet::new(),
        tokens: BTreeMap::new(),
        samples: Vec::new(),
        waiting: 0,
        watched: None,
        defect: None,
    };
    let shared = Arc::new(Shared {
        core: Mutex::new(core),
        work: Condvar::new(),
        watch: Condvar::new(),
        tasks,
        clock,
        recovery,
        stop: cancellation.clone(),
    });
    let stopped = Arc::clone(&shared);
    let _subscription = cancellation.on_cancel(move || stopped.stop());
    shared.advance(&mut shared.lock(), shared.clock.now());
    for _ in 0..workers {
        shared.spawn().map_err(|error| shared.give_up(error))?;
    }
    shared.watch()
}

struct Shared {
    core: Mutex<Core>,
    /// Wakes workers.
    work: Condvar,
    /// Wakes the watching thread.
    watch: Condvar,
    tasks: Vec<MemoryTask>,
    clock: Arc<dyn Clock>,
    recovery: Arc<ErrorRecoveryManager>,
    stop: CancellationToken,
}

struct Core {
    /// Taken away when the run is over.
    state: Option<RunState>,
    mode: Mode,
    pools: Pools,
    jobs: VecDeque<Job>,
    alarms: BTreeSet<Alarm>,
    /// Of attempts that may take only so long.
    tokens: BTreeMap<FencingToken, CancellationToken>,
    samples: Vec<(StageIndex, Duration, AttemptEnd)>,
    /// Workers with nothing to do.
    waiting: usize,
    /// When the watching thread will look by itself.
    watched: Option<Timestamp>,
    defect: Option<ImpossibleEvent>,
}

/// When an attempt's time is over, first asked to stop and then given up.
type Alarm = (Timestamp, StageIndex, FencingToken, Urgency);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Ask,
    Abandon,
}

struct Job {
    stage: StageIndex,
    token: FencingToken,
    rung: usize,
    context: TaskContext,
    preparation: Option<(RecoveryAction, RecoveryContext)>,
}

type Produced = Result<Box<dyn Commit>, StageFailure>;

impl Core {
    fn is_over(&self) -> bool {
        let Some(state) = &self.state else { return true };
        let is_stopped = self.mode == Mode::Stopping && state.running_count() == 0;
        is_stopped || state.is_over() || self.defect.is_some()
    }

    fn next_alarm(&self) -> Option<Timestamp> {
        let retry = match (&self.state, self.mode) {
            (Some(state), Mode::Working { .. }) => state.next_retry(),
            (Some(_), Mode::Stopping) | (None, _) => None,
        };
        let attempt = self.alarms.first().map(|(instant, ..)| *instant);
        [retry, attempt].into_iter().flatten().min()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a worker. It ends by itself when the run is over; nobody waits for it, because it may
    /// be stuck in an abandoned attempt.
    fn spawn(self: &Arc<Self>) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let builder = thread::Builder::new().name("task worker".to_owned());
        builder.spawn(move || shared.work()).map(drop)
    }

    fn stop(&self) {
        let mut core = self.lock();
        core.mode = Mode::Stopping;
        for token in core.tokens.values() {
            token.cancel();
        }
        self.work.notify_all();
        self.watch.notify_all();
    }

    /// Sends the workers home after an error of the system.
    fn give_up(&self, error: std::io::Error) -> MemoryError {
        self.stop.cancel();
        self.lock().state = None;
        self.work.notify_all();
        MemoryError::NoWorker(error)
    }

    /// Watches the clock until the run is over.
    fn watch(self: &Arc<Self>) -> Result<MemoryEnd, MemoryError> {
        let mut core = self.lock();
        while !core.is_over() {
            core.watched = core.next_alarm();
            core = match core.watched {
                Some(instant) => {
                    let wait = self.clock.until(instant);
                    self.watch.wait_timeout(core, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.watch.wait(core).unwrap_or_else(PoisonError::into_inner),
            };
            let now = self.clock.now();
            let abandoned = self.expire(&mut core, now);
            self.advance(&mut core, now);
            self.wake(&core, core.jobs.len());
            for _ in 0..abandoned {
                if let Err(error) = self.spawn() {
                    drop(core);
                    return Err(self.give_up(error));
                }
            }
        }
        self.work.notify_all();
        let samples = std::mem::take(&mut core.samples);
        let taken = core.state.take();
        let defect = core.defect.take();
        drop(core);
        let mut state = match (taken, defect) {
            (Some(state), None) => state,
            (_, Some(defect)) => return Err(MemoryError::Inconsistent(defect)),
            (None, None) => unreachable!("the state is taken away here only"),
        };
        if !state.is_over() {
            let reason = "asked to stop".to_owned();
            let event = Event { at: self.clock.now(), kind: EventKind::RunCancelled { reason } };
            state.apply(&event).map_err(MemoryError::Inconsistent)?;
        }
        Ok(MemoryEnd { state, samples })
    }

    /// Asks attempts whose time is over to stop, and gives up those that do not; returns how many.
    fn expire(&self, core: &mut Core, now: Timestamp) -> usize {
        let mut abandoned = 0;
        while let Some(&(instant, stage, token, urgency)) = core.alarms.first()
            && instant <= now
        {
            core.alarms.pop_first();
            let Some(state) = &core.state else { break };
            if state.stage(stage).state != (StageState::Running { token }) {
                continue;
            }
            match urgency {
                Urgency::Ask => {
                    if let Some(asked) = core.tokens.get(&token) {
                        asked.cancel();
                    }
                    let later = now.saturating_add(ABANDON_AFTER).unwrap_or(Timestamp::MAX);
                    core.alarms.insert((later, stage, token, Urgency::Abandon));
                }
                Urgency::Abandon => {
                    let message = "the attempt ignored its token after its time was over; it was \
                                   abandoned, and its result will be refused";
                    let failure = StageFailure::new(FailureClass::Timeout, message);
                    self.conclude(core, stage, token, Err(failure));
                    abandoned += 1;
                }
            }
        }
        abandoned
    }

    /// Takes note of the end of an attempt; tells whether it was accepted.
    fn conclude(
        &self,
        core: &mut Core,
        stage: StageIndex,
        token: FencingToken,
        produced: Produced,
    ) -> bool {
        let now = self.clock.now();
        let Some(state) = &mut core.state else { return false };
        let (result, commit) = match produced {
            Ok(commit) => {
                let degraded = self.tasks[stage.0].degraded.clone();
                (Ok(StageOutput { value: Value::Null, degraded }), Some(commit))
            }
            Err(failure) => (Err(failure), None),
        };
        let Ok(event) = conclude(state, Ended { stage, token, result }, core.mode, now) else {
            return false;
        };
        if let Some(commit) = commit {
            commit.commit();
        }
        core.tokens.remove(&token);
        match state.apply(&event) {
            Ok(()) => self.recovery.note(state, &event),
            Err(defect) => core.defect = Some(defect),
        }
        true
    }

    /// Decides everything that follows, and prepares the attempts that may start.
    fn advance(&self, core: &mut Core, now: Timestamp) {
        let (mode, recovery, pools) = (core.mode, &*self.recovery, &core.pools);
        let guide = Guide { mode, recovery, deadline: None, pools, now };
        let Some(state) = &mut core.state else { return };
        state.release_due(now);
        while let Some(event) = decide(state, &guide) {
            if let Err(defect) = state.apply(&event) {
                core.defect = Some(defect);
                return;
            }
            self.recovery.note(state, &event);
            if let EventKind::AttemptStarted { stage, attempt, token, .. } = event.kind {
                let task = &self.tasks[stage.0].definition;
                let mut cancellation = self.stop.clone();
                if let Some(timeout) = task.timeout {
                    cancellation = CancellationToken::new();
                    core.tokens.insert(token, cancellation.clone());
                    let over = now.saturating_add(timeout).unwrap_or(Timestamp::MAX);
                    core.alarms.insert((over, stage, token, Urgency::Ask));
                }
                let record = state.stage(stage);
                core.jobs.push_back(Job {
                    stage,
                    token,
                    rung: record.ladder.rung(),
                    context: TaskContext { name: Arc::clone(&task.name), attempt, cancellation },
                    preparation: self.recovery.preparation(&task.name, record),
                });
            }
        }
    }

    /// Wakes workers for so many jobs, and the watching thread if it has something to do now.
    fn wake(&self, core: &Core, jobs: usize) {
        for _ in 0..jobs.min(core.waiting) {
            self.work.notify_one();
        }
        let alarm = core.next_alarm();
        let is_earlier = alarm.is_some_and(|alarm| core.watched.is_none_or(|other| alarm < other));
        if is_earlier || core.is_over() {
            self.watch.notify_one();
        }
    }

    /// Makes one attempt after another until there will be no more.
    fn work(&self) {
        let mut core = self.lock();
        loop {
            let Some(job) = core.jobs.pop_front() else {
                if core.is_over() {
                    return;
                }
                core.waiting += 1;
                core = self.work.wait(core).unwrap_or_else(PoisonError::into_inner);
                core.waiting -= 1;
                continue;
            };
            drop(core);
            let begun = self.clock.monotonic();
            let produced = self.attempt(&job);
            let elapsed = self.clock.monotonic().saturating_sub(begun);
            core = self.lock();
            let end = match &produced {
                Ok(_) => AttemptEnd::Completed,
                Err(_) => AttemptEnd::Failed,
            };
            core.samples.push((job.stage, elapsed, end));
            if !self.conclude(&mut core, job.stage, job.token, produced) {
                // Somebody else has taken this worker's place.
                return;
            }
            self.advance(&mut core, self.clock.now());
            // One of the jobs is for this worker itself.
            self.wake(&core, core.jobs.len().saturating_sub(1));
        }
    }

    fn attempt(&self, job: &Job) -> Produced {
        let name = job.context.name();
        let permit = self.recovery.admit(name, self.clock.now())?;
        let produced = self.call(job);
        if let Some(permit) = permit {
            let outcome = match &produced {
                Ok(_) => BreakerOutcome::Success,
                Err(failure) => BreakerOutcome::of_failure(failure.class),
            };
            self.recovery.settle(name, permit, outcome, self.clock.now());
        }
        produced
    }

    fn call(&self, job: &Job) -> Produced {
        let task = &self.tasks[job.stage.0].definition;
        let rung = match job.rung.checked_sub(1) {
            None => &task.own,
            Some(fallback) => &task.fallbacks[fallback].1,
        };
        // What the function shares with others is its author's care.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if let Some((action, context)) = &job.preparation {
                action.run(context)?;
            }
            rung(&job.context)
        }));
        let failure = match outcome {
            Ok(Ok(produced)) => return Ok(produced),
            Ok(Err(error)) => self.recovery.failure_of(error.as_ref()),
            Err(payload) => {
                let message = format!("panic: {}", panic_text(payload.as_ref()));
                StageFailure::new(FailureClass::Bug, message)
            }
        };
        let asked_by_timeout = task.timeout.is_some()
            && job.context.cancellation.is_cancelled()
            && !self.stop.is_cancelled();
        match (failure.class, asked_by_timeout) {
            (FailureClass::Cancelled, true) => {
                let limit = task.timeout.unwrap_or_default();
                let message = format!("no output within {limit:#}");
                Err(StageFailure::new(FailureClass::Timeout, message))
            }
            _ => Err(failure),
        }
    }
}
