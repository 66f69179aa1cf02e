//! What the diary says about the promises: a forecast every morning, every firing once, every
//! alarm right. It knows nothing of what the process believes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use market::time::{OperatingDay, instant};
use orchestration::RunStatus;
use serde::Serialize;

use super::diary::{Entry, read};
use super::life::Settings;
use super::trouble::{Kind, plan};
use crate::schedules::operations;

/// By when the forecast of a day must be there.
const DEADLINE: jiff::civil::Time = jiff::civil::time(9, 45, 0, 0);

/// What is under way when the simulation ends is not judged: no run takes longer.
const UNDER_WAY: SignedDuration = SignedDuration::from_hours(24);

/// From what the last forecast before a deadline was made, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Everything new.
    Fresh,
    /// Older data, as archived.
    CachedData,
    /// The model before.
    PreviousModel,
    /// The forecast before, read for the new hours.
    PreviousForecast,
    /// What is usual.
    Climatology,
}

impl Rung {
    /// Every rung, the best first.
    pub const ALL: [Self; 5] = [
        Self::Fresh,
        Self::CachedData,
        Self::PreviousModel,
        Self::PreviousForecast,
        Self::Climatology,
    ];

    /// Returns what people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::CachedData => "cached data",
            Self::PreviousModel => "previous model",
            Self::PreviousForecast => "previous forecast",
            Self::Climatology => "climatology",
        }
    }

    fn of(degraded: &[String]) -> Self {
        let says = |what: &str| degraded.iter().any(|reason| reason.contains(what));
        if says("repeat_previous_forecast") {
            Self::PreviousForecast
        } else if says("use_climatology") {
            Self::Climatology
        } else if says("keep_previous_model") {
            Self::PreviousModel
        } else if degraded.is_empty() {
            Self::Fresh
        } else {
            Self::CachedData
        }
    }
}

/// What became of one morning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayOutcome {
    /// The issue day.
    pub day: Date,
    /// When the first forecast was there.
    pub first_at: Option<Timestamp>,
    /// What the last one before the deadline was made from; none if there was none.
    pub rung: Option<Rung>,
    /// Whether somebody was told that it is at risk or missed.
    pub was_alarmed: bool,
}

/// The account of a whole simulation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Account {
    /// Days judged.
    pub days: usize,
    /// Days with a forecast by the deadline.
    pub in_time: usize,
    /// Of these, by what the last forecast before the deadline was made from.
    pub by_rung: BTreeMap<&'static str, usize>,
    /// Days on which an alarm was told though a fresh forecast was there.
    pub false_alarms: Vec<Date>,
    /// Days without a forecast by the deadline of which nobody was told.
    pub missed_alarms: Vec<Date>,
    /// Days without a forecast by the deadline.
    pub late_days: Vec<Date>,
    /// Days of which somebody was told that they are at risk.
    pub alarms: usize,
    /// Firings judged.
    pub firings: usize,
    /// Firings that were left out by the policy of their schedule.
    pub left_out: usize,
    /// Firings of which nothing is known, or whose run never ended.
    pub lost: Vec<String>,
    /// Firings with more than one run.
    pub duplicates: Vec<String>,
    /// Runs that failed, by schedule.
    pub failed_runs: BTreeMap<String, usize>,
    /// Notices told.
    pub notices: usize,
    /// Forecasts that were published and of which nobody was told, though somebody could be.
    pub untold: Vec<Timestamp>,
    /// Forecasts of which nobody was told because nobody could be reached for longer than notices
    /// are news.
    pub given_up: usize,
    /// Notices told more than once: the process died between telling and writing that down.
    pub told_twice: usize,
    /// Processes that were killed.
    pub deaths: usize,
    /// Times the clock was set wrong.
    pub wrong_clocks: usize,
    /// Days on which each trouble began.
    pub troubles: BTreeMap<&'static str, usize>,
}

impl Account {
    /// Takes the account of simulations that are over.
    pub fn of(spans: &[Settings]) -> io::Result<Self> {
        let mut account = Self::default();
        for settings in spans {
            let entries = read(&settings.diary())?;
            account.count_troubles(settings);
            let told = account.count_notices(&entries);
            account.judge_notices(settings, &entries, &told);
            account.judge_days(settings, &entries, &told);
            account.judge_firings(settings, &entries);
        }
        Ok(account)
    }

