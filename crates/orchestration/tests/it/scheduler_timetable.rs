//! What a timetable decides about firings that are due, missed or overlapping.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::scheduler::{CLOCK_CORRECTION_MAX, QUEUED_MAX, SkipReason, TimetableError};
use orchestration::{
    DueRun, Jitter, MisfirePolicy, OverlapPolicy, Priority, Schedule, ScheduleAction, ScheduleId,
    ScheduleState, ScheduledTask, Timetable,
};
use proptest::prelude::*;

/// All by-hand tests happen on this day, in Greenwich.
fn at(time: &str) -> Timestamp {
    format!("2026-01-27T{time}:00Z").parse().unwrap()
}

fn task(id: &str, rule: &str) -> ScheduledTask {
    ScheduledTask::new(id, "day", Schedule::parse(rule, TimeZone::UTC).unwrap())
}

fn hourly() -> ScheduledTask {
    task("hourly", "0 * * * *")
}

/// A timetable that says what it does.
struct Play {
    timetable: Timetable,
    handled: BTreeMap<ScheduleId, Timestamp>,
}

impl Play {
    fn new(tasks: impl IntoIterator<Item = ScheduledTask>, since: &str) -> Self {
        let mut timetable = Timetable::new(at(since));
        for task in tasks {
            timetable.add(task, at(since)).unwrap();
        }
        Self { timetable, handled: BTreeMap::new() }
    }

    fn told(&mut self, actions: Vec<ScheduleAction>) -> Vec<String> {
        let short = |at: &Timestamp| at.strftime("%H:%M").to_string();
        let show = |action: ScheduleAction| match action {
            ScheduleAction::Start(run) => {
                Some(format!("start {} {}", run.schedule, short(&run.scheduled_at)))
            }
            ScheduleAction::Cancel(run) => {
                Some(format!("cancel {} {}", run.schedule, short(&run.scheduled_at)))
            }
            ScheduleAction::Skipped { schedule, first, last, reason } => {
                Some(format!("skip {schedule} {}-{}: {reason}", short(&first), short(&last)))
            }
            ScheduleAction::Handled { schedule, up_to } => {
                self.handled.insert(schedule, up_to);
                None
            }
            ScheduleAction::ClockSetBack { from, to } => {
                Some(format!("clock set back from {from} to {to}"))
            }
        };
        actions.into_iter().filter_map(show).collect()
    }

    fn advance(&mut self, time: &str) -> Vec<String> {
        self.advance_to(at(time))
    }

    fn advance_to(&mut self, now: Timestamp) -> Vec<String> {
        let actions = self.timetable.advance(now);
        self.told(actions)
    }

    /// Ends whatever runs.
    fn end(&mut self) -> Vec<String> {
        let running: Vec<DueRun> = self.timetable.running().cloned().collect();
        let actions = running.iter().flat_map(|run| self.timetable.ended(run)).collect();
        self.told(actions)
    }

    fn handled(&self, id: &str) -> Option<Timestamp> {
        self.handled.get(&id.into()).copied()
    }
}

#[test]
fn a_firing_starts_when_its_time_has_come_and_once() {
    let mut play = Play::new([hourly()], "05:30");
    assert_eq!(play.timetable.next_wake(), Some(at("06:00")));
    assert_eq!(play.advance("05:59"), [""; 0]);
    assert_eq!(play.advance("06:00"), ["start hourly 06:00"]);
    assert_eq!(play.advance("06:00"), [""; 0]);
    assert_eq!(play.handled("hourly"), Some(at("06:00")));
    assert_eq!(play.timetable.next_wake(), Some(at("07:00")));
}

