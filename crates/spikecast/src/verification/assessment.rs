//! What is found out about forecasts: scores of every forecaster by settlement point, threshold
//! and lead day, comparisons with the issued one, and the full verification over all lead days.

use std::collections::BTreeMap;

use forecast::evaluation::{
    Comparison, Division, Forecaster, Loss, Part, ScoredHours, Scores, Stability, Verification,
    compare, scores, stability_of, verification,
};
use rayon::prelude::*;

use super::cases::Cases;

/// Which hours a score is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The settlement point's place in the list, or all of them.
    pub point: Option<u16>,
    /// The threshold's place in the list.
    pub threshold: usize,
    /// A lead day, or all of them.
    pub lead_day: Option<u8>,
}

/// What is found about one group of hours.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The hours.
    pub group: Group,
    /// The scores of every forecaster that said something about them.
    pub scores: BTreeMap<Forecaster, Scores>,
    /// The issued forecast against each other one.
    pub comparisons: Vec<(Forecaster, Loss, Comparison)>,
    /// More, over all lead days only.
    pub detail: Option<Detail>,
}

/// What is found over all lead days.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The full verification of the issued forecast and of references.
    pub verifications: BTreeMap<Forecaster, Verification>,
    /// How the issued forecast moved from issue to issue, and the day-ahead reference did.
    pub stability: BTreeMap<Forecaster, Stability>,
    /// The issued forecast's scores by circumstance.
    pub divisions: Vec<(Division, Part, Scores)>,
    /// The issued forecast's scores month by month.
    pub months: Vec<((i16, u8), Scores)>,
}

/// The scores of the whole exceedance curve.
#[derive(Clone, Debug)]
pub struct CurveFindings {
    /// The settlement point's place in the list, or all of them.
    pub point: Option<u16>,
    /// A lead day, or all of them.
    pub lead_day: Option<u8>,
    /// Hours whose whole curve is known.
    pub hours: usize,
    /// The mean threshold-weighted CRPS of every forecaster.
    pub scores: BTreeMap<Forecaster, f64>,
}

/// Everything that was found.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// By group, in order.
    pub findings: Vec<Findings>,
    /// Of the exceedance curve; none with one threshold.
    pub curves: Vec<CurveFindings>,
}

/// Whose alerts, value and calibration are worked out in full.
const IN_FULL: [Forecaster; 7] = [
    Forecaster::Climatology,
    Forecaster::ClimatologyRecent,
    Forecaster::Persistence,
    Forecaster::PersistenceRaw,
    Forecaster::DayAheadKnown,
    Forecaster::Combined,
    Forecaster::DayAheadOfTarget,
];

impl Assessment {
    /// Finds out everything, on all cores.
    #[must_use]
    pub fn of(cases: &Cases) -> Self {
        let mut groups = Vec::new();
        for point in points(cases) {
            for threshold in 0..cases.thresholds.len() {
                let leads = lead_days(&cases.hours[threshold]);
                groups.extend(leads.map(|lead_day| Group { point, threshold, lead_day }));
            }
        }
        let findings = groups.into_par_iter().map(|group| findings(cases, group));
        Self {
            findings: findings.filter(|found| !found.scores.is_empty()).collect(),
            curves: curves(cases),
        }
    }

    /// Returns what was found about a group.
    #[must_use]
    pub fn find(&self, group: Group) -> Option<&Findings> {
        self.findings.iter().find(|found| found.group == group)
    }
}

/// All settlement points together, then each if there are several.
fn points(cases: &Cases) -> impl Iterator<Item = Option<u16>> + use<> {
    let count = u16::try_from(cases.settlement_points.len()).unwrap_or(u16::MAX);
    let each = if 1 < count { 0..count } else { 0..0 };
    std::iter::once(None).chain(each.map(Some))
}

