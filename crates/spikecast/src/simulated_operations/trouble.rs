//! What goes wrong, and when: a plan that follows from a seed. Pure.

use jiff::{SignedDuration, Timestamp};
use market::time::OperatingDay;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing.
    None,
    /// Something every week.
    Light,
    /// Several things every week.
    Heavy,
}

impl Severity {
    /// Returns how often each trouble comes, as a share of what it is when things are heavy.
    fn share(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Light => 0.2,
            Self::Heavy => 1.0,
        }
    }
}

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// ERCOT answers nothing.
    SourceDown,
    /// Every other request to the Public API is throttled.
    Throttled,
    /// The Public API's bandwidth of the hour is used up.
    BandwidthUsedUp,
    /// Downloads end in the middle.
    TruncatedZips,
    /// A column has another name.
    SchemaChanged,
    /// A report appears late.
    LateReport,
    /// A file of the archive has other bytes.
    CorruptedArchive,
    /// The kept model has other bytes.
    CorruptedModel,
    /// Training fails.
    TrainingFails,
    /// Training does not end.
    TrainingHangs,
    /// Nothing can be written but the journal.
    DiskFull,
    /// Everything takes many times as long.
    Slow,
    /// Notices reach nobody.
    DeskUnreachable,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::SourceDown,
        Self::Throttled,
        Self::BandwidthUsedUp,
        Self::TruncatedZips,
        Self::SchemaChanged,
        Self::LateReport,
        Self::CorruptedArchive,
        Self::CorruptedModel,
        Self::TrainingFails,
        Self::TrainingHangs,
        Self::DiskFull,
        Self::Slow,
        Self::DeskUnreachable,
    ];

    /// Returns what people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SourceDown => "source down",
            Self::Throttled => "throttled",
            Self::BandwidthUsedUp => "bandwidth used up",
            Self::TruncatedZips => "truncated zips",
            Self::SchemaChanged => "schema changed",
            Self::LateReport => "late report",
            Self::CorruptedArchive => "corrupted archive",
            Self::CorruptedModel => "corrupted model",
            Self::TrainingFails => "training fails",
            Self::TrainingHangs => "training hangs",
            Self::DiskFull => "disk full",
            Self::Slow => "slow machine",
            Self::DeskUnreachable => "desk unreachable",
        }
    }

    /// Returns how often it comes when things are heavy, per day, and how long it stays, from … to
    /// in minutes.
    fn habits(self) -> (f64, i64, i64) {
        match self {
            Self::SourceDown => (0.06, 30, 600),
            Self::Throttled => (0.08, 60, 600),
            Self::BandwidthUsedUp => (0.05, 30, 90),
            Self::TruncatedZips => (0.08, 30, 400),
            Self::SchemaChanged => (0.02, 600, 4_000),
            Self::LateReport => (0.10, 0, 0),
            Self::CorruptedArchive | Self::CorruptedModel => (0.02, 0, 0),
            Self::TrainingFails => (0.06, 100, 1_000),
            Self::TrainingHangs => (0.03, 100, 600),
            Self::DiskFull => (0.03, 10, 150),
            Self::Slow => (0.04, 60, 400),
            Self::DeskUnreachable => (0.04, 30, 200),
        }
    }
}

/// A trouble of some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which.
    pub kind: Kind,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub until: Timestamp,
}

/// How a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// While everything waits.
    AtRest,
    /// When a stage begins that has not done anything yet, the so-manieth after the time.
    BeforeWork(u32),
    /// When a stage has done its work and nobody knows it yet.
    AfterWork(u32),
}

/// A death of the process, and for how long nothing runs then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Not before this time.
    pub at: Timestamp,
    /// How.
    pub death: Death,
    /// How long until it is started again.
    pub downtime: SignedDuration,
}

/// The wall clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStep {
    /// When.
    pub at: Timestamp,
    /// By how much.
    pub by: SignedDuration,
}

/// What goes wrong on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayPlan {
    /// What is wrong for some time.
    pub troubles: Vec<Trouble>,
    /// When the process dies, at most once.
    pub kill: Option<Kill>,
    /// When the clock is set, in order.
    pub steps: Vec<ClockStep>,
}

/// Deaths per day when things are heavy.
const KILLS: f64 = 0.2;
/// Days with a wrong clock, when things are heavy.
const WRONG_CLOCKS: f64 = 0.05;