#[test]
fn the_key_of_a_run_names_schedule_and_instant_and_reads_back() {
    let mut timetable = Timetable::new(at("05:30"));
    timetable.add(hourly(), at("05:30")).unwrap();
    let actions = timetable.advance(at("06:00"));
    let Some(ScheduleAction::Start(run)) = actions.first() else { panic!("{actions:?}") };
    assert_eq!(run.key(), "hourly@2026-01-27T06:00:00Z");
    assert_eq!(DueRun::from_key("day", &run.key()).as_ref(), Some(run));
    timetable.ended(run);
    let actions = timetable.run_now(&"hourly".into(), at("06:10")).unwrap();
    let Some(ScheduleAction::Start(run)) = actions.first() else { panic!("{actions:?}") };
    assert_eq!(run.key(), "hourly@2026-01-27T06:10:00Z!requested");
    assert_eq!(DueRun::from_key("day", &run.key()).as_ref(), Some(run));
    for other in ["2026-01-27", "hourly@noon", ""] {
        assert_eq!(DueRun::from_key("day", other), None);
    }
}

#[test]
fn after_downtime_the_policy_says_which_of_the_missed_run() {
    let since = "01:30";
    let play = |misfire, now: &str| {
        let mut play = Play::new([hourly().misfire(misfire)], since);
        let mut told = play.advance(now);
        told.extend(play.end());
        told.extend(play.end());
        assert!(play.handled("hourly").is_some());
        told
    };
    assert_eq!(
        play(MisfirePolicy::RunOnce, "06:30"),
        ["skip hourly 02:00-05:00: too late", "start hourly 06:00"]
    );
    let two = MisfirePolicy::RunAll { runs_max: NonZeroU16::new(2).unwrap() };
    assert_eq!(
        play(two, "06:30"),
        ["skip hourly 02:00-04:00: too late", "start hourly 05:00", "start hourly 06:00"]
    );
    assert_eq!(play(two, "03:30"), ["start hourly 02:00", "start hourly 03:00"]);
    assert_eq!(play(MisfirePolicy::Skip, "06:30"), ["skip hourly 02:00-06:00: too late"]);
    // One that is late by less than a minute is in time.
    assert_eq!(
        play(MisfirePolicy::Skip, "06:01"),
        ["skip hourly 02:00-05:00: too late", "start hourly 06:00"]
    );
    assert_eq!(play(MisfirePolicy::RunOnce, "02:01"), ["start hourly 02:00"]);
}

#[test]
fn grace_decides_what_is_late() {
    let patient = hourly().misfire(MisfirePolicy::Skip).grace(SignedDuration::from_hours(3));
    let mut play = Play::new([patient], "01:30");
    assert_eq!(play.advance("06:30"), ["skip hourly 02:00-03:00: too late", "start hourly 04:00"]);
    assert_eq!(play.end(), ["start hourly 05:00"]);
    assert_eq!(play.end(), ["start hourly 06:00"]);
}

#[test]
fn millions_of_missed_firings_are_not_counted_one_by_one() {
    let every_second = task("second", "* * * * * *");
    let mut timetable = Timetable::new(at("00:00"));
    timetable.add(every_second, "1996-01-27T00:00:00Z".parse().unwrap()).unwrap();
    let actions = timetable.advance(at("12:00"));
    let mut play = Play { timetable, handled: BTreeMap::new() };
    assert_eq!(play.told(actions), ["skip second 00:00-11:59: too late", "start second 12:00"]);
}

#[test]
fn while_its_pipeline_runs_a_firing_waits_or_is_left_out_or_takes_over() {
    let hours = |overlap| {
        let mut play = Play::new([hourly().overlap(overlap)], "05:30");
        let mut told = play.advance("06:00");
        told.extend(play.advance("07:00"));
        told.extend(play.advance("08:00"));
        told.push("ended".to_owned());
        told.extend(play.end());
        told
    };
    assert_eq!(hours(OverlapPolicy::Queue), ["start hourly 06:00", "ended", "start hourly 07:00"]);
    let overlap = "the run before is still going on";
    assert_eq!(
        hours(OverlapPolicy::Skip),
        [
            "start hourly 06:00",
            &format!("skip hourly 07:00-07:00: {overlap}"),
            &format!("skip hourly 08:00-08:00: {overlap}"),
            "ended"
        ]
    );
    assert_eq!(
        hours(OverlapPolicy::CancelPrevious),
        [
            "start hourly 06:00",
            "cancel hourly 06:00",
            "cancel hourly 06:00",
            "skip hourly 07:00-07:00: a newer one takes its place",
            "ended",
            "start hourly 08:00"
        ]
    );
}

