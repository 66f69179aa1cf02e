//! Random cron expressions around every clock change of six zones from 2024 to 2030, and how other
//! implementations are asked about them. What they may think otherwise is in `scheduler_cronsim`
//! and `scheduler_croniter`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::{DstNote, Schedule};

/// Slow builds try fewer expressions, so that the tests stay quick at home.
const EXPRESSIONS: usize = if cfg!(debug_assertions) { 60 } else { 500 };

/// As in the script beside this file.
pub(crate) const FIRINGS_MAX: usize = 60;

/// The seed of the expressions.
const SEED: u64 = 20_260_127;

const ZONES: [&str; 6] = [
    "America/Chicago",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Santiago",
    "UTC",
];

pub(crate) struct Case {
    pub(crate) expression: String,
    pub(crate) zone: &'static str,
    pub(crate) begin: Timestamp,
    pub(crate) end: Timestamp,
}

impl Case {
    pub(crate) fn line(&self, mode: &str) -> String {
        let (begin, end) = (self.begin.as_second(), self.end.as_second());
        format!("{mode}\t{}\t{}\t{begin}\t{end}\n", self.expression, self.zone)
    }

    /// Our own answer, in seconds.
    pub(crate) fn firings(&self) -> String {
        let zone = TimeZone::get(self.zone).unwrap();
        let Ok(schedule) = Schedule::parse(&self.expression, zone) else {
            return "refused".to_owned();
        };
        let firings = schedule.firings_after(self.begin).map(|firing| firing.at);
        let shown = firings.take_while(|at| *at < self.end).take(FIRINGS_MAX);
        let shown: Vec<String> = shown.map(|at| at.as_second().to_string()).collect();
        shown.join(" ")
    }

    /// Whether it runs at whatever the clock shows.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.expression.split(' ').take(2).any(|field| field.starts_with('*'))
    }

    /// Whether it is asked for while the clock shows times for the second time.
    pub(crate) fn begins_in_second_pass(&self) -> bool {
        note_of(self.zone, self.begin) == Some(DstNote::SecondOfTwo)
    }
}

/// What is special about an instant in a zone.
pub(crate) fn note_of(zone: &'static str, at: Timestamp) -> Option<DstNote> {
    let zone = TimeZone::get(zone).unwrap();
    let every_second = Schedule::parse("* * * * * *", zone).unwrap();
    let firing = every_second.next_after(at - SignedDuration::from_secs(1)).unwrap();
    firing.note.filter(|_| firing.at == at)
}

/// A linear congruential generator (Knuth, MMIX): the same expressions everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }

    fn one_of(&mut self, choices: &[&str]) -> String {
        choices[self.below(choices.len())].to_owned()
    }

    /// A number, list, range or step of numbers from `first` to `last`.
    fn numbers(&mut self, first: usize, last: usize) -> String {
        let number = |chance: &mut Self| first + chance.below(last - first + 1);
        let (one, two) = (number(self), number(self));
        let (low, high) = (one.min(two), one.max(two));
        let step = 1 + self.below(last / 2);
        match self.below(6) {
            0 | 1 => "*".to_owned(),
            2 => format!("*/{step}"),
            3 => format!("{low}-{high}"),
            // cronsim reads 7-7/2 as 7/2, which is 7-59/2 to it and an error to us.
            4 if low < high => format!("{low}-{high}/{step}"),
            _ if self.below(3) == 0 => format!("{one},{two}"),
            _ => one.to_string(),
        }
    }

    fn expression(&mut self) -> String {
        let minute = self.numbers(0, 59);
        // Clocks are changed at night.
        let hour = if self.below(2) == 0 {
            self.one_of(&["0", "1", "2", "3", "0-3", "1,2", "2,3", "23", "0-23", "1-3/2"])
        } else {
            self.numbers(0, 23)
        };
        let (day, month, weekday) = match self.below(3) {
            0 => ("*".to_owned(), "*".to_owned(), "*".to_owned()),
            1 => (self.numbers(1, 31), "*".to_owned(), "*".to_owned()),
            _ => {
                let day = self.one_of(&["*", "L", "LW", "1,15,L", "*/2", "1-7", "8-14", "25-31"]);
                let month = self.one_of(&["*", "MAR", "3-4,9-11", "*/2", "oct,nov"]);
                let weekday =
                    self.one_of(&["*", "SUN", "7", "0-1", "sat,sun", "SUN#1", "0#2", "7L", "*/6"]);
                (day, month, weekday)
            }
        };
        format!("{minute} {hour} {day} {month} {weekday}")
    }
}

/// Every clock change from 2024 to 2030; where there is none, every New Year.
fn changes(zone: &'static str) -> Vec<Timestamp> {
    let begin: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let end: Timestamp = "2031-01-01T00:00:00Z".parse().unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let changes: Vec<_> =
        zone.following(begin).map(|change| change.timestamp()).take_while(|at| *at < end).collect();
    if changes.is_empty() {
        return (2024..=2030).map(|year| format!("{year}-01-01T00:00Z").parse().unwrap()).collect();
    }
    changes
}

pub(crate) fn cases() -> Vec<Case> {
    let mut chance = Chance(SEED);
    let mut cases = Vec::new();
    for _ in 0..EXPRESSIONS {
        let expression = chance.expression();
        for zone in ZONES {
            for change in changes(zone) {
                // From up to two days before to up to two hours after the change.
                let back = i64::try_from(chance.below(50 * 3600)).unwrap() - 2 * 3600;
                let begin = change - SignedDuration::from_secs(back);
                let end = change + SignedDuration::from_hours(60);
                cases.push(Case { expression: expression.clone(), zone, begin, end });
            }
        }
    }
    cases
}

/// Asks an oracle; none if it is not here.
///
/// The oracles are Python packages. They are looked for where `test.sh` installs them, then in the
/// environment's own `python3`.
pub(crate) fn ask(mode: &str, package: &str, cases: &[&Case]) -> Option<Vec<String>> {
    let folder: PathBuf = env!("CARGO_MANIFEST_DIR").into();
    let installed = folder.join("../../target/cron/bin/python");
    let import = format!("import {package}");
    let is_there = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", &import]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(python) = [installed, "python3".into()].into_iter().find(is_there) else {
        println!("skipped: no Python with the package {package} (./test.sh installs it)");
        return None;
    };
    let mut child = Command::new(python)
        .arg(folder.join("tests/it/cron_oracles.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = cases.iter().map(|case| case.line(mode)).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let answers: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), cases.len());
    Some(answers)
}
