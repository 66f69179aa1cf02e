//! A table that was read: named columns of equal length, an empty cell being `None`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::error::TableError;
use super::specification::{ColumnKind, ColumnSpec, Presence};
use super::{csv_reader, parquet_reader};

/// The cells of one column.
#[derive(Clone, Debug)]
pub enum Column {
    /// Instants.
    Instants(Vec<Option<Timestamp>>),
    /// Numbers; a NaN in the file is an empty cell.
    Numbers(Vec<Option<f64>>),
    /// Whole numbers.
    Integers(Vec<Option<i64>>),
    /// True or false.
    Flags(Vec<Option<bool>>),
    /// Texts.
    Texts(TextColumn),
}

impl Column {
    pub(super) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Instant => Self::Instants(Vec::new()),
            ColumnKind::Number { .. } => Self::Numbers(Vec::new()),
            ColumnKind::Integer => Self::Integers(Vec::new()),
            ColumnKind::Flag => Self::Flags(Vec::new()),
            ColumnKind::Text => Self::Texts(TextColumn::default()),
        }
    }

    /// Returns the number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Instants(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Integers(cells) => cells.len(),
            Self::Flags(cells) => cells.len(),
            Self::Texts(cells) => cells.codes.len(),
        }
    }

    /// Tells whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn push_empty(&mut self, count: usize) {
        let length = self.len() + count;
        match self {
            Self::Instants(cells) => cells.resize(length, None),
            Self::Numbers(cells) => cells.resize(length, None),
            Self::Integers(cells) => cells.resize(length, None),
            Self::Flags(cells) => cells.resize(length, None),
            Self::Texts(cells) => cells.codes.resize(length, None),
        }
    }

    fn is_cell_empty(&self, row: usize) -> bool {
        match self {
            Self::Instants(cells) => cells[row].is_none(),
            Self::Numbers(cells) => cells[row].is_none(),
            Self::Integers(cells) => cells[row].is_none(),
            Self::Flags(cells) => cells[row].is_none(),
            Self::Texts(cells) => cells.codes[row].is_none(),
        }
    }
}

/// Texts, each distinct one kept once: a million rows name a dozen settlement points.
#[derive(Clone, Debug, Default)]
pub struct TextColumn {
    distinct: Vec<Arc<str>>,
    codes: Vec<Option<usize>>,
    known: HashMap<Arc<str>, usize>,
}

impl TextColumn {
    /// Returns the distinct texts in order of first appearance.
    #[must_use]
    pub fn distinct(&self) -> &[Arc<str>] {
        &self.distinct
    }

    /// Returns for every row the index of its text in [`TextColumn::distinct`].
    #[must_use]
    pub fn codes(&self) -> &[Option<usize>] {
        &self.codes
    }

    /// Returns the text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.codes[row].map(|code| &*self.distinct[code])
    }

    pub(super) fn push(&mut self, text: &str) {
        // Tables are mostly sorted by their texts, so the last one usually repeats.
        if let Some(Some(last)) = self.codes.last()
            && &*self.distinct[*last] == text
        {
            self.codes.push(Some(*last));
            return;
        }
        let code = self.known.get(text).copied().unwrap_or_else(|| {
            let text: Arc<str> = text.into();
            self.distinct.push(text.clone());
            self.known.insert(text, self.distinct.len() - 1);
            self.distinct.len() - 1
        });
        self.codes.push(Some(code));
    }

    pub(super) fn push_empty(&mut self) {
        self.codes.push(None);
    }
}

/// A table that was read.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    rows: usize,
    columns: Vec<(&'static str, Column)>,
    /// The line of every row, when the file is a text file.
    lines: Option<Vec<u64>>,
}

impl Table {
    /// Reads the columns that are asked for from a CSV file (its name ends in `.csv`) or a
    /// Parquet file (any other name), and checks every cell.
    pub fn read(path: &Path, specs: &[ColumnSpec]) -> Result<Self, TableError> {
        let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        let table = if is_csv {
            csv_reader::read(path, specs)?
        } else {
            parquet_reader::read(path, specs)?
        };
        for spec in specs {
            table.check(spec)?;
        }
        Ok(table)
    }

