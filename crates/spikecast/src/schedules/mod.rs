//! The schedules of an installation: what runs when, and what was changed about it.
//!
//! One file in the data directory holds them ([`ScheduleFile`]). Commands change it as a whole; a
//! process that runs the schedules reads it again and [follows](Schedules::follow) it. Until something is changed there is no file,
//! and the daily operations ([`operations`]) are what is scheduled.

mod file;
mod follow;
pub mod operations;
mod shapes;

use std::collections::BTreeMap;

use jiff::Timestamp;
use orchestration::{Firing, ScheduleId, ScheduledTask};
use thiserror::Error;

pub use file::{ScheduleFile, ScheduleFileError};
pub use shapes::{jitter, zone, zone_name};

/// A schedule, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRecord {
    /// What runs when.
    pub task: ScheduledTask,
    /// Whether it fires at present.
    pub standing: Standing,
    /// Firings after this instant count, those before never did.
    pub counts_from: Timestamp,
    /// When somebody asked last that it run at once.
    pub requested_at: Option<Timestamp>,
}

/// Whether a schedule fires at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It fires.
    Active,
    /// It does not; what it misses is dealt with when it is resumed, as after downtime.
    Paused,
}

/// Why a schedule cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// Nothing has this name.
    #[error(
        "schedule {name} does not exist{}; see `spikecast schedule list`",
        nearest.as_ref().map(|near| format!(", did you mean {near}?")).unwrap_or_default()
    )]
    Unknown {
        /// The name.
        name: String,
        /// The schedule whose name is spelled most alike.
        nearest: Option<String>,
    },
    /// The name is taken.
    #[error("schedule {name} exists already; change it with --replace, or choose another name")]
    Exists {
        /// The name.
        name: String,
    },
    /// It would never fire.
    #[error("schedule {name} would never fire: no date matches, or its time has passed")]
    Never {
        /// The name.
        name: String,
    },
    /// A setting makes no sense.
    #[error("schedule {name} has {wrong}")]
    Senseless {
        /// The name.
        name: String,
        /// What makes no sense.
        wrong: &'static str,
    },
}

/// What becomes of the firings that were missed while a schedule was paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// They are dealt with as after downtime.
    AsAfterDowntime,
    /// They are left out.
    LeftOut,
}

/// All schedules, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedules(BTreeMap<ScheduleId, ScheduleRecord>);

impl Schedules {
    /// Returns the daily operations as they are before anybody changes them.
    #[must_use]
    pub fn daily_operations(now: Timestamp) -> Self {
        let mut schedules = Self::default();
        for task in operations::daily() {
            let (standing, counts_from) = (Standing::Active, now);
            schedules.insert(ScheduleRecord { task, standing, counts_from, requested_at: None });
        }
        schedules
    }

    /// Returns the schedules by name.
    pub fn iter(&self) -> impl Iterator<Item = &ScheduleRecord> {
        self.0.values()
    }

    /// Returns the schedule of a name.
    pub fn get(&self, name: &str) -> Result<&ScheduleRecord, EditError> {
        self.0.get(&name.into()).ok_or_else(|| self.unknown(name))
    }

    /// Adds a schedule whose firings count from now on.
    pub fn add(&mut self, task: ScheduledTask, now: Timestamp) -> Result<(), EditError> {
        if self.0.contains_key(&task.id) {
            return Err(EditError::Exists { name: task.id.to_string() });
        }
        check(&task, now)?;
        let (standing, counts_from) = (Standing::Active, now);
        self.insert(ScheduleRecord { task, standing, counts_from, requested_at: None });
        Ok(())
    }

    /// Puts a task into the place of the one of the same name. Another time counts from now on;
    /// other policies leave the firings as they were.
    pub fn replace(&mut self, task: ScheduledTask, now: Timestamp) -> Result<(), EditError> {
        check(&task, now)?;
        let record = self.get_mut(task.id.as_str())?;
        if record.task.schedule != task.schedule {
            record.counts_from = now;
        }
        record.task = task;
        Ok(())
    }

    /// Stops a schedule from firing until it is resumed.
    pub fn pause(&mut self, name: &str) -> Result<(), EditError> {
        self.get_mut(name)?.standing = Standing::Paused;
        Ok(())
    }

    /// Lets a paused schedule fire again.
    pub fn resume(&mut self, name: &str, missed: Missed, now: Timestamp) -> Result<(), EditError> {
        let record = self.get_mut(name)?;
        if missed == Missed::LeftOut && record.standing == Standing::Paused {
            record.counts_from = now;
        }
        record.standing = Standing::Active;
        Ok(())
    }

    /// Asks whoever runs the schedules to run one at once, whatever its standing.
    pub fn request(&mut self, name: &str, now: Timestamp) -> Result<(), EditError> {
        self.get_mut(name)?.requested_at = Some(now);
        Ok(())
    }

