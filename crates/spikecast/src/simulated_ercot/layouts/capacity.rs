//! What could generate and what is planned: outages, system adequacy, the plan for ancillary
//! services (NP3-233, NP3-763, NP4-33).

use market::observation::{AncillaryService, ResourceKind, Series};
use market::place::Region;
use market::reports::Report;
use market::source::SourceError;
use market::time::MarketHour;

use super::{
    DST, Layout, Occasion, POSTED, Page, Stamp, at_region, day, flag, hour, hour_cells,
    instant_cell, number, number_cell, system, text, text_cell, whole, whole_cell,
};
use crate::simulated_ercot::layouts::prices::of_services;
use crate::simulated_ercot::table::{Cell, Column, HourStyle, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

const ZONES: [Region; 4] =
    [Region::ZoneSouth, Region::ZoneNorth, Region::ZoneWest, Region::ZoneHouston];

pub(super) const OUTAGES: Layout = Layout {
    report: Report::Outages,
    stem: "HRLYRESOUTCAPNP3233",
    stamp: Stamp::Posted,
    // There is no flag for the repeated hour: its two rows follow each other.
    columns: &[
        POSTED,
        day("Date", "operatingDate"),
        hour("HourEnding", "hourEnding", HourStyle::Padded),
        whole("TotalResourceMWZoneSouth", "totalResourceMWZoneSouth"),
        whole("TotalResourceMWZoneNorth", "totalResourceMWZoneNorth"),
        whole("TotalResourceMWZoneWest", "totalResourceMWZoneWest"),
        whole("TotalResourceMWZoneHouston", "totalResourceMWZoneHouston"),
        whole("TotalIRRMWZoneSouth", "totalIRRMWZoneSouth"),
        whole("TotalIRRMWZoneNorth", "totalIRRMWZoneNorth"),
        whole("TotalIRRMWZoneWest", "totalIRRMWZoneWest"),
        whole("TotalIRRMWZoneHouston", "totalIRRMWZoneHouston"),
        whole("TotalNewEquipResourceMWZoneSouth", "totalNewEquipResourceMWZoneSouth"),
        whole("TotalNewEquipResourceMWZoneNorth", "totalNewEquipResourceMWZoneNorth"),
        whole("TotalNewEquipResourceMWZoneWest", "totalNewEquipResourceMWZoneWest"),
        whole("TotalNewEquipResourceMWZoneHouston", "totalNewEquipResourceMWZoneHouston"),
    ],
    former_columns: None,
    occasion: Occasion::News(
        || vec![at_region(Series::OutageCapacity(ResourceKind::Dispatchable), ZONES[0])],
        Edition::First,
    ),
    rows: outage_rows,
    published_days_after: (-8, 1),
};

const fn megawatts(csv: &'static str, json: &'static str) -> Column {
    number(csv, json, NumberStyle::Tenths)
}

pub(super) const ADEQUACY: Layout = Layout {
    report: Report::Adequacy,
    stem: "STSYSADEQUACYNP3763",
    stamp: Stamp::Posted,
    columns: &[
        POSTED,
        day("DeliveryDate", "deliveryDate"),
        hour("HourEnding", "hourEnding", HourStyle::Fraction),
        megawatts("CapGenResSouth", "capGenResSouth"),
        megawatts("CapGenResNorth", "capGenResNorth"),
        megawatts("CapGenResWest", "capGenResWest"),
        megawatts("CapGenResHouston", "capGenResHouston"),
        megawatts("CapLoadResSouth", "capLoadResSouth"),
        megawatts("CapLoadResNorth", "capLoadResNorth"),
        megawatts("CapLoadResWest", "capLoadResWest"),
        megawatts("CapLoadResHouston", "capLoadResHouston"),
        megawatts("OffAvailMWSouth", "offAvailMWSouth"),
        megawatts("OffAvailMWNorth", "offAvailMWNorth"),
        megawatts("OffAvailMWWest", "offAvailMWWest"),
        megawatts("OffAvailMWHouston", "offAvailMWHouston"),
        megawatts("AvailCapGen", "availCapGen"),
        megawatts("AvailCapRes", "availCapRes"),
        megawatts("CapGenRes", "capGenRes"),
        megawatts("CapLoadRes", "capLoadRes"),
        megawatts("OffAvailMW", "offAvailMW"),
        megawatts("CapREGUP", "capREGUP"),
        megawatts("CapREGDN", "capREGDN"),
        megawatts("CapRRS", "capRRS"),
        megawatts("CapECRS", "capECRS"),
        megawatts("CapNSPIN", "capNSPIN"),
        megawatts("CapREGUPRRS", "capREGUPRRS"),
        megawatts("CapREGUPRRSECRS", "capREGUPRRSECRS"),
        megawatts("CapREGUPRRSECRSNSPIN", "capREGUPRRSECRSNSPIN"),
        flag("RepeatHourFlag", "repeatHourFlag"),
    ],
    former_columns: None,
    occasion: Occasion::News(|| vec![system(Series::GenerationCapacity)], Edition::First),
    rows: adequacy_rows,
    published_days_after: (-7, 0),
};

pub(super) const AS_PLAN: Layout = Layout {
    report: Report::AsPlan,
    stem: "DAMASPLANNP433",
    stamp: Stamp::Posted,
    columns: &[
        POSTED,
        day("DeliveryDate", "deliveryDate"),
        hour("HourEnding", "hourEnding", HourStyle::Clock),
        text("AncillaryType", "ancillaryType"),
        whole("Quantity", "quantity"),
        DST,
    ],
    former_columns: None,
    occasion: Occasion::News(
        || AncillaryService::ALL.map(|it| system(Series::AsPlan(it))).to_vec(),
        Edition::First,
    ),
    rows: |page| {
        let posted = instant_cell(page.posted_at);
        of_services(page, Series::AsPlan, |start, service, quantity| {
            let hour = MarketHour::starting(start);
            let [day, ending] = hour_cells(&hour);
            let quantity = whole_cell(Some(quantity));
            let flag = Cell::Flag(hour.repeated);
            vec![posted.clone(), day, ending, text_cell(service), quantity, flag]
        })
    },
    published_days_after: (-8, 0),
};

fn outage_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    let mut columns = Vec::new();
    for kind in ResourceKind::ALL {
        for zone in ZONES {
            let key = at_region(Series::OutageCapacity(kind), zone);
            columns.push(page.snapshot.published(&key, Edition::First)?);
        }
    }
    let starts = columns.first().into_iter().flat_map(|values| values.keys());
    let rows = starts.map(|start| {
        let mut row = vec![instant_cell(page.posted_at)];
        row.extend(hour_cells(&MarketHour::starting(*start)));
        row.extend(columns.iter().map(|values| whole_cell(values.get(start).copied())));
        row
    });
    Ok(rows.collect())
}

/// Zones that the report splits and the simulator does not stay empty, and so do the services.
fn adequacy_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    const EMPTY_BEFORE: usize = 12;
    const EMPTY_AFTER: usize = 8;
    let series = [
        Series::AvailableGeneration,
        Series::AvailableReserves,
        Series::GenerationCapacity,
        Series::LoadResourceCapacity,
        Series::OfflineCapacity,
    ];
    let columns = series.map(|it| page.snapshot.published(&system(it), Edition::First));
    let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
    let starts: std::collections::BTreeSet<_> =
        columns.iter().flat_map(|values| values.keys().copied()).collect();
    let rows = starts.into_iter().map(|start| {
        let hour = MarketHour::starting(start);
        let mut row = vec![instant_cell(page.posted_at)];
        row.extend(hour_cells(&hour));
        row.extend(std::iter::repeat_n(Cell::Empty, EMPTY_BEFORE));
        row.extend(columns.iter().map(|values| number_cell(values.get(&start).copied())));
        row.extend(std::iter::repeat_n(Cell::Empty, EMPTY_AFTER));
        row.push(Cell::Flag(hour.repeated));
        row
    });
    Ok(rows.collect())
}
