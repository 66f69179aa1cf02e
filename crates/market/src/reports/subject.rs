//! What a row is about, and how much: a series for each column, a settlement point, an ancillary
//! service, a load model or a constraint. When it is, `reading` knows.

use std::collections::HashMap;

use super::Wanted;
use super::cell::{Cell, Expected, shortened};
use super::columns::{Binder, Columns};
use super::layout::{Rows, names};
use super::sink::Sink;
use crate::observation::{AncillaryService, LoadModel, Series, SeriesKey};
use crate::place::{Constraint, Place, SettlementPoint};

/// Where the cells are that say about what, and how much.
#[derive(Debug)]
pub(super) enum Subject {
    Columns {
        values: Vec<(usize, usize)>,
        totals: Vec<(usize, Vec<usize>)>,
    },
    Points {
        point: usize,
        kind: Option<usize>,
        value: usize,
        series: Series,
        seen: HashMap<String, Option<usize>>,
    },
    Services {
        service: usize,
        value: usize,
        series: fn(AncillaryService) -> Series,
    },
    Models {
        model: usize,
        in_use: usize,
        values: Vec<(usize, Place)>,
    },
    Constraints {
        contingency: usize,
        element: usize,
        value: usize,
    },
    Unused,
}

/// One row's cells and its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) cells: &'a [Cell<'a>],
    pub(super) line: u64,
}

impl Subject {
    /// Finds the columns. What is said about slots is not true before [`Subject::in_slots`].
    pub(super) fn bound(rows: &Rows, binder: &mut Binder<'_>) -> Self {
        match rows {
            Rows::Columns(columns) => {
                let mut values = Vec::new();
                for (number, column) in columns.iter().enumerate() {
                    let index = if column.is_required {
                        Some(binder.required(&column.names))
                    } else {
                        binder.optional(&column.names)
                    };
                    values.extend(index.map(|index| (index, number)));
                }
                Subject::Columns { values, totals: Vec::new() }
            }
            Rows::Points { point, value, series } => Subject::Points {
                point: binder.required(point),
                kind: binder.optional(&names(&["settlementPointType"])),
                value: binder.required(value),
                series: *series,
                seen: HashMap::new(),
            },
            Rows::Services { service, value, series } => Subject::Services {
                service: binder.required(service),
                value: binder.required(value),
                series: *series,
            },
            Rows::Models { places } => Subject::Models {
                model: binder.required(&names(&["model"])),
                in_use: binder.required(&names(&["inUseFlag"])),
                values: places
                    .iter()
                    .map(|(names, place)| (binder.required(names), place.clone()))
                    .collect(),
            },
            Rows::Constraints { value } => Subject::Constraints {
                contingency: binder.required(&names(&["contingencyName"])),
                element: binder.required(&names(&["constraintName"])),
                value: binder.required(value),
            },
            Rows::Unused { sign } => {
                binder.required(sign);
                Subject::Unused
            }
        }
    }

    /// Gives the columns their slots.
    pub(super) fn in_slots(self, rows: &Rows, sink: &mut Sink) -> Self {
        let (Subject::Columns { values, .. }, Rows::Columns(columns)) = (&self, rows) else {
            return self;
        };
        let mut totals: Vec<(SeriesKey, Vec<usize>)> = Vec::new();
        for (index, number) in values {
            let Some(total) = &columns[*number].total else { continue };
            match totals.iter_mut().find(|(key, _)| key == total) {
                Some((_, parts)) => parts.push(*index),
                None => totals.push((total.clone(), vec![*index])),
            }
        }
        let in_slots =
            values.iter().map(|(index, number)| (*index, sink.slot(&columns[*number].key)));
        let values = in_slots.collect();
        let totals = totals.into_iter().map(|(key, parts)| (sink.slot(&key), parts)).collect();
        Subject::Columns { values, totals }
    }

