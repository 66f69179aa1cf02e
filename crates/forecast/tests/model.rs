//! Models on a world whose truth is known: they find it, survive saving, and do not depend on the
//! number of threads.

use forecast::evaluation::log_loss_of;
use forecast::features::{COLUMNS_PER_THRESHOLD, Example, column_names};
use forecast::horizon::TargetHour;
use forecast::model::{
    FitError, FitSettings, FittedModel, Hyperparameters, LabelledExample, ModelCard,
    SavedModelError, SearchSettings, Trial, fit, search,
};
use forecast::target::HourOutcome;
use forecast::threshold::Thresholds;
use jiff::{SignedDuration, Timestamp};
use market::time::{MarketHour, parse_local};
use market::units::DollarsPerMwh;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const THRESHOLDS: [f64; 2] = [50.0, 100.0];

fn thresholds() -> Thresholds {
    Thresholds::new(&THRESHOLDS).expect("ascending prices")
}

/// Hours whose exceedance depends on the first feature, and on the product of the next two.
fn world(hours: i64) -> Vec<(Timestamp, Example, HourOutcome)> {
    let mut random = Pcg64Mcg::seed_from_u64(11);
    let first = parse_local("2023-01-01T00:00").expect("a local time");
    (0..hours)
        .map(|hour| {
            let start = first + SignedDuration::from_hours(hour);
            let mut uniform = || random.random_range(-1.0..1.0_f64);
            let (a, b, c, noise) = (uniform(), uniform(), uniform(), uniform());
            let z = -2.5 + 2.0 * a + 1.5 * b * c;
            let exceeds = 1.0 / (1.0 + (-z).exp());
            let price = if 0.5 + noise / 2.0 < exceeds { 75.0 } else { 20.0 };
            let price = if 0.5 + noise / 2.0 < exceeds / 4.0 { 150.0 } else { price };
            let climatology = vec![0.1, 0.03];
            let mut common = vec![f32::NAN; column_names().len() - COLUMNS_PER_THRESHOLD];
            for (name, value) in ["net_load_rank", "load_rank", "wind_rank"].iter().zip([a, b, c]) {
                common[place_of(name)] = single(value);
            }
            let lead_day = u8::try_from(1 + hour % 3).expect("1 to 3");
            let example = Example {
                target: TargetHour { hour: MarketHour::starting(start), lead_day },
                common,
                by_threshold: vec![0.0; 2 * COLUMNS_PER_THRESHOLD],
                climatology_recent: climatology.clone(),
                persistence: climatology.clone(),
                climatology,
            };
            let price = DollarsPerMwh::new(price).expect("a number");
            (start - SignedDuration::from_hours(24), example, HourOutcome::Known(price))
        })
        .collect()
}

fn place_of(feature: &str) -> usize {
    column_names().iter().position(|name| *name == feature).expect("the feature exists")
}

fn rows(world: &[(Timestamp, Example, HourOutcome)]) -> Vec<LabelledExample<'_>> {
    world
        .iter()
        .map(|(issue_time, example, outcome)| LabelledExample {
            issue_time: *issue_time,
            example,
            outcome: *outcome,
        })
        .collect()
}

fn fitted(world: &[(Timestamp, Example, HourOutcome)]) -> FittedModel {
    let last = world.last().expect("there are hours").0 + SignedDuration::from_hours(48);
    fit(&rows(world), &thresholds(), &FitSettings::at(last)).expect("the world can be learnt")
}

#[test]
fn the_combination_beats_the_climatology_where_there_is_something_to_know() {
    let world = world(16_000);
    let (past, future) = world.split_at(12_000);
    let model = fitted(past);
    for (index, threshold) in thresholds().iter().enumerate() {
        let score = |of: &dyn Fn(&Example) -> f64| {
            let pairs = future.iter().map(|(_, example, outcome)| {
                (of(example), outcome.exceeds(threshold).expect("the outcome is known"))
            });
            log_loss_of(&pairs.collect::<Vec<_>>())
        };
        let combined = score(&|example| model.predict(example)[index].probability);
        let climatology = score(&|example| example.climatology[index]);
        assert!(combined < 0.95 * climatology, "{combined} against {climatology}");
    }
}

#[test]
fn probabilities_never_increase_with_the_threshold_and_lie_in_their_interval() {
    let world = world(6_000);
    let model = fitted(&world);
    for (_, example, _) in world.iter().step_by(7) {
        let predictions = model.predict(example);
        assert!(predictions[1].probability <= predictions[0].probability);
        assert!(predictions.iter().all(|p| p.lower <= p.probability && p.probability <= p.upper));
    }
}

#[test]
fn an_explanation_adds_up_and_names_what_matters() {
    let world = world(12_000);
    let model = fitted(&world);
    let strongest = |example: &Example| model.explain(example, 0).drivers[0].feature.name;
    for (_, example, _) in world.iter().step_by(97) {
        let explanation = model.explain(example, 0);
        let combined = model.predict(example)[0].probability;
        // The second threshold may lie above the first before they are made consistent.
        if model.explain(example, 1).probability < explanation.probability {
            assert!((explanation.probability - combined).abs() < 1e-9);
        }
    }
    let by_the_first = world.iter().filter(|(_, e, _)| strongest(e) == "net_load_rank").count();
    assert!(world.len() < 2 * by_the_first, "{by_the_first}");
}

