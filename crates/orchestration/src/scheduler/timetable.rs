//! Decides what is due, missed or overlapping: (state, what happened, now) → actions. Pure.
//!
//! A firing is identified by its schedule and its scheduled instant. Each schedule remembers up to
//! which instant its firings are settled and looks for the next one from there, not from the
//! present, so that a clock that steps neither loses a firing nor repeats one. Waiting is done by
//! [`super::Scheduler`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::action::{Cause, DueRun, ScheduleAction, SkipReason};
use super::dst::{Firing, note_at};
use super::missed::judge;
use super::task::{OverlapPolicy, ScheduleId, ScheduledTask};
use crate::task::Priority;

/// So many firings wait for a pipeline at most.
pub const QUEUED_MAX: usize = 16;

/// A clock that is set back by less is taken for a correction (a wrong time zone is 26 hours at
/// most): nothing fires again until it has caught up. One that is set back by more was wrong
/// before, and waiting for it could take for ever.
pub const CLOCK_CORRECTION_MAX: SignedDuration = SignedDuration::from_hours(26);

/// Whether a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleState {
    /// It fires.
    Active,
    /// It does not fire; what it misses is dealt with as after downtime.
    Paused,
    /// It does not fire, and misses nothing.
    Disabled,
}

/// Why a timetable cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// The name is taken.
    #[error("schedule {id} exists already; replace it or choose another name")]
    Duplicate {
        /// The schedule.
        id: ScheduleId,
    },
    /// Nothing has this name.
    #[error("schedule {id} does not exist")]
    Unknown {
        /// The schedule.
        id: ScheduleId,
    },
    /// A setting makes no sense.
    #[error("schedule {id} has {wrong}")]
    Senseless {
        /// The schedule.
        id: ScheduleId,
        /// What makes no sense.
        wrong: &'static str,
    },
}

/// Where a schedule stands.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleView<'t> {
    /// The task.
    pub task: &'t ScheduledTask,
    /// Whether it fires.
    pub state: ScheduleState,
    /// Its next firing, if it is active.
    pub next: Option<Firing>,
}

#[derive(Debug)]
struct Entry {
    task: ScheduledTask,
    state: ScheduleState,
    /// Firings up to here were started, queued or left out, or do not count.
    settled: Timestamp,
    /// Told last as handled.
    told: Timestamp,
    next: Option<Firing>,
    /// When to look at it next.
    wake: Option<Timestamp>,
}

/// One pipeline's runs.
#[derive(Debug, Default)]
struct Lane {
    running: Option<DueRun>,
    waiting: VecDeque<DueRun>,
}

/// Schedules, and what is going on under them.
#[derive(Debug)]
pub struct Timetable {
    entries: BTreeMap<ScheduleId, Entry>,
    /// When to look at which schedule.
    wakes: BTreeSet<(Timestamp, ScheduleId)>,
    lanes: BTreeMap<Arc<str>, Lane>,
    /// The latest time that the clock has shown.
    latest: Timestamp,
}

impl Timetable {
    /// Returns a timetable without schedules.
    pub fn new(now: Timestamp) -> Self {
        let (entries, wakes, lanes) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { entries, wakes, lanes, latest: now }
    }

    /// Adds a task whose firings after `since` count: the present for a new one, the last handled
    /// instant for one that is restored.
    pub fn add(&mut self, task: ScheduledTask, since: Timestamp) -> Result<(), TimetableError> {
        let id = task.id.clone();
        if self.entries.contains_key(&id) {
            return Err(TimetableError::Duplicate { id });
        }
        check(&task)?;
        let settled = if is_far_behind(self.latest, since) { self.latest } else { since };
        let (state, told) = (ScheduleState::Active, settled);
        let entry = Entry { task, state, settled, told, next: None, wake: None };
        self.entries.insert(id.clone(), entry);
        self.wind(&id);
        Ok(())
    }

    /// Puts a task into the place of the one with the same name; a run that is going on goes on.
    /// Another schedule counts from now on.
    pub fn replace(
        &mut self,
        task: ScheduledTask,
        now: Timestamp,
    ) -> Result<Vec<ScheduleAction>, TimetableError> {
        check(&task)?;
        let id = task.id.clone();
        let entry = self.entry(&id)?;
        if entry.task.pipeline != task.pipeline {
            let wrong = "another pipeline than before; remove it and add it anew";
            return Err(TimetableError::Senseless { id, wrong });
        }
        if entry.task.schedule != task.schedule {
            entry.settled = entry.settled.max(now);
        }
        entry.task = task;
        Ok(self.rewind(&id))
    }

    /// Removes a schedule and its waiting firings; a run that is going on goes on.
    pub fn remove(&mut self, id: &ScheduleId) -> Result<Vec<ScheduleAction>, TimetableError> {
        self.unwind(id);
        let unknown = || TimetableError::Unknown { id: id.clone() };
        self.entries.remove(id).ok_or_else(unknown)?;
        let mut actions = Vec::new();
        for lane in self.lanes.values_mut() {
            let (left_out, waiting): (VecDeque<DueRun>, _) =
                lane.waiting.drain(..).partition(|run| run.schedule == *id);
            lane.waiting = waiting;
            actions.extend(left_out.iter().map(|run| skipped(run, SkipReason::Removed)));
        }
        Ok(actions)
    }

