//! NP3-565 and NP6-345: load by weather zone, forecast by several models, and actual.

use super::columns::Names;
use super::layout::{Layout, Rows, TimeColumns, ValueColumn, names};
use crate::observation::{Series, SeriesKey};
use crate::place::{Place, WeatherZone};

/// `DeliveryDate,HourEnding,Coast,…,West,SystemTotal,Model,InUseFlag,DSTFlag`: a row for each
/// model; those in use are also the forecast itself.
pub(super) fn forecast() -> Vec<Layout> {
    let mut places: Vec<(Names, Place)> = zones().to_vec();
    places.push((names(&["systemTotal"]), Place::System));
    vec![Layout::new(TimeColumns::Hour, Rows::Models { places })]
}

/// `OperDay,HourEnding,COAST,…,TOTAL,DSTFlag`.
pub(super) fn actual() -> Vec<Layout> {
    let mut places: Vec<(Names, Place)> = zones().to_vec();
    places.push((names(&["total"]), Place::System));
    let columns = places.into_iter().map(|(names, place)| ValueColumn {
        names,
        is_required: true,
        key: SeriesKey { series: Series::LoadActual, place },
        total: None,
    });
    vec![Layout::new(TimeColumns::Hour, Rows::Columns(columns.collect()))]
}

/// Returns the weather zones in all spellings of their columns.
pub(super) fn zones() -> [(Names, Place); 8] {
    [
        (WeatherZone::Coast, &["coast"][..]),
        (WeatherZone::East, &["east"]),
        (WeatherZone::FarWest, &["farWest"]),
        (WeatherZone::North, &["north"]),
        (WeatherZone::NorthCentral, &["northCentral", "northC"]),
        (WeatherZone::SouthCentral, &["southCentral", "southC"]),
        (WeatherZone::Southern, &["southern"]),
        (WeatherZone::West, &["west"]),
    ]
    .map(|(zone, spellings)| (names(spellings), Place::WeatherZone(zone)))
}
