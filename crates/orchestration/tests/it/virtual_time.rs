//! The real runtime in virtual time: attempts take time, runs go on side by side, deadlines press.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orchestration::simulation::VirtualClock;
use orchestration::{
    CancellationToken, Clock, DailyScheduler, Deadline, DeadlineAlert, DeadlinePolicy, Journal,
    Pipeline, PipelineBuilder, PipelineExecutor, Registry, RetryPolicy, RunPlan, RunStatus,
    Schedule, ScheduledEvent, ScheduledTask, Stage, StageOutput, WhenLate,
};

const START: &str = "2026-01-27T00:00:00Z";

fn at(time: &str) -> Timestamp {
    format!("2026-01-27T{time}Z").parse().unwrap()
}

/// A scheduler in virtual time, and what it did.
struct World {
    _folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    executor: Arc<PipelineExecutor>,
    diary: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// Functions take as long as their name says, such as `90s`.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = VirtualClock::new(START.parse().unwrap());
        let mut registry = Registry::new();
        for seconds in [0, 10, 90, 600, 5_400] {
            let clock = Arc::clone(&clock);
            registry.register(format!("{seconds}s"), move |stage| {
                clock.sleep(Duration::from_secs(seconds), stage.cancellation());
                stage.check_cancelled()?;
                Ok(StageOutput::fresh(seconds.into()))
            });
        }
        let journal = Journal::open(&folder.path().join("journal.sqlite")).unwrap();
        let workers_max = NonZeroUsize::new(4).unwrap();
        let executor = PipelineExecutor::new(journal, registry, clock.clone(), workers_max);
        let diary = Arc::default();
        Self { _folder: folder, clock, executor: Arc::new(executor), diary }
    }

    fn note(&self, what: &str) {
        note(&self.diary, self.clock.now(), what);
    }

    /// Plays schedules until a time; returns what happened when.
    fn play(&self, until: &str, scheduled: Vec<(&str, Pipeline)>) -> Vec<String> {
        self.play_with(until, scheduled, |_| None)
    }

    fn play_with(
        &self,
        until: &str,
        scheduled: Vec<(&str, Pipeline)>,
        deadline: impl Fn(&Arc<Mutex<Vec<String>>>) -> Option<Deadline> + Send + Sync + 'static,
    ) -> Vec<String> {
        let mut scheduler = DailyScheduler::new(self.executor.clone(), self.clock.clone()).unwrap();
        for (when, pipeline) in scheduled {
            let schedule = Schedule::parse(when, jiff::tz::TimeZone::UTC).unwrap();
            let task = ScheduledTask::new(pipeline.name(), pipeline.name(), schedule);
            scheduler.schedule(task, pipeline).unwrap();
        }
        let diary = Arc::clone(&self.diary);
        let scheduler = scheduler.plan_with(move |_| {
            Ok(RunPlan { input: serde_json::Value::Null, deadline: deadline(&diary) })
        });
        let (diary, clock) = (Arc::clone(&self.diary), Arc::clone(&self.clock));
        let running = scheduler.start_scheduler(move |event| {
            let what = match event {
                ScheduledEvent::Started { run, .. } => format!("{} begins", run.schedule),
                ScheduledEvent::Ended { run, result } => {
                    let report = result.as_ref().unwrap();
                    let degraded = if report.degraded.is_empty() { "" } else { ", degraded" };
                    format!("{} {}{degraded}", run.schedule, report.status)
                }
                ScheduledEvent::Decided(_) => return,
            };
            note(&diary, clock.now(), &what);
        });
        let running = running.unwrap();
        self.clock.wait_as_world(at(until));
        running.stop();
        std::mem::take(&mut *self.diary.lock().unwrap())
    }
}

fn note(diary: &Mutex<Vec<String>>, now: Timestamp, what: &str) {
    diary.lock().unwrap().push(format!("{} {what}", now.strftime("%H:%M:%S")));
}

fn pipeline(name: &str, stages: Vec<Stage>) -> Pipeline {
    let builder = stages.into_iter().fold(PipelineBuilder::new(name), PipelineBuilder::stage);
    builder.build().unwrap()
}

fn one(name: &str, function: &str) -> Pipeline {
    pipeline(name, vec![Stage::new("work", function)])
}

#[test]
fn runs_take_their_time_side_by_side() {
    let world = World::new();
    let happened = world.play(
        "03:00:00",
        vec![("0 1 * * *", one("long", "5400s")), ("40 1,2 * * *", one("short", "90s"))],
    );
    assert_eq!(
        happened,
        [
            "01:00:00 long begins",
            "01:40:00 short begins",
            "01:41:30 short COMPLETED",
            "02:30:00 long COMPLETED",
            "02:40:00 short begins",
            "02:41:30 short COMPLETED",
        ]
        .map(str::to_owned)
    );
    assert_eq!(world.clock.now(), at("03:00:00"));
}

