//! A page's pictures as files of their own: with a name, a style that stands alone, and light paper.
//!
//! On the page colours come from the style sheet; a file brings them. Only rules that the bitmap
//! renderer understands are used: classes and plain colours.

use std::fmt::Write as _;

use super::colour;

/// A picture to be written to a file.
#[derive(Clone, Debug)]
pub struct Figure {
    /// A name for the file, without an ending.
    pub name: String,
    /// The picture as SVG that needs nothing else.
    pub svg: String,
}

impl Figure {
    /// Makes a picture of a page stand alone.
    pub(super) fn new(name: &str, picture: &str, thresholds: usize) -> Self {
        let (open, rest) = picture.split_once('>').unwrap_or((picture, ""));
        let view = open.split("viewBox=\"").nth(1).and_then(|view| view.split('"').next());
        let size: Vec<f64> =
            view.unwrap_or_default().split(' ').filter_map(|side| side.parse().ok()).collect();
        let (width, height) = (size.get(2).unwrap_or(&0.0), size.get(3).unwrap_or(&0.0));
        // Names and numbers may reach over the edge of a picture on a page; here they need room.
        let (wide, high) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
        let label = open.split_once("role=").map_or("", |(_, label)| label);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" \
             viewBox=\"-{MARGIN} -{MARGIN} {wide} {high}\" role={label}><style>{}</style>\
             <rect class=\"paper\" x=\"-{MARGIN}\" y=\"-{MARGIN}\" width=\"{wide}\" height=\"{high}\"/>{rest}",
            style(thresholds)
        );
        Self { name: name.to_owned(), svg }
    }
}

const MARGIN: f64 = 10.0;

/// The page's rules for charts on light paper.
const STYLE: &str = "\
    .paper{fill:#fff}text{font-family:Ubuntu,sans-serif}\
    .grid{stroke:#e9e6de}.base,.zero{stroke:#5a626b}\
    .diagonal{stroke:#5a626b;stroke-dasharray:3 3}\
    .line{fill:none;stroke-width:1.3}.reference{stroke-width:2.4}.dotted{stroke-dasharray:1.5 2.5}\
    .usual{fill:none;stroke:#5a626b;stroke-width:1.2;stroke-dasharray:3.5 2.5}\
    .band{fill:#5a626b;opacity:.18}.whisker{stroke-width:1.8;opacity:.75}\
    .bar{opacity:.85}.worse{opacity:.4}\
    .tick,.row{font-size:10.5px;fill:#5a626b}.main{fill:#1f2328}.faint,.cut{font-size:9px}\
    .key{font-size:10.5px}";

fn style(thresholds: usize) -> String {
    let mut style = STYLE.to_owned();
    for index in 0..thresholds {
        let hue = colour::of_threshold(index, thresholds);
        let rules = format!(
            ".line.t{index},.whisker.t{index}{{stroke:{hue}}}\
             .dot.t{index},.bar.t{index},.key.t{index}{{fill:{hue}}}"
        );
        write!(style, "{rules}").expect("writing to a string cannot fail");
    }
    // Hollow dots stand for what is only compared.
    style.push_str(".dot.quiet{fill:#fff;stroke:#5a626b;stroke-width:1.4}");
    style
}

#[cfg(test)]
mod tests {
    use super::super::bitmap::png;
    use super::*;

    #[test]
    fn a_picture_of_a_page_becomes_a_file_and_a_bitmap() {
        let picture = "<svg viewBox=\"0 0 60 20\" role=\"img\" aria-label=\"a &amp; b\">\
            <text class=\"tick\" x=\"2\" y=\"15\">$100</text></svg>";
        let figure = Figure::new("x", picture, 2);
        assert!(figure.svg.contains("width=\"80\" height=\"40\""), "{}", figure.svg);
        assert!(figure.svg.contains("aria-label=\"a &amp; b\"><style>"));
        assert!(figure.svg.contains(".line.t1"));
        assert!(png(&figure.svg).is_ok());
    }
}
