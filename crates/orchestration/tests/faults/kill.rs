//! A real process with real child processes is killed again and again: nothing that it said was
//! completed is lost or repeated, and every effect is accepted once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use orchestration::{Clock, StageReport, StageStatus, SystemClock};

use crate::chance::Chance;
use crate::program::{check_effects, program, report};

/// A run that takes more processes than this does not come forward.
const PROCESSES_PER_RUN_MAX: usize = 100;

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// As soon as it has said so many lines.
    AfterLines(u64),
    /// After so long, wherever it is.
    After(Duration),
}

impl Moment {
    fn draw(chance: &mut Chance) -> Self {
        if chance.below(2) == 0 {
            Self::AfterLines(chance.below(16))
        } else {
            Self::After(Duration::from_micros(chance.below(25_000)))
        }
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It was killed.
    Killed,
    /// It completed the run.
    Completed,
}

/// What became of a process.
struct Life {
    /// What it said.
    lines: Vec<String>,
    end: End,
    /// From its start to its first line, if it came so far.
    recovery: Option<Duration>,
}

/// What became of all of them.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    runs: usize,
    /// Effects of attempts that were lost.
    lost_effects: usize,
    /// From the start of a process to its first event.
    recoveries: Vec<Duration>,
}

/// Starts the program and kills it, unless it ends before.
fn live(folder: &Path, key: &str, moment: Moment) -> Life {
    let clock = SystemClock::new();
    let mut child = Command::new(program())
        .arg(folder)
        .arg(key)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = listen(&mut child);
    let mut said = Vec::new();
    let mut recovery = None;
    loop {
        let left = match moment {
            Moment::AfterLines(count) if count <= said.len() as u64 => break,
            Moment::AfterLines(_) => Duration::MAX,
            Moment::After(whole) => whole.saturating_sub(clock.monotonic()),
        };
        match lines.recv_timeout(left) {
            Ok(line) => {
                recovery.get_or_insert_with(|| clock.monotonic());
                said.push(line);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    said.extend(lines);
    let complaint = String::from_utf8(output.stderr).unwrap();
    let end = match output.status.code() {
        None => End::Killed,
        Some(0) => End::Completed,
        Some(_) => panic!("{said:?}: {complaint}"),
    };
    Life { lines: said, end, recovery }
}

/// Hands over what a process says, until it is dead.
fn listen(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        for line in out.lines() {
            sender.send(line.unwrap()).unwrap();
        }
    });
    lines
}

/// The stages that are completed, by their names.
type Completed = BTreeMap<String, StageReport>;

/// Checks that everything completed before is so still, unchanged, and that whatever was said to be
/// completed is.
fn check_progress(folder: &Path, key: &str, before: &Completed, life: &Life) -> Completed {
    let stages = report(folder, key).map(|report| report.stages).unwrap_or_default();
    let now: Completed = stages
        .into_iter()
        .filter(|stage| stage.status == StageStatus::Completed)
        .map(|stage| (stage.name.clone(), stage))
        .collect();
    for (name, stage) in before {
        assert_eq!(now.get(name), Some(stage), "a completed stage was lost or repeated");
    }
    for line in &life.lines {
        if let Some(name) = line.strip_prefix("completed ") {
            assert!(now.contains_key(name), "{name} was said to be completed and is lost");
            assert!(!before.contains_key(name), "{name} was completed twice");
        }
    }
    now
}

/// Executes one run by processes that are killed until one of them lives to its end.
fn run(folder: &Path, key: &str, chance: &mut Chance, tally: &mut Tally) {
    let mut completed = Completed::new();
    for _ in 0..PROCESSES_PER_RUN_MAX {
        let life = live(folder, key, Moment::draw(chance));
        completed = check_progress(folder, key, &completed, &life);
        tally.recoveries.extend(life.recovery);
        match life.end {
            End::Killed => tally.kills += 1,
            End::Completed => {
                tally.lost_effects += check_effects(folder, key);
                tally.runs += 1;
                return;
            }
        }
    }
    panic!("{key} does not come forward");
}

/// Kills so many processes, of as many runs as it takes.
fn kill(kills: usize) -> Tally {
    let seed = 20_260_127;
    println!("seed {seed}");
    let (mut chance, mut tally) = (Chance::new(seed), Tally::default());
    let folder = tempfile::tempdir().unwrap();
    while tally.kills < kills {
        let key = format!("day {}", tally.runs);
        run(folder.path(), &key, &mut chance, &mut tally);
    }
    tally.recoveries.sort_unstable();
    let slowest = tally.recoveries.last().copied().unwrap_or_default();
    let median = tally.recoveries.get(tally.recoveries.len() / 2).copied().unwrap_or_default();
    let Tally { kills, runs, lost_effects, .. } = tally;
    println!(
        "{kills} kills, {runs} runs, {lost_effects} effects of lost attempts; from start to first \
         event {median:?} (median), {slowest:?} (at most)"
    );
    tally
}

#[test]
fn a_process_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing() {
    let tally = kill(200);
    assert!(0 < tally.lost_effects, "some die between their effect and their completion");
}
