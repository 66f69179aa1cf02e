//! Reads a plan of faults from TOML or JSON. Unknown keys and names are errors that name the
//! nearest one: a rule that is misspelt would hit nothing, and a test would pass for no reason.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use market::reports::Report;
use market::time::parse_local;
use serde_json::{Map, Value};
use thiserror::Error;

use super::{Fault, FaultPlan, Rule};
use crate::simulated_ercot::route::RouteKind;

/// More rules than anyone writes.
const RULES_MAX: usize = 1_000;

/// Nothing is later than that.
const DELAY_MINUTES_MAX: u64 = 7 * 24 * 60;

/// No server asks for more patience than a day.
const RETRY_AFTER_SECONDS_MAX: u64 = 24 * 60 * 60;

/// The keys of a rule that every fault has.
const RULE_KEYS: [&str; 7] = ["fault", "report", "route", "nth", "probability", "from", "until"];

/// Every fault with the keys that only it has.
const FAULTS: [(&str, &[&str]); 16] = [
    ("throttle", &["retry_after_seconds"]),
    ("bandwidth", &["retry_after_seconds"]),
    ("expired_token", &[]),
    ("server_error", &["status"]),
    ("bad_request", &[]),
    ("slow_loris", &["bytes", "pause_milliseconds"]),
    ("reset", &["after_bytes"]),
    ("truncated_zip", &[]),
    ("corrupted_zip", &[]),
    ("html", &[]),
    ("wrong_content_type", &[]),
    ("renamed_column", &["column", "renamed_to"]),
    ("duplicated_rows", &[]),
    ("empty", &[]),
    ("late", &["delay_minutes"]),
    ("missing", &[]),
];

