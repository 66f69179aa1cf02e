//! The settlement points, NP4-160: a list of electrical buses with their zone and hub, and beside
//! it one of the hubs' names, among them those that are means of others and have no buses.

use jiff::civil::{Weekday, time};
use market::place::SettlementPoint;
use market::reports::Report;
use market::source::simulator::Simulator;

use super::{Attachment, Layout, Occasion, Stamp, text, text_cell};
use crate::simulated_ercot::table::{Cell, Row};

pub(super) const SETTLEMENT_POINTS: Layout = Layout {
    report: Report::SettlementPoints,
    stem: "SP_List_EB_Mapping",
    stamp: Stamp::Posted,
    columns: &[
        text("ELECTRICAL_BUS", "electricalBus"),
        text("NODE_NAME", "nodeName"),
        text("PSSE_BUS_NAME", "psseBusName"),
        text("VOLTAGE_LEVEL", "voltageLevel"),
        text("SUBSTATION", "substation"),
        text("SETTLEMENT_LOAD_ZONE", "settlementLoadZone"),
        text("RESOURCE_NODE", "resourceNode"),
        text("HUB_BUS_NAME", "hubBusName"),
        text("HUB", "hub"),
        text("PSSE_BUS_NUMBER", "psseBusNumber"),
    ],
    former_columns: None,
    occasion: Occasion::Weekly(Weekday::Wednesday, time(12, 28, 19, 0)),
    rows: |_| Ok(buses()),
    published_days_after: (0, 0),
};

/// The hubs.
pub(super) const HUBS: Attachment = Attachment {
    stem: "Hub_Name_AND_DC_Ties",
    columns: &[text("NAME", "name")],
    rows: || names(|name| name.starts_with("HB_")).map(|name| vec![text_cell(&name)]).collect(),
};

fn names(is_wanted: fn(&str) -> bool) -> impl Iterator<Item = String> {
    let points = Simulator::settlement_points().into_iter();
    points.map(|point: SettlementPoint| point.name().to_owned()).filter(move |name| is_wanted(name))
}

/// Writes a bus in every load zone and one of every hub that has buses.
fn buses() -> Vec<Row> {
    let rows = (1..).zip(names(|name| !name.ends_with("AVG"))).map(|(number, name)| {
        let bus = format!("{number:04}");
        let (zone, hub) = if name.starts_with("LZ_") { (&*name, "") } else { ("LZ_NORTH", &*name) };
        [&bus, &bus, "SIMULATED", "138", "SIMULATED", zone, "", hub, hub, &bus]
            .map(|cell: &str| if cell.is_empty() { Cell::Empty } else { text_cell(cell) })
            .to_vec()
    });
    rows.collect()
}
