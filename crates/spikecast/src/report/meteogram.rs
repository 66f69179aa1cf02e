//! One operating day at one settlement point: a line per threshold over the hours, and below it, hour
//! under hour, the same probabilities as coloured figures.
//!
//! Days have 23, 24 or 25 hours and every hour is equally wide; the clock's labels follow the hours.
//! The numbers behind the picture are in the page's tables.

use super::colour;
use super::forecast_view::{DayView, HourView};
use super::format;
use super::scale::{Axis, Scale};
use super::svg::{Anchor, Area, Canvas, Place};

const WIDTH: f64 = 400.0;
const PLOT: Area = Area { x: 47.0, y: 16.0, width: 347.0, height: 186.0 };
const HEAT_TOP: f64 = 226.0;
const ROW_HEIGHT: f64 = 16.0;

/// Probabilities below this print no figure: their colour already says that there is nothing.
const FIGURE_MIN: f64 = 0.01;

/// What the panels of one settlement point have in common.
#[derive(Clone, Debug)]
pub(super) struct Panels<'a> {
    pub(super) settlement_point: &'a str,
    pub(super) thresholds: &'a [f64],
    pub(super) reference_threshold: usize,
    pub(super) axis: Axis,
}

impl Panels<'_> {
    /// Draws one day.
    pub(super) fn day(&self, day: &DayView) -> String {
        let mut rows = 0.0;
        for _ in self.thresholds {
            rows += ROW_HEIGHT;
        }
        let height = HEAT_TOP + rows + 2.0;
        let mut canvas = Canvas::new(WIDTH, height, &self.summary(day));
        let (hours, probability) = (hour_edges(day), self.axis.onto(PLOT.bottom(), PLOT.y));
        self.draw_axes(&mut canvas, day, &hours);
        self.draw_reference(&mut canvas, day, &probability);
        for index in 0..self.thresholds.len() {
            if index != self.reference_threshold {
                let line = steps(&values(day, index, |it| it.probability), &hours, &probability);
                canvas.polyline(&line, &format!("line t{index}"));
            }
        }
        let index = self.reference_threshold;
        let line = steps(&values(day, index, |it| it.probability), &hours, &probability);
        canvas.polyline(&line, &format!("line reference t{index}"));
        self.draw_peak(&mut canvas, day, &probability);
        self.draw_heat(&mut canvas, day, &hours);
        for (hour, edges) in day.hours.iter().zip(hours.windows(2)) {
            let area = Area {
                x: edges[0],
                y: PLOT.y,
                width: edges[1] - edges[0],
                height: HEAT_TOP + rows - PLOT.y,
            };
            canvas.rect_with_title(area, "hit", &self.explain(day, hour));
        }
        canvas.finish()
    }

    /// Returns what a screen reader says about the picture.
    fn summary(&self, day: &DayView) -> String {
        let threshold = self.reference();
        day.peak(self.reference_threshold).map_or_else(
            || format!("{}, {}: no hours", self.settlement_point, day.label),
            |(hour, peak)| {
                format!(
                    "{}, {}: probability above {threshold} is highest at {}, {}",
                    self.settlement_point,
                    day.label,
                    hour.clock(),
                    format::percent(peak.probability)
                )
            },
        )
    }

    fn reference(&self) -> String {
        format::dollars(self.thresholds.get(self.reference_threshold).copied().unwrap_or(f64::NAN))
    }

    /// Returns what is said about an hour that is pointed at.
    fn explain(&self, day: &DayView, hour: &HourView) -> String {
        let mut text = format!("{} {} · hour ending {}", day.label, hour.clock(), hour.hour_ending);
        for (threshold, it) in self.thresholds.iter().zip(&hour.exceedances) {
            text.push_str(&format!(
                "\n>{}: {} ({}–{}), usual {}",
                format::dollars(*threshold),
                format::percent(it.probability),
                format::percent(it.lower),
                format::percent(it.upper),
                format::percent(it.climatology)
            ));
        }
        text
    }

    fn draw_axes(&self, canvas: &mut Canvas, day: &DayView, hours: &[f64]) {
        let scale = self.axis.onto(PLOT.bottom(), PLOT.y);
        for (index, tick) in self.axis.ticks.iter().enumerate() {
            let y = scale.at(*tick);
            let class = if index == 0 { "base" } else { "grid" };
            canvas.line(Place::new(PLOT.x, y), Place::new(PLOT.right(), y), class);
            let at = Place::new(PLOT.x - 6.0, y + 3.5);
            canvas.text(at, Anchor::End, "tick", &format::percent(*tick));
        }
        for (hour, edge) in day.hours.iter().zip(hours) {
            if hour.hour_beginning().is_multiple_of(6) && !hour.repeated {
                draw_hour_tick(canvas, *edge, hour.hour_beginning());
            }
        }
        if let (Some(hour), Some(edge)) = (day.hours.last(), hours.last()) {
            draw_hour_tick(canvas, *edge, hour.hour_ending);
        }
    }

    /// Draws the interval and the climatology of the reference threshold.
    fn draw_reference(&self, canvas: &mut Canvas, day: &DayView, probability: &Scale) {
        let (hours, index) = (hour_edges(day), self.reference_threshold);
        let mut outline = steps(&values(day, index, |it| it.upper), &hours, probability);
        let mut lower = steps(&values(day, index, |it| it.lower), &hours, probability);
        lower.reverse();
        outline.append(&mut lower);
        canvas.polygon(&outline, &format!("band t{index}"));
        let usual = steps(&values(day, index, |it| it.climatology), &hours, probability);
        canvas.polyline(&usual, "usual");
    }

    /// Prints the highest probability of the reference threshold above its line.
    fn draw_peak(&self, canvas: &mut Canvas, day: &DayView, probability: &Scale) {
        let Some((peak_hour, peak)) = day.peak(self.reference_threshold) else { return };
        let hours = hour_edges(day);
        for (hour, edges) in day.hours.iter().zip(hours.windows(2)) {
            if std::ptr::eq(hour, peak_hour) {
                let x = f64::midpoint(edges[0], edges[1]).clamp(PLOT.x + 14.0, PLOT.right() - 14.0);
                let y = (probability.at(peak.probability) - 5.0).max(PLOT.y + 4.0);
                let class = format!("peak t{}", self.reference_threshold);
                let text = format::percent(peak.probability);
                canvas.text(Place::new(x, y), Anchor::Middle, &class, &text);
            }
        }
    }

    fn draw_heat(&self, canvas: &mut Canvas, day: &DayView, hours: &[f64]) {
        let mut y = HEAT_TOP;
        for (index, threshold) in self.thresholds.iter().enumerate().rev() {
            let at = Place::new(PLOT.x - 6.0, y + 11.5);
            let class = format!("key t{index}");
            canvas.text(at, Anchor::End, &class, &format::dollars(*threshold));
            for (hour, edges) in day.hours.iter().zip(hours.windows(2)) {
                let Some(it) = hour.exceedances.get(index) else { continue };
                let area = Area {
                    x: edges[0] + 0.4,
                    y,
                    width: edges[1] - edges[0] - 0.8,
                    height: ROW_HEIGHT - 0.8,
                };
                draw_figure(canvas, area, it.probability);
            }
            y += ROW_HEIGHT;
        }
    }
}

