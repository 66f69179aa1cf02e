//! A day in one line: a coloured cell per hour, for comparing settlement points and days at a glance.
//!
//! Columns are hours of the clock, so that strips line up: the hour that spring skips stays an empty
//! frame, the hour that autumn repeats shares its column. True lengths are in `meteogram`.

use super::colour;
use super::forecast_view::{DayView, HourView};
use super::format;
use super::svg::{Anchor, Area, Canvas, Place};

const CELL: f64 = 15.0;
const CELL_HEIGHT: f64 = 24.0;

/// An extra gap after each six hours, in place of grid lines.
const GROUP_GAP: f64 = 3.0;
const WIDTH: f64 = 24.0 * CELL + 3.0 * GROUP_GAP;

/// From here on a probability is printed on its cell; below, the colour says enough.
const FIGURE_MIN: f64 = 0.10;

/// Draws one day at one threshold.
pub(super) fn draw(settlement_point: &str, day: &DayView, threshold: usize) -> String {
    let summary = day.peak(threshold).map_or_else(
        || format!("{settlement_point}, {}: no hours", day.label),
        |(hour, peak)| {
            format!(
                "{settlement_point}, {}: at most {} at {}",
                day.label,
                format::percent(peak.probability),
                hour.clock()
            )
        },
    );
    let mut canvas = Canvas::new(WIDTH, CELL_HEIGHT, &summary);
    for hour_ending in 1..=24 {
        let sharing: Vec<&HourView> =
            day.hours.iter().filter(|hour| hour.hour_ending == hour_ending).collect();
        let column = column(hour_ending);
        match sharing.as_slice() {
            [] => canvas.rect_with_title(column, "skipped", "This hour does not exist that day"),
            [hour] => draw_cell(&mut canvas, column, day, (hour, threshold)),
            [first, .., last] => {
                let half = Area { width: column.width / 2.0 - 0.3, ..column };
                draw_cell(&mut canvas, half, day, (first, threshold));
                let half = Area { x: column.right() - half.width, ..half };
                draw_cell(&mut canvas, half, day, (last, threshold));
            }
        }
    }
    canvas.finish()
}

/// Draws the clock that goes under a column of strips.
pub(super) fn draw_clock() -> String {
    let mut canvas = Canvas::new(WIDTH, 14.0, "Hours of the day, from 0 to 24");
    for hour in [0_u8, 6, 12, 18] {
        let x = column(hour + 1).x;
        canvas.text(Place::new(x, 11.0), Anchor::Start, "tick", &format!("{hour:02}"));
    }
    canvas.text(Place::new(WIDTH, 11.0), Anchor::End, "tick", "24");
    canvas.finish()
}

fn draw_cell(canvas: &mut Canvas, cell: Area, day: &DayView, about: (&HourView, usize)) {
    let (hour, threshold) = about;
    let Some(it) = hour.exceedances.get(threshold) else { return };
    let class = colour::class_of(it.probability);
    let title = format!(
        "{} {}: {}, usual {}",
        day.label,
        hour.clock(),
        format::percent(it.probability),
        format::percent(it.climatology)
    );
    canvas.rect_with_title(cell, &format!("c{class}"), &title);
    if FIGURE_MIN <= it.probability && CELL / 2.0 < cell.width {
        let at = Place::new(cell.x + cell.width / 2.0, CELL_HEIGHT / 2.0 + 3.2);
        let text = format!("{:.0}", 100.0 * it.probability);
        canvas.text(at, Anchor::Middle, &format!("figure o{class}"), &text);
    }
}

/// Returns the column of an hour ending.
fn column(hour_ending: u8) -> Area {
    let before = hour_ending.saturating_sub(1);
    let x = f64::from(before) * CELL + f64::from(before / 6) * GROUP_GAP;
    Area { x: x + 0.5, y: 0.0, width: CELL - 1.0, height: CELL_HEIGHT }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(length: sample::DayLength, hours: usize, skipped: usize) {
        let strip = draw("HB_WEST", &sample::day_of("Sunday", 1, length), 1);
        assert_eq!(strip.matches("<rect class=\"c").count(), hours);
        assert_eq!(strip.matches("class=\"skipped\"").count(), skipped);
    }

    #[test]
    fn every_hour_has_a_cell_and_the_skipped_one_a_frame() {
        check(sample::DayLength::Ordinary, 24, 0);
        check(sample::DayLength::Spring, 23, 1);
        check(sample::DayLength::Autumn, 25, 0);
    }

    #[test]
    fn columns_stay_within_the_strip() {
        assert!(column(1).x < 1.0);
        assert!(column(24).right() <= WIDTH);
        assert!(column(6).right() < column(7).x - GROUP_GAP);
    }
}
