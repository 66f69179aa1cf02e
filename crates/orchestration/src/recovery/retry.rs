//! Decides what follows a failed attempt: another try (when?), the next rung, or the end.
//!
//! Pure. The ladder itself (which function is next) belongs to the stage; circuit breakers and
//! deadlines have files of their own.

use jiff::{SignedDuration, Timestamp};

use super::{RecoveryStrategy, StageFailure};

/// A server that asks for a longer wait than this is not waited for: its rung has failed.
const SERVER_WAIT_MAX: SignedDuration = SignedDuration::from_hours(1);

/// How often and how patiently one rung of a stage is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts on each rung, the first one included.
    pub attempts_max: u32,
    /// The longest wait before the second attempt.
    pub delay_first: SignedDuration,
    /// How much longer each further wait may be.
    pub backoff_factor: f64,
    /// The ceiling of every wait, but for one that the server itself asked for.
    pub delay_max: SignedDuration,
}

impl RetryPolicy {
    /// One attempt on each rung.
    pub const NEVER: Self = Self { attempts_max: 1, ..Self::DEFAULT };

    const DEFAULT: Self = Self {
        attempts_max: 4,
        delay_first: SignedDuration::from_secs(2),
        backoff_factor: 2.0,
        delay_max: SignedDuration::from_mins(2),
    };

    /// Returns what makes no sense in this policy, if anything does.
    pub(crate) fn nonsense(&self) -> Option<&'static str> {
        if self.attempts_max == 0 {
            return Some("no attempt");
        }
        if self.delay_first.is_negative() || self.delay_max.is_negative() {
            return Some("a negative delay");
        }
        let grows = self.backoff_factor.is_finite() && 1.0 <= self.backoff_factor;
        if grows { None } else { Some("a backoff factor that is not at least 1") }
    }

    /// Returns the longest wait after `attempts_made` failed attempts.
    fn ceiling(&self, attempts_made: u32) -> SignedDuration {
        let exponent = i32::try_from(attempts_made - 1).unwrap_or(i32::MAX);
        let seconds = self.delay_first.as_secs_f64() * self.backoff_factor.powi(exponent);
        // What no duration can hold is above every ceiling.
        SignedDuration::try_from_secs_f64(seconds).unwrap_or(self.delay_max).min(self.delay_max)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a stage has tried so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Failed attempts on the present rung, the one just ended included.
    pub attempts_made: u32,
    /// Rungs below the present one.
    pub rungs_left: usize,
    /// Spreads the waits of different attempts.
    pub seed: u64,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same rung again, not before this instant.
    RetryAt(Timestamp),
    /// The next function of the ladder, at once.
    NextRung,
    /// The stage is left out, and so is what depends on it.
    Skip,
    /// Nothing is left to try.
    GiveUp,
}

/// Decides what follows `failure` if only the stage's own policy speaks: what may pass by itself is
/// tried again.
///
/// # Panics
/// If no attempt was made: a failure comes after an attempt.
pub fn after_failure(
    policy: &RetryPolicy,
    failure: &StageFailure,
    tried: Tried,
    now: Timestamp,
) -> Verdict {
    if failure.class.is_worth_retrying() {
        try_again(policy, failure, tried, now)
    } else {
        descend(tried)
    }
}

/// Decides what follows `failure` if `strategy` was registered for it.
///
/// # Panics
/// If no attempt was made: a failure comes after an attempt.
pub fn follow(
    strategy: &RecoveryStrategy,
    failure: &StageFailure,
    tried: Tried,
    now: Timestamp,
) -> Verdict {
    match strategy {
        RecoveryStrategy::Retry(policy)
        | RecoveryStrategy::Repair { policy, .. }
        | RecoveryStrategy::Restart { policy, .. } => try_again(policy, failure, tried, now),
        RecoveryStrategy::Fallback => descend(tried),
        RecoveryStrategy::Skip => Verdict::Skip,
    }
}

fn try_again(
    policy: &RetryPolicy,
    failure: &StageFailure,
    tried: Tried,
    now: Timestamp,
) -> Verdict {
    assert!(0 < tried.attempts_made, "a failure comes after an attempt");
    let server_wait = failure.wait.unwrap_or(SignedDuration::ZERO);
    if policy.attempts_max <= tried.attempts_made || SERVER_WAIT_MAX < server_wait {
        return descend(tried);
    }
    // Full jitter: anything between no wait and the ceiling, so that many who failed together do
    // not come back together.
    let jittered = policy.ceiling(tried.attempts_made).mul_f64(unit_fraction(tried.seed));
    let delay = jittered.max(server_wait);
    Verdict::RetryAt(now.saturating_add(delay).unwrap_or(Timestamp::MAX))
}

pub(crate) fn descend(tried: Tried) -> Verdict {
    if 0 < tried.rungs_left { Verdict::NextRung } else { Verdict::GiveUp }
}

/// Maps a seed to [0, 1), evenly.
fn unit_fraction(seed: u64) -> f64 {
    // The upper 32 bits fill a double exactly; finer steps would not be felt.
    let upper = u32::try_from(mix(seed) >> 32).expect("a shifted u64 fits in 32 bits");
    f64::from(upper) / (f64::from(u32::MAX) + 1.0)
}

