//! Finds and reads the layers of the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use market::archive::StoreOptions;

use super::value::Value;
use super::{ConfigError, KEYS};

/// Where a value was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a file.
    File(PathBuf),
    /// In this environment variable.
    Environment(String),
    /// On the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Environment(name) => write!(f, "environment variable {name}"),
            Origin::Flag => f.write_str("command line"),
        }
    }
}

/// What was said about each key; of several layers the strongest.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    values: BTreeMap<&'static str, (Origin, Vec<String>)>,
    pub(super) store_options: StoreOptions,
}

/// Returns the environment's variables; what is not UTF-8 is shown with replacement characters.
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
    })
}

/// Returns what the environment says to object stores; their own tools read the same variables.
#[must_use]
pub fn store_options() -> StoreOptions {
    StoreOptions::new(environment())
}

/// Says whether the environment asks for no colour (<https://no-color.org>).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
pub fn asks_for_no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

const FILE_NAME: &str = "spikecast.toml";
const SYSTEM_FILE: &str = "/etc/spikecast/spikecast.toml";
const PREFIX: &str = "SPIKECAST_";

/// Returns the platform's folder for the program's data.
pub(super) fn platform_data_dir() -> Result<PathBuf, ConfigError> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| ConfigError::NoHome)?;
    Ok(strategy.data_dir().join("spikecast"))
}

/// Returns where a configuration file is looked for, the first one found wins.
#[must_use]
pub fn searched() -> Vec<PathBuf> {
    let user = etcetera::choose_base_strategy()
        .map(|strategy| strategy.config_dir().join("spikecast").join(FILE_NAME));
    [PathBuf::from(FILE_NAME)].into_iter().chain(user).chain([SYSTEM_FILE.into()]).collect()
}

impl Layers {
    /// Reads the configuration file (the named one, else the first that is found) and the
    /// environment.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut layers = Self { store_options: store_options(), ..Self::default() };
        let found = match file {
            Some(file) => Some(file.to_owned()),
            None => searched().into_iter().find(|path| path.is_file()),
        };
        if let Some(path) = found {
            let text = fs::read_to_string(&path)
                .map_err(|cause| ConfigError::NotReadable { path: path.clone(), cause })?;
            layers.add_toml(&path, &text)?;
        }
        layers.add_environment(environment())?;
        Ok(layers)
    }

    pub(super) fn add_toml(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = toml::from_str(text).map_err(|cause| ConfigError::NotToml {
            path: path.to_owned(),
            cause: Box::new(cause),
        })?;
        let origin = Origin::File(path.to_owned());
        for (key, value) in table {
            let key = known_key(&key, &origin)?;
            let texts = toml_texts(&value).ok_or_else(|| ConfigError::BadValue {
                origin: origin.clone(),
                key,
                expected: "a value or a list of values".to_owned(),
                found: value.to_string(),
            })?;
            self.values.insert(key, (origin.clone(), texts));
        }
        Ok(())
    }

    pub(super) fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in variables {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let origin = Origin::Environment(name.clone());
            let key = known_key(&key.to_lowercase(), &origin)?;
            self.values.insert(key, (origin, vec![value]));
        }
        Ok(())
    }

    /// Adds what a flag says, if it was given.
    pub fn add_flag(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.values.insert(key, (Origin::Flag, vec![value]));
        }
    }

    /// Returns where a key's value comes from; nothing when the default counts.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.values.get(key).map(|(origin, _)| origin)
    }

    pub(super) fn value(&self, key: &'static str) -> Result<Option<Value<'_>>, ConfigError> {
        let found = self.values.get(key);
        Ok(found.map(|(origin, texts)| Value { key, origin, texts }))
    }
}

fn known_key(key: &str, origin: &Origin) -> Result<&'static str, ConfigError> {
    if let Some((known, _)) = KEYS.iter().find(|(known, _)| *known == key) {
        return Ok(known);
    }
    let distance = |known: &str| strsim::damerau_levenshtein(known, key);
    let nearest = KEYS.iter().map(|(known, _)| *known).min_by_key(|known| distance(known));
    // Half of the word may be wrong; beyond that a suggestion only confuses.
    let nearest = nearest.filter(|known| 2 * distance(known) <= known.len());
    Err(ConfigError::UnknownKey { origin: origin.clone(), key: key.to_owned(), nearest })
}

fn toml_texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::Array(values) => {
            let texts: Option<Vec<Vec<String>>> = values.iter().map(toml_texts).collect();
            Some(texts?.concat())
        }
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Float(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(flag) => Some(vec![flag.to_string()]),
        toml::Value::Datetime(time) => Some(vec![time.to_string()]),
        toml::Value::Table(_) => None,
    }
}
