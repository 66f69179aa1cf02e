//! How often and how much a service may be asked: requests per minute and bytes per hour.
//!
//! [`Budget`] decides over values and is handed the time; [`SharedBudget`] is the one that all
//! clients of a service in a process spend from. Nobody waits here: who is refused is told for how
//! long, and the orchestrator waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A server that wants us to wait longer is asked again after this, so that a mistaken header
/// does not silence us for good.
pub const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// The limits of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Requests that may start within any minute; at least 1.
    pub requests_per_minute: u32,
    /// Bytes of the replies to requests that start within any hour. A single reply may be larger:
    /// it is then the only one of its hour.
    pub bytes_per_hour: u64,
}

impl BudgetLimits {
    /// ERCOT allows 30 requests a minute; five are left for the user's other programs. Its hourly
    /// limit of bytes is not published: people were cut off after some 40 to 70 MB.
    pub const ERCOT: Self = Self { requests_per_minute: 25, bytes_per_hour: 40_000_000 };

    /// Open-Meteo allows 600 calls a minute and 5,000 an hour without a key, and counts every
    /// place of a request as a call; we ask for eight places at a time.
    pub const OPEN_METEO: Self = Self { requests_per_minute: 10, bytes_per_hour: 100_000_000 };
}

/// What a budget says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go ahead, and [`Budget::settle`] afterwards.
    Granted(Grant),
    /// Not before so long.
    Wait(SignedDuration),
}

/// The permission to make one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant(u64);

#[derive(Clone, Copy, Debug)]
struct Spending {
    grant: Grant,
    at: Timestamp,
    bytes: u64,
}

/// The requests of the last hour against the limits.
#[derive(Clone, Debug)]
pub struct Budget {
    limits: BudgetLimits,
    /// In the order of their time, at most an hour old: so there are never more than 60 minutes'
    /// worth of requests.
    spent: VecDeque<Spending>,
    paused_until: Option<Timestamp>,
    grants: u64,
}

impl Budget {
    /// Makes a budget of which nothing is spent. No requests per minute count as one.
    #[must_use]
    pub fn new(limits: BudgetLimits) -> Self {
        let requests_per_minute = limits.requests_per_minute.max(1);
        let limits = BudgetLimits { requests_per_minute, ..limits };
        Self { limits, spent: VecDeque::new(), paused_until: None, grants: 0 }
    }

    /// Returns the limits.
    #[must_use]
    pub fn limits(&self) -> BudgetLimits {
        self.limits
    }

    /// Decides whether a request may start now whose reply is expected to have so many bytes,
    /// which are reserved until it is settled.
    pub fn ask(&mut self, now: Timestamp, bytes_expected: u64) -> Answer {
        self.forget_before(now);
        let earliest = now
            .max(self.after_pause())
            .max(self.after_minute())
            .max(self.after_hour(bytes_expected));
        if now < earliest {
            return Answer::Wait(earliest - now);
        }
        self.grants += 1;
        let grant = Grant(self.grants);
        self.spent.push_back(Spending { grant, at: now, bytes: bytes_expected });
        Answer::Granted(grant)
    }

    /// Replaces what was reserved for a request by what its reply had.
    pub fn settle(&mut self, grant: Grant, bytes: u64) {
        if let Some(spending) = self.spent.iter_mut().find(|spending| spending.grant == grant) {
            spending.bytes = bytes;
        }
    }

    /// Grants nothing for a while, because the server said so: for as long as it said, or else
    /// until the requests of this minute are a minute old. Returns how long that is.
    pub fn pause(&mut self, now: Timestamp, said: Option<SignedDuration>) -> SignedDuration {
        self.forget_before(now);
        let first_of_minute = self.spent.iter().find(|spending| now - spending.at < MINUTE);
        let minute_frees = first_of_minute.map_or(now, |spending| spending.at) + MINUTE;
        let wait = said.unwrap_or(minute_frees - now).clamp(SignedDuration::ZERO, PAUSE_MAX);
        self.paused_until = self.paused_until.max(Some(now + wait));
        wait
    }

    /// Drops what no window reaches any more. Requests and pauses from the future are those of a
    /// clock that was set back; they count as made now, so that nobody waits for the old time.
    fn forget_before(&mut self, now: Timestamp) {
        for spending in &mut self.spent {
            spending.at = spending.at.min(now);
        }
        while self.spent.front().is_some_and(|spending| HOUR <= now - spending.at) {
            self.spent.pop_front();
        }
        self.paused_until = self.paused_until.map(|until| until.min(now + PAUSE_MAX));
    }

    fn after_pause(&self) -> Timestamp {
        self.paused_until.unwrap_or(Timestamp::MIN)
    }

    /// Returns when fewer requests than the limit are a minute old.
    fn after_minute(&self) -> Timestamp {
        let limit = usize::try_from(self.limits.requests_per_minute).unwrap_or(usize::MAX);
        let frees = self.spent.len().checked_sub(limit).map(|index| self.spent[index].at + MINUTE);
        frees.unwrap_or(Timestamp::MIN)
    }

    /// Returns when so few bytes are of the last hour that the expected ones fit in; a reply that
    /// never fits waits until there are none.
    fn after_hour(&self, bytes_expected: u64) -> Timestamp {
        let room = self.limits.bytes_per_hour.saturating_sub(bytes_expected);
        let mut left: u64 = self.spent.iter().fold(0, |sum, s| sum.saturating_add(s.bytes));
        let mut earliest = Timestamp::MIN;
        for spending in &self.spent {
            if left <= room {
                break;
            }
            left = left.saturating_sub(spending.bytes);
            earliest = spending.at + HOUR;
        }
        earliest
    }
}

/// A budget that all clients of a service in a process share.
#[derive(Clone, Debug)]
pub struct SharedBudget(Arc<Mutex<Budget>>);

