//! Rows of a CSV file, line by line. A quotation mark that is never closed spoils its own line
//! only, because no report has a cell of several lines.

use std::borrow::Cow;

use super::cell::Cell;
use super::columns::Columns;

/// The rows of a CSV file whose header line is read.
#[derive(Debug)]
pub(super) struct CsvRows<'a> {
    width: usize,
    lines: Lines<'a>,
}

impl<'a> CsvRows<'a> {
    /// Reads the header line, the first that is not blank.
    pub(super) fn new(bytes: &'a [u8]) -> Result<(Columns, Self), String> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut lines = Lines { rest: bytes, number: 0 };
        let Some((_, header)) = lines.next() else { return Err("is empty".to_owned()) };
        let header = String::from_utf8_lossy(header);
        let mut cells = Vec::new();
        split(&header, &mut cells)?;
        let names = cells.into_iter().map(|cell| match cell {
            Cell::Text(name) => name.into_owned(),
            Cell::Empty | Cell::Number(_) | Cell::Flag(_) | Cell::Nested => String::new(),
        });
        let columns = Columns::new(names)?;
        let width = columns.len();
        Ok((columns, Self { width, lines }))
    }

    /// Hands over every row with its line, or what is wrong with the line, until told to stop.
    pub(super) fn for_each(self, mut row: impl FnMut(u64, Result<&[Cell<'_>], String>) -> bool) {
        let mut cells = Vec::with_capacity(self.width);
        for (number, line) in self.lines {
            cells.clear();
            let read = cells_of(line, self.width, &mut cells);
            if !row(number, read.map(|()| cells.as_slice())) {
                return;
            }
        }
    }
}

fn cells_of<'a>(line: &'a [u8], width: usize, cells: &mut Vec<Cell<'a>>) -> Result<(), String> {
    let line = str::from_utf8(line).map_err(|_| "expected text in UTF-8".to_owned())?;
    split(line, cells)?;
    let is_blank = |cell: &Cell<'_>| *cell == Cell::Empty;
    // Some reports end every line with one more comma than their header.
    while width < cells.len() && cells.last().is_some_and(is_blank) {
        cells.pop();
    }
    if cells.len() == width {
        Ok(())
    } else {
        Err(format!("expected {width} cells as in the header line, found {}", cells.len()))
    }
}

/// Splits a line at its commas, but for those between quotation marks.
fn split<'a>(line: &'a str, cells: &mut Vec<Cell<'a>>) -> Result<(), String> {
    if !line.contains('"') {
        cells.extend(line.split(',').map(|cell| Cell::of_text(Cow::Borrowed(cell))));
        return Ok(());
    }
    let (mut cell, mut is_quoted) = (String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(Cell::of_text(Cow::Owned(std::mem::take(&mut cell)))),
            _ => cell.push(c),
        }
    }
    cells.push(Cell::of_text(Cow::Owned(cell)));
    if is_quoted { Err("a quotation mark is not closed".to_owned()) } else { Ok(()) }
}

/// The lines that are not blank, with their numbers.
#[derive(Debug)]
struct Lines<'a> {
    rest: &'a [u8],
    number: u64,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let (line, rest) = match end {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &[][..]),
            };
            self.rest = rest;
            self.number += 1;
            let line = line.trim_ascii();
            if !line.is_empty() {
                return Some((self.number, line));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: &[u8]) -> Vec<String> {
        let (columns, rows) = CsvRows::new(bytes).unwrap();
        let mut seen = vec![columns.shown()];
        rows.for_each(|line, row| {
            seen.push(match row {
                Ok(cells) => {
                    let cells: Vec<String> = cells.iter().map(Cell::shown).collect();
                    format!("{line}: {}", cells.join("|"))
                }
                Err(reason) => format!("{line}! {reason}"),
            });
            true
        });
        seen
    }

    #[test]
    fn blanks_line_ends_and_blank_lines_do_not_count() {
        assert_eq!(
            seen(b"\xEF\xBB\xBFA, B \r\n 1,  2.5\r\n\r\nx,\n  \n"),
            ["A, B", "2: \"1\"|\"2.5\"", "4: \"x\"|nothing"]
        );
    }

    #[test]
    fn a_line_of_the_wrong_width_is_named() {
        assert_eq!(
            seen(b"A,B\n1\n1,2,\n1,2,3\n\xFF,2\n"),
            [
                "A, B",
                "2! expected 2 cells as in the header line, found 1",
                "3: \"1\"|\"2\"",
                "4! expected 2 cells as in the header line, found 3",
                "5! expected text in UTF-8"
            ]
        );
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_spoils_one_line() {
        assert_eq!(
            seen(b"A,B\n\"a, \"\"b\"\"\",2\n\"1,2\n3,4\n"),
            [
                "A, B",
                "2: \"a, \\\"b\\\"\"|\"2\"",
                "3! a quotation mark is not closed",
                "4: \"3\"|\"4\""
            ]
        );
    }

    #[test]
    fn nothing_is_no_table() {
        assert!(CsvRows::new(b" \r\n \n").is_err());
    }
}
