//! Colours with a meaning: classes of probability and the order of thresholds.
//!
//! Both ramps go one way in lightness, so that they survive colour blindness and a grey printer:
//! darker is likelier on light paper, brighter is likelier on a dark screen. Everything else that
//! has a colour has it from the style sheet.

use std::fmt::Write as _;

/// Where the classes of probability begin, in shares of one. The lowest are narrow, because that is
/// where most hours are and where a doubling matters.
const CLASS_STARTS: [f64; 8] = [0.0, 0.01, 0.02, 0.05, 0.10, 0.20, 0.35, 0.50];

/// The classes' names in legends.
const CLASS_LABELS: [&str; 8] = ["<1", "1–2", "2–5", "5–10", "10–20", "20–35", "35–50", "≥50"];

/// The classes' fill and the text upon it, on light paper.
const CLASSES_LIGHT: [(&str, &str); 8] = [
    ("#f1eee7", "#5b5a55"),
    ("#fae9b4", "#3a2c10"),
    ("#f8d787", "#3a2c10"),
    ("#f6bd5f", "#33230a"),
    ("#ee9442", "#2a1604"),
    ("#c94a27", "#ffffff"),
    ("#a82634", "#ffffff"),
    ("#62103c", "#ffffff"),
];

/// The same on a dark screen.
const CLASSES_DARK: [(&str, &str); 8] = [
    ("#20242a", "#a3a9b2"),
    ("#2e2340", "#d9cfe8"),
    ("#4a1f5c", "#eadff2"),
    ("#74246a", "#fbe9f6"),
    ("#a8325f", "#ffffff"),
    ("#d9523f", "#1a0503"),
    ("#f58a1f", "#1f0f00"),
    ("#fbd94e", "#1f1700"),
];

/// The ramp of thresholds from the lowest to the highest, on light paper and on a dark screen.
const THRESHOLDS_LIGHT: [[u8; 3]; 5] =
    [[201, 124, 16], [207, 78, 34], [170, 32, 62], [112, 22, 84], [44, 14, 66]];
const THRESHOLDS_DARK: [[u8; 3]; 5] =
    [[146, 104, 210], [208, 92, 160], [240, 108, 92], [250, 164, 62], [252, 236, 150]];

/// Returns the class of a probability, counted from zero.
pub(super) fn class_of(probability: f64) -> usize {
    CLASS_STARTS.iter().rposition(|start| *start <= probability).unwrap_or(0)
}

/// Returns the names of the classes, from the least likely.
pub(super) fn class_labels() -> &'static [&'static str] {
    &CLASS_LABELS
}

/// Returns the definitions of all colours for a style sheet: `--class-n`, `--on-class-n` and
/// `--threshold-n`, on light paper and on a dark screen.
pub(super) fn definitions(thresholds: usize) -> String {
    format!(
        ":root{{{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n{}",
        scheme(&CLASSES_LIGHT, &THRESHOLDS_LIGHT, thresholds),
        scheme(&CLASSES_DARK, &THRESHOLDS_DARK, thresholds),
        rules(thresholds)
    )
}

fn scheme(classes: &[(&str, &str)], ramp: &[[u8; 3]], thresholds: usize) -> String {
    let mut text = String::new();
    for (index, (fill, on)) in classes.iter().enumerate() {
        push(&mut text, format_args!("--class-{index}:{fill};--on-class-{index}:{on};"));
    }
    for index in 0..thresholds {
        let [red, green, blue] = blend(ramp, index, thresholds);
        push(&mut text, format_args!("--threshold-{index}:#{red:02x}{green:02x}{blue:02x};"));
    }
    text
}

/// Returns the colour of a threshold on light paper.
pub(super) fn of_threshold(index: usize, thresholds: usize) -> String {
    let [red, green, blue] = blend(&THRESHOLDS_LIGHT, index, thresholds);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Returns the rules that give shapes of class `cN`, `oN` and `tN` their colours.
fn rules(thresholds: usize) -> String {
    let mut text = String::new();
    for index in 0..CLASS_STARTS.len() {
        push(
            &mut text,
            format_args!(
                ".c{index}{{fill:var(--class-{index});background:var(--class-{index});color:var(--on-class-{index})}}\
                 .o{index}{{fill:var(--on-class-{index})}}\n"
            ),
        );
    }
    for index in 0..thresholds {
        push(&mut text, format_args!(".t{index}{{--hue:var(--threshold-{index})}}\n"));
    }
    text
}

/// Returns the colour of a threshold: its place along the ramp.
fn blend(ramp: &[[u8; 3]], index: usize, thresholds: usize) -> [u8; 3] {
    let steps = thresholds.saturating_sub(1).max(1);
    let position = index * (ramp.len() - 1);
    let (before, rest) = (position / steps, position % steps);
    let after = (before + 1).min(ramp.len() - 1);
    let mut mixed = [0; 3];
    for (channel, value) in mixed.iter_mut().enumerate() {
        let (low, high) = (usize::from(ramp[before][channel]), usize::from(ramp[after][channel]));
        let weighted = (low * (steps - rest) + high * rest) / steps;
        *value = u8::try_from(weighted).unwrap_or(u8::MAX);
    }
    mixed
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance after WCAG 2.
    fn luminance(hex: &str) -> f64 {
        let channel = |from: usize| {
            let value = f64::from(u8::from_str_radix(&hex[from..from + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn classes_begin_where_their_labels_say() {
        assert_eq!(class_of(0.0), 0);
        assert_eq!(class_of(0.0099), 0);
        assert_eq!(class_of(0.01), 1);
        assert_eq!(class_of(0.199), 4);
        assert_eq!(class_of(0.5), 7);
        assert_eq!(class_of(1.0), 7);
    }

    #[test]
    fn ramps_go_one_way_in_lightness() {
        for pair in CLASSES_LIGHT.windows(2) {
            assert!(luminance(pair[1].0) < luminance(pair[0].0), "{pair:?}");
        }
        for pair in CLASSES_DARK.windows(2) {
            assert!(luminance(pair[0].0) < luminance(pair[1].0), "{pair:?}");
        }
    }

    #[test]
    fn text_upon_every_class_is_readable() {
        for (fill, on) in CLASSES_LIGHT.iter().chain(&CLASSES_DARK) {
            assert!(4.5 <= contrast(fill, on), "{fill} {on} {}", contrast(fill, on));
        }
    }

    #[test]
    fn lines_of_thresholds_stand_out_from_the_paper() {
        let hex = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
        for colour in THRESHOLDS_LIGHT {
            assert!(3.0 <= contrast(&hex(colour), "#ffffff"), "{colour:?}");
        }
        for colour in THRESHOLDS_DARK {
            assert!(3.0 <= contrast(&hex(colour), "#15181c"), "{colour:?}");
        }
    }

    #[test]
    fn any_number_of_thresholds_gets_a_colour_each() {
        assert_eq!(blend(&THRESHOLDS_LIGHT, 0, 1), THRESHOLDS_LIGHT[0]);
        assert_eq!(blend(&THRESHOLDS_LIGHT, 1, 2), THRESHOLDS_LIGHT[4]);
        assert_eq!(blend(&THRESHOLDS_LIGHT, 3, 5), THRESHOLDS_LIGHT[3]);
        let text = definitions(7);
        assert!(text.contains("--threshold-6:") && !text.contains("--threshold-7:"));
    }
}