/// Scatters the bits of a number (the finaliser of SplitMix64, Steele et al. 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::FailureClass;

    const SEEDS: u64 = 4_000;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            attempts_max: 6,
            delay_first: SignedDuration::from_secs(10),
            backoff_factor: 2.0,
            delay_max: SignedDuration::from_secs(60),
        }
    }

    fn verdict(failure: &StageFailure, attempts_made: u32, rungs_left: usize) -> Verdict {
        let tried = Tried { attempts_made, rungs_left, seed: 7 };
        after_failure(&policy(), failure, tried, Timestamp::UNIX_EPOCH)
    }

    /// The shortest and the longest wait over many seeds.
    fn delays(attempts_made: u32, wait: Option<SignedDuration>) -> (f64, f64) {
        let mut failure = StageFailure::new(FailureClass::RateLimit, "slow down");
        failure.wait = wait;
        let (mut shortest, mut longest) = (f64::INFINITY, 0.0_f64);
        for seed in 0..SEEDS {
            let tried = Tried { attempts_made, rungs_left: 0, seed };
            match after_failure(&policy(), &failure, tried, Timestamp::UNIX_EPOCH) {
                Verdict::RetryAt(at) => {
                    let delay = (at - Timestamp::UNIX_EPOCH).as_secs_f64();
                    shortest = shortest.min(delay);
                    longest = longest.max(delay);
                }
                verdict @ (Verdict::NextRung | Verdict::Skip | Verdict::GiveUp) => {
                    panic!("{verdict:?}")
                }
            }
        }
        (shortest, longest)
    }

    #[test]
    fn waits_fill_the_span_from_zero_to_a_ceiling_that_doubles_up_to_the_limit() {
        for (attempts_made, ceiling) in [(1, 10.0), (2, 20.0), (3, 40.0), (4, 60.0), (5, 60.0)] {
            let (shortest, longest) = delays(attempts_made, None);
            assert!(shortest < 0.01 * ceiling, "{attempts_made}: {shortest}");
            assert!(0.99 * ceiling < longest && longest < ceiling, "{attempts_made}: {longest}");
        }
    }

    #[test]
    fn the_wait_the_server_asked_for_is_the_shortest_even_above_the_ceiling() {
        let (shortest, longest) = delays(1, Some(SignedDuration::from_secs(5)));
        assert!((shortest - 5.0).abs() < 1e-9);
        assert!(9.0 < longest);
        let (shortest, longest) = delays(1, Some(SignedDuration::from_secs(600)));
        assert!((shortest - 600.0).abs() < 1e-9 && (longest - 600.0).abs() < 1e-9);
    }

    #[test]
    fn a_server_that_asks_for_more_than_an_hour_is_not_waited_for() {
        let failure = StageFailure::new(FailureClass::RateLimit, "come back tomorrow")
            .with_wait(SignedDuration::from_secs(3601));
        assert_eq!(verdict(&failure, 1, 1), Verdict::NextRung);
        assert_eq!(verdict(&failure, 1, 0), Verdict::GiveUp);
    }

    #[test]
    fn only_what_may_pass_by_itself_is_retried() {
        let retried: Vec<&str> = FailureClass::ALL
            .into_iter()
            .filter(|class| {
                let failure = StageFailure::new(*class, "it failed");
                matches!(verdict(&failure, 1, 1), Verdict::RetryAt(_))
            })
            .map(FailureClass::as_str)
            .collect();
        assert_eq!(
            retried,
            ["connection", "rate limit", "missing data", "resource exhaustion", "timeout"]
        );
    }

    #[test]
    fn after_the_last_attempt_comes_the_next_rung_and_after_the_last_rung_the_end() {
        let failure = StageFailure::new(FailureClass::Timeout, "too slow");
        assert!(matches!(verdict(&failure, 5, 1), Verdict::RetryAt(_)));
        assert_eq!(verdict(&failure, 6, 1), Verdict::NextRung);
        assert_eq!(verdict(&failure, 6, 0), Verdict::GiveUp);
    }

    #[test]
    fn a_registered_strategy_decides_whatever_the_class() {
        let failure = StageFailure::new(FailureClass::Bug, "index out of bounds");
        let tried = |attempts_made| Tried { attempts_made, rungs_left: 1, seed: 7 };
        let retry = RecoveryStrategy::Retry(policy());
        let now = Timestamp::UNIX_EPOCH;
        assert!(matches!(follow(&retry, &failure, tried(5), now), Verdict::RetryAt(_)));
        assert_eq!(follow(&retry, &failure, tried(6), now), Verdict::NextRung);
        let fallback = RecoveryStrategy::Fallback;
        assert_eq!(follow(&fallback, &failure, tried(1), now), Verdict::NextRung);
        assert_eq!(follow(&RecoveryStrategy::Skip, &failure, tried(1), now), Verdict::Skip);
    }

    #[test]
    fn the_same_seed_waits_equally_long() {
        let failure = StageFailure::new(FailureClass::Timeout, "too slow");
        assert_eq!(verdict(&failure, 3, 1), verdict(&failure, 3, 1));
    }

    #[test]
    fn the_ceiling_holds_after_any_number_of_attempts() {
        for attempts_made in [4, 40, 4_000, u32::MAX] {
            assert_eq!(policy().ceiling(attempts_made), policy().delay_max);
        }
    }
}