#[test]
fn attempts_of_one_run_sleep_at_the_same_time() {
    let world = World::new();
    let stages = vec![
        Stage::new("one", "600s"),
        Stage::new("other", "90s"),
        Stage::new("after", "10s").after(["one", "other"]),
    ];
    let happened = world.play("02:00:00", vec![("0 1 * * *", pipeline("both", stages))]);
    assert_eq!(happened, ["01:00:00 both begins", "01:10:10 both COMPLETED"].map(str::to_owned));
}

#[test]
fn a_clock_that_is_set_forward_lets_no_time_pass_for_what_runs() {
    let world = World::new();
    let mut scheduler = DailyScheduler::new(world.executor.clone(), world.clock.clone()).unwrap();
    let pipeline = one("hourly", "90s");
    let schedule = Schedule::parse("0 * * * *", jiff::tz::TimeZone::UTC).unwrap();
    scheduler.schedule(ScheduledTask::new("hourly", "hourly", schedule), pipeline).unwrap();
    let (diary, clock) = (Arc::clone(&world.diary), Arc::clone(&world.clock));
    let running = scheduler.start_scheduler(move |event| {
        if let ScheduledEvent::Started { run, .. } = event {
            note(&diary, clock.now(), &run.key());
        }
    });
    let running = running.unwrap();
    world.clock.wait_as_world(at("01:00:30"));
    world.clock.step(SignedDuration::from_mins(59));
    world.note("set forward");
    world.clock.wait_as_world(at("01:03:00"));
    assert_eq!(world.clock.true_time(), at("01:03:00"));
    running.stop();
    assert_eq!(
        *world.diary.lock().unwrap(),
        [
            "01:00:00 hourly@2026-01-27T01:00:00Z",
            "01:59:30 set forward",
            // The run before takes its 90 seconds.
            "02:00:30 hourly@2026-01-27T02:00:00Z",
        ]
        .map(str::to_owned)
    );
}

/// `fetch` may take 90 minutes and has a fallback; what follows takes 10 minutes.
fn pressed(fetch: Stage) -> Pipeline {
    let fetch = fetch.retry(RetryPolicy::NEVER);
    pipeline("pressed", vec![fetch, Stage::new("publish", "600s").after(["fetch"])])
}

fn due_at_two(diary: &Arc<Mutex<Vec<String>>>) -> Option<Deadline> {
    let (margin, when_late) = (SignedDuration::from_mins(2), WhenLate::KeepTrying);
    let policy = DeadlinePolicy { deadline: at("02:00:00"), margin, when_late };
    let diary = Arc::clone(diary);
    let told = move |alert| {
        let word = match alert {
            DeadlineAlert::AtRisk => "at risk",
            DeadlineAlert::Missed => "missed",
        };
        diary.lock().unwrap().push(word.to_owned());
    };
    let minutes = SignedDuration::from_mins;
    let deadline = Deadline::new(policy).on_alert(told);
    Some(deadline.expect("fetch", minutes(5)).expect("publish", minutes(10)))
}

#[test]
fn a_slow_attempt_makes_way_for_the_next_rung_while_there_is_time_for_the_rest() {
    let world = World::new();
    let slow = pressed(Stage::new("fetch", "5400s").fallback("10s"));
    let happened = world.play_with("03:00:00", vec![("0 1 * * *", slow)], due_at_two);
    // 02:00 less 2 minutes to spare less 10 for publishing is 01:48; alarm 5 minutes before that.
    assert_eq!(
        happened,
        ["01:00:00 pressed begins", "at risk", "01:58:10 pressed COMPLETED, degraded"]
            .map(str::to_owned)
    );
}

#[test]
fn an_attempt_without_another_rung_is_not_cut_short() {
    let world = World::new();
    let alone = pressed(Stage::new("fetch", "5400s"));
    let happened = world.play_with("03:00:00", vec![("0 1 * * *", alone)], due_at_two);
    assert_eq!(
        happened,
        ["01:00:00 pressed begins", "at risk", "missed", "02:40:00 pressed COMPLETED"]
            .map(str::to_owned)
    );
}

#[test]
fn a_run_that_begins_too_late_takes_all_the_time_it_wants() {
    let world = World::new();
    let late = pressed(Stage::new("fetch", "90s").fallback("10s"));
    let happened = world.play_with("03:00:00", vec![("5 2 * * *", late)], due_at_two);
    assert_eq!(
        happened,
        ["02:05:00 pressed begins", "missed", "02:16:30 pressed COMPLETED"].map(str::to_owned)
    );
}

#[test]
fn what_is_stopped_wakes_from_its_sleep() {
    let world = World::new();
    let happened = world.play("01:30:00", vec![("0 1 * * *", one("long", "5400s"))]);
    assert_eq!(happened, ["01:00:00 long begins", "01:30:00 long INTERRUPTED"].map(str::to_owned));
    let token = CancellationToken::new();
    token.cancel();
    world.clock.sleep(Duration::from_secs(90), &token);
    let runs = world.executor.journal().runs(10).unwrap();
    assert_eq!(runs[0].status, RunStatus::Interrupted);
}
