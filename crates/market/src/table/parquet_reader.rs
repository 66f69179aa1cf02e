//! Reads columns from a Parquet file: whatever pandas, polars or arrow write for instants,
//! numbers, flags and texts. Nested columns are not read.

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use jiff::Timestamp;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::columns::{Column, Table, nearest_name};
use super::error::TableError;
use super::specification::{ColumnKind, ColumnSpec, Presence};

/// A table that claims more rows than this is damaged: 5-minute prices of a century are 10 million.
const ROWS_MAX: usize = 50_000_000;

pub(super) fn read(path: &Path, specs: &[ColumnSpec]) -> Result<Table, TableError> {
    guarded(path, || read_columns(path, specs))
}

/// Runs a reader that may panic on a damaged file: the Parquet library checks some of its
/// expectations by assertions.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    // Nothing outlives the closure but its result, so nothing half-changed can be seen.
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(damaged(path, "its parts contradict each other")))
}

fn read_columns(path: &Path, specs: &[ColumnSpec]) -> Result<Table, TableError> {
    let reader = open(path, specs)?;
    let mut rows = 0;
    for group in reader.metadata().row_groups() {
        rows += rows_of(path, group)?;
        if ROWS_MAX < rows {
            return Err(damaged(path, "it claims an impossible number of rows"));
        }
    }
    let mut columns = Vec::with_capacity(specs.len());
    for spec in specs {
        columns.push((spec.name, read_column(path, &reader, spec, rows)?));
    }
    Ok(Table::new(path, rows, columns, None))
}

/// Reads the key-value metadata of a Parquet file, without its rows.
pub fn read_metadata(path: &Path) -> Result<BTreeMap<String, String>, TableError> {
    guarded(path, || read_pairs(path))
}

fn read_pairs(path: &Path) -> Result<BTreeMap<String, String>, TableError> {
    let reader = open(path, &[])?;
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    let pairs = pairs.into_iter().flatten();
    Ok(pairs.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect())
}

fn open(path: &Path, specs: &[ColumnSpec]) -> Result<SerializedFileReader<File>, TableError> {
    let expected = || {
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        format!("a Parquet file with the columns {}", names.join(", "))
    };
    let file = File::open(path).map_err(|cause| TableError::from_io(path, expected, cause))?;
    SerializedFileReader::new(file).map_err(|error| read_error(path, error))
}

fn rows_of(path: &Path, group: &RowGroupMetaData) -> Result<usize, TableError> {
    usize::try_from(group.num_rows()).map_err(|_| damaged(path, "a negative number of rows"))
}

fn damaged(path: &Path, detail: &str) -> TableError {
    TableError::Damaged { path: path.to_path_buf(), detail: detail.to_owned() }
}

fn read_error(path: &Path, error: ParquetError) -> TableError {
    if let ParquetError::External(cause) = error {
        return match cause.downcast::<std::io::Error>() {
            Ok(cause) if cause.kind() != std::io::ErrorKind::UnexpectedEof => {
                TableError::NotReadable { path: path.to_path_buf(), cause: *cause }
            }
            Ok(cause) => damaged(path, &cause.to_string()),
            Err(cause) => damaged(path, &cause.to_string()),
        };
    }
    damaged(path, &error.to_string())
}

fn read_column(
    path: &Path,
    reader: &SerializedFileReader<File>,
    spec: &ColumnSpec,
    rows: usize,
) -> Result<Column, TableError> {
    let descriptors = reader.metadata().file_metadata().schema_descr().columns();
    let is_it = |d: &ColumnDescriptor| d.path().parts().len() == 1 && d.name() == spec.name;
    let mut column = Column::new(spec.kind);
    let Some(index) = descriptors.iter().position(|descriptor| is_it(descriptor)) else {
        if spec.presence == Presence::Optional {
            column.push_empty(rows);
            return Ok(column);
        }
        let names: Vec<String> = descriptors.iter().map(|d| d.name().to_owned()).collect();
        return Err(TableError::MissingColumn {
            path: path.to_path_buf(),
            column: spec.name.to_owned(),
            found: names.join(", "),
            nearest: nearest_name(spec.name, &names),
        });
    };
    let descriptor = &descriptors[index];
    let form = form(descriptor, spec.kind).ok_or_else(|| TableError::WrongType {
        path: path.to_path_buf(),
        column: spec.name.to_owned(),
        expected: spec.kind.expectation(),
        found: describe(descriptor),
    })?;
    for group in 0..reader.num_row_groups() {
        let failed = |error| read_error(path, error);
        let group = reader.get_row_group(group).map_err(failed)?;
        let rows = rows_of(path, group.metadata())?;
        let cells = group.get_column_reader(index).map_err(failed)?;
        let before = column.len();
        append(&mut column, cells, form, rows).map_err(failed)?;
        if column.len() != before + rows {
            return Err(damaged(path, &format!("column {} is too short", spec.name)));
        }
    }
    Ok(column)
}

/// How the file's values become cells.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// As they are.
    Plain,
    /// Ticks since 1970, so many per second.
    Ticks { per_second: i64 },
}

