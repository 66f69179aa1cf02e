//! Pipelines under schedules, through the journal: days on end, downtime, crashes, stops.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use orchestration::scheduler::{DailyError, SetupError};
use orchestration::{
    CancellationToken, Clock, DailyPipelines, DailyScheduler, DailyTimes, FailureClass, Journal,
    ManualClock, OverlapPolicy, Pipeline, PipelineBuilder, PipelineExecutor, Registry, RunStatus,
    Schedule, ScheduledEvent, ScheduledTask, Stage, StageFailure, StageOutput, Timetable,
};
use serde_json::json;

use crate::support::Desk;

fn chicago() -> TimeZone {
    TimeZone::get("America/Chicago").unwrap()
}

fn pipeline(name: &str, function: &str) -> Pipeline {
    PipelineBuilder::new(name).stage(Stage::new("work", function)).build().unwrap()
}

fn pipelines() -> DailyPipelines {
    DailyPipelines {
        data_fetch: pipeline("fetch", "work"),
        inference: pipeline("forecast", "work"),
        training: pipeline("train", "work"),
    }
}

fn times(training_frequency: &str) -> DailyTimes<'_> {
    let (data_fetch_time, inference_time, training_time) = ("00:00", "06:00", "01:00");
    DailyTimes {
        data_fetch_time,
        inference_time,
        training_time,
        training_frequency,
        zone: chicago(),
    }
}

fn working() -> Registry {
    let mut registry = Registry::new();
    registry.register("work", |stage| Ok(StageOutput::fresh(stage.run_input().clone())));
    registry
}

fn task(id: &str, rule: &str, pipeline: &Pipeline) -> ScheduledTask {
    ScheduledTask::new(id, pipeline.name(), Schedule::parse(rule, chicago()).unwrap())
}

/// Starts an executor whose clock goes on from where the desk's stands.
fn executor(desk: &Desk) -> (Arc<PipelineExecutor>, Arc<ManualClock>) {
    (Arc::new(desk.executor(working(), 1)), Arc::clone(&desk.clock))
}

