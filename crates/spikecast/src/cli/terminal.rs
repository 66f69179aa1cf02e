//! Standard output and error: the only place that prints. Colour only on a terminal that has not
//! asked for none (`NO_COLOR`).

use std::io::{IsTerminal, Write};

use crate::config::asks_for_no_colour;
use crate::exit::{CommandError, Exit};

/// Where a command prints.
pub(super) struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    colour_out: bool,
    colour_err: bool,
    /// Whether progress can be drawn in place.
    pub(super) interactive: bool,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Style {
    Bold,
    Dim,
    Red,
    Yellow,
    Green,
}

impl Style {
    fn code(self) -> u8 {
        match self {
            Style::Bold => 1,
            Style::Dim => 2,
            Style::Red => 31,
            Style::Yellow => 33,
            Style::Green => 32,
        }
    }

    /// Wraps text in the style, if `colour` says so.
    pub(super) fn paint(self, text: &str, colour: bool) -> String {
        if colour { format!("\x1b[{}m{text}\x1b[0m", self.code()) } else { text.to_owned() }
    }
}

impl Terminal {
    pub(super) fn standard() -> Self {
        let colour = !asks_for_no_colour();
        Self {
            out: Box::new(std::io::stdout()),
            err: Box::new(std::io::stderr()),
            colour_out: colour && std::io::stdout().is_terminal(),
            colour_err: colour && std::io::stderr().is_terminal(),
            interactive: std::io::stderr().is_terminal(),
        }
    }

    /// Paints text for standard output.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        style.paint(text, self.colour_out)
    }

    /// Prints a line to standard output.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> Result<(), CommandError> {
        writeln!(self.out, "{}", text.as_ref()).map_err(not_written)
    }

    /// Prints bytes to standard output.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.out.write_all(bytes).and_then(|()| self.out.flush()).map_err(not_written)
    }

    /// Prints a JSON document to standard output.
    pub(super) fn json(&mut self, value: &serde_json::Value) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(value).expect("a JSON value");
        self.line(text)
    }

    /// Prints a remark to standard error.
    pub(super) fn note(&mut self, text: &str) {
        let text = Style::Dim.paint(text, self.colour_err);
        // There is nobody left to tell when standard error is gone.
        writeln!(self.err, "{text}").unwrap_or_default();
    }

    /// Prints a warning to standard error.
    pub(super) fn warning(&mut self, text: &str) {
        let label = Style::Yellow.paint("warning:", self.colour_err);
        writeln!(self.err, "{label} {text}").unwrap_or_default();
    }

    /// Prints an error to standard error.
    pub(super) fn error(&mut self, text: &str) {
        let label = Style::Red.paint("error:", self.colour_err);
        writeln!(self.err, "{label} {text}").unwrap_or_default();
    }
}

fn not_written(error: std::io::Error) -> CommandError {
    CommandError::new(Exit::NotWritable, anyhow::Error::new(error).context("standard output"))
}
