//! Thousands of simulated runs keep every promise, and everything that can go wrong does.

use orchestration::simulation::{Outcome, simulate};

/// Slow builds try fewer seeds, so that the tests stay quick at home.
const SEEDS: u64 = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

#[test]
fn no_promise_is_broken_whatever_the_seed() {
    let mut all = Outcome::default();
    for seed in 0..SEEDS {
        let outcome = simulate(seed).unwrap_or_else(|broken| {
            panic!("{broken}; replay with the example simulate --first {seed} --seeds 1")
        });
        all.attempts += outcome.attempts;
        all.failures += outcome.failures;
        all.crashes += outcome.crashes;
        all.stops += outcome.stops;
        all.refused += outcome.refused;
        all.clock_steps += outcome.clock_steps;
        all.alerts += outcome.alerts;
    }
    // A simulation in which nothing happens proves nothing.
    let seeds = u32::try_from(SEEDS).unwrap();
    for (what, count) in [
        ("failures", all.failures),
        ("crashes", all.crashes),
        ("stops", all.stops),
        ("late results", all.refused),
        ("clock steps", all.clock_steps),
        ("alerts", all.alerts),
    ] {
        assert!(seeds / 10 < count, "only {count} {what}: {all:?}");
    }
}

#[test]
fn the_same_seed_does_the_same() {
    assert_eq!(simulate(42), simulate(42));
}
