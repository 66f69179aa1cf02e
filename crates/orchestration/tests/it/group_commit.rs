//! The commit queue under schedules that a machine rarely shows: random ones, and ones that hold a
//! thread back at the worst moment (PCT).
//!
//! The queue is the file the journal is built with, compiled here against shuttle's locks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::sync::{Arc, Mutex, MutexGuard};
use shuttle::{Config, Runner, thread};

mod sync {
    //! What the queue locks with.
    pub(super) use shuttle::sync::{Condvar, Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "../../src/journal/commit_queue.rs"]
mod commit_queue;

use commit_queue::{CommitQueue, WriterPanicked};

/// Schedules tried with each scheduler.
const SCHEDULES: usize = 1_500;

/// Runs ask so often each.
const CHANGES_PER_RUN: u32 = 2;

/// Runs that ask at the same time.
const RUNS: u32 = 3;

/// A change says whose it is and which.
type Change = (u32, u32);

/// Takes changes to the disk and says at which place they are there.
trait Queue: Send + Sync + 'static {
    fn start() -> Self;
    fn commit(&self, change: Change, disk: &Disk) -> Result<usize, WriterPanicked>;
}

impl Queue for CommitQueue<Change, usize> {
    fn start() -> Self {
        // Fewer than can wait, so that some are left for the next transaction.
        Self::new(2)
    }

    fn commit(&self, change: Change, disk: &Disk) -> Result<usize, WriterPanicked> {
        self.commit(change, |changes| disk.write(changes))
    }
}

/// Where changes end up; slow, and unhappy about two writers at once.
#[derive(Default)]
struct Disk {
    rows: Mutex<Vec<Change>>,
    is_busy: AtomicBool,
    /// Panics at this change.
    breaks_at: Option<Change>,
}

impl Disk {
    /// While one task unwinds, shuttle's other tasks look as if they panicked too.
    fn rows(&self) -> MutexGuard<'_, Vec<Change>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, changes: &[Change]) -> Vec<usize> {
        let was_busy = self.is_busy.swap(true, Ordering::SeqCst);
        assert!(!was_busy, "two transactions at once");
        thread::yield_now();
        let broken = self.breaks_at.is_some_and(|change| changes.contains(&change));
        let mut places = Vec::new();
        if !broken {
            let mut rows = self.rows();
            for change in changes {
                places.push(rows.len());
                rows.push(*change);
            }
        }
        self.is_busy.store(false, Ordering::SeqCst);
        assert!(!broken, "the disk is on fire");
        places
    }
}

/// Several runs commit at once; each change is on the disk when its caller is told so, once, and in
/// the order of its run.
fn everybody_commits<Q: Queue>() {
    let queue = Arc::new(Q::start());
    let disk = Arc::new(Disk::default());
    let runs: Vec<_> = (0..RUNS)
        .map(|run| {
            let (queue, disk) = (Arc::clone(&queue), Arc::clone(&disk));
            thread::spawn(move || {
                let mut last = None;
                for number in 0..CHANGES_PER_RUN {
                    let place = queue.commit((run, number), &disk).unwrap();
                    let there = disk.rows().get(place).copied();
                    assert_eq!(there, Some((run, number)), "acknowledged and not there");
                    assert!(last < Some(place), "run {run} is out of order");
                    last = Some(place);
                }
            })
        })
        .collect();
    for run in runs {
        run.join().unwrap();
    }
    let mut rows = disk.rows().clone();
    rows.sort_unstable();
    let expected: Vec<Change> =
        (0..RUNS).flat_map(|run| (0..CHANGES_PER_RUN).map(move |number| (run, number))).collect();
    assert_eq!(rows, expected, "each change once");
}

