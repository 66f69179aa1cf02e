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

/// A transmission constraint with the contingency under which it binds, e.g. `DMTSCOS5/6144__A`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint(Arc<str>);

const CONSTRAINT_LENGTH_MAX: usize = 120;

impl Constraint {
    /// Names a constraint by contingency and element; `None` if one is empty, too long or holds
    /// anything but printable ASCII.
    #[must_use]
    pub fn new(contingency: &str, element: &str) -> Option<Self> {
        let (contingency, element) = (contingency.trim(), element.trim());
        let is_printable = |c: char| c.is_ascii_graphic() || c == ' ';
        let name = format!("{contingency}/{element}");
        let is_name = !contingency.is_empty()
            && !element.is_empty()
            && name.len() <= CONSTRAINT_LENGTH_MAX
            && name.chars().all(is_printable);
        is_name.then(|| Self(name.into()))
    }

    /// Returns contingency and element.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
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
    /// A part of ERCOT for which generation and outages are reported.
    Region(Region),
    /// A transmission constraint.
    Constraint(Constraint),
}

/// Writes an enum of places with fixed names.
macro_rules! named_places {
    ($(#[$meta:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
        }

        impl $kind {
            /// Every one, in ERCOT's order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name used for files, on the command line and in messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

named_places! {
    /// ERCOT's weather zones.
    WeatherZone {
        /// Houston and the coast.
        Coast = "WZ_COAST",
        /// The pine woods.
        East = "WZ_EAST",
        /// The Permian basin and El Paso's neighbours.
        FarWest = "WZ_FWEST",
        /// Wichita Falls and the Red River.
        North = "WZ_NORTH",
        /// Dallas and Fort Worth.
        NorthCentral = "WZ_NCENT",
        /// Austin and San Antonio.
        SouthCentral = "WZ_SCENT",
        /// The Rio Grande valley.
        Southern = "WZ_SOUTH",
        /// Abilene and San Angelo.
        West = "WZ_WEST",
    }
}

named_places! {
    /// Parts of ERCOT for which generation and outages are reported.
    Region {
        /// Load zone Houston.
        ZoneHouston = "ZONE_HOUSTON",
        /// Load zone North.
        ZoneNorth = "ZONE_NORTH",
        /// Load zone South.
        ZoneSouth = "ZONE_SOUTH",
        /// Load zone West.
        ZoneWest = "ZONE_WEST",
        /// Load zones South and Houston together, for wind.
        ZoneSouthHouston = "ZONE_SOUTH_HOUSTON",
        /// Wind in the panhandle.
        WindPanhandle = "WIND_PANHANDLE",
        /// Wind at the coast.
        WindCoastal = "WIND_COASTAL",
        /// Wind in the south, but not at the coast.
        WindSouth = "WIND_SOUTH",
        /// Wind in the west.
        WindWest = "WIND_WEST",
        /// Wind in the north.
        WindNorth = "WIND_NORTH",
        /// Solar in the centre and west.
        SolarCenterWest = "SOLAR_CENTER_WEST",
        /// Solar in the north-west.
        SolarNorthWest = "SOLAR_NORTH_WEST",
        /// Solar in the far west.
        SolarFarWest = "SOLAR_FAR_WEST",
        /// Solar in the far east.
        SolarFarEast = "SOLAR_FAR_EAST",
        /// Solar in the south-east.
        SolarSouthEast = "SOLAR_SOUTH_EAST",
        /// Solar in the centre and east.
        SolarCenterEast = "SOLAR_CENTER_EAST",
    }
}

impl Place {
    /// Returns the name used in messages and for files: `ERCOT`, `HB_HUBAVG`, `WZ_COAST`,
    /// `ZONE_WEST`, `DMTSCOS5/6144__A`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Place::System => "ERCOT",
            Place::SettlementPoint(point) => point.name(),
            Place::WeatherZone(zone) => zone.name(),
            Place::Region(region) => region.name(),
            Place::Constraint(constraint) => constraint.name(),
        }
    }

    /// Returns the place with a name; what is no other place is a settlement point.
    pub fn named(name: &str) -> Result<Self, SettlementPointError> {
        if name == Place::System.name() {
            return Ok(Place::System);
        }
        if let Some(zone) = WeatherZone::ALL.iter().find(|zone| zone.name() == name) {
            return Ok(Place::WeatherZone(*zone));
        }
        if let Some(region) = Region::ALL.iter().find(|region| region.name() == name) {
            return Ok(Place::Region(*region));
        }
        if let Some((contingency, element)) = name.split_once('/')
            && let Some(constraint) = Constraint::new(contingency, element)
        {
            return Ok(Place::Constraint(constraint));
        }
        SettlementPoint::new(name).map(Place::SettlementPoint)
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
    fn every_place_is_found_by_its_name() {
        let mut places = vec![
            Place::System,
            Place::SettlementPoint(SettlementPoint::new("HB_PAN").unwrap()),
            Place::Constraint(Constraint::new("DMTSCOS5", "6144__A").unwrap()),
        ];
        places.extend(WeatherZone::ALL.iter().map(|zone| Place::WeatherZone(*zone)));
        places.extend(Region::ALL.iter().map(|region| Place::Region(*region)));
        for place in places {
            assert_eq!(Place::named(place.name()), Ok(place));
        }
        assert!(Place::named("hb_pan").is_err());
    }

    #[test]
    fn a_settlement_point_cannot_leave_its_folder() {
        assert!(SettlementPoint::new("HB_HUBAVG").is_ok());
        for name in ["", "..", "a", "HB/X", "HB X", &"A".repeat(41)] {
            assert!(SettlementPoint::new(name).is_err(), "{name:?}");
        }
    }
}
