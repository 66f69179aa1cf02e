//! The file of scenarios: TOML with one `[[scenario]]` for each backtest, and `[defaults]` for what
//! they have in common.

use jiff::civil::{Date, Time};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{ScenarioError, Scope, line_of, only_known};
use crate::jobs::backtest::BacktestInput;
use crate::jobs::source::SourceChoice;
use crate::jobs::targets::Targets;

/// One backtest of several.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name, which is that of its folder.
    pub name: String,
    /// The backtest.
    pub input: BacktestInput,
}

/// What counts where the file says nothing.
#[derive(Clone, Debug)]
pub struct Unsaid {
    /// Where observations come from.
    pub source: SourceChoice,
    /// The state of the source.
    pub fingerprint: String,
    /// What is forecast.
    pub targets: Targets,
    /// The market-local time of day at which forecasts are issued.
    pub issue_time_of_day: Time,
    /// Days between trainings.
    pub retrain_every_days: u32,
    /// The program's version.
    pub program: String,
}

const FIELDS: [&str; 9] = [
    "name",
    "from",
    "to",
    "stride",
    "issue_time",
    "settlement_points",
    "thresholds",
    "models",
    "retrain_every",
];

/// Longer names make tables unreadable.
const NAME_LENGTH_MAX: usize = 40;

/// Reads scenarios, in the order of the file.
pub fn read(text: &str, unsaid: &Unsaid) -> Result<Vec<Scenario>, ScenarioError> {
    let document = DeTable::parse(text)
        .map_err(|error| ScenarioError::NotToml(error.to_string().trim_end().to_owned()))?;
    let document = document.get_ref();
    only_known(text, document, &["defaults", "scenario"])?;
    let nothing = DeTable::new();
    let mut defaults = &nothing;
    let mut scenarios: &[Spanned<DeValue<'_>>] = &[];
    for (key, value) in document {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("defaults", DeValue::Table(table)) => defaults = table,
            ("scenario", DeValue::Array(list)) => scenarios = list,
            (name, _) => {
                let expected = if name == "defaults" { "[defaults]" } else { "[[scenario]]" };
                return Err(not_a_table(text, name, key.span().start, expected));
            }
        }
    }
    only_known(text, defaults, &FIELDS[1..])?;
    let mut read: Vec<Scenario> = Vec::with_capacity(scenarios.len());
    for scenario in scenarios {
        let at = scenario.span().start;
        let DeValue::Table(table) = scenario.get_ref() else {
            return Err(not_a_table(text, "scenario", at, "[[scenario]]"));
        };
        only_known(text, table, &FIELDS)?;
        let scope = Scope { text, tables: [table, defaults], at };
        let name = name(&scope, &read)?;
        read.push(Scenario { name, input: input(&scope, unsaid)? });
    }
    if read.is_empty() { Err(ScenarioError::NoScenario) } else { Ok(read) }
}

fn not_a_table(text: &str, field: &str, place: usize, expected: &str) -> ScenarioError {
    let line = line_of(text, place);
    let found = text.lines().nth(line - 1).unwrap_or_default().to_owned();
    let expected = format!("a table that begins with the line {expected}");
    ScenarioError::Wrong { line, field: field.to_owned(), expected, found }
}

fn name(scope: &Scope<'_>, others: &[Scenario]) -> Result<String, ScenarioError> {
    let value = scope.needed("name")?;
    let name = value.word()?;
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if name.is_empty() || NAME_LENGTH_MAX < name.len() || !name.chars().all(is_fine) {
        let expected = format!(
            "1 to {NAME_LENGTH_MAX} letters, digits, hyphens or underscores (it names a folder)"
        );
        return Err(value.wrong(expected));
    }
    if others.iter().any(|other| other.name.eq_ignore_ascii_case(&name)) {
        return Err(value.wrong("a name that no other scenario has"));
    }
    Ok(name)
}

