//! NP6-788, NP6-905 and NP4-190: prices at settlement points.

use super::layout::{Layout, Rows, TimeColumns, names};
use crate::observation::Series;

/// `SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP`.
pub(super) fn lmp() -> Vec<Layout> {
    vec![at_points(TimeColumns::ScedRun, "LMP", Series::RealTimeLmp)]
}

/// `DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,…Type,…Price,DSTFlag`.
pub(super) fn spp() -> Vec<Layout> {
    vec![at_points(TimeColumns::Quarter, "SettlementPointPrice", Series::RealTimeSpp)]
}

/// `DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag`.
pub(super) fn day_ahead_spp() -> Vec<Layout> {
    vec![at_points(TimeColumns::Hour, "SettlementPointPrice", Series::DayAheadSpp)]
}

fn at_points(time: TimeColumns, value: &str, series: Series) -> Layout {
    let point = names(&["settlementPoint", "settlementPointName"]);
    Layout::new(time, Rows::Points { point, value: names(&[value]), series })
}
