//! Reads single columns of single row groups from a Parquet file in memory, of which some bytes
//! may be absent: an object store gives ranges, and a reader of one place needs few of them.
//!
//! Only for files that this program wrote: a column is of the one type that it was written with,
//! and no cell is empty. Users' files are read by `parquet_reader`.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};

/// The bytes of a file that are at hand, by their offset.
#[derive(Clone, Debug)]
pub(crate) struct FileBytes {
    length: u64,
    segments: Vec<(u64, Bytes)>,
}

impl FileBytes {
    /// Takes a file as a whole.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, segments: vec![(0, bytes)] }
    }

    /// Takes the end of a file of this length.
    pub(crate) fn tail(length: u64, tail: Bytes) -> Self {
        let start = length.saturating_sub(tail.len() as u64);
        Self { length, segments: vec![(start, tail)] }
    }

    /// Adds bytes that start at an offset.
    pub(crate) fn add(&mut self, start: u64, bytes: Bytes) {
        self.segments.push((start, bytes));
    }

    fn bytes_from(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        for (first, bytes) in &self.segments {
            let Some(skipped) = start.checked_sub(*first) else { continue };
            let Ok(skipped) = usize::try_from(skipped) else { continue };
            if skipped.checked_add(length).is_some_and(|end| end <= bytes.len()) {
                return Ok(bytes.slice(skipped..));
            }
        }
        Err(ParquetError::General(format!("{length} bytes from {start} on are not there")))
    }
}

impl Length for FileBytes {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for FileBytes {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.bytes_from(start, 1)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.bytes_from(start, length)?.slice(..length))
    }
}

/// How many of a Parquet file's last bytes must be at hand to open it, told by the last eight.
pub(crate) fn footer_length(tail: &[u8]) -> Option<u64> {
    /// The footer's own length and the mark `PAR1`.
    const TRAILER: usize = 8;
    let trailer = tail.get(tail.len().checked_sub(TRAILER)?..)?;
    let length = u32::from_le_bytes(trailer.get(..4)?.try_into().ok()?);
    Some(u64::from(length) + TRAILER as u64)
}

/// A Parquet file in memory.
pub(crate) struct ParquetBytes {
    reader: SerializedFileReader<FileBytes>,
}

impl fmt::Debug for ParquetBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetBytes").field("groups", &self.groups()).finish()
    }
}

impl ParquetBytes {
    /// Opens a file; its end must be at hand. The error says what is broken.
    pub(crate) fn open(bytes: FileBytes) -> Result<Self, String> {
        guarded(|| SerializedFileReader::new(bytes)).map(|reader| Self { reader })
    }

    /// Returns the key-value metadata.
    pub(crate) fn metadata(&self) -> BTreeMap<String, String> {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata();
        let pairs = pairs.into_iter().flatten();
        pairs.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect()
    }

    /// Returns the number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// Returns the number of rows of a group.
    pub(crate) fn rows(&self, group: usize) -> Result<usize, String> {
        let rows = self.group(group)?.num_rows();
        usize::try_from(rows).map_err(|_| "a negative number of rows".to_owned())
    }

    /// Returns which bytes of the file a row group takes.
    pub(crate) fn byte_range(&self, group: usize) -> Result<Range<u64>, String> {
        let group = self.group(group)?;
        let (mut first, mut end) = (u64::MAX, 0);
        for column in group.columns() {
            let (start, length) = guarded(|| Ok(column.byte_range()))?;
            first = first.min(start);
            end = end.max(start.saturating_add(length));
        }
        Ok(first..end.max(first))
    }

    /// Returns the first and last text of a sorted column of texts in a row group.
    pub(crate) fn text_bounds(&self, group: usize, column: &str) -> Option<(&str, &str)> {
        let index = self.column(column).ok()?;
        let statistics = self.group(group).ok()?.column(index).statistics()?;
        let (min, max) = (statistics.min_bytes_opt()?, statistics.max_bytes_opt()?);
        Some((text_of(min)?, text_of(max)?))
    }

