//! Reads one table: finds the layout whose columns are there, then turns row after row into
//! observations. A row counts as a whole or not at all, since one wrong cell may mean that all
//! are shifted.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::cell::{Cell, Expected, Moment, shortened};
use super::columns::{Binder, Columns};
use super::hours::{Hours, Label};
use super::layout::{Layout, Rows, TimeColumns, names};
use super::sink::{Publication, Sink, Stated};
use super::subject::{Row, Subject, read};
use super::{Report, Wanted};
use crate::observation::Series;
use crate::time::{Instants, OperatingDay, instants};

/// A table of a report, while it is read.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    columns: &'a Columns,
    layout: &'static Layout,
    time: TimeIndices,
    stated: StatedIndices,
    subject: Subject,
    hours: Hours,
    /// When the posting was posted, if it is one.
    posted_at: Option<Timestamp>,
    days: Option<(DateTime, DateTime)>,
    values: Vec<(usize, f64)>,
}

/// Where the cells are that say when.
#[derive(Clone, Copy, Debug)]
struct TimeIndices {
    /// The time of the SCED run, the day, or the hour's end.
    main: usize,
    hour: usize,
    quarter: usize,
    flag: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct StatedIndices {
    posted_at: Option<usize>,
    corrected_at: Option<usize>,
}

impl<'a> Reading<'a> {
    /// Finds the layout that the columns have, or says which columns are missing from the one
    /// that comes nearest.
    pub(super) fn new(
        report: Report,
        columns: &'a Columns,
        sink: &mut Sink,
    ) -> Result<Self, String> {
        let mut nearest: Option<Vec<String>> = None;
        for layout in report.layouts() {
            match Self::bound(layout, columns, sink) {
                Ok(reading) => return Ok(reading),
                Err(missing) => {
                    let is_nearer =
                        nearest.as_ref().is_none_or(|former| missing.len() < former.len());
                    if is_nearer {
                        nearest = Some(missing);
                    }
                }
            }
        }
        match nearest {
            Some(missing) => {
                Err(format!("lacks the columns {}; it has {}", missing.join(", "), columns.shown()))
            }
            None => Err("holds no observations: read it with parse_settlement_points".to_owned()),
        }
    }

    fn bound(
        layout: &'static Layout,
        columns: &'a Columns,
        sink: &mut Sink,
    ) -> Result<Self, Vec<String>> {
        let mut binder = Binder::new(columns);
        let time = TimeIndices::bound(layout.time, &mut binder);
        let (posted_at, by_rule) = match sink.publication() {
            Publication::PostedAt(posted_at) => (Some(posted_at), false),
            Publication::ByRule => (None, true),
        };
        let stated = StatedIndices::bound(layout, by_rule, &mut binder);
        let subject = Subject::bound(&layout.rows, &mut binder);
        if !binder.missing().is_empty() {
            return Err(binder.missing().to_vec());
        }
        if !matches!(subject, Subject::Unused) {
            for name in binder.unknown(layout.known) {
                sink.drift(format!("unknown column {}", shortened(name)));
            }
        }
        let one_row_an_hour = matches!(layout.rows, Rows::Columns(_));
        if time.flag.is_none() && !one_row_an_hour {
            sink.drift("no column says which hours are repeated".to_owned());
        }
        let subject = subject.in_slots(&layout.rows, sink);
        let (hours, days, values) = (Hours::new(one_row_an_hour), None, Vec::new());
        Ok(Self { columns, layout, time, stated, subject, hours, posted_at, days, values })
    }

    /// Tells whether the rows hold something that is kept.
    pub(super) fn is_of_use(&self) -> bool {
        !matches!(self.subject, Subject::Unused)
    }

    /// Reads one row into the sink, or says what is wrong with it.
    pub(super) fn row(
        &mut self,
        row: Row<'_>,
        wanted: &Wanted,
        sink: &mut Sink,
    ) -> Result<(), String> {
        let mut stated = self.stated(row)?;
        let start = self.start(row, stated)?;
        // In the repeated hour the lists of postings have been an hour too early.
        stated.not_before = match self.layout.time {
            TimeColumns::ScedRun => Some(start),
            TimeColumns::Quarter => Some(start + Series::RealTimeSpp.interval()),
            TimeColumns::Hour | TimeColumns::HourEnd | TimeColumns::Unread => None,
        };
        self.values.clear();
        let mut values = std::mem::take(&mut self.values);
        let read = self.subject.values((self.columns, row), (wanted, &mut *sink), &mut values);
        if read.is_ok() {
            for (slot, value) in &values {
                let value = self.layout.scale.value(*value);
                sink.add(*slot, row.line, start, (stated, value));
            }
        }
        self.values = values;
        read
    }

    fn stated(&self, row: Row<'_>) -> Result<Stated, String> {
        let read = |index: Option<usize>| match index {
            Some(index) => at_the_latest(self.cell(row, index, Cell::moment)?).map(Some),
            None => Ok(None),
        };
        Ok(Stated {
            posted_at: read(self.stated.posted_at)?,
            corrected_at: read(self.stated.corrected_at)?,
            not_before: None,
        })
    }

