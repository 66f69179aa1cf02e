//! Faults on demand: which requests and postings go wrong, and how.
//!
//! A plan is a list of rules, read by `parse` from TOML or JSON. Which request a rule hits depends
//! on how many matched it before and on the plan's seed, never on real chance.

mod parse;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use market::reports::Report;
use twox_hash::XxHash64;

use super::route::RouteKind;

pub use parse::FaultPlanError;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429: too many requests.
    Throttle {
        /// For how long the answer asks to wait; it need not say.
        retry_after: Option<Duration>,
    },
    /// 429: too many bytes in this hour.
    Bandwidth {
        /// For how long the answer asks to wait; it need not say.
        retry_after: Option<Duration>,
    },
    /// 401: the token is not valid any more.
    ExpiredToken,
    /// One of 500 to 504.
    ServerError {
        /// Which.
        status: u16,
    },
    /// 400 for no reason.
    BadRequest,
    /// The body comes a few bytes at a time.
    SlowLoris {
        /// So many.
        bytes: usize,
        /// And then a pause.
        pause: Duration,
    },
    /// The connection is reset within the body.
    Reset {
        /// After so many bytes of it; half of it by default.
        after: Option<usize>,
    },
    /// The zip file ends in the middle.
    TruncatedZip,
    /// The zip file has other bytes than it should.
    CorruptedZip,
    /// 200 with a web page.
    Html,
    /// The right bytes, said to be a web page.
    WrongContentType,
    /// A column has another name, in files and rows.
    RenamedColumn {
        /// What ERCOT calls it.
        column: String,
        /// What it is called instead.
        renamed_to: String,
    },
    /// Every other row comes twice.
    DuplicatedRows,
    /// 200 without any row, file or product.
    Empty,
    /// A posting appears later than it should.
    Late {
        /// So much later.
        delay: SignedDuration,
    },
    /// A posting never appears.
    Missing,
}

impl Fault {
    /// Tells whether it hits postings rather than requests.
    fn is_of_postings(&self) -> bool {
        matches!(self, Fault::Late { .. } | Fault::Missing)
    }

    /// Tells whether answers of this kind can go wrong in this way.
    fn applies_to(&self, route: RouteKind) -> bool {
        match self {
            Fault::Throttle { .. } | Fault::Bandwidth { .. } | Fault::ExpiredToken => {
                route.is_public_api()
            }
            Fault::ServerError { .. }
            | Fault::BadRequest
            | Fault::SlowLoris { .. }
            | Fault::Reset { .. }
            | Fault::Html
            | Fault::WrongContentType => true,
            Fault::TruncatedZip | Fault::CorruptedZip => route.is_download(),
            Fault::RenamedColumn { .. } | Fault::DuplicatedRows => {
                route == RouteKind::Rows || route.is_download()
            }
            Fault::Empty => !matches!(route, RouteKind::Token | RouteKind::Products),
            Fault::Late { .. } | Fault::Missing => false,
        }
    }

    /// Returns the name in rules and in the log of requests.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Throttle { .. } => "throttle",
            Fault::Bandwidth { .. } => "bandwidth",
            Fault::ExpiredToken => "expired_token",
            Fault::ServerError { .. } => "server_error",
            Fault::BadRequest => "bad_request",
            Fault::SlowLoris { .. } => "slow_loris",
            Fault::Reset { .. } => "reset",
            Fault::TruncatedZip => "truncated_zip",
            Fault::CorruptedZip => "corrupted_zip",
            Fault::Html => "html",
            Fault::WrongContentType => "wrong_content_type",
            Fault::RenamedColumn { .. } => "renamed_column",
            Fault::DuplicatedRows => "duplicated_rows",
            Fault::Empty => "empty",
            Fault::Late { .. } => "late",
            Fault::Missing => "missing",
        }
    }
}

/// When something goes wrong.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    /// Of this report only.
    report: Option<Report>,
    /// On this route only.
    route: Option<RouteKind>,
    /// Only these of the matching requests, counted from 1; none named are all.
    nth: Vec<u64>,
    /// Only this share.
    probability: f64,
    /// From this simulated time on, of the request or of the posting.
    from: Option<Timestamp>,
    /// Until this simulated time, which is excluded.
    until: Option<Timestamp>,
    fault: Fault,
}

/// What goes wrong, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultPlan {
    seed: u64,
    rules: Vec<Rule>,
}

/// How many requests matched each rule of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches(Vec<u64>);

/// What happens to a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostingFault {
    None,
    Late(SignedDuration),
    Missing,
}

impl Rule {
    fn is_about(&self, report: Option<Report>, instant: Timestamp) -> bool {
        self.report.is_none_or(|it| Some(it) == report)
            && self.from.is_none_or(|from| from <= instant)
            && self.until.is_none_or(|until| instant < until)
    }
}

