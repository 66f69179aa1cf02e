//! Configuration: one TOML file < environment `SPIKECAST_*` < flags. The only reader of the
//! environment.
//!
//! `layers` finds and reads the layers, `value` turns their texts into typed settings. Unknown
//! keys are errors that name the nearest known one.

mod ercot;
mod layers;
mod notifications;
mod value;
mod weather;

use std::path::PathBuf;

use forecast::threshold::Thresholds;
use jiff::civil::{Time, time};
use market::archive::ArchiveError;
use market::place::SettlementPoint;
use orchestration::RetryPolicy;
use thiserror::Error;

pub use ercot::ErcotSettings;
pub use layers::{Layers, Origin, asks_for_no_colour, searched, store_options};
pub use notifications::NotificationSettings;
pub use weather::WeatherSettings;

use crate::data_dir::DataDir;
use crate::jobs::source::SourceChoice;

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("configuration {}: cannot be read", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("configuration {}: {cause}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where and why.
        cause: Box<toml::de::Error>,
    },
    /// A key that nobody reads.
    #[error("{origin}: unknown key {key:?}{}; known keys: {}", nearest.as_ref().map(|n| format!(", did you mean {n:?}?")).unwrap_or_default(), KEYS.map(|(key, _)| key).join(", "))]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// The known key that is spelled most alike.
        nearest: Option<&'static str>,
    },
    /// A value that a key cannot have.
    #[error("{origin}: {key}: expected {expected}, found {found:?}")]
    BadValue {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// What would be right.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A place that no archive can be at.
    #[error("{origin}: {cause}")]
    BadArchive {
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        cause: Box<ArchiveError>,
    },
    /// The platform does not say where data belongs.
    #[error("no home directory is known; name a data directory with --data-dir")]
    NoHome,
}

/// Every key and what it means, in the order in which they are shown.
pub const KEYS: [(&str, &str); 29] = [
    ("data_dir", "folder of journal, archive, models and ledger"),
    ("archive", "folder or bucket of the archive, e.g. s3://bucket/prefix; gs:// and az:// too"),
    ("raw_retention", "days that ERCOT's own files are kept, e.g. 400d; all are kept by default"),
    ("source", "where observations come from: simulator, files, ercot or open_meteo"),
    ("path", "folder of the files, with source = files"),
    ("ercot_username", "of your account at ERCOT's API explorer, for what is older than some days"),
    ("ercot_password", "of that account; better in the environment than in a file"),
    ("ercot_subscription_key", "of the Public API, from the same explorer"),
    ("ercot_url", "one server in place of all of ERCOT's, e.g. a simulated one"),
    ("ercot_requests_per_minute", "how often ERCOT is asked at the most; it allows 30"),
    ("ercot_request_timeout", "how long an answer of ERCOT may take, e.g. 3m on a slow line"),
    ("weather_model", "whose weather forecasts: gfs_global, ecmwf_ifs025 or icon_global"),
    ("open_meteo_url", "one server in place of all of Open-Meteo's"),
    ("open_meteo_api_key", "of customers of Open-Meteo; without it the free service is asked"),
    ("fetch_retry_delay", "the longest wait before the second attempt at fetching, e.g. 2s"),
    ("simulator_seed", "which simulated world"),
    ("simulator_history_days", "days of simulated history before the issue time"),
    ("settlement_points", "what to forecast; empty for the source's own choice"),
    ("thresholds", "prices in $/MWh, ascending"),
    ("retrain_every", "days between trainings, e.g. 2d"),
    ("deadline", "market-local time by which the forecast must exist"),
    ("webhook_url", "where notices are posted as JSON; the address is kept secret"),
    ("slack_url", "an incoming webhook of Slack; kept secret"),
    ("teams_url", "a webhook of Teams' Workflows; kept secret"),
    ("smtp_url", "mail server, e.g. smtps://user:password@host:465 or smtp://host; kept secret"),
    ("email_from", "whose mail notices are, e.g. spikecast <spikecast@example.com>"),
    ("email_to", "who gets them; each person a mail of their own"),
    ("notify", "which kinds of notices are sent; all by default"),
    ("watch", "what is told when it is likely, e.g. HB_WEST > 200 @ 30%; * for every point"),
];