#[test]
fn several_schedules_of_one_pipeline_run_one_at_a_time_and_others_do_not_wait() {
    let other = ScheduledTask::new("other", "night", hourly().schedule);
    let mut play = Play::new([hourly(), task("again", "0 6 * * *"), other], "05:30");
    assert_eq!(
        play.advance("06:00"),
        ["start again 06:00", "start hourly 06:00"].map(|told| {
            // The pipeline's first comes first by name; the other pipeline has a lane of its own.
            told.replace("hourly", "other")
        })
    );
    assert_eq!(play.end(), ["start hourly 06:00"]);
}

#[test]
fn of_those_that_wait_for_a_pipeline_the_most_urgent_starts_first() {
    let urgent = task("urgent", "0 7 * * *").priority(Priority::Critical);
    let after = task("after", "0 6 * * *").priority(Priority::Low);
    let tasks = [after, task("first", "0 6 * * *"), task("second", "0 6 * * *"), urgent];
    let mut play = Play::new(tasks, "05:30");
    // By name the idle one would be first.
    assert_eq!(play.advance("06:00"), ["start first 06:00"]);
    assert_eq!(play.advance("07:00"), [""; 0]);
    assert_eq!(play.end(), ["start urgent 07:00"]);
    assert_eq!(play.end(), ["start second 06:00"]);
    assert_eq!(play.handled("second"), Some(at("06:00")));
    assert!(play.handled("after").is_none_or(|handled| handled < at("06:00")));
    assert_eq!(play.end(), ["start after 06:00"]);
}

#[test]
fn too_many_waiting_firings_are_left_out() {
    let minutely = task("minutely", "* * * * *");
    let mut play = Play::new([minutely], "05:59");
    let mut told = Vec::new();
    for minute in 0..=QUEUED_MAX + 1 {
        told.extend(play.advance(&format!("06:{minute:02}")));
    }
    assert_eq!(told, ["start minutely 06:00", "skip minutely 06:17-06:17: too many are waiting"]);
}

#[test]
fn what_waits_is_not_handled_so_that_a_crash_does_not_lose_it() {
    let mut play = Play::new([hourly()], "05:30");
    play.advance("06:00");
    play.advance("07:00");
    play.advance("08:00");
    let handled = play.handled("hourly").unwrap();
    assert!(handled < at("07:00"));
    // The process dies; another one restores the schedule and the unfinished run.
    let every = MisfirePolicy::RunAll { runs_max: NonZeroU16::new(9).unwrap() };
    let mut timetable = Timetable::new(at("08:10"));
    timetable.add(hourly().misfire(every), handled).unwrap();
    let resumed = DueRun::from_key("day", "hourly@2026-01-27T06:00:00Z").unwrap();
    let mut actions = timetable.resume(resumed);
    actions.extend(timetable.advance(at("08:10")));
    let mut restored = Play { timetable, handled: BTreeMap::new() };
    assert_eq!(restored.told(actions), ["start hourly 06:00"]);
    assert_eq!(restored.end(), ["start hourly 07:00"]);
    assert_eq!(restored.end(), ["start hourly 08:00"]);
    assert_eq!(restored.handled("hourly"), Some(at("08:00")));
}

