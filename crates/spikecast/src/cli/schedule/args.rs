//! What can be typed after `spikecast schedule`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use orchestration::{DstPolicy, MisfirePolicy, OverlapPolicy, Priority};

use crate::schedules::operations::PIPELINES;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ScheduleCommand {
    /// List the schedules and when each fires next
    List,
    /// Show when something would fire, and what may surprise about it
    Preview(PreviewArgs),
    /// Add a schedule, or change one with --replace
    Add(AddArgs),
    /// Let a schedule fire no more until it is resumed
    Pause {
        /// The schedule
        name: String,
    },
    /// Let a paused schedule fire again
    Resume {
        /// The schedule
        name: String,
        /// Leave out what it missed, instead of dealing with it as after downtime
        #[arg(long)]
        skip_missed: bool,
    },
    /// Remove a schedule
    Remove {
        /// The schedule
        name: String,
    },
    /// Run the pipeline of a schedule at once, in the foreground
    RunNow {
        /// The schedule
        name: String,
    },
}

/// When something runs.
#[derive(Debug, Args)]
pub(super) struct TimeArgs {
    /// Cron with 5 or 6 fields ('0 6 * * MON-FRI', '@daily'), an interval ('every 2 days at 01:00
    /// from 2026-01-27') or one time ('once at 2026-01-27T06:00')
    #[arg(value_name = "WHEN")]
    pub(super) when: String,
    /// Time zone of the wall clock
    #[arg(long, value_name = "ZONE", default_value = "America/Chicago")]
    pub(super) tz: String,
    /// A fixed time on a day when clocks change: run_once (never left out, never twice), skip (left
    /// out where the clock skips it) or as_shown (as often as the clock shows it)
    #[arg(long, value_name = "POLICY", default_value_t)]
    pub(super) dst: DstPolicy,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PreviewArgs {
    #[command(flatten)]
    pub(super) times: TimeArgs,
    /// Show firings after this time: local in the zone (of a repeated hour the first), or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
    /// How many firings
    #[arg(long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) count: u32,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AddArgs {
    /// What to call it
    #[arg(value_name = "NAME", value_parser = name)]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) times: TimeArgs,
    /// What runs
    #[arg(long, value_name = "PIPELINE",
        value_parser = PossibleValuesParser::new(PIPELINES.map(|(name, _)| name)))]
    pub(super) pipeline: String,
    /// Firings that were missed: run_once (the newest, for all), run_all:N (the newest N) or skip
    #[arg(long, value_name = "POLICY", default_value = "run_once")]
    pub(super) misfire: MisfirePolicy,
    /// A firing that starts later than this after its time was missed, e.g. 10m
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(super) grace: SignedDuration,
    /// A firing while the pipeline still runs: queue, skip or cancel_previous
    #[arg(long, value_name = "POLICY", default_value = "queue")]
    pub(super) overlap: OverlapPolicy,
    /// Spread firings over this span, each always to the same place, e.g. 30s
    #[arg(long, value_name = "DURATION")]
    pub(super) jitter: Option<SignedDuration>,
    /// Of firings that wait for the pipeline the most urgent is first: low, medium, high or critical
    #[arg(long, value_name = "PRIORITY", default_value = "medium")]
    pub(super) priority: Priority,
    /// Change the schedule of this name
    #[arg(long)]
    pub(super) replace: bool,
}

/// Longer names make tables unreadable.
const NAME_LENGTH_MAX: usize = 40;

fn name(text: &str) -> Result<String, String> {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !text.is_empty() && text.len() <= NAME_LENGTH_MAX && text.chars().all(is_fine) {
        return Ok(text.to_owned());
    }
    Err(format!("use 1 to {NAME_LENGTH_MAX} letters, digits, hyphens, underscores or dots"))
}
