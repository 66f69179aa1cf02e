//! The simulated market as what was published on which day: observations by key and day of
//! publication, computed when asked for and kept as long as there is room.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use market::observation::{Observation, Series, SeriesKey};
use market::place::SettlementPoint;
use market::source::publication::PublicationRule;
use market::source::simulator::{Simulator, SimulatorSettings, Vintages};
use market::source::{FetchRequest, Source, SourceError};
use market::time::{MarketHour, OperatingDay};

/// So many observations are kept, 48 bytes each; a day of hourly vintages of one series has 4,000.
const OBSERVATIONS_KEPT_MAX: usize = 4_000_000;

/// What is published so long after the rule of its series says, is a correction.
const CORRECTED_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// A forecast of a passed hour is looked for among so many days of publications.
const VINTAGE_DAYS: i32 = 3;

/// The settlement points of a posting: those of these that the simulator knows.
const POINTS: [&str; 15] = [
    "HB_BUSAVG",
    "HB_HOUSTON",
    "HB_HUBAVG",
    "HB_NORTH",
    "HB_PAN",
    "HB_SOUTH",
    "HB_WEST",
    "LZ_AEN",
    "LZ_CPS",
    "LZ_HOUSTON",
    "LZ_LCRA",
    "LZ_NORTH",
    "LZ_RAYBN",
    "LZ_SOUTH",
    "LZ_WEST",
];

/// The simulated market.
#[derive(Debug)]
pub(super) struct World {
    simulator: Simulator,
    first_day: OperatingDay,
    points: Vec<SettlementPoint>,
    kept: Mutex<Kept>,
}

type KeyOfDay = (SeriesKey, OperatingDay);

#[derive(Debug, Default)]
struct Kept {
    days: HashMap<KeyOfDay, Arc<Day>>,
    oldest: VecDeque<KeyOfDay>,
    observations: usize,
}

/// What was published about a key on a day.
#[derive(Debug)]
struct Day {
    /// In the order of publication.
    by_publication: Vec<Observation>,
    /// In the order of the intervals, and of an interval in that of publication.
    by_interval: Vec<Observation>,
}

impl Day {
    fn new(mut observations: Vec<Observation>) -> Self {
        observations.sort_by_key(|it| (it.interval_start, it.published_at));
        let by_interval = observations.clone();
        observations.sort_by_key(|it| it.published_at);
        Self { by_publication: observations, by_interval }
    }

    /// Returns what was published at an instant.
    fn published_at(&self, instant: Timestamp) -> &[Observation] {
        let all = &self.by_publication;
        let from = all.partition_point(|it| it.published_at < instant);
        let to = all.partition_point(|it| it.published_at <= instant);
        &all[from..to]
    }

    /// Returns the latest value about an interval that was published until an instant.
    fn latest(&self, interval_start: Timestamp, until: Timestamp) -> Option<f64> {
        let is_before =
            |it: &Observation| (it.interval_start, it.published_at) <= (interval_start, until);
        let before = &self.by_interval[..self.by_interval.partition_point(is_before)];
        before.last().filter(|it| it.interval_start == interval_start).map(|it| it.value)
    }
}

impl World {
    /// Makes a world in which nothing was published before a day.
    pub(super) fn new(seed: u64, first_day: Date) -> Self {
        let simulator =
            Simulator::new(SimulatorSettings { seed, first_day, vintages: Vintages::EveryHour });
        let points = POINTS.map(|name| SettlementPoint::new(name).expect("it is ERCOT's spelling"));
        Self {
            simulator,
            first_day: OperatingDay::new(first_day),
            points: points.to_vec(),
            kept: Mutex::default(),
        }
    }

    pub(super) fn first_day(&self) -> OperatingDay {
        self.first_day
    }

