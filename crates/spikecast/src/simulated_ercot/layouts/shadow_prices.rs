//! Binding transmission constraints and their shadow prices, NP6-86: an hour's SCED runs in a
//! posting, if a constraint was binding in any of them.
//!
//! What the simulator does not know (limits, flows, stations) stays empty.

use jiff::Timestamp;
use market::observation::{Series, SeriesKey};
use market::place::{Constraint, Place};
use market::reports::Report;
use market::source::SourceError;
use market::source::simulator::Simulator;

use super::{
    Layout, Occasion, Page, Stamp, flag, instant_cell, is_repeated, moment, number, text,
    text_cell, whole,
};
use crate::simulated_ercot::table::{Cell, Column, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

const fn exact(csv: &'static str, json: &'static str) -> Column {
    number(csv, json, NumberStyle::Exact)
}

pub(super) const SHADOW_PRICES: Layout = Layout {
    report: Report::ShadowPrices,
    stem: "SCEDBTCNP686",
    stamp: Stamp::Posted,
    columns: &[
        moment("SCEDTimeStamp", "SCEDTimestamp"),
        flag("RepeatedHourFlag", "repeatedHourFlag"),
        whole("ConstraintID", "constraintID"),
        text("ConstraintName", "constraintName"),
        text("ContingencyName", "contingencyName"),
        exact("ShadowPrice", "shadowPrice"),
        exact("MaxShadowPrice", "maxShadowPrice"),
        exact("Limit", "limit"),
        exact("Value", "value"),
        exact("ViolatedMW", "violatedMW"),
        text("FromStation", "fromStation"),
        text("ToStation", "toStation"),
        exact("FromStationkV", "fromStationkV"),
        exact("ToStationkV", "toStationkV"),
        text("CCTStatus", "CCTStatus"),
    ],
    former_columns: None,
    occasion: Occasion::News(keys, Edition::First),
    rows,
    published_days_after: (0, 1),
};

fn keys() -> Vec<SeriesKey> {
    Simulator::constraints().into_iter().map(key).collect()
}

fn key(constraint: Constraint) -> SeriesKey {
    SeriesKey { series: Series::ShadowPrice, place: Place::Constraint(constraint) }
}

fn rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    /// The columns behind the shadow price.
    const UNKNOWN: usize = 9;
    let mut all: Vec<(Timestamp, i64, Constraint, f64)> = Vec::new();
    for (id, constraint) in (1..).zip(Simulator::constraints()) {
        let prices = page.snapshot.published(&key(constraint.clone()), Edition::First)?;
        all.extend(prices.into_iter().map(|(run, price)| (run, id, constraint.clone(), price)));
    }
    all.sort_by_key(|(run, id, ..)| (*run, *id));
    let rows = all.into_iter().map(|(run, id, constraint, price)| {
        let (contingency, element) = constraint.name().split_once('/').unwrap_or_default();
        let mut row = vec![
            instant_cell(run),
            Cell::Flag(is_repeated(run)),
            Cell::Whole(id),
            text_cell(element),
            text_cell(contingency),
            Cell::Number(price),
        ];
        row.extend(std::iter::repeat_n(Cell::Empty, UNKNOWN));
        row
    });
    Ok(rows.collect())
}
