//! A report's table: its columns as ERCOT spells them in CSV files and in JSON, and its cells.
//!
//! What stands in the cells is decided in `layouts`; here each kind of cell is written the way
//! ERCOT writes it. Local times are naive in both formats, as they are at ERCOT.

use jiff::civil::{Date, DateTime};
use serde_json::{Value, json};

/// One column. A column that one of the formats does not have has no name there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) csv: Option<&'static str>,
    pub(super) json: &'static str,
    pub(super) kind: Kind,
}

/// What a column holds, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Day,
    Instant,
    /// An instant of which JSON has only minutes and seconds.
    Minutes,
    Hour(HourStyle),
    Text,
    Flag,
    Whole,
    Number(NumberStyle),
}

/// How an hour ending is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HourStyle {
    /// CSV `01:00`, JSON `"01:00"`.
    Clock,
    /// CSV `1:00`, JSON `"01:00"`.
    ShortClock,
    /// CSV `01`, JSON `1`.
    Padded,
    /// CSV `1`, JSON `1`.
    Plain,
    /// CSV `01:00`, JSON `1.0`.
    Fraction,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberStyle {
    /// All its digits.
    Exact,
    /// At most two decimals.
    Cents,
    /// The same after a blank, in CSV.
    CentsAfterBlank,
    /// Always two decimals, in CSV.
    TwoDecimals,
    /// At most one decimal.
    Tenths,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Empty,
    Day(Date),
    Instant(DateTime),
    Hour(u8),
    Text(String),
    Flag(bool),
    Whole(i64),
    Number(f64),
}

/// One row, a cell for each column.
pub(super) type Row = Vec<Cell>;

impl Column {
    pub(super) const fn new(csv: &'static str, json: &'static str, kind: Kind) -> Self {
        Self { csv: Some(csv), json, kind }
    }

    /// A column that CSV files do not have: their name says when they were posted.
    pub(super) const fn json_only(json: &'static str, kind: Kind) -> Self {
        Self { csv: None, json, kind }
    }

    pub(super) fn data_type(&self) -> &'static str {
        match self.kind {
            Kind::Day => "DATE",
            Kind::Instant => "DATETIME",
            Kind::Minutes => "TIME",
            Kind::Hour(HourStyle::Clock | HourStyle::ShortClock) | Kind::Text => "VARCHAR",
            Kind::Hour(HourStyle::Padded | HourStyle::Plain) | Kind::Whole => "INTEGER",
            Kind::Hour(HourStyle::Fraction) | Kind::Number(_) => "DOUBLE",
            Kind::Flag => "BOOLEAN",
        }
    }

    /// Tells whether rows can be asked for by a range of the column's values.
    pub(super) fn has_range(&self) -> bool {
        !matches!(self.data_type(), "VARCHAR" | "BOOLEAN")
    }

    pub(super) fn write_csv(&self, cell: &Cell) -> String {
        match cell {
            Cell::Empty => String::new(),
            Cell::Day(day) => day.strftime("%m/%d/%Y").to_string(),
            Cell::Instant(instant) => instant.strftime("%m/%d/%Y %H:%M:%S").to_string(),
            Cell::Hour(hour) => match self.kind {
                Kind::Hour(HourStyle::ShortClock) => format!("{hour}:00"),
                Kind::Hour(HourStyle::Padded) => format!("{hour:02}"),
                Kind::Hour(HourStyle::Plain) => hour.to_string(),
                _ => format!("{hour:02}:00"),
            },
            Cell::Text(text) => text.clone(),
            Cell::Flag(flag) => if *flag { "Y" } else { "N" }.to_owned(),
            Cell::Whole(number) => number.to_string(),
            Cell::Number(number) => match self.style() {
                NumberStyle::CentsAfterBlank => format!(" {}", self.rounded(*number)),
                NumberStyle::TwoDecimals => format!("{number:.2}"),
                _ => self.rounded(*number).to_string(),
            },
        }
    }

    pub(super) fn write_json(&self, cell: &Cell) -> Value {
        match cell {
            Cell::Empty => Value::Null,
            Cell::Day(day) => json!(day.to_string()),
            Cell::Instant(instant) => {
                let is_short = self.kind == Kind::Minutes;
                let format = if is_short { "%M:%S" } else { "%Y-%m-%dT%H:%M:%S" };
                json!(instant.strftime(format).to_string())
            }
            Cell::Hour(hour) => match self.kind {
                Kind::Hour(HourStyle::Padded | HourStyle::Plain) => json!(hour),
                Kind::Hour(HourStyle::Fraction) => json!(f64::from(*hour)),
                _ => json!(format!("{hour:02}:00")),
            },
            Cell::Text(text) => json!(text),
            Cell::Flag(flag) => json!(flag),
            Cell::Whole(number) => json!(number),
            Cell::Number(number) => json!(self.rounded(*number)),
        }
    }

    fn style(&self) -> NumberStyle {
        match self.kind {
            Kind::Number(style) => style,
            _ => NumberStyle::Exact,
        }
    }

    fn rounded(&self, number: f64) -> f64 {
        // Adding zero turns the negative zero that rounding leaves into zero.
        let to = |digits: f64| (number * digits).round() / digits + 0.0;
        match self.style() {
            NumberStyle::Exact => number,
            NumberStyle::Cents | NumberStyle::CentsAfterBlank | NumberStyle::TwoDecimals => {
                to(100.0)
            }
            NumberStyle::Tenths => to(10.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn check(kind: Kind, cell: Cell, csv: &str, json: Value) {
        let column = Column::new("Column", "column", kind);
        assert_eq!(column.write_csv(&cell), csv);
        assert_eq!(column.write_json(&cell), json);
    }

    #[test]
    fn cells_are_written_as_in_the_recorded_files() {
        let day = date(2024, 1, 16);
        check(Kind::Day, Cell::Day(day), "01/16/2024", json!("2024-01-16"));
        let instant = Cell::Instant(day.at(1, 10, 23, 0));
        check(Kind::Instant, instant.clone(), "01/16/2024 01:10:23", json!("2024-01-16T01:10:23"));
        check(Kind::Minutes, instant, "01/16/2024 01:10:23", json!("10:23"));
        check(Kind::Hour(HourStyle::Clock), Cell::Hour(1), "01:00", json!("01:00"));
        check(Kind::Hour(HourStyle::ShortClock), Cell::Hour(1), "1:00", json!("01:00"));
        check(Kind::Hour(HourStyle::Padded), Cell::Hour(1), "01", json!(1));
        check(Kind::Hour(HourStyle::Plain), Cell::Hour(19), "19", json!(19));
        check(Kind::Hour(HourStyle::Fraction), Cell::Hour(19), "19:00", json!(19.0));
        check(Kind::Flag, Cell::Flag(true), "Y", json!(true));
        check(Kind::Text, Cell::Empty, "", Value::Null);
        let number = |style, number, csv: &str, json| {
            check(Kind::Number(style), Cell::Number(number), csv, json);
        };
        number(NumberStyle::CentsAfterBlank, 30.571, " 30.57", json!(30.57));
        number(NumberStyle::CentsAfterBlank, 4.0, " 4", json!(4.0));
        number(NumberStyle::TwoDecimals, 1354.1, "1354.10", json!(1354.1));
        number(NumberStyle::Cents, -0.001, "0", json!(0.0));
        number(NumberStyle::Tenths, 8327.24, "8327.2", json!(8327.2));
    }
}