/// One writer panics; nobody waits for ever, and nobody is told of a commit that was not.
fn somebody_panics() {
    let queue = Arc::new(CommitQueue::<Change, usize>::start());
    let disk = Arc::new(Disk { breaks_at: Some((1, 0)), ..Disk::default() });
    let runs: Vec<_> = (0..RUNS)
        .map(|run| {
            let (queue, disk) = (Arc::clone(&queue), Arc::clone(&disk));
            thread::spawn(move || {
                let told =
                    catch_unwind(AssertUnwindSafe(|| Queue::commit(&*queue, (run, 0), &disk)));
                let rows = disk.rows().clone();
                match told {
                    Ok(Ok(place)) => assert_eq!(rows[place], (run, 0)),
                    Ok(Err(WriterPanicked)) | Err(_) => assert!(!rows.contains(&(run, 0))),
                }
            })
        })
        .collect();
    for run in runs {
        run.join().unwrap();
    }
    let place = Queue::commit(&*queue, (9, 9), &disk).unwrap();
    assert_eq!(disk.rows()[place], (9, 9), "the queue works on");
}

fn check(scenario: fn()) {
    check_with(RandomScheduler::new(SCHEDULES), scenario);
    check_with(PctScheduler::new(3, SCHEDULES), scenario);
}

fn check_with(scheduler: impl Scheduler + 'static, scenario: fn()) {
    Runner::new(scheduler, Config::new()).run(scenario);
}

/// Tells whether some schedule shows that the scenario fails.
fn is_found(scheduler: impl Scheduler + 'static, scenario: fn()) -> bool {
    catch_unwind(AssertUnwindSafe(|| check_with(scheduler, scenario))).is_err()
}

#[test]
fn every_change_is_committed_once_in_order_and_acknowledged_after_that() {
    check(everybody_commits::<CommitQueue<Change, usize>>);
}

#[test]
fn a_writer_that_panics_leaves_nobody_waiting() {
    check(somebody_panics);
}

/// A queue that wakes one sleeper where all must be: the classic mistake.
struct WakesOne {
    state: Mutex<(Vec<Change>, bool)>,
    ended: shuttle::sync::Condvar,
}

impl Queue for WakesOne {
    fn start() -> Self {
        Self { state: Mutex::default(), ended: shuttle::sync::Condvar::new() }
    }

    fn commit(&self, change: Change, disk: &Disk) -> Result<usize, WriterPanicked> {
        let place = |disk: &Disk| disk.rows().iter().position(|row| *row == change);
        let mut state = self.state.lock().unwrap();
        state.0.push(change);
        loop {
            if let Some(place) = place(disk) {
                return Ok(place);
            }
            if state.1 {
                state = self.ended.wait(state).unwrap();
                continue;
            }
            let changes = std::mem::take(&mut state.0);
            state.1 = true;
            drop(state);
            disk.write(&changes);
            state = self.state.lock().unwrap();
            state.1 = false;
            self.ended.notify_one();
        }
    }
}

/// A queue that acknowledges what somebody else is only about to write.
struct TrustsTheWriter(Mutex<Vec<Change>>);

impl Queue for TrustsTheWriter {
    fn start() -> Self {
        Self(Mutex::default())
    }

    fn commit(&self, change: Change, disk: &Disk) -> Result<usize, WriterPanicked> {
        let mut waiting = self.0.lock().unwrap();
        waiting.push(change);
        let changes = if waiting.len() == 1 { Vec::new() } else { std::mem::take(&mut *waiting) };
        drop(waiting);
        disk.write(&changes);
        Ok(disk.rows().len())
    }
}

#[test]
fn these_schedules_find_a_forgotten_sleeper_and_a_hasty_acknowledgement() {
    assert!(is_found(RandomScheduler::new(SCHEDULES), everybody_commits::<WakesOne>));
    assert!(is_found(PctScheduler::new(3, SCHEDULES), everybody_commits::<WakesOne>));
    assert!(is_found(RandomScheduler::new(SCHEDULES), everybody_commits::<TrustsTheWriter>));
    assert!(is_found(PctScheduler::new(3, SCHEDULES), everybody_commits::<TrustsTheWriter>));
}
