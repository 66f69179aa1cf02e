//! Wind and solar generation, actual and forecast: NP4-732, NP4-742, NP4-737, NP4-745. A posting
//! shows the market as it looks: what was generated lately, and the newest forecast of each hour.

use market::observation::{Series, SeriesKey};
use market::place::{Place, Region};
use market::reports::Report;
use market::source::SourceError;

use super::{
    DST, Layout, Occasion, POSTED, Page, Stamp, day, hour, hour_cells, hours_around, instant_cell,
    number, number_cell, system,
};
use crate::simulated_ercot::table::{Cell, Column, HourStyle, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

const HOURS_BEFORE: i64 = 48;
const HOURS_AFTER: i64 = 168;

/// Hours from two days before the posting to a week after it, and a day for the clock changes.
const PUBLISHED_DAYS_AFTER: (i32, i32) = (-8, 3);

const DATE: Column = day("DELIVERY_DATE", "deliveryDate");
const HOUR: Column = hour("HOUR_ENDING", "hourEnding", HourStyle::Padded);
const HSL: Column = number("SYSTEM_WIDE_HSL", "HSLSystemWide", NumberStyle::Cents);

/// Names the four columns of a place: generated, planned, forecast, forecast with certainty.
macro_rules! columns_by_place {
    ($csv_forecast:literal, $csv_potential:literal, $json_forecast:literal, $json_potential:literal,
     [$(($csv:literal, $json:literal)),*]) => {
        &[
            POSTED,
            DATE,
            HOUR,
            number("SYSTEM_WIDE_GEN", "genSystemWide", NumberStyle::Cents),
            number("COP_HSL_SYSTEM_WIDE", "COPHSLSystemWide", NumberStyle::Tenths),
            number(concat!($csv_forecast, "_SYSTEM_WIDE"), concat!($json_forecast, "SystemWide"), NumberStyle::Tenths),
            number(concat!($csv_potential, "_SYSTEM_WIDE"), concat!($json_potential, "SystemWide"), NumberStyle::Tenths),
            $(
                number(concat!("GEN_", $csv), concat!("gen", $json), NumberStyle::Cents),
                number(concat!("COP_HSL_", $csv), concat!("COPHSL", $json), NumberStyle::Tenths),
                number(concat!($csv_forecast, "_", $csv), concat!($json_forecast, $json), NumberStyle::Tenths),
                number(concat!($csv_potential, "_", $csv), concat!($json_potential, $json), NumberStyle::Tenths),
            )*
            HSL,
            DST,
        ]
    };
}

const WIND_ZONES: [Region; 3] = [Region::ZoneSouthHouston, Region::ZoneWest, Region::ZoneNorth];
const WIND_REGIONS: [Region; 5] = [
    Region::WindPanhandle,
    Region::WindCoastal,
    Region::WindSouth,
    Region::WindWest,
    Region::WindNorth,
];
const SOLAR_REGIONS: [Region; 6] = [
    Region::SolarCenterWest,
    Region::SolarNorthWest,
    Region::SolarFarWest,
    Region::SolarFarEast,
    Region::SolarSouthEast,
    Region::SolarCenterEast,
];

pub(super) const WIND: Layout = Layout {
    report: Report::Wind,
    stem: "WPPHRLYAVRACTNP4732",
    stamp: Stamp::Posted,
    columns: columns_by_place!(
        "STWPF",
        "WGRPP",
        "STWPF",
        "WGRPP",
        [
            ("LZ_SOUTH_HOUSTON", "LoadZoneSouthHouston"),
            ("LZ_WEST", "LoadZoneWest"),
            ("LZ_NORTH", "LoadZoneNorth")
        ]
    ),
    former_columns: None,
    occasion: Occasion::News(
        || vec![system(Series::WindActual), system(Series::WindForecast)],
        Edition::First,
    ),
    rows: |page| rows(page, Resource::Wind, &WIND_ZONES),
    published_days_after: PUBLISHED_DAYS_AFTER,
};

pub(super) const WIND_BY_REGION: Layout = Layout {
    report: Report::WindByRegion,
    stem: "WPPHRLYAVRACTGEONP4742",
    columns: columns_by_place!(
        "STWPF",
        "WGRPP",
        "STWPF",
        "WGRPP",
        [
            ("PANHANDLE", "Panhandle"),
            ("COASTAL", "Coastal"),
            ("SOUTH", "South"),
            ("WEST", "West"),
            ("NORTH", "North")
        ]
    ),
    rows: |page| rows(page, Resource::Wind, &WIND_REGIONS),
    ..WIND
};

pub(super) const SOLAR: Layout = Layout {
    report: Report::Solar,
    stem: "PVGRHRLYAVRACTNP4737",
    columns: columns_by_place!("STPPF", "PVGRPP", "STPPF", "PVGRPP", []),
    occasion: Occasion::News(
        || vec![system(Series::SolarActual), system(Series::SolarForecast)],
        Edition::First,
    ),
    rows: |page| rows(page, Resource::Solar, &[]),
    ..WIND
};

pub(super) const SOLAR_BY_REGION: Layout = Layout {
    report: Report::SolarByRegion,
    stem: "SPPHRLYAVRACTGEONP4745",
    columns: columns_by_place!(
        "STPPF",
        "PVGRPP",
        "STPPF",
        "PVGRPP",
        [
            ("CenterWest", "CenterWest"),
            ("NorthWest", "NorthWest"),
            ("FarWest", "FarWest"),
            ("FarEast", "FarEast"),
            ("SouthEast", "SouthEast"),
            ("CenterEast", "CenterEast")
        ]
    ),
    rows: |page| rows(page, Resource::Solar, &SOLAR_REGIONS),
    ..SOLAR
};

#[derive(Clone, Copy, Debug)]
enum Resource {
    Wind,
    Solar,
}

impl Resource {
    /// Returns what is said about a place, in the order of the columns.
    fn series(self) -> [Series; 4] {
        match self {
            Resource::Wind => {
                [Series::WindActual, Series::WindPlan, Series::WindForecast, Series::WindPotential]
            }
            Resource::Solar => [
                Series::SolarActual,
                Series::SolarPlan,
                Series::SolarForecast,
                Series::SolarPotential,
            ],
        }
    }

    fn hsl(self) -> Series {
        match self {
            Resource::Wind => Series::WindHsl,
            Resource::Solar => Series::SolarHsl,
        }
    }
}

fn rows(page: &Page<'_>, resource: Resource, regions: &[Region]) -> Result<Vec<Row>, SourceError> {
    let hours = hours_around(page.snapshot.published_at, HOURS_BEFORE, HOURS_AFTER);
    let places = [Place::System].into_iter().chain(regions.iter().map(|it| Place::Region(*it)));
    let mut columns = Vec::new();
    for place in places {
        for series in resource.series() {
            let key = SeriesKey { series, place: place.clone() };
            columns.push(page.snapshot.known(&key, &hours)?);
        }
    }
    columns.push(page.snapshot.known(&system(resource.hsl()), &hours)?);
    let rows = hours.iter().enumerate().map(|(n, hour)| {
        let mut row = vec![instant_cell(page.posted_at)];
        row.extend(hour_cells(hour));
        row.extend(columns.iter().map(|values| number_cell(values[n])));
        row.push(Cell::Flag(hour.repeated));
        row
    });
    Ok(rows.collect())
}
