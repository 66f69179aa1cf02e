//! Tables in the terminal: columns as wide as what is in them. Prints nothing itself.

/// On which side of its column a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Returns the lines of a table, the header first.
pub(super) fn table<const N: usize>(
    header: [(&str, Side); N],
    rows: &[[String; N]],
) -> Vec<String> {
    let width = |text: &str| text.chars().count();
    let mut widths = header.map(|(name, _)| width(name));
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (column, cell) in cells.into_iter().enumerate() {
            let gap = " ".repeat(widths[column].saturating_sub(width(cell)));
            match header[column].1 {
                Side::Left => line.extend([cell, gap.as_str(), "  "]),
                Side::Right => line.extend([gap.as_str(), cell, "  "]),
            }
        }
        line.trim_end().to_owned()
    };
    let names = header.map(|(name, _)| name);
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(names)).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let row = |name: &str, number: &str| [name.to_owned(), number.to_owned()];
        let header = [("series", Side::Left), ("n", Side::Right)];
        let rows = [row("rt_lmp", "7"), row("load_forecast", "12")];
        assert_eq!(
            table(header, &rows),
            ["series          n", "rt_lmp          7", "load_forecast  12"]
        );
    }
}