#[test]
fn a_saved_model_predicts_the_same_bits_and_damage_is_noticed() {
    let world = world(6_000);
    let model = fitted(&world);
    let bytes = model.to_bytes();
    let again = FittedModel::from_bytes(&bytes).expect("it was just saved");
    assert_eq!(again, model);
    assert_eq!(again.predict(&world[5].1), model.predict(&world[5].1));
    assert_eq!(ModelCard::from_bytes(&bytes), Ok(model.card()));

    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert!(matches!(FittedModel::from_bytes(&damaged), Err(SavedModelError::Damaged(_))));
    assert!(matches!(
        FittedModel::from_bytes(&bytes[..bytes.len() - 9]),
        Err(SavedModelError::Damaged(_))
    ));
    let newer = [&b"spikecast-model 99 0\n"[..], b"{}"].concat();
    assert_eq!(FittedModel::from_bytes(&newer), Err(SavedModelError::Newer(99)));
    let older = [&b"spikecast-model 1 0\n"[..], b"{}"].concat();
    assert_eq!(FittedModel::from_bytes(&older), Err(SavedModelError::Older(1)));
    assert_eq!(FittedModel::from_bytes(b"PAR1"), Err(SavedModelError::NotAModel));
}

#[test]
fn the_same_data_gives_the_same_model_whatever_the_number_of_threads() {
    let world = world(6_000);
    let fit_on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started").install(|| fitted(&world).to_bytes())
    };
    assert!(fit_on(1) == fit_on(3));
}

#[test]
fn a_search_tries_the_better_half_longer_and_is_repeatable() {
    let world = world(9_000);
    let as_of = world.last().expect("there are hours").0 + SignedDuration::from_hours(96);
    let settings = SearchSettings { as_of, candidates: 5, folds: 2, fold_days: 40, seed: 3 };
    let trials = || {
        let mut told = 0;
        let found = search(&rows(&world), &thresholds(), &settings, &mut |_| {
            told += 1;
            true
        });
        (found.expect("the world can be learnt"), told)
    };
    let (found, told) = trials();
    assert_eq!((found.len(), told), (5, 5 + 3));
    assert_eq!(found.iter().map(|trial| trial.folds).collect::<Vec<_>>(), [2, 2, 2, 1, 1]);
    assert!(found[0].skill >= found[1].skill && 0.05 < found[0].skill, "{}", found[0].skill);
    let default = |trial: &Trial| trial.hyperparameters == Hyperparameters::default();
    assert!(found.iter().any(default));
    assert_eq!(trials().0, found);
}

/// Names a feature anew in the examples: the values of `from` are those of `to` in some rows.
fn renamed(
    world: &[(Timestamp, Example, HourOutcome)],
    (from, to): (&str, &str),
    is_known: impl Fn(usize) -> bool,
) -> Vec<(Timestamp, Example, HourOutcome)> {
    let mut world = world.to_vec();
    for (row, (_, example, _)) in world.iter_mut().enumerate() {
        let value = std::mem::replace(&mut example.common[place_of(from)], f32::NAN);
        example.common[place_of(to)] = if is_known(row) { value } else { f32::NAN };
    }
    world
}

#[test]
fn a_feature_that_was_there_in_training_is_learnt_from() {
    let world = renamed(&world(12_000), ("net_load_rank", "reserve_margin"), |_| true);
    let model = fitted(&world);
    let by = |name: &str, (_, example, _): &&(Timestamp, Example, HourOutcome)| {
        model.explain(example, 0).drivers[0].feature.name == name
    };
    let by_the_margin = world.iter().filter(|row| by("reserve_margin", row)).count();
    assert!(world.len() < 2 * by_the_margin, "{by_the_margin}");
}

#[test]
fn a_feature_that_training_hardly_knew_moves_no_forecast() {
    let hours = 12_000;
    let check = |is_known: &dyn Fn(usize) -> bool| {
        let world = renamed(&world(12_000), ("net_load_rank", "reserve_margin"), is_known);
        let model = fitted(&world);
        for (_, example, _) in world.iter().step_by(41) {
            let with = |margin: f32| {
                let mut example = example.clone();
                example.common[place_of("reserve_margin")] = margin;
                model.predict(&example)
            };
            assert_eq!(with(f32::NAN), with(0.9));
            assert_eq!(with(f32::NAN), with(-50.0));
        }
    };
    check(&|_| false);
    // The last three days.
    check(&|row| hours - 72 <= row);
}

#[test]
fn the_same_hours_at_a_second_settlement_point_teach_nothing_new() {
    let world = world(6_000);
    let once = rows(&world);
    let twice: Vec<LabelledExample<'_>> = once.iter().flat_map(|row| [*row, *row]).collect();
    let last = world.last().expect("there are hours").0 + SignedDuration::from_hours(48);
    let mut settings = FitSettings::at(last);
    settings.hyperparameters.rows_max = 60_000;
    let predict = |rows: &[LabelledExample<'_>]| {
        let model = fit(rows, &thresholds(), &settings).expect("the world can be learnt");
        model.predict(&world[77].1)[0].probability
    };
    assert!((predict(&once) - predict(&twice)).abs() < 1e-3);
    // Of the second settlement point nobody knows the prices: it takes no weight from the first.
    let with_unknown: Vec<LabelledExample<'_>> = once
        .iter()
        .flat_map(|row| [*row, LabelledExample { outcome: HourOutcome::Unknown, ..*row }])
        .collect();
    assert_eq!(predict(&once).to_bits(), predict(&with_unknown).to_bits());
}

#[test]
fn too_short_a_history_is_refused_with_its_length() {
    let world = world(500);
    let last = world[499].0;
    let refused = fit(&rows(&world), &thresholds(), &FitSettings::at(last));
    assert_eq!(refused, Err(FitError::TooFewRows(500)));
}

#[expect(clippy::cast_possible_truncation, reason = "features are single precision")]
fn single(value: f64) -> f32 {
    value as f32
}