    /// Removes a schedule.
    pub fn remove(&mut self, name: &str) -> Result<ScheduleRecord, EditError> {
        let removed = self.0.remove(&name.into());
        removed.ok_or_else(|| self.unknown(name))
    }

    fn insert(&mut self, record: ScheduleRecord) {
        self.0.insert(record.task.id.clone(), record);
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut ScheduleRecord, EditError> {
        let unknown = self.unknown(name);
        self.0.get_mut(&name.into()).ok_or(unknown)
    }

    fn unknown(&self, name: &str) -> EditError {
        let likeness = |known: &&ScheduleId| strsim::jaro_winkler(name, known.as_str());
        let nearest = self.0.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|known| LIKENESS_MIN < likeness(known));
        let nearest = nearest.map(ToString::to_string);
        EditError::Unknown { name: name.to_owned(), nearest }
    }
}

/// Names that are less alike are not suggested.
const LIKENESS_MIN: f64 = 0.7;

impl ScheduleRecord {
    /// Returns its next firing after `now`; none while it is paused.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Firing> {
        match self.standing {
            Standing::Active => self.task.schedule.next_after(now.max(self.counts_from)),
            Standing::Paused => None,
        }
    }
}

fn check(task: &ScheduledTask, now: Timestamp) -> Result<(), EditError> {
    let name = || task.id.to_string();
    if let Some(wrong) = task.nonsense() {
        return Err(EditError::Senseless { name: name(), wrong });
    }
    match task.schedule.next_after(now) {
        Some(_) => Ok(()),
        None => Err(EditError::Never { name: name() }),
    }
}

#[cfg(test)]
mod tests {
    use market::time::market_zone;
    use orchestration::{OverlapPolicy, Schedule};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn task(name: &str, when: &str) -> ScheduledTask {
        let schedule = Schedule::parse(when, market_zone().clone()).unwrap();
        ScheduledTask::new(name, "forecast", schedule)
    }

    fn schedules() -> Schedules {
        let mut schedules = Schedules::default();
        schedules.add(task("noon", "0 12 * * *"), at("2026-01-27T00:00:00Z")).unwrap();
        schedules
    }

    #[test]
    fn another_time_counts_from_the_change_and_another_policy_changes_no_firing() {
        let (first, later) = (at("2026-01-27T00:00:00Z"), at("2026-01-29T00:00:00Z"));
        let mut schedules = schedules();
        let skipping = task("noon", "0 12 * * *").overlap(OverlapPolicy::Skip);
        schedules.replace(skipping.clone(), later).unwrap();
        let record = schedules.get("noon").unwrap();
        assert_eq!((record.counts_from, &record.task), (first, &skipping));
        schedules.replace(task("noon", "1 12 * * *"), later).unwrap();
        assert_eq!(schedules.get("noon").unwrap().counts_from, later);
    }

    #[test]
    fn what_was_missed_while_paused_counts_unless_it_is_to_be_left_out() {
        let (first, later) = (at("2026-01-27T00:00:00Z"), at("2026-01-29T00:00:00Z"));
        let mut schedules = schedules();
        schedules.pause("noon").unwrap();
        assert_eq!(schedules.get("noon").unwrap().next(later), None);
        schedules.resume("noon", Missed::AsAfterDowntime, later).unwrap();
        assert_eq!(schedules.get("noon").unwrap().counts_from, first);
        // One that was not paused has missed nothing that could be left out.
        schedules.resume("noon", Missed::LeftOut, later).unwrap();
        assert_eq!(schedules.get("noon").unwrap().counts_from, first);
        schedules.pause("noon").unwrap();
        schedules.resume("noon", Missed::LeftOut, later).unwrap();
        let record = schedules.get("noon").unwrap();
        assert_eq!(record.counts_from, later);
        assert_eq!(record.next(first).unwrap().at, at("2026-01-29T18:00:00Z"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let now = at("2026-01-27T00:00:00Z");
        let check = |result: Result<(), EditError>, expected: &str| {
            assert_eq!(result.unwrap_err().to_string(), expected);
        };
        let mut schedules = schedules();
        check(
            schedules.add(task("noon", "@daily"), now),
            "schedule noon exists already; change it with --replace, or choose another name",
        );
        check(
            schedules.pause("non"),
            "schedule non does not exist, did you mean noon?; see `spikecast schedule list`",
        );
        check(
            schedules.remove("xyz").map(drop),
            "schedule xyz does not exist; see `spikecast schedule list`",
        );
        for never in ["0 0 30 2 *", "once at 2026-01-26T06:00"] {
            check(
                schedules.add(task("never", never), now),
                "schedule never would never fire: no date matches, or its time has passed",
            );
        }
        let hasty = task("hasty", "@daily").grace(-jiff::SignedDuration::from_secs(1));
        check(schedules.add(hasty, now), "schedule hasty has a negative grace");
        assert_eq!(schedules.iter().count(), 1);
    }
}