#[test]
fn a_paused_schedule_catches_up_and_a_disabled_one_does_not() {
    let state_after = |state| {
        let mut play = Play::new([hourly()], "05:30");
        let id = "hourly".into();
        play.timetable.set_state(&id, state, at("05:40")).unwrap();
        assert_eq!(play.timetable.next_wake(), None);
        assert_eq!(play.timetable.schedules().next().unwrap().next, None);
        assert_eq!(play.advance("08:30"), [""; 0]);
        play.timetable.set_state(&id, ScheduleState::Active, at("08:30")).unwrap();
        let mut told = play.advance("08:30");
        told.extend(play.end());
        told.extend(play.advance("09:00"));
        told
    };
    assert_eq!(
        state_after(ScheduleState::Paused),
        ["skip hourly 06:00-07:00: too late", "start hourly 08:00", "start hourly 09:00"]
    );
    assert_eq!(state_after(ScheduleState::Disabled), ["start hourly 09:00"]);
}

#[test]
fn run_now_runs_whatever_the_state_and_does_not_count_as_a_firing() {
    let mut play = Play::new([hourly()], "05:30");
    let id: ScheduleId = "hourly".into();
    play.timetable.set_state(&id, ScheduleState::Disabled, at("05:40")).unwrap();
    let actions = play.timetable.run_now(&id, at("05:50")).unwrap();
    assert_eq!(play.told(actions), ["start hourly 05:50"]);
    play.end();
    play.timetable.set_state(&id, ScheduleState::Active, at("05:55")).unwrap();
    assert_eq!(play.advance("06:00"), ["start hourly 06:00"]);
    let actions = play.timetable.run_now(&id, at("06:10")).unwrap();
    assert_eq!(play.told(actions), [""; 0], "it waits like any other");
    assert_eq!(play.end(), ["start hourly 06:10"]);
}

#[test]
fn an_edited_schedule_counts_from_the_edit_and_its_run_goes_on() {
    let mut play = Play::new([hourly()], "05:30");
    assert_eq!(play.advance("06:00"), ["start hourly 06:00"]);
    // Not due any more today at 05:00, due at 06:45.
    let edited = task("hourly", "0,45 5,6 * * *");
    play.timetable.replace(edited, at("06:30")).unwrap();
    assert_eq!(play.timetable.next_wake(), Some(at("06:45")));
    assert_eq!(play.advance("06:45"), [""; 0], "the run that began before is still going on");
    assert_eq!(play.end(), ["start hourly 06:45"]);
    // Another policy leaves the schedule where it was.
    let same = task("hourly", "0,45 5,6 * * *").overlap(OverlapPolicy::Skip);
    play.timetable.replace(same, at("06:50")).unwrap();
    assert_eq!(play.timetable.next_wake(), Some(at("05:00") + SignedDuration::from_hours(24)));
}

#[test]
fn a_spread_schedule_is_edited_without_a_trace_of_its_old_times() {
    let jitter = Jitter { max: SignedDuration::from_mins(20), seed: 1 };
    let mut play = Play::new([hourly().jitter(jitter)], "05:30");
    play.timetable.replace(hourly(), at("05:40")).unwrap();
    assert_eq!(play.timetable.next_wake(), Some(at("06:00")));
    play.timetable.remove(&"hourly".into()).unwrap();
    assert_eq!(play.timetable.next_wake(), None);
}

#[test]
fn a_removed_schedule_takes_its_waiting_firings_along() {
    let mut play = Play::new([hourly(), task("again", "0 7 * * *")], "05:30");
    play.advance("06:00");
    play.advance("07:00");
    let actions = play.timetable.remove(&"hourly".into()).unwrap();
    assert_eq!(play.told(actions), ["skip hourly 07:00-07:00: its schedule was removed"]);
    assert_eq!(play.end(), ["start again 07:00"]);
    assert_eq!(play.end(), [""; 0]);
    assert_eq!(play.advance("12:00"), [""; 0]);
}

#[test]
fn a_clock_that_steps_a_little_neither_repeats_nor_loses_a_firing() {
    let mut play = Play::new([hourly()], "05:30");
    assert_eq!(play.advance("06:00"), ["start hourly 06:00"]);
    play.end();
    assert_eq!(play.advance("04:30"), [""; 0], "an hour and a half back");
    assert_eq!(play.advance("06:00"), [""; 0], "six o'clock for the second time");
    assert_eq!(play.advance("07:30"), ["start hourly 07:00"], "forward over seven o'clock");
}

