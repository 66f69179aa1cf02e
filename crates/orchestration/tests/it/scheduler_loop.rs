//! The loop that waits: it starts what is due, hears what it is told, and ends when asked to.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::scheduler::{EditError, SchedulerEnded};
use orchestration::{
    Clock, ManualClock, Schedule, ScheduleAction, ScheduleState, ScheduledTask, Scheduler,
    Timetable,
};

fn begin() -> Timestamp {
    "2026-01-27T00:00:00Z".parse().unwrap()
}

fn task(id: &str, rule: &str) -> ScheduledTask {
    ScheduledTask::new(id, id, Schedule::parse(rule, TimeZone::UTC).unwrap())
}

/// A clock that nothing moves: only what the loop is told can wake it.
#[derive(Debug)]
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        begin()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn until(&self, _: Timestamp) -> Duration {
        Duration::MAX
    }
}

#[test]
fn everything_starts_at_its_instant_and_what_is_due_at_the_end_is_left() {
    let clock = Arc::new(ManualClock::new(begin()));
    let mut timetable = Timetable::new(begin());
    timetable.add(task("hourly", "0 * * * *"), begin()).unwrap();
    timetable.add(task("noon", "0 12 * * *"), begin()).unwrap();
    let mut scheduler = Scheduler::new(timetable, Arc::<ManualClock>::clone(&clock));
    let handle = scheduler.handle();
    let end = begin() + SignedDuration::from_hours(24);
    let mut started = Vec::new();
    scheduler.run_until(end, &mut |action| {
        if let ScheduleAction::Start(run) = action {
            assert_eq!(run.scheduled_at, clock.now());
            started.push(format!("{} {}", run.schedule, run.scheduled_at.strftime("%H")));
            handle.ended(run).unwrap();
        }
    });
    let mut expected: Vec<String> = (1..24).map(|hour| format!("hourly {hour:02}")).collect();
    expected.insert(12, "noon 12".to_owned());
    assert_eq!(started, expected);
    assert_eq!(clock.now(), end);
    assert_eq!(scheduler.timetable().running().count(), 0);
}

#[test]
fn a_run_that_has_not_ended_holds_up_the_next_and_its_end_starts_it() {
    let clock = Arc::new(ManualClock::new(begin()));
    let mut timetable = Timetable::new(begin());
    timetable.add(task("hourly", "0 * * * *"), begin()).unwrap();
    timetable.add(task("half", "30 3 * * *"), begin()).unwrap();
    let mut scheduler = Scheduler::new(timetable, clock);
    let handle = scheduler.handle();
    let (mut first, mut started) = (None, Vec::new());
    scheduler.run_until(begin() + SignedDuration::from_hours(4), &mut |action| {
        if let ScheduleAction::Start(run) = action {
            started.push(run.key());
            if run.schedule.as_str() == "half" {
                handle.ended(first.take().unwrap()).unwrap();
            } else if first.is_none() {
                first = Some(run);
            }
        }
    });
    assert_eq!(
        started,
        ["hourly@2026-01-27T01:00:00Z", "half@2026-01-27T03:30:00Z", "hourly@2026-01-27T02:00:00Z"]
    );
}

#[test]
fn a_waiting_loop_is_woken_by_changes_and_ends_when_asked_to() {
    let mut scheduler = Scheduler::new(Timetable::new(begin()), Arc::new(StandingClock));
    let handle = scheduler.handle();
    let (sender, actions) = channel();
    let thread = std::thread::spawn(move || {
        scheduler.run(&mut |action| sender.send(action).unwrap());
    });
    let since = begin() - SignedDuration::from_hours(1);
    handle
        .edit(move |timetable, _| {
            timetable.add(task("hourly", "0 * * * *"), since).map(|()| Vec::new())
        })
        .unwrap();
    let ScheduleAction::Start(run) = actions.recv().unwrap() else { panic!("nothing starts") };
    assert_eq!(run.key(), "hourly@2026-01-27T00:00:00Z");
    let id = run.schedule.clone();
    assert!(matches!(actions.recv().unwrap(), ScheduleAction::Handled { .. }));
    let named = id.clone();
    handle.edit(move |timetable, now| timetable.run_now(&named, now)).unwrap();
    handle.ended(run).unwrap();
    let ScheduleAction::Start(run) = actions.recv().unwrap() else { panic!("nothing starts") };
    assert_eq!(run.key(), "hourly@2026-01-27T00:00:00Z!requested");
    let unknown = handle
        .edit(|timetable, now| timetable.set_state(&"x".into(), ScheduleState::Paused, now))
        .unwrap_err();
    assert_eq!(unknown.to_string(), "schedule x does not exist");
    handle.stop().unwrap();
    thread.join().unwrap();
    let ended = handle.edit(move |timetable, now| timetable.run_now(&id, now)).unwrap_err();
    assert_eq!(ended, EditError::Ended(SchedulerEnded));
    assert_eq!(ended.to_string(), "the scheduler has ended");
}
