//! Decides whether there is time to try again, and when somebody must be told that there is not.
//!
//! Pure: how long things take comes from past runs, and time passes in the runtime.

use jiff::{SignedDuration, Timestamp};

/// When an output must exist, and what to do once that is hopeless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlinePolicy {
    /// The instant by which the last stage must have ended.
    pub deadline: Timestamp,
    /// Time to spare: the work is planned to end so much earlier.
    pub margin: SignedDuration,
    /// What a stage without further rungs does when it can only be late.
    pub when_late: WhenLate,
}

/// What follows when there is neither time to try again nor anything else to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenLate {
    /// The failure stands: a late output is worth nothing.
    Accept,
    /// Trying goes on: a late output is better than none.
    KeepTrying,
}

/// How long the rest of a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The 95th percentile of the remaining path, one more attempt of the stage included.
    pub remaining: SignedDuration,
    /// Rungs below the present one.
    pub rungs_left: usize,
}

/// What there is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// The same rung again.
    KeepTrying,
    /// The next rung, at once.
    NextRung,
    /// Nothing: the failure stands.
    Accept,
}

/// Decides what there is time for, if the same rung were tried again at `retry_at`.
pub fn advise(policy: &DeadlinePolicy, outlook: Outlook, retry_at: Timestamp) -> Advice {
    if expected_end(policy, outlook.remaining, retry_at) <= policy.deadline {
        return Advice::KeepTrying;
    }
    match (outlook.rungs_left, policy.when_late) {
        (0, WhenLate::Accept) => Advice::Accept,
        (0, WhenLate::KeepTrying) => Advice::KeepTrying,
        (_, WhenLate::Accept | WhenLate::KeepTrying) => Advice::NextRung,
    }
}

fn expected_end(policy: &DeadlinePolicy, remaining: SignedDuration, begin: Timestamp) -> Timestamp {
    let needed = remaining.saturating_add(policy.margin);
    begin.saturating_add(needed).unwrap_or(Timestamp::MAX)
}

/// What somebody has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeadlineAlert {
    /// As things stand, the output will be late.
    AtRisk,
    /// The deadline has passed without the output.
    Missed,
}

/// How much of a run is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remaining {
    /// The 95th percentile of the remaining path.
    Work(SignedDuration),
    /// Nothing: the output exists.
    Nothing,
}

/// Remembers what was already told, so that each alert is raised at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeadlineWatch {
    /// Nothing to tell so far.
    #[default]
    OnTime,
    /// Told that the deadline is at risk.
    AtRisk,
    /// Told that the deadline was missed.
    Missed,
    /// The output came in time.
    Met,
}

impl DeadlineWatch {
    /// Looks at a run and returns what has to be told now and was not told before.
    pub fn look(
        &mut self,
        policy: &DeadlinePolicy,
        remaining: Remaining,
        now: Timestamp,
    ) -> Option<DeadlineAlert> {
        if matches!(self, Self::Missed | Self::Met) {
            return None;
        }
        let (next, alert) = match remaining {
            Remaining::Nothing if now <= policy.deadline => (Self::Met, None),
            Remaining::Nothing => (Self::Missed, Some(DeadlineAlert::Missed)),
            Remaining::Work(_) if policy.deadline <= now => {
                (Self::Missed, Some(DeadlineAlert::Missed))
            }
            Remaining::Work(path) if policy.deadline < expected_end(policy, path, now) => {
                let alert = (*self == Self::OnTime).then_some(DeadlineAlert::AtRisk);
                (Self::AtRisk, alert)
            }
            Remaining::Work(_) => (*self, None),
        };
        *self = next;
        alert
    }