/// Returns what goes wrong on a day.
#[must_use]
pub fn plan(seed: u64, severity: Severity, day: OperatingDay) -> DayPlan {
    let days = day.start().as_second().div_euclid(86_400).unsigned_abs();
    let mut chance = Chance(Pcg32::seed_from_u64(seed ^ days.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let mut plan = DayPlan::default();
    for kind in Kind::ALL {
        let (rate, shortest, longest) = kind.habits();
        if chance.happens(rate * severity.share()) {
            let from = chance.time(day);
            let until = from + SignedDuration::from_mins(chance.between(shortest, longest));
            plan.troubles.push(Trouble { kind, from, until });
        }
    }
    if chance.happens(KILLS * severity.share()) {
        plan.kill = Some(chance.kill(day));
    }
    if chance.happens(WRONG_CLOCKS * severity.share()) {
        plan.steps = chance.wrong_clock(day);
    }
    plan
}

struct Chance(Pcg32);

impl Chance {
    fn happens(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.random_range(least..=most)
    }

    /// Half of what goes wrong does so between midnight and the deadline, where it hurts.
    fn time(&mut self, day: OperatingDay) -> Timestamp {
        let minutes = if self.happens(0.5) { 10 * 60 } else { 24 * 60 };
        day.start() + SignedDuration::from_secs(self.between(0, minutes * 60 - 1))
    }

    fn kill(&mut self, day: OperatingDay) -> Kill {
        let at = self.time(day);
        let ordinal = u32::try_from(self.between(1, 12)).unwrap_or(1);
        let death = match self.between(0, 2) {
            0 => Death::AtRest,
            1 => Death::BeforeWork(ordinal),
            _ => Death::AfterWork(ordinal),
        };
        // Most are started again at once; some machines take two hours.
        let downtime = if self.happens(0.7) {
            SignedDuration::from_secs(self.between(1, 30))
        } else {
            SignedDuration::from_mins(self.between(1, 120))
        };
        Kill { at, death, downtime }
    }

    /// A clock goes wrong by seconds, or by an hour, and is put right some minutes later.
    fn wrong_clock(&mut self, day: OperatingDay) -> Vec<ClockStep> {
        let at = self.time(day);
        let seconds = if self.happens(0.7) { self.between(1, 120) } else { 3_600 };
        let seconds = if self.happens(0.5) { seconds } else { -seconds };
        let by = SignedDuration::from_secs(seconds);
        let later = at + SignedDuration::from_mins(self.between(5, 60));
        vec![ClockStep { at, by }, ClockStep { at: later, by: -by }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(severity: Severity) -> Vec<DayPlan> {
        let first = OperatingDay::new(jiff::civil::date(2026, 1, 1));
        (0..3_650).map(|offset| plan(7, severity, first.plus_days(offset))).collect()
    }

    #[test]
    fn in_ten_heavy_years_everything_goes_wrong_often_and_every_death_is_died() {
        let plans = plans(Severity::Heavy);
        for kind in Kind::ALL {
            let of_kind = |plan: &&DayPlan| plan.troubles.iter().any(|it| it.kind == kind);
            let days = plans.iter().filter(of_kind).count();
            assert!(30 < days, "{}: {days} days", kind.name());
        }
        let deaths = |is: fn(Death) -> bool| {
            plans.iter().filter_map(|plan| plan.kill).filter(|kill| is(kill.death)).count()
        };
        assert!(100 < deaths(|death| death == Death::AtRest));
        assert!(100 < deaths(|death| matches!(death, Death::BeforeWork(_))));
        assert!(100 < deaths(|death| matches!(death, Death::AfterWork(_))));
        assert!(100 < plans.iter().filter(|plan| !plan.steps.is_empty()).count());
    }

    #[test]
    fn a_wrong_clock_is_put_right_and_nothing_goes_wrong_where_nothing_should() {
        for plan in plans(Severity::Heavy) {
            let sum = plan.steps.iter().map(|step| step.by).sum::<SignedDuration>();
            assert_eq!(sum, SignedDuration::ZERO);
        }
        assert!(plans(Severity::None).iter().all(|plan| *plan == DayPlan::default()));
        assert_eq!(plans(Severity::Light), plans(Severity::Light));
    }
}
