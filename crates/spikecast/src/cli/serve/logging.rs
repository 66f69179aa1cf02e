//! How log lines look: for people on a terminal, as JSON elsewhere. They go to standard error.

use std::fmt;
use std::io::IsTerminal;

use market::time::local;
use orchestration::{Clock, SystemClock};
use tracing::Level;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use super::LogFormat;
use crate::config::asks_for_no_colour;

/// Begins to log; lines of a program that logs already go where they went before.
pub(super) fn start(format: LogFormat, level: Level) {
    let is_for_people = match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_writer(std::io::stderr);
    let started = if is_for_people {
        let colour = std::io::stderr().is_terminal() && !asks_for_no_colour();
        lines.with_ansi(colour).with_timer(MarketTime).try_init()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_timer(Utc).try_init()
    };
    started.unwrap_or_default();
}

/// The time as the market's clocks show it.
struct MarketTime;

impl FormatTime for MarketTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let now = local(SystemClock::new().now());
        write!(writer, "{}", now.strftime("%Y-%m-%d %H:%M:%S%.3f %Z"))
    }
}

/// The time in UTC.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.3}", SystemClock::new().now())
    }
}
