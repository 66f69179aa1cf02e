//! A served ERCOT, a data directory that is fetched into, and the truth to compare it with.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use market::archive::{Archive, Query, Vintages};
use market::observation::{Observation, Series, SeriesKey};
use market::place::Place;
use market::source::simulator::{self, Simulator, SimulatorSettings};
use market::source::{FetchRequest, Source};
use market::time::{local, parse_local};
use serde_json::{Value, json};
use spikecast::data_dir::DataDir;

use crate::program::Program;
use crate::simulated_ercot;

/// In spring 2026, after the day with 23 hours.
pub(crate) const CLOCK: &str = "2026-03-10T09:30";

pub(super) const SECRETS: [&str; 2] = ["simulated-subscription-key", "a-secret-password"];

/// What is fetched: series at HB_NORTH or in all of Texas, and days or times.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) series: &'static str,
    pub(super) from: String,
    pub(super) to: String,
}

impl Wish {
    pub(super) fn of(series: &'static str, from: &str, to: &str) -> Self {
        Self { series, from: from.to_owned(), to: to.to_owned() }
    }

    /// Prices, load and its forecast on the day of 23 hours.
    pub(super) fn spring() -> Self {
        Self::of("rt_lmp,dam_spp,load_actual,load_forecast", "2026-03-08T00:00", "2026-03-09T00:00")
    }

    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        let [from, to] = [&self.from, &self.to].map(|time| parse_local(time).unwrap());
        (from, to)
    }

    pub(super) fn keys(&self) -> Vec<SeriesKey> {
        let key = |name| {
            let series = Series::named(name).unwrap();
            let is_price = matches!(series, Series::RealTimeLmp | Series::DayAheadSpp);
            let place = if is_price { "HB_NORTH" } else { "ERCOT" };
            SeriesKey { series, place: Place::named(place).unwrap() }
        };
        self.series.split(',').map(key).collect()
    }

    pub(super) fn arguments(&self) -> Vec<&str> {
        vec![
            "fetch",
            "--series",
            self.series,
            "--place",
            "HB_NORTH",
            "--from",
            &self.from,
            "--to",
            &self.to,
        ]
    }
}

/// What the simulated market says itself about a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    /// Until when it was published.
    pub(super) until: Timestamp,
    /// A fault changes when something was published, or that it was.
    pub(super) published: fn(&SeriesKey, Timestamp) -> Option<Timestamp>,
}

impl Truth {
    pub(super) fn at(clock: &str) -> Self {
        Self { until: parse_local(clock).unwrap(), published: |_, at| Some(at) }
    }

    /// Returns what should be archived of a key: of forecasts the postings of the morning, and the
    /// newest.
    fn of(&self, key: &SeriesKey, (from, to): (Timestamp, Timestamp)) -> Vec<Observation> {
        let simulator = Simulator::new(SimulatorSettings {
            seed: 42,
            first_day: jiff::civil::date(2018, 1, 1),
            vintages: simulator::Vintages::EveryHour,
        });
        let day = SignedDuration::from_hours(24);
        let is_forecast = key.series == Series::LoadForecast;
        let request = FetchRequest {
            key: key.clone(),
            published_after: Some(from - 2 * day),
            published_until: self.until,
        };
        let mut all = simulator.fetch(&request).unwrap();
        all.retain_mut(|it| match (self.published)(key, it.published_at) {
            Some(published_at) => {
                it.published_at = published_at;
                published_at <= self.until
            }
            None => false,
        });
        if is_forecast {
            all.retain(|it| from <= it.published_at && it.published_at < to);
            let newest = all.iter().map(|it| it.published_at).max();
            all.retain(|it| {
                let is_of_the_morning = (5..10).contains(&local(it.published_at).hour());
                is_of_the_morning || Some(it.published_at) == newest
            });
        } else {
            all.retain(|it| from <= it.interval_start && it.interval_start < to);
        }
        all.sort_by_key(|it| (it.interval_start, it.published_at));
        all
    }
}

/// A served world and a data directory of its client.
pub(crate) struct Served {
    pub(crate) program: Program,
    pub(super) server: simulated_ercot::Served,
}