    /// Sets whether a schedule fires. What it missed while paused is due at once; what it missed
    /// while disabled never was.
    pub fn set_state(
        &mut self,
        id: &ScheduleId,
        state: ScheduleState,
        now: Timestamp,
    ) -> Result<Vec<ScheduleAction>, TimetableError> {
        let entry = self.entry(id)?;
        if entry.state == ScheduleState::Disabled {
            entry.settled = entry.settled.max(now);
        }
        entry.state = state;
        Ok(self.rewind(id))
    }

    /// Makes a run due that no schedule asks for, whatever the state of its schedule.
    pub fn run_now(
        &mut self,
        id: &ScheduleId,
        now: Timestamp,
    ) -> Result<Vec<ScheduleAction>, TimetableError> {
        let task = &self.entry(id)?.task;
        let (schedule, pipeline) = (id.clone(), Arc::clone(&task.pipeline));
        let (note, overlap) = (note_at(task.schedule.zone(), now), task.overlap);
        let run = DueRun { schedule, pipeline, scheduled_at: now, cause: Cause::Request, note };
        let mut actions = Vec::new();
        self.arrive(run, overlap, &mut actions);
        Ok(actions)
    }

    /// Makes a run due that an earlier process began and did not finish.
    pub fn resume(&mut self, run: DueRun) -> Vec<ScheduleAction> {
        let mut actions = Vec::new();
        self.arrive(run, OverlapPolicy::Queue, &mut actions);
        actions
    }

    /// Takes note of the time, and decides what becomes of all firings that are due.
    pub fn advance(&mut self, now: Timestamp) -> Vec<ScheduleAction> {
        let mut actions = Vec::new();
        self.notice_clock(now, &mut actions);
        loop {
            let mut due = self.due(now);
            if due.is_empty() {
                return actions;
            }
            // The sort is stable: among equals the first comes first.
            due.sort_by_key(|id| Reverse(self.priority(id)));
            due.iter().for_each(|id| self.fire(id, now, &mut actions));
        }
    }

    /// Takes note that a started run has ended. Does nothing if it is not running.
    pub fn ended(&mut self, run: &DueRun) -> Vec<ScheduleAction> {
        let mut actions = Vec::new();
        let Some(lane) = self.lanes.get_mut(&run.pipeline) else { return actions };
        if lane.running.as_ref() != Some(run) {
            return actions;
        }
        let entry = |at: &usize| self.entries.get(&lane.waiting[*at].schedule);
        let urgency = |at: &usize| Reverse(entry(at).map(|entry| entry.task.priority));
        // The first of the most urgent: it has waited longest.
        let next = (0..lane.waiting.len()).min_by_key(urgency);
        lane.running = next.and_then(|at| lane.waiting.remove(at));
        match lane.running.clone() {
            Some(next) => {
                let id = next.schedule.clone();
                actions.push(ScheduleAction::Start(next));
                self.tell_handled(&id, &mut actions);
            }
            None => {
                self.lanes.remove(&run.pipeline);
            }
        }
        actions
    }