    /// Returns what was published about a key on a day.
    fn published_on(&self, key: &SeriesKey, day: OperatingDay) -> Result<Arc<Day>, SourceError> {
        let key_of_day = (key.clone(), day);
        if let Some(kept) = self.kept().days.get(&key_of_day) {
            return Ok(Arc::clone(kept));
        }
        let second = SignedDuration::from_secs(1);
        let request = FetchRequest {
            key: key.clone(),
            published_after: Some(day.start() - second),
            published_until: day.end() - second,
        };
        let published = Arc::new(Day::new(self.simulator.fetch(&request)?));
        self.kept().keep(key_of_day, Arc::clone(&published));
        Ok(published)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when something about one of the keys was published on a day, and the start of the
    /// first interval that it was about.
    pub(super) fn publications(
        &self,
        keys: &[SeriesKey],
        day: OperatingDay,
        edition: Edition,
    ) -> Result<BTreeMap<Timestamp, Timestamp>, SourceError> {
        let mut publications = BTreeMap::new();
        for key in keys {
            let published = self.published_on(key, day)?;
            for it in of_edition(&published.by_publication, key.series, edition) {
                let start = publications.entry(it.published_at).or_insert(it.interval_start);
                *start = it.interval_start.min(*start);
            }
        }
        Ok(publications)
    }

    /// Returns the market as it looked when something was published.
    pub(super) fn at(&self, published_at: Timestamp) -> Snapshot<'_> {
        Snapshot { world: self, published_at }
    }
}

impl Kept {
    fn keep(&mut self, key_of_day: KeyOfDay, published: Arc<Day>) {
        // What is computed twice at the same time is counted once.
        if self.days.contains_key(&key_of_day) {
            return;
        }
        self.observations += published.by_publication.len();
        self.days.insert(key_of_day.clone(), published);
        self.oldest.push_back(key_of_day);
        while OBSERVATIONS_KEPT_MAX < self.observations {
            let Some(oldest) = self.oldest.pop_front() else { return };
            let dropped = self.days.remove(&oldest).map_or(0, |it| it.by_publication.len());
            self.observations -= dropped;
        }
    }
}

/// Whether a value is the first one or corrects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    First,
    Correction,
}

fn of_edition(
    observations: &[Observation],
    series: Series,
    edition: Edition,
) -> impl Iterator<Item = &Observation> {
    let mut rule = PublicationRule::of(series);
    observations.iter().filter(move |it| {
        let due = rule.as_mut().map(|rule| rule.published_at(it.interval_start));
        let is_late = due.is_some_and(|due| due + CORRECTED_AFTER < it.published_at);
        is_late == (edition == Edition::Correction)
    })
}

/// The market as it looked when something was published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot<'a> {
    world: &'a World,
    pub(super) published_at: Timestamp,
}

/// Values by the start of their interval.
pub(super) type Values = BTreeMap<Timestamp, f64>;

impl Snapshot<'_> {
    pub(super) fn points(&self) -> &[SettlementPoint] {
        &self.world.points
    }

    /// Returns what was published at that very time.
    pub(super) fn published(
        &self,
        key: &SeriesKey,
        edition: Edition,
    ) -> Result<Values, SourceError> {
        let published = self.world.published_on(key, OperatingDay::of(self.published_at))?;
        let now = of_edition(published.published_at(self.published_at), key.series, edition);
        Ok(now.map(|it| (it.interval_start, it.value)).collect())
    }

    /// Returns the latest values about some hours that were published until then, on that day and
    /// some before it.
    pub(super) fn known(
        &self,
        key: &SeriesKey,
        hours: &[MarketHour],
    ) -> Result<Vec<Option<f64>>, SourceError> {
        let today = OperatingDay::of(self.published_at);
        let days =
            (0..=VINTAGE_DAYS).map(|before| self.world.published_on(key, today.plus_days(-before)));
        let days = days.collect::<Result<Vec<_>, _>>()?;
        let known = hours.iter().map(|hour| {
            let mut newest_first = days.iter();
            newest_first.find_map(|day| day.latest(hour.start, self.published_at))
        });
        Ok(known.collect())
    }

    /// Returns the latest value about an interval that was published before.
    pub(super) fn known_before(
        &self,
        key: &SeriesKey,
        interval_start: Timestamp,
    ) -> Result<Option<f64>, SourceError> {
        let mut day = OperatingDay::of(interval_start).plus_days(-1);
        let mut value = None;
        while day <= OperatingDay::of(self.published_at) {
            let published = self.world.published_on(key, day)?;
            let just_before = self.published_at - SignedDuration::from_secs(1);
            value = published.latest(interval_start, just_before).or(value);
            day = day.plus_days(1);
        }
        Ok(value)
    }
}