impl SharedBudget {
    /// Makes a budget of which nothing is spent.
    #[must_use]
    pub fn new(limits: BudgetLimits) -> Self {
        Self(Arc::new(Mutex::new(Budget::new(limits))))
    }

    /// Gives the budget to one caller at a time.
    pub(super) fn lock(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millisecond).unwrap()
    }

    fn budget(requests_per_minute: u32, bytes_per_hour: u64) -> Budget {
        Budget::new(BudgetLimits { requests_per_minute, bytes_per_hour })
    }

    fn waits(answer: Answer) -> Option<i64> {
        match answer {
            Answer::Granted(_) => None,
            Answer::Wait(wait) => Some(i64::try_from(wait.as_millis()).unwrap()),
        }
    }

    #[test]
    fn the_request_above_the_limit_waits_until_the_first_is_a_minute_old() {
        let mut budget = budget(2, 1_000);
        assert_eq!(waits(budget.ask(at(0), 0)), None);
        assert_eq!(waits(budget.ask(at(20_000), 0)), None);
        assert_eq!(waits(budget.ask(at(30_000), 0)), Some(30_000));
        assert_eq!(waits(budget.ask(at(60_000), 0)), None);
        assert_eq!(waits(budget.ask(at(60_000), 0)), Some(20_000));
    }

    #[test]
    fn bytes_are_reserved_until_they_are_settled() {
        let mut budget = budget(100, 1_000);
        let Answer::Granted(grant) = budget.ask(at(0), 800) else { panic!("nothing is spent") };
        assert_eq!(waits(budget.ask(at(1), 300)), Some(3_599_999));
        budget.settle(grant, 700);
        assert_eq!(waits(budget.ask(at(2), 300)), None);
        assert_eq!(waits(budget.ask(at(3), 1)), Some(3_599_997));
    }

    #[test]
    fn a_reply_that_never_fits_is_the_only_one_of_its_hour() {
        let mut budget = budget(100, 1_000);
        assert_eq!(waits(budget.ask(at(0), 1)), None);
        assert_eq!(waits(budget.ask(at(1), 5_000)), Some(3_599_999));
        assert_eq!(waits(budget.ask(at(3_600_000), 5_000)), None);
        assert_eq!(waits(budget.ask(at(3_600_001), 1)), Some(3_599_999));
    }

    #[test]
    fn a_pause_lasts_as_long_as_the_server_said_or_until_the_minute_frees() {
        let mut budget = budget(100, 1_000);
        assert_eq!(waits(budget.ask(at(0), 0)), None);
        assert_eq!(budget.pause(at(10_000), None), SignedDuration::from_secs(50));
        assert_eq!(waits(budget.ask(at(10_000), 0)), Some(50_000));
        assert_eq!(
            budget.pause(at(10_000), Some(SignedDuration::from_mins(30))),
            SignedDuration::from_mins(30)
        );
        assert_eq!(waits(budget.ask(at(60_000), 0)), Some(1_750_000));
        // A shorter word does not shorten a pause, and nobody silences us for ever.
        budget.pause(at(60_000), Some(SignedDuration::from_secs(1)));
        assert_eq!(waits(budget.ask(at(61_000), 0)), Some(1_749_000));
        assert_eq!(budget.pause(at(61_000), Some(SignedDuration::MAX)), PAUSE_MAX);
    }

    #[test]
    fn with_no_request_of_ours_in_the_minute_a_pause_is_a_minute() {
        // Somebody else spends from the same subscription.
        assert_eq!(budget(25, 1).pause(at(0), None), SignedDuration::from_mins(1));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_anyone_wait_for_the_old_time() {
        let mut budget = budget(1, 1_000);
        assert_eq!(waits(budget.ask(at(86_400_000), 0)), None);
        assert_eq!(waits(budget.ask(at(0), 0)), Some(60_000));
        assert_eq!(waits(budget.ask(at(60_000), 0)), None);
    }

    /// A request: milliseconds since the one before, bytes expected, and the share of them that
    /// the reply has.
    fn requests() -> impl Strategy<Value = Vec<(i64, u64, u64)>> {
        prop::collection::vec((0..400_000_i64, 0..2_000_u64, 0..=100_u64), 1..120)
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limits(
            limit in 1..6_u32, bytes_max in 2_000..9_000_u64, requests in requests()
        ) {
            let mut budget = budget(limit, bytes_max);
            let (mut now, mut granted) = (0, Vec::new());
            for (pause, expected, percent) in requests {
                now += pause;
                if let Answer::Granted(grant) = budget.ask(at(now), expected) {
                    let bytes = expected * percent / 100;
                    budget.settle(grant, bytes);
                    granted.push((now, bytes));
                }
            }
            for &(start, _) in &granted {
                let within = |length| granted.iter().filter(move |(at, _)| {
                    start <= *at && *at < start + length
                });
                prop_assert!(within(60_000).count() <= limit as usize);
                prop_assert!(within(3_600_000).map(|(_, bytes)| bytes).sum::<u64>() <= bytes_max);
            }
        }

        #[test]
        fn who_waits_as_told_is_granted_and_a_moment_earlier_is_not(
            limit in 1..4_u32, requests in requests()
        ) {
            let mut budget = budget(limit, 3_000);
            let mut now = 0;
            for (pause, expected, _) in requests {
                now += pause;
                if let Some(wait) = waits(budget.ask(at(now), expected)) {
                    prop_assert!(0 < wait && wait <= 3_600_000);
                    prop_assert!(waits(budget.ask(at(now + wait - 1), expected)).is_some());
                    now += wait;
                    prop_assert_eq!(waits(budget.ask(at(now), expected)), None);
                }
            }
        }
    }
}
