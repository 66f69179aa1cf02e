//! May a new model take over? Decided by paired log-loss on days held out of both.
//!
//! Pure. A retraining of the same recipe takes over unless it is worse beyond doubt: newer data is
//! a reason by itself. Another recipe, or other features, take over only when they are better beyond
//! doubt. "Beyond doubt" is that the 90 % interval of the pooled difference (weekly block bootstrap)
//! excludes 0.

use std::fmt;

use forecast::model::{Comparison, ModelCard, PairedDifference, Verdict, compare};

use super::version::{Difference, Version};

/// Who speaks while a candidate is judged.
#[derive(Clone, Copy, Debug)]
pub enum Current<'a> {
    /// Nobody.
    Nobody,
    /// A model that this program cannot use, and why.
    Unusable(Version, &'a str),
    /// A model.
    Speaks(Version, &'a ModelCard),
}

/// What becomes of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It takes over.
    Promote(Grounds),
    /// The current model goes on speaking.
    Keep {
        /// That one.
        current: Version,
        /// Why.
        grounds: Grounds,
    },
}

/// Why.
#[derive(Clone, Debug, PartialEq)]
pub enum Grounds {
    /// It is the first model.
    First,
    /// The current one cannot be used, and why.
    CurrentUnusable(Version, String),
    /// The two were compared.
    Compared {
        /// The current model.
        with: Version,
        /// How the candidate differs from it.
        difference: Difference,
        /// The numbers; the candidate is the second.
        comparison: Comparison,
    },
}

/// Decides whether a candidate takes over.
#[must_use]
pub fn decide(current: Current<'_>, candidate: &ModelCard) -> Decision {
    let (with, card) = match current {
        Current::Nobody => return Decision::Promote(Grounds::First),
        Current::Unusable(version, why) => {
            return Decision::Promote(Grounds::CurrentUnusable(version, why.to_owned()));
        }
        Current::Speaks(version, card) => (version, card),
    };
    let difference = Difference::between(&card.lineage, &candidate.lineage);
    let comparison = compare(&card.held_out, &candidate.held_out);
    let verdict = comparison.pooled.verdict();
    let grounds = Grounds::Compared { with, difference, comparison };
    match (difference, verdict) {
        (Difference::Data, Verdict::Better | Verdict::Undecided | Verdict::NotComparable)
        | (Difference::Recipe | Difference::Features, Verdict::Better) => {
            Decision::Promote(grounds)
        }
        (Difference::Data, Verdict::Worse)
        | (
            Difference::Recipe | Difference::Features,
            Verdict::Worse | Verdict::Undecided | Verdict::NotComparable,
        ) => Decision::Keep { current: with, grounds },
    }
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("it is the first model"),
            Self::CurrentUnusable(version, why) => {
                write!(f, "model {version} cannot be used any more: {why}")
            }
            Self::Compared { with, difference, comparison } => {
                let made = match difference {
                    Difference::Data => "the same recipe on newer data",
                    Difference::Recipe => "another recipe",
                    Difference::Features => "other features",
                };
                write!(f, "{made}, {}", against(*with, &comparison.pooled))
            }
        }
    }
}

