//! Reliability: how often it happened when a probability was said. The line is the calibration curve
//! (isotonic regression), the grey band where it would lie if the forecast were calibrated, dots are
//! ten bins of equal size. Beneath, how many hours had which probability, in bars of equal width on a
//! logarithmic axis.
//!
//! Both axes share one linear scale from zero, so that the diagonal is where a forecaster wants to be.

use super::backtest_view::ReliabilityCurve;
use super::format;
use super::scale::{Axis, Scale, as_f64, log_share};
use super::svg::{Anchor, Area, Canvas, Place};

const WIDTH: f64 = 260.0;
const PLOT: Area = Area { x: 40.0, y: 10.0, width: 210.0, height: 210.0 };
const BARS: Area = Area { x: 40.0, y: 250.0, width: 210.0, height: 46.0 };

/// Draws one threshold.
pub(super) fn draw(curve: &ReliabilityCurve, class: &str) -> String {
    let threshold = format::dollars(curve.threshold);
    let label =
        format!("Reliability above {threshold}: observed frequency by forecast probability");
    let mut canvas = Canvas::new(WIDTH, BARS.bottom() + 16.0, &label);
    let axis = axis_for(curve);
    draw_axes(&mut canvas, &axis);
    let across = axis.onto(PLOT.x, PLOT.right());
    let up = axis.onto(PLOT.bottom(), PLOT.y);
    draw_band(&mut canvas, curve, (&across, &up));
    draw_steps(&mut canvas, curve, (&across, &up), class);
    for bin in &curve.bins {
        let place = Place::new(across.at(bin.forecast), up.at(bin.observed.value));
        canvas.dot(place, 3.2, &format!("dot {class}"));
    }
    draw_bars(&mut canvas, curve, &axis, class);
    canvas.finish()
}

fn draw_band(canvas: &mut Canvas, curve: &ReliabilityCurve, (across, up): (&Scale, &Scale)) {
    let shown = || curve.band.iter().filter(|point| across.contains(point.forecast));
    let upper = shown().map(|point| Place::new(across.at(point.forecast), up.at(point.upper)));
    let lower = shown().map(|point| Place::new(across.at(point.forecast), up.at(point.lower)));
    let mut places: Vec<Place> = upper.collect();
    places.extend(lower.collect::<Vec<_>>().into_iter().rev());
    if !places.is_empty() {
        canvas.polygon(&places, "band");
    }
}

fn draw_steps(
    canvas: &mut Canvas,
    curve: &ReliabilityCurve,
    (across, up): (&Scale, &Scale),
    class: &str,
) {
    let mut places = Vec::with_capacity(2 * curve.steps.len());
    for step in curve.steps.iter().filter(|step| across.contains(step.lowest)) {
        let y = up.at(step.observed);
        places.push(Place::new(across.at(step.lowest), y));
        places.push(Place::new(across.at(step.highest), y));
    }
    if !places.is_empty() {
        canvas.polyline(&places, &format!("line {class}"));
    }
}

fn draw_axes(canvas: &mut Canvas, axis: &Axis) {
    let across = axis.onto(PLOT.x, PLOT.right());
    let up = axis.onto(PLOT.bottom(), PLOT.y);
    for tick in &axis.ticks {
        let (x, y) = (across.at(*tick), up.at(*tick));
        canvas.line(Place::new(PLOT.x, y), Place::new(PLOT.right(), y), "grid");
        let text = format::percent(*tick);
        canvas.text(Place::new(PLOT.x - 6.0, y + 3.5), Anchor::End, "tick", &text);
        let anchor = if PLOT.right() - 12.0 < x { Anchor::End } else { Anchor::Middle };
        let x = if anchor == Anchor::End { PLOT.right() + 8.0 } else { x };
        canvas.text(Place::new(x, PLOT.bottom() + 15.0), anchor, "tick", &text);
    }
    canvas.line(Place::new(PLOT.x, PLOT.bottom()), Place::new(PLOT.right(), PLOT.y), "diagonal");
}

