//! What can be typed after `spikecast backfill`.

use std::num::NonZeroUsize;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use jiff::civil::{Date, Time};

use crate::cli::args::DataArgs;
use crate::jobs::forecast;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct BackfillArgs {
    #[command(subcommand)]
    pub(super) command: Option<BackfillCommand>,
    #[command(flatten)]
    pub(super) span: SpanArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BackfillCommand {
    /// How far every backfill is, also while it works
    Status,
}

/// What is required is so without a subcommand only, hence the options.
#[derive(Debug, Args)]
pub(in crate::cli) struct SpanArgs {
    /// What runs for each day
    #[arg(long, value_name = "PIPELINE", required = true,
        value_parser = PossibleValuesParser::new([forecast::PIPELINE]))]
    pub(super) pipeline: Option<String>,
    /// First issue day, e.g. 2024-01-01
    #[arg(long, value_name = "DAY", required = true)]
    pub(super) from: Option<Date>,
    /// Last issue day
    #[arg(long, value_name = "DAY", required = true)]
    pub(super) to: Option<Date>,
    /// Leave out days that have a forecast from the same source for the same points and prices
    #[arg(long)]
    pub(super) missing_only: bool,
    /// Market-local time of day at which forecasts are issued
    #[arg(long, value_name = "TIME", default_value = "06:00")]
    pub(super) issue_time: Time,
    /// So many days at a time; as many as there are processors by default
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(super) data: DataArgs,
}
