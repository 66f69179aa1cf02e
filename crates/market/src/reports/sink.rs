//! Collects what the rows of a posting say: observations by series and place, complaints, and what
//! has drifted from the known layouts.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::cell::shortened;
use super::{Complaint, Contents};
use crate::observation::{Observation, SeriesKey};
use crate::source::publication::PublicationRule;

/// A month of the largest report holds 9 million; more would be a bundle to be taken in parts.
const OBSERVATIONS_MAX: usize = 20_000_000;

/// Complaints are kept for a person, who reads no more than some; the others are counted.
const COMPLAINTS_MAX: usize = 1_000;

/// How many different things may have drifted.
const DRIFT_MAX: usize = 100;

/// A file with more bad lines than this is not worth going on with.
pub(super) const BAD_LINES_MAX: usize = 1_000;

/// A file with a larger share of bad lines is no report with a slip, but something else.
const BAD_LINES_SHARE_MAX: f64 = 0.05;

/// When the observations of a table could be read, where its rows do not say so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Publication {
    /// With the posting.
    PostedAt(Timestamp),
    /// As the series' rule says.
    ByRule,
}

/// What is collected of one posting or page.
#[derive(Debug)]
pub(super) struct Sink {
    publication: Publication,
    numbers: HashMap<SeriesKey, usize>,
    slots: Vec<Slot>,
    contents: Contents,
    complaints_left_out: usize,
    observations: usize,
    file: FileSoFar,
}

#[derive(Debug)]
struct Slot {
    key: SeriesKey,
    rule: Option<PublicationRule>,
    observations: Vec<Observation>,
    /// The lines of the observations that came from the current file.
    lines: Vec<u64>,
}

/// The file that is being read.
#[derive(Debug, Default)]
struct FileSoFar {
    name: String,
    rows: usize,
    bad_lines: usize,
    /// Slots that it added to.
    slots: BTreeSet<usize>,
}

/// What a row says about the time of its publication.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    pub(super) posted_at: Option<Timestamp>,
    pub(super) corrected_at: Option<Timestamp>,
    /// Before which nobody can have known, whatever a list says about the posting.
    pub(super) not_before: Option<Timestamp>,
}

impl Sink {
    pub(super) fn new(publication: Publication) -> Self {
        Self {
            publication,
            numbers: HashMap::new(),
            slots: Vec::new(),
            contents: Contents::default(),
            complaints_left_out: 0,
            observations: 0,
            file: FileSoFar::default(),
        }
    }

    /// Takes another publication time for the files that follow.
    pub(super) fn publish(&mut self, publication: Publication) {
        self.publication = publication;
    }

    pub(super) fn publication(&self) -> Publication {
        self.publication
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, name: &str) {
        self.file = FileSoFar { name: name.to_owned(), ..FileSoFar::default() };
    }

    /// Returns the number under which a series is collected.
    pub(super) fn slot(&mut self, key: &SeriesKey) -> usize {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.slots.len();
        self.slots.push(Slot {
            key: key.clone(),
            rule: PublicationRule::of(key.series),
            observations: Vec::new(),
            lines: Vec::new(),
        });
        self.numbers.insert(key.clone(), number);
        number
    }

    /// Counts a row, bad or good.
    pub(super) fn count_row(&mut self) {
        self.file.rows += 1;
        self.contents.rows += 1;
    }

    /// Adds an observation of the current file.
    pub(super) fn add(&mut self, slot: usize, line: u64, start: Timestamp, said: (Stated, f64)) {
        let (stated, value) = said;
        let collected = &mut self.slots[slot];
        let posted_at = stated.posted_at.or_else(|| match self.publication {
            Publication::PostedAt(posted_at) => Some(posted_at),
            Publication::ByRule => collected.rule.as_mut().map(|rule| rule.published_at(start)),
        });
        // A correction is dated before or after it is posted: it could be read when both had come.
        let published_at = posted_at
            .max(stated.corrected_at)
            .max(stated.not_before)
            .expect("a layout with a series that has no rule requires the time of posting");
        collected.observations.push(Observation { interval_start: start, published_at, value });
        collected.lines.push(line);
        self.observations += 1;
        self.file.slots.insert(slot);
    }

    /// Complains about a line of the current file, which therefore says nothing.
    pub(super) fn complain(&mut self, line: u64, reason: String) {
        self.file.bad_lines += 1;
        self.remark(line, reason);
    }

