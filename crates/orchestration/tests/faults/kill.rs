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

/// So many processes are killed at least.
const KILLS: usize = 200;

/// A run that is killed more often than this does not come forward.
const KILLS_PER_RUN_MAX: usize = 60;

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

/// What became of a process.
struct Life {
    /// What it said.
    lines: Vec<String>,
    was_killed: bool,
    /// From its start to its first line, if it came so far.
    recovery: Option<Duration>,
}

/// Starts the program and kills it, unless it ends before.
fn live(folder: &Path, key: &str, moment: Moment) -> Life {
    let clock = SystemClock::new();
    let mut child =
        Command::new(program()).arg(folder).arg(key).stdout(Stdio::piped()).spawn().unwrap();
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
    let status = child.wait().unwrap();
    said.extend(lines);
    let was_killed = status.code().is_none();
    assert!(was_killed || status.success(), "{status}: {said:?}");
    Life { lines: said, was_killed, recovery }
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

#[test]
fn a_process_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing() {
    let seed = 20_260_127;
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let (mut kills, mut runs, mut lost_lines) = (0, 0, 0);
    let (mut first_lines, mut recoveries) = (0, Vec::new());
    while kills < KILLS {
        let key = format!("day {runs}");
        let (mut completed, mut kills_of_run) = (Completed::new(), 0);
        loop {
            let moment = Moment::draw(&mut chance);
            let life = live(folder.path(), &key, moment);
            completed = check_progress(folder.path(), &key, &completed, &life);
            first_lines += usize::from(life.recovery.is_some());
            recoveries.extend(life.recovery);
            if !life.was_killed {
                break;
            }
            kills_of_run += 1;
            assert!(kills_of_run < KILLS_PER_RUN_MAX, "{key} does not come forward");
        }
        lost_lines += check_effects(folder.path(), &key);
        kills += kills_of_run;
        runs += 1;
    }
    recoveries.sort_unstable();
    println!(
        "{kills} kills, {runs} runs, {lost_lines} effects of lost attempts, {first_lines} times \
         carried on, from start to first event {:?} at most, {:?} median",
        recoveries.last(),
        recoveries.get(recoveries.len() / 2)
    );
    assert!(0 < lost_lines, "some attempts died between their effect and their completion");
}
