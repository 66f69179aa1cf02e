//! The scores of several backtests side by side, from their files `scores.json`.

use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::file::Scenario;

/// Why scores cannot be compared.
#[derive(Debug, Error)]
#[error(
    "scores of scenario {scenario}: cannot be understood ({cause}); remove its folder to do it again"
)]
pub struct ComparisonError {
    scenario: String,
    #[source]
    cause: serde_json::Error,
}

/// Finished backtests compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The backtests, in the order of their file.
    pub compared: Vec<Compared>,
}

/// A backtest and its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The backtest.
    pub scenario: Scenario,
    /// The scores of all lead days and settlement points together, of the models of interest.
    pub scores: Vec<Score>,
}

/// The scores of one model at one threshold. What does not exist (an interval of too few weeks) is
/// absent.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Score {
    /// $/MWh.
    pub threshold: f64,
    /// The model's name in files.
    pub forecaster: String,
    /// Hours with a known outcome.
    pub hours: u64,
    /// How many of them exceeded the threshold.
    pub exceedances: u64,
    /// Mean log-loss.
    pub log_loss: Option<f64>,
    /// 1 − log-loss / that of the tougher climatology.
    pub log_loss_skill: Option<f64>,
    /// Lower end of its 90 % interval.
    pub log_loss_skill_lower: Option<f64>,
    /// Upper end.
    pub log_loss_skill_upper: Option<f64>,
    /// Mean Brier score.
    pub brier: Option<f64>,
    /// 1 − Brier score / that of the tougher climatology.
    pub brier_skill: Option<f64>,
}

/// As much of `scores.json` as is compared.
#[derive(Deserialize)]
struct ScoresFile {
    scores: Vec<GroupedScore>,
}

#[derive(Deserialize)]
struct GroupedScore {
    settlement_point: String,
    lead_day: Value,
    #[serde(flatten)]
    score: Score,
}

/// What groups of everything are called in `scores.json`.
const POOLED: &str = "pooled";
/// Raised when the shape of `comparison.json` changes.
const FORMAT: u32 = 1;

impl Compared {
    /// Reads the scores of a finished backtest.
    pub fn of(scenario: Scenario, scores_json: &str) -> Result<Self, ComparisonError> {
        let file: ScoresFile = serde_json::from_str(scores_json)
            .map_err(|cause| ComparisonError { scenario: scenario.name.clone(), cause })?;
        let models = &scenario.input.models;
        let is_wanted = |row: &GroupedScore| {
            row.settlement_point == POOLED
                && row.lead_day == POOLED
                && (models.is_empty() || models.contains(&row.score.forecaster))
        };
        let scores = file.scores.into_iter().filter(is_wanted).map(|row| row.score).collect();
        Ok(Self { scenario, scores })
    }
}

impl Comparison {
    /// Returns every threshold of any scenario, ascending.
    #[must_use]
    pub fn thresholds(&self) -> Vec<f64> {
        let scores = self.compared.iter().flat_map(|it| &it.scores);
        let mut thresholds: Vec<f64> = scores.map(|score| score.threshold).collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds
    }

    /// Returns the scores at a threshold with their backtests.
    pub fn at(&self, threshold: f64) -> impl Iterator<Item = (&Scenario, &Score)> {
        self.compared.iter().flat_map(move |compared| {
            let of_it = move |score: &&Score| score.threshold.total_cmp(&threshold).is_eq();
            compared.scores.iter().filter(of_it).map(|score| (&compared.scenario, score))
        })
    }

    /// Says whether all scenarios were scored on the same number of hours at every threshold.
    #[must_use]
    pub fn is_on_the_same_hours(&self) -> bool {
        self.thresholds().into_iter().all(|threshold| {
            let mut hours = self.at(threshold).map(|(_, score)| (score.hours, score.exceedances));
            let first = hours.next();
            hours.all(|it| Some(it) == first)
        })
    }

    /// Returns `comparison.json`; documented in `docs/backtest.md`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let scenarios = self.compared.iter().map(|it| scenario_json(&it.scenario));
        let scores = self.thresholds().into_iter().flat_map(|threshold| {
            let rows = self.at(threshold).map(|(scenario, score)| score_json(scenario, score));
            rows.collect::<Vec<_>>()
        });
        let document = json!({
            "format": FORMAT,
            "scenarios": scenarios.collect::<Vec<_>>(),
            "same_hours": self.is_on_the_same_hours(),
            "scores": scores.collect::<Vec<_>>(),
        });
        format!("{document:#}\n")
    }
}

