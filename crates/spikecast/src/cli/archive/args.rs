//! What can be typed after `spikecast archive`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::{ObservationArgs, SourceArgs};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ArchiveCommand {
    /// Show what is archived: size, span and newest value of every series
    Status(SourceArgs),
    /// Name the intervals that should be there by now and are not
    Gaps(ObservationArgs),
    /// Read every file and compare it with what was written
    Verify(SourceArgs),
    /// Take broken files out, rebuild them from ERCOT's own files, name what is lost
    Repair(SourceArgs),
    /// Merge small files, remove what is no longer needed
    Compact(CompactArgs),
    /// Write every vintage to a folder, a Parquet file for each series
    Export(ExportArgs),
    /// Add what an export wrote; what is there already stays as it is
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CompactArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Days that ERCOT's own files are kept, e.g. 400d; all are kept by default
    #[arg(long, value_name = "DAYS")]
    pub(super) raw_retention: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// The folder, new or empty
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// First day or market-local time of the intervals; the first archived by default
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
    /// Last day (included), or the time before which intervals start
    #[arg(long, value_name = "TIME")]
    pub(super) to: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// The folder that an export wrote
    #[arg(value_name = "DIR")]
    pub(super) folder: PathBuf,
}
