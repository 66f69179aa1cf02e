//! NP3-233: capacity that will be out of service, by kind of resource and load zone. It has no
//! flag for the repeated hour; the order of its rows tells the two apart.

use jiff::civil::date;

use super::layout::{Layout, Rows, TimeColumns, ValueColumn};
use crate::observation::{ResourceKind, Series, SeriesKey};
use crate::place::{Place, Region};

/// `Date,HourEnding,TotalResourceMWZoneSouth,…`; before zones came in June 2021 the totals only,
/// which since then are the sums of the zones.
pub(super) fn layouts() -> Vec<Layout> {
    let mut zones = Vec::new();
    let mut totals = Vec::new();
    for (kind, name) in [
        (ResourceKind::Dispatchable, "totalResourceMW"),
        (ResourceKind::Intermittent, "totalIRRMW"),
        (ResourceKind::NewEquipment, "totalNewEquipResourceMW"),
    ] {
        let series = Series::OutageCapacity(kind);
        let total = SeriesKey::system(series);
        for (zone, region) in [
            ("South", Region::ZoneSouth),
            ("North", Region::ZoneNorth),
            ("West", Region::ZoneWest),
            ("Houston", Region::ZoneHouston),
        ] {
            let key = SeriesKey { series, place: Place::Region(region) };
            let column = ValueColumn::required(&[&format!("{name}Zone{zone}")], key);
            zones.push(column.part_of(total.clone()));
        }
        totals.push(match kind {
            ResourceKind::Dispatchable | ResourceKind::Intermittent => {
                ValueColumn::required(&[name], total)
            }
            // Reported since 2019.
            ResourceKind::NewEquipment => ValueColumn::optional(&[name], total),
        });
    }
    vec![
        Layout::new(TimeColumns::Hour, Rows::Columns(zones)).since(date(2021, 6, 1)),
        Layout::new(TimeColumns::Hour, Rows::Columns(totals)).until(date(2021, 7, 1)),
    ]
}
