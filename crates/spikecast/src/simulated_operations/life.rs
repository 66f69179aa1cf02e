//! One process of the simulated operations: from its start to its death, or to the end of it all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use jiff::{SignedDuration, Timestamp};
use market::archive::Upkeep;
use market::time::OperatingDay;
use orchestration::simulation::VirtualClock;
use orchestration::{Clock, ErrorRecoveryManager, Journal, ScheduleAction, ScheduledEvent};

use super::diary::{Diary, Entry};
use super::functions::{fetched, registry};
use super::light::{Light, read_resume, write_resume};
use super::town::Town;
use super::trouble::{Death, Kind, Severity};
use crate::config::{Config, ConfigError, Layers};
use crate::jobs::failure::JobError;
use crate::jobs::fetch::{FetchInput, FetchWorkspace, Purpose, Vintages, recover_fetching};
use crate::jobs::forecast::{
    Attendance, Fetching, Setup, Training, Workspace, recover_archive, wanted,
};
use crate::notifications::Notifier;
use crate::operations::{Fetcher, Operations, Parts, patient_fetching};
use crate::schedules::ScheduleFile;
use crate::simulated_ercot::{PASSWORD, SUBSCRIPTION_KEY, USERNAME};

/// ERCOT has published for so long before operations begin.
const HISTORY_DAYS: i32 = 40;

/// What is simulated, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of everything.
    pub folder: PathBuf,
    /// Which troubles come.
    pub seed: u64,
    /// How many.
    pub severity: Severity,
    /// The first day.
    pub first_day: OperatingDay,
    /// How many days.
    pub days: u32,
}

impl Settings {
    /// Returns when it all begins.
    #[must_use]
    pub fn begins(&self) -> Timestamp {
        self.first_day.start()
    }

    /// Returns when it is over.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.first_day.plus_days(i32::try_from(self.days).unwrap_or(i32::MAX)).start()
    }

    pub(super) fn diary(&self) -> PathBuf {
        self.folder.join("diary.jsonl")
    }

    pub(super) fn resume_at(&self) -> PathBuf {
        self.folder.join("resume-at")
    }

    /// Returns when the next process begins, as the last one left it.
    #[must_use]
    pub fn resume_at_text(&self) -> Option<String> {
        fs::read_to_string(self.resume_at()).ok()
    }

    /// Tells whether the last process came to the end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        read_resume(&self.resume_at()).is_some_and(|at| self.ends() <= at)
    }

    fn config(&self, url: &str) -> Result<Config, ConfigError> {
        let mut layers = Layers::default();
        let folder = self.folder.join("data").display().to_string();
        for (key, value) in [
            ("data_dir", folder.as_str()),
            ("source", "ercot"),
            ("ercot_url", url),
            ("ercot_username", USERNAME),
            ("ercot_password", PASSWORD),
            ("ercot_subscription_key", SUBSCRIPTION_KEY),
            ("settlement_points", "HB_NORTH"),
            ("thresholds", "100"),
            // Nobody is asked at this address: the desk is in this process.
            ("webhook_url", "http://127.0.0.1:9/desk"),
        ] {
            layers.add_flag(key, Some(value.to_owned()));
        }
        Config::from_layers(&layers)
    }
}

/// A process.
#[derive(Debug)]
pub struct Life {
    settings: Settings,
    clock: Arc<VirtualClock>,
    town: Town,
    light: Arc<Light>,
    operations: Operations,
    begun: Timestamp,
}

/// Something that the world does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// The troubles of a new day become known to ERCOT.
    NewDay,
    /// The archive is compacted, as it is once a month.
    Compact,
    CorruptArchive,
    CorruptModel,
    StepClock(SignedDuration),
    Kill,
}

