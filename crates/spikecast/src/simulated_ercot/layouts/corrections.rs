//! Corrected prices, days later: NP4-197-M, the LMPs by settlement point, and NP4-196-M, the
//! day-ahead prices.

use jiff::Timestamp;
use market::observation::{Series, SeriesKey};
use market::reports::Report;
use market::source::SourceError;
use market::time::MarketHour;

use super::{
    DST, Layout, Occasion, Page, Stamp, at_hub_average, day, hour, hour_cells, instant_cell,
    is_repeated, moment, number, number_cell, text, text_cell,
};
use crate::simulated_ercot::table::{Cell, Column, HourStyle, Kind, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

pub(super) const REAL_TIME: Layout = Layout {
    report: Report::RealTimeCorrections,
    stem: "RTM_SPLMP",
    stamp: Stamp::Posted,
    columns: &[
        moment("SCEDTimestamp", "SCEDTimestamp"),
        text("SettlementPointName", "settlementPointName"),
        number("LMPOriginal", "LMPOriginal", NumberStyle::Cents),
        number("LMPCorrected", "LMPCorrected", NumberStyle::Cents),
        moment("PriceCorrectionTime", "priceCorrectionTime"),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(|| at_hub_average(Series::RealTimeLmp), Edition::Correction),
    rows: |page| corrected(page, Series::RealTimeLmp, |start| vec![instant_cell(start)]),
    published_days_after: (0, 10),
};

pub(super) const DAY_AHEAD: Layout = Layout {
    report: Report::DayAheadCorrections,
    stem: "DAM_SPP",
    stamp: Stamp::Posted,
    columns: &[
        day("DeliveryDate", "deliveryDate"),
        hour("DeliveryHour", "deliveryHour", HourStyle::Plain),
        text("SettlementPoint", "settlementPoint"),
        number("SPPOriginal", "SPPOriginal", NumberStyle::Cents),
        number("SPPCorrected", "SPPCorrected", NumberStyle::Cents),
        // So ERCOT's specification says.
        Column::new("PriceCorrectionTime", "priceCorrectionTime", Kind::Minutes),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(|| at_hub_average(Series::DayAheadSpp), Edition::Correction),
    rows: |page| {
        corrected(page, Series::DayAheadSpp, |start| {
            hour_cells(&MarketHour::starting(start)).to_vec()
        })
    },
    published_days_after: (0, 10),
};

/// Writes the corrections of a series, each with its time, the point, both prices, the time of
/// correction and the flag of the repeated hour.
fn corrected(
    page: &Page<'_>,
    series: Series,
    time: fn(Timestamp) -> Row,
) -> Result<Vec<Row>, SourceError> {
    let mut rows = Vec::new();
    for point in page.snapshot.points() {
        let key = SeriesKey::at(series, point);
        for (start, corrected) in page.snapshot.published(&key, Edition::Correction)? {
            let original = page.snapshot.known_before(&key, start)?;
            let mut row = time(start);
            row.extend([
                text_cell(point.name()),
                number_cell(original),
                Cell::Number(corrected),
                instant_cell(page.posted_at),
                Cell::Flag(is_repeated(start)),
            ]);
            rows.push(row);
        }
    }
    Ok(rows)
}
