//! Writes the commands that fetch what the archive lacks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use market::time::OperatingDay;

use crate::cli::args::GlobalArgs;
use crate::config::Config;
use crate::jobs::source::SourceChoice;

/// Something that the archive lacks.
#[derive(Clone, Debug)]
pub(super) struct Lacking {
    pub(super) series: String,
    pub(super) places: Vec<String>,
    /// The first and the last instant; of forecasts these are publications.
    pub(super) span: (Timestamp, Timestamp),
    /// Whether the morning's forecasts are not all that is wanted.
    pub(super) every_vintage: bool,
}

/// Returns a command for each series, which covers all that is lacking of it.
pub(super) fn commands(
    global: &GlobalArgs,
    config: &Config,
    lacking: impl IntoIterator<Item = Lacking>,
) -> Vec<String> {
    let mut spans: BTreeMap<(String, Vec<String>, bool), (Timestamp, Timestamp)> = BTreeMap::new();
    for Lacking { series, places, span, every_vintage } in lacking {
        let known = spans.entry((series, places, every_vintage)).or_insert(span);
        *known = (known.0.min(span.0), known.1.max(span.1));
    }
    let command = |((series, places, every_vintage), (first, last))| {
        let (series, places): (String, Vec<String>) = (series, places);
        let mut words = vec!["spikecast".to_owned(), "fetch".to_owned()];
        words.extend(context(global, config));
        let (first, last) = (OperatingDay::of(first), OperatingDay::of(last));
        words.extend(flag("--series", &series));
        words.extend(flag("--place", &places.join(",")));
        words.extend(flag("--from", &first.to_string()));
        words.extend(flag("--to", &last.to_string()));
        if every_vintage {
            words.extend(flag("--vintages", "every"));
        }
        words.join(" ")
    };
    spans.into_iter().map(command).collect()
}

/// Returns the flags that lead to the same archive.
fn context(global: &GlobalArgs, config: &Config) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(file) = &global.config {
        words.extend(flag("--config", &file.display().to_string()));
    }
    for (name, value) in [("--data-dir", &global.data_dir), ("--archive", &global.archive)] {
        words.extend(value.iter().flat_map(|value| flag(name, value)));
    }
    match &config.source {
        SourceChoice::Simulator { .. } => words.extend(flag("--source", "simulator")),
        SourceChoice::Ercot => words.extend(flag("--source", "ercot")),
        SourceChoice::OpenMeteo => words.extend(flag("--source", "open_meteo")),
        SourceChoice::Files { path } => {
            words.extend(flag("--source", "files"));
            words.extend(flag("--path", &path.display().to_string()));
        }
    }
    words
}

/// Returns a flag and its value as a shell reads them.
fn flag(name: &str, value: &str) -> [String; 2] {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-,:=+@".contains(c);
    let value = match !value.is_empty() && value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    };
    [name.to_owned(), value]
}