impl Life {
    /// Begins where the last process died, or where it all begins.
    pub fn begin(settings: Settings) -> anyhow::Result<Self> {
        let begun = read_resume(&settings.resume_at()).unwrap_or_else(|| settings.begins());
        let clock = VirtualClock::new(begun);
        let first = settings.first_day.plus_days(-HISTORY_DAYS).date();
        let town = Town::start(&clock, settings.seed, first)?;
        let config = Arc::new(settings.config(town.url())?);
        let data_dir = config.data_dir.clone();
        fs::create_dir_all(data_dir.path())?;
        let shared: Arc<dyn Clock> = clock.clone();
        let fetching = patient_fetching(&config, &shared)?
            .ok_or_else(|| JobError::Configuration("the source is ERCOT".to_owned()))?;
        let mut light = Light {
            seed: settings.seed,
            severity: settings.severity,
            clock: clock.clone(),
            diary: Diary::open(&settings.diary())?,
            data_dir: data_dir.clone(),
            archive: fetching.archive.clone(),
            resume_at: settings.resume_at(),
            kill: None,
            counts: (AtomicU32::new(0), AtomicU32::new(0)),
        };
        light.kill = next_kill(&light, begun);
        light.diary.write(&Entry::Life { at: begun });
        let light = Arc::new(light);
        let parts = parts(&config, &shared, &light, &fetching)?;
        let operations = Operations::start(parts)?;
        Ok(Self { settings, clock, town, light, operations, begun })
    }

    /// Lives until the end, or dies before: then this does not return.
    pub fn live(self) -> anyhow::Result<()> {
        let mut day = OperatingDay::of(self.begun);
        self.town.trouble(&self.light.troubles_until(day))?;
        while day.start() < self.settings.ends() {
            for (at, act) in self.acts_of(day) {
                if self.begun < at {
                    self.clock.wait_as_world(at);
                    self.act(act, day)?;
                }
            }
            day = day.plus_days(1);
        }
        self.clock.wait_as_world(self.settings.ends());
        write_resume(&self.light.resume_at, self.settings.ends());
        self.operations.stop();
        Ok(())
    }

    /// Returns what the world does on a day, in order.
    fn acts_of(&self, day: OperatingDay) -> Vec<(Timestamp, Act)> {
        let plan = self.light.plan_of(day);
        let mut acts = vec![(day.start(), Act::NewDay)];
        if day.date().day() == 1 {
            acts.push((day.start() + SignedDuration::from_hours(20), Act::Compact));
        }
        for trouble in &plan.troubles {
            match trouble.kind {
                Kind::CorruptedArchive => acts.push((trouble.from, Act::CorruptArchive)),
                Kind::CorruptedModel => acts.push((trouble.from, Act::CorruptModel)),
                _ => {}
            }
        }
        // A process that begins while the clock is wrong finds it right: nobody puts it right then.
        if plan.steps.first().is_some_and(|first| self.begun < first.at) {
            acts.extend(plan.steps.iter().map(|step| (step.at, Act::StepClock(step.by))));
        }
        let at_rest = self.light.kill.filter(|kill| kill.death == Death::AtRest);
        let today = at_rest.filter(|kill| OperatingDay::of(kill.at) == day);
        acts.extend(today.map(|kill| (kill.at, Act::Kill)));
        acts.sort_unstable();
        acts
    }

    fn act(&self, act: Act, day: OperatingDay) -> anyhow::Result<()> {
        match act {
            Act::NewDay => self.town.trouble(&self.light.troubles_until(day))?,
            Act::Compact => {
                let (now, grace) = (self.clock.now(), SignedDuration::ZERO);
                let raw_kept = Some(SignedDuration::from_hours(24 * 14));
                // What is broken is found by those who read it.
                drop(self.light.archive.compact(&Upkeep { now, grace, raw_kept }));
            }
            Act::CorruptArchive => {
                corrupt_newest(&self.light.data_dir.path().join("archive"), "parquet")?
            }
            Act::CorruptModel => {
                corrupt_newest(&self.light.data_dir.path().join("models"), "model")?
            }
            Act::StepClock(by) => self.clock.step(by),
            Act::Kill => self.light.die(),
        }
        Ok(())
    }
}