/// What happened, as local times.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn observer(&self) -> impl Fn(&ScheduledEvent) + Send + Sync + 'static {
        let lines = Arc::clone(&self.0);
        move |event| {
            let line = match event {
                ScheduledEvent::Started { run, at } => {
                    let at = at.to_zoned_datetime(chicago());
                    format!("{} {}", run.schedule, at.strftime("%m-%d %H:%M %Z"))
                }
                ScheduledEvent::Ended { result: Ok(report), .. } => {
                    if report.status == RunStatus::Completed {
                        return;
                    }
                    format!("{} {}", report.key, report.status)
                }
                ScheduledEvent::Ended { result: Err(error), .. } => error.to_string(),
                ScheduledEvent::Decided(_) => return,
            };
            lines.lock().unwrap().push(line);
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn go_to(clock: &ManualClock, instant: &str) -> Timestamp {
    let instant = instant.parse().unwrap();
    clock.until(instant);
    instant
}

#[test]
fn daily_operations_run_at_their_local_times_through_the_spring_change() {
    let desk = Desk::new();
    let (executor, clock) = executor(&desk);
    go_to(&clock, "2026-03-06T18:00:00Z");
    let times = times("every 2 days at 01:00 from 2026-01-27");
    let scheduler = executor.setup_daily_operations(clock, &times, pipelines()).unwrap();
    assert_eq!(scheduler.timetable().schedules().count(), 3);
    let diary = Diary::default();
    scheduler.run_until("2026-03-10T00:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(
        diary.take(),
        [
            "data_fetch 03-07 00:00 CST",
            "inference 03-07 06:00 CST",
            "data_fetch 03-08 00:00 CST",
            "training 03-08 01:00 CST",
            "inference 03-08 06:00 CDT",
            "data_fetch 03-09 00:00 CDT",
            "inference 03-09 06:00 CDT",
        ]
    );
    let runs = executor.journal().runs(100).unwrap();
    assert_eq!(runs.len(), 7);
    assert_eq!(
        (runs[0].pipeline.as_str(), runs[0].key.as_str()),
        ("forecast", "inference@2026-03-09T11:00:00Z")
    );
    let report = executor.journal().run(runs[0].run_id).unwrap().unwrap();
    assert_eq!(
        report.input,
        json!({"schedule": "inference", "scheduled_at": "2026-03-09T11:00:00Z"})
    );
}

#[test]
fn after_downtime_each_pipeline_runs_once_and_nothing_runs_again() {
    let desk = Desk::new();
    let frequency = "every 2 days at 01:00 from 2026-01-27";
    let diary = Diary::default();
    {
        let (executor, clock) = executor(&desk);
        let scheduler =
            executor.setup_daily_operations(clock, &times(frequency), pipelines()).unwrap();
        scheduler.run_until("2026-01-28T15:00:00Z".parse().unwrap(), diary.observer());
        assert_eq!(diary.take(), ["data_fetch 01-28 00:00 CST", "inference 01-28 06:00 CST"]);
    }
    // Three nights without power.
    go_to(&desk.clock, "2026-01-31T14:00:00Z");
    for expected in [
        vec!["data_fetch 01-31 08:00 CST", "inference 01-31 08:00 CST"],
        // Started again at the same time, it finds everything done.
        vec![],
    ] {
        let (executor, clock) = executor(&desk);
        let scheduler =
            executor.setup_daily_operations(clock, &times(frequency), pipelines()).unwrap();
        scheduler.run_until("2026-01-31T15:00:00Z".parse().unwrap(), diary.observer());
        assert_eq!(diary.take(), expected);
    }
    let (executor, clock) = executor(&desk);
    let scheduler = executor.setup_daily_operations(clock, &times(frequency), pipelines()).unwrap();
    scheduler.run_until("2026-02-01T07:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(diary.take(), ["data_fetch 02-01 00:00 CST"]);
}

#[test]
fn a_run_that_a_dead_process_began_is_finished_first_and_not_begun_again() {
    let desk = Desk::new();
    let work = pipeline("forecast", "work");
    let run_id = {
        let (executor, _) = executor(&desk);
        let key = "inference@2026-01-27T12:00:00Z";
        executor.submit_once(&work, key, json!(null)).unwrap().run_id
    };
    let (executor, clock) = executor(&desk);
    let mut scheduler = DailyScheduler::new(Arc::clone(&executor), clock).unwrap();
    scheduler.schedule(task("inference", "0 6 * * *", &work), work).unwrap();
    let diary = Diary::default();
    scheduler.run_until("2026-01-28T13:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(diary.take(), ["inference 01-27 06:00 CST", "inference 01-28 06:00 CST"]);
    assert_eq!(executor.journal().runs(9).unwrap().len(), 2);
    let report = executor.journal().run(run_id).unwrap().unwrap();
    assert_eq!(report.status, RunStatus::Completed);
}

#[test]
fn a_function_that_is_not_there_is_told_and_does_not_stop_the_others() {
    let desk = Desk::new();
    let (executor, clock) = executor(&desk);
    let (wrong, right) = (pipeline("wrong", "nobody"), pipeline("right", "work"));
    let mut scheduler = DailyScheduler::new(executor, clock).unwrap();
    scheduler.schedule(task("wrong", "0 8 * * *", &wrong), wrong).unwrap();
    scheduler.schedule(task("right", "0 9 * * *", &right), right).unwrap();
    let diary = Diary::default();
    scheduler.run_until("2026-01-27T16:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(
        diary.take(),
        [
            "wrong 01-27 08:00 CST",
            "pipeline wrong: stage work calls function nobody, which is not registered; \
             if the run is of an older program, cancel it",
            "right 01-27 09:00 CST",
        ]
    );
}

/// An executor with a function that tells when it begins and goes on until it is asked to stop.
fn patient(desk: &Desk) -> (Arc<PipelineExecutor>, Receiver<String>) {
    let (sender, begun) = channel();
    let mut registry = working();
    registry.register("wait", move |stage| {
        sender.send(stage.run_input()["scheduled_at"].to_string()).unwrap();
        while !stage.cancellation().is_cancelled() {
            std::thread::yield_now();
        }
        Err::<StageOutput, _>(StageFailure::new(FailureClass::Cancelled, "asked to stop"))
    });
    let journal = Journal::open(&desk.path()).unwrap();
    let clock = Arc::clone(&desk.clock);
    let workers = std::num::NonZeroUsize::MIN;
    (Arc::new(PipelineExecutor::new(journal, registry, clock, workers)), begun)
}

#[test]
fn a_stop_interrupts_what_runs_and_the_next_start_goes_on_with_it() {
    let desk = Desk::new();
    let work = pipeline("forecast", "wait");
    let (executor, begun) = patient(&desk);
    let begin = desk.clock.now();
    let diary = Diary::default();
    for _ in 0..2 {
        let clock = Arc::clone(&desk.clock);
        let mut scheduler = DailyScheduler::new(Arc::clone(&executor), clock).unwrap();
        let once = task("inference", "once at 2026-01-27T06:30", &work);
        scheduler.schedule(once, work.clone()).unwrap();
        let running = scheduler.start_scheduler(diary.observer()).unwrap();
        begun.recv().unwrap();
        running.stop();
        let told = diary.take();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1], "inference@2026-01-27T12:30:00Z INTERRUPTED");
    }
    assert!(begin < desk.clock.now());
    let runs = executor.journal().runs(9).unwrap();
    assert_eq!((runs.len(), runs[0].status), (1, RunStatus::Interrupted));
}

#[test]
fn a_newer_firing_cancels_the_run_before_it_for_good() {
    let desk = Desk::new();
    let work = pipeline("forecast", "wait");
    let (executor, begun) = patient(&desk);
    let clock = Arc::clone(&desk.clock);
    let mut scheduler = DailyScheduler::new(Arc::clone(&executor), clock).unwrap();
    let once = task("inference", "once at 2026-01-27T06:30", &work);
    let cancelling = once.overlap(OverlapPolicy::CancelPrevious);
    scheduler.schedule(cancelling, work).unwrap();
    let diary = Diary::default();
    let running = scheduler.start_scheduler(diary.observer()).unwrap();
    assert_eq!(begun.recv().unwrap(), "\"2026-01-27T12:30:00Z\"");
    running.handle().edit(|timetable, now| timetable.run_now(&"inference".into(), now)).unwrap();
    begun.recv().unwrap();
    running.stop();
    let mut statuses: Vec<_> =
        executor.journal().runs(9).unwrap().iter().map(|run| run.status).collect();
    statuses.reverse();
    assert_eq!(statuses[..2], [RunStatus::Cancelled, RunStatus::Interrupted]);
}

#[test]
fn what_cannot_be_set_up_says_why() {
    let desk = Desk::new();
    let (executor, clock) = executor(&desk);
    let setup = |times: &DailyTimes<'_>| -> SetupError {
        let clock = Arc::clone(&clock);
        executor.setup_daily_operations(clock, times, pipelines()).unwrap_err()
    };
    let fine = times("0 1 */2 * *");
    assert_eq!(
        setup(&DailyTimes { inference_time: "25:00", ..fine.clone() }).to_string(),
        "inference_time: expected a time of day such as 06:00, found \"25:00\""
    );
    let error = setup(&DailyTimes { training_frequency: "0 1 */2 *", ..fine.clone() });
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(error.to_string(), "training_frequency");
    assert!(source.ends_with("found 4 fields"), "{source}");
    for frequency in ["0 2 */2 * *", "0 1,13 * * *", "every 2 hours from 2026-01-27T01:00"] {
        assert_eq!(
            setup(&DailyTimes { training_frequency: frequency, ..fine.clone() }).to_string(),
            format!(
                "training_time is 01:00:00, but training_frequency {frequency:?} is not at \
                that time only"
            )
        );
    }
    let warnings = executor
        .setup_daily_operations(Arc::<ManualClock>::clone(&clock), &fine, pipelines())
        .unwrap()
        .warnings();
    let shown: Vec<String> =
        warnings.iter().map(|(id, warning)| format!("{id}: {warning}")).collect();
    assert_eq!(
        shown,
        [
            "training: day-of-month step 2 will run on consecutive days at month ends: Jan 31 → \
             Feb 1; use `every 2 days at 01:00 from 2026-01-29`",
            "training: 01:00 comes twice in America/Chicago on 2026-11-01: fires the first time \
             only",
        ]
    );
    let mut scheduler = DailyScheduler::new(Arc::clone(&executor), clock).unwrap();
    let (one, other) = (pipeline("one", "work"), pipeline("other", "work"));
    let refused = |result: Result<(), DailyError>| result.unwrap_err().to_string();
    assert_eq!(
        refused(scheduler.schedule(task("a", "@daily", &one), other)),
        "schedule a is for pipeline one, but comes with pipeline other"
    );
    scheduler.schedule(task("a", "@daily", &one), one.clone()).unwrap();
    assert_eq!(
        refused(scheduler.schedule(task("b", "@daily", &one), pipeline("one", "else"))),
        "two pipelines are named one; rename one"
    );
    assert_eq!(
        refused(scheduler.schedule(task("a", "@daily", &one), one)),
        "schedule a exists already; replace it or choose another name"
    );
}