/// The settings of the program.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where journal, archive, models and ledger are.
    pub data_dir: DataDir,
    /// How many days raw files are kept in the archive; `None` keeps them all.
    pub raw_retention_days: Option<u32>,
    /// Where observations come from.
    pub source: SourceChoice,
    /// How ERCOT is reached.
    pub ercot: ErcotSettings,
    /// How Open-Meteo is reached.
    pub weather: WeatherSettings,
    /// How patiently fetching is tried again.
    pub fetch_retry: RetryPolicy,
    /// What was configured for each source, whichever is chosen; only shown.
    path: Option<PathBuf>,
    seed: u64,
    history_days: u32,
    /// What to forecast; empty for the source's own choice.
    pub settlement_points: Vec<SettlementPoint>,
    /// Prices whose exceedance is forecast.
    pub thresholds: Thresholds,
    /// Days between trainings.
    pub retrain_every_days: u32,
    /// By when the forecast of a day must exist, market-local.
    pub deadline: Time,
    /// Who is told what.
    pub notifications: NotificationSettings,
}

const SEED: u64 = 42;
const HISTORY_DAYS: u32 = 730;
const THRESHOLDS: [f64; 5] = [50.0, 100.0, 200.0, 500.0, 1000.0];
const RETRAIN_EVERY_DAYS: u32 = 2;
const DEADLINE: Time = time(9, 45, 0, 0);

impl Config {
    /// Resolves the layers to settings.
    pub fn from_layers(layers: &Layers) -> Result<Self, ConfigError> {
        let seed = layers.value("simulator_seed")?.map_or(Ok(SEED), |v| v.integer(0, u64::MAX))?;
        let history_days = layers
            .value("simulator_history_days")?
            .map_or(Ok(HISTORY_DAYS), |v| v.small(30, 3_000))?;
        let simulator = SourceChoice::Simulator { seed, history_days };
        // Resolved, so that a job that is continued elsewhere reads the same folder.
        let path = layers.value("path")?.map(|v| v.path()).transpose()?;
        let path = path.map(|path| path.canonicalize().unwrap_or(path));
        let configured_path = path.clone();
        let source = match layers.value("source")? {
            None => path.map_or(simulator, |path| SourceChoice::Files { path }),
            Some(value) => match (value.text()?.as_str(), path) {
                ("simulator", _) => simulator,
                ("ercot", _) => SourceChoice::Ercot,
                ("open_meteo", _) => SourceChoice::OpenMeteo,
                ("files", Some(path)) => SourceChoice::Files { path },
                ("files", None) => {
                    return Err(value.wrong("also a path to the folder of the files (--path DIR)"));
                }
                (_, _) => return Err(value.wrong("simulator, files, ercot or open_meteo")),
            },
        };
        let data_dir = DataDir::new(match layers.value("data_dir")? {
            Some(value) => value.path()?,
            None => layers::platform_data_dir()?,
        });
        let data_dir = match layers.value("archive")? {
            Some(value) => data_dir.with_archive(value.archive(&layers.store_options)?),
            None => data_dir,
        };
        let settlement_points =
            layers.value("settlement_points")?.map_or(Ok(Vec::new()), |v| v.settlement_points())?;
        let thresholds = match layers.value("thresholds")? {
            Some(value) => value.thresholds()?,
            None => Thresholds::new(&THRESHOLDS).expect("the defaults are ascending prices"),
        };
        Ok(Self {
            notifications: NotificationSettings::from_layers(
                layers,
                &thresholds,
                &settlement_points,
            )?,
            data_dir,
            raw_retention_days: layers
                .value("raw_retention")?
                .map(|v| v.retention_days())
                .transpose()?,
            source,
            ercot: ErcotSettings::from_layers(layers)?,
            weather: WeatherSettings::from_layers(layers)?,
            fetch_retry: match layers.value("fetch_retry_delay")? {
                Some(value) => {
                    RetryPolicy { delay_first: value.duration()?, ..RetryPolicy::default() }
                }
                None => RetryPolicy::default(),
            },
            path: configured_path,
            seed,
            history_days,
            settlement_points,
            thresholds,
            retrain_every_days: layers
                .value("retrain_every")?
                .map_or(Ok(RETRAIN_EVERY_DAYS), |v| v.days())?,
            deadline: layers.value("deadline")?.map_or(Ok(DEADLINE), |v| v.time_of_day())?,
        })
    }