fn draw_bars(canvas: &mut Canvas, curve: &ReliabilityCurve, axis: &Axis, class: &str) {
    let across = axis.onto(BARS.x, BARS.right());
    let largest = curve.refinement.iter().copied().max().unwrap_or(0);
    canvas.line(Place::new(BARS.x, BARS.bottom()), Place::new(BARS.right(), BARS.bottom()), "base");
    let width = 1.0 / as_f64(curve.refinement.len() as u64);
    for (place, &count) in (0_u32..).zip(&curve.refinement) {
        let (from, to) = (width * f64::from(place), width * f64::from(place + 1));
        if count == 0 || !across.contains(from) {
            continue;
        }
        let height = BARS.height * log_share(count, largest);
        let bar = Area {
            x: across.at(from) + 0.5,
            y: BARS.bottom() - height,
            width: (across.at(to) - across.at(from) - 1.0).max(0.5),
            height,
        };
        let title =
            format!("{} said {} to {}", hours(count), format::percent(from), format::percent(to));
        canvas.rect_with_title(bar, &format!("bar {class}"), &title);
    }
    // Powers of a hundred tell that the axis is logarithmic without crowding it.
    for decade in [1, 100, 10_000, 1_000_000] {
        if 0 < largest && decade <= largest {
            let y = BARS.bottom() - BARS.height * log_share(decade, largest);
            canvas.line(Place::new(BARS.x - 3.0, y), Place::new(BARS.x, y), "base");
            let at = Place::new(BARS.x - 6.0, y + 3.5);
            canvas.text(at, Anchor::End, "tick", &short_count(decade));
        }
    }
}

fn hours(count: u64) -> String {
    let unit = if count == 1 { "hour" } else { "hours" };
    format!("{} {unit}", format::count(count))
}

fn short_count(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{:.0}k", as_f64(count) / 1e3),
        1_000_000.. => format!("{:.0}M", as_f64(count) / 1e6),
    }
}

fn axis_for(curve: &ReliabilityCurve) -> Axis {
    let mut highest = 0.0_f64;
    for bin in &curve.bins {
        highest = highest.max(bin.forecast).max(bin.observed.upper);
    }
    Axis::of_probability(highest)
}

#[cfg(test)]
mod tests {
    use super::super::backtest_view::{BandPoint, CurveStep, ReliabilityBin};
    use super::super::forecast_view::Estimate;
    use super::*;

    #[test]
    fn every_bin_has_a_dot_and_every_probability_a_bar() {
        let bin = |forecast, hours| ReliabilityBin {
            forecast,
            observed: Estimate { value: forecast, lower: 0.5 * forecast, upper: 1.5 * forecast },
            hours,
        };
        let curve = ReliabilityCurve {
            threshold: 100.0,
            bins: vec![bin(0.005, 20_000), bin(0.05, 900), bin(0.3, 1)],
            steps: vec![CurveStep { lowest: 0.005, highest: 0.3, observed: 0.1 }],
            band: vec![
                BandPoint { forecast: 0.005, lower: 0.0, upper: 0.01 },
                BandPoint { forecast: 0.3, lower: 0.2, upper: 0.4 },
            ],
            refinement: vec![20_900, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            terms: String::new(),
        };
        let picture = draw(&curve, "t1");
        assert_eq!(picture.matches("<circle").count(), 3);
        assert_eq!(picture.matches("<rect class=\"bar").count(), 2);
        assert!(picture.contains("1 hour said"));
        assert_eq!(picture.matches("class=\"band\"").count(), 1);
        assert_eq!(picture.matches("class=\"line t1\"").count(), 1);
        assert!(picture.contains(">10k<"), "the count axis names its decades");
    }

    #[test]
    fn a_curve_without_bins_is_an_empty_frame() {
        let picture = draw(
            &ReliabilityCurve {
                threshold: 100.0,
                bins: vec![],
                steps: vec![],
                band: vec![],
                refinement: vec![],
                terms: String::new(),
            },
            "t1",
        );
        assert!(!picture.contains("NaN") && !picture.contains("<circle"));
    }
}