/// Returns in words how the second model of a comparison did against the first.
fn against(first: Version, pooled: &PairedDifference) -> String {
    let said = match pooled.verdict() {
        Verdict::Better => "better than",
        Verdict::Worse => "worse than",
        Verdict::Undecided => "neither better nor worse beyond doubt than",
        Verdict::NotComparable => {
            return format!(
                "not comparable with {first}: held-out weeks in common: {}",
                pooled.weeks
            );
        }
    };
    let interval = pooled.interval.map_or_else(String::new, |interval| {
        format!(" (90 % interval {:+.5} to {:+.5})", interval.lower, interval.upper)
    });
    format!(
        "{said} {first} on {} weeks held out of both: log-loss {:.5} against {:.5}, difference {:+.5}{interval}",
        pooled.weeks, pooled.second, pooled.first, pooled.difference
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use forecast::model::{HeldOut, HeldOutWeek, Lineage, Recipe};
    use serde_json::json;

    /// A model with this ridge whose held-out weeks have these mean log-losses.
    fn card(ridge: f64, losses: &[f64]) -> ModelCard {
        let week = |(number, loss): (usize, &f64)| HeldOutWeek {
            start: format!("week {number:03}"),
            hours: 100,
            exceedances: 3,
            log_loss: 100.0 * loss,
            climatology_log_loss: 20.0,
        };
        let held_out = HeldOut {
            threshold: 100.0,
            hours: 100 * losses.len(),
            exceedances: 3 * losses.len(),
            log_loss: losses.iter().sum::<f64>() / losses.len() as f64,
            climatology_log_loss: 0.2,
            skill_interval: None,
            weeks: losses.iter().enumerate().map(week).collect(),
        };
        let lineage = Lineage {
            trained_at: "2026-03-07T12:00:00Z".to_owned(),
            first_target: String::new(),
            last_target: String::new(),
            rows: 4_000,
            data: String::new(),
            features: vec!["load".to_owned()],
            recipe: Recipe::of(&[("ridge", json!(ridge))]),
            seed: 1,
            program: "0.1.0".to_owned(),
        };
        ModelCard { lineage, held_out: vec![held_out] }
    }

    fn current() -> ModelCard {
        card(300.0, &[0.15; 10])
    }

    fn check(candidate: &ModelCard, expected: &str) {
        let version = "1.0.3".parse().unwrap();
        let said = match decide(Current::Speaks(version, &current()), candidate) {
            Decision::Promote(grounds) => format!("promote: {grounds}"),
            Decision::Keep { grounds, .. } => format!("keep: {grounds}"),
        };
        assert!(said.starts_with(expected), "{said}\ninstead of\n{expected}");
    }

    /// As good on the whole, but not every week.
    const UNDECIDED: [f64; 10] = [0.1, 0.2, 0.15, 0.14, 0.16, 0.12, 0.18, 0.15, 0.1, 0.2];

    #[test]
    fn the_first_model_speaks_at_once_and_so_does_one_after_a_broken_one() {
        let candidate = card(300.0, &[9.0; 10]);
        assert_eq!(decide(Current::Nobody, &candidate), Decision::Promote(Grounds::First));
        let version = "1.0.3".parse().unwrap();
        let decision = decide(Current::Unusable(version, "damaged"), &candidate);
        let Decision::Promote(grounds) = decision else { panic!("{decision:?}") };
        assert_eq!(grounds.to_string(), "model 1.0.3 cannot be used any more: damaged");
    }

    #[test]
    fn a_retraining_takes_over_unless_it_is_worse_beyond_doubt() {
        check(
            &card(300.0, &[0.14; 10]),
            "promote: the same recipe on newer data, better than 1.0.3 on 10 weeks held out of \
             both: log-loss 0.14000 against 0.15000, difference -0.01000 (90 % interval -0.01000 \
             to -0.01000)",
        );
        check(
            &card(300.0, &UNDECIDED),
            "promote: the same recipe on newer data, neither better nor worse beyond doubt than",
        );
        check(
            &card(300.0, &[0.1; 4]),
            "promote: the same recipe on newer data, not comparable with 1.0.3: held-out weeks in \
             common: 4",
        );
        check(&card(300.0, &[0.16; 10]), "keep: the same recipe on newer data, worse than 1.0.3");
    }

    #[test]
    fn another_recipe_takes_over_only_when_it_is_better_beyond_doubt() {
        check(&card(200.0, &[0.14; 10]), "promote: another recipe, better than 1.0.3");
        check(&card(200.0, &UNDECIDED), "keep: another recipe, neither better nor worse");
        check(&card(200.0, &[0.1; 4]), "keep: another recipe, not comparable");
        check(&card(200.0, &[0.16; 10]), "keep: another recipe, worse than");
    }

    #[test]
    fn other_features_are_held_to_the_standard_of_another_recipe() {
        let mut candidate = card(300.0, &UNDECIDED);
        candidate.lineage.features.push("wind".to_owned());
        check(&candidate, "keep: other features, neither better nor worse");
        let mut candidate = card(300.0, &[0.14; 10]);
        candidate.lineage.features.push("wind".to_owned());
        check(&candidate, "promote: other features, better than");
    }
}
