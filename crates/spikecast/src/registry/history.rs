//! Who spoke since when: events in the order in which they were noted, and what follows from them.
//!
//! Pure. Every event has the instant from which on it counts. What is known at an instant follows
//! from the events that count by then, so that a clock that is turned back finds the model of its
//! day, and never one from its future.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::version::Version;

/// All events of a registry; the shape of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    events: Vec<Event>,
}

/// Something that happened to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// From when on it counts.
    pub at: Timestamp,
    /// The model.
    pub version: Version,
    /// What happened to it.
    #[serde(flatten)]
    pub what: What,
    /// Why, in words.
    pub reason: String,
}

/// What can happen to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// It speaks from now on.
    Promoted {
        /// Who decided that.
        by: Who,
    },
    /// It was trained and may not speak.
    Refused {
        /// The model that goes on speaking.
        current: Version,
    },
    /// It speaks again, in place of one that was not trusted any more.
    RolledBackTo {
        /// The model that does not speak any more.
        from: Version,
    },
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The rule of promotion.
    Rule,
    /// Somebody, by a command.
    Person,
}

/// What a model is at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelState {
    /// It was trained and never spoke.
    Candidate,
    /// It speaks.
    Current,
    /// It spoke before.
    Retired,
    /// It spoke before, and somebody took the floor from it.
    RolledBack,
}

impl ModelState {
    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Current => "current",
            Self::Retired => "retired",
            Self::RolledBack => "rolled back",
        }
    }
}

/// How things stand at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The models that spoke, the current one last; those that were rolled back are gone.
    succession: Vec<Version>,
    spoke: BTreeSet<Version>,
    rolled_back: BTreeSet<Version>,
}

impl History {
    /// Returns the events in the order in which they were noted.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Notes an event.
    pub fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Returns the first event of a model: what was decided about it when it was trained.
    #[must_use]
    pub fn judgement_of(&self, version: Version) -> Option<&Event> {
        self.events.iter().find(|event| event.version == version)
    }

    /// Returns how things stand at an instant.
    #[must_use]
    pub fn standing_at(&self, instant: Timestamp) -> Standing {
        let mut known: Vec<&Event> = self.events.iter().filter(|it| it.at <= instant).collect();
        // Stable: of events with the same instant the one noted later counts.
        known.sort_by_key(|event| event.at);
        let mut standing = Standing::default();
        for event in known {
            standing.follow(event);
        }
        standing
    }
}

impl Standing {
    fn follow(&mut self, event: &Event) {
        match event.what {
            What::Refused { .. } => return,
            What::Promoted { .. } => {
                self.succession.retain(|version| *version != event.version);
                self.succession.push(event.version);
            }
            What::RolledBackTo { from } => {
                self.rolled_back.insert(from);
                self.succession.retain(|version| *version != from);
                match self.succession.iter().position(|version| *version == event.version) {
                    Some(position) => self.succession.truncate(position + 1),
                    None => self.succession.push(event.version),
                }
            }
        }
        self.spoke.insert(event.version);
        self.rolled_back.remove(&event.version);
    }

    /// Returns the model that speaks.
    #[must_use]
    pub fn current(&self) -> Option<Version> {
        self.succession.last().copied()
    }

    /// Returns the models that spoke before the current one, the last of them first.
    pub fn former(&self) -> impl Iterator<Item = Version> + '_ {
        self.succession.iter().rev().skip(1).copied()
    }

    /// Says whether somebody took the floor from this model.
    #[must_use]
    pub fn is_rolled_back(&self, version: Version) -> bool {
        self.rolled_back.contains(&version)
    }

    /// Returns what a model is.
    #[must_use]
    pub fn state_of(&self, version: Version) -> ModelState {
        if self.current() == Some(version) {
            ModelState::Current
        } else if self.is_rolled_back(version) {
            ModelState::RolledBack
        } else if self.spoke.contains(&version) {
            ModelState::Retired
        } else {
            ModelState::Candidate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(patch: u32) -> Version {
        format!("1.0.{patch}").parse().unwrap()
    }

    fn on(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400).unwrap()
    }

    fn history(events: &[(i64, u32, What)]) -> History {
        let mut history = History::default();
        for (day, patch, what) in events {
            let (at, version) = (on(*day), version(*patch));
            history.note(Event { at, version, what: *what, reason: String::new() });
        }
        history
    }

    const PROMOTED: What = What::Promoted { by: Who::Rule };

    fn check(standing: &Standing, current: Option<u32>, former: &[u32]) {
        assert_eq!(standing.current(), current.map(version));
        assert_eq!(
            standing.former().collect::<Vec<_>>(),
            former.iter().map(|patch| version(*patch)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_model_of_a_day_is_the_last_one_promoted_by_then() {
        let refused = What::Refused { current: version(1) };
        let history = history(&[(10, 0, PROMOTED), (12, 1, PROMOTED), (14, 2, refused)]);
        check(&history.standing_at(on(9)), None, &[]);
        check(&history.standing_at(on(10)), Some(0), &[]);
        check(&history.standing_at(on(11)), Some(0), &[]);
        check(&history.standing_at(on(14)), Some(1), &[0]);
        let standing = history.standing_at(on(20));
        let states = [0, 1, 2].map(|patch| standing.state_of(version(patch)));
        assert_eq!(states, [ModelState::Retired, ModelState::Current, ModelState::Candidate]);
    }

    #[test]
    fn what_a_turned_back_clock_trains_speaks_in_its_past_only() {
        // The last event was noted later and counts from an earlier day.
        let history = history(&[(10, 0, PROMOTED), (12, 1, PROMOTED), (5, 2, PROMOTED)]);
        check(&history.standing_at(on(7)), Some(2), &[]);
        check(&history.standing_at(on(13)), Some(1), &[0, 2]);
    }

    #[test]
    fn one_rollback_after_another_goes_further_back() {
        let back = |from| What::RolledBackTo { from: version(from) };
        let mut history = history(&[(1, 0, PROMOTED), (2, 1, PROMOTED), (3, 2, PROMOTED)]);
        let note = |history: &mut History, day, patch, what| {
            let (at, version) = (on(day), version(patch));
            history.note(Event { at, version, what, reason: String::new() });
        };
        note(&mut history, 4, 1, back(2));
        check(&history.standing_at(on(4)), Some(1), &[0]);
        note(&mut history, 5, 0, back(1));
        let standing = history.standing_at(on(5));
        check(&standing, Some(0), &[]);
        assert!(standing.is_rolled_back(version(1)) && standing.is_rolled_back(version(2)));
        assert_eq!(standing.state_of(version(2)), ModelState::RolledBack);
        // Somebody trusts it again.
        note(&mut history, 6, 2, What::Promoted { by: Who::Person });
        let standing = history.standing_at(on(6));
        check(&standing, Some(2), &[0]);
        assert!(!standing.is_rolled_back(version(2)) && standing.is_rolled_back(version(1)));
    }

    #[test]
    fn a_rollback_to_a_model_that_never_spoke_lets_it_speak() {
        let back = What::RolledBackTo { from: version(1) };
        let history = history(&[(1, 0, PROMOTED), (2, 1, PROMOTED), (3, 7, back)]);
        check(&history.standing_at(on(3)), Some(7), &[0]);
    }
}
