//! Children that are ready: each call borrows one, or waits for one, or has one started.
//!
//! Nothing polls. Calls wait until a child is given back or a place for another one is free; a
//! thread that starts children ahead sleeps until one is missing; a child's end wakes its listener.
//! Children live in real time, whatever clock the executor has.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::call::{Call, CallEnd};
use super::child::Child;
use super::{IsolatedCommand, IsolatedError, IsolatedLimits, IsolatedPolicy};
use crate::clock::{Clock, SystemClock};
use crate::recovery::{FailureClass, StageFailure};
use crate::task::{StageContext, StageResult};

/// Calls functions in child processes that it keeps ready. Its drop ends them all.
pub struct IsolatedPool {
    shared: Arc<Shared>,
    functions: BTreeSet<String>,
    /// Starts children ahead.
    keeper: Option<JoinHandle<()>>,
}

struct Shared {
    command: IsolatedCommand,
    policy: IsolatedPolicy,
    clock: SystemClock,
    core: Mutex<Core>,
    /// Wakes calls that wait for a child or for a place.
    freed: Condvar,
    /// Wakes the keeper.
    missing: Condvar,
}

#[derive(Default)]
struct Core {
    /// The one that was used last comes last.
    idle: Vec<Seated>,
    /// How many children there are, those that are being started included.
    seats_taken: usize,
    number_next: u64,
    /// What children are started ahead with: what was asked for last.
    memory_bytes_max: Option<u64>,
    /// Whether it is worth looking if children are missing.
    is_disturbed: bool,
    is_closing: bool,
}

/// A child with its place in the pool.
struct Seated {
    // Dropped first: the place is free when the child is dead.
    child: Child,
    seat: Seat,
    memory_bytes_max: Option<u64>,
}

/// The right to have a child. Never dropped under the lock.
struct Seat {
    shared: Arc<Shared>,
    number: u64,
}

impl IsolatedPool {
    /// Starts a first child, to see that `command` is one, and then others ahead of the calls.
    pub fn start(command: IsolatedCommand, policy: IsolatedPolicy) -> Result<Self, IsolatedError> {
        let shared = Arc::new(Shared {
            command,
            policy,
            clock: SystemClock::new(),
            core: Mutex::default(),
            freed: Condvar::new(),
            missing: Condvar::new(),
        });
        let seat = Seat::take(&shared, &mut shared.lock());
        let first = Seated::start(seat, None)?;
        let functions = first.child.functions().clone();
        shared.give_back(first);
        let kept = Arc::clone(&shared);
        let keeper = thread::Builder::new()
            .name("keeper of isolated children".to_owned())
            .spawn(move || kept.keep())
            .map_err(|source| {
                let command = shared.command.to_string();
                let idle = shared.lock().idle.split_off(0);
                drop(idle);
                IsolatedError::NotStarted { command, source }
            })?;
        Ok(Self { shared, functions, keeper: Some(keeper) })
    }

    /// Returns the names of the functions that the children serve.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(String::as_str)
    }

    /// Returns a function that calls `name` in a child, for the registry of the orchestrator.
    ///
    /// The child serves a registry of its own: there, `name` is the function that does the work.
    pub fn function(
        self: &Arc<Self>,
        name: &str,
        limits: IsolatedLimits,
    ) -> Result<impl Fn(&StageContext) -> StageResult + Send + Sync + use<>, IsolatedError> {
        if !self.functions.contains(name) {
            return Err(IsolatedError::UnknownFunction {
                command: self.shared.command.to_string(),
                function: name.to_owned(),
                functions: self.functions.iter().cloned().collect::<Vec<_>>().join(", "),
            });
        }
        let (pool, name) = (Arc::clone(self), name.to_owned());
        Ok(move |stage: &StageContext| pool.call(&name, limits, stage))
    }

    /// Calls `function` in a child and waits for its end, at the latest until its time is over, or
    /// until somebody asks to stop.
    pub fn call(
        &self,
        function: &str,
        limits: IsolatedLimits,
        context: &StageContext,
    ) -> StageResult {
        let shared = &self.shared;
        let begun = shared.clock.monotonic();
        let call = Call { function, context, limits, begun };
        // Each child that died while it was idle is met once.
        let mut surprises_left = shared.policy.children_max.get();
        loop {
            let mut seated = shared.borrow(&call)?;
            let end = call.make(&mut seated.child, &shared.policy, &shared.clock);
            let failure = match end {
                CallEnd::Answered(result) => {
                    shared.give_back(seated);
                    return result;
                }
                CallEnd::NotBegun(_) if 0 < surprises_left => {
                    surprises_left -= 1;
                    continue;
                }
                CallEnd::NotBegun(failure) | CallEnd::Died(failure) => failure,
            };
            drop(seated);
            shared.disturb();
            return Err(failure);
        }
    }
}

