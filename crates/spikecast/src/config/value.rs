//! One configured value: texts from a file, the environment or a flag, read as what a key needs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use forecast::threshold::Thresholds;
use jiff::SignedDuration;
use jiff::civil::Time;
use market::archive::{ArchiveLocation, StoreOptions};
use market::place::SettlementPoint;

use super::{ConfigError, Origin};

/// What was said about a key. A list is several texts, or one with commas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub(super) key: &'static str,
    pub(super) origin: &'a Origin,
    pub(super) texts: &'a [String],
}

impl Value<'_> {
    pub(super) fn wrong(&self, expected: impl Into<String>) -> ConfigError {
        ConfigError::BadValue {
            origin: self.origin.clone(),
            key: self.key,
            expected: expected.into(),
            found: self.texts.join(", "),
        }
    }

    /// Returns an error about one element of a list.
    pub(super) fn wrong_part(&self, part: &str, expected: String) -> ConfigError {
        ConfigError::BadValue {
            origin: self.origin.clone(),
            key: self.key,
            expected,
            found: part.to_owned(),
        }
    }

    /// Returns an error that does not repeat what was found.
    pub(super) fn wrong_secret(&self, expected: impl Into<String>) -> ConfigError {
        ConfigError::BadValue {
            origin: self.origin.clone(),
            key: self.key,
            expected: expected.into(),
            found: "***".to_owned(),
        }
    }

    /// Returns a value that must not be repeated in an error.
    pub(super) fn secret(&self) -> Result<String, ConfigError> {
        self.text().map_err(|_| self.wrong_secret("one value"))
    }

    pub(super) fn text(&self) -> Result<String, ConfigError> {
        match self.texts {
            [text] if !text.is_empty() => Ok(text.clone()),
            _ => Err(self.wrong("one value")),
        }
    }

    pub(super) fn list(&self) -> Vec<&str> {
        let parts = self.texts.iter().flat_map(|text| text.split(','));
        parts.map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        Ok(PathBuf::from(self.text()?))
    }

    /// Reads where an archive is; what does not belong there may be a credential, and is not
    /// repeated.
    pub(super) fn archive(&self, options: &StoreOptions) -> Result<ArchiveLocation, ConfigError> {
        let text = self.text()?;
        ArchiveLocation::parse(&text, options.clone()).map_err(|cause| ConfigError::BadArchive {
            origin: self.origin.clone(),
            cause: cause.into(),
        })
    }

    pub(super) fn integer(&self, min: u64, max: u64) -> Result<u64, ConfigError> {
        let number = self.text()?.parse().ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| self.wrong(format!("a whole number from {min} to {max}")))
    }

    pub(super) fn small(&self, min: u32, max: u32) -> Result<u32, ConfigError> {
        let number = self.integer(u64::from(min), u64::from(max))?;
        u32::try_from(number).map_err(|_| self.wrong(format!("at most {max}")))
    }

    /// Reads a duration of milliseconds, seconds or minutes, e.g. `2s`.
    pub(super) fn duration(&self) -> Result<SignedDuration, ConfigError> {
        let text = self.text()?;
        let duration: Option<SignedDuration> = text.parse().ok();
        let allowed = SignedDuration::from_millis(1)..=SignedDuration::from_mins(10);
        duration
            .filter(|duration| allowed.contains(duration))
            .ok_or_else(|| self.wrong("a duration from 1ms to 10m, e.g. 2s"))
    }

    pub(super) fn days(&self) -> Result<u32, ConfigError> {
        self.days_up_to(365, "2d")
    }

    /// Reads how long something is kept: a century is for good.
    pub(super) fn retention_days(&self) -> Result<u32, ConfigError> {
        self.days_up_to(36_500, "400d")
    }

    fn days_up_to(&self, max: u32, example: &str) -> Result<u32, ConfigError> {
        let text = self.text()?;
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        days.filter(|days| (1..=max).contains(days)).ok_or_else(|| {
            self.wrong(format!("a number of days from 1d to {max}d, e.g. {example}"))
        })
    }

    pub(super) fn time_of_day(&self) -> Result<Time, ConfigError> {
        self.text()?.parse().map_err(|_| self.wrong("a time of day, e.g. 09:45"))
    }

    pub(super) fn settlement_points(&self) -> Result<Vec<SettlementPoint>, ConfigError> {
        let point = |name: &str| {
            SettlementPoint::new(name).map_err(|_| {
                self.wrong("ERCOT's names of settlement points in capitals, e.g. HB_HUBAVG")
            })
        };
        let points: Vec<SettlementPoint> =
            self.list().into_iter().map(point).collect::<Result<_, _>>()?;
        let distinct: BTreeSet<&SettlementPoint> = points.iter().collect();
        if distinct.len() < points.len() {
            return Err(self.wrong("each settlement point once"));
        }
        Ok(points)
    }

    pub(super) fn thresholds(&self) -> Result<Thresholds, ConfigError> {
        let number = |text: &str| {
            text.parse::<f64>().map_err(|_| self.wrong("prices in $/MWh, e.g. 50, 100, 200"))
        };
        let prices: Vec<f64> = self.list().into_iter().map(number).collect::<Result<_, _>>()?;
        Thresholds::new(&prices)
            .map_err(|_| self.wrong("1 to 20 prices above 0 in $/MWh, ascending and all different"))
    }
}
