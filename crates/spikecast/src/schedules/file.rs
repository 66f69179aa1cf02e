//! The file of schedules: read whole, changed whole.
//!
//! Writers take turns by a lock beside it, which the system frees when a process dies. Readers need
//! none: a change replaces the file, so that each finds the former or the new one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use market::table::{WriteError, write_atomically};
use thiserror::Error;

use super::shapes::{FileShape, VERSION, VersionShape};
use super::{EditError, Schedules};

/// Why schedules cannot be read or changed.
#[derive(Debug, Error)]
pub enum ScheduleFileError {
    /// The file is there and cannot be read.
    #[error("schedules {}: cannot be read; check its permissions and the disk", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// The file is not what it should be.
    #[error("schedules {}: cannot be understood; correct it, or remove it to begin anew", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: serde_json::Error,
    },
    /// A schedule in it is wrong.
    #[error("schedules {}, schedule {name}: {wrong}; correct it, or remove it there", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The schedule.
        name: String,
        /// What is wrong.
        wrong: String,
    },
    /// A newer program wrote it.
    #[error(
        "schedules {}: has version {found}, this program knows up to {VERSION}; use the newer program",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Writers cannot take turns.
    #[error(
        "schedules {}: its lock file cannot be made; name another data directory or change its \
         permissions",
        path.display()
    )]
    NotLocked {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: io::Error,
    },
    /// It cannot be written.
    #[error(transparent)]
    NotWritten(#[from] WriteError),
    /// The change is not possible.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// Where the schedules of an installation are kept.
#[derive(Clone, Debug)]
pub struct ScheduleFile {
    path: PathBuf,
}

impl ScheduleFile {
    /// Names the file, which need not exist yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads the schedules; the daily operations while there is no file.
    pub fn read(&self, now: Timestamp) -> Result<Schedules, ScheduleFileError> {
        let path = || self.path.clone();
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Schedules::daily_operations(now));
            }
            Err(cause) => return Err(ScheduleFileError::NotReadable { path: path(), cause }),
        };
        let malformed = |cause| ScheduleFileError::Malformed { path: path(), cause };
        let VersionShape { version: found } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if VERSION < found {
            return Err(ScheduleFileError::Newer { path: path(), found });
        }
        let shape: FileShape = serde_json::from_slice(&bytes).map_err(malformed)?;
        shape.into_schedules().map_err(|(name, wrong)| {
            let path = path();
            ScheduleFileError::Wrong { path, name, wrong }
        })
    }

    /// Reads the schedules for whoever runs them, and makes the file if there is none: from then on
    /// firings count, also those that are missed between two starts.
    pub fn establish(&self, now: Timestamp) -> Result<Schedules, ScheduleFileError> {
        if self.path.exists() { self.read(now) } else { self.edit(now, |_| Ok(())) }
    }

    /// Changes the schedules, all at once or not at all; returns them as they are then.
    pub fn edit(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut Schedules) -> Result<(), EditError>,
    ) -> Result<Schedules, ScheduleFileError> {
        let _turn = self.lock()?;
        let mut schedules = self.read(now)?;
        change(&mut schedules)?;
        let shape = FileShape::of(&schedules);
        write_atomically(&self.path, |out| {
            serde_json::to_writer_pretty(&mut *out, &shape)?;
            out.write_all(b"\n")
        })?;
        Ok(schedules)
    }

    /// Waits for its turn, which lasts until the file is dropped.
    fn lock(&self) -> Result<File, ScheduleFileError> {
        let lock = || -> io::Result<File> {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
            let lock = self.path.with_extension("lock");
            let file = File::options().write(true).create(true).truncate(false).open(lock)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|cause| ScheduleFileError::NotLocked { path: self.path.clone(), cause })
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use orchestration::{
        DstPolicy, MisfirePolicy, OverlapPolicy, Priority, Schedule, ScheduledTask,
    };

    use super::super::shapes::jitter;
    use super::*;

    fn now() -> Timestamp {
        "2026-01-27T00:00:00Z".parse().unwrap()
    }

    fn task(name: &str) -> ScheduledTask {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let schedule = Schedule::parse("every 3 weeks at 02:30 from 2026-03-01", zone).unwrap();
        ScheduledTask::new(name, "fetch", schedule.dst(DstPolicy::AsShown))
            .misfire(MisfirePolicy::RunAll { runs_max: 7.try_into().unwrap() })
            .grace(jiff::SignedDuration::from_mins(90))
            .overlap(OverlapPolicy::CancelPrevious)
            .jitter(jitter(jiff::SignedDuration::from_secs(20)))
            .priority(Priority::High)
    }

    #[test]
    fn what_is_changed_reads_back_beside_the_daily_operations() {
        let folder = tempfile::tempdir().unwrap();
        let file = ScheduleFile::at(folder.path().join("deep/schedules.json"));
        assert_eq!(file.read(now()).unwrap(), Schedules::daily_operations(now()));
        let changed = file
            .edit(now(), |schedules| {
                schedules.add(task("mine"), now())?;
                schedules.pause("train")
            })
            .unwrap();
        // The time of reading is of no consequence any more.
        assert_eq!(file.read(Timestamp::UNIX_EPOCH).unwrap(), changed);
        assert_eq!(changed.get("mine").unwrap().task, task("mine"));
        assert_eq!(changed.iter().count(), 7);
    }

    #[test]
    fn firings_count_from_when_somebody_first_ran_the_schedules() {
        let folder = tempfile::tempdir().unwrap();
        let file = ScheduleFile::at(folder.path().join("schedules.json"));
        let established = file.establish(now()).unwrap();
        assert_eq!(established, Schedules::daily_operations(now()));
        let later = "2026-02-01T00:00:00Z".parse().unwrap();
        assert_eq!(file.establish(later).unwrap(), established);
    }

    #[test]
    fn a_change_that_is_refused_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schedules.json");
        let file = ScheduleFile::at(path.clone());
        let refused = file.edit(now(), |schedules| {
            schedules.pause("train")?;
            schedules.pause("nothing")
        });
        assert!(matches!(refused, Err(ScheduleFileError::Edit(_))), "{refused:?}");
        assert!(!path.exists());
    }

    #[test]
    fn writers_who_come_at_once_lose_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = ScheduleFile::at(folder.path().join("schedules.json"));
        thread::scope(|scope| {
            for number in 0..16 {
                let file = &file;
                let add = move || {
                    let task = task(&format!("schedule {number}"));
                    file.edit(now(), |schedules| schedules.add(task, now())).unwrap();
                };
                scope.spawn(add);
            }
        });
        assert_eq!(file.read(now()).unwrap().iter().count(), 6 + 16);
    }

    #[test]
    fn a_file_that_is_wrong_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schedules.json");
        let file = ScheduleFile::at(path.clone());
        file.edit(now(), |schedules| schedules.pause("train")).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        let check = |from: &str, to: &str, expected: &str| {
            assert!(written.contains(from), "{written}");
            fs::write(&path, written.replacen(from, to, 1)).unwrap();
            let error = anyhow::Error::new(file.read(now()).unwrap_err());
            let message = format!("{error:#}");
            assert!(message.contains("schedules.json"), "{message}");
            assert!(message.contains(expected), "{message}");
        };
        check("\"version\": 1", "\"version\": 2", "has version 2");
        check("\"version\": 1", "\"version\": ", "cannot be understood; correct it");
        check("\"pipeline\"", "\"pipelin\"", "unknown field `pipelin`");
        check(
            "\"pipeline\": \"train\"",
            "\"pipeline\": \"trane\"",
            "pipeline \"trane\" is not one of backtest, fetch,",
        );
        check("0 0 * * *", "0 24 * * *", "schedule fetch: cron \"0 24 * * *\", field hour");
        check("America/Chicago", "America/Chikago", "time zone \"America/Chikago\" is not known");
        check("\"skip\"", "\"leave\"", "expected run_once, skip or run_all:N");
        check("\"refresh\"", "\"fetch\"", "schedule fetch: its name stands there twice");
    }
}
