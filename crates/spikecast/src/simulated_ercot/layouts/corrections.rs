//! Corrected real-time prices, days later: NP4-197-M, the LMPs by settlement point.

use market::observation::{Series, SeriesKey};
use market::reports::Report;
use market::source::SourceError;

use super::{
    DST, Layout, Page, Stamp, at_hub_average, instant, instant_cell, is_repeated, number,
    number_cell, text, text_cell,
};
use crate::simulated_ercot::table::{Cell, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

pub(super) const REAL_TIME: Layout = Layout {
    report: Report::RealTimeCorrections,
    stem: "RTMPRICECORRSPLMP",
    stamp: Stamp::Posted,
    columns: &[
        instant("SCEDTimestamp", "SCEDTimestamp"),
        text("SettlementPointName", "settlementPointName"),
        number("LMPOriginal", "LMPOriginal", NumberStyle::Cents),
        number("LMPCorrected", "LMPCorrected", NumberStyle::Cents),
        instant("PriceCorrectionTime", "priceCorrectionTime"),
        DST,
    ],
    former_columns: None,
    leads: || at_hub_average(Series::RealTimeLmp),
    edition: Edition::Correction,
    rows,
    published_days_after: (0, 10),
};

fn rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    let mut rows = Vec::new();
    for point in page.snapshot.points() {
        let key = SeriesKey::at(Series::RealTimeLmp, point);
        for (start, corrected) in page.snapshot.published(&key, Edition::Correction)? {
            let original = page.snapshot.known_before(&key, start)?;
            rows.push(vec![
                instant_cell(start),
                text_cell(point.name()),
                number_cell(original),
                Cell::Number(corrected),
                instant_cell(page.posted_at),
                Cell::Flag(is_repeated(start)),
            ]);
        }
    }
    Ok(rows)
}
