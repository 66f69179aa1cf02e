//! NP4-188, NP6-331, NP6-332, NP4-33 and NP6-328: prices, plan and capability of ancillary
//! services.

use super::layout::{Layout, Rows, TimeColumns, ValueColumn, names};
use crate::observation::{AncillaryService, Series, SeriesKey};

/// `DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag`.
pub(super) fn day_ahead_mcpc() -> Vec<Layout> {
    vec![by_service(TimeColumns::Hour, &["MCPC"], Series::DayAheadMcpc)]
}

/// `DeliveryDate,DeliveryHour,DeliveryInterval,RepeatedHourFlag,ASType,MCPC`.
pub(super) fn real_time_mcpc() -> Vec<Layout> {
    vec![by_service(TimeColumns::Quarter, &["MCPC", "cappedMCPC"], Series::RealTimeMcpc)]
}

/// `SCEDTimestamp,RepeatedHourFlag,ASType,MCPC`; in 2026 `MCPC` became `CappedMCPC`, which is what
/// is paid, and `UncappedMCPC`.
pub(super) fn sced_mcpc() -> Vec<Layout> {
    vec![by_service(TimeColumns::ScedRun, &["MCPC", "cappedMCPC"], Series::ScedMcpc)]
}

/// `DeliveryDate,HourEnding,AncillaryType,Quantity,DSTFlag`.
pub(super) fn plan() -> Vec<Layout> {
    vec![by_service(TimeColumns::Hour, &["quantity"], Series::AsPlan)]
}

/// `SCEDTimestamp,RepeatedHourFlag,CapREGUPTotal,…`; in JSON `capREGUP`. What several services
/// could give together is not read.
pub(super) fn capability() -> Vec<Layout> {
    let columns = AncillaryService::ALL.map(|service| {
        let name = match service {
            AncillaryService::RegUp => "capREGUP",
            AncillaryService::RegDown => "capREGDN",
            AncillaryService::Responsive => "capRRS",
            AncillaryService::Contingency => "capECRS",
            AncillaryService::NonSpin => "capNSPIN",
        };
        let key = SeriesKey::system(Series::AsCapability(service));
        ValueColumn::required(&[name, &format!("{name}Total")], key)
    });
    vec![Layout::new(TimeColumns::ScedRun, Rows::Columns(columns.to_vec())).knowing(&[
        "capreguprrs",
        "capreguprrstotal",
        "capreguprrsecrs",
        "capreguprrsecrstotal",
        "capreguprrsecrsnspin",
        "capreguprrsecrsnspintotal",
    ])]
}

pub(super) fn by_service(
    time: TimeColumns,
    value: &[&str],
    series: fn(AncillaryService) -> Series,
) -> Layout {
    let service = names(&["ASType", "ancillaryType"]);
    Layout::new(time, Rows::Services { service, value: names(value), series })
        .knowing(&["uncappedmcpc"])
}
