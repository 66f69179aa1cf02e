//! How much ERCOT's gateway lets through: requests in a minute and bytes in an hour, of real time.

use std::collections::VecDeque;
use std::time::Duration;

use super::answer::Refusal;

/// What the Public API grants a subscription; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// Bytes in a full hour.
    pub bytes_per_hour: Option<u64>,
}

/// What ERCOT documents.
pub const REQUESTS_PER_MINUTE: u32 = 30;
/// What clients report; ERCOT documents none.
pub const BYTES_PER_HOUR: u64 = 60_000_000;

impl Limits {
    /// No limits.
    pub const NONE: Limits = Limits { requests_per_minute: None, bytes_per_hour: None };
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR_SECONDS: u64 = 3_600;

/// What was used of the limits.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// When the requests of the last minute came; never more than the limit.
    requests: VecDeque<Duration>,
    hour: u64,
    bytes: u64,
}

impl Usage {
    /// Admits a request or refuses it.
    pub(super) fn admit(&mut self, limits: Limits, now: Duration) -> Result<(), Refusal> {
        let hour = now.as_secs() / HOUR_SECONDS;
        if hour != self.hour {
            (self.hour, self.bytes) = (hour, 0);
        }
        while self.requests.front().is_some_and(|at| *at + MINUTE <= now) {
            self.requests.pop_front();
        }
        let so_many = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        if limits.requests_per_minute.is_some_and(|limit| limit <= so_many) {
            return Err(Refusal::Throttled);
        }
        if limits.bytes_per_hour.is_some_and(|limit| limit <= self.bytes) {
            return Err(Refusal::BandwidthExceeded);
        }
        if limits.requests_per_minute.is_some() {
            self.requests.push_back(now);
        }
        Ok(())
    }

    /// Counts the bytes of an answer; the one that passes the limit is still sent whole.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_is_any_sixty_seconds() {
        let limits = Limits { requests_per_minute: Some(2), bytes_per_hour: None };
        let mut usage = Usage::default();
        let mut admits = |second| usage.admit(limits, Duration::from_secs(second)).is_ok();
        assert_eq!(
            [0, 30, 59, 60, 61, 90].map(&mut admits),
            [true, true, false, true, false, true]
        );
    }

    #[test]
    fn after_too_many_bytes_everything_waits_for_the_next_hour() {
        let limits = Limits { requests_per_minute: None, bytes_per_hour: Some(100) };
        let mut usage = Usage::default();
        let at = Duration::from_secs;
        assert!(usage.admit(limits, at(10)).is_ok());
        usage.sent(150);
        assert!(matches!(usage.admit(limits, at(3_599)), Err(Refusal::BandwidthExceeded)));
        assert!(usage.admit(limits, at(3_600)).is_ok());
        usage.sent(1_000_000);
        assert!(usage.admit(Limits::NONE, at(3_601)).is_ok());
    }
}
