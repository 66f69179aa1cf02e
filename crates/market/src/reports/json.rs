//! Rows of the Public API: `fields` name the columns, `data` holds a list for each row.
//!
//! The body is read twice, for its fields and for its rows, so that no row outlives its turn:
//! whatever order the body has, memory does not grow with the rows.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cell::Cell;
use super::columns::{COLUMNS_MAX, Columns};

/// What the API says about the page itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) total_records: u64,
    pub(super) page_size: u64,
    pub(super) total_pages: u64,
    pub(super) current_page: u64,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
}

/// The rows of a body whose fields are read.
#[derive(Debug)]
pub(super) struct JsonRows<'a> {
    width: usize,
    pub(super) meta: Option<Meta>,
    body: &'a [u8],
}

impl<'a> JsonRows<'a> {
    /// Reads everything but the rows.
    pub(super) fn new(body: &'a [u8]) -> Result<(Columns, Self), String> {
        let head: Head = serde_json::from_slice(body)
            .map_err(|error| format!("is no page of rows of the Public API ({error})"))?;
        if head.fields.is_empty() {
            return Err("is no page of rows of the Public API: it names no fields".to_owned());
        }
        let columns = Columns::new(head.fields.into_iter().map(|field| field.name))?;
        let width = columns.len();
        Ok((columns, Self { width, meta: head.meta, body }))
    }

    /// Hands over every row with its number, or what is wrong with it, until told to stop.
    pub(super) fn for_each(
        self,
        mut row: impl FnMut(u64, Result<&[Cell<'_>], String>) -> bool,
    ) -> Result<(), String> {
        let rows = Rows { width: self.width, row: &mut row };
        let mut body = serde_json::Deserializer::from_slice(self.body);
        Body(rows).deserialize(&mut body).map_err(|error| format!("has broken rows ({error})"))
    }
}

type RowFn<'f> = &'f mut dyn FnMut(u64, Result<&[Cell<'_>], String>) -> bool;

struct Rows<'f> {
    width: usize,
    row: RowFn<'f>,
}

/// The whole body; all but `data` is passed over.
struct Body<'f>(Rows<'f>);

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with fields and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut rows = Some(self.0);
        while let Some(key) = map.next_key::<String>()? {
            if key != "data" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let rows = rows.take().ok_or_else(|| A::Error::duplicate_field("data"))?;
            map.next_value_seed(rows)?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    /// ERCOT's specification shows an object where there are no rows.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match map.next_entry::<IgnoredAny, IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("expected a list of rows, found an object")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut cells = Vec::with_capacity(self.width);
        let (mut number, mut goes_on) = (0, true);
        while seq.next_element_seed(RowCells { width: self.width, cells: &mut cells })?.is_some() {
            number += 1;
            // After a stop the rest is still read, but not looked at: the body must end.
            if goes_on {
                let row = if cells.len() == self.width {
                    Ok(cells.as_slice())
                } else {
                    let width = self.width;
                    Err(format!(
                        "expected {width} cells as there are fields, found {}",
                        cells.len()
                    ))
                };
                goes_on = (self.row)(number, row);
            }
            cells.clear();
        }
        Ok(())
    }
}

struct RowCells<'c, 'de> {
    width: usize,
    cells: &'c mut Vec<Cell<'de>>,
}

impl<'de> DeserializeSeed<'de> for RowCells<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowCells<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row, which is a list of cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(cell) = seq.next_element::<Cell<'de>>()? {
            if self.cells.len() <= self.width.min(COLUMNS_MAX) {
                self.cells.push(cell);
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cell")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Empty)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Cell<'de>, E> {
        Ok(Cell::Flag(flag))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number of a report needs more than 53 bits")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell<'de>, E> {
        Ok(Cell::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number of a report needs more than 53 bits")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell<'de>, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell<'de>, E> {
        Ok(Cell::Number(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cell<'de>, E> {
        Ok(Cell::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell<'de>, E> {
        Ok(Cell::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(body: &str) -> Result<Vec<String>, String> {
        let (_, rows) = JsonRows::new(body.as_bytes())?;
        let mut seen = Vec::new();
        rows.for_each(|number, row| {
            seen.push(match row {
                Ok(cells) => {
                    let cells: Vec<String> = cells.iter().map(Cell::shown).collect();
                    format!("{number}: {}", cells.join("|"))
                }
                Err(reason) => format!("{number}! {reason}"),
            });
            true
        })?;
        Ok(seen)
    }

    #[test]
    fn rows_are_read_before_and_after_their_fields() {
        let rows = r#""data": [["a \u0041", 1, -2.5, true, null], [[1], {"x": 2}, " ", 7, 8]]"#;
        let fields = r#""fields": [{"name": "a", "label": "A"}, {"name": "b"}, {"name": "c"},
            {"name": "d"}, {"name": "e"}]"#;
        let expected = [
            "1: \"a A\"|1|-2.5|true|nothing",
            "2: a list or an object|a list or an object|nothing|7|8",
        ];
        for body in [format!("{{{rows}, {fields}}}"), format!("{{{fields}, \"x\": {{}}, {rows}}}")]
        {
            assert_eq!(seen(&body).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn a_row_of_the_wrong_width_is_named_and_the_others_are_read() {
        assert_eq!(
            seen(r#"{"fields": [{"name": "a"}], "data": [[1, 2, 3], [], [4]]}"#).unwrap(),
            [
                "1! expected 1 cells as there are fields, found 2",
                "2! expected 1 cells as there are fields, found 0",
                "3: 4"
            ]
        );
    }

    #[test]
    fn no_rows_are_written_in_three_ways() {
        for data in ["[]", "{}", "null"] {
            let body = format!(r#"{{"fields": [{{"name": "a"}}], "data": {data}}}"#);
            assert_eq!(seen(&body).unwrap(), Vec::<String>::new(), "{data}");
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for body in [
            "",
            "{",
            "[]",
            r#"{"message": "Unauthorized"}"#,
            r#"{"fields": [], "data": []}"#,
            r#"{"fields": [{"name": "a"}], "data": {"a": 1}}"#,
            r#"{"fields": [{"name": "a"}], "data": [1]}"#,
            r#"{"fields": [{"name": "a"}], "data": [[1], [2"#,
        ] {
            assert!(seen(body).is_err(), "{body}");
        }
    }
}