/// All lead days together, then each if there are several.
fn lead_days(hours: &ScoredHours) -> impl Iterator<Item = Option<u8>> + use<> {
    let leads: std::collections::BTreeSet<u8> =
        hours.hours().iter().map(|hour| hour.lead_day).collect();
    let each = if 1 < leads.len() { leads } else { std::collections::BTreeSet::new() };
    std::iter::once(None).chain(each.into_iter().map(Some))
}

fn findings(cases: &Cases, group: Group) -> Findings {
    let hours = cases.hours[group.threshold].only(|_, hour| {
        group.point.is_none_or(|point| hour.point == point)
            && group.lead_day.is_none_or(|lead_day| hour.lead_day == lead_day)
    });
    let mut scored = BTreeMap::new();
    for forecaster in hours.forecasters() {
        let found = scores(&hours, forecaster);
        if 0 < found.hours {
            scored.insert(forecaster, found);
        }
    }
    let comparisons = scored.keys().filter(|&&other| other != Forecaster::Combined);
    let comparisons = comparisons.flat_map(|&other| {
        [Loss::Brier, Loss::Logarithmic].into_iter().filter_map({
            let hours = &hours;
            move |loss| Some((other, loss, compare(hours, Forecaster::Combined, other, loss)?))
        })
    });
    Findings {
        group,
        comparisons: comparisons.collect(),
        detail: group.lead_day.is_none().then(|| detail(&hours)),
        scores: scored,
    }
}

fn detail(hours: &ScoredHours) -> Detail {
    let there = |forecaster: &Forecaster| hours.has(*forecaster);
    let verifications = IN_FULL.into_iter().filter(there);
    let moving = [Forecaster::Combined].into_iter().filter(there);
    Detail {
        verifications: verifications.map(|who| (who, verification(hours, who))).collect(),
        stability: moving.map(|who| (who, stability_of(hours, who))).collect(),
        divisions: Division::ALL.into_iter().flat_map(|by| division(hours, by)).collect(),
        months: months(hours),
    }
}

fn division(hours: &ScoredHours, by: Division) -> Vec<(Division, Part, Scores)> {
    let base_rate = scores(hours, Forecaster::Combined).base_rate();
    let usual = |row| hours.probability(Forecaster::Climatology, row);
    // Without a climatology nothing is known to be usual.
    if by == Division::UsualRate && !hours.has(Forecaster::Climatology) {
        return Vec::new();
    }
    let parts: Vec<Part> = hours
        .hours()
        .iter()
        .enumerate()
        .map(|(row, hour)| by.part(hour, usual(row), base_rate))
        .collect();
    let mut distinct = parts.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let of_part = |part: Part| {
        let hours = hours.only(|row, _| parts[row] == part);
        (by, part, scores(&hours, Forecaster::Combined))
    };
    distinct.into_iter().map(of_part).collect()
}

fn months(hours: &ScoredHours) -> Vec<((i16, u8), Scores)> {
    let mut months: Vec<(i16, u8)> =
        hours.hours().iter().map(|hour| (hour.year, hour.month)).collect();
    months.sort_unstable();
    months.dedup();
    let of_month = |month: (i16, u8)| {
        let hours = hours.only(|_, hour| (hour.year, hour.month) == month);
        (month, scores(&hours, Forecaster::Combined))
    };
    months.into_iter().map(of_month).collect()
}

fn curves(cases: &Cases) -> Vec<CurveFindings> {
    let Some(hours) = cases.hours.first() else { return Vec::new() };
    let forecasters: Vec<Forecaster> = hours.forecasters().collect();
    let mut found = Vec::new();
    for point in points(cases) {
        for lead_day in lead_days(hours) {
            let wanted = |hour: &forecast::evaluation::ScoredHour| {
                point.is_none_or(|point| hour.point == point)
                    && lead_day.is_none_or(|lead_day| hour.lead_day == lead_day)
            };
            let Some((hours, scores)) = cases.curve_scores(wanted, &forecasters) else { continue };
            let scores = forecasters.iter().copied().zip(scores).collect();
            found.push(CurveFindings { point, lead_day, hours, scores });
        }
    }
    found
}
