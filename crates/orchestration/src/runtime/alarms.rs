//! When the time of an attempt is over: first it is asked to stop, then it is given up.
//!
//! Measured by the monotonic clock, so that setting the wall clock ends nobody's time. Holds no
//! thread and waits for nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;

use crate::pipeline::StageIndex;
use crate::run::FencingToken;

/// An attempt that was asked to stop and has not ended so long after is abandoned.
pub(super) const ABANDON_AFTER: Duration = Duration::from_secs(2);

/// What is done when an alarm rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// The attempt is asked to stop.
    Ask,
    /// The attempt is abandoned.
    Abandon,
}

/// The alarms of all attempts, by the time since the clock started.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_time: BTreeSet<(Duration, StageIndex, FencingToken, Urgency)>,
}

impl Alarms {
    /// Asks an attempt to stop after `timeout`, and abandons it a grace later.
    pub(super) fn arm(
        &mut self,
        now: Duration,
        timeout: SignedDuration,
        (stage, token): (StageIndex, FencingToken),
    ) {
        let timeout = Duration::try_from(timeout).unwrap_or(Duration::ZERO);
        self.by_time.insert((now.saturating_add(timeout), stage, token, Urgency::Ask));
    }

    /// Abandons an attempt that was asked to stop just now, if it does not end in a while.
    pub(super) fn abandon_later(&mut self, now: Duration, stage: StageIndex, token: FencingToken) {
        self.by_time.insert((now + ABANDON_AFTER, stage, token, Urgency::Abandon));
    }

    /// Returns when the next alarm rings. Those of attempts that have ended ring too.
    pub(super) fn next(&self) -> Option<Duration> {
        self.by_time.first().map(|(time, ..)| *time)
    }

    /// Takes an alarm whose time has come; the attempt that it asks is abandoned a while later.
    pub(super) fn ring(&mut self, now: Duration) -> Option<(StageIndex, FencingToken, Urgency)> {
        let &(time, stage, token, urgency) = self.by_time.first()?;
        if now < time {
            return None;
        }
        self.by_time.pop_first();
        if urgency == Urgency::Ask {
            self.abandon_later(now, stage, token);
        }
        Some((stage, token, urgency))
    }
}
