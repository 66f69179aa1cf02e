//! `spikecast serve`, as a service manager and a desk see it: the real binary, real signals.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::models;
use crate::program::Program;

/// What is waited for comes sooner; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// Enough history to train on, and no more.
const CONFIGURATION: &str = "simulator_history_days = 120\nsettlement_points = [\"HB_WEST\"]\n";

/// A server under test.
struct Server {
    child: Child,
    lines: Receiver<Value>,
}

impl Server {
    fn start(program: &Program, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        fs::write(program.path("spikecast.toml"), CONFIGURATION).unwrap();
        Self::configured(program, arguments, environment)
    }

    fn configured(program: &Program, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = program
            .command(&[&["serve"], arguments].concat())
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = channel();
        let errors = BufReader::new(child.stderr.take().expect("it is piped"));
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line);
                let value = value.unwrap_or_else(|_| panic!("no line of JSON: {line}"));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with this message; returns it.
    fn line(&self, message: &str) -> Value {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line["message"] == message => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{message}: {error}; seen: {seen:#?}"),
            }
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([name, &id]).status();
        assert!(sent.expect("there is kill").success());
    }

    /// Asks it to stop and returns its exit code.
    fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().expect("a child can be waited for").code()
    }
}

#[test]
fn a_desk_asks_for_a_forecast_and_the_server_stops_when_it_is_told_to() {
    let program = Program::new();
    let server = Server::start(&program, &[], &[]);
    assert_eq!(server.line("serving")["schedules"], 6);
    let (second, errors) = program.run(&["serve"], 7);
    assert_eq!(second, "");
    assert!(errors.contains("another server runs in this data directory"), "{errors}");
    let (told, _) = program.run(&["schedule", "run-now", "forecast"], 0);
    assert!(told.contains("the running server starts forecast"), "{told}");
    let begun = server.line("run begins");
    assert_eq!((&begun["schedule"], &begun["pipeline"]), (&"forecast".into(), &"forecast".into()));
    let ended = server.line("run ended");
    assert_eq!(ended["status"], "COMPLETED");
    let runs = program.json(&["runs", "list"]);
    assert!(runs.to_string().contains("!requested"), "{runs}");
    let (shown, _) = program.run(&["forecast", "show"], 0);
    assert!(shown.contains("HB_WEST"), "{shown}");
    assert!(program.path("data/report.html").is_file());
    // Intermediate files of runs that are over are gone.
    let left = fs::read_dir(program.path("data/work")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_training_that_is_asked_for_fits_a_model_that_the_next_forecast_speaks_by() {
    let program = Program::new();
    let server = Server::start(&program, &[], &[]);
    server.line("serving");
    program.run(&["schedule", "run-now", "train"], 0);
    assert_eq!(server.line("run ended")["schedule"], "train");
    let replaced = server.line("notice");
    assert!(replaced["notice"].as_str().unwrap().starts_with("model_replaced "), "{replaced}");
    program.run(&["schedule", "run-now", "forecast"], 0);
    assert_eq!(server.line("run ended")["status"], "COMPLETED");
    assert_eq!(server.stop(), Some(0));
    let run = program.json(&["runs", "list"])[0]["run"].as_str().unwrap().to_owned();
    let shown = program.json(&["runs", "show", &run]);
    let train = shown["stages"].as_array().unwrap().iter().find(|it| it["stage"] == "train");
    assert_eq!(train.unwrap()["output"]["trained"], false, "{shown}");
}

#[test]
fn a_model_that_is_refused_is_told() {
    let program = models::program();
    let next = &program.json(&["schedule", "preview", "@daily", "--count", "1"])[0]["utc"];
    let next_midnight: Timestamp = next.as_str().unwrap().parse().unwrap();
    let days_ago = next_midnight - SignedDuration::from_hours(3 * 24);
    models::run(&program, &days_ago.to_string());
    models::change(&program, "1.0.0", models::flatter);
    let server = Server::configured(&program, &[], &[]);
    server.line("serving");
    program.run(&["schedule", "run-now", "train"], 0);
    assert_eq!(server.line("run ended")["status"], "COMPLETED");
    let told = server.line("notice");
    assert!(told["notice"].as_str().unwrap().starts_with("model_refused 1.0.1+"), "{told}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn what_is_changed_while_it_runs_is_followed_and_what_is_wrong_changes_nothing() {
    let program = Program::new();
    let server = Server::start(&program, &[], &[]);
    server.line("serving");
    let every_second = ["schedule", "add", "often", "* * * * * *", "--pipeline", "score"];
    program.run(&every_second, 0);
    server.line("schedules changed");
    assert_eq!(server.line("run begins")["schedule"], "often");
    fs::write(program.path("data/schedules.json"), "{ nonsense").unwrap();
    let refused = server.line("schedules stay as they were");
    assert!(refused["reason"].as_str().unwrap().contains("correct it"), "{refused}");
    fs::write(program.path("spikecast.toml"), "treshold = [1]").unwrap();
    server.signal("-HUP");
    let refused = server.line("the new settings are not used, the former ones stay");
    assert!(refused["reason"].as_str().unwrap().contains("did you mean"), "{refused}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn settings_are_read_again_on_request() {
    let program = Program::new();
    let server = Server::start(&program, &[], &[]);
    server.line("serving");
    let other = CONFIGURATION.replace("HB_WEST", "HB_NORTH");
    fs::write(program.path("spikecast.toml"), other).unwrap();
    server.signal("-HUP");
    server.line("serving");
    program.run(&["schedule", "run-now", "forecast"], 0);
    assert_eq!(server.line("run ended")["status"], "COMPLETED");
    let (shown, _) = program.run(&["forecast", "show"], 0);
    assert!(shown.contains("HB_NORTH"), "{shown}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_server_that_dies_while_it_forecasts_goes_on_when_it_is_started_again() {
    let program = Program::new();
    let mut server = Server::start(&program, &["--log-level", "debug"], &[]);
    server.line("serving");
    program.run(&["schedule", "run-now", "forecast"], 0);
    while server.line("stage begins")["stage"] != "train" {}
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = Server::start(&program, &[], &[]);
    assert_eq!(server.line("run begins")["schedule"], "forecast");
    assert_eq!(server.line("run ended")["status"], "COMPLETED");
    assert_eq!(server.stop(), Some(0));
    let runs = program.json(&["runs", "list"]);
    let forecasts = runs.as_array().unwrap().iter();
    let forecasts = forecasts.filter(|run| run["pipeline"] == "forecast");
    assert_eq!(forecasts.count(), 1, "{runs}");
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_alive_reloading_and_stopping() {
    let program = Program::new();
    let path = program.path("manager.socket");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = |expected: &str| {
        let mut words = [0; 512];
        loop {
            let length = manager.recv(&mut words).unwrap_or_else(|error| {
                panic!("{expected}: {error}");
            });
            if String::from_utf8_lossy(&words[..length]).contains(expected) {
                return;
            }
        }
    };
    let socket = path.display().to_string();
    let environment = [("NOTIFY_SOCKET", socket.as_str()), ("WATCHDOG_USEC", "5000000")];
    let server = Server::start(&program, &[], &environment);
    hear("READY=1");
    hear("WATCHDOG=1");
    server.signal("-HUP");
    hear("RELOADING=1");
    hear("READY=1");
    let stopped = thread::spawn(move || server.stop());
    hear("STOPPING=1");
    assert_eq!(stopped.join().unwrap(), Some(0));
}

#[test]
fn no_secret_is_logged() {
    let program = Program::new();
    let secrets = [
        ("SPIKECAST_WEBHOOK_URL", "http://127.0.0.1:9/hook-hunter2"),
        ("SPIKECAST_ERCOT_USERNAME", "desk@example.com"),
        ("SPIKECAST_ERCOT_PASSWORD", "password-hunter2"),
        ("SPIKECAST_ERCOT_SUBSCRIPTION_KEY", "key-hunter2"),
        ("SPIKECAST_SMTP_URL", "smtp://desk:mail-hunter2@127.0.0.1:9"),
        ("SPIKECAST_EMAIL_FROM", "desk@example.com"),
        ("SPIKECAST_EMAIL_TO", "trader@example.com"),
    ];
    let server = Server::start(&program, &["--log-level", "debug"], &secrets);
    server.line("serving");
    program.run(&["schedule", "run-now", "train"], 0);
    let mut lines = Vec::new();
    loop {
        let line = server.lines.recv_timeout(PATIENCE).expect("it goes on");
        let has_failed = line["message"] == "attempt failed" && line["stage"] == "deliver";
        lines.push(line.to_string());
        if has_failed {
            break;
        }
    }
    assert_eq!(server.stop(), Some(0));
    for line in lines {
        assert!(!line.contains("hunter2"), "{line}");
    }
}