    fn remark(&mut self, line: u64, reason: String) {
        if self.contents.complaints.len() < COMPLAINTS_MAX {
            self.contents.complaints.push(Complaint { file: self.file.name.clone(), line, reason });
        } else {
            self.complaints_left_out += 1;
        }
    }

    /// Complains about a whole file among others.
    pub(super) fn complain_of_file(&mut self, name: &str, reason: String) {
        name.clone_into(&mut self.file.name);
        self.remark(1, reason);
    }

    /// Notes that something is not as it is known.
    pub(super) fn drift(&mut self, what: String) {
        if self.contents.drift.len() < DRIFT_MAX {
            self.contents.drift.insert(what);
        }
    }

    /// Tells whether reading on is of no use.
    pub(super) fn is_hopeless(&self) -> bool {
        BAD_LINES_MAX < self.file.bad_lines || OBSERVATIONS_MAX < self.observations
    }

    /// Ends a file: of rows that say something twice only the first counts. A file that could not
    /// be read to its end, or with too many bad lines, is taken back, and the reason returned.
    pub(super) fn end(&mut self, read: Result<(), String>) -> Result<(), String> {
        let bad = self.file.bad_lines;
        let result = if read.is_err() {
            read
        } else if OBSERVATIONS_MAX < self.observations {
            Err(format!("holds more than {OBSERVATIONS_MAX} values: take it in parts"))
        } else if BAD_LINES_MAX < bad || exceeds_share(bad, self.file.rows) {
            let example = self.contents.complaints.last();
            let example = example.map_or_else(String::new, |last| {
                format!("; e.g. line {}: {}", last.line, last.reason)
            });
            Err(format!("{bad} of {} lines cannot be used{example}", self.file.rows))
        } else {
            Ok(())
        };
        for slot in std::mem::take(&mut self.file.slots) {
            let from = self.slots[slot].observations.len() - self.slots[slot].lines.len();
            if result.is_err() {
                self.slots[slot].observations.truncate(from);
            } else {
                self.drop_repetitions(slot, from);
            }
            self.slots[slot].lines.clear();
        }
        self.observations = self.slots.iter().map(|slot| slot.observations.len()).sum();
        result
    }

    fn drop_repetitions(&mut self, slot: usize, from: usize) {
        let collected = &mut self.slots[slot];
        let new = &collected.observations[from..];
        let follow = |pair: &[Observation]| pair[0].interval_start < pair[1].interval_start;
        if new.windows(2).all(follow) {
            return;
        }
        let mut first: HashMap<(Timestamp, Timestamp), f64> = HashMap::with_capacity(new.len());
        let mut kept = Vec::with_capacity(new.len());
        let (mut equal, mut contradicting) = (0, Vec::new());
        for (observation, line) in new.iter().zip(&collected.lines) {
            let when = (observation.interval_start, observation.published_at);
            match first.get(&when) {
                None => {
                    first.insert(when, observation.value);
                    kept.push(*observation);
                }
                Some(value) if value.to_bits() == observation.value.to_bits() => equal += 1,
                Some(value) => contradicting.push((*line, when.0, *value, observation.value)),
            }
        }
        collected.observations.truncate(from);
        collected.observations.extend(kept);
        let key = collected.key.clone();
        if 0 < equal {
            self.drift("rows that say the same twice".to_owned());
        }
        for (line, start, value, other) in contradicting {
            let key = key.to_string();
            let key = shortened(&key);
            self.remark(line, format!("{key}, {start}: {other}, after a row that says {value}"));
        }
    }

    /// Returns everything that was collected.
    pub(super) fn finish(mut self) -> Contents {
        if 0 < self.complaints_left_out {
            let more = format!("and {} more", self.complaints_left_out);
            self.contents.complaints.push(Complaint {
                file: self.file.name,
                line: 0,
                reason: more,
            });
        }
        let collected = self.slots.into_iter().filter(|slot| !slot.observations.is_empty());
        self.contents.observations = collected.map(|slot| (slot.key, slot.observations)).collect();
        self.contents
    }
}

fn exceeds_share(bad: usize, rows: usize) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "files have far fewer than 2^53 lines")]
    let (bad, rows) = (bad as f64, rows as f64);
    rows * BAD_LINES_SHARE_MAX < bad
}