#[test]
fn a_clock_that_was_wrong_by_years_does_not_silence_schedules_for_years() {
    let mut play = Play::new([hourly()], "05:30");
    let wrong = "2051-01-01T00:30:00Z";
    assert_eq!(
        play.advance_to(wrong.parse().unwrap()),
        ["skip hourly 06:00-23:00: too late", "start hourly 00:00"]
    );
    play.end();
    assert_eq!(
        play.advance("05:40"),
        ["clock set back from 2051-01-01T00:30:00Z to 2026-01-27T05:40:00Z"]
    );
    assert_eq!(play.advance("06:00"), ["start hourly 06:00"]);
    // The same from a record that says so.
    let mut timetable = Timetable::new(at("05:30"));
    timetable.add(hourly(), wrong.parse().unwrap()).unwrap();
    assert_eq!(timetable.next_wake(), Some(at("06:00")));
    let soon = at("05:30") + CLOCK_CORRECTION_MAX;
    let mut timetable = Timetable::new(at("05:30"));
    timetable.add(hourly(), soon).unwrap();
    assert_eq!(timetable.next_wake(), Some(soon + SignedDuration::from_mins(30)));
}

#[test]
fn jitter_spreads_firings_within_its_bound_the_same_way_each_time() {
    let max = SignedDuration::from_mins(10);
    let start = |id: &str, seed| {
        let mut timetable = Timetable::new(at("05:30"));
        let spread = task(id, "0 * * * *").jitter(Jitter { max, seed });
        timetable.add(spread, at("05:30")).unwrap();
        timetable.next_wake().unwrap() - at("06:00")
    };
    let starts: BTreeSet<_> = (0..200).map(|number| start(&format!("s{number}"), 7)).collect();
    assert!(190 < starts.len());
    assert!(SignedDuration::ZERO <= *starts.first().unwrap());
    assert!(*starts.first().unwrap() < max / 20 && max / 20 * 19 < *starts.last().unwrap());
    assert!(*starts.last().unwrap() < max);
    assert_eq!(start("s0", 7), start("s0", 7));
    assert_ne!(start("s0", 7), start("s0", 8));
    // A spread firing is not late, and it keeps its name.
    let skipping = hourly().misfire(MisfirePolicy::Skip).jitter(Jitter { max, seed: 7 });
    let mut play = Play::new([skipping], "05:30");
    let wake = play.timetable.next_wake().unwrap();
    assert_eq!(play.advance_to(wake - SignedDuration::from_nanos(1)), [""; 0]);
    assert_eq!(play.advance_to(wake), ["start hourly 06:00"]);
}

#[test]
fn wrong_changes_are_refused_by_name() {
    let mut timetable = Timetable::new(at("05:30"));
    timetable.add(hourly(), at("05:30")).unwrap();
    let check = |result: Result<(), TimetableError>, expected: &str| {
        assert_eq!(result.unwrap_err().to_string(), expected);
    };
    check(
        timetable.add(hourly(), at("05:30")),
        "schedule hourly exists already; replace it or choose another name",
    );
    let unknown: ScheduleId = "nightly".into();
    let missing = "schedule nightly does not exist";
    check(timetable.remove(&unknown).map(drop), missing);
    check(timetable.run_now(&unknown, at("06:00")).map(drop), missing);
    check(timetable.set_state(&unknown, ScheduleState::Paused, at("06:00")).map(drop), missing);
    check(timetable.replace(task("nightly", "@daily"), at("06:00")).map(drop), missing);
    let hour = SignedDuration::from_hours(1);
    let nanosecond = SignedDuration::from_nanos(1);
    for max in [SignedDuration::ZERO, hour + nanosecond] {
        check(
            timetable.replace(hourly().jitter(Jitter { max, seed: 1 }), at("06:00")).map(drop),
            "schedule hourly has a jitter that is not between 0 and an hour",
        );
    }
    check(
        timetable.replace(hourly().grace(-nanosecond), at("06:00")).map(drop),
        "schedule hourly has a negative grace",
    );
    let other = ScheduledTask::new("hourly", "night", hourly().schedule);
    check(
        timetable.replace(other, at("06:00")).map(drop),
        "schedule hourly has another pipeline than before; remove it and add it anew",
    );
}

