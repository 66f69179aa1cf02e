//! How ERCOT is reached: settings whose secrets are never shown.

use std::time::Duration;

use market::source::budget::BudgetLimits;
use market::source::credentials::Credentials;
use market::source::http::HttpSettings;

use super::{ConfigError, Layers};

/// ERCOT's limit.
const REQUESTS_PER_MINUTE_MAX: u32 = 100_000;

/// How ERCOT is reached.
#[derive(Clone, Debug)]
pub struct ErcotSettings {
    /// For the Public API; the MIS needs none.
    pub credentials: Option<Credentials>,
    /// One server in place of all of ERCOT's.
    pub url: Option<String>,
    /// How often ERCOT is asked at the most.
    pub requests_per_minute: u32,
    /// How long an answer may take, until its last byte.
    pub request_timeout: Duration,
    /// Which of the credentials are set; only shown.
    set: Vec<&'static str>,
}

const CREDENTIALS: [&str; 3] = ["ercot_username", "ercot_password", "ercot_subscription_key"];

impl ErcotSettings {
    pub(super) fn from_layers(layers: &Layers) -> Result<Self, ConfigError> {
        let mut texts = Vec::new();
        for key in CREDENTIALS {
            texts.push((key, layers.value(key)?));
        }
        let set: Vec<&str> =
            texts.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| *key).collect();
        let credentials = match texts.as_slice() {
            [(_, Some(username)), (_, Some(password)), (_, Some(key))] => {
                let (name, word) = (username.text()?, password.secret()?);
                let made = Credentials::new(&name, &word, &key.secret()?);
                Some(made.map_err(|error| username.wrong_secret(error.to_string()))?)
            }
            _ => {
                // Some of three are as good as none, and probably a mistake.
                let missing: Vec<&str> =
                    CREDENTIALS.into_iter().filter(|key| !set.contains(key)).collect();
                if let Some(value) = texts.iter().find_map(|(_, value)| *value) {
                    return Err(value.wrong_secret(format!("also {}", missing.join(" and "))));
                }
                None
            }
        };
        Ok(Self {
            credentials,
            url: layers.value("ercot_url")?.map(|value| value.text()).transpose()?,
            requests_per_minute: match layers.value("ercot_requests_per_minute")? {
                Some(value) => value.small(1, REQUESTS_PER_MINUTE_MAX)?,
                None => BudgetLimits::ERCOT.requests_per_minute,
            },
            request_timeout: match layers.value("ercot_request_timeout")? {
                Some(value) => value.duration()?.unsigned_abs(),
                None => HttpSettings::REQUEST_TIMEOUT,
            },
            set,
        })
    }

    /// Returns every key with its value as TOML writes it; of secrets only that they are set.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries: Vec<(&str, String)> =
            self.set.iter().map(|key| (*key, "\"***\"".to_owned())).collect();
        entries.extend(self.url.iter().map(|url| ("ercot_url", format!("{url:?}"))));
        entries.push(("ercot_requests_per_minute", self.requests_per_minute.to_string()));
        let timeout = format!("\"{}ms\"", self.request_timeout.as_millis());
        entries.push(("ercot_request_timeout", timeout));
        entries
    }
}