impl Shared {
    /// Returns a child for `call`, as soon as there is one.
    fn borrow(self: &Arc<Self>, call: &Call<'_>) -> Result<Seated, StageFailure> {
        let cancellation = &call.context.cancellation;
        let woken = Arc::clone(self);
        let _subscription = cancellation.on_cancel(move || {
            // Whoever has looked at the token and not begun to wait holds the lock.
            drop(woken.lock());
            woken.freed.notify_all();
        });
        let memory_bytes_max = call.limits.memory_bytes_max;
        let mut core = self.lock();
        core.memory_bytes_max = memory_bytes_max;
        loop {
            if cancellation.is_cancelled() {
                let message = "asked to stop before an isolated worker was free";
                return Err(StageFailure::new(FailureClass::Cancelled, message));
            }
            let fits = |seated: &Seated| seated.memory_bytes_max == memory_bytes_max;
            // Somebody must go if nobody fits and no place is free.
            let found = match core.idle.iter().rposition(fits) {
                Some(fitting) => core.idle.remove(fitting),
                None if core.seats_taken < self.policy.children_max.get() => {
                    let seat = Seat::take(self, &mut core);
                    drop(core);
                    return Ok(Seated::start(seat, memory_bytes_max)?);
                }
                None if core.idle.is_empty() => {
                    core = self.wait(core, call)?;
                    continue;
                }
                None => core.idle.remove(0),
            };
            drop(core);
            if fits(&found) && !found.child.is_over() {
                return Ok(found);
            }
            drop(found);
            core = self.lock();
        }
    }

    /// Waits until something has changed or the time of `call` is over.
    fn wait<'c>(
        &self,
        core: MutexGuard<'c, Core>,
        call: &Call<'_>,
    ) -> Result<MutexGuard<'c, Core>, StageFailure> {
        let Some(over_at) = call.over_at() else {
            return Ok(self.freed.wait(core).unwrap_or_else(PoisonError::into_inner));
        };
        let left = over_at.saturating_sub(self.clock.monotonic());
        if left.is_zero() {
            let timeout = call.limits.timeout.unwrap_or_default();
            let message = format!("no isolated worker was free within {timeout:?}");
            return Err(StageFailure::new(FailureClass::Timeout, message));
        }
        let (core, _) = self.freed.wait_timeout(core, left).unwrap_or_else(PoisonError::into_inner);
        Ok(core)
    }

    /// Takes a child back that has done its work.
    fn give_back(&self, seated: Seated) {
        let mut core = self.lock();
        let is_spent = self.policy.calls_per_child_max.get() <= seated.child.calls();
        let leaver = if is_spent || core.is_closing || seated.child.is_over() {
            Some(seated)
        } else {
            core.idle.push(seated);
            (self.policy.idle_max < core.idle.len()).then(|| core.idle.remove(0))
        };
        drop(core);
        drop(leaver);
        self.disturb();
    }

    /// Tells everyone who waits to look again.
    fn disturb(&self) {
        self.lock().is_disturbed = true;
        self.freed.notify_all();
        self.missing.notify_all();
    }

    /// Removes a child that has ended while nobody used it.
    fn bury(&self, number: u64) {
        let mut core = self.lock();
        let position = core.idle.iter().position(|seated| seated.seat.number == number);
        let Some(dead) = position.map(|position| core.idle.remove(position)) else { return };
        drop(core);
        // One that dies without having done anything would only be followed by the next.
        let is_worth_replacing = 0 < dead.child.calls();
        drop(dead);
        if is_worth_replacing {
            self.disturb();
        }
    }

    /// Starts children ahead whenever some are missing, until the pool closes.
    fn keep(self: &Arc<Self>) {
        let mut core = self.lock();
        while !core.is_closing {
            let is_missing = core.idle.len() < self.policy.idle_max
                && core.seats_taken < self.policy.children_max.get();
            if !(core.is_disturbed && is_missing) {
                core.is_disturbed = false;
                core = self.missing.wait(core).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let seat = Seat::take(self, &mut core);
            let memory_bytes_max = core.memory_bytes_max;
            drop(core);
            let started = Seated::start(seat, memory_bytes_max);
            core = self.lock();
            match started {
                Ok(seated) if !seated.child.is_over() => {
                    core.idle.push(seated);
                    self.freed.notify_all();
                }
                // The next call tries again, and is told why it fails.
                failed => {
                    core.is_disturbed = false;
                    drop(core);
                    drop(failed);
                    core = self.lock();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    fn start(seat: Seat, memory_bytes_max: Option<u64>) -> Result<Self, IsolatedError> {
        let (shared, number) = (Arc::clone(&seat.shared), seat.number);
        let (command, answer_max) = (&seat.shared.command, seat.shared.policy.answer_max);
        let on_end = move || shared.bury(number);
        let child = Child::start(command, memory_bytes_max, answer_max, on_end)?;
        Ok(Self { child, seat, memory_bytes_max })
    }
}

impl Seat {
    fn take(shared: &Arc<Shared>, core: &mut Core) -> Self {
        core.seats_taken += 1;
        core.number_next += 1;
        Self { shared: Arc::clone(shared), number: core.number_next }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.lock().seats_taken -= 1;
        self.shared.freed.notify_all();
    }
}

impl Drop for IsolatedPool {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.missing.notify_all();
        if let Some(keeper) = self.keeper.take() {
            // A panic of the keeper would be our bug; the children must end all the same.
            drop(keeper.join());
        }
        let idle = self.shared.lock().idle.split_off(0);
        drop(idle);
    }
}

impl fmt::Debug for IsolatedPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IsolatedPool")
            .field("command", &self.shared.command)
            .field("policy", &self.shared.policy)
            .field("functions", &self.functions)
            .finish_non_exhaustive()
    }
}