    pub(super) fn new(
        path: &Path,
        rows: usize,
        columns: Vec<(&'static str, Column)>,
        lines: Option<Vec<u64>>,
    ) -> Self {
        Self { path: path.to_path_buf(), rows, columns, lines }
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns a column that was asked for.
    ///
    /// # Panics
    /// When it was not asked for.
    #[must_use]
    pub fn column(&self, name: &str) -> &Column {
        let found = self.columns.iter().find(|(known, _)| *known == name);
        &found.unwrap_or_else(|| panic!("column {name} was not asked for")).1
    }

    /// Returns a column of instants.
    ///
    /// # Panics
    /// When it was not asked for as such; likewise the following four.
    #[must_use]
    pub fn instants(&self, name: &str) -> &[Option<Timestamp>] {
        match self.column(name) {
            Column::Instants(cells) => cells,
            other => not_asked_for_as("instants", name, other),
        }
    }

    /// Returns a column of numbers.
    #[must_use]
    pub fn numbers(&self, name: &str) -> &[Option<f64>] {
        match self.column(name) {
            Column::Numbers(cells) => cells,
            other => not_asked_for_as("numbers", name, other),
        }
    }

    /// Returns a column of whole numbers.
    #[must_use]
    pub fn integers(&self, name: &str) -> &[Option<i64>] {
        match self.column(name) {
            Column::Integers(cells) => cells,
            other => not_asked_for_as("integers", name, other),
        }
    }

    /// Returns a column of flags.
    #[must_use]
    pub fn flags(&self, name: &str) -> &[Option<bool>] {
        match self.column(name) {
            Column::Flags(cells) => cells,
            other => not_asked_for_as("flags", name, other),
        }
    }

    /// Returns a column of texts.
    #[must_use]
    pub fn texts(&self, name: &str) -> &TextColumn {
        match self.column(name) {
            Column::Texts(cells) => cells,
            other => not_asked_for_as("texts", name, other),
        }
    }

    /// Returns the error about a cell that the caller cannot use; `row` is counted from 0.
    #[must_use]
    pub fn malformed(&self, row: usize, column: &str, expected: &str, found: &str) -> TableError {
        TableError::Malformed {
            path: self.path.clone(),
            row: row + 1,
            line: self.lines.as_ref().map(|lines| lines[row]),
            column: column.to_owned(),
            expected: expected.to_owned(),
            found: format!("{found:?}"),
        }
    }

    fn check(&self, spec: &ColumnSpec) -> Result<(), TableError> {
        let column = self.column(spec.name);
        if spec.presence == Presence::Required
            && let Some(row) = (0..column.len()).find(|&row| column.is_cell_empty(row))
        {
            return Err(self.malformed(row, spec.name, spec.kind.expectation(), ""));
        }
        let (ColumnKind::Number { min, max }, Column::Numbers(cells)) = (spec.kind, column) else {
            return Ok(());
        };
        let outside = |cell: &Option<f64>| cell.is_some_and(|x| !(min <= x && x <= max));
        let Some(row) = cells.iter().position(outside) else { return Ok(()) };
        let found = cells[row].map_or_else(String::new, |x| x.to_string());
        Err(self.malformed(row, spec.name, &format!("a number from {min} to {max}"), &found))
    }
}

fn not_asked_for_as(what: &str, name: &str, column: &Column) -> ! {
    let kind = match column {
        Column::Instants(_) => "instants",
        Column::Numbers(_) => "numbers",
        Column::Integers(_) => "integers",
        Column::Flags(_) => "flags",
        Column::Texts(_) => "texts",
    };
    panic!("column {name} was asked for as {kind}, not as {what}")
}

/// Returns the name among `names` that is spelled most like `name`, when one is close.
pub(super) fn nearest_name(name: &str, names: &[String]) -> Option<String> {
    /// More typing errors than this make another word.
    const DISTANCE_MAX: usize = 4;
    let distances = names.iter().map(|candidate| (edit_distance(name, candidate), candidate));
    let (distance, nearest) = distances.min()?;
    (distance <= DISTANCE_MAX).then(|| nearest.clone())
}

fn edit_distance(a: &str, b: &str) -> usize {
    let lower = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (a, b) = (lower(a), lower(b));
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, &of_a) in a.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, &of_b) in b.iter().enumerate() {
            let replaced = previous[j] + usize::from(of_a != of_b);
            current.push(replaced.min(previous[j + 1] + 1).min(current[j] + 1));
        }
        previous = current;
    }
    previous[b.len()]
}
