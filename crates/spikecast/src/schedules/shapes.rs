//! What the file of schedules looks like: JSON that a person can read and change.

use std::fmt::Display;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::{Jitter, Schedule, ScheduledTask};
use serde::{Deserialize, Serialize};

use super::operations::PIPELINES;
use super::{ScheduleRecord, Schedules, Standing};

/// The version of the file that this program reads and writes.
pub(super) const VERSION: u32 = 1;

/// All places of a jitter follow from the schedule's name and the instant; no other are needed.
const JITTER_SEED: u64 = 0;

/// What every version says.
#[derive(Deserialize)]
pub(super) struct VersionShape {
    pub(super) version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileShape {
    version: u32,
    schedules: Vec<RecordShape>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordShape {
    name: String,
    pipeline: String,
    when: String,
    time_zone: String,
    dst: String,
    misfire: String,
    grace: SignedDuration,
    overlap: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<SignedDuration>,
    priority: String,
    paused: bool,
    counts_from: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_at: Option<Timestamp>,
}

impl FileShape {
    pub(super) fn of(schedules: &Schedules) -> Self {
        Self { version: VERSION, schedules: schedules.iter().map(RecordShape::of).collect() }
    }

    /// Reads the schedules, or says which one is wrong and why.
    pub(super) fn into_schedules(self) -> Result<Schedules, (String, String)> {
        let mut schedules = Schedules::default();
        for shape in self.schedules {
            let name = shape.name.clone();
            let record = shape.into_record().map_err(|wrong| (name.clone(), wrong))?;
            if schedules.get(&name).is_ok() {
                return Err((name, "its name stands there twice".to_owned()));
            }
            schedules.insert(record);
        }
        Ok(schedules)
    }
}

impl RecordShape {
    fn of(record: &ScheduleRecord) -> Self {
        let ScheduleRecord { task, standing, counts_from, requested_at } = record;
        Self {
            name: task.id.to_string(),
            pipeline: task.pipeline.to_string(),
            when: task.schedule.to_string(),
            time_zone: zone_name(task.schedule.zone()).to_owned(),
            dst: task.schedule.dst_policy().to_string(),
            misfire: task.misfire.to_string(),
            grace: task.grace,
            overlap: task.overlap.to_string(),
            jitter: task.jitter.map(|jitter| jitter.max),
            priority: task.priority.to_string().to_lowercase(),
            paused: *standing == Standing::Paused,
            counts_from: *counts_from,
            requested_at: *requested_at,
        }
    }

    fn into_record(self) -> Result<ScheduleRecord, String> {
        if !PIPELINES.iter().any(|(name, _)| *name == self.pipeline) {
            let known = PIPELINES.map(|(name, _)| name).join(", ");
            return Err(format!("pipeline {:?} is not one of {known}", self.pipeline));
        }
        let zone = zone(&self.time_zone)?;
        let schedule = Schedule::parse(&self.when, zone).map_err(|error| error.to_string())?;
        let mut task =
            ScheduledTask::new(&self.name, &self.pipeline, schedule.dst(read(&self.dst)?))
                .misfire(read(&self.misfire)?)
                .grace(self.grace)
                .overlap(read(&self.overlap)?)
                .priority(read(&self.priority)?);
        if let Some(max) = self.jitter {
            task = task.jitter(jitter(max));
        }
        if let Some(wrong) = task.nonsense() {
            return Err(format!("it has {wrong}"));
        }
        let standing = if self.paused { Standing::Paused } else { Standing::Active };
        let (counts_from, requested_at) = (self.counts_from, self.requested_at);
        Ok(ScheduleRecord { task, standing, counts_from, requested_at })
    }
}

/// Returns the jitter of at most `max`.
#[must_use]
pub fn jitter(max: SignedDuration) -> Jitter {
    Jitter { max, seed: JITTER_SEED }
}

/// Finds a time zone by its name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        format!("time zone {name:?} is not known; use an IANA name such as America/Chicago or UTC")
    })
}

/// Returns the name of a zone that [`zone`] has found.
#[must_use]
pub fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().expect("zones are found by name only")
}

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}
