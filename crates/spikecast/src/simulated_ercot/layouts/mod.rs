//! What stands in each report, written from ERCOT's recorded files and its own field names: never
//! from our parser, so that the two check each other.
//!
//! A posting is what was published at one instant, or the market as it looked then; each file here
//! knows some reports' columns and rows.

mod adders;
mod capacity;
mod corrections;
mod generation;
mod load;
mod prices;
mod settlement_points;
mod shadow_prices;

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday, date};
use jiff::{SignedDuration, Timestamp};
use market::observation::{AncillaryService, Series, SeriesKey};
use market::place::{Place, Region, SettlementPoint};
use market::reports::Report;
use market::source::SourceError;
use market::time::{MarketHour, OperatingDay, instant, local};

use super::table::{Cell, Column, HourStyle, Kind, NumberStyle, Row};
use super::world::{Edition, Snapshot, World};

/// When RTC+B changed the market and with it the adders' reports.
const RTC_PLUS_B: Date = date(2025, 12, 5);

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) report: Report,
    /// What its files are called.
    pub(super) stem: &'static str,
    pub(super) stamp: Stamp,
    /// The columns since RTC+B.
    columns: &'static [Column],
    /// The columns before, where they differ; the API's row store then begins with RTC+B.
    former_columns: Option<&'static [Column]>,
    pub(super) occasion: Occasion,
    rows: fn(&Page<'_>) -> Result<Vec<Row>, SourceError>,
    /// A row about a day is published at the earliest and the latest so many days after it.
    pub(super) published_days_after: (i32, i32),
}

/// When a posting appears.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion {
    /// When something of an edition is published about one of these.
    News(fn() -> Vec<SeriesKey>, Edition),
    /// Every week, at this market-local time.
    Weekly(Weekday, Time),
}

/// Another table in a posting's zip file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attachment {
    /// What its file's name begins with.
    pub(super) stem: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) rows: fn() -> Vec<Row>,
}

/// What time the names of a report's files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// None but when it was posted.
    Posted,
    /// That of the SCED run, to the second.
    ScedRun,
    /// The end of the interval, to the minute.
    IntervalEnd,
}

/// What one posting is written from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) snapshot: Snapshot<'a>,
    /// When it appeared: later than published, if a fault delays it.
    pub(super) posted_at: Timestamp,
}

/// Every report that is served.
pub(super) const LAYOUTS: [&Layout; 23] = [
    &prices::LMP,
    &prices::SPP,
    &prices::DAY_AHEAD_SPP,
    &prices::DAY_AHEAD_MCPC,
    &load::FORECAST,
    &load::ACTUAL,
    &load::TEMPERATURE,
    &generation::WIND,
    &generation::WIND_BY_REGION,
    &generation::SOLAR,
    &generation::SOLAR_BY_REGION,
    &capacity::OUTAGES,
    &capacity::ADEQUACY,
    &capacity::AS_PLAN,
    &adders::SCED_ADDERS,
    &adders::SETTLEMENT_ADDERS,
    &adders::AS_CAPABILITY,
    &adders::SCED_MCPC,
    &adders::REAL_TIME_MCPC,
    &shadow_prices::SHADOW_PRICES,
    &corrections::REAL_TIME,
    &corrections::DAY_AHEAD,
    &settlement_points::SETTLEMENT_POINTS,
];

impl Layout {
    /// Returns how a report is written, if it is served.
    pub(super) fn of(report: Report) -> Option<&'static Layout> {
        LAYOUTS.into_iter().find(|layout| layout.report == report)
    }

    /// Returns the columns of a file that was published then.
    pub(super) fn columns_at(&self, published_at: Timestamp) -> &'static [Column] {
        let is_former = OperatingDay::of(published_at).date() < RTC_PLUS_B;
        self.former_columns.filter(|_| is_former).unwrap_or(self.columns)
    }

    /// Returns the columns of the API's row store.
    pub(super) fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// Returns the first day of the API's row store, if it does not begin with the world.
    pub(super) fn rows_since(&self) -> Option<Date> {
        self.former_columns.map(|_| RTC_PLUS_B)
    }

    /// Returns when postings appeared on a day, each with the start of the first interval that it
    /// is about.
    pub(super) fn publications(
        &self,
        world: &World,
        day: OperatingDay,
    ) -> Result<BTreeMap<Timestamp, Timestamp>, SourceError> {
        match self.occasion {
            Occasion::News(leads, edition) => world.publications(&leads(), day, edition),
            Occasion::Weekly(weekday, time) if day.date().weekday() == weekday => {
                Ok(instant(day.date(), time).map(|at| (at, at)).into_iter().collect())
            }
            Occasion::Weekly(..) => Ok(BTreeMap::new()),
        }
    }

    /// Returns the other tables in the zip file of a posting.
    pub(super) fn attachments(&self) -> &'static [Attachment] {
        match self.report {
            Report::SettlementPoints => &[settlement_points::HUBS],
            _ => &[],
        }
    }

    pub(super) fn rows(&self, page: &Page<'_>) -> Result<Vec<Row>, SourceError> {
        (self.rows)(page)
    }
}

