//! `spikecast data`: what is archived, shown in the terminal or drawn as a picture.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;
use market::observation::{History, Known, Series, SeriesKey};
use market::place::{Place, WeatherZone};
use market::reports::Report;
use market::table::write_atomically;
use market::time::{OperatingDay, display, parse_local};
use serde_json::{Value, json};

use super::archive::{Opened, job_error};
use super::args::{DataCommand, GlobalArgs, KnownArgs, ObservationArgs};
use super::data_status::status;
use super::run::{internal, targets};
use super::series_chart::series_chart;
use super::terminal::{Style, Terminal};
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::source::{SourceChoice, series_keys};
use crate::report::{LINES_MAX, PlottedLine, SeriesPlot, png, quantity};

pub(super) fn data(
    global: &GlobalArgs,
    command: &DataCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    match command {
        DataCommand::Show(arguments) => {
            let observed = Observed::read(global, arguments)?;
            if global.json { observed.print_json(terminal)? } else { observed.print(terminal)? }
        }
        DataCommand::Status(arguments) => return status(global, arguments, terminal),
        DataCommand::Plot { observations, out } => {
            let observed = Observed::read(global, observations)?;
            let written = observed.draw(out)?;
            if global.json {
                terminal.json(&json!({ "picture": out, "bytes": written }))?;
            } else {
                terminal.line(format!("{} ({written} bytes)", out.display()))?;
            }
        }
    }
    Ok(Exit::Fine)
}

/// Archived observations as they were asked for.
struct Observed {
    keys: Vec<SeriesKey>,
    history: History,
    from: Timestamp,
    to: Timestamp,
    known_at: Timestamp,
}

impl Observed {
    fn read(global: &GlobalArgs, known: &KnownArgs) -> Result<Self, CommandError> {
        let arguments = &known.observations;
        let config = arguments.source.settings(global)?;
        let (from, to) = span(&arguments.from, &arguments.to)?;
        let known_at = known.known_at.as_deref().map(parse_local).transpose();
        let known_at = known_at.map_err(CommandError::usage)?.unwrap_or(Timestamp::MAX);
        let keys = keys(&config, arguments)?;
        let Opened { source, archive } = Opened::of(&config)?;
        let history = archive.load(&archived(&keys)).map_err(job_error)?;
        let observed = Self { keys, history, from, to, known_at };
        if observed.keys.iter().all(|key| observed.known(key).next().is_none()) {
            let keys: Vec<String> = observed.keys.iter().map(ToString::to_string).collect();
            return Err(CommandError::new(
                Exit::SourceUnavailable,
                anyhow::anyhow!(
                    "the archive of {} has nothing of {} between {} and {}",
                    source.describe(),
                    keys.join(", "),
                    display(from),
                    display(to)
                ),
            ));
        }
        Ok(observed)
    }

    fn known(&self, key: &SeriesKey) -> impl Iterator<Item = Known> + use<> {
        let known: Vec<Known> =
            self.history.known_at(self.known_at).series(key).between(self.from, self.to).collect();
        known.into_iter()
    }

    fn points(&self, key: &SeriesKey) -> Vec<(Timestamp, f64)> {
        self.known(key).map(|known| (known.interval_start, known.value)).collect()
    }

    fn print_json(&self, terminal: &mut Terminal) -> Result<(), CommandError> {
        let mut series = Vec::new();
        for key in &self.keys {
            let observations: Vec<Value> = self
                .known(key)
                .map(|known| {
                    json!({
                        "interval_start": known.interval_start.to_string(),
                        "published_at": known.published_at.to_string(),
                        "value": known.value,
                    })
                })
                .collect();
            series.push(json!({
                "series": key.series.name(),
                "place": key.place.name(),
                "unit": key.series.facts().unit.to_string(),
                "observations": observations,
            }));
        }
        terminal.json(&Value::Array(series))
    }

