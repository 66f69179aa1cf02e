//! NP6-323 and NP6-324: what is added to prices, by SCED run and by 15 minutes, before and since
//! RTC+B (2025-12-05), which replaced the adders for reserves.

use jiff::civil::{Date, date};

use super::layout::{Layout, Rows, TimeColumns, ValueColumn};
use crate::observation::{Adder, Series, SeriesKey};

const RTC_PLUS_B: Date = date(2025, 12, 5);
const LAST_DAY_BEFORE: Date = date(2025, 12, 4);

pub(super) fn sced() -> Vec<Layout> {
    let of = |adder| SeriesKey::system(Series::ScedAdder(adder));
    let lambda =
        || ValueColumn::required(&["systemLambda"], SeriesKey::system(Series::SystemLambda));
    let since =
        vec![lambda(), ValueColumn::required(&["RTRDPA"], of(Adder::ReliabilityDeployment))];
    let before = vec![
        lambda(),
        ValueColumn::required(&["RTORPA"], of(Adder::OnlineReserve)),
        ValueColumn::required(&["RTOFFPA"], of(Adder::OfflineReserve)),
        // Reported since 2015.
        ValueColumn::optional(&["RTORDPA"], of(Adder::ReliabilityReserve)),
    ];
    in_both_eras(TimeColumns::ScedRun, since, before)
}

pub(super) fn settlement() -> Vec<Layout> {
    let of = |adder| SeriesKey::system(Series::SettlementAdder(adder));
    let since = vec![ValueColumn::required(&["RTRDPA"], of(Adder::ReliabilityDeployment))];
    let before = vec![
        ValueColumn::required(&["RTRSVPOR"], of(Adder::OnlineReserve)),
        ValueColumn::required(&["RTRSVPOFF"], of(Adder::OfflineReserve)),
        ValueColumn::optional(&["RTRDP"], of(Adder::ReliabilityReserve)),
    ];
    in_both_eras(TimeColumns::Quarter, since, before)
}

fn in_both_eras(
    time: TimeColumns,
    since: Vec<ValueColumn>,
    before: Vec<ValueColumn>,
) -> Vec<Layout> {
    vec![
        Layout::new(time, Rows::Columns(since)).since(RTC_PLUS_B).knowing(&NOT_READ),
        Layout::new(time, Rows::Columns(before)).until(LAST_DAY_BEFORE).knowing(&NOT_READ),
    ]
}

/// Reserves, base points and the adders of single services, over both eras.
const NOT_READ: [&str; 42] = [
    "batchid",
    "prc",
    "rtrdparus",
    "rtrdpards",
    "rtrdparrs",
    "rtrdpaecrs",
    "rtrdpanss",
    "rtrdpru",
    "rtrdprd",
    "rtrdprrs",
    "rtrdpecrs",
    "rtrdpns",
    "rtrruc",
    "rtrrmr",
    "rtdnclr",
    "rtders",
    "rtdctieimport",
    "rtdctieexport",
    "rtbltimport",
    "rtbltexport",
    "rtollsl",
    "rtolhsl",
    "rtdll",
    "rtolcap",
    "rtoffcap",
    "rtbp",
    "rtclrcap",
    "rtclrreg",
    "rtclrbp",
    "rtclrlsl",
    "rtclrns",
    "rtnclrrrs",
    "rtolnsrs",
    "rtcst30hsl",
    "rtoffnshsl",
    "rtoff10",
    "rtoff30",
    "rtruccst30hsl",
    "rtollasl",
    "rtolhasl",
    "rtnclrnscap",
    "rtnclrecrs",
];