#[test]
fn a_scheduled_run_can_be_cancelled_in_the_journal_and_is_not_begun_again() {
    let desk = Desk::new();
    let (executor, clock) = executor(&desk);
    let work = pipeline("forecast", "work");
    let key = "inference@2026-01-27T12:00:00Z";
    let run_id = executor.submit_once(&work, key, json!(null)).unwrap().run_id;
    executor.cancel(run_id, "not needed").unwrap();
    let report = executor.execute(run_id, &CancellationToken::new()).unwrap();
    assert_eq!(report.status, RunStatus::Cancelled);
    let mut scheduler = DailyScheduler::new(executor, clock).unwrap();
    scheduler.schedule(task("inference", "0 6 * * *", &work), work).unwrap();
    let diary = Diary::default();
    scheduler.run_until("2026-01-27T20:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(diary.take(), [""; 0]);
}

#[test]
fn a_schedule_that_never_ran_counts_from_when_it_was_made() {
    let desk = Desk::new();
    let (executor, clock) = executor(&desk);
    let work = pipeline("forecast", "work");
    let (made, paused) = (task("made", "0 1 * * *", &work), task("paused", "0 1 * * *", &work));
    // Made the day before; nothing ran that night.
    let counts_from: Timestamp = "2026-01-26T18:00:00Z".parse().unwrap();
    let mut scheduler = DailyScheduler::new(executor, Arc::<ManualClock>::clone(&clock)).unwrap();
    scheduler.schedule_from(made, work.clone(), counts_from).unwrap();
    scheduler.schedule_from(paused, work.clone(), counts_from).unwrap();
    scheduler.pause(&"paused".into()).unwrap();
    let diary = Diary::default();
    scheduler.run_until("2026-01-27T13:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(diary.take(), ["made 01-27 06:00 CST"], "as after downtime");
    // What has run since is not repeated.
    let (executor, clock) = self::executor(&desk);
    let mut scheduler = DailyScheduler::new(executor, clock).unwrap();
    scheduler.schedule_from(task("made", "0 1 * * *", &work), work, counts_from).unwrap();
    scheduler.run_until("2026-01-27T14:00:00Z".parse().unwrap(), diary.observer());
    assert_eq!(diary.take(), [""; 0]);
}

#[test]
fn a_schedule_that_is_added_later_finds_its_pipeline_or_says_so() {
    let desk = Desk::new();
    let (executor, begun) = patient(&desk);
    let offered = pipeline("forecast", "wait");
    let mut scheduler =
        DailyScheduler::new(executor, Arc::<ManualClock>::clone(&desk.clock)).unwrap();
    scheduler.offer(offered.clone()).unwrap();
    let other = scheduler.offer(pipeline("forecast", "work")).unwrap_err();
    assert_eq!(other.to_string(), "two pipelines are named forecast; rename one");
    let (sender, told) = channel();
    let running = scheduler
        .start_scheduler(move |event| {
            if let ScheduledEvent::Ended { run, result: Err(error) } = event {
                sender.send(format!("{}: {error}", run.schedule)).unwrap();
            }
        })
        .unwrap();
    for (id, pipeline) in [("late", offered), ("wrong", pipeline("nobody", "work"))] {
        let added = task(id, "@yearly", &pipeline);
        let add = move |timetable: &mut Timetable, now| {
            timetable.add(added, now)?;
            timetable.run_now(&id.into(), now)
        };
        running.handle().edit(add).unwrap();
    }
    begun.recv().unwrap();
    assert_eq!(
        told.recv().unwrap(),
        "wrong: pipeline nobody is not known to the scheduler; remove the schedule, or use a \
         program that has the pipeline"
    );
    running.stop();
}
