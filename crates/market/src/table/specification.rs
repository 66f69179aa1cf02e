//! What is asked for: the columns of a table, their kinds, and what their cells may hold.

/// What a column's cells are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColumnKind {
    /// An instant with its offset from UTC.
    Instant,
    /// A number within bounds, both included.
    Number {
        /// The smallest number that is believed.
        min: f64,
        /// The largest number that is believed.
        max: f64,
    },
    /// A whole number.
    Integer,
    /// True or false.
    Flag,
    /// A text.
    Text,
}

impl ColumnKind {
    /// Any number but the infinite ones.
    pub const ANY_NUMBER: Self = Self::Number { min: f64::MIN, max: f64::MAX };

    pub(super) fn expectation(self) -> &'static str {
        match self {
            ColumnKind::Instant => "instants in UTC, e.g. 2024-08-19T14:57:00Z",
            ColumnKind::Number { .. } => "numbers",
            ColumnKind::Integer => "whole numbers",
            ColumnKind::Flag => "true or false",
            ColumnKind::Text => "text (UTF-8)",
        }
    }
}

/// Whether a column and its cells may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The column is there and no cell is empty.
    Required,
    /// The column is there; cells may be empty.
    Nullable,
    /// The column may be absent, which reads as a column of empty cells.
    Optional,
}

/// One column that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnSpec {
    /// Its name.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
    /// What may be missing.
    pub presence: Presence,
}

impl ColumnSpec {
    /// Asks for a column that is there, without an empty cell.
    #[must_use]
    pub const fn required(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, presence: Presence::Required }
    }

    /// Asks for a column that is there; its cells may be empty.
    #[must_use]
    pub const fn nullable(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, presence: Presence::Nullable }
    }

    /// Asks for a column that may be absent.
    #[must_use]
    pub const fn optional(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, presence: Presence::Optional }
    }
}
