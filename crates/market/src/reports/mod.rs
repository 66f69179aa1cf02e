//! ERCOT's reports: which there are, and how their bytes become observations. Pure.
//!
//! `catalogue` knows every report's names, cadence and depth. What ERCOT posted is a [`Posting`];
//! its bytes become [`Contents`]: observations by series and place, and complaints about lines
//! that could not be used.
//!
//! Each report has a file that says what its table looks like (`prices` … `temperature`, in the
//! words of `layout`); everything else is shared. `parse` is the way in: `unpack` opens zips,
//! `csv` and `json` split rows into cells (`cell`), `columns` finds columns by any spelling,
//! `hours` turns local labels into instants, `subject` knows what a row is about, `reading` puts
//! it together, `sink` collects.

mod adders;
mod adequacy;
mod ancillary_services;
mod catalogue;
mod cell;
mod columns;
mod corrections;
mod csv;
mod generation;
mod hours;
mod json;
mod layout;
mod load;
mod outages;
mod parse;
mod prices;
mod reading;
mod settlement_points;
mod shadow_prices;
mod sink;
mod subject;
mod temperature;
#[cfg(test)]
mod tests;
mod unpack;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use thiserror::Error;

use crate::observation::{Observation, SeriesKey};
use crate::place::SettlementPoint;

pub use catalogue::{Cadence, Report, ReportFacts};
pub use parse::{Page, PageMeta, parse, parse_page, posted_at_of};
pub use settlement_points::parse_settlement_points;

/// One file that ERCOT posted, as a list names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Posting {
    /// Of which report.
    pub report: Report,
    /// The document's id, unique within its route; may be negative.
    pub id: String,
    /// The file's name.
    pub name: String,
    /// When it was posted.
    pub posted_at: Timestamp,
}

/// What of a report is wanted; reports hold up to a thousand settlement points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// These settlement points; `None` wants all.
    pub settlement_points: Option<BTreeSet<SettlementPoint>>,
}

impl Wanted {
    /// Tells whether a settlement point, in ERCOT's spelling, is wanted.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        let points = self.settlement_points.as_ref();
        points.is_none_or(|points| points.iter().any(|point| point.name() == name))
    }
}

/// What a posting or a page of rows says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The wanted observations by series and place, in the order of the rows.
    pub observations: BTreeMap<SeriesKey, Vec<Observation>>,
    /// How many rows were read, wanted or not.
    pub rows: usize,
    /// Lines that could not be used.
    pub complaints: Vec<Complaint>,
    /// How the files differ from what is known of the report: unknown columns and services,
    /// layouts of other days, hours without a flag. What could be read was read.
    pub drift: BTreeSet<String>,
}

/// Why a line could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// In which file.
    pub file: String,
    /// The line, counted from 1; of a JSON page the row.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a whole posting cannot be used. Its bytes are kept for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{report} {file}: {reason}", report = .report.emil_id())]
pub struct ReportError {
    /// Of which report.
    pub report: Report,
    /// Which file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}
