//! Values of a file of scenarios, read one by one, so that whatever is wrong is named by field and
//! line.

use forecast::evaluation::Forecaster;
use jiff::civil::{Date, Time};
use market::place::SettlementPoint;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why scenarios cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ScenarioError {
    /// The text is not TOML.
    #[error("{0}")]
    NotToml(String),
    /// A field that nobody reads.
    #[error(
        "line {line}: unknown field {field:?}{}; known fields: {known}",
        nearest.as_ref().map(|it| format!(", did you mean {it:?}?")).unwrap_or_default()
    )]
    UnknownField {
        /// Where it stands.
        line: usize,
        /// The field.
        field: String,
        /// The known field that is spelled most alike.
        nearest: Option<&'static str>,
        /// All known fields.
        known: String,
    },
    /// A value that a field cannot have.
    #[error("line {line}, {field}: expected {expected}, found {found}")]
    Wrong {
        /// Where it stands.
        line: usize,
        /// The field.
        field: String,
        /// What would be right.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A field that is needed.
    #[error("line {line}: the scenario has no {field:?}; add it there, or under [defaults]")]
    Missing {
        /// Where the scenario begins.
        line: usize,
        /// The field.
        field: &'static str,
    },
    /// There is nothing to do.
    #[error("there is no scenario; begin one with the line [[scenario]]")]
    NoScenario,
}

/// The tables that a field is looked for in, the first one first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) text: &'a str,
    pub(super) tables: [&'a DeTable<'a>; 2],
    /// Where the scenario begins.
    pub(super) at: usize,
}

/// A value of a field with its place.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    text: &'a str,
    field: &'static str,
    value: &'a Spanned<DeValue<'a>>,
}

/// Returns the line of a place in the text, counted from 1.
pub(super) fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

/// Refuses fields that nobody reads.
pub(super) fn only_known(
    text: &str,
    table: &DeTable<'_>,
    known: &[&'static str],
) -> Result<(), ScenarioError> {
    // Of several the first in the file; the table is ordered by name.
    let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
    let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
    let field = key.get_ref().to_string();
    let alike = |name: &&&str| strsim::damerau_levenshtein(name, &field);
    let nearest = known.iter().min_by_key(alike).copied();
    Err(ScenarioError::UnknownField {
        line: line_of(text, key.span().start),
        nearest: nearest.filter(|name| alike(&name) <= SPELLING_ERRORS_MAX),
        known: known.join(", "),
        field,
    })
}

/// What differs more is another word.
const SPELLING_ERRORS_MAX: usize = 3;

impl<'a> Scope<'a> {
    /// Returns what is said about a field.
    pub(super) fn value(&self, field: &'static str) -> Option<Value<'a>> {
        let found = self.tables.iter().find_map(|table| {
            table.iter().find(|(key, _)| key.get_ref() == field).map(|(_, value)| value)
        });
        found.map(|value| Value { text: self.text, field, value })
    }

    /// Returns what is said about a field that is needed.
    pub(super) fn needed(&self, field: &'static str) -> Result<Value<'a>, ScenarioError> {
        let line = line_of(self.text, self.at);
        self.value(field).ok_or(ScenarioError::Missing { line, field })
    }
}

impl Value<'_> {
    /// Returns an error about the value.
    pub(super) fn wrong(&self, expected: impl Into<String>) -> ScenarioError {
        let span = self.value.span();
        ScenarioError::Wrong {
            line: line_of(self.text, span.start),
            field: self.field.to_owned(),
            expected: expected.into(),
            found: self.text.get(span).unwrap_or_default().to_owned(),
        }
    }

    /// Returns a text, or what stands for one without quotes: a number, a day, a time.
    pub(super) fn word(&self) -> Result<String, ScenarioError> {
        word_of(self.value.get_ref()).ok_or_else(|| self.wrong("one value"))
    }

    fn words(&self) -> Result<Vec<String>, ScenarioError> {
        let DeValue::Array(values) = self.value.get_ref() else { return Ok(vec![self.word()?]) };
        let words: Option<Vec<String>> =
            values.iter().map(|value| word_of(value.get_ref())).collect();
        words.filter(|words| !words.is_empty()).ok_or_else(|| self.wrong("a list of values"))
    }

    pub(super) fn day(&self) -> Result<Date, ScenarioError> {
        self.word()?.parse().map_err(|_| self.wrong("a day such as 2024-01-31"))
    }

    pub(super) fn time_of_day(&self) -> Result<Time, ScenarioError> {
        self.word()?.parse().map_err(|_| self.wrong("a market-local time of day such as \"09:57\""))
    }

    /// Reads a number of days, with or without the letter that settings write behind it.
    pub(super) fn days(&self) -> Result<u32, ScenarioError> {
        let word = self.word()?;
        let days = word.strip_suffix('d').unwrap_or(&word).parse().ok();
        let days = days.filter(|days| (1..=DAYS_MAX).contains(days));
        days.ok_or_else(|| self.wrong(format!("a number of days from 1 to {DAYS_MAX}")))
    }

    pub(super) fn settlement_points(&self) -> Result<Vec<String>, ScenarioError> {
        let points = self.words()?;
        let mut seen = std::collections::BTreeSet::new();
        for point in &points {
            if SettlementPoint::new(point).is_err() || !seen.insert(point) {
                return Err(self.wrong("ERCOT's names of settlement points, each once"));
            }
        }
        Ok(points)
    }

    pub(super) fn thresholds(&self) -> Result<Vec<f64>, ScenarioError> {
        let prices: Option<Vec<f64>> =
            self.words()?.iter().map(|word| word.replace('_', "").parse().ok()).collect();
        let ascending =
            prices.filter(|prices| forecast::threshold::Thresholds::new(prices).is_ok());
        ascending.ok_or_else(|| self.wrong("prices in $/MWh, ascending, e.g. [50, 100, 200]"))
    }

    pub(super) fn models(&self) -> Result<Vec<String>, ScenarioError> {
        let known = Forecaster::ALL.map(Forecaster::name);
        let models = self.words()?;
        if models.iter().all(|model| known.contains(&model.as_str())) {
            return Ok(models);
        }
        Err(self.wrong(format!("some of {}", known.join(", "))))
    }
}

/// Longer pauses between trainings or issue days are a mistake.
const DAYS_MAX: u32 = 365;

fn word_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