/// Why a plan of faults cannot be used.
#[derive(Debug, Error)]
pub enum FaultPlanError {
    /// It is not TOML.
    #[error("not TOML: {0}")]
    NotToml(Box<toml::de::Error>),
    /// A word that nobody knows.
    #[error(
        "{place}: unknown {what} {word:?}{}; known: {known}",
        nearest.as_ref().map(|it| format!(", did you mean {it:?}?")).unwrap_or_default()
    )]
    Unknown {
        /// In which rule.
        place: String,
        /// What kind of word.
        what: &'static str,
        /// The word.
        word: String,
        /// The known word that is spelled most alike.
        nearest: Option<String>,
        /// What could stand there.
        known: String,
    },
    /// A value that a key cannot have, or a key that is missing.
    #[error("{place}: {key}: expected {expected}, found {found}")]
    BadValue {
        /// In which rule.
        place: String,
        /// The key.
        key: &'static str,
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl FaultPlan {
    /// Reads a plan from TOML: rules as `[[rule]]`, and a `seed` for those with a probability.
    pub fn from_toml(text: &str) -> Result<Self, FaultPlanError> {
        let table: toml::Table =
            toml::from_str(text).map_err(|cause| FaultPlanError::NotToml(Box::new(cause)))?;
        Self::from_json(&json_of(toml::Value::Table(table)))
    }

    /// Reads a plan from JSON of the same shape.
    pub fn from_json(plan: &Value) -> Result<Self, FaultPlanError> {
        let place = Place("plan".to_owned());
        let Value::Object(plan) = plan else {
            return Err(place.bad("plan", "a table with the key rule", Some(plan)));
        };
        place.check_keys(plan, &["seed", "rule"])?;
        let seed = place.whole(plan, "seed", u64::MAX)?.unwrap_or_default();
        let rules = match plan.get("rule") {
            None => &[][..],
            Some(Value::Array(rules)) if rules.len() <= RULES_MAX => rules,
            other => return Err(place.bad("rule", "at most 1000 rules", other)),
        };
        let rules = rules.iter().enumerate().map(|(n, rule)| {
            let place = Place(format!("rule {}", n + 1));
            match rule {
                Value::Object(rule) => place.rule(rule),
                other => Err(place.bad("rule", "a table with the key fault", Some(other))),
            }
        });
        Ok(Self { seed, rules: rules.collect::<Result<_, _>>()? })
    }
}

/// Where in a plan something stands, for messages.
struct Place(String);

type Table = Map<String, Value>;

impl Place {
    fn rule(&self, rule: &Table) -> Result<Rule, FaultPlanError> {
        let name = self.text(rule, "fault")?;
        let Some(name) = name else {
            return Err(self.bad("fault", &names(FAULTS.map(|it| it.0)), None));
        };
        let Some((_, own_keys)) = FAULTS.iter().find(|(known, _)| *known == name) else {
            return Err(self.unknown("fault", name, &FAULTS.map(|(known, _)| known)));
        };
        self.check_keys(rule, &[&RULE_KEYS[..], own_keys].concat())?;
        let rule = Rule {
            report: self.report(rule)?,
            route: self.route(rule)?,
            nth: self.nth(rule)?,
            probability: self.probability(rule)?,
            from: self.time(rule, "from")?,
            until: self.time(rule, "until")?,
            fault: self.fault(name, rule)?,
        };
        self.check_use(&rule)?;
        Ok(rule)
    }

    /// Refuses a rule that could never hit anything.
    fn check_use(&self, rule: &Rule) -> Result<(), FaultPlanError> {
        let name = rule.fault.name();
        if rule.fault.is_of_postings() && (rule.route.is_some() || !rule.nth.is_empty()) {
            let expected = format!("neither route nor nth: {name} hits postings, not requests");
            return Err(self.bad("fault", &expected, None));
        }
        if let Some(route) = rule.route.filter(|route| !rule.fault.applies_to(*route)) {
            let expected = format!("a route on which {name} can happen");
            return Err(self.bad("route", &expected, Some(&Value::from(route.name()))));
        }
        Ok(())
    }

    fn fault(&self, name: &str, rule: &Table) -> Result<Fault, FaultPlanError> {
        Ok(match name {
            "throttle" => Fault::Throttle { retry_after: self.retry_after(rule)? },
            "bandwidth" => Fault::Bandwidth { retry_after: self.retry_after(rule)? },
            "expired_token" => Fault::ExpiredToken,
            "server_error" => {
                let status = self.whole(rule, "status", 504)?.unwrap_or(503);
                let status = u16::try_from(status).ok().filter(|status| 500 <= *status);
                let expected = "500 to 504";
                Fault::ServerError {
                    status: status
                        .ok_or_else(|| self.bad("status", expected, rule.get("status")))?,
                }
            }
            "bad_request" => Fault::BadRequest,
            "slow_loris" => Fault::SlowLoris {
                bytes: self.count(rule, "bytes")?.unwrap_or(1).max(1),
                pause: Duration::from_millis(
                    self.whole(rule, "pause_milliseconds", 86_400_000)?.unwrap_or(1_000),
                ),
            },
            "reset" => Fault::Reset { after: self.count(rule, "after_bytes")? },
            "truncated_zip" => Fault::TruncatedZip,
            "corrupted_zip" => Fault::CorruptedZip,
            "html" => Fault::Html,
            "wrong_content_type" => Fault::WrongContentType,
            "renamed_column" => Fault::RenamedColumn {
                column: self.needed(rule, "column")?,
                renamed_to: self.needed(rule, "renamed_to")?,
            },
            "duplicated_rows" => Fault::DuplicatedRows,
            "empty" => Fault::Empty,
            "late" => {
                let minutes = self.whole(rule, "delay_minutes", DELAY_MINUTES_MAX)?.unwrap_or(60);
                let minutes = i64::try_from(minutes).unwrap_or(i64::MAX);
                Fault::Late { delay: SignedDuration::from_mins(minutes) }
            }
            _ => Fault::Missing,
        })
    }

    fn retry_after(&self, rule: &Table) -> Result<Option<Duration>, FaultPlanError> {
        let seconds = self.whole(rule, "retry_after_seconds", RETRY_AFTER_SECONDS_MAX)?;
        Ok(seconds.map(Duration::from_secs))
    }

    fn report(&self, rule: &Table) -> Result<Option<Report>, FaultPlanError> {
        let Some(id) = self.text(rule, "report")? else { return Ok(None) };
        let known = || self.unknown("report", id, &Report::ALL.map(Report::emil_id));
        Report::with_emil_id(id).ok_or_else(known).map(Some)
    }

    fn route(&self, rule: &Table) -> Result<Option<RouteKind>, FaultPlanError> {
        let Some(name) = self.text(rule, "route")? else { return Ok(None) };
        let found = RouteKind::ALL.iter().find(|(_, known)| *known == name).map(|it| it.0);
        let known = || self.unknown("route", name, &RouteKind::ALL.map(|it| it.1));
        found.ok_or_else(known).map(Some)
    }

    fn nth(&self, rule: &Table) -> Result<Vec<u64>, FaultPlanError> {
        let found = rule.get("nth");
        let numbers = match found {
            None => return Ok(Vec::new()),
            Some(Value::Array(numbers)) => numbers.iter().map(Value::as_u64).collect(),
            Some(number) => number.as_u64().map(|number| vec![number]),
        };
        let counted = numbers.filter(|it: &Vec<u64>| !it.is_empty() && !it.contains(&0));
        counted.ok_or_else(|| self.bad("nth", "numbers of requests, counted from 1", found))
    }

    fn probability(&self, rule: &Table) -> Result<f64, FaultPlanError> {
        let Some(found) = rule.get("probability") else { return Ok(1.0) };
        let share = found.as_f64().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| self.bad("probability", "a number from 0 to 1", Some(found)))
    }

    fn time(&self, rule: &Table, key: &'static str) -> Result<Option<Timestamp>, FaultPlanError> {
        let Some(text) = self.text(rule, key)? else { return Ok(None) };
        let expected = "market-local time, e.g. \"2026-03-08T09:57\"";
        let found = rule.get(key);
        parse_local(text).map(Some).map_err(|_| self.bad(key, expected, found))
    }

    fn text<'a>(
        &self,
        table: &'a Table,
        key: &'static str,
    ) -> Result<Option<&'a str>, FaultPlanError> {
        match table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            other => Err(self.bad(key, "a text", other)),
        }
    }

    fn needed(&self, table: &Table, key: &'static str) -> Result<String, FaultPlanError> {
        let text = self.text(table, key)?;
        text.map(str::to_owned).ok_or_else(|| self.bad(key, "a text", None))
    }

    fn whole(
        &self,
        table: &Table,
        key: &'static str,
        max: u64,
    ) -> Result<Option<u64>, FaultPlanError> {
        let Some(found) = table.get(key) else { return Ok(None) };
        let number = found.as_u64().filter(|number| *number <= max);
        let expected = || format!("a whole number up to {max}");
        number.map(Some).ok_or_else(|| self.bad(key, &expected(), Some(found)))
    }

    fn count(&self, table: &Table, key: &'static str) -> Result<Option<usize>, FaultPlanError> {
        let number = self.whole(table, key, u64::from(u32::MAX))?;
        Ok(number.and_then(|number| usize::try_from(number).ok()))
    }

    fn check_keys(&self, table: &Table, known: &[&str]) -> Result<(), FaultPlanError> {
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(self.unknown("key", key, known)),
            None => Ok(()),
        }
    }

    fn unknown(&self, what: &'static str, word: &str, known: &[&str]) -> FaultPlanError {
        let distance = |known: &&&str| strsim::damerau_levenshtein(known, word);
        let nearest = known.iter().min_by_key(distance);
        // Half of the word may be wrong; beyond that a suggestion only confuses.
        let nearest = nearest.filter(|known| 2 * distance(known) <= known.len());
        FaultPlanError::Unknown {
            place: self.0.clone(),
            what,
            word: word.to_owned(),
            nearest: nearest.map(|known| (*known).to_owned()),
            known: known.join(", "),
        }
    }

    fn bad(&self, key: &'static str, expected: &str, found: Option<&Value>) -> FaultPlanError {
        FaultPlanError::BadValue {
            place: self.0.clone(),
            key,
            expected: expected.to_owned(),
            found: found.map_or_else(|| "nothing".to_owned(), Value::to_string),
        }
    }
}

