//! What can be typed after `spikecast backtest`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::DataArgs;

#[derive(Debug, Args)]
pub(in crate::cli) struct BacktestArgs {
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// First issue day, e.g. 2024-01-01
    #[arg(long, value_name = "DAY", required_unless_present = "scenarios")]
    pub(super) from: Option<jiff::civil::Date>,
    /// Last issue day
    #[arg(long, value_name = "DAY", required_unless_present = "scenarios")]
    pub(super) to: Option<jiff::civil::Date>,
    /// File of several backtests to do and compare, instead of --from and --to (see
    /// docs/backtest.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    pub(super) scenarios: Option<PathBuf>,
    /// Market-local time of day at which forecasts are issued
    #[arg(long, value_name = "TIME", default_value = "09:57")]
    pub(super) issue_time: jiff::civil::Time,
    /// Folder for forecasts.parquet, scores.json and report.html, of scenarios one for each beside
    /// comparison.html; a stopped backtest continues there
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}
