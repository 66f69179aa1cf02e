//! `spikecast simulate-operations`: years of daily operations in virtual time, process after
//! process, and the account of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::civil::{Date, date};
use market::time::OperatingDay;
use serde_json::json;

use super::args::GlobalArgs;
use super::run::internal;
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::simulated_operations::trouble::Severity;
use crate::simulated_operations::{Account, Life, Rung, Settings};

/// The command by which the program lives one life.
pub(super) const LIFE: &str = "simulate-operations-life";

/// The first day unless another one is given: the new market's first year.
const FIRST_DAY: Date = date(2026, 1, 1);

/// More deaths than days would be a process that cannot begin.
const LIVES_PER_DAY_MAX: u32 = 2;

/// Shorter spans are not worth a process of their own.
const SPAN_DAYS_MIN: u32 = 30;

/// A folder in memory, if the system has one: its disk is not what is tried here.
const IN_MEMORY: &str = "/dev/shm";

#[derive(Clone, Debug, Args)]
pub(super) struct SimulateOperationsArgs {
    /// How many days
    #[arg(long, value_name = "DAYS", default_value_t = 365,
        value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// How much goes wrong
    #[arg(long, value_enum, default_value_t = Faults::Heavy)]
    faults: Faults,
    /// Which troubles come; the same again gives the same
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The first day
    #[arg(long, value_name = "DAY", default_value_t = FIRST_DAY)]
    first_day: Date,
    /// Folder for journal, archive and diary, which is kept; a temporary one by default
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// How much goes wrong.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Faults {
    /// Nothing
    None,
    /// Something every week
    Light,
    /// Several things every week
    Heavy,
}

impl Faults {
    fn severity(self) -> Severity {
        match self {
            Self::None => Severity::None,
            Self::Light => Severity::Light,
            Self::Heavy => Severity::Heavy,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Light => "light",
            Self::Heavy => "heavy",
        }
    }
}

impl SimulateOperationsArgs {
    fn settings(&self, folder: PathBuf) -> Settings {
        Settings {
            folder,
            seed: self.seed,
            severity: self.faults.severity(),
            first_day: OperatingDay::new(self.first_day),
            days: self.days,
        }
    }
}

pub(super) fn simulate_operations(
    global: &GlobalArgs,
    arguments: &SimulateOperationsArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let temporary = Temporary::for_run(arguments.folder.is_none()).map_err(internal)?;
    let folder = match (&arguments.folder, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.0.clone(),
        (None, None) => unreachable!("without a folder there is a temporary one"),
    };
    let spans = spans(arguments, &folder);
    if spans.iter().any(|span| span.folder.exists()) {
        return Err(CommandError::usage(format!(
            "{}: holds a simulation already; name another folder, or remove it",
            folder.display()
        )));
    }
    live_side_by_side(arguments, &spans).map_err(internal)?;
    let account = Account::of(&spans).context("diary").map_err(internal)?;
    if global.json {
        let mut document = serde_json::to_value(&account).context("account").map_err(internal)?;
        document["seed"] = json!(arguments.seed);
        document["faults"] = json!(arguments.faults.word());
        terminal.json(&document)?;
    } else {
        print(arguments, &account, terminal)?;
    }
    Ok(if account.is_kept() { Exit::Fine } else { Exit::DeadlineMissed })
}

/// Cuts the days into as many spans as there are cores. What goes wrong on a day does not depend on
/// where it is cut.
fn spans(arguments: &SimulateOperationsArgs, folder: &Path) -> Vec<Settings> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    let count = cores.min(arguments.days.div_ceil(SPAN_DAYS_MIN)).max(1);
    let first_day = OperatingDay::new(arguments.first_day);
    let (length, longer) = (arguments.days / count, arguments.days % count);
    let mut begins = 0;
    let span = |number: u32| {
        let days = length + u32::from(number < longer);
        let first_day = first_day.plus_days(i32::try_from(begins).unwrap_or(i32::MAX));
        begins += days;
        Settings {
            folder: folder.join(format!("span-{}", number + 1)),
            seed: arguments.seed,
            severity: arguments.faults.severity(),
            first_day,
            days,
        }
    };
    (0..count).map(span).collect()
}

