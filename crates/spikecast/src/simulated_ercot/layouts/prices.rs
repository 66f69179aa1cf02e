//! Prices of energy in real time and of energy and reserves day-ahead: NP6-788, NP6-905, NP4-190,
//! NP4-188.

use jiff::Timestamp;
use market::observation::{AncillaryService, Series, SeriesKey};
use market::reports::Report;
use market::source::SourceError;
use market::time::MarketHour;

use super::{
    DST, Layout, Occasion, Page, Stamp, at_hub_average, day, flag, hour, hour_cells, instant_cell,
    interval_cells, is_repeated, moment, number, service_name, system, text, text_cell, whole,
};
use crate::simulated_ercot::table::{Cell, Column, HourStyle, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

pub(super) const LMP: Layout = Layout {
    report: Report::Lmp,
    stem: "LMPSROSNODENP6788",
    stamp: Stamp::ScedRun,
    columns: &[
        moment("SCEDTimestamp", "SCEDTimestamp"),
        flag("RepeatedHourFlag", "repeatHourFlag"),
        text("SettlementPoint", "settlementPoint"),
        number("LMP", "LMP", NumberStyle::Cents),
    ],
    former_columns: None,
    occasion: Occasion::News(|| at_hub_average(Series::RealTimeLmp), Edition::First),
    rows: |page| {
        of_points(page, Series::RealTimeLmp, |start, point, price| {
            let name = text_cell(point);
            vec![vec![
                instant_cell(start),
                Cell::Flag(is_repeated(start)),
                name,
                Cell::Number(price),
            ]]
        })
    },
    published_days_after: (0, 1),
};

pub(super) const SPP: Layout = Layout {
    report: Report::Spp,
    stem: "SPPHLZNP6905",
    stamp: Stamp::IntervalEnd,
    columns: &[
        day("DeliveryDate", "deliveryDate"),
        hour("DeliveryHour", "deliveryHour", HourStyle::Plain),
        whole("DeliveryInterval", "deliveryInterval"),
        text("SettlementPointName", "settlementPoint"),
        text("SettlementPointType", "settlementPointType"),
        number("SettlementPointPrice", "settlementPointPrice", NumberStyle::Cents),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(|| at_hub_average(Series::RealTimeSpp), Edition::First),
    rows: |page| {
        of_points(page, Series::RealTimeSpp, |start, point, price| {
            let row = |kind, price| {
                let [day, hour, interval] = interval_cells(start);
                let flag = Cell::Flag(is_repeated(start));
                vec![day, hour, interval, text_cell(point), text_cell(kind), price, flag]
            };
            let mut rows = vec![row(kind_of(point), Cell::Number(price))];
            if point.starts_with("LZ_") {
                // A load zone has a second price under its name, weighted by energy.
                rows.push(row("LZEW", Cell::Number(price + 0.01)));
            }
            rows
        })
    },
    published_days_after: (0, 1),
};

pub(super) const DAY_AHEAD_SPP: Layout = Layout {
    report: Report::DayAheadSpp,
    stem: "DAMSPNP4190",
    stamp: Stamp::Posted,
    columns: &[
        day("DeliveryDate", "deliveryDate"),
        hour("HourEnding", "hourEnding", HourStyle::Clock),
        text("SettlementPoint", "settlementPoint"),
        number("SettlementPointPrice", "settlementPointPrice", NumberStyle::CentsAfterBlank),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(|| at_hub_average(Series::DayAheadSpp), Edition::First),
    rows: |page| {
        of_points(page, Series::DayAheadSpp, |start, point, price| {
            let hour = MarketHour::starting(start);
            let [day, ending] = hour_cells(&hour);
            let flag = Cell::Flag(hour.repeated);
            vec![vec![day, ending, text_cell(point), Cell::Number(price), flag]]
        })
    },
    published_days_after: (-1, 0),
};

pub(super) const DAY_AHEAD_MCPC: Layout = Layout {
    report: Report::DayAheadMcpc,
    stem: "DAMCPCNP4188",
    stamp: Stamp::Posted,
    columns: &[
        day("DeliveryDate", "deliveryDate"),
        hour("HourEnding", "hourEnding", HourStyle::Clock),
        text("AncillaryType", "ancillaryType"),
        number("MCPC", "MCPC", NumberStyle::Exact),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(
        || AncillaryService::ALL.map(|it| system(Series::DayAheadMcpc(it))).to_vec(),
        Edition::First,
    ),
    rows: |page| {
        of_services(page, Series::DayAheadMcpc, |start, service, price| {
            let hour = MarketHour::starting(start);
            let [day, ending] = hour_cells(&hour);
            vec![day, ending, text_cell(service), Cell::Number(price), Cell::Flag(hour.repeated)]
        })
    },
    published_days_after: (-1, 0),
};

/// Tells what kind of settlement point it is, in ERCOT's letters.
fn kind_of(point: &str) -> &'static str {
    match point {
        "HB_BUSAVG" => "SH",
        "HB_HUBAVG" => "AH",
        _ if point.starts_with("LZ_") => "LZ",
        _ => "HU",
    }
}

/// Writes what was published about the settlement points, by time and then by point.
pub(super) fn of_points(
    page: &Page<'_>,
    series: Series,
    rows: impl Fn(Timestamp, &str, f64) -> Vec<Row>,
) -> Result<Vec<Row>, SourceError> {
    let mut all = Vec::new();
    for point in page.snapshot.points() {
        let key = SeriesKey::at(series, point);
        let values = page.snapshot.published(&key, Edition::First)?;
        all.extend(values.into_iter().map(|(start, value)| (start, point, value)));
    }
    all.sort_by_key(|(start, ..)| *start);
    Ok(all.into_iter().flat_map(|(start, point, value)| rows(start, point.name(), value)).collect())
}

/// Writes what was published about the ancillary services, by time and then by service.
pub(super) fn of_services(
    page: &Page<'_>,
    series: fn(AncillaryService) -> Series,
    row: impl Fn(Timestamp, &str, f64) -> Row,
) -> Result<Vec<Row>, SourceError> {
    let mut all = Vec::new();
    for service in AncillaryService::ALL {
        let values = page.snapshot.published(&system(series(service)), Edition::First)?;
        let name = service_name(service);
        all.extend(values.into_iter().map(|(start, value)| (start, name, value)));
    }
    all.sort_by_key(|(start, ..)| *start);
    Ok(all.into_iter().map(|(start, name, value)| row(start, name, value)).collect())
}

/// The services' columns of the real-time market's own reports.
pub(super) const SERVICE_AND_PRICE: [Column; 2] =
    [text("ASType", "ASType"), number("MCPC", "MCPC", NumberStyle::Cents)];
