//! The real binary, with the process it trains in, is killed two hundred times at any moment. What
//! it says it has done is compared with the journal and with the ledger's files: nothing is lost,
//! nothing is published twice, and nobody lives on.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::program::{Program, small_run};

/// Slow builds die less often, so that the tests stay quick at home.
const KILLS: u32 = if cfg!(debug_assertions) { 20 } else { 200 };

/// More deaths than this before a run completes mean that it does not come forward.
const DEATHS_PER_RUN_MAX: u32 = 60;

/// A process dies at most so long after its start, or after the last thing it said.
const LIFE_MAX_MILLISECONDS: u64 = 100;

/// Enough history to train on, and no more.
const CONFIGURATION: &str = "simulator_history_days = 120\n";

/// Numbers that look random and are the same every time (Knuth's multiplicative generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

enum End {
    Killed,
    Lived,
}

impl Program {
    /// Starts the program and kills it (SIGKILL) when it has been silent for a while after so many
    /// lines, if it still lives then.
    fn live(&self, arguments: &[&str], lines_heard: u64, patience: Duration) -> End {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = channel();
        let out = BufReader::new(child.stderr.take().expect("it is piped"));
        let listener = thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut heard = 0;
        let is_over = loop {
            match lines.recv_timeout(if heard < lines_heard {
                Duration::from_mins(5)
            } else {
                patience
            }) {
                Ok(_) => heard += 1,
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => break true,
            }
        };
        if !is_over {
            child.kill().expect("a child can be killed");
        }
        let status = child.wait().expect("a child can be waited for");
        drop(lines);
        listener.join().expect("the listener ends with the child");
        match status.code() {
            None => End::Killed,
            Some(0 | 6) => End::Lived,
            Some(code) => panic!("the program ended with {code}: {arguments:?}"),
        }
    }
}

/// Returns the processes that serve isolated stages of this data directory.
fn workers(program: &Program) -> usize {
    let directory = program.path("data").to_string_lossy().into_owned();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|words| String::from_utf8_lossy(&words).into_owned())
        .filter(|words| words.contains("isolated-worker") && words.contains(&directory))
        .count()
}

/// Checks that a run completed, with one completed attempt of each stage and a model of its own.
fn check_run(program: &Program, run: &str) {
    let shown = program.json(&["runs", "show", run]);
    assert_eq!(shown["status"], "COMPLETED", "{shown:#}");
    assert_eq!(shown["degraded"], json!([]), "{shown:#}");
    for stage in shown["stages"].as_array().unwrap() {
        let attempts = stage["attempts"].as_array().unwrap();
        let completed = attempts.iter().filter(|attempt| attempt["outcome"] == "completed");
        assert_eq!(completed.count(), 1, "{run} {stage:#}");
    }
}

/// Returns the runs whose forecasts are in the ledger, each of which may be there once.
fn published(program: &Program) -> BTreeSet<String> {
    let mut runs = BTreeSet::new();
    for day in fs::read_dir(program.path("data/ledger")).unwrap() {
        for file in fs::read_dir(day.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "parquet") {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let run = name.rsplit('-').next().unwrap().to_owned();
                assert!(runs.insert(run), "{name} is there twice");
            }
        }
    }
    runs
}

#[test]
fn two_hundred_kills_lose_nothing_and_publish_nothing_twice() {
    let program = Program::new();
    fs::write(program.path("spikecast.toml"), CONFIGURATION).unwrap();
    let mut chance = Chance(20_260_714);
    let (mut kills, mut days, mut told) = (0, 0, BTreeSet::new());
    while kills < KILLS {
        // Another day each time, so that every run trains.
        let (day, month) = (1 + days % 28, 5 + days / 28);
        days += 1;
        let issue_time = format!("2026-{month:02}-{day:02}T09:30");
        let arguments = [&small_run(&issue_time)[..], &["--retrain-every", "1d"]].concat();
        let deaths = (0..=DEATHS_PER_RUN_MAX).find(|_| {
            let patience = Duration::from_millis(chance.below(LIFE_MAX_MILLISECONDS));
            let end = program.live(&arguments, chance.below(7), patience);
            kills += u32::from(matches!(end, End::Killed));
            matches!(end, End::Lived)
        });
        assert!(deaths.is_some(), "the run of {issue_time} does not come forward");
        // A death after the run's end, before the program's own, makes the next life begin another
        // run: the journal tells which runs there are.
        let runs = program.json(&["runs", "list", "--limit", "1000"]);
        for run in runs.as_array().unwrap() {
            let run = run["run"].as_str().unwrap();
            if told.insert(run.to_owned()) {
                check_run(&program, run);
            }
        }
        assert_eq!(published(&program), told, "the ledger has one forecast for each run");
    }
    println!("{kills} kills of {} runs in {days} days", told.len());
    // Whoever killed the program does not wait for its child, which ends by itself at once.
    while 0 < workers(&program) {
        thread::yield_now();
    }
}