/// Decides whether and how a column of the file can be read as `kind`.
fn form(descriptor: &ColumnDescriptor, kind: ColumnKind) -> Option<Form> {
    let logical = descriptor.logical_type_ref();
    let converted = descriptor.converted_type();
    let is_time_or_decimal = matches!(
        logical,
        Some(
            LogicalType::Timestamp(_)
                | LogicalType::Time(_)
                | LogicalType::Date
                | LogicalType::Decimal(_)
        )
    ) || matches!(
        converted,
        ConvertedType::DECIMAL
            | ConvertedType::DATE
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS
    );
    let plain = match (kind, descriptor.physical_type()) {
        (ColumnKind::Instant, PhysicalType::INT64) => {
            return ticks(descriptor).map(|per_second| Form::Ticks { per_second });
        }
        (ColumnKind::Number { .. }, PhysicalType::DOUBLE | PhysicalType::FLOAT)
        | (ColumnKind::Flag, PhysicalType::BOOLEAN) => true,
        (
            ColumnKind::Number { .. } | ColumnKind::Integer,
            PhysicalType::INT32 | PhysicalType::INT64,
        ) => !is_time_or_decimal,
        (ColumnKind::Text, PhysicalType::BYTE_ARRAY) => !is_time_or_decimal,
        _ => false,
    };
    plain.then_some(Form::Plain)
}

/// Returns the ticks per second of a UTC timestamp column; a timestamp without zone is none.
fn ticks(descriptor: &ColumnDescriptor) -> Option<i64> {
    match (descriptor.logical_type_ref(), descriptor.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) if timestamp.is_adjusted_to_u_t_c => {
            Some(match timestamp.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            })
        }
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some(1_000),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some(1_000_000),
        _ => None,
    }
}

fn describe(descriptor: &ColumnDescriptor) -> String {
    match descriptor.logical_type_ref() {
        Some(LogicalType::Timestamp(timestamp)) if !timestamp.is_adjusted_to_u_t_c => {
            "timestamps without a time zone".to_owned()
        }
        Some(logical) => format!("{} ({logical:?})", descriptor.physical_type()),
        None => descriptor.physical_type().to_string(),
    }
}

/// Appends one row group's cells.
fn append(
    column: &mut Column,
    reader: ColumnReader,
    form: Form,
    rows: usize,
) -> Result<(), ParquetError> {
    match (column, reader) {
        (Column::Instants(cells), ColumnReader::Int64ColumnReader(reader)) => {
            let Form::Ticks { per_second } = form else {
                return Err(ParquetError::General("no time unit".to_owned()));
            };
            extend(cells, reader, rows, |ticks| instant(ticks, per_second).map(Some))
        }
        (Column::Numbers(cells), ColumnReader::DoubleColumnReader(reader)) => {
            extend(cells, reader, rows, |x| Ok(number(x)))
        }
        (Column::Numbers(cells), ColumnReader::FloatColumnReader(reader)) => {
            extend(cells, reader, rows, |x| Ok(number(f64::from(x))))
        }
        (Column::Numbers(cells), ColumnReader::Int32ColumnReader(reader)) => {
            extend(cells, reader, rows, |x| Ok(Some(f64::from(x))))
        }
        (Column::Numbers(cells), ColumnReader::Int64ColumnReader(reader)) =>
        {
            #[expect(clippy::cast_precision_loss, reason = "no unit here needs 53 bits")]
            extend(cells, reader, rows, |x| Ok(Some(x as f64)))
        }
        (Column::Integers(cells), ColumnReader::Int32ColumnReader(reader)) => {
            extend(cells, reader, rows, |x| Ok(Some(i64::from(x))))
        }
        (Column::Integers(cells), ColumnReader::Int64ColumnReader(reader)) => {
            extend(cells, reader, rows, |x| Ok(Some(x)))
        }
        (Column::Flags(cells), ColumnReader::BoolColumnReader(reader)) => {
            extend(cells, reader, rows, |x| Ok(Some(x)))
        }
        (Column::Texts(cells), ColumnReader::ByteArrayColumnReader(reader)) => {
            let (values, present) = values(reader, rows)?;
            let mut values = values.iter();
            for is_present in present {
                match if is_present { values.next() } else { None } {
                    Some(text) => cells.push(str::from_utf8(text.data()).map_err(|error| {
                        ParquetError::General(format!("a text is not UTF-8: {error}"))
                    })?),
                    None => cells.push_empty(),
                }
            }
            Ok(())
        }
        _ => Err(ParquetError::General("the values are not of the declared type".to_owned())),
    }
}

fn extend<T: DataType, C>(
    cells: &mut Vec<Option<C>>,
    reader: ColumnReaderImpl<T>,
    rows: usize,
    cell: impl Fn(T::T) -> Result<Option<C>, ParquetError>,
) -> Result<(), ParquetError> {
    let (values, present) = values(reader, rows)?;
    cells.reserve(rows);
    let mut values = values.into_iter();
    for is_present in present {
        let value = if is_present { values.next() } else { None };
        cells.push(value.map_or(Ok(None), &cell)?);
    }
    Ok(())
}

/// Reads one row group's values, and for every row whether it has one.
fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
) -> Result<(Vec<T::T>, Vec<bool>), ParquetError> {
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let (read, _, _) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    // A column that may not be empty has no levels.
    let present = if levels.is_empty() {
        vec![true; read]
    } else {
        levels.iter().map(|&level| 0 < level).collect()
    };
    Ok((values, present))
}

fn instant(ticks: i64, per_second: i64) -> Result<Timestamp, ParquetError> {
    let nanosecond = ticks.rem_euclid(per_second) * (1_000_000_000 / per_second);
    i32::try_from(nanosecond)
        .ok()
        .and_then(|nanosecond| Timestamp::new(ticks.div_euclid(per_second), nanosecond).ok())
        .ok_or_else(|| ParquetError::General(format!("the instant {ticks} is out of range")))
}

fn number(x: f64) -> Option<f64> {
    (!x.is_nan()).then_some(x)
}
