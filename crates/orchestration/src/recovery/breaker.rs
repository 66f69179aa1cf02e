//! Keeps a resource that is down from being asked again and again: a circuit breaker.
//!
//! A pure state machine over (state, outcome, now). Which stages share a breaker is known to the
//! manager, and who asks it is the runtime's worker.

use jiff::{SignedDuration, Timestamp};

use super::FailureClass;

/// When a breaker opens and how it closes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// So many failures in a row open it.
    pub failures_max: u32,
    /// So long nobody is let through.
    pub open_for: SignedDuration,
    /// So many calls try a half-open breaker; it closes once all of them have succeeded.
    pub probes: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failures_max: 5, open_for: SignedDuration::from_secs(30), probes: 1 }
    }
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerPhase {
    /// Everybody is let through.
    Closed {
        /// Failures since the last success.
        failures: u32,
    },
    /// Nobody is let through.
    Open {
        /// Until this instant.
        until: Timestamp,
    },
    /// A few are let through, to see how they fare.
    HalfOpen {
        /// Who was let through and has not come back.
        probes_under_way: u32,
        /// Who came back well.
        successes: u32,
        /// Probes that have not come back by then are given up, and others are let through.
        patience_ends: Timestamp,
    },
}

/// A breaker: its phase, and a number that tells the calls of one phase from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    phase: BreakerPhase,
    generation: u64,
}

/// What a call that was let through brings back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    generation: u64,
}

/// A call was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Asking earlier is useless.
    pub until: Timestamp,
}

/// What a call says about the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerOutcome {
    /// It answers.
    Success,
    /// It does not.
    Failure,
    /// Nothing: the call ended for a reason of its own.
    Unknown,
}

impl BreakerOutcome {
    /// Tells what a failure of this class says about the resource.
    pub fn of_failure(class: FailureClass) -> Self {
        match class {
            FailureClass::Connection
            | FailureClass::RateLimit
            | FailureClass::ResourceExhaustion
            | FailureClass::Timeout => Self::Failure,
            FailureClass::Authentication | FailureClass::BadData | FailureClass::MissingData => {
                Self::Success
            }
            FailureClass::Model | FailureClass::Bug | FailureClass::Cancelled => Self::Unknown,
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self { phase: BreakerPhase::Closed { failures: 0 }, generation: 0 }
    }
}

impl Breaker {
    /// Returns where the breaker stands.
    pub fn phase(&self) -> BreakerPhase {
        self.phase
    }

    /// Lets a call through, or says until when it is useless to ask.
    pub fn admit(&mut self, policy: &BreakerPolicy, now: Timestamp) -> Result<Permit, Refused> {
        match self.phase {
            BreakerPhase::Closed { .. } => {}
            BreakerPhase::Open { until } if now < until => return Err(Refused { until }),
            BreakerPhase::Open { .. } => self.half_open(policy, now),
            BreakerPhase::HalfOpen { probes_under_way, successes, patience_ends } => {
                if probes_under_way + successes < policy.probes {
                    let probes_under_way = probes_under_way + 1;
                    self.phase =
                        BreakerPhase::HalfOpen { probes_under_way, successes, patience_ends };
                } else if now < patience_ends {
                    return Err(Refused { until: patience_ends });
                } else {
                    self.half_open(policy, now);
                }
            }
        }
        Ok(Permit { generation: self.generation })
    }

    /// Takes note of how a call ended. Calls let through in an earlier phase are not heard.
    pub fn settle(
        &mut self,
        policy: &BreakerPolicy,
        permit: Permit,
        outcome: BreakerOutcome,
        now: Timestamp,
    ) {
        if permit.generation != self.generation {
            return;
        }
        match (self.phase, outcome) {
            (BreakerPhase::Closed { .. }, BreakerOutcome::Success) => {
                self.phase = BreakerPhase::Closed { failures: 0 };
            }
            (BreakerPhase::Closed { failures }, BreakerOutcome::Failure) => {
                self.phase = BreakerPhase::Closed { failures: failures + 1 };
                if policy.failures_max <= failures + 1 {
                    self.open(policy, now);
                }
            }
            (BreakerPhase::HalfOpen { .. }, BreakerOutcome::Failure) => self.open(policy, now),
            (
                BreakerPhase::HalfOpen { probes_under_way, successes, patience_ends },
                BreakerOutcome::Success | BreakerOutcome::Unknown,
            ) => {
                let successes = successes + u32::from(outcome == BreakerOutcome::Success);
                let probes_under_way = probes_under_way.saturating_sub(1);
                self.phase = BreakerPhase::HalfOpen { probes_under_way, successes, patience_ends };
                if policy.probes <= successes {
                    self.turn(BreakerPhase::Closed { failures: 0 });
                }
            }
            (BreakerPhase::Closed { .. }, BreakerOutcome::Unknown)
            | (BreakerPhase::Open { .. }, _) => {}
        }
    }

    fn open(&mut self, policy: &BreakerPolicy, now: Timestamp) {
        let until = now.saturating_add(policy.open_for).unwrap_or(Timestamp::MAX);
        self.turn(BreakerPhase::Open { until });
    }

