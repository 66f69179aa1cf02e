//! What can be typed. Every flag that is also a setting has the setting's name.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::archive::ArchiveCommand;
use super::backfill::BackfillArgs;
use super::backtest::BacktestArgs;
use super::data_status::StatusArgs;
use super::evaluate::EvaluateArgs;
use super::explain::ExplainArgs;
use super::features::FeaturesCommand;
use super::models::ModelsCommand;
use super::notify::NotifyCommand;
use super::schedule::ScheduleCommand;
use super::scores::ScoresArgs;
use super::serve::ServeArgs;
use super::simulate::SimulateCommand;
use super::simulate_operations::{LIFE, SimulateOperationsArgs};
use crate::config::{Config, ConfigError, Layers};
use crate::exit::{CommandError, Exit};
use crate::jobs::fetch::Vintages;

/// Probabilities of ERCOT real-time price spikes for the next three operating days.
#[derive(Debug, Parser)]
#[command(
    name = "spikecast",
    version,
    after_help = Exit::help(),
    after_long_help = format!(
        "Settings come from one TOML file (./spikecast.toml, else the user's or the system's \
         configuration folder), the environment (SPIKECAST_THRESHOLDS=50,100 …) and flags, the \
         later ones winning; see `spikecast config show`.\n\n{}",
        Exit::help()
    )
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: GlobalArgs,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct GlobalArgs {
    /// Folder of journal, archive, models and ledger
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data_dir: Option<String>,
    /// Folder or bucket of the archive, e.g. s3://bucket/prefix (DATA_DIR/archive by default)
    #[arg(long, global = true, value_name = "PLACE")]
    pub(super) archive: Option<String>,
    /// Configuration file to read instead of searching for one
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON for machines instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// The command by which the program serves itself.
pub(super) const ISOLATED_WORKER: &str = "isolated-worker";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Fetch, train if due, forecast the next three operating days, publish
    Run(RunArgs),
    /// Forecast past days as if they were today and score them
    Backtest(BacktestArgs),
    /// Score any forecast file against any truth
    Evaluate(EvaluateArgs),
    /// Forecast the days of a span that were missed, each as of its morning
    Backfill(BackfillArgs),
    /// Fetch observations into the archive and say what is missing
    Fetch(FetchArgs),
    /// Run the daily operations for as long as the process lives
    Serve(ServeArgs),
    /// What was run: list, or show one run in full
    #[command(subcommand)]
    Runs(RunsCommand),
    /// What runs when: list, preview, add, pause, resume, remove, or run now
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// What was forecast: show, export or explain an issued forecast
    #[command(subcommand)]
    Forecast(ForecastCommand),
    /// How the issued forecasts did: over all days and the last weeks, and whether they got worse
    Scores(ScoresArgs),
    /// What the models read of an hour: list the features, or describe one
    #[command(subcommand)]
    Features(FeaturesCommand),
    /// Which models there are and which one speaks: list, show, compare, promote, rollback
    #[command(subcommand)]
    Models(ModelsCommand),
    /// What is archived: show it, draw it, or judge its quality
    #[command(subcommand)]
    Data(DataCommand),
    /// The archive: what it lacks, whether it is whole, its care, the way in and out
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Who is told what: show it, or send a test
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// The settings: show them, or check a file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// A market that is not there: serve it as ERCOT would
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// Years of daily operations in minutes: does every morning have its forecast, whatever breaks?
    SimulateOperations(SimulateOperationsArgs),
    /// Live one process of simulated operations
    #[command(name = LIFE, hide = true)]
    SimulateOperationsLife(SimulateOperationsArgs),
    /// Serve isolated stages to the process that starts this command
    #[command(name = ISOLATED_WORKER, hide = true)]
    IsolatedWorker {
        /// The data directory
        directory: PathBuf,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Flags that choose where observations come from.
#[derive(Debug, Default, Args)]
pub(super) struct SourceArgs {
    /// Where observations come from: simulator, files, ercot or open_meteo
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Folder of the files (see docs/data-layout.md)
    #[arg(long, value_name = "DIR")]
    path: Option<String>,
}

/// Flags that choose archived observations.
#[derive(Debug, Args)]
pub(super) struct ObservationArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Series, e.g. rt_lmp,load_forecast; may be given several times; what a forecast reads by
    /// default
    #[arg(long, value_name = "SERIES", value_delimiter = ',')]
    pub(super) series: Vec<String>,
    /// Places, e.g. HB_WEST,WZ_COAST; ERCOT or all settlement points archived by default
    #[arg(long, value_name = "PLACES", value_delimiter = ',')]
    pub(super) place: Vec<String>,
    /// First day or market-local time, e.g. 2024-08-19 or 2024-08-19T06:00
    #[arg(long, value_name = "TIME")]
    pub(super) from: String,
    /// Last day (included), or the time before which intervals start
    #[arg(long, value_name = "TIME")]
    pub(super) to: String,
}

#[derive(Debug, Args)]
pub(super) struct KnownArgs {
    #[command(flatten)]
    pub(super) observations: ObservationArgs,
    /// As it was known at this market-local time; as it is known now by default
    #[arg(long, value_name = "TIME")]
    pub(super) known_at: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    #[command(flatten)]
    pub(super) observations: ObservationArgs,
    /// Which vintages of forecasts to keep
    #[arg(long, value_enum, default_value_t = WantedVintages::Morning)]
    pub(super) vintages: WantedVintages,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WantedVintages {
    /// Those posted from 05:00 to 10:00, the last before the day-ahead market closes
    Morning,
    /// All, every hour's
    Every,
}

impl From<WantedVintages> for Vintages {
    fn from(wanted: WantedVintages) -> Self {
        match wanted {
            WantedVintages::Morning => Vintages::Morning,
            WantedVintages::Every => Vintages::Every,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Show archived observations: a chart and a line for each day
    Show(KnownArgs),
    /// Judge archived days: coverage, gaps, duplicates, range, staleness, outliers, drift
    Status(StatusArgs),
    /// Draw archived observations as a picture
    Plot {
        #[command(flatten)]
        observations: KnownArgs,
        /// The picture; its ending says whether it is .png or .svg
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Flags that choose data and targets.
#[derive(Debug, Default, Args)]
pub(super) struct TargetArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Settlement points, e.g. HB_HUBAVG,HB_WEST; may be given several times
    #[arg(long = "settlement-point", alias = "settlement-points", value_name = "POINTS")]
    settlement_points: Vec<String>,
    /// Prices in $/MWh, ascending, e.g. 50,100,200
    #[arg(long, value_name = "PRICES")]
    thresholds: Option<String>,
}

/// Flags that choose data, targets and trainings; the same for `run` and `backtest`.
#[derive(Debug, Default, Args)]
pub(super) struct DataArgs {
    #[command(flatten)]
    targets: TargetArgs,
    /// Days between trainings, e.g. 2d
    #[arg(long, value_name = "DAYS")]
    retrain_every: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// Turn the clock back: market-local time at which to forecast, e.g. 2024-08-19T09:57
    #[arg(long, value_name = "TIME")]
    pub(super) issue_time: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunsCommand {
    /// List runs, the newest first
    List {
        /// How many at the most
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show every stage and attempt of a run
    Show {
        /// The run, e.g. r000012
        run: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct IssueArgs {
    /// Market-local issue time of the forecast (the one issued last by default)
    #[arg(long, value_name = "TIME")]
    pub(super) issue_time: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ForecastCommand {
    /// Show an issued forecast
    Show {
        #[command(flatten)]
        issue: IssueArgs,
        /// Read the forecast at another price: $/MWh, e.g. 137, or a percentile of the 5-minute
        /// prices of the 30 days before it, e.g. p95
        #[arg(long, value_name = "PRICE")]
        above: Option<String>,
    },
    /// Write an issued forecast to a file
    Export {
        #[command(flatten)]
        issue: IssueArgs,
        /// The file's format
        #[arg(long)]
        format: ExportFormat,
        /// The file; without it CSV and JSON go to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say what made the probability of an hour
    Explain(ExplainArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ExportFormat {
    /// Comma-separated values with a header
    Csv,
    /// An array of objects
    Json,
    /// Apache Parquet
    Parquet,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every setting and where it comes from
    Show,
    /// Check the configuration; says what is wrong and where
    Check {
        /// The file (the one that would be found by default)
        file: Option<PathBuf>,
    },
}

impl GlobalArgs {
    /// Reads the settings without those of a command.
    pub(super) fn layers(&self) -> Result<Layers, CommandError> {
        let mut layers = Layers::read(self.config.as_deref()).map_err(usage)?;
        layers.add_flag("data_dir", self.data_dir.clone());
        layers.add_flag("archive", self.archive.clone());
        Ok(layers)
    }

    /// Resolves the settings without those of a command.
    pub(super) fn settings(&self) -> Result<Config, CommandError> {
        Config::from_layers(&self.layers()?).map_err(usage)
    }
}

impl SourceArgs {
    /// Reads the settings with these flags on top.
    pub(super) fn layers(&self, global: &GlobalArgs) -> Result<Layers, CommandError> {
        let mut layers = global.layers()?;
        layers.add_flag("source", self.source.clone());
        layers.add_flag("path", self.path.clone());
        Ok(layers)
    }

    /// Resolves the settings with these flags on top.
    pub(super) fn settings(&self, global: &GlobalArgs) -> Result<Config, CommandError> {
        Config::from_layers(&self.layers(global)?).map_err(usage)
    }
}

impl TargetArgs {
    fn layers(&self, global: &GlobalArgs) -> Result<Layers, CommandError> {
        let mut layers = self.source.layers(global)?;
        let points = Some(self.settlement_points.join(",")).filter(|points| !points.is_empty());
        layers.add_flag("settlement_points", points);
        layers.add_flag("thresholds", self.thresholds.clone());
        Ok(layers)
    }

    /// Resolves the settings with these flags on top.
    pub(super) fn settings(&self, global: &GlobalArgs) -> Result<Config, CommandError> {
        Config::from_layers(&self.layers(global)?).map_err(usage)
    }
}

impl DataArgs {
    /// Resolves the settings with these flags on top.
    pub(super) fn settings(&self, global: &GlobalArgs) -> Result<Config, CommandError> {
        let mut layers = self.targets.layers(global)?;
        layers.add_flag("retrain_every", self.retrain_every.clone());
        Config::from_layers(&layers).map_err(usage)
    }
}

pub(super) fn usage(error: ConfigError) -> CommandError {
    CommandError::new(Exit::Usage, error)
}
