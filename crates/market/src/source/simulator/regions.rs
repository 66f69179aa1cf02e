//! Which regions a place consists of, for wind and solar generation.

use crate::place::{Place, Region};

/// Returns the wind regions of a place, as indices; `None` where no wind is reported.
pub(super) fn wind_regions(place: &Place) -> Option<&'static [usize]> {
    Some(match place {
        Place::System => &[0, 1, 2, 3, 4],
        Place::Region(Region::WindPanhandle) => &[0],
        Place::Region(Region::WindCoastal) => &[1],
        Place::Region(Region::WindSouth) => &[2],
        Place::Region(Region::WindWest) => &[3],
        Place::Region(Region::WindNorth) => &[4],
        Place::Region(Region::ZoneSouthHouston) => &[1, 2],
        Place::Region(Region::ZoneWest) => &[0, 3],
        Place::Region(Region::ZoneNorth) => &[4],
        _ => return None,
    })
}

/// Returns the solar regions of a place, as indices; `None` where no solar is reported.
pub(super) fn solar_regions(place: &Place) -> Option<&'static [usize]> {
    Some(match place {
        Place::System => &[0, 1, 2, 3, 4, 5],
        Place::Region(Region::SolarCenterWest) => &[0],
        Place::Region(Region::SolarNorthWest) => &[1],
        Place::Region(Region::SolarFarWest) => &[2],
        Place::Region(Region::SolarFarEast) => &[3],
        Place::Region(Region::SolarSouthEast) => &[4],
        Place::Region(Region::SolarCenterEast) => &[5],
        _ => return None,
    })
}

/// Returns the load zones of a place for which outages are reported, as indices.
pub(super) fn outage_zones(place: &Place) -> Option<&'static [usize]> {
    Some(match place {
        Place::System => &[0, 1, 2, 3],
        Place::Region(Region::ZoneHouston) => &[0],
        Place::Region(Region::ZoneNorth) => &[1],
        Place::Region(Region::ZoneSouth) => &[2],
        Place::Region(Region::ZoneWest) => &[3],
        _ => return None,
    })
}

/// Adds what the chosen parts have.
pub(super) fn sum_of(parts: &[f64], chosen: &[usize]) -> f64 {
    chosen.iter().map(|&index| parts[index]).sum()
}