    /// Returns every key with its value as TOML writes it.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        let quoted = |text: &str| format!("{text:?}");
        let source = match &self.source {
            SourceChoice::Simulator { .. } => "simulator",
            SourceChoice::Files { .. } => "files",
            SourceChoice::Ercot => "ercot",
            SourceChoice::OpenMeteo => "open_meteo",
        };
        let points: Vec<String> =
            self.settlement_points.iter().map(|point| quoted(point.name())).collect();
        let thresholds: Vec<String> =
            self.thresholds.prices().iter().map(ToString::to_string).collect();
        let mut entries = vec![
            ("data_dir", quoted(&self.data_dir.path().display().to_string())),
            ("archive", quoted(&self.data_dir.archives().to_string())),
            ("source", quoted(source)),
        ];
        let retention = self.raw_retention_days.map(|days| quoted(&format!("{days}d")));
        entries.extend(retention.map(|days| ("raw_retention", days)));
        entries.extend(self.path.iter().map(|path| ("path", quoted(&path.display().to_string()))));
        entries.extend(self.ercot.entries());
        entries.extend(self.weather.entries());
        let retry_delay = format!("{}ms", self.fetch_retry.delay_first.as_millis());
        entries.push(("fetch_retry_delay", quoted(&retry_delay)));
        entries.extend([
            ("simulator_seed", self.seed.to_string()),
            ("simulator_history_days", self.history_days.to_string()),
            ("settlement_points", format!("[{}]", points.join(", "))),
            ("thresholds", format!("[{}]", thresholds.join(", "))),
            ("retrain_every", quoted(&format!("{}d", self.retrain_every_days))),
            ("deadline", quoted(&self.deadline.strftime("%H:%M").to_string())),
        ]);
        entries.extend(self.notifications.entries());
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let read = || -> Result<Config, ConfigError> {
            let mut layers = Layers::default();
            layers.add_toml(std::path::Path::new("spikecast.toml"), file)?;
            let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            layers.add_environment(environment)?;
            layers.add_flag("data_dir", Some("/tmp/data".to_owned()));
            Config::from_layers(&layers)
        };
        read().map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_beats_the_file_and_flags_beat_both() {
        let file = "data_dir = \"/from/file\"\nretrain_every = \"7d\"\nthresholds = [75, 150.5]";
        let config = resolve(file, &[("SPIKECAST_RETRAIN_EVERY", "14d")]).unwrap();
        assert_eq!(config.retrain_every_days, 14);
        assert_eq!(config.thresholds.prices(), [75.0, 150.5]);
        assert_eq!(config.data_dir, DataDir::new("/tmp/data"));
        assert_eq!(config.deadline, time(9, 45, 0, 0));
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let check = |file: &str, environment: &[(&str, &str)], expected: &str| {
            let message = resolve(file, environment).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        check("treshold = [1]", &[], "did you mean \"thresholds\"?");
        check("", &[("SPIKECAST_DEADLIN", "9:00")], "did you mean \"deadline\"?");
        check("xyzzy = 1", &[], "unknown key \"xyzzy\"; known keys: data_dir");
    }

    #[test]
    fn a_bad_value_says_where_what_and_how() {
        let check = |file: &str, expected: &str| {
            let message = resolve(file, &[]).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        check("retrain_every = \"often\"", "spikecast.toml: retrain_every: expected");
        check("thresholds = [100, 50]", "ascending");
        check("thresholds = []", "1 to 20");
        check("source = \"files\"", "--path");
        check("source = \"moon\"", "simulator, files, ercot or open_meteo");
        check("weather_model = \"guess\"", "gfs_global, ecmwf_ifs025, icon_global");
        check("settlement_points = [\"hb hub\"]", "HB_HUBAVG");
        check("deadline = \"25:00\"", "09:45");
        check("simulator_seed = -1", "whole number");
        check("[thresholds]\na = 1", "a value");
    }

    #[test]
    fn the_archive_is_in_the_data_directory_or_where_the_strongest_layer_says() {
        let archive = |file: &str, environment: &[(&str, &str)]| {
            resolve(file, environment).map(|config| config.data_dir.archive("ercot").to_string())
        };
        assert_eq!(archive("", &[]).unwrap(), "/tmp/data/archive/ercot");
        let file = "archive = \"s3://desk/market\"";
        assert_eq!(archive(file, &[]).unwrap(), "s3://desk/market/ercot");
        let environment = [("SPIKECAST_ARCHIVE", "/mnt/archive")];
        assert_eq!(archive(file, &environment).unwrap(), "/mnt/archive/ercot");
        let message = archive("archive = \"s3://key:hunter2@desk\"", &[]).unwrap_err();
        assert!(message.starts_with("spikecast.toml: archive s3://desk:"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        let file = "thresholds = [75]\nsettlement_points = [\"HB_WEST\"]\nraw_retention = \"90d\"\n\
                    watch = [\"HB_WEST > 75 @ 2.5%\", \"*>75@30%\"]\nnotify = []";
        let config = resolve(file, &[]).unwrap();
        assert_eq!(config.raw_retention_days, Some(90));
        let shown: Vec<String> =
            config.entries().iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let again = resolve(&shown.join("\n"), &[]).unwrap();
        assert_eq!(again.entries(), config.entries());
    }
}
