//! What changed between two readings of the schedules, done to a timetable that is running.

use jiff::Timestamp;
use orchestration::scheduler::TimetableError;
use orchestration::{ScheduleAction, ScheduleState, Timetable};

use super::{ScheduleRecord, Schedules, Standing};

impl Schedules {
    /// Makes a timetable that has these schedules have `after` instead; what runs goes on. Returns
    /// what the timetable decides about it.
    pub fn follow(
        &self,
        after: &Schedules,
        timetable: &mut Timetable,
        now: Timestamp,
    ) -> Result<Vec<ScheduleAction>, TimetableError> {
        let mut actions = Vec::new();
        for (id, before) in &self.0 {
            let is_kept = |record: &ScheduleRecord| record.task.pipeline == before.task.pipeline;
            if !after.0.get(id).is_some_and(is_kept) {
                actions.extend(timetable.remove(id)?);
            }
        }
        for (id, record) in &after.0 {
            let same_pipeline = |it: &&ScheduleRecord| it.task.pipeline == record.task.pipeline;
            match self.0.get(id).filter(same_pipeline) {
                None => {
                    timetable.add(record.task.clone(), record.counts_from)?;
                    actions.extend(set_standing(record, timetable, now)?);
                }
                Some(before) if before != record => {
                    actions.extend(change(before, record, timetable, now)?);
                    if before.requested_at < record.requested_at {
                        actions.extend(timetable.run_now(id, now)?);
                    }
                }
                Some(_) => {}
            }
        }
        Ok(actions)
    }
}

fn change(
    before: &ScheduleRecord,
    after: &ScheduleRecord,
    timetable: &mut Timetable,
    now: Timestamp,
) -> Result<Vec<ScheduleAction>, TimetableError> {
    let mut actions = Vec::new();
    if before.task != after.task {
        actions.extend(timetable.replace(after.task.clone(), now)?);
    }
    if before.counts_from != after.counts_from {
        // What a disabled schedule misses never was.
        let id = &after.task.id;
        actions.extend(timetable.set_state(id, ScheduleState::Disabled, now)?);
    }
    actions.extend(set_standing(after, timetable, now)?);
    Ok(actions)
}

fn set_standing(
    record: &ScheduleRecord,
    timetable: &mut Timetable,
    now: Timestamp,
) -> Result<Vec<ScheduleAction>, TimetableError> {
    let state = match record.standing {
        Standing::Active => ScheduleState::Active,
        Standing::Paused => ScheduleState::Paused,
    };
    timetable.set_state(&record.task.id, state, now)
}

#[cfg(test)]
mod tests {
    use market::time::market_zone;
    use orchestration::{MisfirePolicy, Schedule, ScheduledTask};

    use super::super::Missed;
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-01-27T{time}:00Z").parse().unwrap()
    }

    fn task(name: &str, when: &str, pipeline: &str) -> ScheduledTask {
        let schedule = Schedule::parse(when, market_zone().clone()).unwrap();
        ScheduledTask::new(name, pipeline, schedule)
    }

    /// A timetable that follows, and what it starts.
    struct Server {
        schedules: Schedules,
        timetable: Timetable,
    }

    impl Server {
        fn new() -> Self {
            let mut schedules = Schedules::default();
            schedules.add(task("hourly", "0 * * * *", "fetch"), at("05:30")).unwrap();
            let mut timetable = Timetable::new(at("05:30"));
            Schedules::default().follow(&schedules, &mut timetable, at("05:30")).unwrap();
            Self { schedules, timetable }
        }

        /// Changes the schedules at a time and goes on to another; returns what starts.
        fn play(
            &mut self,
            (changed_at, until): (&str, &str),
            change: impl FnOnce(&mut Schedules),
        ) -> Vec<String> {
            let mut after = self.schedules.clone();
            change(&mut after);
            let mut actions =
                self.schedules.follow(&after, &mut self.timetable, at(changed_at)).unwrap();
            self.schedules = after;
            actions.extend(self.timetable.advance(at(until)));
            let mut started = Vec::new();
            while let Some(action) = actions.pop() {
                if let ScheduleAction::Start(run) = action {
                    let time = run.scheduled_at.strftime("%H:%M");
                    started.push(format!("{} {} {time}", run.schedule, run.pipeline));
                    actions.extend(self.timetable.ended(&run));
                }
            }
            started
        }
    }

    #[test]
    fn what_is_asked_for_runs_at_once_and_once() {
        let mut server = Server::new();
        let ask = |schedules: &mut Schedules| {
            schedules.pause("hourly").unwrap();
            schedules.request("hourly", at("06:10")).unwrap();
        };
        assert_eq!(server.play(("06:10", "06:10"), ask), ["hourly fetch 06:10"]);
        let unpause = |schedules: &mut Schedules| {
            schedules.resume("hourly", Missed::LeftOut, at("06:20")).unwrap();
        };
        assert_eq!(server.play(("06:20", "06:20"), unpause), [""; 0]);
        assert_eq!(server.play(("07:00", "07:00"), |_| ()), ["hourly fetch 07:00"]);
    }

    #[test]
    fn a_schedule_that_is_added_or_removed_fires_from_then_on_or_no_more() {
        let mut server = Server::new();
        let add = |schedules: &mut Schedules| {
            schedules.add(task("new", "30 * * * *", "train"), at("06:10")).unwrap();
        };
        assert_eq!(server.play(("06:00", "06:00"), |_| ()), ["hourly fetch 06:00"]);
        assert_eq!(server.play(("06:10", "06:30"), add), ["new train 06:30"]);
        let remove = |schedules: &mut Schedules| drop(schedules.remove("hourly").unwrap());
        assert_eq!(server.play(("06:40", "07:30"), remove), ["new train 07:30"]);
    }

    #[test]
    fn a_change_of_time_counts_from_then_and_one_of_policy_changes_no_firing() {
        let mut server = Server::new();
        let later = |schedules: &mut Schedules| {
            schedules.replace(task("hourly", "45 * * * *", "fetch"), at("05:50")).unwrap();
        };
        assert_eq!(server.play(("05:50", "06:45"), later), ["hourly fetch 06:45"]);
        let skipping = |schedules: &mut Schedules| {
            let task = task("hourly", "45 * * * *", "fetch").misfire(MisfirePolicy::Skip);
            schedules.replace(task, at("07:44")).unwrap();
        };
        assert_eq!(server.play(("07:44", "07:45"), skipping), ["hourly fetch 07:45"]);
        let other_pipeline = |schedules: &mut Schedules| {
            schedules.replace(task("hourly", "45 * * * *", "score"), at("08:00")).unwrap();
        };
        assert_eq!(server.play(("08:00", "08:45"), other_pipeline), ["hourly score 08:45"]);
    }

    #[test]
    fn what_was_missed_while_paused_is_made_up_for_or_left_out() {
        let pause = |schedules: &mut Schedules| schedules.pause("hourly").unwrap();
        for (missed, expected) in
            [(Missed::AsAfterDowntime, vec!["hourly fetch 08:00"]), (Missed::LeftOut, vec![])]
        {
            let mut server = Server::new();
            assert_eq!(server.play(("05:40", "08:20"), pause), [""; 0]);
            let resume = |schedules: &mut Schedules| {
                schedules.resume("hourly", missed, at("08:20")).unwrap();
            };
            assert_eq!(server.play(("08:20", "08:20"), resume), expected);
            assert_eq!(server.play(("09:00", "09:00"), |_| ()), ["hourly fetch 09:00"]);
        }
    }
}