    /// Opens half, with the call that asked as the first probe.
    fn half_open(&mut self, policy: &BreakerPolicy, now: Timestamp) {
        let patience_ends = now.saturating_add(policy.open_for).unwrap_or(Timestamp::MAX);
        self.turn(BreakerPhase::HalfOpen { probes_under_way: 1, successes: 0, patience_ends });
    }

    fn turn(&mut self, phase: BreakerPhase) {
        self.phase = phase;
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: BreakerPolicy =
        BreakerPolicy { failures_max: 3, open_for: SignedDuration::from_secs(30), probes: 2 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn call(breaker: &mut Breaker, second: i64, outcome: BreakerOutcome) {
        let permit = breaker.admit(&POLICY, at(second)).unwrap();
        breaker.settle(&POLICY, permit, outcome, at(second));
    }

    fn opened_at_second_2() -> Breaker {
        let mut breaker = Breaker::default();
        for second in 0..3 {
            call(&mut breaker, second, BreakerOutcome::Failure);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let mut breaker = Breaker::default();
        for outcome in [
            BreakerOutcome::Failure,
            BreakerOutcome::Failure,
            BreakerOutcome::Success,
            BreakerOutcome::Failure,
            BreakerOutcome::Unknown,
            BreakerOutcome::Failure,
        ] {
            call(&mut breaker, 0, outcome);
        }
        assert_eq!(breaker.phase(), BreakerPhase::Closed { failures: 2 });
        call(&mut breaker, 7, BreakerOutcome::Failure);
        assert_eq!(breaker.phase(), BreakerPhase::Open { until: at(37) });
    }

    #[test]
    fn an_open_breaker_refuses_until_its_time_is_over_and_then_lets_probes_through() {
        let mut breaker = opened_at_second_2();
        assert_eq!(breaker.admit(&POLICY, at(31)), Err(Refused { until: at(32) }));
        breaker.admit(&POLICY, at(32)).unwrap();
        breaker.admit(&POLICY, at(32)).unwrap();
        assert_eq!(breaker.admit(&POLICY, at(33)), Err(Refused { until: at(62) }));
    }

    #[test]
    fn it_closes_after_all_probes_succeed_and_opens_again_after_one_fails() {
        let mut breaker = opened_at_second_2();
        call(&mut breaker, 32, BreakerOutcome::Success);
        assert!(matches!(breaker.phase(), BreakerPhase::HalfOpen { successes: 1, .. }));
        call(&mut breaker, 33, BreakerOutcome::Success);
        assert_eq!(breaker.phase(), BreakerPhase::Closed { failures: 0 });

        let mut breaker = opened_at_second_2();
        call(&mut breaker, 32, BreakerOutcome::Success);
        call(&mut breaker, 33, BreakerOutcome::Failure);
        assert_eq!(breaker.phase(), BreakerPhase::Open { until: at(63) });
    }

    #[test]
    fn a_call_from_before_it_opened_is_not_taken_for_a_probe() {
        let mut breaker = Breaker::default();
        let early = breaker.admit(&POLICY, at(0)).unwrap();
        for second in 0..3 {
            call(&mut breaker, second, BreakerOutcome::Failure);
        }
        let probe = breaker.admit(&POLICY, at(40)).unwrap();
        breaker.settle(&POLICY, early, BreakerOutcome::Failure, at(41));
        assert!(matches!(breaker.phase(), BreakerPhase::HalfOpen { .. }));
        breaker.settle(&POLICY, probe, BreakerOutcome::Failure, at(42));
        assert_eq!(breaker.phase(), BreakerPhase::Open { until: at(72) });
    }

    #[test]
    fn probes_that_never_come_back_do_not_keep_it_half_open_for_ever() {
        let mut breaker = opened_at_second_2();
        breaker.admit(&POLICY, at(32)).unwrap();
        breaker.admit(&POLICY, at(32)).unwrap();
        breaker.admit(&POLICY, at(61)).unwrap_err();
        breaker.admit(&POLICY, at(62)).unwrap();
    }

    proptest! {
        #[test]
        fn never_more_probes_than_allowed_are_out_and_refusals_always_end(
            steps in prop::collection::vec((0_i64..20, 0_usize..4), 1..200),
        ) {
            let outcomes =
                [BreakerOutcome::Success, BreakerOutcome::Failure, BreakerOutcome::Unknown];
            let mut breaker = Breaker::default();
            let (mut now, mut out) = (0, Vec::new());
            for (wait, choice) in steps {
                now += wait;
                match (outcomes.get(choice), out.pop()) {
                    (Some(outcome), Some(permit)) => {
                        breaker.settle(&POLICY, permit, *outcome, at(now));
                    }
                    (_, back) => {
                        out.extend(back);
                        match breaker.admit(&POLICY, at(now)) {
                            Ok(permit) => out.push(permit),
                            Err(refused) => {
                                prop_assert!(at(now) < refused.until);
                                prop_assert!(refused.until <= at(now + 30));
                                prop_assert!(breaker.clone().admit(&POLICY, refused.until).is_ok());
                            }
                        }
                    }
                }
                if let BreakerPhase::HalfOpen { probes_under_way, successes, .. } = breaker.phase()
                {
                    prop_assert!(probes_under_way + successes <= POLICY.probes);
                }
            }
        }
    }
}