    /// Returns when to call [`Self::advance`] next, if nothing else happens.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Returns the schedules by name.
    pub fn schedules(&self) -> impl Iterator<Item = ScheduleView<'_>> {
        self.entries.values().map(|entry| {
            let next = entry.next.filter(|_| entry.state == ScheduleState::Active);
            ScheduleView { task: &entry.task, state: entry.state, next }
        })
    }

    /// Returns the runs that have started and not ended.
    pub fn running(&self) -> impl Iterator<Item = &DueRun> {
        self.lanes.values().filter_map(|lane| lane.running.as_ref())
    }

    /// Takes the schedules that are to be looked at by `now`, in order.
    fn due(&mut self, now: Timestamp) -> Vec<ScheduleId> {
        let mut due = Vec::new();
        while let Some((at, _)) = self.wakes.first()
            && *at <= now
            && let Some((_, id)) = self.wakes.pop_first()
        {
            due.push(id);
        }
        due
    }

    fn priority(&self, id: &ScheduleId) -> Priority {
        self.entries.get(id).map_or_else(Priority::default, |entry| entry.task.priority)
    }

    fn entry(&mut self, id: &ScheduleId) -> Result<&mut Entry, TimetableError> {
        self.entries.get_mut(id).ok_or_else(|| TimetableError::Unknown { id: id.clone() })
    }

    fn notice_clock(&mut self, now: Timestamp, actions: &mut Vec<ScheduleAction>) {
        if !is_far_behind(now, self.latest) {
            self.latest = self.latest.max(now);
            return;
        }
        actions.push(ScheduleAction::ClockSetBack { from: self.latest, to: now });
        self.latest = now;
        let ids: Vec<ScheduleId> = self.entries.keys().cloned().collect();
        for id in ids {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.settled = entry.settled.min(now);
                entry.told = entry.told.min(now);
            }
            self.wind(&id);
        }
    }

    /// Judges the firings of one schedule that are due.
    fn fire(&mut self, id: &ScheduleId, now: Timestamp, actions: &mut Vec<ScheduleAction>) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let Some(first) = entry.next else { return };
        let judgement = judge(&entry.task, entry.settled, first, now);
        entry.settled = judgement.last().map_or(first.at, |last| last.max(first.at));
        let (overlap, pipeline) = (entry.task.overlap, Arc::clone(&entry.task.pipeline));
        if let Some((first, last)) = judgement.skipped {
            let (schedule, reason) = (id.clone(), SkipReason::Late);
            actions.push(ScheduleAction::Skipped { schedule, first, last, reason });
        }
        for Firing { at, note } in judgement.run {
            let (schedule, pipeline) = (id.clone(), Arc::clone(&pipeline));
            let cause = Cause::Schedule;
            let run = DueRun { schedule, pipeline, scheduled_at: at, cause, note };
            self.arrive(run, overlap, actions);
        }
        self.wind(id);
        self.tell_handled(id, actions);
    }

    /// Starts a run if its pipeline is free, or does what the policy says.
    fn arrive(&mut self, run: DueRun, overlap: OverlapPolicy, actions: &mut Vec<ScheduleAction>) {
        let lane = self.lanes.entry(Arc::clone(&run.pipeline)).or_default();
        let Some(running) = &lane.running else {
            lane.running = Some(run.clone());
            actions.push(ScheduleAction::Start(run));
            return;
        };
        match overlap {
            OverlapPolicy::Queue if lane.waiting.len() < QUEUED_MAX => lane.waiting.push_back(run),
            OverlapPolicy::Queue => actions.push(skipped(&run, SkipReason::QueueFull)),
            OverlapPolicy::Skip => actions.push(skipped(&run, SkipReason::Overlap)),
            OverlapPolicy::CancelPrevious => {
                actions.push(ScheduleAction::Cancel(running.clone()));
                let superseded: Vec<DueRun> = lane.waiting.drain(..).collect();
                lane.waiting.push_back(run);
                for run in superseded {
                    actions.push(skipped(&run, SkipReason::Superseded));
                    self.tell_handled(&run.schedule, actions);
                }
            }
        }
    }

    /// Tells up to where the firings of a schedule are handled: those that wait are not.
    fn tell_handled(&mut self, id: &ScheduleId, actions: &mut Vec<ScheduleAction>) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let lane = self.lanes.get(&entry.task.pipeline);
        let waiting = lane.into_iter().flat_map(|lane| &lane.waiting);
        let is_of_schedule = |run: &&DueRun| run.schedule == *id && run.cause == Cause::Schedule;
        let first_waiting = waiting.filter(is_of_schedule).map(|run| run.scheduled_at).min();
        let up_to = first_waiting
            .and_then(|at| at.checked_sub(SignedDuration::from_nanos(1)).ok())
            .map_or(entry.settled, |before| before.min(entry.settled));
        if entry.told < up_to {
            entry.told = up_to;
            actions.push(ScheduleAction::Handled { schedule: id.clone(), up_to });
        }
    }

    /// Winds a schedule after a change.
    fn rewind(&mut self, id: &ScheduleId) -> Vec<ScheduleAction> {
        self.wind(id);
        let mut actions = Vec::new();
        self.tell_handled(id, &mut actions);
        actions
    }

    /// Finds a schedule's next firing and when to look at it.
    fn wind(&mut self, id: &ScheduleId) {
        self.unwind(id);
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.next = entry.task.schedule.next_after(entry.settled);
        entry.wake = match (entry.state, entry.next) {
            (ScheduleState::Active, Some(next)) => Some(entry.task.start_at(next.at)),
            (ScheduleState::Active, None) => None,
            (ScheduleState::Paused | ScheduleState::Disabled, _) => None,
        };
        if let Some(wake) = entry.wake {
            self.wakes.insert((wake, id.clone()));
        }
    }

    fn unwind(&mut self, id: &ScheduleId) {
        if let Some(entry) = self.entries.get_mut(id)
            && let Some(wake) = entry.wake.take()
        {
            self.wakes.remove(&(wake, id.clone()));
        }
    }
}

fn check(task: &ScheduledTask) -> Result<(), TimetableError> {
    match task.nonsense() {
        None => Ok(()),
        Some(wrong) => Err(TimetableError::Senseless { id: task.id.clone(), wrong }),
    }
}

/// Tells whether `now` is too far before `then` for a correction of the clock.
fn is_far_behind(now: Timestamp, then: Timestamp) -> bool {
    CLOCK_CORRECTION_MAX < then - now
}

fn skipped(run: &DueRun, reason: SkipReason) -> ScheduleAction {
    let (first, last) = (run.scheduled_at, run.scheduled_at);
    ScheduleAction::Skipped { schedule: run.schedule.clone(), first, last, reason }
}