impl FaultPlan {
    /// Returns how many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Decides whether a request goes wrong: the first rule that hits it says how.
    pub(super) fn of_request(
        &self,
        matches: &mut Matches,
        route: RouteKind,
        report: Option<Report>,
        now: Timestamp,
    ) -> Option<&Fault> {
        matches.0.resize(self.rules.len(), 0);
        let mut found = None;
        for (index, rule) in self.rules.iter().enumerate() {
            let is_match = rule.fault.applies_to(route)
                && rule.route.is_none_or(|it| it == route)
                && rule.is_about(report, now);
            if !is_match {
                continue;
            }
            matches.0[index] += 1;
            let nth = matches.0[index];
            let is_counted = rule.nth.is_empty() || rule.nth.contains(&nth);
            if is_counted && self.draw(index, nth) < rule.probability {
                found = found.or(Some(&rule.fault));
            }
        }
        found
    }

    /// Decides what happens to a posting.
    pub(super) fn of_posting(&self, report: Report, published_at: Timestamp) -> PostingFault {
        for (index, rule) in self.rules.iter().enumerate() {
            let second = published_at.as_second().unsigned_abs();
            let is_hit = rule.is_about(Some(report), published_at)
                && self.draw(index, second) < rule.probability;
            match &rule.fault {
                Fault::Late { delay } if is_hit => return PostingFault::Late(*delay),
                Fault::Missing if is_hit => return PostingFault::Missing,
                _ => {}
            }
        }
        PostingFault::None
    }

    /// Returns by how much a posting can be late at the most.
    pub(super) fn longest_delay(&self) -> SignedDuration {
        let delays = self.rules.iter().map(|rule| match rule.fault {
            Fault::Late { delay } => delay,
            _ => SignedDuration::ZERO,
        });
        delays.max().unwrap_or(SignedDuration::ZERO)
    }

    /// Draws a number from 0 to 1, always the same for the same case of a rule.
    fn draw(&self, rule: usize, case: u64) -> f64 {
        let rule = rule as u64;
        let bytes = [rule.to_le_bytes(), case.to_le_bytes()].concat();
        // The upper half has all the precision that a share needs.
        let hash = XxHash64::oneshot(self.seed, &bytes) >> 32;
        let hash = u32::try_from(hash).unwrap_or(u32::MAX);
        f64::from(hash) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> FaultPlan {
        FaultPlan::from_toml(text).unwrap()
    }

    fn hits(plan: &FaultPlan, route: RouteKind, report: Report, requests: usize) -> Vec<bool> {
        let mut matches = Matches::default();
        let now = "2026-03-08T12:00:00Z".parse().unwrap();
        (0..requests)
            .map(|_| plan.of_request(&mut matches, route, Some(report), now).is_some())
            .collect()
    }

    #[test]
    fn a_rule_hits_the_requests_that_it_names_and_no_others() {
        let plan = plan(
            "[[rule]]\nfault = \"throttle\"\nreport = \"NP6-788-CD\"\nroute = \"rows\"\nnth = [1, 3]",
        );
        let hit = hits(&plan, RouteKind::Rows, Report::Lmp, 4);
        assert_eq!(hit, [true, false, true, false]);
        assert_eq!(hits(&plan, RouteKind::Rows, Report::Spp, 4), [false; 4]);
        assert_eq!(hits(&plan, RouteKind::ArchiveList, Report::Lmp, 4), [false; 4]);
    }

    #[test]
    fn a_share_of_the_requests_is_hit_and_always_the_same_ones() {
        let text = "seed = 3\n[[rule]]\nfault = \"html\"\nprobability = 0.25";
        let first = hits(&plan(text), RouteKind::MisList, Report::Lmp, 4_000);
        let share = first.iter().filter(|hit| **hit).count();
        assert!((900..1_100).contains(&share), "{share} of 4,000");
        assert_eq!(first, hits(&plan(text), RouteKind::MisList, Report::Lmp, 4_000));
        let other = plan(&text.replace('3', "4"));
        assert_ne!(first, hits(&other, RouteKind::MisList, Report::Lmp, 4_000));
    }

    #[test]
    fn a_posting_is_late_or_missing_within_the_rules_window_only() {
        let plan = plan(
            "[[rule]]\nfault = \"late\"\ndelay_minutes = 90\nreport = \"NP4-190-CD\"\n\
             from = \"2026-03-07T12:00\"\nuntil = \"2026-03-08T12:00\"\n\
             [[rule]]\nfault = \"missing\"\nreport = \"NP3-565-CD\"",
        );
        let of = |report, at: &str| plan.of_posting(report, at.parse().unwrap());
        let late = PostingFault::Late(SignedDuration::from_mins(90));
        // 12:00 Central was 18:00Z on the 7th and 17:00Z on the 8th.
        assert_eq!(of(Report::DayAheadSpp, "2026-03-07T18:00:00Z"), late);
        assert_eq!(of(Report::DayAheadSpp, "2026-03-08T16:59:59Z"), late);
        assert_eq!(of(Report::DayAheadSpp, "2026-03-08T17:00:00Z"), PostingFault::None);
        assert_eq!(of(Report::DayAheadSpp, "2026-03-07T17:59:59Z"), PostingFault::None);
        assert_eq!(of(Report::LoadForecast, "2026-03-07T18:00:00Z"), PostingFault::Missing);
        assert_eq!(plan.longest_delay(), SignedDuration::from_mins(90));
    }
}
