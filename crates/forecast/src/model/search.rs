//! Search for hyper-parameters: random candidates, successive halving, time-ordered folds.
//!
//! A fold is a span of days that is forecast by a model which learnt only from hours that ended an
//! embargo before it. All candidates are tried on the newest fold, the better half also on the
//! next older one, and so on (Jamieson & Talwalkar, 2016): the search spends its time on those that
//! may win. What is searched for was never tuned on the days that come after.

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::fit::{EMBARGO, FitError, FitSettings, fit};
use super::hyperparameters::Hyperparameters;
use super::sample::LabelledExample;
use crate::arithmetic::mean;
use crate::evaluation::log_loss;
use crate::threshold::Thresholds;

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct SearchSettings {
    /// When the search happens: the newest fold ends here.
    pub as_of: Timestamp,
    /// How many candidates, the defaults among them.
    pub candidates: usize,
    /// How many folds there are at the most.
    pub folds: usize,
    /// How many days a fold has.
    pub fold_days: u32,
    /// Seeds the candidates and their fits.
    pub seed: u64,
}

/// How a candidate did.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The candidate.
    pub hyperparameters: Hyperparameters,
    /// On how many folds it was tried.
    pub folds: usize,
    /// 1 − log-loss ÷ that of the tougher climatology: mean over thresholds, then over folds.
    pub skill: f64,
}

/// Tries candidates; returns them with the best of those that were tried longest first. `tried` is
/// told of each trial as it ends and says whether to go on.
pub fn search(
    rows: &[LabelledExample<'_>],
    thresholds: &Thresholds,
    settings: &SearchSettings,
    tried: &mut dyn FnMut(&Trial) -> bool,
) -> Result<Vec<Trial>, FitError> {
    let mut alive: Vec<(Hyperparameters, Vec<f64>)> =
        candidates(settings).into_iter().map(|candidate| (candidate, Vec::new())).collect();
    let mut out = Vec::new();
    for number in 0..settings.folds {
        let fold = Fold::of(rows, settings, number);
        for (candidate, skills) in &mut alive {
            skills.push(fold.skill(thresholds, (candidate, settings.seed))?);
            if !tried(&trial(candidate, skills)) {
                alive.extend(out);
                return Ok(ranked(alive));
            }
        }
        alive.sort_by(|a, b| mean(b.1.iter().copied()).total_cmp(&mean(a.1.iter().copied())));
        let survivors = alive.len().div_ceil(2);
        out.extend(alive.split_off(survivors));
    }
    alive.extend(out);
    Ok(ranked(alive))
}

fn trial(candidate: &Hyperparameters, skills: &[f64]) -> Trial {
    Trial { hyperparameters: *candidate, folds: skills.len(), skill: mean(skills.iter().copied()) }
}

fn ranked(candidates: Vec<(Hyperparameters, Vec<f64>)>) -> Vec<Trial> {
    let mut trials: Vec<Trial> =
        candidates.iter().map(|(candidate, skills)| trial(candidate, skills)).collect();
    trials.sort_by(|a, b| (b.folds.cmp(&a.folds)).then(b.skill.total_cmp(&a.skill)));
    trials
}

/// Draws candidates around the defaults, which are the first: every ridge and the half-life within
/// a factor of four, on a logarithmic scale.
fn candidates(settings: &SearchSettings) -> Vec<Hyperparameters> {
    let mut random = Pcg64Mcg::seed_from_u64(settings.seed);
    let mut near = |value: f64, octaves: f64| value * random.random_range(-octaves..octaves).exp2();
    let default = Hyperparameters::default();
    let mut candidates = vec![default];
    while candidates.len() < settings.candidates {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a number of trees"
        )]
        let trees = near(default.trees as f64, 1.5).round() as usize;
        candidates.push(Hyperparameters {
            half_life_days: near(default.half_life_days, 1.0),
            ridge: near(default.ridge, 2.0),
            lead_day_ridge: near(default.lead_day_ridge, 2.0),
            kinship_ridge: near(default.kinship_ridge, 2.0),
            intercept_ridge: near(default.intercept_ridge, 2.0),
            leaf_information_min: near(default.leaf_information_min, 1.0),
            leaf_ridge: near(default.leaf_ridge, 2.0),
            learning_rate: near(default.learning_rate, 1.0),
            trees,
            ..default
        });
    }
    candidates
}

/// The rows of one fold: those that are learnt from and those that are forecast.
struct Fold<'e> {
    begins: Timestamp,
    past: Vec<LabelledExample<'e>>,
    future: Vec<LabelledExample<'e>>,
}

impl<'e> Fold<'e> {
    /// Cuts a fold; number 0 is the newest.
    fn of(rows: &[LabelledExample<'e>], settings: &SearchSettings, number: usize) -> Self {
        let length = SignedDuration::from_hours(24 * i64::from(settings.fold_days));
        let ends = settings.as_of - length * i32::try_from(number).unwrap_or(i32::MAX);
        let begins = ends - length;
        let is_past = |row: &&LabelledExample<'e>| row.example.target.hour.start < begins - EMBARGO;
        let is_future =
            |row: &&LabelledExample<'e>| begins <= row.issue_time && row.issue_time < ends;
        Self {
            begins,
            past: rows.iter().filter(is_past).copied().collect(),
            future: rows.iter().filter(is_future).copied().collect(),
        }
    }

    fn skill(
        &self,
        thresholds: &Thresholds,
        (candidate, seed): (&Hyperparameters, u64),
    ) -> Result<f64, FitError> {
        let settings = FitSettings { as_of: self.begins, hyperparameters: *candidate, seed };
        let model = fit(&self.past, thresholds, &settings)?;
        let mut losses = vec![[0.0; 3]; thresholds.count()];
        for row in &self.future {
            let predictions = model.predict(row.example);
            for ((sums, threshold), said) in
                losses.iter_mut().zip(thresholds.iter()).zip(predictions)
            {
                let Some(exceeded) = row.outcome.exceeds(threshold) else { continue };
                let said = [said.probability, said.climatology, said.climatology_recent];
                for (sum, probability) in sums.iter_mut().zip(said) {
                    *sum += log_loss(probability, exceeded);
                }
            }
        }
        let skill = |[model, long, recent]: &[f64; 3]| 1.0 - model / long.min(*recent);
        Ok(mean(losses.iter().map(skill)))
    }
}
