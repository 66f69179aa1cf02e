//! Numbers of models: MAJOR.MINOR.PATCH, and what makes which of them go up.

use std::fmt;
use std::str::FromStr;

use forecast::model::Lineage;
use serde::{Deserialize, Serialize};

use super::error::RegistryError;

/// The number of a model. Numbers count registrations: a higher one was registered later, whatever
/// the day that it was trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

/// How a model differs from the one registered before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The same recipe on other data.
    Data,
    /// A constant or setting of the fit.
    Recipe,
    /// The features, or the saved form: other programs cannot use it.
    Features,
}

impl Difference {
    /// Compares a model with the one before it.
    #[must_use]
    pub fn between(former: &Lineage, latter: &Lineage) -> Self {
        if former.features != latter.features {
            Self::Features
        } else if former.recipe != latter.recipe {
            Self::Recipe
        } else {
            Self::Data
        }
    }
}

impl Version {
    /// The number of the first model.
    pub const FIRST: Self = Self { major: 1, minor: 0, patch: 0 };

    /// Returns the number that follows.
    #[must_use]
    pub fn next(self, difference: Difference) -> Self {
        let Self { major, minor, patch } = self;
        match difference {
            Difference::Data => Self { patch: patch + 1, ..self },
            Difference::Recipe => Self { major, minor: minor + 1, patch: 0 },
            Difference::Features => Self { major: major + 1, minor: 0, patch: 0 },
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = RegistryError;

    /// Reads a version, with or without the fingerprint that labels of forecasts carry.
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let number = text.split_once('+').map_or(text, |(number, _)| number);
        let parts: Vec<Option<u32>> = number.split('.').map(part).collect();
        match parts[..] {
            [Some(major), Some(minor), Some(patch)] => Ok(Self { major, minor, patch }),
            _ => Err(RegistryError::NotAVersion(text.to_owned())),
        }
    }
}

/// Reads a part without sign and leading zeros, so that a version has one spelling.
fn part(text: &str) -> Option<u32> {
    let is_plain =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = RegistryError;

    fn try_from(text: String) -> Result<Self, RegistryError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn what_changed_says_which_number_goes_up() {
        let next = |difference| version("2.3.4").next(difference).to_string();
        assert_eq!(next(Difference::Data), "2.3.5");
        assert_eq!(next(Difference::Recipe), "2.4.0");
        assert_eq!(next(Difference::Features), "3.0.0");
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        let mut versions = ["1.10.0", "1.9.12", "2.0.0", "1.9.9"].map(version);
        versions.sort();
        assert_eq!(versions.map(|it| it.to_string()), ["1.9.9", "1.9.12", "1.10.0", "2.0.0"]);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        assert_eq!(version("1.0.3+1f2e3d4c"), version("1.0.3"));
        for text in ["", "1", "1.0", "1.0.x", "1.0.0.0", "-1.0.0", "+1.0.0", "1.00.0", "latest"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }
}