fn scenario_json(scenario: &Scenario) -> Value {
    let Scenario { name, input } = scenario;
    json!({
        "name": name,
        "from": input.from.to_string(),
        "to": input.to.to_string(),
        "stride_days": input.stride_days,
        "issue_time_of_day": input.issue_time_of_day.to_string(),
        "retrain_every_days": input.retrain_every_days,
        "settlement_points": input.targets.settlement_points,
        "thresholds": input.targets.thresholds,
        "models": input.models,
        "report": format!("{name}/report.html"),
    })
}

fn score_json(scenario: &Scenario, score: &Score) -> Value {
    json!({
        "threshold": score.threshold,
        "scenario": scenario.name,
        "model": score.forecaster,
        "hours": score.hours,
        "exceedances": score.exceedances,
        "log_loss": score.log_loss,
        "log_loss_skill": score.log_loss_skill,
        "log_loss_skill_lower": score.log_loss_skill_lower,
        "log_loss_skill_upper": score.log_loss_skill_upper,
        "brier": score.brier,
        "brier_skill": score.brier_skill,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::scenarios::{Unsaid, read};
    use crate::jobs::source::SourceChoice;
    use crate::jobs::targets::Targets;

    fn scenarios() -> Vec<Scenario> {
        let unsaid = Unsaid {
            source: SourceChoice::Simulator { seed: 1, history_days: 100 },
            fingerprint: String::new(),
            targets: Targets {
                settlement_points: vec!["HB_WEST".to_owned()],
                thresholds: vec![50.0, 100.0],
            },
            issue_time_of_day: jiff::civil::time(9, 57, 0, 0),
            retrain_every_days: 2,
            program: String::new(),
        };
        let text = "[defaults]\nfrom = 2024-01-01\nto = 2024-01-31\n\
                    [[scenario]]\nname = \"often\"\n\
                    [[scenario]]\nname = \"seldom\"\nretrain_every = 14\nmodels = [\"combined\"]\n";
        read(text, &unsaid).unwrap()
    }

    fn scores(skill: f64, hours: u64) -> String {
        let row = |point: &str, lead_day: Value, threshold: f64, forecaster: &str| {
            json!({
                "settlement_point": point, "lead_day": lead_day, "threshold": threshold,
                "forecaster": forecaster, "hours": hours, "exceedances": 5,
                "log_loss": 0.1, "log_loss_skill": skill, "log_loss_skill_lower": null,
                "log_loss_skill_upper": null, "brier": 0.01, "brier_skill": 0.1, "roc_auc": 0.9,
            })
        };
        let rows = [
            row("pooled", json!("pooled"), 100.0, "combined"),
            row("pooled", json!("pooled"), 50.0, "combined"),
            row("pooled", json!("pooled"), 50.0, "logistic"),
            row("pooled", json!(1), 50.0, "combined"),
            row("HB_WEST", json!("pooled"), 50.0, "combined"),
        ];
        json!({ "format": 1, "scores": rows }).to_string()
    }

    fn comparison(hours: [u64; 2]) -> Comparison {
        let skills = [0.2, 0.1];
        let compared = scenarios().into_iter().zip(skills).zip(hours);
        let compared = compared.map(|((scenario, skill), hours)| {
            Compared::of(scenario, &scores(skill, hours)).unwrap()
        });
        Comparison { compared: compared.collect() }
    }

    #[test]
    fn scenarios_stand_side_by_side_by_threshold_with_the_models_they_ask_for() {
        let comparison = comparison([720, 720]);
        assert_eq!(comparison.thresholds(), [50.0, 100.0]);
        let rows: Vec<(&str, &str, Option<f64>)> = comparison
            .at(50.0)
            .map(|(scenario, score)| {
                (scenario.name.as_str(), score.forecaster.as_str(), score.log_loss_skill)
            })
            .collect();
        let expected = [
            ("often", "combined", Some(0.2)),
            ("often", "logistic", Some(0.2)),
            ("seldom", "combined", Some(0.1)),
        ];
        assert_eq!(rows, expected);
        let document: Value = serde_json::from_str(&comparison.to_json()).unwrap();
        assert_eq!(document["scores"].as_array().unwrap().len(), 5);
        assert_eq!(document["scenarios"][1]["retrain_every_days"], 14);
        assert_eq!(document["same_hours"], true);
    }

    #[test]
    fn scores_on_other_hours_are_said_to_be_so() {
        assert!(!comparison([720, 744]).is_on_the_same_hours());
    }

    #[test]
    fn a_damaged_file_of_scores_is_named() {
        let scenario = scenarios().remove(0);
        let error = Compared::of(scenario, "{").unwrap_err().to_string();
        assert!(error.starts_with("scores of scenario often: cannot be understood"), "{error}");
    }
}
