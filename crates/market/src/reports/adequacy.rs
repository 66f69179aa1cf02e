//! NP3-763: short-term system adequacy, what will be there for the load of the next days.

use super::layout::{Layout, Rows, TimeColumns, ValueColumn};
use crate::observation::{Series, SeriesKey};
use crate::place::{Place, Region};

/// `DeliveryDate,HourEnding,CapGenResSouth,…,AvailCapGen,AvailCapReserve,CapGenResTotal,…`. At
/// first there were totals only; what ancillary services could give (since RTC+B) is reported by
/// SCED run in NP6-328 and not read here.
pub(super) fn layouts() -> Vec<Layout> {
    let total = |series| SeriesKey::system(series);
    let mut columns = vec![
        ValueColumn::required(
            &["capGenRes", "capGenResTotal", "totalCapGenRes"],
            total(Series::GenerationCapacity),
        ),
        ValueColumn::required(
            &["capLoadRes", "capLoadResTotal", "totalCapLoadRes"],
            total(Series::LoadResourceCapacity),
        ),
        ValueColumn::optional(
            &[
                "offAvailMW",
                "offlineAvailableMW",
                "offlineAvailableMWTotal",
                "totalOfflineAvailableMW",
            ],
            total(Series::OfflineCapacity),
        ),
        ValueColumn::optional(&["availCapGen"], total(Series::AvailableGeneration)),
        ValueColumn::optional(
            &["availCapRes", "availCapReserve"],
            total(Series::AvailableReserves),
        ),
    ];
    for (zone, region) in [
        ("South", Region::ZoneSouth),
        ("North", Region::ZoneNorth),
        ("West", Region::ZoneWest),
        ("Houston", Region::ZoneHouston),
    ] {
        for (prefixes, series) in [
            (&["capGenRes"][..], Series::GenerationCapacity),
            (&["capLoadRes"], Series::LoadResourceCapacity),
            (&["offAvailMW", "offlineAvailableMW"], Series::OfflineCapacity),
        ] {
            let key = SeriesKey { series, place: Place::Region(region) };
            let spellings: Vec<String> =
                prefixes.iter().map(|prefix| format!("{prefix}{zone}")).collect();
            let spellings: Vec<&str> = spellings.iter().map(String::as_str).collect();
            columns.push(ValueColumn::optional(&spellings, key));
        }
    }
    vec![Layout::new(TimeColumns::Hour, Rows::Columns(columns)).knowing(&[
        "capregup",
        "capreguptotal",
        "capregdn",
        "capregdntotal",
        "caprrs",
        "caprrstotal",
        "capecrs",
        "capecrstotal",
        "capnspin",
        "capnspintotal",
        "capreguprrs",
        "capreguprrstotal",
        "capreguprrsecrs",
        "capreguprrsecrstotal",
        "capreguprrsecrsnspin",
        "capreguprrsecrsnspintotal",
    ])]
}