/// Returns how a process that begins at an instant dies, in the days after it.
fn next_kill(light: &Light, begun: Timestamp) -> Option<super::trouble::Kill> {
    const LOOKED_AHEAD_DAYS: i32 = 400;
    let today = OperatingDay::of(begun);
    let days = (0..LOOKED_AHEAD_DAYS).map(|ahead| today.plus_days(ahead));
    days.filter_map(|day| light.plan_of(day).kill).find(|kill| begun < kill.at)
}

fn parts(
    config: &Arc<Config>,
    clock: &Arc<dyn Clock>,
    light: &Arc<Light>,
    fetching: &Arc<FetchWorkspace>,
) -> anyhow::Result<Parts> {
    let workspace = Arc::new(Workspace::new(config.data_dir.clone(), clock.clone()));
    let mut recovery = ErrorRecoveryManager::new();
    recover_fetching(&mut recovery, fetching, config.fetch_retry)?;
    recover_archive(&mut recovery, &workspace)?;
    let file = ScheduleFile::at(config.data_dir.schedules());
    Ok(Parts {
        config: config.clone(),
        clock: clock.clone(),
        journal: Journal::open(&config.data_dir.journal())?,
        registry: registry(light, fetching, &workspace),
        recovery,
        isolated: None,
        setup: Setup {
            training: Training::Here,
            fetching: Fetching::Patient(config.fetch_retry),
            attendance: Attendance::Unattended,
        },
        notifier: Arc::new(Notifier::new(&config.notifications, clock.clone())?),
        fetcher: light_fetcher(config, fetching),
        schedules: file.establish(clock.now())?,
        observer: write_down(light.clone()),
    })
}

/// Wants one report instead of all.
fn light_fetcher(config: &Arc<Config>, fetching: &Arc<FetchWorkspace>) -> Fetcher {
    let (config, fetching) = (config.clone(), fetching.clone());
    Arc::new(move |_, issue_time| {
        Ok(Some(FetchInput {
            source: config.source.clone(),
            wanted: wanted(&fetching.archive, &[fetched()], issue_time),
            now: fetching.clock.now(),
            as_of: issue_time,
            vintages: Vintages::Morning,
            purpose: Purpose::Forecast,
        }))
    })
}

/// Writes down what happens under the schedules.
fn write_down(light: Arc<Light>) -> Box<dyn Fn(&ScheduledEvent) + Send + Sync> {
    Box::new(move |event| {
        let at = light.clock.true_time();
        match event {
            ScheduledEvent::Started { run, .. } => {
                light.diary.write(&Entry::Began { at, key: run.key() });
            }
            ScheduledEvent::Ended { run, result } => {
                let (id, status) = match result {
                    Ok(report) => (Some(report.run_id.to_string()), report.status.to_string()),
                    Err(error) => (None, error.to_string()),
                };
                light.diary.write(&Entry::Ended { at, key: run.key(), run: id, status });
            }
            ScheduledEvent::Decided(ScheduleAction::Skipped { schedule, first, last, reason }) => {
                let (schedule, reason) = (schedule.to_string(), reason.to_string());
                let (first, last) = (*first, *last);
                light.diary.write(&Entry::Skipped { at, schedule, first, last, reason });
            }
            ScheduledEvent::Decided(_) => {}
        }
    })
}

/// Turns over the bits in the middle of the newest file with an ending.
fn corrupt_newest(folder: &Path, ending: &str) -> io::Result<()> {
    let mut newest: Option<(std::time::SystemTime, PathBuf)> = None;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(listed) = fs::read_dir(&folder) else { continue };
        for entry in listed {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                newest = newest.max(Some((entry.metadata()?.modified()?, path)));
            }
        }
    }
    let Some((_, path)) = newest else { return Ok(()) };
    let mut bytes = fs::read(&path)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte = !*byte;
    }
    fs::write(path, bytes)
}
