//! From wall-clock times to instants: what happens where clocks are changed.
//!
//! The rules of Vixie's cron are the default. A time of day in the gap of spring means the first
//! instant after the gap, one in the overlap of autumn its first occurrence; several times in one
//! gap mean one instant. Pure; which wall-clock times are meant is known to [`super::Cron`] and
//! [`super::Interval`].

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A search for the next firing looks at so many spans between clock changes: more than four a
/// year during the 400 years after which the calendar repeats.
const SPANS_MAX: usize = 2_000;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What a fixed time of day means on a day when clocks change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DstPolicy {
    /// In the gap once, at the first instant after it; in the overlap once, the first time.
    #[default]
    RunOnce,
    /// In the gap not at all; in the overlap once, the first time.
    Skip,
    /// As often as the clock shows the time: not in the gap, twice in the overlap.
    AsShown,
}

impl DstPolicy {
    /// Every policy, the default first.
    pub const ALL: [Self; 3] = [Self::RunOnce, Self::Skip, Self::AsShown];

    /// Returns the word used in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunOnce => "run_once",
            Self::Skip => "skip",
            Self::AsShown => "as_shown",
        }
    }
}

impl fmt::Display for DstPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text is not the name of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("daylight saving policy: expected run_once, skip or as_shown, found {found:?}")]
pub struct DstPolicyError {
    found: String,
}

impl FromStr for DstPolicy {
    type Err = DstPolicyError;

    fn from_str(text: &str) -> Result<Self, DstPolicyError> {
        let policy = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        policy.ok_or_else(|| DstPolicyError { found: text.to_owned() })
    }
}

/// What is special about a firing on a day when clocks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DstNote {
    /// The clock skips its time, so it fires when the gap is over.
    Moved {
        /// The wall-clock time that does not exist.
        from: DateTime,
    },
    /// The clock shows its time twice: this is the first.
    FirstOfTwo,
    /// The clock shows its time twice: this is the second.
    SecondOfTwo,
    /// Clocks change on this day at another time.
    DayOfChange {
        /// How long the day is.
        length: SignedDuration,
    },
}

impl fmt::Display for DstNote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved { from } => {
                let time = from.strftime("%H:%M");
                write!(formatter, "{time} does not exist: fires when the gap is over")
            }
            Self::FirstOfTwo => formatter.pad("first of two such times"),
            Self::SecondOfTwo => formatter.pad("second of two such times"),
            Self::DayOfChange { length } => {
                let hours = length.as_secs_f64() / 3600.0;
                write!(formatter, "clocks change: the day has {hours} hours")
            }
        }
    }
}

/// A moment at which something is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The instant.
    pub at: Timestamp,
    /// What is special about it.
    pub note: Option<DstNote>,
}

/// The instants that a wall-clock time stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instants {
    One(Timestamp),
    /// None; the gap ends at this instant.
    Gap(Timestamp),
    Two(Timestamp, Timestamp),
}

/// Returns the instants at which the clock shows `civil`; none if no timestamp can hold them.
pub(super) fn instants(zone: &TimeZone, civil: DateTime) -> Option<Instants> {
    let at = |offset: Offset| offset.to_timestamp(civil).ok();
    Some(match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => Instants::One(at(offset)?),
        AmbiguousOffset::Gap { before, .. } => {
            // Counted on without the change, the time comes after it, and nothing lies between.
            let beyond = at(before)?.checked_add(SECOND).ok()?;
            Instants::Gap(zone.preceding(beyond).next()?.timestamp())
        }
        AmbiguousOffset::Fold { before, after } => Instants::Two(at(before)?, at(after)?),
    })
}

/// Returns the instant of a time of day that is meant once: the default policy.
pub(super) fn once(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    Some(match instants(zone, civil)? {
        Instants::One(at) | Instants::Gap(at) | Instants::Two(at, _) => at,
    })
}

/// Returns the first firing after `after`, where `next_civil` gives the first wall-clock time not
/// before its argument.
pub(super) fn next_fixed(
    zone: &TimeZone,
    policy: DstPolicy,
    after: Timestamp,
    next_civil: impl Fn(DateTime) -> Option<DateTime>,
) -> Option<Firing> {
    if policy == DstPolicy::AsShown {
        return next_shown(zone, after, next_civil);
    }
    // One second further on the wall, not in time: right before a gap it is the gap's first.
    let second = next_second(after)?.checked_sub(SECOND).ok()?;
    let mut from = zone.to_datetime(second).checked_add(SECOND).ok()?;
    loop {
        let civil = next_civil(from)?;
        from = civil.checked_add(SECOND).ok()?;
        let (at, note) = match instants(zone, civil)? {
            Instants::One(at) => (at, day_note(zone, civil.date())),
            Instants::Two(at, _) => (at, Some(DstNote::FirstOfTwo)),
            Instants::Gap(at) if policy == DstPolicy::RunOnce => {
                (at, Some(DstNote::Moved { from: civil }))
            }
            Instants::Gap(end) => {
                from = zone.to_datetime(end);
                continue;
            }
        };
        // Who asks during the second pass of an overlap meets times of the first one again.
        if after < at {
            return Some(Firing { at, note });
        }
    }
}

/// Returns the first instant after `after` at which the clock shows a time that `next_civil` means.
pub(super) fn next_shown(
    zone: &TimeZone,
    after: Timestamp,
    next_civil: impl Fn(DateTime) -> Option<DateTime>,
) -> Option<Firing> {
    let mut from = next_second(after)?;
    for _ in 0..SPANS_MAX {
        let offset = zone.to_offset(from);
        let span_end = zone.following(from).next().map(|change| change.timestamp());
        let civil = next_civil(offset.to_datetime(from))?;
        match (offset.to_timestamp(civil).ok(), span_end) {
            (Some(at), None) => return Some(Firing { at, note: shown_note(zone, civil, at) }),
            (Some(at), Some(end)) if at < end => {
                return Some(Firing { at, note: shown_note(zone, civil, at) });
            }
            (_, Some(end)) => from = end,
            (None, None) => return None,
        }
    }
    None
}

/// Returns the first whole second after `instant`: no firing has a fraction.
fn next_second(instant: Timestamp) -> Option<Timestamp> {
    let second = instant.as_nanosecond().div_euclid(1_000_000_000) + 1;
    Timestamp::from_second(i64::try_from(second).ok()?).ok()
}

/// Returns what is special about an instant.
pub(super) fn note_at(zone: &TimeZone, at: Timestamp) -> Option<DstNote> {
    shown_note(zone, zone.to_datetime(at), at)
}

fn shown_note(zone: &TimeZone, civil: DateTime, at: Timestamp) -> Option<DstNote> {
    match instants(zone, civil)? {
        Instants::Two(first, _) if at == first => Some(DstNote::FirstOfTwo),
        Instants::Two(..) => Some(DstNote::SecondOfTwo),
        Instants::One(_) | Instants::Gap(_) => day_note(zone, civil.date()),
    }
}

fn day_note(zone: &TimeZone, date: Date) -> Option<DstNote> {
    let begin = once(zone, date.to_datetime(jiff::civil::Time::MIN))?;
    let end = once(zone, date.tomorrow().ok()?.to_datetime(jiff::civil::Time::MIN))?;
    let length = end - begin;
    (length != SignedDuration::from_hours(24)).then_some(DstNote::DayOfChange { length })
}
