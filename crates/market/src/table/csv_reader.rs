//! Reads columns from a CSV file with a header line. Spaces around a cell do not count.

use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use jiff::Timestamp;

use super::columns::{Column, Table, nearest_name};
use super::error::TableError;
use super::specification::{ColumnKind, ColumnSpec, Presence};

pub(super) fn read(path: &Path, specs: &[ColumnSpec]) -> Result<Table, TableError> {
    let expected = || {
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        format!("a CSV file with the columns {}", names.join(", "))
    };
    let file = File::open(path).map_err(|cause| TableError::from_io(path, expected, cause))?;
    let mut reader = ReaderBuilder::new().from_reader(file);
    let headers = reader.byte_headers().map_err(|error| read_error(path, 0, error))?.clone();
    let names: Vec<String> =
        headers.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let indices = indices(path, &names, specs)?;
    let mut columns: Vec<Column> = specs.iter().map(|spec| Column::new(spec.kind)).collect();
    let mut lines = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|e| read_error(path, lines.len(), e))? {
        let line = record.position().map_or(0, csv::Position::line);
        for ((spec, column), index) in specs.iter().zip(&mut columns).zip(&indices) {
            let cell = index.map_or(&b""[..], |index| record[index].trim_ascii());
            push_cell(column, cell).map_err(|()| TableError::Malformed {
                path: path.to_path_buf(),
                row: lines.len() + 1,
                line: Some(line),
                column: spec.name.to_owned(),
                expected: cell_expectation(spec.kind).to_owned(),
                found: format!("{:?}", String::from_utf8_lossy(cell)),
            })?;
        }
        lines.push(line);
    }
    let columns = specs.iter().map(|spec| spec.name).zip(columns).collect();
    Ok(Table::new(path, lines.len(), columns, Some(lines)))
}

fn indices(
    path: &Path,
    names: &[String],
    specs: &[ColumnSpec],
) -> Result<Vec<Option<usize>>, TableError> {
    let mut indices = Vec::with_capacity(specs.len());
    for spec in specs {
        let index = names.iter().position(|name| name == spec.name);
        if index.is_none() && spec.presence != Presence::Optional {
            return Err(TableError::MissingColumn {
                path: path.to_path_buf(),
                column: spec.name.to_owned(),
                found: names.join(", "),
                nearest: nearest_name(spec.name, names),
            });
        }
        indices.push(index);
    }
    Ok(indices)
}

fn cell_expectation(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Instant => "an instant, e.g. 2024-08-19T14:57:00Z",
        ColumnKind::Number { .. } => "a number",
        ColumnKind::Integer => "a whole number",
        ColumnKind::Flag => "true or false",
        ColumnKind::Text => "text in UTF-8",
    }
}

fn push_cell(column: &mut Column, cell: &[u8]) -> Result<(), ()> {
    if cell.is_empty() {
        column.push_empty(1);
        return Ok(());
    }
    let text = str::from_utf8(cell).map_err(|_| ())?;
    match column {
        Column::Instants(cells) => cells.push(Some(text.parse::<Timestamp>().map_err(|_| ())?)),
        Column::Numbers(cells) => {
            let number: f64 = text.parse().map_err(|_| ())?;
            if number.is_infinite() {
                return Err(());
            }
            cells.push((!number.is_nan()).then_some(number));
        }
        Column::Integers(cells) => cells.push(Some(text.parse().map_err(|_| ())?)),
        Column::Flags(cells) => cells.push(Some(match text {
            "true" | "True" | "TRUE" => true,
            "false" | "False" | "FALSE" => false,
            _ => return Err(()),
        })),
        Column::Texts(cells) => cells.push(text),
    }
    Ok(())
}

/// Translates the reader's error; `rows` complete rows were read before it.
fn read_error(path: &Path, rows: usize, error: csv::Error) -> TableError {
    let path = path.to_path_buf();
    let line = error.position().map(csv::Position::line);
    match error.into_kind() {
        ErrorKind::Io(cause) => TableError::NotReadable { path, cause },
        ErrorKind::UnequalLengths { expected_len, len, .. } => TableError::Malformed {
            path,
            row: rows + 1,
            line,
            column: "(all)".to_owned(),
            expected: format!("{expected_len} cells as in the header line"),
            found: format!("{len} cells"),
        },
        other => TableError::Damaged { path, detail: format!("{other:?}") },
    }
}
