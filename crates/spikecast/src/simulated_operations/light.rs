//! What light stages share: time that passes, troubles of the day, and the death of the process.

use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use market::archive::Archive;
use market::time::OperatingDay;
use orchestration::simulation::VirtualClock;
use orchestration::{FailureClass, StageContext, StageFailure};
use twox_hash::XxHash64;

use super::diary::{Diary, Entry};
use super::trouble::{DayPlan, Death, Kill, Kind, Severity, Trouble, plan};
use crate::data_dir::DataDir;

/// No trouble stays longer than this many days.
const TROUBLE_DAYS_MAX: i32 = 4;

/// How much longer everything takes on a slow machine.
const SLOWNESS: u64 = 8;

/// What light stages share.
#[derive(Debug)]
pub(super) struct Light {
    pub(super) seed: u64,
    pub(super) severity: Severity,
    pub(super) clock: Arc<VirtualClock>,
    pub(super) diary: Diary,
    pub(super) data_dir: DataDir,
    pub(super) archive: Archive,
    /// Where the next process learns when it begins.
    pub(super) resume_at: PathBuf,
    /// How this process dies.
    pub(super) kill: Option<Kill>,
    /// Stages that have begun and that have done their work since it was to die.
    pub(super) counts: (AtomicU32, AtomicU32),
}

impl Light {
    pub(super) fn plan_of(&self, day: OperatingDay) -> DayPlan {
        plan(self.seed, self.severity, day)
    }

    /// Returns the troubles that began in the last days or will on a day.
    pub(super) fn troubles_until(&self, day: OperatingDay) -> Vec<Trouble> {
        let days = (0..TROUBLE_DAYS_MAX).map(|back| day.plus_days(-back));
        days.flat_map(|day| self.plan_of(day).troubles).collect()
    }

    /// Tells whether a trouble is there now.
    pub(super) fn suffers(&self, kind: Kind) -> bool {
        let now = self.clock.true_time();
        let is_now = |it: &Trouble| it.kind == kind && it.from <= now && now < it.until;
        self.troubles_until(OperatingDay::of(now)).iter().any(is_now)
    }

    /// Lets an attempt take some seconds, always the same for the same attempt.
    pub(super) fn work(
        &self,
        stage: &StageContext,
        seconds: RangeInclusive<u64>,
    ) -> Result<(), StageFailure> {
        let item = stage.item_number().unwrap_or(0);
        let name = format!("{} {} {item} {}", stage.run_id(), stage.stage(), stage.attempt());
        let draw = XxHash64::oneshot(self.seed, name.as_bytes());
        let span = seconds.end() - seconds.start() + 1;
        let slowness = if self.suffers(Kind::Slow) { SLOWNESS } else { 1 };
        let seconds = (seconds.start() + draw % span) * slowness;
        self.clock.sleep(Duration::from_secs(seconds), stage.cancellation());
        stage.check_cancelled()
    }

    /// Fails while nothing can be written.
    pub(super) fn need_disk(&self) -> Result<(), StageFailure> {
        if self.suffers(Kind::DiskFull) {
            let message = "no space left on device".to_owned();
            return Err(StageFailure::new(FailureClass::ResourceExhaustion, message));
        }
        Ok(())
    }

    /// Dies if the time has come and this was the so-manieth stage that begins.
    pub(super) fn before_work(&self) {
        if let Some(Kill { death: Death::BeforeWork(ordinal), .. }) = self.kill {
            self.die_at_the(ordinal, &self.counts.0);
        }
    }

    /// Dies if the time has come and this was the so-manieth stage that has done its work.
    pub(super) fn after_work(&self) {
        if let Some(Kill { death: Death::AfterWork(ordinal), .. }) = self.kill {
            self.die_at_the(ordinal, &self.counts.1);
        }
    }

    fn die_at_the(&self, ordinal: u32, count: &AtomicU32) {
        let has_come = self.kill.is_some_and(|kill| kill.at <= self.clock.true_time());
        if has_come && count.fetch_add(1, Ordering::SeqCst) + 1 == ordinal {
            self.die();
        }
    }

    /// Ends this process as `kill -9` does. Whoever watches starts another one.
    pub(super) fn die(&self) -> ! {
        let at = self.clock.true_time();
        let downtime = self.kill.map_or(SignedDuration::ZERO, |kill| kill.downtime);
        let until = at + downtime;
        self.diary.write(&Entry::Death { at, until });
        write_resume(&self.resume_at, until);
        std::process::abort();
    }
}

/// Leaves word for the next process.
pub(super) fn write_resume(path: &std::path::Path, at: Timestamp) {
    fs::write(path, at.to_string()).expect("the folder of a simulation can be written");
}

/// Reads when the next process begins.
pub(super) fn read_resume(path: &std::path::Path) -> Option<Timestamp> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
