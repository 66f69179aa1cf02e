//! Turns a table of the layout into observations, by series and place.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use super::layout::{Layout, PlaceOf, ValueColumn};
use crate::observation::{Observation, SeriesKey};
use crate::place::{Place, SettlementPoint};
use crate::source::publication::PublicationRule;
use crate::table::{Table, TableError};

/// What one file holds.
pub(super) type Contents = BTreeMap<SeriesKey, Vec<Observation>>;

pub(super) fn read(path: &Path, layout: &Layout) -> Result<Contents, TableError> {
    let table = Table::read(path, &layout.columns())?;
    let mut contents = Contents::new();
    for value in layout.values {
        let times = Times::of(&table, layout, value);
        let selected = Selection::of(&table, value);
        match value.place {
            PlaceOf::Column(name) => read_places(&table, value, (name, times), &mut contents)?,
            PlaceOf::System | PlaceOf::HubAverage | PlaceOf::Zone(_) => {
                let place = value.place.fixed().expect("only `Column` differs by row");
                let key = SeriesKey { series: value.series, place };
                contents.insert(key, read_one(&table, value, times, &selected));
            }
        }
    }
    Ok(contents)
}

fn read_one(
    table: &Table,
    value: &ValueColumn,
    mut times: Times<'_>,
    selected: &Selection<'_>,
) -> Vec<Observation> {
    let mut observations = Vec::new();
    for (row, cell) in table.numbers(value.spec.name).iter().enumerate() {
        if let Some(cell) = cell
            && selected.has(row)
        {
            observations.push(times.observation(row, *cell));
        }
    }
    observations
}

fn read_places(
    table: &Table,
    value: &ValueColumn,
    (place_column, mut times): (&str, Times<'_>),
    contents: &mut Contents,
) -> Result<(), TableError> {
    let places = table.texts(place_column);
    let mut observations: Vec<Vec<Observation>> = vec![Vec::new(); places.distinct().len()];
    for (row, cell) in table.numbers(value.spec.name).iter().enumerate() {
        if let (Some(cell), Some(place)) = (cell, places.codes()[row]) {
            observations[place].push(times.observation(row, *cell));
        }
    }
    for (code, (name, observations)) in places.distinct().iter().zip(observations).enumerate() {
        let point = SettlementPoint::new(name).map_err(|_| {
            let row = places.codes().iter().position(|cell| *cell == Some(code)).unwrap_or(0);
            table.malformed(row, place_column, "a settlement point such as HB_HUBAVG", name)
        })?;
        let place = Place::SettlementPoint(point);
        contents.insert(SeriesKey { series: value.series, place }, observations);
    }
    Ok(())
}

/// The two times of every row.
struct Times<'a> {
    starts: &'a [Option<Timestamp>],
    exact_starts: Option<&'a [Option<Timestamp>]>,
    publication: Publication<'a>,
}

enum Publication<'a> {
    Stated(&'a [Option<Timestamp>]),
    ByRule(PublicationRule),
}

impl<'a> Times<'a> {
    fn of(table: &'a Table, layout: &Layout, value: &ValueColumn) -> Self {
        let publication = match layout.published_at {
            Some(name) => Publication::Stated(table.instants(name)),
            None => Publication::ByRule(
                PublicationRule::of(value.series).expect("series without rule state the time"),
            ),
        };
        Self {
            starts: table.instants(layout.interval_start),
            exact_starts: layout.exact_start.map(|name| table.instants(name)),
            publication,
        }
    }

    fn observation(&mut self, row: usize, value: f64) -> Observation {
        let exact = self.exact_starts.and_then(|starts| starts[row]);
        let interval_start =
            exact.or(self.starts[row]).expect("the column of interval starts is required");
        let published_at = match &mut self.publication {
            Publication::Stated(cells) => cells[row].expect("the column is required"),
            Publication::ByRule(rule) => rule.published_at(interval_start),
        };
        Observation { interval_start, published_at, value }
    }
}

/// The rows where some columns hold given texts.
struct Selection<'a> {
    /// For every condition the rows' codes and the code that is wanted, if any row has it.
    conditions: Vec<(&'a [Option<usize>], Option<usize>)>,
}

impl<'a> Selection<'a> {
    fn of(table: &'a Table, value: &ValueColumn) -> Self {
        let conditions = value.only.iter().map(|(name, wanted)| {
            let texts = table.texts(name);
            let code = texts.distinct().iter().position(|text| &**text == *wanted);
            (texts.codes(), code)
        });
        Self { conditions: conditions.collect() }
    }

    fn has(&self, row: usize) -> bool {
        self.conditions.iter().all(|(codes, wanted)| wanted.is_some() && codes[row] == *wanted)
    }
}
