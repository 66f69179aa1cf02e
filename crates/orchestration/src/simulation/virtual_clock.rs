//! A clock for whole programs in virtual time: it moves when nobody has anything to do.
//!
//! The real runtime waits by it, on its real threads. The clock knows who waits for what, and once
//! all threads wait and all attempts [sleep](VirtualClock::sleep), it goes to the next instant that
//! anybody waits for. It reads no time and starts no thread. Unlike [`crate::ManualClock`] it lets
//! attempts take time and several runs go on side by side.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Awaited, Clock};
use crate::task::CancellationToken;

/// What one thread says to another is handled before all threads have asked so often in turn.
const ROUNDS: u64 = 3;

/// How long, in real time, a thread waits for a message while an attempt is at work.
const WHILE_ATTEMPTS_WORK: Duration = Duration::from_micros(200);

/// How long, in real time, while another thread is at work.
const WHILE_THREADS_WORK: Duration = Duration::from_micros(20);

/// A thread that waits by the clock.
#[derive(Debug)]
struct Waiter {
    until: Option<Duration>,
    attempts: usize,
    /// The round in which it asked last.
    asked_in: u64,
}

#[derive(Debug)]
struct State {
    /// Since the start, never going back.
    elapsed: Duration,
    /// What the wall clock shows too much.
    offset: SignedDuration,
    /// So many threads wait, or are going to.
    joined: usize,
    waiters: HashMap<ThreadId, Waiter>,
    /// When each sleeping attempt wakes, by number.
    sleepers: BTreeMap<u64, Duration>,
    sleeper_next: u64,
    /// In a round every thread asks once.
    round: u64,
    /// The round in which something changed last.
    changed_in: u64,
    /// When the world acts; the clock stands while it does.
    world_acts_at: Option<Duration>,
}

/// A clock that moves when nobody has anything to do.
#[derive(Debug)]
pub struct VirtualClock {
    start: Timestamp,
    state: Mutex<State>,
    moved: Condvar,
}

impl VirtualClock {
    /// Starts the clock; it stands until the [world waits](Self::wait_as_world).
    pub fn new(start: Timestamp) -> Arc<Self> {
        let state = State {
            elapsed: Duration::ZERO,
            offset: SignedDuration::ZERO,
            joined: 0,
            waiters: HashMap::new(),
            sleepers: BTreeMap::new(),
            sleeper_next: 0,
            round: 0,
            changed_in: 0,
            world_acts_at: None,
        };
        Arc::new(Self { start, state: Mutex::new(state), moved: Condvar::new() })
    }

