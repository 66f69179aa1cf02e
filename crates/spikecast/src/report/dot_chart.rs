//! Dots with intervals: skill by group and row, each with its name on the left and its number on the
//! right, so that no legend is needed.
//!
//! Zero, where climatology is, is always drawn. Very bad skill would squeeze everything else, so the
//! axis stops at a floor; what lies beyond is an arrow at the edge, and its number still stands.

use super::forecast_view::Estimate;
use super::format;
use super::scale::{Axis, Scale};
use super::svg::{Anchor, Area, Canvas, Place};

const WIDTH: f64 = 400.0;
const ROW_HEIGHT: f64 = 15.0;
const GROUP_GAP: f64 = 9.0;
const TOP: f64 = 6.0;

/// Room for thresholds, and for a character of a row's name.
const GROUP_WIDTH: f64 = 48.0;
const CHARACTER_WIDTH: f64 = 6.3;

/// Room for the numbers on the right.
const NUMBER_WIDTH: f64 = 52.0;

/// The axis ends here even if some skill is worse.
pub(super) const SKILL_AXIS_FLOOR: f64 = -0.5;

/// Rows that belong together.
#[derive(Clone, Debug)]
pub(super) struct DotGroup {
    /// The name of the group.
    pub(super) label: String,
    /// The class of the style sheet that colours it.
    pub(super) class: String,
    /// Its rows.
    pub(super) dots: Vec<Dot>,
}

/// A dot with its interval.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    /// The name of the row; empty where the group has only one.
    pub(super) label: String,
    /// How much attention it wants.
    pub(super) emphasis: Emphasis,
    /// The number; absent where it is undefined.
    pub(super) estimate: Option<Estimate>,
}

/// How much attention a row wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emphasis {
    /// The row that counts.
    Main,
    /// A row for comparison.
    Quiet,
}

/// Draws skill in percent against climatology.
pub(super) fn draw(label: &str, groups: &[DotGroup]) -> String {
    let plot = plot_area(groups);
    let axis = axis_for(groups);
    let scale = axis.onto(plot.x, plot.right());
    let mut canvas = Canvas::new(WIDTH, plot.bottom() + 22.0, label);
    for tick in &axis.ticks {
        let x = scale.at(*tick);
        let class = if tick.abs() < 1e-9 { "zero" } else { "grid" };
        canvas.line(Place::new(x, plot.y), Place::new(x, plot.bottom()), class);
        let at = Place::new(x, plot.bottom() + 14.0);
        canvas.text(at, Anchor::Middle, "tick", &tick_label(*tick));
    }
    let mut y = plot.y;
    for group in groups {
        let at = Place::new(0.0, y + 11.0);
        canvas.text(at, Anchor::Start, &format!("key {}", group.class), &group.label);
        for dot in &group.dots {
            draw_row(&mut canvas, &scale, y + ROW_HEIGHT / 2.0, (dot, &group.class));
            let at = Place::new(plot.x - 8.0, y + 11.0);
            canvas.text(at, Anchor::End, row_class(dot.emphasis), &dot.label);
            y += ROW_HEIGHT;
        }
        y += GROUP_GAP;
    }
    canvas.finish()
}

/// Returns a tick's words: zero is where climatology is.
pub(super) fn tick_label(tick: f64) -> String {
    if tick.abs() < 1e-9 {
        "0".to_owned()
    } else {
        format!("{:+.0}", 100.0 * tick).replace('-', "−")
    }
}

fn draw_row(canvas: &mut Canvas, scale: &Scale, y: f64, about: (&Dot, &str)) {
    let (dot, class) = about;
    let value = dot.estimate.map_or(f64::NAN, |estimate| estimate.value);
    let at = Place::new(WIDTH, y + 3.5);
    canvas.text(at, Anchor::End, row_class(dot.emphasis), &format::signed_percent(value));
    let Some(estimate) = dot.estimate else { return };
    let quiet = match dot.emphasis {
        Emphasis::Main => "",
        Emphasis::Quiet => " quiet",
    };
    let from = Place::new(scale.at(estimate.lower), y);
    let to = Place::new(scale.at(estimate.upper), y);
    canvas.line(from, to, &format!("whisker {class}{quiet}"));
    if scale.contains(estimate.value) {
        let radius = if dot.emphasis == Emphasis::Main { 4.2 } else { 3.0 };
        canvas.dot(Place::new(scale.at(estimate.value), y), radius, &format!("dot {class}{quiet}"));
    } else {
        let x = scale.at(estimate.value);
        let corners =
            [Place::new(x, y), Place::new(x + 6.0, y - 4.0), Place::new(x + 6.0, y + 4.0)];
        canvas.polygon(&corners, &format!("dot {class}{quiet}"));
    }
}

fn row_class(emphasis: Emphasis) -> &'static str {
    match emphasis {
        Emphasis::Main => "row main",
        Emphasis::Quiet => "row",
    }
}

fn plot_area(groups: &[DotGroup]) -> Area {
    let mut longest = 0.0_f64;
    let mut height = 0.0;
    for group in groups {
        for dot in &group.dots {
            let width = dot.label.chars().fold(0.0, |width, _| width + CHARACTER_WIDTH);
            longest = longest.max(width);
            height += ROW_HEIGHT;
        }
        height += GROUP_GAP;
    }
    let x = (GROUP_WIDTH + longest + 8.0).min(WIDTH / 2.0);
    Area { x, y: TOP, width: WIDTH - NUMBER_WIDTH - x, height }
}

fn axis_for(groups: &[DotGroup]) -> Axis {
    let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
    for estimate in groups.iter().flat_map(|group| &group.dots).filter_map(|dot| dot.estimate) {
        lowest = lowest.min(estimate.lower).min(estimate.value);
        highest = highest.max(estimate.upper).max(estimate.value);
    }
    Axis::of_skill(lowest.max(SKILL_AXIS_FLOOR), highest.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(estimates: &[Option<Estimate>]) -> DotGroup {
        let dots = estimates.iter().map(|estimate| Dot {
            label: "lead day 1".to_owned(),
            emphasis: Emphasis::Main,
            estimate: *estimate,
        });
        DotGroup { label: "$50".to_owned(), class: "t0".to_owned(), dots: dots.collect() }
    }

    #[test]
    fn undefined_skill_has_a_dash_and_no_dot() {
        let picture = draw("skill", &[group(&[None])]);
        assert!(picture.contains(">–<") && !picture.contains("<circle"));
    }

    #[test]
    fn skill_below_the_floor_is_an_arrow_with_its_number() {
        let terrible = Estimate { value: -3.0, lower: -4.0, upper: -2.0 };
        let fine = Estimate { value: 0.1, lower: 0.05, upper: 0.15 };
        let picture = draw("skill", &[group(&[Some(terrible), Some(fine)])]);
        assert_eq!(picture.matches("<circle").count(), 1);
        assert!(picture.contains("−300"));
        assert!(picture.contains(">−60<"), "the axis ends at the tick below the floor");
    }

    #[test]
    fn zero_is_always_marked() {
        let fine = Estimate { value: 0.2, lower: 0.15, upper: 0.25 };
        assert_eq!(draw("skill", &[group(&[Some(fine)])]).matches("class=\"zero\"").count(), 1);
    }
}
