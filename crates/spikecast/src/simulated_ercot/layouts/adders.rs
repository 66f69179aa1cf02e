//! Price adders and the real-time market for reserves, by SCED run and by settlement interval:
//! NP6-323, NP6-324, and since RTC+B NP6-328, NP6-332, NP6-331.
//!
//! What the simulator does not know (deployed reserves, imports, limits) stays empty.

use jiff::Timestamp;
use market::observation::{Adder, AncillaryService, Series, SeriesKey};
use market::reports::Report;
use market::source::SourceError;

use super::prices::{SERVICE_AND_PRICE, of_services};
use super::{
    Layout, Occasion, Page, Stamp, day, flag, hour, instant_cell, interval_cells, is_repeated,
    moment, number, number_cell, system, text_cell, whole,
};
use crate::simulated_ercot::table::{Cell, Column, HourStyle, NumberStyle, Row};
use crate::simulated_ercot::world::Edition;

const RUN: Column = moment("SCEDTimestamp", "SCEDTimestamp");
const REPEATED: Column = flag("RepeatedHourFlag", "repeatHourFlag");
const DATE: Column = day("DeliveryDate", "deliveryDate");
const HOUR: Column = hour("DeliveryHour", "deliveryHour", HourStyle::Plain);

const fn adder(name: &'static str) -> Column {
    number(name, name, NumberStyle::Cents)
}

const LAMBDA: Column = number("SystemLambda", "systemLambda", NumberStyle::Exact);

pub(super) const SCED_ADDERS: Layout = Layout {
    report: Report::ScedAdders,
    stem: "RTPRICEADDERSCEDNP6323",
    stamp: Stamp::ScedRun,
    columns: &[
        RUN,
        REPEATED,
        LAMBDA,
        adder("RTRDPA"),
        adder("RTRDPARUS"),
        adder("RTRDPARDS"),
        adder("RTRDPARRS"),
        adder("RTRDPAECRS"),
        adder("RTRDPANSS"),
        adder("RTRRUC"),
        adder("RTRRMR"),
        adder("RTDNCLR"),
        adder("RTDERS"),
        adder("RTDCTIEIMPORT"),
        adder("RTDCTIEEXPORT"),
        adder("RTBLTIMPORT"),
        adder("RTBLTEXPORT"),
        adder("RTOLLSL"),
        adder("RTOLHSL"),
    ],
    former_columns: Some(&[
        RUN,
        REPEATED,
        LAMBDA,
        adder("RTORPA"),
        adder("RTOFFPA"),
        adder("RTORDPA"),
    ]),
    occasion: Occasion::News(|| vec![system(Series::SystemLambda)], Edition::First),
    rows: |page| {
        let run = |start| vec![instant_cell(start), Cell::Flag(is_repeated(start))];
        of_system(page, &SCED_ADDERS, Series::SystemLambda, Series::ScedAdder, run)
    },
    published_days_after: (0, 1),
};

pub(super) const SETTLEMENT_ADDERS: Layout = Layout {
    report: Report::SettlementAdders,
    stem: "RT15MINPRICEADDERSNP6324",
    stamp: Stamp::IntervalEnd,
    columns: &[
        DATE,
        HOUR,
        whole("DeliveryInterval", "deliveryInterval"),
        adder("RTRDPA"),
        adder("RTRDPRU"),
        adder("RTRDPRD"),
        adder("RTRDPRRS"),
        adder("RTRDPECRS"),
        adder("RTRDPNS"),
        REPEATED,
    ],
    former_columns: Some(&[
        DATE,
        HOUR,
        whole("DeliveryInterval", "deliveryInterval"),
        number("RTRSVPOR", "RTRSVPOR", NumberStyle::Cents),
        number("RTRSVPOFF", "RTRSVPOFF", NumberStyle::Cents),
        number("RTRDP", "RTRDP", NumberStyle::Cents),
        REPEATED,
    ]),
    occasion: Occasion::News(
        || Adder::ALL.map(|it| system(Series::SettlementAdder(it))).to_vec(),
        Edition::First,
    ),
    rows: settlement_rows,
    published_days_after: (0, 1),
};

pub(super) const AS_CAPABILITY: Layout = Layout {
    report: Report::AsCapability,
    stem: "TOTASRESCAPNP6328",
    stamp: Stamp::ScedRun,
    columns: &[
        RUN,
        REPEATED,
        adder("capREGUP"),
        adder("capREGDN"),
        adder("capRRS"),
        adder("capECRS"),
        adder("capNSPIN"),
        adder("capREGUPRRS"),
        adder("capREGUPRRSECRS"),
        adder("capREGUPRRSECRSNSPIN"),
    ],
    former_columns: None,
    occasion: Occasion::News(
        || AncillaryService::ALL.map(|it| system(Series::AsCapability(it))).to_vec(),
        Edition::First,
    ),
    rows: capability_rows,
    published_days_after: (0, 1),
};

