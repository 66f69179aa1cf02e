//! The only file that reads the time.
//!
//! Everything else is handed instants. Waiting is not done here: the runtime waits on its channel
//! for as long as [`Clock::until`] says. Local time is not known here either.

use std::fmt::Debug;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Tells the time to the runtime.
pub trait Clock: Debug + Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;

    /// Returns the time since this clock started; it never goes back, whatever the wall clock does.
    fn monotonic(&self) -> Duration;

    /// Returns how long to wait for `instant`: zero if it has passed.
    ///
    /// A simulated clock goes there by itself, so that nobody waits.
    fn until(&self, instant: Timestamp) -> Duration;

    /// Returns how long to wait for a message; `None` for as long as it takes. Whoever gets none in
    /// that time asks again: a simulated clock must know who waits.
    fn patience(&self, awaited: Awaited) -> Option<Duration> {
        awaited.instant.map(|instant| self.until(instant))
    }

    /// Says that one more thread is going to wait by this clock; a simulated clock must not move
    /// before it does.
    fn join(&self) {}

    /// Says that a thread waits by this clock no more.
    fn leave(&self) {}
}

/// What a loop of the runtime waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// An instant, if nothing happens before.
    pub instant: Option<Timestamp>,
    /// The ends of so many attempts.
    pub attempts: usize,
}

/// Waits for a message or an instant. Every loop of the runtime waits here.
pub(crate) fn receive<M>(
    clock: &dyn Clock,
    messages: &Receiver<M>,
    awaited: Awaited,
) -> Result<M, RecvTimeoutError> {
    match clock.patience(awaited) {
        Some(patience) => messages.recv_timeout(patience),
        None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// The computer's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Starts the clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn until(&self, instant: Timestamp) -> Duration {
        Duration::try_from(instant - self.now()).unwrap_or(Duration::ZERO)
    }
}

/// A clock that stands still until it is moved, for simulations and tests.
#[derive(Debug)]
pub struct ManualClock {
    started: Timestamp,
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// Starts the clock at `started`.
    pub fn new(started: Timestamp) -> Self {
        Self { started, now: Mutex::new(started) }
    }

    /// Moves the clock forward by `step`.
    ///
    /// # Panics
    /// If `step` is negative.
    pub fn advance(&self, step: SignedDuration) {
        assert!(!step.is_negative(), "a manual clock moves forward only");
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now += step;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn monotonic(&self) -> Duration {
        Duration::try_from(self.now() - self.started).unwrap_or(Duration::ZERO)
    }

    fn until(&self, instant: Timestamp) -> Duration {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = instant.max(*now);
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_goes_to_the_awaited_instant_by_itself_and_never_back() {
        let start = Timestamp::UNIX_EPOCH;
        let clock = ManualClock::new(start);
        clock.advance(SignedDuration::from_secs(5));
        assert_eq!(clock.until(start + SignedDuration::from_secs(30)), Duration::ZERO);
        assert_eq!(clock.until(start), Duration::ZERO);
        assert_eq!(clock.now(), start + SignedDuration::from_secs(30));
        assert_eq!(clock.monotonic(), Duration::from_secs(30));
    }

    #[test]
    fn the_system_clock_waits_for_the_future_and_not_for_the_past() {
        let clock = SystemClock::new();
        let hour = SignedDuration::from_hours(1);
        assert!(Duration::from_mins(59) < clock.until(clock.now() + hour));
        assert_eq!(clock.until(clock.now() - hour), Duration::ZERO);
    }
}