impl Served {
    /// Serves a world whose time stands still.
    pub(crate) fn with_faults(faults: &str) -> Self {
        Self::of(simulated_ercot::Served::with_faults(CLOCK, faults))
    }

    pub(super) fn of(server: simulated_ercot::Served) -> Self {
        let served = Self { program: Program::new(), server };
        served.configure(&served.url(), "simulated");
        served
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Goes on with an empty data directory.
    pub(super) fn start_anew(&mut self) {
        self.program = Program::new();
        self.configure(&self.url(), "simulated");
    }

    pub(crate) fn configure(&self, url: &str, password: &str) {
        let settings = format!(
            "source = \"ercot\"\nercot_url = \"{url}\"\nercot_username = \"desk@example.com\"\n\
             ercot_password = \"{password}\"\nercot_subscription_key = \"{}\"\n\
             ercot_requests_per_minute = 100000\nfetch_retry_delay = \"2ms\"\n",
            SECRETS[0]
        );
        fs::write(self.program.path("spikecast.toml"), settings).unwrap();
    }

    /// Adds a line to the settings.
    pub(super) fn set(&self, line: &str) {
        let path = self.program.path("spikecast.toml");
        let settings = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{settings}{line}\n")).unwrap();
    }

    /// Replaces the faults, e.g. by `{"fault": "throttle"}`.
    pub(super) fn now_goes_wrong(&self, rules: &Value) {
        let plan = json!({ "rule": rules }).to_string();
        let reply = self.server.request("POST", "/admin/faults", &[], &plan).unwrap();
        assert_eq!(reply.status, 200, "{plan}");
    }

    pub(super) fn fetch(&self, exit_code: i32) -> Value {
        self.fetch_wish(&Wish::spring(), exit_code)
    }

    pub(super) fn fetch_wish(&self, wish: &Wish, exit_code: i32) -> Value {
        let fetch = [&wish.arguments()[..], &["--json"]].concat();
        let (out, error) = self.program.run(&fetch, exit_code);
        for secret in SECRETS {
            assert!(!out.contains(secret) && !error.contains(secret), "{out}{error}");
        }
        serde_json::from_str(&out).expect("JSON on standard output")
    }

    pub(super) fn archive(&self) -> Archive {
        Archive::open(&DataDir::new(self.program.path("data")).archive("ercot")).unwrap()
    }

    /// Returns every vintage of a key that is archived: of a forecast whatever interval it is
    /// about.
    pub(super) fn archived(&self, key: &SeriesKey, wish: &Wish) -> Vec<Observation> {
        let (mut from, mut to) = wish.span();
        if key.series == Series::LoadForecast {
            let month = SignedDuration::from_hours(24 * 31);
            (from, to) = (from - month, to + month);
        }
        let query = Query { key: key.clone(), from, to, vintages: Vintages::All };
        self.archive().read(&query).unwrap().observations().collect()
    }

    /// Checks that the archive holds what the simulator says itself, with the same times of
    /// publication, up to the decimals that ERCOT reports.
    pub(super) fn holds_the_truth(&self) {
        self.holds(&Wish::spring(), &Truth::at(CLOCK));
    }

    pub(super) fn holds(&self, wish: &Wish, truth: &Truth) {
        for key in wish.keys() {
            let expected = truth.of(&key, wish.span());
            assert!(!expected.is_empty(), "{key}");
            self.holds_exactly(&key, wish, &expected);
        }
    }

    pub(super) fn holds_exactly(&self, key: &SeriesKey, wish: &Wish, expected: &[Observation]) {
        let found = self.archived(key, wish);
        let when = |all: &[Observation]| -> Vec<(Timestamp, Timestamp)> {
            all.iter().map(|it| (it.interval_start, it.published_at)).collect()
        };
        assert_eq!(when(&found), when(expected), "{key}");
        // Load forecasts have a decimal, everything else two.
        let tolerance = if key.series == Series::LoadForecast { 0.051 } else { 0.0051 };
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found.value - expected.value).abs();
            assert!(difference < tolerance, "{key}: {found:?} instead of {expected:?}");
        }
    }

    /// Returns what the server was asked for on a route, and what it answered.
    pub(super) fn requests(&self, route: &str) -> Vec<Value> {
        let mut requests = self.server.requests();
        requests.retain(|it| it["route"] == route);
        requests
    }
}
