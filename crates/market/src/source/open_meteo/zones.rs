//! Where the weather of a weather zone is taken: in the city where most of its people live, for
//! most of a zone's load is there.

use crate::place::WeatherZone;

/// A point on the map, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich; negative in Texas.
    pub longitude: f64,
}

/// Returns the coordinates of a zone's city.
#[must_use]
pub const fn coordinates(zone: WeatherZone) -> Coordinates {
    let (latitude, longitude) = match zone {
        // Houston.
        WeatherZone::Coast => (29.76, -95.37),
        // Tyler.
        WeatherZone::East => (32.35, -95.30),
        // Midland.
        WeatherZone::FarWest => (32.00, -102.08),
        // Wichita Falls.
        WeatherZone::North => (33.91, -98.49),
        // Dallas.
        WeatherZone::NorthCentral => (32.78, -96.80),
        // San Antonio.
        WeatherZone::SouthCentral => (29.42, -98.49),
        // McAllen.
        WeatherZone::Southern => (26.20, -98.23),
        // Abilene.
        WeatherZone::West => (32.45, -99.73),
    };
    Coordinates { latitude, longitude }
}
