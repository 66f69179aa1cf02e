//! Writes columns to a Parquet file: zstd, timestamps that pandas and polars read as UTC, and the
//! same bytes for the same content.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use parquet::basic::Type as PhysicalType;
use parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, TimeUnit, TimestampType, ZstdLevel,
};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type as SchemaType};

use super::atomic::write_atomically;
use super::error::WriteError;

/// What the file says about its writer; fixed, so that equal content gives equal bytes.
const CREATED_BY: &str = "spikecast";

/// Rows per row group: readers decode one at a time, and one of these takes a few megabytes.
const ROW_GROUP_ROWS: usize = 250_000;

/// The cells of a column to write.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Instants, written as UTC microseconds.
    Instants(Vec<Timestamp>),
    /// Calendar days.
    Days(Vec<Date>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Numbers, some of them missing.
    NullableNumbers(Vec<Option<f64>>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// True or false.
    Flags(Vec<bool>),
    /// Texts; equal ones may share their memory.
    Texts(Vec<Arc<str>>),
}

impl ColumnData {
    fn len(&self) -> usize {
        match self {
            Self::Instants(cells) => cells.len(),
            Self::Days(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::NullableNumbers(cells) => cells.len(),
            Self::Integers(cells) => cells.len(),
            Self::Flags(cells) => cells.len(),
            Self::Texts(cells) => cells.len(),
        }
    }

    fn schema(&self, name: &str) -> Result<SchemaType, ParquetError> {
        let utc_micros = TimestampType { is_adjusted_to_u_t_c: true, unit: TimeUnit::MICROS };
        let (physical, logical) = match self {
            Self::Instants(_) => (PhysicalType::INT64, Some(LogicalType::Timestamp(utc_micros))),
            Self::Days(_) => (PhysicalType::INT32, Some(LogicalType::Date)),
            Self::Numbers(_) | Self::NullableNumbers(_) => (PhysicalType::DOUBLE, None),
            Self::Integers(_) => (PhysicalType::INT64, None),
            Self::Flags(_) => (PhysicalType::BOOLEAN, None),
            Self::Texts(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = match self {
            Self::NullableNumbers(_) => Repetition::OPTIONAL,
            _ => Repetition::REQUIRED,
        };
        SchemaType::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
    }
}

/// Writes a Parquet file as a whole (see [`write_atomically`]).
///
/// # Panics
/// When the columns have different lengths or two have the same name.
pub fn write_parquet(
    path: &Path,
    columns: &[(&str, ColumnData)],
    metadata: &[(String, String)],
) -> Result<(), WriteError> {
    let rows = columns.first().map_or(0, |(_, data)| data.len());
    for (index, (name, data)) in columns.iter().enumerate() {
        assert_eq!(data.len(), rows, "column {name} has as many cells as the others");
        let repeats = columns[..index].iter().any(|(earlier, _)| earlier == name);
        assert!(!repeats, "column {name} is there once");
    }
    let groups: Vec<Range<usize>> = (0..rows)
        .step_by(ROW_GROUP_ROWS)
        .map(|first| first..rows.min(first + ROW_GROUP_ROWS))
        .collect();
    let bytes = encode_parquet(columns, &groups, metadata);
    write_atomically(path, |out| out.write_all(&bytes))
}

/// Encodes columns of equal length as a Parquet file with these row groups.
pub(crate) fn encode_parquet(
    columns: &[(&str, ColumnData)],
    groups: &[Range<usize>],
    metadata: &[(String, String)],
) -> Vec<u8> {
    encode(columns, groups, metadata).expect("flat columns of equal length encode")
}

fn encode(
    columns: &[(&str, ColumnData)],
    groups: &[Range<usize>],
    metadata: &[(String, String)],
) -> Result<Vec<u8>, ParquetError> {
    let mut fields = Vec::with_capacity(columns.len());
    for (name, data) in columns {
        fields.push(Arc::new(data.schema(name)?));
    }
    let schema = SchemaType::group_type_builder("schema").with_fields(fields).build()?;
    let properties = properties(columns, metadata)?;
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    for range in groups {
        let mut group = writer.next_row_group()?;
        for (_, data) in columns {
            write_column(&mut group, data, range.clone())?;
        }
        group.close()?;
    }
    writer.into_inner()
}

fn properties(
    columns: &[(&str, ColumnData)],
    metadata: &[(String, String)],
) -> Result<WriterProperties, ParquetError> {
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let mut builder = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata((!metadata.is_empty()).then(|| pairs.collect()));
    for (name, data) in columns {
        let path = ColumnPath::from((*name).to_owned());
        builder = match data {
            // Instants advance by equal steps, which differences compress to almost nothing.
            ColumnData::Instants(_) | ColumnData::Integers(_) | ColumnData::Days(_) => builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            ColumnData::Numbers(_) | ColumnData::NullableNumbers(_) => {
                builder.set_column_dictionary_enabled(path, false)
            }
            ColumnData::Flags(_) | ColumnData::Texts(_) => builder,
        };
    }
    Ok(builder.build())
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    data: &ColumnData,
    rows: Range<usize>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.ok_or_else(wrong_writer)?;
    match (column.untyped(), data) {
        (ColumnWriter::Int64ColumnWriter(writer), ColumnData::Instants(cells)) => {
            let ticks: Vec<i64> = cells[rows].iter().map(|cell| cell.as_microsecond()).collect();
            writer.write_batch(&ticks, None, None)?;
        }
        (ColumnWriter::Int32ColumnWriter(writer), ColumnData::Days(cells)) => {
            let days: Vec<i32> = cells[rows].iter().map(|cell| days_since_1970(*cell)).collect();
            writer.write_batch(&days, None, None)?;
        }
        (ColumnWriter::DoubleColumnWriter(writer), ColumnData::Numbers(cells)) => {
            writer.write_batch(&cells[rows], None, None)?;
        }
        (ColumnWriter::DoubleColumnWriter(writer), ColumnData::NullableNumbers(cells)) => {
            let levels: Vec<i16> = cells[rows.clone()].iter().map(|c| c.is_some().into()).collect();
            let present: Vec<f64> = cells[rows].iter().copied().flatten().collect();
            writer.write_batch(&present, Some(&levels), None)?;
        }
        (ColumnWriter::Int64ColumnWriter(writer), ColumnData::Integers(cells)) => {
            writer.write_batch(&cells[rows], None, None)?;
        }
        (ColumnWriter::BoolColumnWriter(writer), ColumnData::Flags(cells)) => {
            writer.write_batch(&cells[rows], None, None)?;
        }
        (ColumnWriter::ByteArrayColumnWriter(writer), ColumnData::Texts(cells)) => {
            writer.write_batch(&byte_arrays(&cells[rows]), None, None)?;
        }
        _ => return Err(wrong_writer()),
    }
    column.close()
}

fn wrong_writer() -> ParquetError {
    ParquetError::General("the columns are not those of the schema".to_owned())
}

fn days_since_1970(day: Date) -> i32 {
    let since = day.duration_since(jiff::civil::date(1970, 1, 1));
    i32::try_from(since.as_hours() / 24).expect("a calendar day lies within 10,000 years")
}

/// Copies every text once per run of equal ones.
fn byte_arrays(texts: &[Arc<str>]) -> Vec<ByteArray> {
    let mut arrays: Vec<ByteArray> = Vec::with_capacity(texts.len());
    for text in texts {
        let array = match arrays.last() {
            Some(last) if last.data() == text.as_bytes() => last.clone(),
            _ => ByteArray::from(&**text),
        };
        arrays.push(array);
    }
    arrays
}
