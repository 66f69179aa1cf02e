//! Relative economic value by cost–loss ratio, on a logarithmic ratio axis: whose costs are small
//! against the loss is on the left.
//!
//! Value below zero is worse than knowing the base rate; the axis stops at a floor.

use super::format;
use super::scale::Scale;
use super::svg::{Anchor, Area, Canvas, Place};
use super::verification_view::{Role, ValueChart, ValueCurve};

const WIDTH: f64 = 400.0;
const PLOT: Area = Area { x: 40.0, y: 10.0, width: 350.0, height: 170.0 };
const VALUE_FLOOR: f64 = -0.2;
const LEGEND_ROW: f64 = 14.0;

/// Draws one threshold.
pub(super) fn draw(chart: &ValueChart, class: &str) -> String {
    let threshold = format::dollars(chart.threshold);
    let label = format!("Relative economic value above {threshold} by cost–loss ratio");
    let rows = super::scale::as_f64(chart.curves.len() as u64);
    let height = PLOT.bottom() + 38.0 + LEGEND_ROW * rows;
    let mut canvas = Canvas::new(WIDTH, height, &label);
    let across = Scale::new((-3.0, 0.0), (PLOT.x, PLOT.right()));
    let up = Scale::new((VALUE_FLOOR, 1.0), (PLOT.bottom(), PLOT.y));
    for tick in [-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let y = up.at(tick);
        let line = if tick == 0.0 { "zero" } else { "grid" };
        canvas.line(Place::new(PLOT.x, y), Place::new(PLOT.right(), y), line);
        let text = format!("{tick:.1}").replace('-', "−");
        canvas.text(Place::new(PLOT.x - 6.0, y + 3.5), Anchor::End, "tick", &text);
    }
    for (exponent, name) in [(-3.0, "0.001"), (-2.0, "0.01"), (-1.0, "0.1"), (0.0, "1")] {
        let x = across.at(exponent);
        canvas.line(Place::new(x, PLOT.y), Place::new(x, PLOT.bottom()), "grid");
        canvas.text(Place::new(x, PLOT.bottom() + 15.0), Anchor::Middle, "tick", name);
    }
    let middle = PLOT.x + PLOT.width / 2.0;
    canvas.text(Place::new(middle, PLOT.bottom() + 28.0), Anchor::Middle, "tick", "cost / loss");
    draw_base_rate(&mut canvas, &across, chart.base_rate);
    let mut y = PLOT.bottom() + 44.0;
    for curve in &chart.curves {
        let line = line_class(curve.role, class);
        let places = curve.points.iter().filter(|(_, value)| value.is_finite());
        let places: Vec<Place> = places
            .map(|(ratio, value)| Place::new(across.at(ratio.log10()), up.at(*value)))
            .collect();
        if !places.is_empty() {
            canvas.polyline(&places, &line);
        }
        draw_legend(&mut canvas, curve, &line, y);
        y += LEGEND_ROW;
    }
    canvas.finish()
}

fn draw_base_rate(canvas: &mut Canvas, across: &Scale, base_rate: f64) {
    if 0.0 < base_rate {
        let x = across.at(base_rate.log10());
        canvas.line(Place::new(x, PLOT.y), Place::new(x, PLOT.bottom()), "diagonal");
        canvas.text(Place::new(x + 4.0, PLOT.y + 10.0), Anchor::Start, "tick faint", "base rate");
    }
}

fn draw_legend(canvas: &mut Canvas, curve: &ValueCurve, line: &str, y: f64) {
    canvas.line(Place::new(PLOT.x, y - 3.5), Place::new(PLOT.x + 22.0, y - 3.5), line);
    canvas.text(Place::new(PLOT.x + 30.0, y), Anchor::Start, "row", &curve.name);
}

fn line_class(role: Role, class: &str) -> String {
    match role {
        Role::Issued => format!("line reference {class}"),
        Role::Reference => "line usual".to_owned(),
        Role::NotIssuable => format!("line dotted {class}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_values_leave_no_mark_but_the_name() {
        let curve = ValueCurve {
            name: "issued forecast".to_owned(),
            role: Role::Issued,
            points: vec![(0.01, f64::NAN), (0.1, f64::NAN)],
        };
        let picture =
            draw(&ValueChart { threshold: 100.0, base_rate: 0.0, curves: vec![curve] }, "t1");
        assert!(!picture.contains("NaN") && picture.contains("issued forecast"));
    }

    #[test]
    fn every_curve_is_a_line_with_its_name() {
        let curve = |name: &str, role| ValueCurve {
            name: name.to_owned(),
            role,
            points: vec![(0.01, 0.4), (0.1, -3.0)],
        };
        let curves = vec![curve("issued", Role::Issued), curve("late", Role::NotIssuable)];
        let picture = draw(&ValueChart { threshold: 100.0, base_rate: 0.02, curves }, "t1");
        assert_eq!(picture.matches("line reference t1").count(), 2);
        assert_eq!(picture.matches("line dotted t1").count(), 2);
        assert!(picture.contains("base rate"));
    }
}