    /// Tells whether every promise was kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.in_time == self.days
            && self.missed_alarms.is_empty()
            && self.lost.is_empty()
            && self.duplicates.is_empty()
            && self.untold.is_empty()
    }

    fn count_troubles(&mut self, settings: &Settings) {
        for day in days(settings) {
            let plan = plan(settings.seed, settings.severity, day);
            let kinds: BTreeSet<Kind> = plan.troubles.iter().map(|it| it.kind).collect();
            for kind in kinds {
                *self.troubles.entry(kind.name()).or_default() += 1;
            }
            self.wrong_clocks += usize::from(!plan.steps.is_empty());
        }
    }

    fn count_notices(&mut self, entries: &[Entry]) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        for entry in entries {
            match entry {
                Entry::Told { key, .. } => {
                    self.notices += 1;
                    self.told_twice += usize::from(!told.insert(key.clone()));
                }
                Entry::Death { .. } => self.deaths += 1,
                Entry::Life { .. }
                | Entry::Began { .. }
                | Entry::Ended { .. }
                | Entry::Skipped { .. }
                | Entry::Published { .. } => {}
            }
        }
        told
    }

    fn judge_notices(&mut self, settings: &Settings, entries: &[Entry], told: &BTreeSet<String>) {
        let until = settings.ends() - UNDER_WAY;
        for entry in entries {
            if let Entry::Published { at, issue_time, .. } = entry
                && *at < until
                && !told.contains(&format!("forecast_ready {issue_time}"))
            {
                if is_desk_unreachable(settings, *at) {
                    self.given_up += 1;
                } else {
                    self.untold.push(*issue_time);
                }
            }
        }
    }

    fn judge_days(&mut self, settings: &Settings, entries: &[Entry], told: &BTreeSet<String>) {
        let mut published: BTreeMap<Date, Vec<(Timestamp, &[String])>> = BTreeMap::new();
        for entry in entries {
            if let Entry::Published { at, issue_day, degraded, .. } = entry {
                published.entry(*issue_day).or_default().push((*at, degraded));
            }
        }
        for day in days(settings).map(OperatingDay::date) {
            let deadline = instant(day, DEADLINE).expect("no clock changes at a quarter to ten");
            let forecasts = published.get(&day).map(Vec::as_slice).unwrap_or_default();
            let last = forecasts.iter().rev().find(|(at, _)| *at <= deadline);
            let rung = last.map(|(_, degraded)| Rung::of(degraded));
            let was_told = |kind: &str| told.contains(&format!("{kind} {day}"));
            let was_alarmed = was_told("deadline_at_risk") || was_told("deadline_missed");
            let first_at = forecasts.first().map(|(at, _)| *at);
            self.judge_day(&DayOutcome { day, first_at, rung, was_alarmed });
        }
    }

    fn judge_day(&mut self, outcome: &DayOutcome) {
        self.days += 1;
        self.alarms += usize::from(outcome.was_alarmed);
        match outcome.rung {
            Some(rung) => {
                self.in_time += 1;
                *self.by_rung.entry(rung.name()).or_default() += 1;
                if rung == Rung::Fresh && outcome.was_alarmed {
                    self.false_alarms.push(outcome.day);
                }
            }
            None => {
                self.late_days.push(outcome.day);
                if !outcome.was_alarmed {
                    self.missed_alarms.push(outcome.day);
                }
            }
        }
    }

    fn judge_firings(&mut self, settings: &Settings, entries: &[Entry]) {
        let mut runs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut ended: BTreeSet<&str> = BTreeSet::new();
        let mut skipped: Vec<(&str, Timestamp, Timestamp)> = Vec::new();
        for entry in entries {
            match entry {
                Entry::Ended { key, run: Some(run), status, .. } => {
                    runs.entry(key).or_default().insert(run);
                    if status != RunStatus::Interrupted.as_str() {
                        ended.insert(key);
                    }
                    if status == RunStatus::Failed.as_str() {
                        let schedule = key.split('@').next().unwrap_or_default().to_owned();
                        *self.failed_runs.entry(schedule).or_default() += 1;
                    }
                }
                Entry::Skipped { schedule, first, last, .. } => {
                    skipped.push((schedule, *first, *last));
                }
                Entry::Life { .. }
                | Entry::Death { .. }
                | Entry::Began { .. }
                | Entry::Ended { run: None, .. }
                | Entry::Published { .. }
                | Entry::Told { .. } => {}
            }
        }
        let until = settings.ends() - UNDER_WAY;
        for task in operations::daily() {
            let mut after = settings.begins();
            while let Some(firing) = task.schedule.next_after(after)
                && firing.at < until
            {
                after = firing.at;
                self.firings += 1;
                let key = format!("{}@{}", task.id, firing.at);
                let is_left_out = skipped.iter().any(|(schedule, first, last)| {
                    *schedule == task.id.as_str() && *first <= firing.at && firing.at <= *last
                });
                match (ended.contains(key.as_str()), is_left_out) {
                    (true, _) => {}
                    (false, true) => self.left_out += 1,
                    (false, false) => self.lost.push(key),
                }
            }
        }
        let several = runs.iter().filter(|(_, runs)| 1 < runs.len());
        self.duplicates.extend(several.map(|(key, _)| (*key).to_owned()));
    }
}

/// Tells whether the desk could not be reached at a time.
fn is_desk_unreachable(settings: &Settings, at: Timestamp) -> bool {
    let today = OperatingDay::of(at);
    let troubles = [today.plus_days(-1), today]
        .into_iter()
        .flat_map(|day| plan(settings.seed, settings.severity, day).troubles);
    let mut of_desk = troubles.filter(|it| it.kind == Kind::DeskUnreachable);
    of_desk.any(|it| it.from <= at && at < it.until)
}

fn days(settings: &Settings) -> impl Iterator<Item = OperatingDay> {
    let days = i32::try_from(settings.days).unwrap_or(i32::MAX);
    let first = settings.first_day;
    (0..days).map(move |offset| first.plus_days(offset))
}
