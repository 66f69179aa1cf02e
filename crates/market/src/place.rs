//! Where a value applies: the whole system, a settlement point, a weather zone.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// A settlement point as ERCOT spells it, e.g. `HB_HUBAVG` or `LZ_WEST`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettlementPoint(Arc<str>);

/// What is wrong with a settlement point's name.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "settlement point {0:?}: expected ERCOT's spelling, 1 to 40 of A-Z, 0-9, '_', '-', '.', e.g. HB_HUBAVG"
)]
pub struct SettlementPointError(String);

const NAME_LENGTH_MAX: usize = 40;

impl SettlementPoint {
    /// Accepts ERCOT's spelling; the name is also used as a folder's name, so nothing else passes.
    pub fn new(name: &str) -> Result<Self, SettlementPointError> {
        let allowed =
            |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || NAME_LENGTH_MAX < name.len() || !name.chars().all(allowed) {
            return Err(SettlementPointError(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    /// Returns ERCOT's spelling.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SettlementPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a value applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// All of ERCOT.
    System,
    /// A hub, load zone or resource node.
    SettlementPoint(SettlementPoint),
    /// One of ERCOT's eight weather zones.
    WeatherZone(WeatherZone),
}

/// The weather zones whose temperature is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WeatherZone {
    /// Houston and the coast.
    Coast,
    /// Dallas and Fort Worth.
    NorthCentral,
}

impl Place {
    /// Returns the name used for folders and messages: `ERCOT`, `HB_HUBAVG`, `WZ_COAST`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Place::System => "ERCOT",
            Place::SettlementPoint(point) => point.name(),
            Place::WeatherZone(WeatherZone::Coast) => "WZ_COAST",
            Place::WeatherZone(WeatherZone::NorthCentral) => "WZ_NCENT",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_point_cannot_leave_its_folder() {
        assert!(SettlementPoint::new("HB_HUBAVG").is_ok());
        for name in ["", "..", "a", "HB/X", "HB X", &"A".repeat(41)] {
            assert!(SettlementPoint::new(name).is_err(), "{name:?}");
        }
    }
}