fn live_side_by_side(arguments: &SimulateOperationsArgs, spans: &[Settings]) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            spans.iter().map(|span| scope.spawn(|| live_all(arguments, span))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

/// Starts one process after another until one comes to the end.
fn live_all(arguments: &SimulateOperationsArgs, settings: &Settings) -> anyhow::Result<()> {
    std::fs::create_dir_all(&settings.folder).context("folder")?;
    let program = std::env::current_exe().context("this program")?;
    for _ in 0..LIVES_PER_DAY_MAX * settings.days.max(10) {
        let resumed = settings.resume_at_text();
        let output = Command::new(&program)
            .arg(LIFE)
            .arg("--folder")
            .arg(&settings.folder)
            .args(["--days", &settings.days.to_string(), "--seed", &settings.seed.to_string()])
            .args(["--faults", arguments.faults.word()])
            .args(["--first-day", &settings.first_day.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .context("starting a process")?;
        if settings.is_over() {
            return Ok(());
        }
        if output.status.code().is_some() || settings.resume_at_text() == resumed {
            // It did not die as planned.
            let words = String::from_utf8_lossy(&output.stderr);
            bail!("a process ended ({}) that should not have: {words}", output.status);
        }
    }
    bail!("processes die faster than they live; see the diary in {}", settings.folder.display())
}

/// One process: dies as planned, or comes to the end.
pub(super) fn live(arguments: &SimulateOperationsArgs) -> Result<Exit, CommandError> {
    let folder = arguments.folder.clone().unwrap_or_default();
    let life = Life::begin(arguments.settings(folder)).context("beginning").map_err(internal)?;
    life.live().context("living").map_err(internal)?;
    // Threads that serve or wait would go on for ever.
    std::process::exit(0)
}

fn print(
    arguments: &SimulateOperationsArgs,
    account: &Account,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let share = |part: usize, whole: usize| {
        #[expect(clippy::cast_precision_loss, reason = "numbers of days")]
        let share = 100.0 * part as f64 / whole.max(1) as f64;
        format!("{share:.2} %")
    };
    let title = format!(
        "{} days from {}, faults {}, seed {}",
        account.days,
        arguments.first_day,
        arguments.faults.word(),
        arguments.seed
    );
    terminal.line(terminal.paint(Style::Bold, &title))?;
    let mut row = |name: &str, value: String| terminal.line(format!("  {name:<34} {value}"));
    row(
        "forecast there by the deadline",
        format!(
            "{} of {} days ({})",
            account.in_time,
            account.days,
            share(account.in_time, account.days)
        ),
    )?;
    for rung in Rung::ALL {
        let days = account.by_rung.get(rung.name()).copied().unwrap_or(0);
        row(
            &format!("  from: {}", rung.name()),
            format!("{days} ({})", share(days, account.days)),
        )?;
    }
    row("days with an alarm", account.alarms.to_string())?;
    row("  false alarms", account.false_alarms.len().to_string())?;
    row("  missed alarms", account.missed_alarms.len().to_string())?;
    row("firings", account.firings.to_string())?;
    row("  left out by policy", account.left_out.to_string())?;
    row("  lost", account.lost.len().to_string())?;
    row("  run twice", account.duplicates.len().to_string())?;
    let failed: usize = account.failed_runs.values().sum();
    let by: Vec<String> =
        account.failed_runs.iter().map(|(schedule, runs)| format!("{schedule} {runs}")).collect();
    row("runs that failed", format!("{failed} ({})", by.join(", ")))?;
    row("notices told", account.notices.to_string())?;
    row("  forecasts nobody was told of", account.untold.len().to_string())?;
    row("  … as nobody could be reached", account.given_up.to_string())?;
    row("  told twice (death in between)", account.told_twice.to_string())?;
    row("processes killed", account.deaths.to_string())?;
    row("days with a wrong clock", account.wrong_clocks.to_string())?;
    let troubles: Vec<String> =
        account.troubles.iter().map(|(name, days)| format!("{name} {days}")).collect();
    row("days on which began", troubles.join(", "))?;
    for (name, days) in [
        ("without a forecast by the deadline", &account.late_days),
        ("false alarms", &account.false_alarms),
        ("missed alarms", &account.missed_alarms),
    ] {
        if !days.is_empty() {
            let shown: Vec<String> = days.iter().take(10).map(ToString::to_string).collect();
            row(name, shown.join(", "))?;
        }
    }
    for key in account.lost.iter().chain(&account.duplicates).take(10) {
        row("lost or twice", key.clone())?;
    }
    Ok(())
}

/// A folder that goes with the command.
struct Temporary(PathBuf);

impl Temporary {
    fn for_run(is_wanted: bool) -> anyhow::Result<Option<Self>> {
        if !is_wanted {
            return Ok(None);
        }
        let memory = PathBuf::from(IN_MEMORY);
        let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = base.join(format!("spikecast-operations-{}", std::process::id()));
        std::fs::create_dir_all(&folder).context("temporary folder")?;
        Ok(Some(Self(folder)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans such folders.
        std::fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}