fn names<const N: usize>(names: [&str; N]) -> String {
    format!("one of {}", names.join(", "))
}

/// Turns TOML into JSON; its dates become texts.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::from(flag),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, json_of(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(text: &str, expected: &[&str]) {
        let message = FaultPlan::from_toml(text).unwrap_err().to_string();
        for part in expected {
            assert!(message.contains(part), "{part:?} is missing in: {message}");
        }
    }

    #[test]
    fn what_is_misspelt_is_refused_with_the_nearest_known_word() {
        check_refused("rules = []", &["unknown key \"rules\"", "did you mean \"rule\"?"]);
        check_refused("[[rule]]\nfault = \"trottle\"", &["rule 1", "did you mean \"throttle\"?"]);
        check_refused(
            "[[rule]]\nfault = \"html\"\nprobablity = 1",
            &["rule 1", "did you mean \"probability\"?"],
        );
        check_refused(
            "[[rule]]\nfault = \"html\"\nreport = \"NP6-788\"",
            &["unknown report", "did you mean \"NP6-788-CD\"?"],
        );
        check_refused("[[rule]]\nfault = \"html\"\nroute = \"row\"", &["did you mean \"rows\"?"]);
        check_refused("[[rule]]\nfault = \"html\"\nstatus = 500", &["unknown key \"status\""]);
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_with_what_would() {
        check_refused("[[rule]]\n", &["fault", "one of throttle, bandwidth", "found nothing"]);
        check_refused("[[rule]]\nfault = \"html\"\nprobability = 2", &["0 to 1", "found 2"]);
        check_refused("[[rule]]\nfault = \"html\"\nnth = [0]", &["counted from 1", "[0]"]);
        check_refused("[[rule]]\nfault = \"server_error\"\nstatus = 404", &["500 to 504", "404"]);
        check_refused("[[rule]]\nfault = \"renamed_column\"\ncolumn = \"LMP\"", &["renamed_to"]);
        check_refused("[[rule]]\nfault = \"html\"\nfrom = \"noon\"", &["from", "market-local"]);
        check_refused("seed = -1", &["seed"]);
        check_refused("rule = 1", &["rule"]);
        check_refused("[rule", &["not TOML"]);
    }

    #[test]
    fn a_rule_that_could_never_hit_anything_is_refused() {
        check_refused("[[rule]]\nfault = \"missing\"\nnth = 1", &["missing hits postings"]);
        check_refused(
            "[[rule]]\nfault = \"truncated_zip\"\nroute = \"rows\"",
            &["a route on which truncated_zip can happen", "\"rows\""],
        );
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let text = "seed = 7\n[[rule]]\nfault = \"late\"\ndelay_minutes = 5\nreport = \"np4-33-cd\"\n\
                    from = 2026-03-08T09:57:00";
        let json = serde_json::json!({ "seed": 7, "rule": [{
            "fault": "late", "delay_minutes": 5, "report": "NP4-33-CD", "from": "2026-03-08T09:57"
        }] });
        assert_eq!(FaultPlan::from_toml(text).unwrap(), FaultPlan::from_json(&json).unwrap());
        assert_eq!(FaultPlan::from_toml("").unwrap(), FaultPlan::default());
    }

    #[test]
    fn every_fault_can_be_written() {
        for (name, _) in FAULTS {
            let extra =
                if name == "renamed_column" { "column = \"a\"\nrenamed_to = \"b\"" } else { "" };
            let plan =
                FaultPlan::from_toml(&format!("[[rule]]\nfault = \"{name}\"\n{extra}")).unwrap();
            assert_eq!(plan.rules[0].fault.name(), name);
        }
    }
}
