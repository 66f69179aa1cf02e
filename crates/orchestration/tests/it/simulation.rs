//! Thousands of simulated processes keep every promise, and everything that can go wrong does.

use orchestration::simulation::{Occasion, Outcome, simulate};

/// Slow builds try fewer seeds, so that the tests stay quick at home.
const SEEDS: u64 = if cfg!(debug_assertions) { 1_000 } else { 20_000 };

/// Everything happens more than once in so many seeds.
fn seeds_per(occasion: Occasion) -> u64 {
    match occasion {
        // It takes twenty deaths.
        Occasion::Blame => 200,
        _ => 20,
    }
}

#[test]
fn no_promise_is_broken_whatever_the_seed() {
    let mut all = Outcome::default();
    for seed in 0..SEEDS {
        all.add(&simulate(seed).unwrap_or_else(|broken| {
            panic!(
                "{broken}; replay with: cargo run --release -p orchestration --example simulate \
                 -- --first {seed} --seeds 1"
            )
        }));
    }
    // A simulation in which nothing happens proves nothing.
    for occasion in Occasion::ALL {
        let count = all.count(occasion);
        assert!(SEEDS / seeds_per(occasion) < count, "only {count} times {occasion:?}: {all}");
    }
}

#[test]
fn the_same_seed_does_the_same() {
    assert_eq!(simulate(42), simulate(42));
}
