//! NP4-732, NP4-742, NP4-737 and NP4-745: hourly wind and solar generation of the past two days
//! and its forecasts for the next seven, one shape for all.
//!
//! `GEN` was `ACTUAL` until 2024; the system's is spelled `SYSTEM_WIDE_GEN`, `GEN_SYSTEM_WIDE`,
//! `ACTUAL_SYSTEM_WIDE` or `genSystemWide`. The reports by region repeat the system's columns;
//! they are read from the reports for the system only, so that every value has one origin.

use super::layout::{Layout, Rows, TimeColumns, ValueColumn};
use crate::observation::{Series, SeriesKey};
use crate::place::{Place, Region};

/// What differs between wind and solar.
#[derive(Clone, Copy)]
struct Kind {
    actual: Series,
    hsl: Series,
    plan: Series,
    forecast: (&'static str, Series),
    potential: (&'static str, Series),
}

const WIND: Kind = Kind {
    actual: Series::WindActual,
    hsl: Series::WindHsl,
    plan: Series::WindPlan,
    forecast: ("STWPF", Series::WindForecast),
    potential: ("WGRPP", Series::WindPotential),
};

const SOLAR: Kind = Kind {
    actual: Series::SolarActual,
    hsl: Series::SolarHsl,
    plan: Series::SolarPlan,
    forecast: ("STPPF", Series::SolarForecast),
    potential: ("PVGRPP", Series::SolarPotential),
};

/// The system's columns, in the reports by region.
const SYSTEM: [&str; 10] = [
    "systemwidegen",
    "gensystemwide",
    "actualsystemwide",
    "hslsystemwide",
    "systemwidehsl",
    "cophslsystemwide",
    "stwpfsystemwide",
    "wgrppsystemwide",
    "stppfsystemwide",
    "pvgrppsystemwide",
];

/// The system and the load zones; at first the system and two halves of it, which are not read.
pub(super) fn wind() -> Vec<Layout> {
    let mut columns = WIND.columns("SYSTEM_WIDE", &Place::System);
    for (zone, region) in [
        ("SOUTH_HOUSTON", Region::ZoneSouthHouston),
        ("WEST", Region::ZoneWest),
        ("NORTH", Region::ZoneNorth),
    ] {
        columns.extend(WIND.columns(&format!("LZ_{zone}"), &Place::Region(region)));
    }
    vec![
        Layout::new(TimeColumns::Hour, Rows::Columns(columns)).knowing(&HALVES),
        WIND.until_2016(TimeColumns::Hour).knowing(&HALVES),
        WIND.until_2016(TimeColumns::HourEnd).knowing(&HALVES),
    ]
}

const HALVES: [&str; 8] = [
    "actualsouthhouston",
    "cophslsouthhouston",
    "stwpfsouthhouston",
    "wgrppsouthhouston",
    "actualwestnorth",
    "cophslwestnorth",
    "stwpfwestnorth",
    "wgrppwestnorth",
];

pub(super) fn wind_by_region() -> Vec<Layout> {
    WIND.by_region(&[
        ("PANHANDLE", Region::WindPanhandle),
        ("COASTAL", Region::WindCoastal),
        ("SOUTH", Region::WindSouth),
        ("WEST", Region::WindWest),
        ("NORTH", Region::WindNorth),
    ])
}

pub(super) fn solar() -> Vec<Layout> {
    let columns = SOLAR.columns("SYSTEM_WIDE", &Place::System);
    vec![
        Layout::new(TimeColumns::Hour, Rows::Columns(columns)),
        SOLAR.until_2016(TimeColumns::HourEnd),
    ]
}

pub(super) fn solar_by_region() -> Vec<Layout> {
    SOLAR.by_region(&[
        ("CenterWest", Region::SolarCenterWest),
        ("NorthWest", Region::SolarNorthWest),
        ("FarWest", Region::SolarFarWest),
        ("FarEast", Region::SolarFarEast),
        ("SouthEast", Region::SolarSouthEast),
        ("CenterEast", Region::SolarCenterEast),
    ])
}

impl Kind {
    fn by_region(self, regions: &[(&str, Region)]) -> Vec<Layout> {
        let columns = regions.iter().flat_map(|(name, region)| {
            let columns = self.columns(name, &Place::Region(*region));
            columns.into_iter().filter(|column| column.key.series != self.hsl)
        });
        vec![Layout::new(TimeColumns::Hour, Rows::Columns(columns.collect())).knowing(&SYSTEM)]
    }

    /// The system without zones; at first, `HOUR_ENDING` held the day as well.
    fn until_2016(self, time: TimeColumns) -> Layout {
        let columns = self.columns("SYSTEM_WIDE", &Place::System);
        Layout::new(time, Rows::Columns(columns)).until(jiff::civil::date(2016, 12, 31))
    }

    /// Returns one place's columns. JSON spells `LZ_WEST` as `LoadZoneWest`.
    fn columns(self, name: &str, place: &Place) -> Vec<ValueColumn> {
        let spelled = |prefix: &str| {
            let long = name.replace("LZ_", "LoadZone");
            [format!("{prefix}_{name}"), format!("{prefix}_{long}"), format!("{name}_{prefix}")]
        };
        let key = |series: Series| SeriesKey { series, place: place.clone() };
        let required = |prefix: &str, series: Series| {
            ValueColumn::required(&spelled(prefix).each_ref().map(String::as_str), key(series))
        };
        let [gen_1, gen_2, gen_3] = spelled("GEN");
        let [actual_1, actual_2, actual_3] = spelled("ACTUAL");
        let actual = [&gen_1, &gen_2, &gen_3, &actual_1, &actual_2, &actual_3];
        vec![
            ValueColumn::required(&actual.map(String::as_str), key(self.actual)),
            ValueColumn::optional(&spelled("HSL").each_ref().map(String::as_str), key(self.hsl)),
            required("COP_HSL", self.plan),
            required(self.forecast.0, self.forecast.1),
            required(self.potential.0, self.potential.1),
        ]
    }
}
