//! What can be typed after `spikecast models`.

use clap::{Args, Subcommand};

use crate::cli::args::TargetArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModelsCommand {
    /// List the registered models and which one speaks
    List {
        #[command(flatten)]
        targets: TargetArgs,
    },
    /// Show where a model comes from, how it did on held-out days, and what happened to it
    Show {
        #[command(flatten)]
        targets: TargetArgs,
        /// The model, e.g. 1.0.3 (the current one by default)
        version: Option<String>,
    },
    /// Compare two models on the days held out of both
    Compare {
        #[command(flatten)]
        targets: TargetArgs,
        /// The model to compare with, e.g. 1.0.3
        first: String,
        /// The model to judge, e.g. 1.0.4
        second: String,
    },
    /// Let a model speak from now on
    Promote {
        #[command(flatten)]
        targets: TargetArgs,
        /// The model, e.g. 1.1.0
        version: String,
        #[command(flatten)]
        why: WhyArgs,
    },
    /// Let a former model speak again; the current one is not promoted again by itself
    Rollback {
        #[command(flatten)]
        targets: TargetArgs,
        /// The model (the one that spoke before the current one by default)
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        why: WhyArgs,
    },
}

/// Why somebody decides who speaks, and from when on.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhyArgs {
    /// Why; the history of the models keeps it
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    /// From this market-local time on, which must not lie in the future (now by default)
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
}
