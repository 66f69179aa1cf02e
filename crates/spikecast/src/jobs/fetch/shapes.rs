//! What crosses the journal between the stages of fetching: small JSON.

use jiff::Timestamp;
use jiff::civil::Date;
use market::observation::{Series, SeriesKey};
use market::place::Place;
use market::reports::{Posting, Report};
use market::source::routing::Route;
use serde::{Deserialize, Serialize};

use crate::jobs::failure::JobError;
use crate::jobs::source::SourceChoice;

/// Everything that a run of fetching depends on, fixed when it is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchInput {
    /// Where observations come from.
    pub source: SourceChoice,
    /// What is wanted.
    pub wanted: Vec<WantedSpan>,
    /// When the run was submitted: it decides on the routes, and nothing later is asked for.
    pub now: Timestamp,
    /// What should have been published by then is missing if it is not there.
    pub as_of: Timestamp,
    /// Which vintages of forecasts are wanted.
    pub vintages: Vintages,
    /// What for.
    #[serde(default)]
    pub purpose: Purpose,
}

/// What something is fetched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To be archived: whatever is wanted and cannot be had is told.
    #[default]
    Archive,
    /// For a forecast, which does without some reports.
    Forecast,
}

/// A span of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedSpan {
    /// Of this series at this place.
    #[serde(flatten)]
    pub key: KeyName,
    /// Intervals from here …
    pub from: Timestamp,
    /// … to here are wanted, of forecasts what was published in between.
    pub to: Timestamp,
}

/// Which vintages of forecasts are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vintages {
    /// Those of the morning, the last ones before the day-ahead market closes.
    #[default]
    Morning,
    /// All.
    Every,
}

/// A series at a place, by their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyName {
    /// The series' name.
    pub series: String,
    /// The place's name.
    pub place: String,
}

impl KeyName {
    /// Reads the names.
    pub fn key(&self) -> Result<SeriesKey, JobError> {
        let unknown = || JobError::Intermediate(format!("{} at {}", self.series, self.place));
        let series = Series::named(&self.series).ok_or_else(unknown)?;
        let place = Place::named(&self.place).map_err(|_| unknown())?;
        Ok(SeriesKey { series, place })
    }
}

impl From<&SeriesKey> for KeyName {
    fn from(key: &SeriesKey) -> Self {
        Self { series: key.series.name().to_owned(), place: key.place.name().to_owned() }
    }
}

/// Intervals of which nothing is archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Of this series at this place.
    pub key: KeyName,
    /// When the first of them starts.
    pub from: Timestamp,
    /// When the last of them ends.
    pub to: Timestamp,
    /// How many there are.
    pub intervals: i64,
}

/// A report, in the journal by ERCOT's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct ReportName(pub Report);

impl From<ReportName> for &'static str {
    fn from(name: ReportName) -> Self {
        name.0.emil_id()
    }
}

impl TryFrom<String> for ReportName {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        Report::with_emil_id(&id).map(Self).ok_or_else(|| format!("report {id} is unknown"))
    }
}

/// A span to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Window {
    /// Of a source that has whole series.
    Series {
        /// Which.
        key: KeyName,
        /// What was published from here …
        from: Timestamp,
        /// … to here.
        to: Timestamp,
    },
    /// Rows of the Public API.
    Rows {
        /// Of this report.
        report: ReportName,
        /// Of this settlement point, if the report has any.
        point: Option<String>,
        /// Intervals from here …
        from: Timestamp,
        /// … to here.
        to: Timestamp,
    },
    /// Weather forecasts for all places together.
    Weather {
        /// The vintage so many days old, or the newest.
        previous_day: Option<u8>,
        /// Hours from here …
        from: Timestamp,
        /// … to here.
        to: Timestamp,
    },
    /// Postings of a report.
    Postings {
        /// Of this report.
        report: ReportName,
        /// From the MIS, or from the archive of the Public API.
        from_mis: bool,
        /// Posted from here …
        from: Timestamp,
        /// … to here.
        to: Timestamp,
    },
}

/// What is fetched and committed by one item of the fan-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Piece {
    /// A window that needs no list.
    Whole {
        /// Which.
        window: Window,
    },
    /// Some postings.
    Postings {
        /// Of this report.
        report: ReportName,
        /// From the MIS, or from the archive of the Public API.
        from_mis: bool,
        /// Which.
        postings: Vec<PostingName>,
    },
}

/// A posting without its report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingName {
    /// The document's id.
    pub id: String,
    /// The file's name.
    pub name: String,
    /// When it was posted.
    pub posted_at: Timestamp,
}

impl PostingName {
    pub(super) fn of(posting: &Posting) -> Self {
        let Posting { id, name, posted_at, .. } = posting.clone();
        Self { id, name, posted_at }
    }

    pub(super) fn posting(&self, report: Report) -> Posting {
        let Self { id, name, posted_at } = self.clone();
        Posting { report, id, name, posted_at }
    }
}

/// What one item fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// Observations that were not archived before.
    pub observations: usize,
    /// Postings that were not archived before.
    pub postings: usize,
    /// Lines that could not be used.
    pub complaints: usize,
    /// Postings that could not be used at all, with the reason.
    pub quarantined: Vec<String>,
}

impl Collected {
    pub(crate) fn add(&mut self, other: &Self) {
        self.observations += other.observations;
        self.postings += other.postings;
        self.complaints += other.complaints;
        self.quarantined.extend(other.quarantined.iter().cloned());
    }
}

/// What a run of fetching came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchOutcome {
    /// What was fetched.
    #[serde(flatten)]
    pub collected: Collected,
    /// What is missing though it should be there by now.
    pub gaps: Vec<Gap>,
    /// Days that are there and cannot be right, although every route was asked for them.
    pub failing: Vec<FailingDay>,
}

impl FetchOutcome {
    /// Tells whether there is nothing to mend.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.gaps.is_empty() && self.failing.is_empty()
    }
}

/// A day that failed a check of its quality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingDay {
    /// Of this series at this place.
    pub key: KeyName,
    /// The operating day.
    pub day: Date,
    /// What was found, with the name of the check.
    pub found: String,
}

pub(super) fn is_mis(route: Route) -> bool {
    route == Route::Mis
}