    /// Reads what a row says, as values in slots of the sink.
    pub(super) fn values(
        &mut self,
        (columns, row): (&Columns, Row<'_>),
        (wanted, sink): (&Wanted, &mut Sink),
        values: &mut Vec<(usize, f64)>,
    ) -> Result<(), String> {
        let number = |index: usize| read(columns, row, index, Cell::number);
        let name = |index: usize| read(columns, row, index, Cell::name);
        match self {
            Subject::Columns { values: found, totals } => {
                for (index, slot) in found {
                    values.extend(number(*index)?.map(|value| (*slot, value)));
                }
                for (slot, parts) in totals {
                    let parts: Result<Vec<Option<f64>>, String> =
                        parts.iter().map(|index| number(*index)).collect();
                    let total: Option<f64> = parts?.into_iter().sum();
                    values.extend(total.map(|value| (*slot, value)));
                }
            }
            Subject::Points { point, kind, value, series, seen } => {
                let kind = kind.map(&name).transpose()?;
                if kind.is_some_and(is_energy_weighted) {
                    return Ok(());
                }
                let point = name(*point)?;
                let slot = match seen.get(point) {
                    Some(slot) => *slot,
                    None => {
                        let slot = slot_of_point(point, *series, (wanted, sink))?;
                        seen.insert(point.to_owned(), slot);
                        slot
                    }
                };
                if let Some(slot) = slot {
                    values.extend(number(*value)?.map(|value| (slot, value)));
                }
            }
            Subject::Services { service, value, series } => {
                let service = name(*service)?;
                match service_named(service) {
                    Some(service) => {
                        let slot = sink.slot(&SeriesKey::system(series(service)));
                        values.extend(number(*value)?.map(|value| (slot, value)));
                    }
                    None => sink.drift(format!("unknown service {}", shortened(service))),
                }
            }
            Subject::Models { model, in_use, values: found } => {
                let series = models_of(row, (columns, *model, *in_use), sink)?;
                for (index, place) in found {
                    let Some(value) = number(*index)? else { continue };
                    for series in series.into_iter().flatten() {
                        let key = SeriesKey { series, place: place.clone() };
                        values.push((sink.slot(&key), value));
                    }
                }
            }
            Subject::Constraints { contingency, element, value } => {
                let (contingency, element) = (name(*contingency)?, name(*element)?);
                let constraint = Constraint::new(contingency, element).ok_or_else(|| {
                    let (contingency, element) = (shortened(contingency), shortened(element));
                    format!("expected a constraint, found {contingency:?} and {element:?}")
                })?;
                let place = Place::Constraint(constraint);
                let slot = sink.slot(&SeriesKey { series: Series::ShadowPrice, place });
                values.extend(number(*value)?.map(|value| (slot, value)));
            }
            Subject::Unused => {}
        }
        Ok(())
    }
}

/// Reads a cell of a row, or says what is wrong with it.
pub(super) fn read<'r, T>(
    columns: &Columns,
    row: Row<'r>,
    index: usize,
    reading: impl FnOnce(&'r Cell<'r>) -> Result<T, Expected>,
) -> Result<T, String> {
    let cell = &row.cells[index];
    reading(cell).map_err(|expected| {
        let column = shortened(columns.name(index));
        format!("column {column}: expected {expected}, found {}", cell.shown())
    })
}

/// Load zones are listed twice under one name: with the price that is meant everywhere else, and
/// with the mean weighted by energy, in either order.
fn is_energy_weighted(kind: &str) -> bool {
    matches!(kind, "LZEW" | "LZ_DCEW")
}

fn slot_of_point(
    name: &str,
    series: Series,
    (wanted, sink): (&Wanted, &mut Sink),
) -> Result<Option<usize>, String> {
    if !wanted.wants(name) {
        return Ok(None);
    }
    let point = SettlementPoint::new(&shortened(name)).map_err(|error| error.to_string())?;
    Ok(Some(sink.slot(&SeriesKey::at(series, &point))))
}

/// Returns the series that a row of the load forecast belongs to: its model's, and that of the
/// forecast in use.
fn models_of(
    row: Row<'_>,
    (columns, model, in_use): (&Columns, usize, usize),
    sink: &mut Sink,
) -> Result<[Option<Series>; 2], String> {
    let name = read(columns, row, model, Cell::name)?;
    let model = model_named(name);
    if model.is_none() {
        sink.drift(format!("unknown load model {}", shortened(name)));
    }
    let is_in_use = read(columns, row, in_use, Cell::flag)? == Some(true);
    Ok([model.map(Series::LoadForecastBy), is_in_use.then_some(Series::LoadForecast)])
}

/// Returns the service that ERCOT calls so.
fn service_named(name: &str) -> Option<AncillaryService> {
    Some(match name {
        "REGUP" => AncillaryService::RegUp,
        "REGDN" => AncillaryService::RegDown,
        "RRS" => AncillaryService::Responsive,
        "ECRS" => AncillaryService::Contingency,
        "NSPIN" => AncillaryService::NonSpin,
        _ => return None,
    })
}

/// Returns the load model that ERCOT calls so.
fn model_named(name: &str) -> Option<LoadModel> {
    Some(match name {
        "A3" => LoadModel::A3,
        "A6" => LoadModel::A6,
        "E" => LoadModel::E,
        "E1" => LoadModel::E1,
        "E2" => LoadModel::E2,
        "E3" => LoadModel::E3,
        "M" => LoadModel::M,
        "X" => LoadModel::X,
        _ => return None,
    })
}
