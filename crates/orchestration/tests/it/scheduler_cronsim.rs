//! Compares the firings of random expressions with those of cronsim, around every clock change.
//!
//! cronsim (a Python package) follows Debian's cron, as we do.

use std::collections::BTreeMap;

use crate::scheduler_oracles::{Case, ask, cases};

/// A case of which cronsim thinks otherwise.
struct Difference<'c> {
    case: &'c Case,
    ours: String,
    theirs: &'c str,
}

impl Difference<'_> {
    /// Why cronsim may differ; `walked` is what a walk from minute to minute finds.
    fn excuse(&self, walked: &str) -> Option<&'static str> {
        let (case, begin) = (self.case, self.case.begin.as_second());
        if case.is_wildcard() {
            return match case.zone {
                "Australia/Lord_Howe" if walked == self.ours => {
                    Some("cronsim steps by whole hours over a change by half an hour")
                }
                "America/Santiago" if walked == self.ours => {
                    Some("cronsim takes midnight for the first time of a day that begins at 01:00")
                }
                _ => None,
            };
        }
        let is_later = |at: &&str| at.parse::<i64>().is_ok_and(|at| begin < at);
        let later: Vec<&str> = self.theirs.split(' ').filter(is_later).collect();
        // Their answer is as long as ours, the answers from before the question included.
        let is_same = self.ours.starts_with(&later.join(" "));
        (is_same && case.begins_in_second_pass())
            .then_some("asked during the second pass, cronsim answers with the first")
    }
}

#[test]
fn firings_around_every_clock_change_are_those_of_cronsim() {
    let cases = cases();
    let all: Vec<&Case> = cases.iter().collect();
    let Some(theirs) = ask("sim", "cronsim", &all) else { return };
    let (mut differences, mut firings) = (Vec::new(), 0);
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = case.firings();
        firings += ours.split(' ').count();
        if ours != *theirs {
            differences.push(Difference { case, ours, theirs });
        }
    }
    let different: Vec<&Case> = differences.iter().map(|difference| difference.case).collect();
    let walked = ask("walk", "cronsim", &different).unwrap();
    let mut excused = BTreeMap::<&str, usize>::new();
    let mut unexplained = Vec::new();
    for (difference, walked) in differences.iter().zip(&walked) {
        match difference.excuse(walked) {
            Some(why) => *excused.entry(why).or_default() += 1,
            None => unexplained.push(format!(
                "{:?}\n  ours   {}\n  theirs {}\n",
                difference.case.line("sim"),
                difference.ours,
                difference.theirs
            )),
        }
    }
    let shown: String = unexplained.iter().take(5).map(String::as_str).collect();
    assert!(unexplained.is_empty(), "{} cases are unexplained:\n{shown}", unexplained.len());
    let (count, differ) = (cases.len(), differences.len());
    // Nextest shows this only when asked to.
    println!(
        "{} of {count} cases agree with cronsim, {firings} firings; {excused:#?}",
        count - differ
    );
    assert!(differ * 10 < count, "too many excuses: {excused:?}");
}
