//! Observed series over time, as one picture that stands alone: it brings its own style, so that it
//! can be opened, mailed and turned into a bitmap.

use jiff::{SignedDuration, Timestamp};

use super::format;
use super::scale::{Axis, Scale};
use super::svg::{Anchor, Area, Canvas, Place};
use super::thinning::{Point, thinned};
use super::time_axis::{span, time_ticks};

const WIDTH: f64 = 1_000.0;
const PLOT: Area = Area { x: 70.0, y: 56.0, width: 906.0, height: 340.0 };
/// One strip for each unit of the plot's width.
const STRIPS: u32 = 906;
const LEGEND_ROW: f64 = 20.0;
const TIME_TICKS_MAX: usize = 9;

/// More lines than colours could not be told apart.
pub const LINES_MAX: usize = 6;

/// Colours that colour-blind people can tell apart (Okabe and Ito, 2008).
const STYLE: &str = "text{font-family:'Ubuntu',sans-serif;font-size:13px;fill:#333}\
    .paper{fill:#fff}.title{font-size:18px;fill:#111}.tick{font-size:12px;fill:#666}\
    .grid{stroke:#e4e4e4}.base{stroke:#999}.line{fill:none;stroke-width:1.4;stroke-linejoin:round}\
    .c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#cc79a7}.c4{stroke:#e69f00}\
    .c5{stroke:#56b4e9}";

/// Series to draw on one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPlot {
    /// Above the picture.
    pub title: String,
    /// The unit of all values.
    pub unit: String,
    /// Where the time axis begins and ends.
    pub span: (Timestamp, Timestamp),
    /// At most [`LINES_MAX`].
    pub lines: Vec<PlottedLine>,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct PlottedLine {
    /// What the legend calls it.
    pub label: String,
    /// The length of the interval that each value is about.
    pub interval: SignedDuration,
    /// When each interval starts and its value, in order.
    pub points: Vec<(Timestamp, f64)>,
}

impl SeriesPlot {
    /// Draws the picture as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let rows = self.lines.len().div_ceil(LEGEND_COLUMNS);
        #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
        let height = PLOT.bottom() + 40.0 + LEGEND_ROW * rows as f64;
        let label = format!("{}, {}", self.title, span(self.span.0, self.span.1));
        let mut canvas = Canvas::standalone((WIDTH, height), &label, STYLE);
        canvas.rect(Area { x: 0.0, y: 0.0, width: WIDTH, height }, "paper");
        canvas.text(Place::new(PLOT.x, 24.0), Anchor::Start, "title", &self.title);
        let below = format!("{} · {}", self.unit, span(self.span.0, self.span.1));
        canvas.text(Place::new(PLOT.x, 43.0), Anchor::Start, "tick", &below);
        let value = self.draw_value_axis(&mut canvas);
        let time = self.draw_time_axis(&mut canvas);
        for (index, line) in self.lines.iter().enumerate() {
            let class = format!("line c{index}");
            let points = thinned(&line.points, self.span, STRIPS);
            for unbroken in points.chunk_by(|a, b| !is_gap(line, *a, *b, self.strip())) {
                let at = |point: &Point| Place::new(time.at(seconds(point.0)), value.at(point.1));
                let mut places: Vec<Place> = unbroken.iter().map(at).collect();
                if let (Some(last), Some(place)) = (unbroken.last(), places.last()) {
                    // A value is about its whole interval, also the last one.
                    places.push(Place::new(time.at(seconds(last.0 + line.interval)), place.y));
                }
                canvas.polyline(&places, &class);
            }
            draw_legend(&mut canvas, index, line);
        }
        canvas.finish()
    }

    fn draw_value_axis(&self, canvas: &mut Canvas) -> Scale {
        let values = || self.lines.iter().flat_map(|line| &line.points).map(|point| point.1);
        let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
        let axis = Axis::covering(low, if low < high { high } else { low + 1.0 }, 6);
        let scale = axis.onto(PLOT.bottom(), PLOT.y);
        for tick in &axis.ticks {
            let y = scale.at(*tick);
            let class = if *tick == 0.0 { "base" } else { "grid" };
            canvas.line(Place::new(PLOT.x, y), Place::new(PLOT.right(), y), class);
            let at = Place::new(PLOT.x - 8.0, y + 4.0);
            canvas.text(at, Anchor::End, "tick", &format::quantity(*tick));
        }
        scale
    }

    fn draw_time_axis(&self, canvas: &mut Canvas) -> Scale {
        let (from, to) = (seconds(self.span.0), seconds(self.span.1));
        let scale = Scale::new((from, to.max(from + 1.0)), (PLOT.x, PLOT.right()));
        for tick in time_ticks(self.span.0, self.span.1, TIME_TICKS_MAX) {
            let x = scale.at(seconds(tick.at));
            canvas.line(Place::new(x, PLOT.y), Place::new(x, PLOT.bottom() + 5.0), "grid");
            let at = Place::new(x, PLOT.bottom() + 19.0);
            canvas.text(at, Anchor::Middle, "tick", &tick.label);
        }
        scale
    }

    /// Returns the time that one strip of paper shows.
    fn strip(&self) -> SignedDuration {
        (self.span.1 - self.span.0) / i32::try_from(STRIPS).unwrap_or(i32::MAX)
    }
}

const LEGEND_COLUMNS: usize = 3;

fn draw_legend(canvas: &mut Canvas, index: usize, line: &PlottedLine) {
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let (column, row) = ((index % LEGEND_COLUMNS) as f64, (index / LEGEND_COLUMNS) as f64);
    #[expect(clippy::cast_precision_loss, reason = "three")]
    let x = PLOT.x + column * PLOT.width / LEGEND_COLUMNS as f64;
    let y = PLOT.bottom() + 44.0 + row * LEGEND_ROW;
    let from = Place::new(x, y - 4.0);
    canvas.line(from, Place::new(x + 22.0, y - 4.0), &format!("line c{index}"));
    canvas.text(Place::new(x + 28.0, y), Anchor::Start, "label", &line.label);
}

/// Tells whether intervals are missing between two neighbours, more than a thinned line leaves out.
fn is_gap(line: &PlottedLine, a: Point, b: Point, strip: SignedDuration) -> bool {
    line.interval * 2 + strip * 2 < b.0 - a.0
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact for ages")]
fn seconds(instant: Timestamp) -> f64 {
    instant.as_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<Point>) -> String {
        let from = Timestamp::UNIX_EPOCH;
        let interval = SignedDuration::from_hours(1);
        let line = PlottedLine { label: "HB_WEST <x>".to_owned(), interval, points };
        let span = (from, from + SignedDuration::from_hours(48));
        let title = "Load".to_owned();
        SeriesPlot { title, unit: "MW".to_owned(), span, lines: vec![line] }.svg()
    }

    fn hour(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let whole = plot(vec![(hour(0), 1.0), (hour(1), 2.0), (hour(2), 3.0)]);
        let broken = plot(vec![(hour(0), 1.0), (hour(1), 2.0), (hour(7), 3.0)]);
        let lines = |svg: &str| svg.matches("class=\"line c0\" d=\"M").count();
        // One of them is the legend's.
        assert_eq!((lines(&whole), lines(&broken)), (2, 3));
    }

    #[test]
    fn the_picture_stands_alone_and_its_texts_are_harmless() {
        let svg = plot(vec![(hour(3), -20.0)]);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
        assert!(svg.contains("<style>") && svg.contains("HB_WEST &lt;x&gt;"), "{svg}");
        assert!(svg.contains("−20"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_picture() {
        assert!(plot(Vec::new()).contains("</svg>"));
    }
}