/// Draws a probability as a coloured cell, with its figure where there is something to say.
pub(super) fn draw_figure(canvas: &mut Canvas, cell: Area, probability: f64) {
    let class = colour::class_of(probability);
    canvas.rect(cell, &format!("c{class}"));
    if FIGURE_MIN <= probability {
        let at = Place::new(cell.x + cell.width / 2.0, cell.y + cell.height / 2.0 + 3.1);
        let text = format!("{:.0}", 100.0 * probability);
        canvas.text(at, Anchor::Middle, &format!("figure o{class}"), &text);
    }
}

fn draw_hour_tick(canvas: &mut Canvas, x: f64, hour: u8) {
    canvas.line(Place::new(x, PLOT.bottom()), Place::new(x, PLOT.bottom() + 4.0), "base");
    let at = Place::new(x.min(PLOT.right() - 3.0), PLOT.bottom() + 15.0);
    canvas.text(at, Anchor::Middle, "tick", &format!("{hour:02}"));
}

/// Returns where hours begin and the last one ends: one place more than hours.
fn hour_edges(day: &DayView) -> Vec<f64> {
    let hours = day.hours.len().max(1);
    let width = PLOT.width / super::scale::as_f64(u64::try_from(hours).unwrap_or(u64::MAX));
    let mut edges = vec![PLOT.x];
    let mut edge = PLOT.x;
    for _ in &day.hours {
        edge += width;
        edges.push(edge);
    }
    edges
}