pub(super) const SCED_MCPC: Layout = Layout {
    report: Report::ScedMcpc,
    stem: "RTCLEARPRICECAPSCEDNP6332",
    stamp: Stamp::ScedRun,
    columns: &[RUN, REPEATED, SERVICE_AND_PRICE[0], SERVICE_AND_PRICE[1]],
    former_columns: None,
    occasion: Occasion::News(
        || AncillaryService::ALL.map(|it| system(Series::ScedMcpc(it))).to_vec(),
        Edition::First,
    ),
    rows: |page| {
        of_services(page, Series::ScedMcpc, |start, service, price| {
            let repeated = Cell::Flag(is_repeated(start));
            vec![instant_cell(start), repeated, text_cell(service), Cell::Number(price)]
        })
    },
    published_days_after: (0, 1),
};

pub(super) const REAL_TIME_MCPC: Layout = Layout {
    report: Report::RealTimeMcpc,
    stem: "RTCLEARPRICECAPNP6331",
    stamp: Stamp::IntervalEnd,
    columns: &[
        DATE,
        HOUR,
        whole("DeliveryInterval", "deliveryInt"),
        REPEATED,
        SERVICE_AND_PRICE[0],
        SERVICE_AND_PRICE[1],
    ],
    former_columns: None,
    occasion: Occasion::News(
        || AncillaryService::ALL.map(|it| system(Series::RealTimeMcpc(it))).to_vec(),
        Edition::First,
    ),
    rows: |page| {
        of_services(page, Series::RealTimeMcpc, |start, service, price| {
            let mut row = interval_cells(start).to_vec();
            row.push(Cell::Flag(is_repeated(start)));
            row.extend([text_cell(service), Cell::Number(price)]);
            row
        })
    },
    published_days_after: (0, 1),
};

/// Returns the adder that a column is about.
fn adder_of(column: &Column) -> Option<Adder> {
    match column.json {
        "RTORPA" | "RTRSVPOR" => Some(Adder::OnlineReserve),
        "RTOFFPA" | "RTRSVPOFF" => Some(Adder::OfflineReserve),
        "RTORDPA" | "RTRDP" => Some(Adder::ReliabilityReserve),
        "RTRDPA" => Some(Adder::ReliabilityDeployment),
        _ => None,
    }
}

/// Writes one row for each time about which something system-wide was published.
fn of_system(
    page: &Page<'_>,
    layout: &Layout,
    lead: Series,
    of_adder: fn(Adder) -> Series,
    label: impl Fn(Timestamp) -> Row,
) -> Result<Vec<Row>, SourceError> {
    let columns = layout.columns_at(page.snapshot.published_at);
    let mut values = Vec::new();
    for column in columns {
        let series = match adder_of(column) {
            Some(adder) => Some(of_adder(adder)),
            None if column.json == LAMBDA.json => Some(Series::SystemLambda),
            None => None,
        };
        let key = series.map(SeriesKey::system);
        let published = key.map(|key| page.snapshot.published(&key, Edition::First));
        values.push(published.transpose()?);
    }
    let starts = page.snapshot.published(&system(lead), Edition::First)?;
    let rows = starts.keys().map(|start| {
        let mut row = label(*start);
        for column in values.iter().skip(row.len()) {
            row.push(number_cell(column.as_ref().and_then(|it| it.get(start).copied())));
        }
        row
    });
    Ok(rows.collect())
}

fn settlement_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    let columns = SETTLEMENT_ADDERS.columns_at(page.snapshot.published_at);
    // Every era has one adder that is always published.
    let lead = columns.iter().find_map(adder_of).unwrap_or(Adder::ReliabilityDeployment);
    let lead = Series::SettlementAdder(lead);
    let label = |start| interval_cells(start).to_vec();
    let mut rows = of_system(page, &SETTLEMENT_ADDERS, lead, Series::SettlementAdder, label)?;
    let starts = page.snapshot.published(&system(lead), Edition::First)?;
    for (row, start) in rows.iter_mut().zip(starts.keys()) {
        row.pop();
        row.push(Cell::Flag(is_repeated(*start)));
    }
    Ok(rows)
}

fn capability_rows(page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
    /// The last columns are about several services together.
    const TOGETHER: usize = 3;
    let mut columns = Vec::new();
    for service in AncillaryService::ALL {
        let key = system(Series::AsCapability(service));
        columns.push(page.snapshot.published(&key, Edition::First)?);
    }
    let starts = columns.first().into_iter().flat_map(|values| values.keys());
    let rows = starts.map(|start| {
        let mut row = vec![instant_cell(*start), Cell::Flag(is_repeated(*start))];
        row.extend(columns.iter().map(|values| number_cell(values.get(start).copied())));
        row.extend(std::iter::repeat_n(Cell::Empty, TOGETHER));
        row
    });
    Ok(rows.collect())
}
