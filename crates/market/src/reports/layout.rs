//! What a report's table looks like: which columns say when, about what, and how much.
//!
//! A report has several layouts when ERCOT changed it, or when it has several tables. The one
//! whose columns are there is read; its days of validity are only compared, never trusted.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;

use super::columns::{Names, normalised};
use super::{
    Report, adders, adequacy, ancillary_services, corrections, generation, load, outages, prices,
    shadow_prices, temperature,
};
use crate::observation::{AncillaryService, Series, SeriesKey};
use crate::place::Place;
use crate::source::publication::PublicationRule;

impl Report {
    /// Returns what the report's tables may look like; the first whose columns are there is read.
    /// A report without layouts holds no observations.
    pub(super) fn layouts(self) -> &'static [Layout] {
        static LAYOUTS: LazyLock<BTreeMap<Report, Vec<Layout>>> =
            LazyLock::new(|| Report::ALL.into_iter().map(|it| (it, layouts_of(it))).collect());
        &LAYOUTS[&self]
    }
}

fn layouts_of(report: Report) -> Vec<Layout> {
    match report {
        Report::Lmp => prices::lmp(),
        Report::Spp => prices::spp(),
        Report::DayAheadSpp => prices::day_ahead_spp(),
        Report::DayAheadMcpc => ancillary_services::day_ahead_mcpc(),
        Report::RealTimeMcpc => ancillary_services::real_time_mcpc(),
        Report::ScedMcpc => ancillary_services::sced_mcpc(),
        Report::AsPlan => ancillary_services::plan(),
        Report::AsCapability => ancillary_services::capability(),
        Report::LoadForecast => load::forecast(),
        Report::ActualLoad => load::actual(),
        Report::Wind => generation::wind(),
        Report::WindByRegion => generation::wind_by_region(),
        Report::Solar => generation::solar(),
        Report::SolarByRegion => generation::solar_by_region(),
        Report::Outages => outages::layouts(),
        Report::Adequacy => adequacy::layouts(),
        Report::ScedAdders => adders::sced(),
        Report::SettlementAdders => adders::settlement(),
        Report::ShadowPrices => shadow_prices::layouts(),
        Report::RealTimeCorrections => corrections::real_time(),
        Report::DayAheadCorrections => corrections::day_ahead(),
        Report::TemperatureForecast => temperature::layouts(),
        Report::SettlementPoints => Vec::new(),
    }
}

/// One shape of a report's table.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) time: TimeColumns,
    pub(super) rows: Rows,
    pub(super) scale: Scale,
    /// Columns that are known and not read, normalised.
    pub(super) known: &'static [&'static str],
    /// Whether rows must say when they were corrected if nothing else says when they were
    /// published: otherwise a correction would pass for the first price.
    pub(super) states_correction: bool,
    /// On which days it was in use.
    pub(super) since: Option<Date>,
    pub(super) until: Option<Date>,
}

/// Which columns say when a row's interval starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeColumns {
    /// The time of a SCED run.
    ScedRun,
    /// A day and an hour ending.
    Hour,
    /// A day, an hour ending and a quarter.
    Quarter,
    /// One column for the day and the hour's end, as until about 2016.
    HourEnd,
    /// Any, as nothing is read.
    Unread,
}

/// How numbers become values in the series' unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// They are.
    Same,
    /// By conversion to degrees Celsius.
    Fahrenheit,
}

/// What a row is about.
#[derive(Debug)]
pub(super) enum Rows {
    /// Every column is a series of its own.
    Columns(Vec<ValueColumn>),
    /// A settlement point.
    Points { point: Names, value: Names, series: Series },
    /// An ancillary service.
    Services { service: Names, value: Names, series: fn(AncillaryService) -> Series },
    /// A load model; the columns are places.
    Models { places: Vec<(Names, Place)> },
    /// A transmission constraint.
    Constraints { value: Names },
    /// Something that is not kept, recognised by this column.
    Unused { sign: Names },
}

/// A column that is a series.
#[derive(Clone, Debug)]
pub(super) struct ValueColumn {
    pub(super) names: Names,
    pub(super) is_required: bool,
    pub(super) key: SeriesKey,
    /// Added to others of the same key, as zones are to the system.
    pub(super) total: Option<SeriesKey>,
}

impl Layout {
    pub(super) fn new(time: TimeColumns, rows: Rows) -> Self {
        let (scale, known, states_correction) = (Scale::Same, &[], false);
        Self { time, rows, scale, known, states_correction, since: None, until: None }
    }

    pub(super) fn knowing(mut self, known: &'static [&'static str]) -> Self {
        self.known = known;
        self
    }

    pub(super) fn stating_correction(mut self) -> Self {
        self.states_correction = true;
        self
    }

    pub(super) fn in_fahrenheit(mut self) -> Self {
        self.scale = Scale::Fahrenheit;
        self
    }

    pub(super) fn since(mut self, day: Date) -> Self {
        self.since = Some(day);
        self
    }

    pub(super) fn until(mut self, day: Date) -> Self {
        self.until = Some(day);
        self
    }

    /// Tells whether some series has no rule of publication, so that rows must say themselves when
    /// they were posted.
    pub(super) fn has_series_without_rule(&self) -> bool {
        let has_no_rule = |series: Series| PublicationRule::of(series).is_none();
        match &self.rows {
            Rows::Columns(columns) => columns.iter().any(|column| has_no_rule(column.key.series)),
            Rows::Points { series, .. } => has_no_rule(*series),
            Rows::Services { series, .. } => has_no_rule(series(AncillaryService::RegUp)),
            Rows::Models { .. } => has_no_rule(Series::LoadForecast),
            Rows::Constraints { .. } => has_no_rule(Series::ShadowPrice),
            Rows::Unused { .. } => false,
        }
    }
}

impl Scale {
    /// Converts a number as it is reported.
    pub(super) fn value(self, reported: f64) -> f64 {
        match self {
            Scale::Same => reported,
            Scale::Fahrenheit => (reported - 32.0) / 1.8,
        }
    }
}

impl ValueColumn {
    /// A column without which the layout is another.
    pub(super) fn required(spellings: &[&str], key: SeriesKey) -> Self {
        Self { names: names(spellings), is_required: true, key, total: None }
    }

    /// A column that came later, or that only some postings have.
    pub(super) fn optional(spellings: &[&str], key: SeriesKey) -> Self {
        Self { is_required: false, ..Self::required(spellings, key) }
    }

    /// Adds the column to a total, which exists in rows where all of its parts do.
    pub(super) fn part_of(mut self, total: SeriesKey) -> Self {
        self.total = Some(total);
        self
    }
}

/// Normalises spellings of a column's name.
pub(super) fn names(spellings: &[&str]) -> Names {
    spellings.iter().map(|spelling| normalised(spelling)).collect()
}
