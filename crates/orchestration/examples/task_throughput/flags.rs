//! What is measured, as the command line says it.

use std::num::NonZeroUsize;

use crate::Outcome;

pub(crate) const HELP: &str = "\
task_throughput: how many no-op tasks run per second

  --shape chain|wide|diamond|map  how tasks depend on each other (wide)
  --tasks N                       how many (10000)
  --journal memory|sqlite         closures in memory, or durable stages (memory)
  --workers N                     so many at once: 2 in memory, where work is computing; 16 with
                                  sqlite, where it is waiting for the disk, and all that wait at
                                  once share one fsync
  --directory PATH                where the journal is made (.)
  --isolated                      each stage in a process of its own, kept warm; with sqlite
instead of throughput, with a journal:
  --idle SECONDS                  what an engine with nothing to do costs
  --after-idle N                  how soon a stage starts after a while of nothing, N times";

/// Tells a process that it is one of those of `--isolated`.
pub(crate) const SERVE: &str = "--serve";

/// A diamond opens to so many tasks and closes to one, again and again.
const DIAMOND_WIDTH: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Chain,
    Wide,
    Diamond,
    /// One task, a fan-out over its output, and one that takes the whole.
    Map,
}

impl Shape {
    /// Returns what every task or item depends on.
    pub(crate) fn dependencies(self, tasks: usize) -> Vec<Vec<usize>> {
        (0..tasks)
            .map(|task| match self {
                Self::Chain => task.checked_sub(1).into_iter().collect(),
                Self::Wide => Vec::new(),
                Self::Diamond => match task.checked_sub(1) {
                    None => Vec::new(),
                    Some(before) if task % (DIAMOND_WIDTH + 1) == 0 => {
                        (before + 1 - DIAMOND_WIDTH..=before).collect()
                    }
                    Some(_) => vec![task - task % (DIAMOND_WIDTH + 1)],
                },
                Self::Map if task == 0 => Vec::new(),
                Self::Map if task + 1 == tasks => (1..task).collect(),
                Self::Map => vec![0],
            })
            .collect()
    }
}

pub(crate) enum JournalKind {
    Memory,
    Sqlite,
}

pub(crate) enum Mode {
    Throughput,
    Idle(u64),
    AfterIdle(usize),
    /// Be one of the processes of `--isolated`.
    Serve,
    Help,
}

pub(crate) struct Flags {
    pub(crate) mode: Mode,
    pub(crate) shape: Shape,
    pub(crate) tasks: usize,
    pub(crate) journal: JournalKind,
    pub(crate) directory: String,
    pub(crate) isolated: bool,
    workers: Option<NonZeroUsize>,
}

impl Flags {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut flags = Self {
            mode: Mode::Throughput,
            shape: Shape::Wide,
            tasks: 10_000,
            journal: JournalKind::Memory,
            directory: ".".to_owned(),
            isolated: false,
            workers: None,
        };
        while let Some(flag) = words.next() {
            if flag == "--help" {
                flags.mode = Mode::Help;
                return Ok(flags);
            }
            if flag == "--isolated" {
                (flags.isolated, flags.journal) = (true, JournalKind::Sqlite);
                continue;
            }
            if flag == SERVE {
                flags.mode = Mode::Serve;
                return Ok(flags);
            }
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match (flag.as_str(), value.as_str()) {
                ("--shape", "chain") => flags.shape = Shape::Chain,
                ("--shape", "wide") => flags.shape = Shape::Wide,
                ("--shape", "diamond") => flags.shape = Shape::Diamond,
                ("--shape", "map") => flags.shape = Shape::Map,
                ("--tasks", number) => flags.tasks = number.parse()?,
                ("--workers", number) => flags.workers = Some(number.parse()?),
                ("--journal", "memory") => flags.journal = JournalKind::Memory,
                ("--journal", "sqlite") => flags.journal = JournalKind::Sqlite,
                ("--directory", path) => flags.directory = path.to_owned(),
                ("--idle", seconds) => flags.mode = Mode::Idle(seconds.parse()?),
                ("--after-idle", runs) => flags.mode = Mode::AfterIdle(runs.parse()?),
                _ => return Err(format!("{flag} {value} is not understood; see --help").into()),
            }
        }
        match (flags.shape, flags.tasks) {
            (Shape::Map, ..=2) => Err("a map needs at least 3 tasks".into()),
            _ => Ok(flags),
        }
    }

    pub(crate) fn workers(&self) -> NonZeroUsize {
        let usual = match (&self.mode, &self.journal) {
            (Mode::Throughput, JournalKind::Memory) => 2,
            // Processes that compute, not threads that wait.
            (Mode::Throughput, JournalKind::Sqlite) if self.isolated => 2,
            _ => 16,
        };
        self.workers.or(NonZeroUsize::new(usual)).unwrap_or(NonZeroUsize::MIN)
    }
}
