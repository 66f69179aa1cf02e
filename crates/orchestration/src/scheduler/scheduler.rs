//! The loop that waits: asks the timetable what follows, has it done, waits for what comes first.
//!
//! It waits in one place, on its channel. What follows is decided in [`super::timetable`]; whoever
//! handles the actions must return soon, because meanwhile nothing else starts.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use jiff::Timestamp;

use super::action::{DueRun, ScheduleAction};
use super::timetable::{Timetable, TimetableError};
use crate::clock::{Awaited, Clock, receive};

/// The loop looks at the clock at least this often while a firing is ahead, because waiting does
/// not notice that the wall clock was set or the computer slept: a firing is late by no more than
/// this then. A look takes some microseconds, so that this is no measurable load.
pub const CLOCK_CHECK_INTERVAL: Duration = Duration::from_secs(15);

/// A change to a running timetable.
type Edit = Box<
    dyn FnOnce(&mut Timetable, Timestamp) -> Result<Vec<ScheduleAction>, TimetableError> + Send,
>;

enum Message {
    Ended(DueRun),
    Edit(Edit, Sender<Result<(), TimetableError>>),
    Stop,
}

/// A scheduler has ended and hears nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scheduler has ended")]
pub struct SchedulerEnded;

/// Why a running timetable was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The scheduler has ended.
    #[error(transparent)]
    Ended(#[from] SchedulerEnded),
    /// The change is not possible.
    #[error(transparent)]
    Timetable(#[from] TimetableError),
}

/// Waits until something is due, and has it done.
pub struct Scheduler {
    timetable: Timetable,
    clock: Arc<dyn Clock>,
    sender: Sender<Message>,
    messages: Receiver<Message>,
}

/// Talks to a scheduler from any thread.
#[derive(Clone)]
pub struct SchedulerHandle {
    sender: Sender<Message>,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    GoOn,
    Stop,
}

impl Scheduler {
    /// Returns a scheduler that does not run yet.
    pub fn new(timetable: Timetable, clock: Arc<dyn Clock>) -> Self {
        let (sender, messages) = channel();
        Self { timetable, clock, sender, messages }
    }

    /// Returns what talks to this scheduler.
    pub fn handle(&self) -> SchedulerHandle {
        SchedulerHandle { sender: self.sender.clone() }
    }

    /// Returns what is scheduled and what runs.
    pub fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    /// Runs until it is stopped, and has every action handled on this thread.
    pub fn run(&mut self, handle_action: &mut dyn FnMut(ScheduleAction)) {
        self.run_while(None, handle_action);
    }

    /// Runs until it is stopped or `end` has come; what is due at `end` is left.
    pub fn run_until(&mut self, end: Timestamp, handle_action: &mut dyn FnMut(ScheduleAction)) {
        self.run_while(Some(end), handle_action);
    }

    /// Makes a run due that an earlier process began and did not finish.
    pub(super) fn resume(&mut self, run: DueRun, handle_action: &mut dyn FnMut(ScheduleAction)) {
        self.timetable.resume(run).into_iter().for_each(handle_action);
    }

    fn run_while(&mut self, end: Option<Timestamp>, handle_action: &mut dyn FnMut(ScheduleAction)) {
        loop {
            // What has been said comes first: a clock that is moved by waiting must find it done.
            while let Ok(message) = self.messages.try_recv() {
                if self.hear(message, handle_action) == Turn::Stop {
                    return;
                }
            }
            let now = self.clock.now();
            if end.is_some_and(|end| end <= now) {
                return;
            }
            let actions = self.timetable.advance(now);
            if !actions.is_empty() {
                actions.into_iter().for_each(&mut *handle_action);
                continue;
            }
            if self.wait(end, handle_action) == Turn::Stop {
                return;
            }
        }
    }

    /// Waits for a message, the next firing, the end, or another look at the clock.
    fn wait(
        &mut self,
        end: Option<Timestamp>,
        handle_action: &mut dyn FnMut(ScheduleAction),
    ) -> Turn {
        let wakes = [self.timetable.next_wake(), end];
        let awaited = Awaited { instant: wakes.into_iter().flatten().min(), attempts: 0 };
        match receive(&Watchful(self.clock.as_ref()), &self.messages, awaited) {
            Ok(message) => self.hear(message, handle_action),
            Err(RecvTimeoutError::Timeout) => Turn::GoOn,
            // Never while this scheduler holds a sender itself.
            Err(RecvTimeoutError::Disconnected) => Turn::Stop,
        }
    }

    fn hear(&mut self, message: Message, handle_action: &mut dyn FnMut(ScheduleAction)) -> Turn {
        match message {
            Message::Ended(run) => {
                self.timetable.ended(&run).into_iter().for_each(handle_action);
                Turn::GoOn
            }
            Message::Edit(edit, answer) => {
                let result = edit(&mut self.timetable, self.clock.now());
                let told = result.map(|actions| actions.into_iter().for_each(handle_action));
                // Who asked may have gone; the change is made all the same.
                drop(answer.send(told));
                Turn::GoOn
            }
            Message::Stop => Turn::Stop,
        }
    }
}

/// A clock that is looked at again before long, however far a firing is.
#[derive(Debug)]
struct Watchful<'c>(&'c dyn Clock);

impl Clock for Watchful<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn until(&self, instant: Timestamp) -> Duration {
        self.0.until(instant).min(CLOCK_CHECK_INTERVAL)
    }

    fn patience(&self, awaited: Awaited) -> Option<Duration> {
        let patience = self.0.patience(awaited);
        patience.map(|patience| patience.min(CLOCK_CHECK_INTERVAL))
    }
}

impl SchedulerHandle {
    /// Says that a started run has ended.
    pub fn ended(&self, run: DueRun) -> Result<(), SchedulerEnded> {
        self.sender.send(Message::Ended(run)).map_err(|_| SchedulerEnded)
    }

    /// Changes the timetable and waits until that is done: adds, replaces, pauses, runs now.
    ///
    /// Must not be called by whoever handles the scheduler's actions: they would wait for
    /// themselves.
    pub fn edit<F>(&self, edit: F) -> Result<(), EditError>
    where
        F: FnOnce(&mut Timetable, Timestamp) -> Result<Vec<ScheduleAction>, TimetableError>
            + Send
            + 'static,
    {
        let (sender, answer) = channel();
        let message = Message::Edit(Box::new(edit), sender);
        self.sender.send(message).map_err(|_| SchedulerEnded)?;
        answer.recv().map_err(|_| SchedulerEnded)??;
        Ok(())
    }

    /// Asks the scheduler to end; nothing starts any more.
    pub fn stop(&self) -> Result<(), SchedulerEnded> {
        self.sender.send(Message::Stop).map_err(|_| SchedulerEnded)
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedules = self.timetable.schedules().count();
        formatter.debug_struct("Scheduler").field("schedules", &schedules).finish_non_exhaustive()
    }
}

impl fmt::Debug for SchedulerHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SchedulerHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_far_firing_is_not_waited_for_without_a_look_at_the_clock() {
        let clock = SystemClock::new();
        let far = clock.now() + SignedDuration::from_hours(9);
        assert_eq!(Watchful(&clock).until(far), CLOCK_CHECK_INTERVAL);
        assert_eq!(Watchful(&clock).until(clock.now()), Duration::ZERO);
    }
}
