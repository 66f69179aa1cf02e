//! Load by weather zone, forecast and actual, and the temperatures that drive it: NP3-565,
//! NP6-345, NP4-722.

use market::observation::{LoadModel, Series, SeriesKey};
use market::place::{Place, WeatherZone};
use market::reports::Report;
use market::source::SourceError;
use market::time::OperatingDay;

use super::{
    DST, Layout, Occasion, POSTED, Page, Stamp, day, flag, hour, hour_cells, hours_of_days,
    instant_cell, number, number_cell, system, text, text_cell,
};
use crate::simulated_ercot::table::{Cell, HourStyle, NumberStyle, Row};
use crate::simulated_ercot::world::{Edition, Values};

/// A load forecast is about the day on which it is posted and so many after it.
const FORECAST_DAYS: i32 = 7;

/// The zones in the order of NP3-565; `WeatherZone::ALL` has it too.
const ZONES: [WeatherZone; 8] = [
    WeatherZone::Coast,
    WeatherZone::East,
    WeatherZone::FarWest,
    WeatherZone::North,
    WeatherZone::NorthCentral,
    WeatherZone::SouthCentral,
    WeatherZone::Southern,
    WeatherZone::West,
];

/// NP6-345 has the south and the centre the other way round.
const ZONES_OF_ACTUAL: [WeatherZone; 8] = [
    WeatherZone::Coast,
    WeatherZone::East,
    WeatherZone::FarWest,
    WeatherZone::North,
    WeatherZone::NorthCentral,
    WeatherZone::Southern,
    WeatherZone::SouthCentral,
    WeatherZone::West,
];

