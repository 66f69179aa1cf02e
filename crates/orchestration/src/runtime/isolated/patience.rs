//! Decides when a call is asked to stop, when it is told to, and when it is killed.
//!
//! Pure: instants come in as times of a monotonic clock, steps go out. Signals are sent in `call`.

use std::time::Duration;

/// Why a call was ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its time was over.
    TimedOut,
    /// Somebody asked, and it did not listen.
    Cancelled,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Cancel the token of the call.
    Ask,
    /// Send SIGTERM to the process group.
    Terminate,
    /// Send SIGKILL to the process group.
    Kill,
}

/// How far the patience with one call has gone.
#[derive(Debug)]
pub(super) struct Patience {
    /// When the call's time is over.
    over_at: Option<Duration>,
    /// How long after each step the next one follows.
    grace: Duration,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Working,
    Asked { until: Duration },
    Terminated { stop: Stop, until: Duration },
    Killed { stop: Stop },
}

impl Patience {
    pub(super) fn new(over_at: Option<Duration>, grace: Duration) -> Self {
        Self { over_at, grace, phase: Phase::Working }
    }

    /// Returns the step that is due, if one is, and takes it to be done.
    pub(super) fn step(&mut self, now: Duration, is_cancelled: bool) -> Option<Step> {
        let until = now.saturating_add(self.grace);
        let is_over = self.over_at.is_some_and(|over_at| over_at <= now);
        let (phase, step) = match self.phase {
            Phase::Working if is_over => {
                (Phase::Terminated { stop: Stop::TimedOut, until }, Step::Terminate)
            }
            Phase::Working if is_cancelled => (Phase::Asked { until }, Step::Ask),
            // Whoever asked first is the reason, also when the time is over meanwhile.
            Phase::Asked { until: asked } if is_over || asked <= now => {
                (Phase::Terminated { stop: Stop::Cancelled, until }, Step::Terminate)
            }
            Phase::Terminated { stop, until: told } if told <= now => {
                (Phase::Killed { stop }, Step::Kill)
            }
            Phase::Working
            | Phase::Asked { .. }
            | Phase::Terminated { .. }
            | Phase::Killed { .. } => return None,
        };
        self.phase = phase;
        Some(step)
    }

    /// Returns when the next step is due if nothing happens until then.
    pub(super) fn next(&self) -> Option<Duration> {
        match self.phase {
            Phase::Working => self.over_at,
            Phase::Asked { until } => {
                Some(self.over_at.map_or(until, |over_at| over_at.min(until)))
            }
            Phase::Terminated { until, .. } => Some(until),
            Phase::Killed { .. } => None,
        }
    }

    /// Returns why the call is being ended; from then on its result is refused.
    pub(super) fn stop(&self) -> Option<Stop> {
        match self.phase {
            Phase::Working | Phase::Asked { .. } => None,
            Phase::Terminated { stop, .. } | Phase::Killed { stop } => Some(stop),
        }
    }

    /// Tells whether SIGTERM was not enough.
    pub(super) fn is_exhausted(&self) -> bool {
        matches!(self.phase, Phase::Killed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks what to do whenever something is due or `cancelled_at` is reached, in seconds.
    fn check(over_at: Option<u64>, cancelled_at: Option<u64>, expected: &[(u64, Step)]) {
        let second = Duration::from_secs;
        let mut patience = Patience::new(over_at.map(second), second(2));
        let mut told = Vec::new();
        let mut now = Duration::ZERO;
        loop {
            let cancelled = cancelled_at.map(second);
            let is_cancelled = cancelled.is_some_and(|at| at <= now);
            if let Some(step) = patience.step(now, is_cancelled) {
                told.push((now.as_secs(), step));
                continue;
            }
            let wake = cancelled.filter(|at| now < *at);
            match patience.next().into_iter().chain(wake).min() {
                Some(next) => now = next,
                None => break,
            }
        }
        assert_eq!(told, expected, "over at {over_at:?}, cancelled at {cancelled_at:?}");
    }

    #[test]
    fn a_call_without_a_limit_that_nobody_cancels_is_left_alone() {
        check(None, None, &[]);
    }

    #[test]
    fn when_its_time_is_over_it_is_told_to_stop_and_then_killed() {
        check(Some(5), None, &[(5, Step::Terminate), (7, Step::Kill)]);
        check(Some(5), Some(6), &[(5, Step::Terminate), (7, Step::Kill)]);
        check(Some(0), Some(0), &[(0, Step::Terminate), (2, Step::Kill)]);
    }

    #[test]
    fn when_somebody_asks_it_has_a_grace_before_each_step() {
        check(None, Some(3), &[(3, Step::Ask), (5, Step::Terminate), (7, Step::Kill)]);
    }

    #[test]
    fn the_grace_after_asking_ends_with_its_time() {
        check(Some(4), Some(3), &[(3, Step::Ask), (4, Step::Terminate), (6, Step::Kill)]);
    }

    #[test]
    fn who_asked_first_is_the_reason() {
        let second = Duration::from_secs;
        let mut patience = Patience::new(Some(second(4)), second(2));
        assert_eq!(patience.stop(), None);
        patience.step(second(3), true);
        assert_eq!(patience.stop(), None);
        patience.step(second(4), true);
        assert_eq!(patience.stop(), Some(Stop::Cancelled));
        patience.step(second(6), true);
        assert!(patience.is_exhausted());
        let mut patience = Patience::new(Some(second(4)), second(2));
        patience.step(second(4), true);
        assert_eq!(patience.stop(), Some(Stop::TimedOut));
    }
}