    /// Lets time pass in an attempt; less if somebody asks it to stop.
    pub fn sleep(self: &Arc<Self>, duration: Duration, cancellation: &CancellationToken) {
        let mut state = self.lock();
        let number = state.sleeper_next;
        state.sleeper_next += 1;
        let wake_at = state.elapsed.saturating_add(duration);
        state.sleepers.insert(number, wake_at);
        state.change();
        drop(state);
        let clock = Arc::clone(self);
        let _subscription = cancellation.on_cancel(move || clock.wake(number));
        let mut state = self.lock();
        while state.sleepers.contains_key(&number) {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets everything happen until it is `true_time`, and returns then. The clock moves only
    /// meanwhile, so that whoever calls this acts as the world around the program.
    pub fn wait_as_world(&self, true_time: Timestamp) {
        let until = Duration::try_from(true_time - self.start).unwrap_or(Duration::ZERO);
        let mut state = self.lock();
        state.world_acts_at = Some(until);
        state.change();
        while state.elapsed < until {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.world_acts_at = None;
    }

    /// Sets the wall clock forward or back; how much time has passed does not change.
    pub fn step(&self, by: SignedDuration) {
        let mut state = self.lock();
        state.offset = state.offset.saturating_add(by);
        state.change();
    }

    /// Returns what a right wall clock would show.
    pub fn true_time(&self) -> Timestamp {
        self.shown(self.lock().elapsed, SignedDuration::ZERO)
    }

    fn wake(&self, sleeper: u64) {
        let mut state = self.lock();
        if state.sleepers.remove(&sleeper).is_some() {
            state.change();
            self.moved.notify_all();
        }
    }

    fn shown(&self, elapsed: Duration, offset: SignedDuration) -> Timestamp {
        let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(elapsed.saturating_add(offset)).unwrap_or(Timestamp::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let state = self.lock();
        self.shown(state.elapsed, state.offset)
    }

    fn monotonic(&self) -> Duration {
        self.lock().elapsed
    }

    fn until(&self, instant: Timestamp) -> Duration {
        Duration::try_from(instant - self.now()).unwrap_or(Duration::ZERO)
    }

    fn patience(&self, Awaited { instant, attempts }: Awaited) -> Option<Duration> {
        let own = thread::current().id();
        let mut state = self.lock();
        let until = instant.map(|instant| {
            let shown_too_late = self.start.saturating_add(state.offset).unwrap_or(self.start);
            Duration::try_from(instant - shown_too_late).unwrap_or(Duration::ZERO)
        });
        let is_due = |state: &State| until.is_some_and(|until| until <= state.elapsed);
        if !is_due(&state) {
            state.ask(own, until, attempts);
            if state.is_settled() && state.advance() {
                self.moved.notify_all();
            }
        }
        if is_due(&state) {
            // It is going to act, and must not be taken for one that waits.
            state.waiters.remove(&own);
            return Some(Duration::ZERO);
        }
        let patience = state.patience();
        drop(state);
        if patience.is_zero() {
            thread::yield_now();
        }
        Some(patience)
    }

    fn join(&self) {
        let mut state = self.lock();
        state.joined += 1;
        state.change();
    }

    fn leave(&self) {
        let mut state = self.lock();
        state.joined = state.joined.saturating_sub(1);
        state.waiters.remove(&thread::current().id());
        state.change();
    }
}

impl State {
    /// Takes note that everybody has to ask anew.
    fn change(&mut self) {
        self.round += 1;
        self.changed_in = self.round;
    }

    /// Takes note of what a thread waits for.
    fn ask(&mut self, thread: ThreadId, until: Option<Duration>, attempts: usize) {
        let known = self.waiters.get(&thread);
        if known.is_none_or(|known| (known.until, known.attempts) != (until, attempts)) {
            self.change();
        }
        let asked_in = self.round;
        self.waiters.insert(thread, Waiter { until, attempts, asked_in });
    }

    /// Tells whether nobody has anything to do, as far as is known after enough rounds.
    fn is_settled(&mut self) -> bool {
        let all_wait = self.waiters.len() == self.joined;
        if !all_wait || self.attempts_work() || self.world_acts_at.is_none() {
            return false;
        }
        if self.waiters.values().all(|waiter| waiter.asked_in == self.round) {
            self.round += 1;
        }
        ROUNDS <= self.round - self.changed_in
    }

    /// Tells whether an attempt does something else than sleeping.
    fn attempts_work(&self) -> bool {
        let attempts: usize = self.waiters.values().map(|waiter| waiter.attempts).sum();
        self.sleepers.len() < attempts
    }

    /// Goes to the next instant that anybody waits for; tells whether somebody must be woken.
    fn advance(&mut self) -> bool {
        let waiters = self.waiters.values().filter_map(|waiter| waiter.until);
        let sleepers = self.sleepers.values().copied();
        let next = waiters.chain(sleepers).chain(self.world_acts_at).min();
        self.elapsed = next.map_or(self.elapsed, |next| next.max(self.elapsed));
        let (asleep, elapsed) = (self.sleepers.len(), self.elapsed);
        self.sleepers.retain(|_, wake_at| elapsed < *wake_at);
        self.change();
        self.sleepers.len() < asleep || self.world_acts_at.is_some_and(|at| at <= elapsed)
    }

    /// Returns how long, in real time, a thread waits before it asks again.
    fn patience(&self) -> Duration {
        if self.attempts_work() {
            WHILE_ATTEMPTS_WORK
        } else if self.waiters.len() < self.joined || self.world_acts_at.is_none() {
            WHILE_THREADS_WORK
        } else {
            Duration::ZERO
        }
    }
}