/// What happens next in a random world.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes, or the clock is set (back by up to two hours).
    Minutes(i64),
    End,
    /// The process dies after so many of the actions it decided last, and starts again.
    Crash(usize),
    Pause,
    Resume,
    RunNow,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..90_i64).prop_map(Step::Minutes),
        1 => (-120..600_i64).prop_map(Step::Minutes),
        5 => Just(Step::End),
        1 => (0..4_usize).prop_map(Step::Crash),
        1 => Just(Step::Pause),
        1 => Just(Step::Resume),
        1 => Just(Step::RunNow),
    ]
}

/// A process with its memory of what was handled, and the ledger of what was done.
struct World {
    tasks: Vec<ScheduledTask>,
    timetable: Timetable,
    now: Timestamp,
    latest: Timestamp,
    handled: BTreeMap<ScheduleId, Timestamp>,
    /// Begun and not ended, in this process or an earlier one.
    unfinished: Vec<DueRun>,
    /// The keys of all runs, as `submit_once` would know them.
    begun: BTreeSet<String>,
    requests: i64,
    skipped: Vec<(ScheduleId, Timestamp, Timestamp, SkipReason)>,
}

impl World {
    fn new(tasks: Vec<ScheduledTask>) -> Self {
        let now = at("00:00");
        let mut timetable = Timetable::new(now);
        for task in &tasks {
            timetable.add(task.clone(), now).unwrap();
        }
        let handled = tasks.iter().map(|task| (task.id.clone(), now)).collect();
        let (unfinished, begun, skipped) = (Vec::new(), BTreeSet::new(), Vec::new());
        let latest = now;
        let requests = 0;
        Self { tasks, timetable, now, latest, handled, unfinished, begun, requests, skipped }
    }

    /// Does the first `count` of the actions.
    fn act(&mut self, actions: Vec<ScheduleAction>, count: usize) {
        for action in actions.into_iter().take(count) {
            match action {
                ScheduleAction::Start(run) => {
                    let is_new = self.begun.insert(run.key());
                    assert!(is_new, "{} begins twice", run.key());
                    let is_alone =
                        self.unfinished.iter().all(|other| other.pipeline != run.pipeline);
                    assert!(is_alone, "{} runs beside another", run.key());
                    self.unfinished.push(run);
                }
                ScheduleAction::Cancel(run) => assert!(self.unfinished.contains(&run)),
                ScheduleAction::Skipped { schedule, first, last, reason } => {
                    self.skipped.push((schedule, first, last, reason));
                }
                ScheduleAction::Handled { schedule, up_to } => {
                    let before = self.handled.insert(schedule, up_to);
                    assert!(before < Some(up_to));
                }
                ScheduleAction::ClockSetBack { .. } => panic!("the steps are small"),
            }
        }
    }

    fn advance(&mut self, acted: usize) {
        let actions = self.timetable.advance(self.now);
        self.act(actions, acted);
    }

    fn step(&mut self, step: &Step) {
        let id = self.tasks[0].id.clone();
        match step {
            Step::Minutes(minutes) => {
                self.now += SignedDuration::from_mins(*minutes);
                self.now = self.now.max(self.latest - SignedDuration::from_hours(20));
                self.latest = self.latest.max(self.now);
            }
            Step::End => {
                if !self.unfinished.is_empty() {
                    let run = self.unfinished.remove(0);
                    let actions = self.timetable.ended(&run);
                    self.act(actions, usize::MAX);
                }
            }
            Step::Crash(acted) => return self.crash(*acted),
            Step::Pause => {
                let actions = self.timetable.set_state(&id, ScheduleState::Paused, self.now);
                self.act(actions.unwrap(), usize::MAX);
            }
            Step::Resume => {
                let actions = self.timetable.set_state(&id, ScheduleState::Active, self.now);
                self.act(actions.unwrap(), usize::MAX);
            }
            Step::RunNow => {
                // Two requests of one instant are one.
                self.requests += 1;
                let now = self.now + SignedDuration::from_nanos(self.requests);
                let actions = self.timetable.run_now(&id, now).unwrap();
                self.act(actions, usize::MAX);
            }
        }
        self.advance(usize::MAX);
    }

