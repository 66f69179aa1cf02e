//! One execution in memory: its threads, and the waiting of the one that called.
//!
//! A worker that is stuck in an attempt which was abandoned or cancelled gets a successor and is
//! never waited for. What happens under the lock is in `core`.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::attempt::MemoryTask;
use super::core::{Back, Core, Frame, MemoryEnd};
use crate::clock::Clock;
use crate::pipeline::StageIndex;
use crate::recovery::ErrorRecoveryManager;
use crate::run::{
    CancelScope, Event, EventKind, ImpossibleEvent, Mode, Pools, RunState, StageExplanation,
    explanations,
};
use crate::task::{CancellationToken, Memos};

/// What is executed, and with what.
pub(crate) struct MemoryRun {
    pub(crate) state: RunState,
    /// What every stage does, in the order of definition.
    pub(crate) tasks: Vec<MemoryTask>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recovery: Arc<ErrorRecoveryManager>,
    pub(crate) pools: Pools,
    pub(crate) memos: Arc<Memos>,
    pub(crate) workers_max: usize,
    /// Stops the execution, also from other threads.
    pub(crate) stop: CancellationToken,
}

/// Why a run in memory could not be executed to its end.
#[derive(Debug)]
pub(crate) enum MemoryError {
    NoWorker(std::io::Error),
    Inconsistent(ImpossibleEvent),
}

/// A run while it is executed. Clones are the same execution.
#[derive(Clone)]
pub(crate) struct MemoryExecution {
    shared: Arc<Shared>,
    workers: usize,
}

struct Shared {
    desk: Mutex<Desk>,
    /// Wakes workers.
    work: Condvar,
    /// Wakes the watching thread.
    watch: Condvar,
    frame: Frame,
}

struct Desk {
    core: Core,
    /// Workers with nothing to do.
    waiting: usize,
    /// What the watching thread will look at by itself.
    watched: Watched,
}

/// The next retry, and the next end of somebody's time.
type Watched = (Option<Timestamp>, Option<Duration>);

impl MemoryExecution {
    pub(crate) fn new(run: MemoryRun) -> Self {
        let MemoryRun { state, tasks, clock, recovery, pools, memos, workers_max, stop } = run;
        let core = Core::new(state, pools, Mode::Working { workers_max });
        let desk = Mutex::new(Desk { core, waiting: 0, watched: (None, None) });
        let frame = Frame { tasks, clock, recovery, memos, stop };
        let (work, watch) = (Condvar::new(), Condvar::new());
        Self { shared: Arc::new(Shared { desk, work, watch, frame }), workers: workers_max }
    }

    /// Runs everything; returns when every task has come to an end or somebody asked to stop.
    pub(crate) fn run(&self) -> Result<MemoryEnd, MemoryError> {
        let shared = &self.shared;
        let stopped = Arc::clone(shared);
        let _subscription = shared.frame.stop.on_cancel(move || stopped.stop());
        let workers = {
            let mut desk = shared.lock();
            desk.core.advance(&shared.frame, shared.frame.clock.now());
            let open = desk.core.state.as_ref().map_or(0, RunState::unfinished_count);
            // Who fans out will have more to do than there is now.
            let is_wide = shared.frame.tasks.iter().any(|task| task.definition().map.is_some());
            if is_wide { self.workers } else { self.workers.min(open.max(1)) }
        };
        for _ in 0..workers {
            shared.spawn().map_err(|error| shared.give_up(error))?;
        }
        shared.watch()
    }

    /// Cancels a stage or a subtree; returns the stages and items that had not ended.
    pub(crate) fn cancel(&self, stage: StageIndex, wish: (CancelScope, &str)) -> Vec<StageIndex> {
        let shared = &self.shared;
        let now = shared.frame.clock.now();
        let mut desk = shared.lock();
        let cancelled = desk.core.cancel(&shared.frame, stage, wish, now);
        desk.core.advance(&shared.frame, now);
        shared.wake(&desk, desk.core.jobs.len());
        cancelled
    }

    /// Tells what everything that has not ended is waiting for.
    pub(crate) fn explain(&self, limit: usize) -> Vec<StageExplanation> {
        let desk = self.shared.lock();
        let Some(state) = &desk.core.state else { return Vec::new() };
        explanations(state, Some(&desk.core.pools), limit)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a worker. It ends by itself when the run is over; nobody waits for it, because it may
    /// be stuck in an abandoned attempt.
    fn spawn(self: &Arc<Self>) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        let builder = thread::Builder::new().name("task worker".to_owned());
        builder.spawn(move || shared.work()).map(drop)
    }

