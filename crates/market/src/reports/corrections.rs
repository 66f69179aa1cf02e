//! NP4-197-M and NP4-196-M: corrected prices. A correction is a new observation of the same
//! interval, published at the time of correction; the price before it stays known for the time
//! before.
//!
//! Each table comes as a posting of its own; what its columns are tells which it is. Prices of
//! electrical buses and of settlement-only generators are not kept.

use super::ancillary_services::by_service;
use super::layout::{Layout, Rows, TimeColumns, names};
use crate::observation::Series;

pub(super) fn real_time() -> Vec<Layout> {
    let layouts = vec![
        at_points(TimeColumns::ScedRun, "LMPCorrected", Series::RealTimeLmp),
        at_points(TimeColumns::Quarter, "SPPCorrected", Series::RealTimeSpp),
        services(TimeColumns::ScedRun, Series::ScedMcpc),
        services(TimeColumns::Quarter, Series::RealTimeMcpc),
        constraints(),
    ];
    stated(layouts)
}

pub(super) fn day_ahead() -> Vec<Layout> {
    let layouts = vec![
        at_points(TimeColumns::Hour, "SPPCorrected", Series::DayAheadSpp),
        services(TimeColumns::Hour, Series::DayAheadMcpc),
    ];
    stated(layouts)
}

/// Every row says when it was corrected, and comes to nothing without.
fn stated(layouts: Vec<Layout>) -> Vec<Layout> {
    layouts.into_iter().map(Layout::stating_correction).chain(unused()).collect()
}

fn at_points(time: TimeColumns, value: &str, series: Series) -> Layout {
    let point = names(&["settlementPoint", "settlementPointName"]);
    Layout::new(time, Rows::Points { point, value: names(&[value]), series }).knowing(&[
        "settlementpointtype",
        "lmporiginal",
        "spporiginal",
    ])
}

fn services(
    time: TimeColumns,
    series: fn(crate::observation::AncillaryService) -> Series,
) -> Layout {
    by_service(time, &["MCPCCorrected", "cappedMCPCCorrected"], series).knowing(&[
        "mcpcoriginal",
        "cappedmcpcoriginal",
        "uncappedmcpcoriginal",
        "uncappedmcpccorrected",
    ])
}

fn constraints() -> Layout {
    let rows = Rows::Constraints { value: names(&["shadowPriceCorrected"]) };
    Layout::new(TimeColumns::ScedRun, rows).knowing(&[
        "constraintid",
        "shadowpriceoriginal",
        "limitoriginal",
        "limitcorrected",
        "valueoriginal",
        "valuecorrected",
    ])
}

/// Electrical buses and meters. Their time columns differ; they are not looked at.
fn unused() -> [Layout; 2] {
    ["electricalBus", "meterName"]
        .map(|sign| Layout::new(TimeColumns::Unread, Rows::Unused { sign: names(&[sign]) }))
}
