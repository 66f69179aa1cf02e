//! The way to Open-Meteo, made from the configuration; nothing of it crosses the journal.

use std::sync::Arc;

use market::observation::Observation;
use market::place::SettlementPoint;
use market::source::budget::{BudgetLimits, SharedBudget};
use market::source::http::{HttpAccess, HttpSettings, Now};
use market::source::open_meteo::{OpenMeteo, OpenMeteoEndpoints, OpenMeteoSettings};
use market::source::{FetchRequest, Source, SourceError};
use orchestration::Clock;

use super::failure::JobError;
use crate::config::WeatherSettings;

/// The name under which the weather's data is archived.
const ID: &str = "open_meteo";

/// Prepares the client; asks nothing.
pub fn open_weather(
    settings: &WeatherSettings,
    clock: &Arc<dyn Clock>,
) -> Result<OpenMeteo, JobError> {
    let clock = clock.clone();
    let now = Now::new(move || clock.now());
    let access =
        HttpAccess::new(HttpSettings::default(), SharedBudget::new(BudgetLimits::OPEN_METEO), now)?;
    let endpoints = match (&settings.url, &settings.api_key) {
        (Some(url), _) => OpenMeteoEndpoints::new(url, url, url)
            .map_err(|error| JobError::Configuration(error.to_string()))?,
        (None, Some(_)) => OpenMeteoEndpoints::customer(),
        (None, None) => OpenMeteoEndpoints::free(),
    };
    let api_key = settings.api_key.clone();
    Ok(OpenMeteo::new(OpenMeteoSettings { endpoints, api_key, model: settings.model }, &access))
}

/// Open-Meteo as a source: its archive is brought up by fetching.
#[derive(Clone, Copy, Debug)]
pub struct OpenMeteoArchive;

impl Source for OpenMeteoArchive {
    fn id(&self) -> String {
        ID.to_owned()
    }

    fn describe(&self) -> String {
        "Open-Meteo".to_owned()
    }

    fn fingerprint(&self) -> Result<String, SourceError> {
        Ok(ID.to_owned())
    }

    fn default_settlement_points(&self) -> Result<Vec<SettlementPoint>, SourceError> {
        Err(self.no_prices("a settlement point"))
    }

    fn fetch(&self, request: &FetchRequest) -> Result<Vec<Observation>, SourceError> {
        Err(self.no_prices(&request.key.to_string()))
    }
}

impl OpenMeteoArchive {
    fn no_prices(self, what: &str) -> SourceError {
        SourceError::Missing {
            source_name: self.describe(),
            what: format!("{what}: it has weather only; use it with `spikecast fetch` and `data`"),
        }
    }
}
