//! Simulates many processes, or replays the one that broke a promise.
//!
//! `simulate [--first SEED] [--seeds N]`; a broken promise ends it with the seed that replays it.

use std::error::Error;
use std::io::Write;

use orchestration::simulation::{Outcome, simulate};
use orchestration::{Clock, SystemClock};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut first, mut seeds) = (0_u64, 10_000_u64);
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--first" => first = value.parse()?,
            "--seeds" => seeds = value.parse()?,
            _ => return Err(format!("{flag} is not understood").into()),
        }
    }
    let clock = SystemClock::new();
    let mut all = Outcome::default();
    for seed in first..first.saturating_add(seeds) {
        all.add(&simulate(seed)?);
    }
    let seconds = clock.monotonic().as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{seeds} seeds kept every promise in {seconds:.1} s")?;
    writeln!(out, "{all}")?;
    Ok(())
}