    fn crash(&mut self, acted: usize) {
        self.advance(acted);
        self.timetable = Timetable::new(self.now);
        for task in &self.tasks {
            // As the journal would know it: what has begun is handled, too.
            let began = self.begun.iter().filter_map(|key| DueRun::from_key("day", key));
            let newest = began
                .filter(|run| run.schedule == task.id && run.key().ends_with('Z'))
                .map(|run| run.scheduled_at)
                .max();
            let since = self.handled[&task.id].max(newest.unwrap_or(Timestamp::MIN));
            self.timetable.add(task.clone(), since).unwrap();
            self.handled.insert(task.id.clone(), since);
        }
        for run in self.unfinished.clone() {
            let actions = self.timetable.resume(run.clone());
            assert_eq!(actions, [ScheduleAction::Start(run)]);
        }
        self.advance(usize::MAX);
    }

    /// Every firing was begun or left out with a reason, and none both.
    fn check(&mut self) {
        // Whoever waits gets its turn; nobody is paused at the end.
        for _ in 0..10 * QUEUED_MAX {
            self.step(&Step::Resume);
            self.step(&Step::End);
        }
        for task in &self.tasks {
            let firings = task.schedule.firings_after(at("00:00")).map(|firing| firing.at);
            for firing in firings.take_while(|firing| *firing <= self.latest) {
                let is_begun = self.begun.contains(&format!("{}@{firing}", task.id));
                let is_skipped = self.skipped.iter().any(|(schedule, first, last, _)| {
                    *schedule == task.id && *first <= firing && firing <= *last
                });
                assert!(is_begun || is_skipped, "{} of {firing} is lost", task.id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_firing_is_lost_or_begun_twice_whatever_the_clock_and_the_process_do(
        steps in prop::collection::vec(step(), 1..80),
        misfire in 0..3_usize,
        overlap in 0..3_usize,
        is_spread in any::<bool>(),
    ) {
        let runs_max = NonZeroU16::new(5).unwrap();
        let misfires =
            [MisfirePolicy::RunOnce, MisfirePolicy::RunAll { runs_max }, MisfirePolicy::Skip];
        let overlaps =
            [OverlapPolicy::Queue, OverlapPolicy::Skip, OverlapPolicy::CancelPrevious];
        let mut tasks = vec![
            hourly().misfire(misfires[misfire]).overlap(overlaps[overlap]),
            task("often", "*/20 * * * *").misfire(misfires[(misfire + 1) % 3]),
        ];
        if is_spread {
            let jitter = Jitter { max: SignedDuration::from_mins(30), seed: 3 };
            tasks = tasks.into_iter().map(|task| task.jitter(jitter)).collect();
        }
        let is_exact = steps.iter().all(|step| !matches!(step, Step::Crash(_)));
        let mut world = World::new(tasks);
        for step in &steps {
            world.step(step);
        }
        // A spread firing may still wait for its time.
        world.now = world.latest + SignedDuration::from_hours(1);
        let latest = world.latest;
        world.advance(usize::MAX);
        world.latest = latest;
        world.check();
        if is_exact {
            for (schedule, first, last, reason) in &world.skipped {
                let is_begun = |key: &String| {
                    let run = DueRun::from_key("day", key).unwrap();
                    run.schedule == *schedule
                        && key.ends_with('Z')
                        && (*first..=*last).contains(&run.scheduled_at)
                };
                prop_assert!(!world.begun.iter().any(is_begun), "{first} to {last}: {reason}");
            }
        }
    }
}