    fn print(&self, terminal: &mut Terminal) -> Result<(), CommandError> {
        for key in &self.keys {
            let facts = key.series.facts();
            let points = self.points(key);
            let title = format!("{}, {}, {}", facts.title, key.place, facts.unit);
            terminal.line(terminal.paint(Style::Bold, &title))?;
            if points.is_empty() {
                terminal.line("nothing is archived\n")?;
                continue;
            }
            for line in series_chart(&points, (self.from, self.to)) {
                terminal.line(line)?;
            }
            terminal.line("")?;
            let header = format!(
                "{:12}{:>8}{:>12}{:>12}{:>12}",
                "day", "values", "lowest", "mean", "highest"
            );
            terminal.line(terminal.paint(Style::Dim, &header))?;
            let day_of = |point: &(Timestamp, f64)| OperatingDay::of(point.0);
            for day in points.chunk_by(|a, b| day_of(a) == day_of(b)) {
                let values = || day.iter().map(|point| point.1);
                #[expect(clippy::cast_precision_loss, reason = "a day has few values")]
                let mean = values().sum::<f64>() / day.len() as f64;
                terminal.line(format!(
                    "{:12}{:>8}{:>12}{:>12}{:>12}",
                    day_of(&day[0]).to_string(),
                    day.len(),
                    quantity(values().fold(f64::INFINITY, f64::min)),
                    quantity(mean),
                    quantity(values().fold(f64::NEG_INFINITY, f64::max))
                ))?;
            }
            terminal.line("")?;
        }
        Ok(())
    }

    /// Draws the picture and returns how many bytes it has.
    fn draw(&self, out: &Path) -> Result<usize, CommandError> {
        let ending = out.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_png = match ending.to_ascii_lowercase().as_str() {
            "png" => true,
            "svg" => false,
            _ => {
                let message = format!("{}: name a file that ends in .png or .svg", out.display());
                return Err(CommandError::usage(message));
            }
        };
        let svg = self.plot()?.svg();
        let bytes = if is_png {
            png(&svg).context("drawing the picture").map_err(internal)?
        } else {
            svg.into_bytes()
        };
        write_atomically(out, |file| file.write_all(&bytes)).map_err(job_error)?;
        Ok(bytes.len())
    }

    fn plot(&self) -> Result<SeriesPlot, CommandError> {
        let units: Vec<String> =
            self.keys.iter().map(|key| key.series.facts().unit.to_string()).collect();
        if LINES_MAX < self.keys.len() {
            return Err(CommandError::usage(format!(
                "{} lines cannot be told apart in one picture; ask for at most {LINES_MAX}",
                self.keys.len()
            )));
        }
        if let Some(other) = units.iter().find(|unit| **unit != units[0]) {
            return Err(CommandError::usage(format!(
                "one picture has one axis, and {} is not {other}; ask for series of one unit",
                units[0]
            )));
        }
        let first = &self.keys[0];
        let is_one_series = self.keys.iter().all(|key| key.series == first.series);
        let is_one_place = self.keys.iter().all(|key| key.place == first.place);
        let title = match (is_one_series, is_one_place) {
            (true, true) => format!("{}, {}", first.series.title(), first.place),
            (true, false) => first.series.title().to_owned(),
            (false, true) => first.place.to_string(),
            (false, false) => "Observations".to_owned(),
        };
        let lines = self.keys.iter().map(|key| PlottedLine {
            label: format!("{}, {}", key.series.title(), key.place),
            interval: key.series.interval(),
            points: self.points(key),
        });
        let span = (self.from, self.to);
        Ok(SeriesPlot { title, unit: units[0].clone(), span, lines: lines.collect() })
    }
}

/// Returns every combination of series and place that is asked for.
pub(super) fn keys(
    config: &Config,
    arguments: &ObservationArgs,
) -> Result<Vec<SeriesKey>, CommandError> {
    keys_of(config, &arguments.series, &arguments.place)
}

/// Returns every combination of these series and places, by their names.
pub(super) fn keys_of(
    config: &Config,
    series: &[String],
    places: &[String],
) -> Result<Vec<SeriesKey>, CommandError> {
    let given = places.iter().map(|place| Place::named(place.trim()));
    let given: Vec<Place> = given.collect::<Result<_, _>>().map_err(CommandError::usage)?;
    if series.is_empty() {
        return usual_keys(config, &given);
    }
    let mut keys = Vec::new();
    for name in series {
        let series = Series::named(name.trim()).ok_or_else(|| unknown_series(name))?;
        let at_points = matches!(
            series,
            Series::RealTimeLmp
                | Series::RealTimeSpp
                | Series::DayAheadSpp
                | Series::HourlyMaxLmp
                | Series::HourlyMeanLmp
                | Series::HourlyCoverage
        );
        let is_point = |place: &&Place| matches!(place, Place::SettlementPoint(_));
        // A settlement point has no load, and a weather zone no price: each series takes its own.
        let (points, others): (Vec<&Place>, Vec<&Place>) = given.iter().partition(is_point);
        let places: Vec<Place> = match (at_points, points.as_slice(), others.as_slice()) {
            (true, [], _) => configured_points(config)?,
            (true, points, _) => points.iter().map(|place| (*place).clone()).collect(),
            (false, _, []) if WEATHER.contains(&series) => {
                WeatherZone::ALL.iter().map(|zone| Place::WeatherZone(*zone)).collect()
            }
            (false, _, []) => vec![Place::System],
            (false, _, others) => others.iter().map(|place| (*place).clone()).collect(),
        };
        for place in places {
            keys.push(SeriesKey { series, place });
        }
    }
    Ok(keys)
}