    /// Returns the smallest and the largest whole number of a column in a row group.
    pub(crate) fn integer_bounds(&self, group: usize, column: &str) -> Option<(i64, i64)> {
        let index = self.column(column).ok()?;
        let statistics = self.group(group).ok()?.column(index).statistics()?;
        let whole = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_le_bytes);
        Some((whole(statistics.min_bytes_opt()?)?, whole(statistics.max_bytes_opt()?)?))
    }

    /// Reads whole numbers (of instants: the microseconds).
    pub(crate) fn integers(&self, group: usize, column: &str) -> Result<Vec<i64>, String> {
        self.read(group, column, |reader, rows| match reader {
            ColumnReader::Int64ColumnReader(reader) => values(reader, rows),
            _ => Err(wrong_type()),
        })
    }

    /// Reads numbers.
    pub(crate) fn numbers(&self, group: usize, column: &str) -> Result<Vec<f64>, String> {
        self.read(group, column, |reader, rows| match reader {
            ColumnReader::DoubleColumnReader(reader) => values(reader, rows),
            _ => Err(wrong_type()),
        })
    }

    /// Reads texts as runs of equal ones: each text with the rows that it fills.
    pub(crate) fn text_runs(
        &self,
        group: usize,
        column: &str,
    ) -> Result<Vec<(String, Range<usize>)>, String> {
        let texts: Vec<ByteArray> = self.read(group, column, |reader, rows| match reader {
            ColumnReader::ByteArrayColumnReader(reader) => values(reader, rows),
            _ => Err(wrong_type()),
        })?;
        let mut runs: Vec<(String, Range<usize>)> = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            match runs.last_mut() {
                Some((last, rows)) if last.as_bytes() == text.data() => rows.end = row + 1,
                Some(_) | None => {
                    let text = text_of(text.data()).ok_or("a text is not UTF-8")?;
                    runs.push((text.to_owned(), row..row + 1));
                }
            }
        }
        Ok(runs)
    }

    fn read<T>(
        &self,
        group: usize,
        column: &str,
        read: impl FnOnce(ColumnReader, usize) -> Result<Vec<T>, ParquetError>,
    ) -> Result<Vec<T>, String> {
        let rows = self.rows(group)?;
        let index = self.column(column)?;
        guarded(|| {
            let cells = read(self.reader.get_row_group(group)?.get_column_reader(index)?, rows)?;
            match cells.len() == rows {
                true => Ok(cells),
                false => Err(ParquetError::General(format!("column {column} is too short"))),
            }
        })
    }

    fn group(&self, group: usize) -> Result<&RowGroupMetaData, String> {
        self.reader.metadata().row_groups().get(group).ok_or_else(|| "no such row group".to_owned())
    }

    fn column(&self, name: &str) -> Result<usize, String> {
        let columns = self.reader.metadata().file_metadata().schema_descr().columns();
        let found = columns.iter().position(|column| column.name() == name);
        found.ok_or_else(|| format!("has no column {name:?}"))
    }
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

fn wrong_type() -> ParquetError {
    ParquetError::General("the values are not of the declared type".to_owned())
}

/// Reads one row group's values of a column without empty cells.
fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
) -> Result<Vec<T::T>, ParquetError> {
    /// A damaged file may claim any number of rows; more than this is not reserved in advance.
    const RESERVED_MAX: usize = 2_000_000;
    let mut values = Vec::with_capacity(rows.min(RESERVED_MAX));
    while values.len() < rows {
        let (_, read, _) = reader.read_records(rows - values.len(), None, None, &mut values)?;
        if read == 0 {
            break;
        }
    }
    Ok(values)
}

/// Runs a reader that may panic on a damaged file: the Parquet library checks some of its
/// expectations by assertions.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    // Nothing outlives the closure but its result, so nothing half-changed can be seen.
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| {
            Err(ParquetError::General("its parts contradict each other".to_owned()))
        })
        .map_err(|error| error.to_string())
}