fn input(scope: &Scope<'_>, unsaid: &Unsaid) -> Result<BacktestInput, ScenarioError> {
    let from: Date = scope.needed("from")?.day()?;
    let to_value = scope.needed("to")?;
    let to = to_value.day()?;
    if to < from {
        return Err(to_value.wrong(format!("a day that is not before {from}")));
    }
    let said = |field| scope.value(field);
    let Targets { settlement_points, thresholds } = unsaid.targets.clone();
    Ok(BacktestInput {
        source: unsaid.source.clone(),
        fingerprint: unsaid.fingerprint.clone(),
        targets: Targets {
            settlement_points: said("settlement_points")
                .map_or(Ok(settlement_points), |value| value.settlement_points())?,
            thresholds: said("thresholds").map_or(Ok(thresholds), |value| value.thresholds())?,
        },
        from,
        to,
        stride_days: said("stride").map_or(Ok(1), |value| value.days())?,
        issue_time_of_day: said("issue_time")
            .map_or(Ok(unsaid.issue_time_of_day), |value| value.time_of_day())?,
        retrain_every_days: said("retrain_every")
            .map_or(Ok(unsaid.retrain_every_days), |value| value.days())?,
        models: said("models").map_or(Ok(Vec::new()), |value| value.models())?,
        program: unsaid.program.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn unsaid() -> Unsaid {
        Unsaid {
            source: SourceChoice::Simulator { seed: 1, history_days: 100 },
            fingerprint: "f".to_owned(),
            targets: Targets {
                settlement_points: vec!["HB_HUBAVG".to_owned()],
                thresholds: vec![50.0, 100.0],
            },
            issue_time_of_day: time(9, 57, 0, 0),
            retrain_every_days: 2,
            program: "0.1.0".to_owned(),
        }
    }

    const FILE: &str = r#"
[defaults]
from = 2024-01-01
to = "2024-12-31"
retrain_every = "14d"

[[scenario]]
name = "usual"

[[scenario]]
name = "morning-of-the-west"
to = 2024-03-31
stride = 7
issue_time = 06:00:00
settlement_points = ["HB_WEST", "HB_PAN"]
thresholds = [75, 1_000.5]
models = ["climatology", "combined"]
retrain_every = 2
"#;

    #[test]
    fn a_scenario_says_more_than_the_defaults_and_these_more_than_the_settings() {
        let read = read(FILE, &unsaid()).unwrap();
        assert_eq!(read.len(), 2);
        let (usual, west) = (&read[0].input, &read[1].input);
        assert_eq!((usual.from, usual.to), (date(2024, 1, 1), date(2024, 12, 31)));
        assert_eq!((usual.stride_days, usual.retrain_every_days), (1, 14));
        assert_eq!(usual.targets, unsaid().targets);
        assert_eq!(usual.issue_time_of_day, time(9, 57, 0, 0));
        assert_eq!(read[1].name, "morning-of-the-west");
        assert_eq!((west.from, west.to), (date(2024, 1, 1), date(2024, 3, 31)));
        assert_eq!((west.stride_days, west.retrain_every_days), (7, 2));
        assert_eq!(west.targets.settlement_points, ["HB_WEST", "HB_PAN"]);
        assert_eq!(west.targets.thresholds, [75.0, 1_000.5]);
        assert_eq!(west.issue_time_of_day, time(6, 0, 0, 0));
        assert_eq!(west.models, ["climatology", "combined"]);
    }

    fn check(from: &str, to: &str, expected: &str) {
        let text = FILE.replacen(from, to, 1);
        assert_ne!(text, FILE);
        let error = read(&text, &unsaid()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\ninstead of\n{expected}");
    }

    #[test]
    fn what_is_wrong_is_named_by_field_and_line() {
        check(
            "stride",
            "strid",
            "line 13: unknown field \"strid\", did you mean \"stride\"?; known fields: name, from",
        );
        check(
            "stride = 7",
            "stride = 0",
            "line 13, stride: expected a number of days from 1 to 365, found 0",
        );
        check("stride = 7", "stride = [7]", "line 13, stride: expected one value, found [7]");
        check(
            "to = 2024-03-31",
            "to = 2023-03-31",
            "line 12, to: expected a day that is not before 2024-01-01, found 2023-03-31",
        );
        check(
            "2024-01-01",
            "\"soon\"",
            "line 3, from: expected a day such as 2024-01-31, found \"soon\"",
        );
        check(
            "from = 2024-01-01\n",
            "",
            "line 6: the scenario has no \"from\"; add it there, or under [defaults]",
        );
        check("06:00:00", "\"six\"", "line 14, issue_time: expected a market-local time of day");
        check(
            "[75, 1_000.5]",
            "[75, 50]",
            "line 16, thresholds: expected prices in $/MWh, ascending",
        );
        check("[75, 1_000.5]", "[]", "line 16, thresholds: expected a list of values, found []");
        check("\"HB_PAN\"", "\"HB_WEST\"", "line 15, settlement_points: expected ERCOT's names");
        check("\"combined\"", "\"oracle\"", "line 17, models: expected some of climatology, ");
        check(
            "\"morning-of-the-west\"",
            "\"Usual\"",
            "line 11, name: expected a name that no other scenario has",
        );
        check("\"usual\"", "\"../usual\"", "line 8, name: expected 1 to 40 letters");
        check(
            "[defaults]",
            "[default]",
            "line 2: unknown field \"default\", did you mean \"defaults\"?",
        );
        check("name = \"usual\"", "name = ", "TOML parse error at line 8");
    }

    #[test]
    fn a_name_is_no_default_and_a_file_without_scenarios_does_nothing() {
        check("[defaults]", "[defaults]\nname = \"x\"", "line 3: unknown field \"name\"");
        assert_eq!(read("", &unsaid()), Err(ScenarioError::NoScenario));
        let error = read("scenario = 5", &unsaid()).unwrap_err().to_string();
        assert!(
            error.starts_with("line 1, scenario: expected a table that begins with"),
            "{error}"
        );
    }
}