fn values(
    day: &DayView,
    threshold: usize,
    pick: impl Fn(&super::forecast_view::ExceedanceView) -> f64,
) -> Vec<f64> {
    day.hours.iter().filter_map(|hour| hour.exceedances.get(threshold)).map(pick).collect()
}

/// Returns the corners of a line that is level within each hour.
fn steps(values: &[f64], edges: &[f64], scale: &Scale) -> Vec<Place> {
    let mut places = Vec::with_capacity(2 * values.len());
    for (value, edge) in values.iter().zip(edges.windows(2)) {
        let y = scale.at(*value);
        places.push(Place::new(edge[0], y));
        places.push(Place::new(edge[1], y));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn panel(day: &DayView) -> String {
        let panels = Panels {
            settlement_point: "HB_WEST",
            thresholds: &sample::THRESHOLDS,
            reference_threshold: 1,
            axis: Axis::of_probability(0.5),
        };
        panels.day(day)
    }

    fn check(day: &DayView, hours: usize, ticks: &[&str]) {
        let picture = panel(day);
        assert_eq!(picture.matches("class=\"hit\"").count(), hours);
        assert_eq!(picture.matches("<rect class=\"c").count(), hours * sample::THRESHOLDS.len());
        let labels: Vec<&str> = picture
            .split("text-anchor=\"middle\">")
            .skip(1)
            .filter_map(|rest| rest.split('<').next())
            .filter(|text| text.len() == 2 && (text.starts_with('0') || ticks.contains(text)))
            .collect();
        for tick in ticks {
            assert!(labels.contains(tick), "{tick} is missing in {labels:?}");
        }
        assert!(!picture.contains("NaN"));
    }

    #[test]
    fn days_have_as_many_hours_as_passed() {
        let ticks = ["00", "06", "12", "18", "24"];
        check(&sample::day_of("Tue 20 Aug", 1, sample::DayLength::Ordinary), 24, &ticks);
        check(&sample::day_of("Sun 10 Mar", 1, sample::DayLength::Spring), 23, &ticks);
        check(&sample::day_of("Sun 3 Nov", 1, sample::DayLength::Autumn), 25, &ticks);
    }

    #[test]
    fn the_repeated_hour_and_the_skipped_hour_keep_their_names() {
        let autumn = panel(&sample::day_of("Sun 3 Nov", 1, sample::DayLength::Autumn));
        assert_eq!(autumn.matches("01:00–02:00 (repeated hour)").count(), 1);
        assert_eq!(autumn.matches("01:00–02:00 ·").count(), 1);
        let spring = panel(&sample::day_of("Sun 10 Mar", 1, sample::DayLength::Spring));
        assert!(!spring.contains("02:00–03:00") && spring.contains("03:00–04:00"));
    }

    #[test]
    fn hours_fill_the_plot_exactly() {
        for length in
            [sample::DayLength::Ordinary, sample::DayLength::Spring, sample::DayLength::Autumn]
        {
            let edges = hour_edges(&sample::day_of("day", 1, length));
            assert!((edges[edges.len() - 1] - PLOT.right()).abs() < 1e-9);
        }
    }

    #[test]
    fn a_day_without_hours_is_an_empty_frame() {
        let empty = DayView { label: "Tue".to_owned(), lead_day: 1, hours: vec![] };
        assert!(panel(&empty).contains("no hours"));
    }
}
