//! The daily operations in virtual time with the real stages: who is told what when the morning
//! goes wrong.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use market::time::parse_local;
use orchestration::simulation::VirtualClock;
use orchestration::{Clock, ErrorRecoveryManager, Journal, StageContext, StageOutput};
use spikecast::config::{Config, Layers};
use spikecast::jobs::forecast::{self, Attendance, Fetching, Setup, Training, Workspace};
use spikecast::notifications::Notifier;
use spikecast::operations::{Operations, Parts, fetcher, register};
use spikecast::schedules::Schedules;

/// Operations of which one schedule fires, and what was told.
struct Morning {
    _folder: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    config: Arc<Config>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Morning {
    /// A morning without any data.
    fn new(begins: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut layers = Layers::default();
        let data = folder.path().join("data").display().to_string();
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        for (key, value) in [
            ("data_dir", data.as_str()),
            ("source", "files"),
            ("path", empty.to_str().unwrap()),
            ("settlement_points", "HB_WEST"),
            ("webhook_url", "http://127.0.0.1:9/desk"),
        ] {
            layers.add_flag(key, Some(value.to_owned()));
        }
        let config = Arc::new(Config::from_layers(&layers).unwrap());
        std::fs::create_dir_all(config.data_dir.path()).unwrap();
        let clock = VirtualClock::new(parse_local(begins).unwrap());
        Self { _folder: folder, clock, config, told: Arc::default() }
    }

    /// Plays until a time with the schedules that are named; returns what was told, when.
    fn play(&self, until: &str, scheduled: &[&str]) -> Vec<String> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let workspace = Arc::new(Workspace::new(self.config.data_dir.clone(), clock.clone()));
        let mut registry = forecast::registry(&workspace);
        register(&mut registry, &workspace);
        let (told, time) = (self.told.clone(), self.clock.clone());
        registry.register("deliver", move |stage: &StageContext| {
            let kind = stage.run_input()["notice"]["kind"].as_str().unwrap_or_default().to_owned();
            let at = market::time::local(time.now()).strftime("%H:%M").to_string();
            told.lock().unwrap().push(format!("{at} {kind}"));
            Ok(StageOutput::fresh(serde_json::Value::Null))
        });
        let mut schedules = Schedules::daily_operations(self.clock.now());
        let names: Vec<String> = schedules.iter().map(|it| it.task.id.to_string()).collect();
        for name in names.iter().filter(|name| !scheduled.contains(&name.as_str())) {
            schedules.remove(name).unwrap();
        }
        let operations = Operations::start(Parts {
            config: self.config.clone(),
            clock: clock.clone(),
            journal: Journal::open(&self.config.data_dir.journal()).unwrap(),
            registry,
            recovery: ErrorRecoveryManager::new(),
            isolated: None,
            setup: Setup {
                training: Training::Here,
                fetching: Fetching::AtOnce,
                attendance: Attendance::Unattended,
            },
            notifier: Arc::new(Notifier::new(&self.config.notifications, clock).unwrap()),
            fetcher: fetcher(&self.config.source, None),
            schedules,
            observer: Box::new(|_| {}),
        });
        let operations = operations.unwrap();
        self.clock.wait_as_world(parse_local(until).unwrap());
        operations.stop();
        self.told.lock().unwrap().clone()
    }

    /// Returns when runs of the forecast began.
    fn forecasts(&self) -> Vec<Timestamp> {
        let journal = Journal::open_read_only(&self.config.data_dir.journal()).unwrap();
        let runs = journal.runs(1_000).unwrap().into_iter();
        let mut begun: Vec<Timestamp> =
            runs.filter(|run| run.pipeline == "forecast").map(|run| run.submitted_at).collect();
        begun.sort_unstable();
        begun
    }
}

#[test]
fn a_morning_on_which_nothing_was_forecast_is_told_at_the_deadline_once() {
    let morning = Morning::new("2026-03-08T00:00");
    assert_eq!(morning.play("2026-03-08T12:00", &[]), ["09:45 deadline_missed"]);
    assert_eq!(morning.forecasts(), [] as [Timestamp; 0]);
}

#[test]
fn a_forecast_that_fails_is_told_once_and_made_again_until_the_deadline() {
    let morning = Morning::new("2026-11-01T00:00");
    let told = morning.play("2026-11-01T12:00", &["forecast"]);
    assert_eq!(told, ["06:00 deadline_at_risk", "09:45 deadline_missed"]);
    let begun = morning.forecasts();
    // At 06:00 and every five minutes from then on, the last time at 09:45.
    assert_eq!(begun.len(), 46);
    assert_eq!(begun.first(), Some(&parse_local("2026-11-01T06:00").unwrap()));
    assert_eq!(begun.last(), Some(&parse_local("2026-11-01T09:45").unwrap()));
}

#[test]
fn what_was_owed_when_a_process_ended_is_told_by_the_next_and_nothing_twice() {
    let morning = Morning::new("2026-03-08T09:40");
    morning.play("2026-03-08T09:50", &[]);
    let told = morning.play("2026-03-08T12:00", &[]);
    assert_eq!(told, ["09:45 deadline_missed"]);
}