pub(super) const FORECAST: Layout = Layout {
    report: Report::LoadForecast,
    stem: "LFMODWEATHERNP3565",
    stamp: Stamp::Posted,
    columns: &[
        POSTED,
        day("DeliveryDate", "deliveryDate"),
        hour("HourEnding", "hourEnding", HourStyle::ShortClock),
        number("Coast", "coast", NumberStyle::Exact),
        number("East", "east", NumberStyle::Exact),
        number("FarWest", "farWest", NumberStyle::Exact),
        number("North", "north", NumberStyle::Exact),
        number("NorthCentral", "northCentral", NumberStyle::Exact),
        number("SouthCentral", "southCentral", NumberStyle::Exact),
        number("Southern", "southern", NumberStyle::Exact),
        number("West", "west", NumberStyle::Exact),
        number("SystemTotal", "systemTotal", NumberStyle::Exact),
        text("Model", "model"),
        flag("InUseFlag", "inUseFlag"),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(|| vec![system(Series::LoadForecast)], Edition::First),
    rows: forecast_rows,
    published_days_after: (-FORECAST_DAYS, 0),
};

pub(super) const ACTUAL: Layout = Layout {
    report: Report::ActualLoad,
    stem: "ACTUALSYSLOADWZNP6345",
    stamp: Stamp::Posted,
    columns: &[
        day("OperDay", "operatingDay"),
        hour("HourEnding", "hourEnding", HourStyle::Clock),
        number("COAST", "coast", NumberStyle::TwoDecimals),
        number("EAST", "east", NumberStyle::TwoDecimals),
        number("FAR_WEST", "farWest", NumberStyle::TwoDecimals),
        number("NORTH", "north", NumberStyle::TwoDecimals),
        number("NORTH_C", "northC", NumberStyle::TwoDecimals),
        number("SOUTHERN", "southern", NumberStyle::TwoDecimals),
        number("SOUTH_C", "southC", NumberStyle::TwoDecimals),
        number("WEST", "west", NumberStyle::TwoDecimals),
        number("TOTAL", "total", NumberStyle::TwoDecimals),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(|| vec![system(Series::LoadActual)], Edition::First),
    rows: actual_rows,
    published_days_after: (0, 3),
};

pub(super) const TEMPERATURE: Layout = Layout {
    report: Report::TemperatureForecast,
    stem: "TEMPFCSTNP4722",
    stamp: Stamp::Posted,
    columns: &[
        day("DeliveryDate", "deliveryDate"),
        hour("HourEnding", "hourEnding", HourStyle::Clock),
        number("Coast", "coast", NumberStyle::Cents),
        number("East", "east", NumberStyle::Cents),
        number("FarWest", "farWest", NumberStyle::Cents),
        number("North", "north", NumberStyle::Cents),
        number("NorthCentral", "northCentral", NumberStyle::Cents),
        number("SouthCentral", "southCentral", NumberStyle::Cents),
        number("Southern", "southern", NumberStyle::Cents),
        number("West", "west", NumberStyle::Cents),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(
        || vec![in_zone(Series::TemperatureForecast, WeatherZone::Coast)],
        Edition::First,
    ),
    rows: temperature_rows,
    published_days_after: (-10, 0),
};

fn in_zone(series: Series, zone: WeatherZone) -> SeriesKey {
    SeriesKey { series, place: Place::WeatherZone(zone) }
}

/// Returns the values of eight zones, and then of the system.
fn by_zone(
    page: &Page<'_>,
    series: Series,
    zones: [WeatherZone; 8],
) -> Result<Vec<Values>, SourceError> {
    let keys = zones.map(|zone| in_zone(series, zone));
    let keys = keys.into_iter().chain([system(series)]);
    keys.map(|key| page.snapshot.published(&key, Edition::First)).collect()
}

fn forecast_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    let used = page.snapshot.published(&system(Series::LoadForecast), Edition::First)?;
    let mut forecasts = Vec::new();
    for model in LoadModel::ALL {
        let values = by_zone(page, Series::LoadForecastBy(model), ZONES)?;
        if values.last().is_some_and(|total| !total.is_empty()) {
            forecasts.push((model, values));
        }
    }
    if forecasts.is_empty() {
        // A market with one forecast uses that one.
        forecasts.push((LoadModel::E3, by_zone(page, Series::LoadForecast, ZONES)?));
    }
    let mut rows = Vec::new();
    for hour in hours_of_days(OperatingDay::of(page.snapshot.published_at), FORECAST_DAYS) {
        for (model, values) in &forecasts {
            let total = values.last().and_then(|total| total.get(&hour.start));
            if total.is_none() {
                continue;
            }
            let is_used =
                total.map(|it| it.to_bits()) == used.get(&hour.start).map(|it| it.to_bits());
            let mut row = vec![instant_cell(page.posted_at)];
            row.extend(hour_cells(&hour));
            row.extend(values.iter().map(|zone| number_cell(zone.get(&hour.start).copied())));
            row.extend([
                text_cell(&format!("{model:?}")),
                Cell::Flag(is_used),
                Cell::Flag(hour.repeated),
            ]);
            rows.push(row);
        }
    }
    Ok(rows)
}

fn actual_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    let values = by_zone(page, Series::LoadActual, ZONES_OF_ACTUAL)?;
    let starts = values.last().into_iter().flat_map(|total| total.keys());
    let rows = starts.map(|start| {
        let hour = market::time::MarketHour::starting(*start);
        let mut row = hour_cells(&hour).to_vec();
        row.extend(values.iter().map(|zone| number_cell(zone.get(start).copied())));
        row.push(Cell::Flag(hour.repeated));
        row
    });
    Ok(rows.collect())
}

fn temperature_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    let keys = ZONES.map(|zone| in_zone(Series::TemperatureForecast, zone));
    let values = keys.map(|key| page.snapshot.published(&key, Edition::First));
    let values = values.into_iter().collect::<Result<Vec<_>, _>>()?;
    let starts = values.first().into_iter().flat_map(|zone| zone.keys());
    let rows = starts.map(|start| {
        let hour = market::time::MarketHour::starting(*start);
        let mut row = hour_cells(&hour).to_vec();
        let fahrenheit = |celsius: &f64| celsius * 1.8 + 32.0;
        row.extend(values.iter().map(|zone| number_cell(zone.get(start).map(fahrenheit))));
        row.push(Cell::Flag(hour.repeated));
        row
    });
    Ok(rows.collect())
}