/// Returns what a forecast for the given settlement points, else the configured ones, reads of the
/// configured source.
fn usual_keys(config: &Config, given: &[Place]) -> Result<Vec<SeriesKey>, CommandError> {
    if config.source == SourceChoice::OpenMeteo {
        let names = WEATHER.map(|series| series.name().to_owned());
        let places: Vec<String> = given.iter().map(|place| place.name().to_owned()).collect();
        return keys_of(config, &names, &places);
    }
    let place = |place: Place| match place {
        Place::SettlementPoint(point) => Ok(point),
        other => Err(CommandError::usage(format!(
            "{other} is no settlement point; name the series that you want of it with --series"
        ))),
    };
    let places = if given.is_empty() { configured_points(config)? } else { given.to_vec() };
    let points = places.into_iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mut keys = series_keys(&points);
    if config.source == SourceChoice::Ercot {
        keys.retain(|key| Report::publishing(key).is_some());
    }
    Ok(keys)
}

/// What is known of weather zones only.
const WEATHER: [Series; 3] =
    [Series::TemperatureForecast, Series::WindSpeedForecast, Series::RadiationForecast];

fn configured_points(config: &Config) -> Result<Vec<Place>, CommandError> {
    let points = targets(config)?.settlement_points;
    points.iter().map(|point| Place::named(point).map_err(CommandError::usage)).collect()
}

/// Returns what must be loaded: derived series come with the prices that they are derived from.
pub(super) fn archived(keys: &[SeriesKey]) -> Vec<SeriesKey> {
    let archived = keys.iter().map(|key| match key.series.is_derived() {
        true => SeriesKey { series: Series::RealTimeLmp, place: key.place.clone() },
        false => key.clone(),
    });
    archived.collect()
}

fn unknown_series(name: &str) -> CommandError {
    let nearest = Series::all()
        .iter()
        .map(|series| (strsim::jaro_winkler(name, series.name()), series.name()))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let nearest = nearest.map_or("", |(_, name)| name);
    let known: Vec<&str> = Series::all().iter().map(|series| series.name()).collect();
    CommandError::usage(format!(
        "series {name:?}: unknown, did you mean {nearest:?}? known are {}",
        known.join(", ")
    ))
}

/// Reads a span; a day begins at its midnight and, as the last one, ends at the next.
pub(super) fn span(from: &str, to: &str) -> Result<(Timestamp, Timestamp), CommandError> {
    let (from, to) = (start(from)?, end(to)?);
    if to <= from {
        let message = format!("{} is not before {}", display(from), display(to));
        return Err(CommandError::usage(message));
    }
    Ok((from, to))
}

/// Reads the beginning of a span.
pub(super) fn start(text: &str) -> Result<Timestamp, CommandError> {
    let time = || parse_local(text).map_err(CommandError::usage);
    day(text).map_or_else(time, |day| Ok(day.start()))
}

/// Reads the end of a span.
pub(super) fn end(text: &str) -> Result<Timestamp, CommandError> {
    let time = || parse_local(text).map_err(CommandError::usage);
    day(text).map_or_else(time, |day| Ok(day.end()))
}

fn day(text: &str) -> Option<OperatingDay> {
    let date: Option<Date> = text.parse().ok().filter(|_| !text.contains(['T', ' ']));
    date.map(OperatingDay::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_included() {
        let at = |text: &str| parse_local(text).unwrap();
        let read = |from, to| span(from, to).map_err(|error| error.to_string());
        assert_eq!(
            read("2024-08-19", "2024-08-19"),
            Ok((at("2024-08-19T00:00"), at("2024-08-20T00:00")))
        );
        assert_eq!(
            read("2024-11-03", "2024-11-03T06:00"),
            Ok((at("2024-11-03T00:00"), at("2024-11-03T06:00")))
        );
        assert!(read("2024-08-19", "2024-08-18").is_err());
        assert!(read("today", "2024-08-18").unwrap_err().contains("expected e.g."));
    }
}
