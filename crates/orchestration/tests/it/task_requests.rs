//! What other threads may ask of tasks that are being executed, and what the clock may not do.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orchestration::{
    CancelScope, Clock, Concurrency, Retries, RetryPolicy, Task, TaskManager, TaskStatus,
};

use crate::support::NOW;
use crate::tasks::{manager, statuses};

#[test]
fn a_subtree_is_cancelled_while_its_task_runs_and_the_late_result_is_refused() {
    let mut tasks = manager(1);
    let (begun, begins) = channel();
    let slow = tasks.create_task("slow", (), move |(), task| {
        begun.send(()).unwrap();
        while !task.cancellation().is_cancelled() {
            std::thread::yield_now();
        }
        Ok("too late")
    });
    let slow = slow.unwrap();
    let after = tasks.create_task("after", &slow, |_, _| Ok(())).unwrap();
    let behind = tasks.create_task("behind", &after, |_, _| Ok(())).unwrap();
    let live = tasks.create_task("live", slow.if_completed(), |slow, _| Ok(slow.is_none()));
    let (live, running) = (live.unwrap(), tasks.running());
    tasks.create_task("apart", (), |(), _| Ok(())).unwrap();
    let results = std::thread::scope(|scope| {
        let execution =
            scope.spawn(|| tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap());
        begins.recv().unwrap();
        let told = running.explain(9);
        assert_eq!((told[1].stage.as_str(), told[1].text.as_str()), ("after", "waits for slow"));
        let cancelled = running.cancel(after.id(), CancelScope::Subtree, "not needed");
        assert_eq!(cancelled, [after.id(), behind.id()]);
        let cancelled = running.cancel(slow.id(), CancelScope::Stage, "enough");
        assert_eq!(cancelled, [slow.id()]);
        execution.join().unwrap()
    });
    let expected = [
        ("slow", "CANCELLED"),
        ("after", "CANCELLED"),
        ("behind", "CANCELLED"),
        ("live", "COMPLETED"),
        ("apart", "COMPLETED"),
    ];
    assert_eq!(statuses(&results), expected);
    assert_eq!(results[0].reason.as_deref(), Some("enough"));
    assert!(tasks.output(&slow).is_err());
    assert!(*tasks.output(&live).unwrap());
    assert!(running.cancel(live.id(), CancelScope::Subtree, "over").is_empty());
    assert!(running.explain(9).is_empty());
}

#[test]
fn a_fan_out_is_cancelled_with_its_items_and_their_slots_are_given_back() {
    let mut tasks = manager(2).pool("desk", 2);
    let (begun, begins) = channel();
    let list = tasks.create_task("list", (), |(), _| Ok(vec![(); 100])).unwrap();
    let map = Task::map("map", &list, move |(), task| {
        begun.send(()).unwrap();
        while !task.cancellation().is_cancelled() {
            std::thread::yield_now();
        }
        Ok(())
    });
    let map = tasks.add_task(map.pool("desk", 1)).unwrap();
    let next = Task::new("next", map.if_completed(), |map, _| Ok(map.is_none())).pool("desk", 2);
    let (next, running) = (tasks.add_task(next).unwrap(), tasks.running());
    std::thread::scope(|scope| {
        let execution =
            scope.spawn(|| tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap());
        begins.recv().unwrap();
        assert_eq!(running.cancel(map.id(), CancelScope::Stage, "enough"), [map.id()]);
        let results = execution.join().unwrap();
        let counts = results[1].items.unwrap();
        assert_eq!((counts.left_out, counts.completed), (100, 0));
    });
    assert!(*tasks.output(&next).unwrap());
}

#[test]
fn a_stop_does_not_wait_for_an_attempt_that_ignores_it() {
    let mut tasks = manager(1);
    let (begun, begins) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let deaf = tasks.create_task("deaf", (), move |(), _| {
        begun.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Ok(())
    });
    let (deaf, stop) = (deaf.unwrap(), tasks.cancellation());
    std::thread::scope(|scope| {
        let execution =
            scope.spawn(|| tasks.execute_all(Concurrency::Parallel, Retries::On).unwrap());
        begins.recv().unwrap();
        stop.cancel();
        assert_eq!(execution.join().unwrap()[0].status, TaskStatus::Cancelled);
    });
    release.send(()).unwrap();
    assert!(tasks.output(&deaf).is_err());
}

/// A wall clock that somebody sets, beside a monotonic one that stands still.
#[derive(Debug)]
struct SetClock {
    now: Mutex<Timestamp>,
    looks: AtomicUsize,
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn until(&self, _: Timestamp) -> Duration {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Duration::ZERO
    }
}

#[test]
fn setting_the_wall_clock_ends_nobodys_time() {
    let now = Mutex::new(NOW.parse().unwrap());
    let clock = Arc::new(SetClock { now, looks: AtomicUsize::new(0) });
    let timer = Arc::clone(&clock);
    let mut tasks = TaskManager::new(NonZeroUsize::MIN).with_clock(timer);
    let task = Task::new("work", (), move |(), task| {
        *clock.now.lock().unwrap() += SignedDuration::from_hours(24);
        // Whoever watches the clock has looked twice since, and would have rung.
        let looks = clock.looks.load(Ordering::SeqCst) + 3;
        while clock.looks.load(Ordering::SeqCst) < looks {
            task.check_cancelled()?;
            std::thread::yield_now();
        }
        Ok(())
    });
    let task = tasks
        .add_task(task.timeout(SignedDuration::from_hours(1)).retry(RetryPolicy::NEVER))
        .unwrap();
    assert_eq!(tasks.execute_task(&task).unwrap().status, TaskStatus::Completed);
}