    fn start(&mut self, row: Row<'_>, stated: Stated) -> Result<Timestamp, String> {
        let flag = match self.time.flag {
            Some(index) => self.cell(row, index, Cell::flag)?,
            None => None,
        };
        let (local, is_extra) = match self.layout.time {
            TimeColumns::ScedRun => match self.cell(row, self.time.main, Cell::moment)? {
                Moment::Exact(instant) => return Ok(instant),
                Moment::Local(local) => (local, false),
            },
            TimeColumns::Hour => {
                let day = self.cell(row, self.time.main, Cell::date)?;
                let hour_ending = self.cell(row, self.time.hour, Cell::hour_ending)?;
                self.hours.start(day, hour_ending)?
            }
            TimeColumns::Quarter => {
                let day = self.cell(row, self.time.main, Cell::date)?;
                let hour_ending = self.cell(row, self.time.hour, Cell::hour_ending)?;
                let quarter = self.cell(row, self.time.quarter, Cell::quarter)?;
                let (hour, is_extra) = self.hours.start(day, hour_ending)?;
                (hour + jiff::SignedDuration::from_mins(15 * (i64::from(quarter) - 1)), is_extra)
            }
            TimeColumns::Unread => return Err("is not read".to_owned()),
            TimeColumns::HourEnd => match self.cell(row, self.time.main, Cell::moment)? {
                Moment::Exact(instant) => return Ok(instant - Series::LoadActual.interval()),
                Moment::Local(end) if end.minute() != 0 || end.second() != 0 => {
                    return Err(format!("expected the end of an hour, found {end}"));
                }
                // The hour that ends at 02:00 is labelled 2, whatever the clock does meanwhile.
                Moment::Local(end) => (end - Series::LoadActual.interval(), false),
            },
        };
        let repeated = if is_extra { Some(true) } else { flag };
        let posted_at = stated.posted_at.or(self.posted_at);
        let start = self.hours.resolve(Label { local, repeated, posted_at })?;
        let (first, last) = self.days.unwrap_or((local, local));
        self.days = Some((first.min(local), last.max(local)));
        Ok(start)
    }

    fn cell<'r, T>(
        &self,
        row: Row<'r>,
        index: usize,
        reading: impl FnOnce(&'r Cell<'r>) -> Result<T, Expected>,
    ) -> Result<T, String> {
        read(self.columns, row, index, reading)
    }

    /// Notes what was unusual about the table's hours.
    pub(super) fn end(&self, file: &str, sink: &mut Sink) {
        let remarks = self.hours.remarks();
        if remarks.flag_without_reason {
            sink.drift("hours are flagged as repeated that are not".to_owned());
        }
        if remarks.flag_without_effect {
            sink.drift("the repeated hour is not flagged; told apart by the order".to_owned());
        }
        if remarks.extra_hour {
            sink.drift("hour ending 25 stands for the repeated hour".to_owned());
        }
        let is_about_one_time =
            matches!(self.layout.time, TimeColumns::ScedRun | TimeColumns::Quarter);
        let is_named_repeated = file.to_ascii_lowercase().contains("xhr");
        if is_about_one_time && is_named_repeated && remarks.first && !remarks.second {
            sink.drift("named as of the repeated hour, but its rows are not flagged so".to_owned());
        }
        for local in self.hours.alone() {
            sink.drift(format!("{local} is there once and not flagged; taken for the first"));
        }
        let Some((first, last)) = self.days else { return };
        if self.layout.since.is_some_and(|since| last.date() < since) {
            sink.drift(format!(
                "columns as they are later, for {}",
                OperatingDay::new(last.date())
            ));
        }
        if self.layout.until.is_some_and(|until| until < first.date()) {
            let day = OperatingDay::new(first.date());
            sink.drift(format!("columns as they were before, for {day}"));
        }
    }
}

/// Of the repeated hour the later one, and after the hour that is skipped: a publication time is
/// late rather than early.
fn at_the_latest(moment: Moment) -> Result<Timestamp, String> {
    let local = match moment {
        Moment::Exact(instant) => return Ok(instant),
        Moment::Local(local) => local,
    };
    match instants(local) {
        Ok(Instants::One(instant) | Instants::Two { repeated: instant, .. }) => Ok(instant),
        Err(_) => match instants(local + jiff::SignedDuration::from_hours(1)) {
            Ok(Instants::One(instant) | Instants::Two { repeated: instant, .. }) => Ok(instant),
            Err(error) => Err(error.to_string()),
        },
    }
}

impl TimeIndices {
    fn bound(columns: TimeColumns, binder: &mut Binder<'_>) -> Self {
        let day = ["deliveryDate", "operatingDay", "operDay", "operatingDate", "date"];
        let hour = names(&["hourEnding", "deliveryHour"]);
        let (mut hour_index, mut quarter) = (usize::MAX, usize::MAX);
        let main = match columns {
            TimeColumns::ScedRun => binder.required(&names(&["SCEDTimestamp"])),
            TimeColumns::HourEnd => binder.required(&hour),
            TimeColumns::Unread => usize::MAX,
            TimeColumns::Hour => {
                hour_index = binder.required(&hour);
                binder.required(&names(&day))
            }
            TimeColumns::Quarter => {
                hour_index = binder.required(&hour);
                quarter = binder.required(&names(&["deliveryInterval", "deliveryInt"]));
                binder.required(&names(&day))
            }
        };
        let flag = binder.optional(&names(&["DSTFlag", "repeatedHourFlag", "repeatHourFlag"]));
        Self { main, hour: hour_index, quarter, flag }
    }
}

impl StatedIndices {
    fn bound(layout: &Layout, by_rule: bool, binder: &mut Binder<'_>) -> Self {
        let posted = names(&["postedDatetime"]);
        let corrected = names(&["priceCorrectionTime"]);
        let corrected_at = if by_rule && layout.states_correction {
            Some(binder.required(&corrected))
        } else {
            binder.optional(&corrected)
        };
        let posted_at = if by_rule && layout.has_series_without_rule() {
            Some(binder.required(&posted))
        } else {
            binder.optional(&posted)
        };
        Self { posted_at, corrected_at }
    }
}