const fn day(csv: &'static str, json: &'static str) -> Column {
    Column::new(csv, json, Kind::Day)
}

const fn hour(csv: &'static str, json: &'static str, style: HourStyle) -> Column {
    Column::new(csv, json, Kind::Hour(style))
}

const fn text(csv: &'static str, json: &'static str) -> Column {
    Column::new(csv, json, Kind::Text)
}

const fn flag(csv: &'static str, json: &'static str) -> Column {
    Column::new(csv, json, Kind::Flag)
}

const fn whole(csv: &'static str, json: &'static str) -> Column {
    Column::new(csv, json, Kind::Whole)
}

const fn moment(csv: &'static str, json: &'static str) -> Column {
    Column::new(csv, json, Kind::Instant)
}

const fn number(csv: &'static str, json: &'static str, style: NumberStyle) -> Column {
    Column::new(csv, json, Kind::Number(style))
}

/// Files say in their name when they were posted.
const POSTED: Column = Column::json_only("postedDatetime", Kind::Instant);

const DST: Column = flag("DSTFlag", "DSTFlag");

fn text_cell(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn number_cell(value: Option<f64>) -> Cell {
    value.map_or(Cell::Empty, Cell::Number)
}

#[expect(clippy::cast_possible_truncation, reason = "megawatts")]
fn whole_cell(value: Option<f64>) -> Cell {
    value.map_or(Cell::Empty, |value| Cell::Whole(value.round() as i64))
}

fn instant_cell(instant: Timestamp) -> Cell {
    Cell::Instant(local(instant))
}

/// Tells whether a local time is that of the repeated hour in autumn.
pub(super) fn is_repeated(instant: Timestamp) -> bool {
    MarketHour::starting(instant).repeated
}

/// Returns the cells of an hour's day and hour ending.
fn hour_cells(hour: &MarketHour) -> [Cell; 2] {
    [Cell::Day(hour.operating_day.date()), Cell::Hour(hour.hour_ending)]
}

/// Returns the cells of a 15-minute interval: day, hour and interval.
fn interval_cells(start: Timestamp) -> [Cell; 3] {
    let hour = MarketHour::starting(start);
    let interval = i64::from(local(start).minute()) / 15 + 1;
    let [day, ending] = hour_cells(&hour);
    [day, ending, Cell::Whole(interval)]
}

/// Returns the hours from so many before the hour of an instant to so many after its start.
fn hours_around(instant: Timestamp, before: i64, after: i64) -> Vec<MarketHour> {
    let start = instant.as_second().div_euclid(3_600) * 3_600;
    let start = Timestamp::from_second(start).unwrap_or(instant);
    let hour = |offset| MarketHour::starting(start + SignedDuration::from_hours(offset));
    (-before..after).map(hour).collect()
}

/// Returns the hours of a day and of so many days after it.
fn hours_of_days(first: OperatingDay, days_after: i32) -> Vec<MarketHour> {
    (0..=days_after).flat_map(|days| first.plus_days(days).hours()).collect()
}

fn system(series: Series) -> SeriesKey {
    SeriesKey::system(series)
}

fn at_region(series: Series, region: Region) -> SeriesKey {
    SeriesKey { series, place: Place::Region(region) }
}

/// The settlement point that every posting of prices has.
fn at_hub_average(series: Series) -> Vec<SeriesKey> {
    let point = SettlementPoint::new("HB_HUBAVG").expect("it is ERCOT's spelling");
    vec![SeriesKey::at(series, &point)]
}

/// ERCOT's names of the services.
const fn service_name(service: AncillaryService) -> &'static str {
    match service {
        AncillaryService::RegUp => "REGUP",
        AncillaryService::RegDown => "REGDN",
        AncillaryService::Responsive => "RRS",
        AncillaryService::Contingency => "ECRS",
        AncillaryService::NonSpin => "NSPIN",
    }
}
