//! Vector pictures as text: a canvas that escapes what it is given and rounds where it draws.
//!
//! Shapes only: where numbers fall is in `scale`, what charts mean is in their own files. Colours and
//! fonts come from classes of the page's style sheet, so that one picture serves light and dark.

use std::fmt::Write as _;

/// A picture being drawn.
#[derive(Debug)]
pub(super) struct Canvas {
    text: String,
}

/// A place on paper, in the picture's own units, downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// An upright rectangle on paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Place {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

impl Area {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

impl Canvas {
    /// Begins a picture of a size, with the sentence a screen reader says.
    pub(super) fn new(width: f64, height: f64, label: &str) -> Self {
        let text = format!(
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
            number(width),
            number(height),
            escape(label)
        );
        Self { text }
    }

    /// Begins a picture that is not part of a page: it says what it is and brings its style.
    pub(super) fn standalone((width, height): (f64, f64), label: &str, style: &str) -> Self {
        let inside = Self::new(width, height, label).text;
        let attributes = inside.strip_prefix("<svg").unwrap_or_default();
        let namespace = "http://www.w3.org/2000/svg";
        Self { text: format!("<svg xmlns=\"{namespace}\"{attributes}<style>{style}</style>") }
    }

    /// Returns the picture as text.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }

    /// Draws a rectangle.
    pub(super) fn rect(&mut self, area: Area, class: &str) {
        self.open_rect(area, class);
        self.text.push_str("/>");
    }

    /// Draws a rectangle that explains itself when pointed at.
    pub(super) fn rect_with_title(&mut self, area: Area, class: &str, title: &str) {
        self.open_rect(area, class);
        self.push(format_args!("><title>{}</title></rect>", escape(title)));
    }

    /// Draws a straight line.
    pub(super) fn line(&mut self, from: Place, to: Place, class: &str) {
        self.push(format_args!(
            "<path class=\"{}\" d=\"M{} {}L{} {}\"/>",
            escape(class),
            number(from.x),
            number(from.y),
            number(to.x),
            number(to.y)
        ));
    }

    /// Draws a disc.
    pub(super) fn dot(&mut self, centre: Place, radius: f64, class: &str) {
        self.push(format_args!(
            "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            escape(class),
            number(centre.x),
            number(centre.y),
            number(radius)
        ));
    }

    /// Writes a text.
    pub(super) fn text(&mut self, at: Place, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.push(format_args!(
            "<text class=\"{}\" x=\"{}\" y=\"{}\"{anchor}>{}</text>",
            escape(class),
            number(at.x),
            number(at.y),
            escape(text)
        ));
    }

    /// Draws a line through places, in order.
    pub(super) fn polyline(&mut self, places: &[Place], class: &str) {
        self.path(places, class, "");
    }

    /// Fills the area that the places enclose.
    pub(super) fn polygon(&mut self, places: &[Place], class: &str) {
        self.path(places, class, "Z");
    }

    fn path(&mut self, places: &[Place], class: &str, ending: &str) {
        let mut steps = String::new();
        let mut previous: Option<Place> = None;
        for place in places {
            match previous {
                None => push_number_pair(&mut steps, 'M', *place),
                Some(before) if (before.y - place.y).abs() < 0.05 => {
                    steps.push('H');
                    steps.push_str(&number(place.x));
                }
                Some(before) if (before.x - place.x).abs() < 0.05 => {
                    steps.push('V');
                    steps.push_str(&number(place.y));
                }
                Some(_) => push_number_pair(&mut steps, 'L', *place),
            }
            previous = Some(*place);
        }
        self.push(format_args!("<path class=\"{}\" d=\"{steps}{ending}\"/>", escape(class)));
    }

    fn open_rect(&mut self, area: Area, class: &str) {
        self.push(format_args!(
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            escape(class),
            number(area.x),
            number(area.y),
            number(area.width),
            number(area.height)
        ));
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("writing to a string cannot fail");
    }
}

/// Makes text harmless between tags and inside quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns a coordinate to a tenth of a unit, as short as it can be written.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

fn push_number_pair(steps: &mut String, command: char, place: Place) {
    steps.push(command);
    steps.push_str(&number(place.x));
    steps.push(' ');
    steps.push_str(&number(place.y));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element_or_attribute() {
        assert_eq!(escape("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
        let mut canvas = Canvas::new(10.0, 10.0, "\"><script>");
        canvas.text(Place::new(1.0, 2.0), Anchor::End, "tick", "<b>&");
        assert_eq!(
            canvas.finish(),
            "<svg viewBox=\"0 0 10 10\" role=\"img\" aria-label=\"&quot;&gt;&lt;script&gt;\">\
             <text class=\"tick\" x=\"1\" y=\"2\" text-anchor=\"end\">&lt;b&gt;&amp;</text></svg>"
        );
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(number(3.04), "3");
        assert_eq!(number(3.05001), "3.1");
        assert_eq!(number(-0.01), "0");
    }

    #[test]
    fn steps_are_written_as_horizontal_and_vertical_moves() {
        let mut canvas = Canvas::new(10.0, 10.0, "steps");
        let places = [(0.0, 5.0), (2.0, 5.0), (2.0, 3.0), (4.0, 1.0)];
        canvas.polyline(&places.map(|(x, y)| Place::new(x, y)), "line");
        assert!(canvas.finish().contains("d=\"M0 5H2V3L4 1\""));
    }
}
