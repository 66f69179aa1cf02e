//! The fetching program is killed (SIGKILL) at any moment, and in each of its requests. Nothing
//! that was committed is asked for again, and the archive ends as if nobody had killed anything.
//!
//! Committed is what the archive says: a posting that it names, a page of rows that it marks. What
//! is not committed may be asked for again: the login, the lists that were not read to their end,
//! and the postings of the pieces in flight, of which there are two.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use market::archive::Archive;
use market::observation::Observation;
use market::reports::Report;
use serde_json::{Value, json};

use super::served::{Served, Wish};

/// Slow builds take longer for each life, so that the tests stay quick at home.
const KILLS: u32 = if cfg!(debug_assertions) { 40 } else { 120 };

/// A fetch is killed so often at the most; the orchestrator gives up a stage in which the program
/// died twenty times.
const DEATHS_MAX: u32 = 12;

/// A whole fetch takes about this long; later there is nothing left to kill.
const LIFE_MAX_MILLISECONDS: u64 = 1_500;

/// The first life of a fetch has about as many requests, the later ones fewer and fewer.
const REQUESTS_MAX: u64 = 18;

/// How often it is looked whether the program has made its request, or has ended.
const GLANCE: Duration = Duration::from_millis(2);

/// Numbers that look random and are the same every time (Knuth's multiplicative generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// When a life ends.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// So long after it began.
    After(Duration),
    /// While it waits for the rest of this answer, counted from 1.
    InRequest(u64),
    /// It is let live.
    Never,
}

fn wish() -> Wish {
    Wish::of("rt_lmp,dam_spp,load_actual,load_forecast", "2026-03-03T00:00", "2026-03-09T00:00")
}

fn arguments(wish: &Wish) -> Vec<&str> {
    [&wish.arguments()[..], &["--vintages", "every", "--json"]].concat()
}

/// What the archive says is committed: ids of postings, and reports whose page of rows is marked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Committed {
    postings: BTreeSet<i64>,
    pages: BTreeSet<String>,
}

impl Committed {
    fn of(archive: &Archive) -> Self {
        let (from, to) = wish().span();
        let month = SignedDuration::from_hours(24 * 31);
        let mut committed = Self::default();
        for report in Report::ALL {
            let postings = archive.postings(report, (from - month, to + month)).unwrap();
            committed
                .postings
                .extend(postings.iter().map(|it| it.posting.id.parse::<i64>().unwrap()));
        }
        let hours = SignedDuration::from_hours;
        for (report, point, reach) in [
            (Report::Lmp, "HB_NORTH", 2),
            (Report::DayAheadSpp, "HB_NORTH", 36),
            (Report::ActualLoad, "all", 36),
        ] {
            let (from, to) = (from - hours(reach), to + hours(reach));
            let name = format!("{} {point} {from} {to} page 1 of 50000", report.emil_id());
            if archive.imported(&name).is_some() {
                committed.pages.insert(report.emil_id().to_owned());
            }
        }
        committed
    }
}

/// Everything that is archived.
#[derive(Debug, PartialEq)]
struct Archived {
    observations: Vec<Vec<Observation>>,
    /// How many rows the files have: repetitions would count.
    rows: u64,
    committed: Committed,
}

impl Archived {
    fn of(served: &Served) -> Self {
        let (archive, wish) = (served.archive(), wish());
        let verified = archive.verify().unwrap();
        assert!(verified.problems.is_empty(), "{verified:?}");
        let observations = wish.keys().iter().map(|key| served.archived(key, &wish)).collect();
        Self { observations, rows: verified.rows, committed: Committed::of(&archive) }
    }
}

/// Lets the program fetch until its death; tells whether it ended by itself.
fn completes(served: &Served, death: Death) -> bool {
    let known = served.server.requests().len();
    let rules = match death {
        Death::After(_) | Death::Never => json!([]),
        Death::InRequest(number) => json!([{
            "fault": "slow_loris", "bytes": 1, "pause_milliseconds": 86_400_000, "nth": number,
        }]),
    };
    served.now_goes_wrong(&rules);
    let mut child = served
        .program
        .command(&arguments(&wish()))
        .stdout(File::create(served.program.path("outcome.json")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lived = Duration::ZERO;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            break status;
        }
        thread::park_timeout(GLANCE);
        lived += GLANCE;
        let is_time = match death {
            Death::After(age) => age <= lived,
            Death::Never => false,
            Death::InRequest(number) => number <= served.server.requests_after(known).len() as u64,
        };
        if is_time {
            child.kill().expect("a child can be killed");
        }
    };
    let outcome = fs::read_to_string(served.program.path("outcome.json")).unwrap();
    assert!(status.code().is_none_or(|code| code == 0), "{death:?}: {status} {outcome}");
    status.code().is_some()
}

/// Checks that nothing of what was committed was asked for again.
fn check_asked(asked: &[Value], committed: &Committed, death: Death) {
    for request in asked {
        let documents = request["documents"].as_array().unwrap().iter().filter_map(Value::as_i64);
        let again: Vec<i64> = documents.filter(|id| committed.postings.contains(id)).collect();
        assert!(again.is_empty(), "{death:?}: {again:?} were committed: {request}");
        let is_page = request["route"] == "rows";
        let report = request["report"].as_str().unwrap_or_default();
        assert!(!is_page || !committed.pages.contains(report), "{death:?}: {request}");
    }
}

/// Kills fetches until there were enough deaths; each is let live in the end.
fn kill_fetches(kills: u32, mut death: impl FnMut() -> Death) {
    let mut served = Served::with_faults("");
    let undisturbed = {
        assert!(completes(&served, Death::Never));
        Archived::of(&served)
    };
    assert_eq!(undisturbed.committed.pages.len(), 3, "{:?}", undisturbed.committed.pages);
    assert!(6 * 24 <= undisturbed.committed.postings.len());
    let (mut killed, mut fetches) = (0, 0);
    while killed < kills {
        served.start_anew();
        fetches += 1;
        for deaths in 0..=DEATHS_MAX {
            let committed = Committed::of(&served.archive());
            let known = served.server.requests().len();
            let death = if deaths < DEATHS_MAX { death() } else { Death::Never };
            let is_complete = completes(&served, death);
            check_asked(&served.server.requests_after(known), &committed, death);
            if is_complete {
                break;
            }
            killed += 1;
        }
        assert_eq!(Archived::of(&served), undisturbed);
    }
    eprintln!("{killed} kills of {fetches} fetches");
}

#[test]
fn killed_at_any_moment_it_fetches_nothing_twice_that_was_committed() {
    let mut chance = Chance(20_260_308);
    kill_fetches(KILLS / 2, || {
        Death::After(Duration::from_millis(chance.below(LIFE_MAX_MILLISECONDS)))
    });
}

#[test]
fn killed_in_any_request_it_fetches_nothing_twice_that_was_committed() {
    let mut chance = Chance(20_261_101);
    // The login, the first list, and then any: the last request of a stage among them.
    let mut first = [1, 2, 3].into_iter();
    kill_fetches(KILLS / 2, || {
        Death::InRequest(first.next().unwrap_or_else(|| 1 + chance.below(REQUESTS_MAX)))
    });
}
