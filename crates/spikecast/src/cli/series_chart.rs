//! A series as a chart of characters: dots over time (braille, two by four to a character), with the
//! axis' ends in figures.

use jiff::Timestamp;
use market::time::local;

use crate::report::quantity;

/// Characters of the chart; a terminal of 80 leaves room for the figures beside it.
const COLUMNS: usize = 64;
const ROWS: usize = 12;

/// Dots of a braille character by row and column, as the bits of its code point.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
const BLANK: u32 = 0x2800;

/// Draws points within a span of time; the lines from the top.
pub(super) fn series_chart(
    points: &[(Timestamp, f64)],
    (from, to): (Timestamp, Timestamp),
) -> Vec<String> {
    let values = || points.iter().map(|point| point.1);
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let extent = if low < high { high - low } else { 1.0 };
    let span = (to - from).as_secs_f64().max(1.0);
    let mut cells = vec![[BLANK; COLUMNS]; ROWS];
    let mut previous: Option<(usize, usize)> = None;
    for (at, value) in points {
        let x = dot((*at - from).as_secs_f64() / span, 2 * COLUMNS);
        let y = dot((high - value) / extent, 4 * ROWS);
        // Neighbours are joined, or a steep rise would be a few lost dots.
        let start = previous.filter(|before| x - before.0 <= 1).map_or(y, |before| before.1);
        for y in start.min(y)..=start.max(y) {
            cells[y / 4][x / 2] |= DOTS[y % 4][x % 2];
        }
        previous = Some((x, y));
    }
    let mut lines: Vec<String> = Vec::new();
    for (index, row) in cells.iter().enumerate() {
        let figure = match index {
            0 => quantity(high.max(low + extent)),
            _ if index == ROWS - 1 => quantity(low),
            _ => String::new(),
        };
        let dots: String = row.iter().filter_map(|cell| char::from_u32(*cell)).collect();
        lines.push(format!("{figure:>12} │{dots}"));
    }
    let text = |instant: Timestamp| local(instant).strftime("%-d %b %Y %H:%M").to_string();
    let (first, last) = (text(from), text(to));
    let room = COLUMNS.saturating_sub(first.chars().count());
    lines.push(format!("{:>12} └{}", "", "─".repeat(COLUMNS)));
    lines.push(format!("{:14}{first}{last:>room$}", ""));
    lines
}

/// Returns the dot at a share of an axis of `count` dots.
fn dot(share: f64, count: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "clamped to the axis, which is short"
    )]
    let index = (share.clamp(0.0, 1.0) * count as f64) as usize;
    index.min(count - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn the_highest_value_stands_on_top_and_the_lowest_below() {
        let at = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let lines = series_chart(&[(at(0), -10.0), (at(9), 90.0)], (at(0), at(10)));
        assert!(lines[0].contains("90 │") && lines[0].contains('⠈'), "{}", lines[0]);
        assert!(lines[ROWS - 1].contains("−10 │⡀"), "{}", lines[ROWS - 1]);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }

    #[test]
    fn nothing_is_an_empty_chart() {
        let lines = series_chart(&[], (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH));
        assert_eq!(lines.len(), ROWS + 2);
    }
}