    fn stop(&self) {
        self.lock().core.stop(self.frame.clock.monotonic());
        self.work.notify_all();
        self.watch.notify_all();
    }

    /// Sends the workers home after an error of the system.
    fn give_up(&self, error: std::io::Error) -> MemoryError {
        self.frame.stop.cancel();
        self.lock().core.state = None;
        self.work.notify_all();
        MemoryError::NoWorker(error)
    }

    /// Watches the clock until the run is over.
    fn watch(self: &Arc<Self>) -> Result<MemoryEnd, MemoryError> {
        let clock = &self.frame.clock;
        let mut desk = self.lock();
        while !desk.core.is_over() {
            while 0 < desk.core.lost_workers {
                desk.core.lost_workers -= 1;
                if let Err(error) = self.spawn() {
                    drop(desk);
                    return Err(self.give_up(error));
                }
            }
            desk.watched = desk.next_watch();
            desk = match self.instant_of(desk.watched) {
                Some(instant) => {
                    let wait = clock.until(instant);
                    self.watch.wait_timeout(desk, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.watch.wait(desk).unwrap_or_else(PoisonError::into_inner),
            };
            let now = clock.now();
            desk.core.ring(&self.frame, now);
            desk.core.advance(&self.frame, now);
            self.wake(&desk, desk.core.jobs.len());
        }
        self.work.notify_all();
        let samples = std::mem::take(&mut desk.core.samples);
        let (taken, defect) = (desk.core.state.take(), desk.core.defect.take());
        drop(desk);
        let mut state = match (taken, defect) {
            (Some(state), None) => state,
            (_, Some(defect)) => return Err(MemoryError::Inconsistent(defect)),
            (None, None) => unreachable!("the state is taken away here only"),
        };
        if !state.is_over() {
            let reason = "asked to stop".to_owned();
            let event = Event { at: clock.now(), kind: EventKind::RunCancelled { reason } };
            state.apply(&event).map_err(MemoryError::Inconsistent)?;
        }
        Ok(MemoryEnd { state, samples })
    }

    /// Returns when the watching thread has to look.
    fn instant_of(&self, (retry, time_over): Watched) -> Option<Timestamp> {
        let clock = &self.frame.clock;
        let time_over = time_over.and_then(|time| {
            let wait = SignedDuration::try_from(time.saturating_sub(clock.monotonic())).ok()?;
            clock.now().saturating_add(wait).ok()
        });
        [retry, time_over].into_iter().flatten().min()
    }

    /// Wakes workers for so many jobs, and the watching thread if it has something to do now.
    fn wake(&self, desk: &Desk, jobs: usize) {
        for _ in 0..jobs.min(desk.waiting) {
            self.work.notify_one();
        }
        let (retry, time_over) = desk.next_watch();
        let is_earlier = is_before(retry, desk.watched.0) || is_before(time_over, desk.watched.1);
        if is_earlier || 0 < desk.core.lost_workers || desk.core.is_over() {
            self.watch.notify_one();
        }
    }

    /// Makes one attempt after another until there will be no more.
    fn work(&self) {
        let (frame, clock) = (&self.frame, &*self.frame.clock);
        let mut desk = self.lock();
        loop {
            let Some(job) = desk.core.jobs.pop_front() else {
                if desk.core.is_over() {
                    return;
                }
                desk.waiting += 1;
                desk = self.work.wait(desk).unwrap_or_else(PoisonError::into_inner);
                desk.waiting -= 1;
                continue;
            };
            drop(desk);
            let begun = clock.monotonic();
            let produced = frame.tasks[job.place].attempt(&job, clock, &frame.recovery);
            let elapsed = clock.monotonic().saturating_sub(begun);
            let (stage, token, now) = (job.stage, job.token, clock.now());
            desk = self.lock();
            if !desk.core.conclude(frame, Back { stage, token, produced, elapsed }, now) {
                // Somebody else has taken this worker's place.
                return;
            }
            desk.core.advance(frame, now);
            // One of the jobs is for this worker itself.
            self.wake(&desk, desk.core.jobs.len().saturating_sub(1));
        }
    }
}

impl Desk {
    fn next_watch(&self) -> Watched {
        (self.core.next_retry(), self.core.alarms.next())
    }
}

fn is_before<T: Ord>(time: Option<T>, other: Option<T>) -> bool {
    time.is_some_and(|time| other.is_none_or(|other| time < other))
}
