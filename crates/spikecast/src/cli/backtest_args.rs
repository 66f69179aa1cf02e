//! What can be typed after `spikecast backtest`.

use std::path::PathBuf;

use clap::Args;

use super::args::DataArgs;

#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// First issue day, e.g. 2024-01-01
    #[arg(long, value_name = "DAY")]
    pub(super) from: jiff::civil::Date,
    /// Last issue day
    #[arg(long, value_name = "DAY")]
    pub(super) to: jiff::civil::Date,
    /// Market-local time of day at which forecasts are issued
    #[arg(long, value_name = "TIME", default_value = "09:57")]
    pub(super) issue_time: jiff::civil::Time,
    /// Folder for forecasts.parquet, scores.json and report.html; a stopped backtest continues there
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}
