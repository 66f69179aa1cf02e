//! How Open-Meteo is reached: settings whose key is never shown.

use market::source::credentials::Secret;
use market::source::open_meteo::WeatherModel;

use super::{ConfigError, Layers};

/// How Open-Meteo is reached.
#[derive(Clone, Debug)]
pub struct WeatherSettings {
    /// A customer's key; without one the free service is asked.
    pub api_key: Option<Secret>,
    /// One server in place of all of Open-Meteo's.
    pub url: Option<String>,
    /// Whose forecasts.
    pub model: WeatherModel,
}

impl WeatherSettings {
    pub(super) fn from_layers(layers: &Layers) -> Result<Self, ConfigError> {
        let key = layers.value("open_meteo_api_key")?.map(|value| value.secret()).transpose()?;
        let model = match layers.value("weather_model")? {
            None => WeatherModel::Gfs,
            Some(value) => {
                let name = value.text()?;
                let named = WeatherModel::ALL.into_iter().find(|model| model.name() == name);
                named.ok_or_else(|| {
                    value.wrong(WeatherModel::ALL.map(WeatherModel::name).join(", "))
                })?
            }
        };
        Ok(Self {
            api_key: key.map(|key| Secret::new(&key)),
            url: layers.value("open_meteo_url")?.map(|value| value.text()).transpose()?,
            model,
        })
    }

    /// Returns every key with its value as TOML writes it; of the secret only that it is set.
    pub(super) fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries = vec![("weather_model", format!("{:?}", self.model.name()))];
        entries.extend(self.url.iter().map(|url| ("open_meteo_url", format!("{url:?}"))));
        entries.extend(self.api_key.iter().map(|_| ("open_meteo_api_key", "\"***\"".to_owned())));
        entries
    }
}