    /// Returns when to look again even if nothing happens until then.
    pub fn next_look(&self, policy: &DeadlinePolicy, path: SignedDuration) -> Option<Timestamp> {
        match self {
            Self::OnTime => {
                let needed = path.saturating_add(policy.margin);
                let last_moment = policy.deadline.saturating_sub(needed).unwrap_or(Timestamp::MIN);
                // At the last moment itself the plan still holds.
                last_moment.saturating_add(SignedDuration::from_nanos(1)).ok()
            }
            Self::AtRisk => Some(policy.deadline),
            Self::Missed | Self::Met => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    /// Due at minute 100 with 5 to spare.
    fn policy(when_late: WhenLate) -> DeadlinePolicy {
        DeadlinePolicy { deadline: at(100), margin: SignedDuration::from_mins(5), when_late }
    }

    fn advice(minute: i64, rungs_left: usize, when_late: WhenLate) -> Advice {
        let outlook = Outlook { remaining: SignedDuration::from_mins(30), rungs_left };
        advise(&policy(when_late), outlook, at(minute))
    }

    #[test]
    fn trying_goes_on_up_to_the_last_moment_from_which_the_rest_can_be_done() {
        assert_eq!(advice(65, 2, WhenLate::Accept), Advice::KeepTrying);
        assert_eq!(advice(66, 2, WhenLate::Accept), Advice::NextRung);
    }

    #[test]
    fn without_a_rung_left_the_policy_says_whether_late_is_better_than_never() {
        assert_eq!(advice(66, 0, WhenLate::Accept), Advice::Accept);
        assert_eq!(advice(66, 0, WhenLate::KeepTrying), Advice::KeepTrying);
    }

    #[test]
    fn a_run_that_slips_is_told_at_risk_and_then_missed_once_each() {
        let policy = policy(WhenLate::Accept);
        let mut watch = DeadlineWatch::default();
        let work = |minutes| Remaining::Work(SignedDuration::from_mins(minutes));
        let told: Vec<_> =
            [(0, 60), (35, 60), (36, 60), (50, 60), (60, 10), (99, 60), (100, 1), (101, 1)]
                .into_iter()
                .filter_map(|(minute, left)| {
                    Some((minute, watch.look(&policy, work(left), at(minute))?))
                })
                .collect();
        assert_eq!(told, [(36, DeadlineAlert::AtRisk), (100, DeadlineAlert::Missed)]);
    }

    #[test]
    fn an_output_at_the_very_deadline_is_in_time_and_one_after_it_is_not() {
        let policy = policy(WhenLate::Accept);
        let mut watch = DeadlineWatch::default();
        assert_eq!(watch.look(&policy, Remaining::Nothing, at(100)), None);
        assert_eq!(watch, DeadlineWatch::Met);
        let mut watch = DeadlineWatch::default();
        let alert = watch.look(&policy, Remaining::Nothing, at(101));
        assert_eq!(alert, Some(DeadlineAlert::Missed));
    }

    proptest! {
        #[test]
        fn each_alert_is_raised_at_most_once_and_the_next_look_is_never_too_late(
            looks in prop::collection::vec((0_i64..10, 0_i64..90), 1..60),
        ) {
            let policy = policy(WhenLate::Accept);
            let mut watch = DeadlineWatch::default();
            let (mut minute, mut told) = (0, Vec::new());
            for (step, left) in looks {
                minute += step;
                let path = SignedDuration::from_mins(left);
                let before = watch;
                let alert = watch.look(&policy, Remaining::Work(path), at(minute));
                // Somebody who slept until the next look would have been told the same.
                if alert.is_some() {
                    let next = before.next_look(&policy, path).unwrap();
                    prop_assert!(next <= at(minute) || policy.deadline <= at(minute));
                } else if let Some(next) = watch.next_look(&policy, path) {
                    prop_assert!(watch != DeadlineWatch::OnTime || at(minute) < next);
                }
                told.extend(alert);
            }
            let mut once = told.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(&told, &once);
            if at(100) <= at(minute) {
                prop_assert_eq!(told.last(), Some(&DeadlineAlert::Missed));
            }
        }
    }
}
