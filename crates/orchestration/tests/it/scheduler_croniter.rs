//! Compares the firings of random expressions with those of croniter, around every clock change.
//!
//! croniter (a Python package) is what Airflow counts with. It departs from Vixie's cron in known
//! ways; every firing that only one of us has must be explained by one of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use orchestration::DstNote;

use crate::scheduler_oracles::{Case, FIRINGS_MAX, ask, cases, note_of};

/// croniter is slow: it is asked one case in so many.
const ONE_IN: usize = 10;

const TWICE: &str = "croniter fires fixed times in both passes of an overlap; Vixie's in the first";
const GAP_END: &str = "croniter moves times of a wildcard out of the gap; Vixie's leaves them out";
const WHOLE_DAY: &str = "croniter takes hours 0-23 for *, so nothing is moved out of the gap";
const HALF_HOUR: &str = "croniter leaves out the second pass of an overlap of half an hour";
const BOTH_DAYS: &str = "croniter wants both day fields where the weekday has # or L";
const RANGE_OF_ONE: &str = "croniter takes a range from a number to itself for the whole field";
const EITHER_DAY: &str = "croniter takes either day field unless told of Vixie's rule for *";
const NO_LW: &str = "croniter does not know LW";

struct Difference<'c> {
    case: &'c Case,
    ours: BTreeSet<Timestamp>,
    theirs: BTreeSet<Timestamp>,
}

impl<'c> Difference<'c> {
    /// Takes the firings up to where the shorter answer was cut off.
    fn new(case: &'c Case, ours: &str, theirs: &str) -> Self {
        let read = |answer: &str| -> BTreeSet<Timestamp> {
            let seconds = answer.split_whitespace().map(|at| at.parse().unwrap());
            seconds.map(|at| Timestamp::from_second(at).unwrap()).collect()
        };
        let (mut ours, mut theirs) = (read(ours), read(theirs));
        let cut = |firings: &BTreeSet<Timestamp>| {
            firings.last().copied().filter(|_| firings.len() == FIRINGS_MAX)
        };
        if let Some(end) = [cut(&ours), cut(&theirs)].into_iter().flatten().min() {
            ours.retain(|at| *at <= end);
            theirs.retain(|at| *at <= end);
        }
        Self { case, ours, theirs }
    }

    /// Why each firing that one of us lacks is no fault; none if one has no excuse.
    fn excuses(&self) -> Option<BTreeSet<&'static str>> {
        let surplus = self.theirs.difference(&self.ours).map(|at| self.surplus(*at));
        let missing = self.ours.difference(&self.theirs).map(|at| self.missing(*at));
        surplus.chain(missing).collect()
    }

    /// Why only croniter fires.
    fn surplus(&self, at: Timestamp) -> Option<&'static str> {
        let is_of_one = |item: &str| item.split_once('-').is_some_and(|(low, high)| low == high);
        if self.case.expression.split([' ', ',']).any(is_of_one) {
            return Some(RANGE_OF_ONE);
        }
        if self.case.is_wildcard() {
            return self.is_gap_end(at).then_some(GAP_END);
        }
        (note_of(self.case.zone, at) == Some(DstNote::SecondOfTwo)).then_some(TWICE)
    }

    /// Why only we fire.
    fn missing(&self, at: Timestamp) -> Option<&'static str> {
        let fields: Vec<&str> = self.case.expression.split(' ').collect();
        let (hour, day, weekday) = (fields[1], fields[2], fields[4]);
        if weekday.contains(['#', 'L']) && !day.starts_with('*') {
            return Some(BOTH_DAYS);
        }
        if hour == "0-23" && self.is_gap_end(at) {
            return Some(WHOLE_DAY);
        }
        let is_second = note_of(self.case.zone, at) == Some(DstNote::SecondOfTwo);
        let is_half_hour = self.case.zone == "Australia/Lord_Howe";
        (self.case.is_wildcard() && is_half_hour && is_second).then_some(HALF_HOUR)
    }

    fn is_gap_end(&self, at: Timestamp) -> bool {
        let zone = TimeZone::get(self.case.zone).unwrap();
        let before = Timestamp::from_second(at.as_second() - 1).unwrap();
        zone.to_offset(before) < zone.to_offset(at)
    }
}

#[test]
fn firings_around_every_clock_change_are_those_of_croniter_or_excused() {
    let cases = cases();
    let cases: Vec<&Case> = cases.iter().step_by(ONE_IN).collect();
    let Some(theirs) = ask("iter", "croniter", &cases) else { return };
    let answers = cases.into_iter().zip(theirs);
    let answers: Vec<(&Case, String, String)> =
        answers.map(|(case, theirs)| (case, case.firings(), theirs)).collect();
    let count = answers.len();
    let differing: Vec<_> =
        answers.into_iter().filter(|(_, ours, theirs)| ours != theirs).collect();
    let asked: Vec<&Case> = differing.iter().map(|(case, ..)| *case).collect();
    let vixie = ask("iter-vixie", "croniter", &asked).unwrap();
    let mut excused = BTreeMap::<&str, usize>::new();
    let mut unexplained = Vec::new();
    for ((case, ours, theirs), vixie) in differing.iter().zip(&vixie) {
        let excuses = if theirs == "refused" {
            case.expression.contains("LW").then(|| [NO_LW].into())
        } else if ours == vixie {
            Some([EITHER_DAY].into())
        } else {
            Difference::new(case, ours, vixie).excuses()
        };
        match excuses {
            Some(excuses) => {
                excuses.into_iter().for_each(|why| *excused.entry(why).or_default() += 1);
            }
            None => unexplained.push(format!(
                "{:?}\n  ours   {ours}\n  theirs {vixie}\n",
                case.line("iter-vixie")
            )),
        }
    }
    let shown: String = unexplained.iter().take(5).map(String::as_str).collect();
    assert!(unexplained.is_empty(), "{} cases are unexplained:\n{shown}", unexplained.len());
    let differ = differing.len();
    // Nextest shows this only when asked to.
    println!("{} of {count} cases agree with croniter; {excused:#?}", count - differ);
    assert!(differ * 5 < count, "too many excuses: {excused:?}");
}
