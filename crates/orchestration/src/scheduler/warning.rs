//! What may surprise the author of a schedule, as values: steps in the day of the month, and times
//! that the clock skips or shows twice.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::dst::DstPolicy;
use super::rule::ScheduleRule;
use super::schedule::Schedule;

/// Clock changes are looked for so far ahead: each of a year's, once.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What may surprise the author of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleWarning {
    /// It never fires.
    Never,
    /// A step in the day of the month begins anew every month.
    DayStep {
        /// The step.
        step: u8,
        /// The time of day, if there is only one.
        time: Option<Time>,
        /// The date from which an interval could count.
        from: Date,
    },
    /// The clock skips a time.
    Skipped {
        /// The wall-clock time.
        at: DateTime,
        /// The zone's name.
        zone: String,
        /// When it fires instead.
        instead: Option<DateTime>,
    },
    /// The clock shows a time twice.
    Repeated {
        /// The wall-clock time.
        at: DateTime,
        /// The zone's name.
        zone: String,
        /// What the schedule does about it.
        policy: DstPolicy,
    },
}

pub(super) fn warnings(
    schedule: &Schedule,
    policy: DstPolicy,
    from: Timestamp,
) -> Vec<ScheduleWarning> {
    if schedule.next_after(from).is_none() {
        return vec![ScheduleWarning::Never];
    }
    let mut found = Vec::new();
    if let ScheduleRule::Cron(cron) = schedule.rule()
        && let Some(step) = cron.day_step()
        && let Some(firing) = schedule.next_after(from)
    {
        let from = schedule.zone().to_datetime(firing.at).date();
        found.push(ScheduleWarning::DayStep { step, time: cron.single_time(), from });
    }
    let zone = schedule.zone();
    let horizon = from.saturating_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
    for change in zone.following(from).take_while(|change| change.timestamp() <= horizon) {
        found.extend(at_change(schedule.rule(), zone, policy, change.timestamp()));
    }
    found
}

/// Looks for the first time that one clock change skips or repeats.
fn at_change(
    rule: &ScheduleRule,
    zone: &TimeZone,
    policy: DstPolicy,
    change: Timestamp,
) -> Option<ScheduleWarning> {
    let before = change.checked_sub(SignedDuration::from_nanos(1)).ok()?;
    let before = zone.to_offset(before).to_datetime(change);
    let after = zone.to_datetime(change);
    let at = rule.next_civil(before.min(after))?;
    if before.max(after) <= at {
        return None;
    }
    let zone = zone.iana_name().unwrap_or("its time zone").to_owned();
    Some(if before < after {
        let instead = (policy == DstPolicy::RunOnce).then_some(after);
        ScheduleWarning::Skipped { at, zone, instead }
    } else {
        ScheduleWarning::Repeated { at, zone, policy }
    })
}

impl fmt::Display for ScheduleWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => {
                formatter.write_str("never fires: no date matches, or its time has passed")
            }
            Self::DayStep { step, time, from } => {
                let last = 1 + 30 / step * step;
                write!(formatter, "day-of-month step {step} ")?;
                match 32 - last {
                    1 => write!(
                        formatter,
                        "will run on consecutive days at month ends: Jan 31 → Feb 1"
                    )?,
                    days => write!(
                        formatter,
                        "begins anew every month: Jan {last} → Feb 1 is {days} days"
                    )?,
                }
                let time = time.map_or_else(|| "HH:MM".to_owned(), short);
                write!(formatter, "; use `every {step} days at {time} from {from}`")
            }
            Self::Skipped { at, zone, instead } => {
                write!(
                    formatter,
                    "{} does not exist in {zone} on {}: ",
                    short(at.time()),
                    at.date()
                )?;
                match instead {
                    Some(instead) => {
                        write!(formatter, "fires at {} instead", short(instead.time()))
                    }
                    None => formatter.write_str("does not fire"),
                }
            }
            Self::Repeated { at, zone, policy } => {
                let times = match policy {
                    DstPolicy::RunOnce | DstPolicy::Skip => "the first time only",
                    DstPolicy::AsShown => "both times",
                };
                let (time, date) = (short(at.time()), at.date());
                write!(formatter, "{time} comes twice in {zone} on {date}: fires {times}")
            }
        }
    }
}

fn short(time: Time) -> String {
    let pattern = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    time.strftime(pattern).to_string()
}
