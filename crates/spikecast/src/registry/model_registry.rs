//! The registry of one source and scope: registers models, has them judged, says who speaks.
//!
//! Writers take turns by a lock, which the system frees when a process dies; readers need none,
//! because models and history are replaced as a whole. A writer that dies between the two leaves a
//! model that nobody judged; whoever does its work again finds the same model and goes on.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use forecast::model::{FittedModel, ModelCard, SavedModelError};
use jiff::Timestamp;
use market::table::{WriteError, write_atomically};
use market::time::display;

use super::error::RegistryError;
use super::files::{ModelEntry, entry, fingerprint, list, load, load_card};
use super::history::{Event, History, Standing, What, Who};
use super::history_file;
use super::past_models::PastModels;
use super::promotion::{Current, Decision, decide};
use super::version::{Difference, Version};

/// The models that were trained on one source for one scope: settlement points and thresholds.
#[derive(Clone, Debug)]
pub struct ModelRegistry {
    folder: PathBuf,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It speaks.
    Promoted {
        /// Which model spoke before.
        replaces: Option<Version>,
    },
    /// Another one goes on speaking.
    Refused {
        /// That one.
        current: ModelEntry,
        /// Why, in words.
        reason: String,
    },
}

impl ModelRegistry {
    /// Names the registry in a folder, which need not exist yet.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the models of days that are forecast afterwards.
    #[must_use]
    pub fn past_models(&self) -> PastModels {
        PastModels::in_folder(self.folder.join("past"))
    }

    /// Lists the registered models by version.
    pub fn entries(&self) -> Result<Vec<ModelEntry>, RegistryError> {
        Ok(list(&self.folder)?.entries)
    }

    /// Lists the files of models of former programs, which had no numbers and are not used.
    pub fn unnumbered(&self) -> Result<Vec<PathBuf>, RegistryError> {
        Ok(list(&self.folder)?.unnumbered)
    }

    /// Returns a registered model.
    pub fn find(&self, version: Version) -> Result<ModelEntry, RegistryError> {
        let found = self.entries()?.into_iter().find(|entry| entry.version == version);
        found.ok_or(RegistryError::NoSuchModel(version))
    }

    /// Returns what happened to the models.
    pub fn history(&self) -> Result<History, RegistryError> {
        history_file::read(&self.history_path())
    }

    /// Returns the model that speaks at an instant, as far as its file is there: a forecast whose
    /// clock was turned back must not use a model from its future.
    pub fn current_at(&self, instant: Timestamp) -> Result<Option<ModelEntry>, RegistryError> {
        let current = self.history()?.standing_at(instant).current();
        let is_current = |entry: &ModelEntry| Some(entry.version) == current;
        Ok(self.known_at(instant)?.into_iter().find(is_current))
    }

    /// Lists the models trained at or before an instant, newest first.
    pub fn known_at(&self, instant: Timestamp) -> Result<Vec<ModelEntry>, RegistryError> {
        let mut known = self.entries()?;
        known.retain(|entry| entry.trained_at <= instant);
        known.sort_by_key(|entry| std::cmp::Reverse((entry.trained_at, entry.version)));
        Ok(known)
    }

    /// Lists the models known at an instant in the order in which they are to be tried: the current
    /// one, those that spoke before it, others from the newest on, those rolled back at last. Where
    /// the history cannot be used, only their age counts.
    pub fn ladder_at(&self, instant: Timestamp) -> Result<Vec<ModelEntry>, RegistryError> {
        let standing = match self.history() {
            Ok(history) => history.standing_at(instant),
            Err(RegistryError::HistoryDamaged { .. } | RegistryError::HistoryNewer { .. }) => {
                Standing::default()
            }
            Err(error) => return Err(error),
        };
        let spoke: Vec<Version> = standing.current().into_iter().chain(standing.former()).collect();
        let mut known = self.known_at(instant)?;
        known.sort_by_key(|entry| {
            let place = spoke.iter().position(|version| *version == entry.version);
            (place.unwrap_or(spoke.len()), standing.is_rolled_back(entry.version))
        });
        Ok(known)
    }

    /// Registers a model under the next number; the same model again keeps its number.
    pub fn register(
        &self,
        model: &FittedModel,
        trained_at: Timestamp,
    ) -> Result<ModelEntry, RegistryError> {
        let _turn = self.lock()?;
        let bytes = model.to_bytes();
        let fingerprint = fingerprint(&bytes);
        let entries = self.entries()?;
        let same = entries
            .iter()
            .find(|entry| entry.trained_at == trained_at && entry.fingerprint == fingerprint);
        let version = same.map_or_else(|| next_version(&entries, model), |entry| entry.version);
        let entry = entry(&self.folder, version, trained_at, fingerprint);
        write_atomically(&entry.path, |out| out.write_all(&bytes))?;
        Ok(entry)
    }

    /// Has a registered candidate judged, once: whoever asks again gets the same answer, as long as
    /// the model that speaks instead can be used.
    pub fn judge(&self, candidate: &ModelEntry, at: Timestamp) -> Result<Judgement, RegistryError> {
        let _turn = self.lock()?;
        let mut history = self.history()?;
        let standing = history.standing_at(at);
        let entries = self.entries()?;
        let find = |version| entries.iter().find(|entry| entry.version == version);
        let spoke = standing.current();
        let card = spoke.map(|version| usable_card(find(version)));
        let earlier = history.judgement_of(candidate.version).map(|event| event.reason.clone());
        let stands =
            earlier.is_some() && (spoke == Some(candidate.version) || matches!(card, Some(Ok(_))));
        if !stands && !standing.is_rolled_back(candidate.version) {
            let current = match (spoke, &card) {
                (Some(version), Some(Ok(card))) => Current::Speaks(version, card),
                (Some(version), Some(Err(why))) => Current::Unusable(version, why),
                (_, _) => Current::Nobody,
            };
            let decision = decide(current, &load_card(&candidate.path)?);
            history.note(event_of(decision, candidate.version, at));
            history_file::write(&self.history_path(), &history)?;
        }
        let standing = history.standing_at(at);
        let last = history.events().iter().rev().find(|event| event.version == candidate.version);
        let reason = last.map_or_else(String::new, |event| event.reason.clone());
        match standing.current() {
            Some(version) if version == candidate.version => {
                Ok(Judgement::Promoted { replaces: standing.former().next() })
            }
            Some(version) => {
                let current = find(version).cloned().ok_or(RegistryError::NoSuchModel(version))?;
                Ok(Judgement::Refused { current, reason })
            }
            None => Err(RegistryError::NoCurrentModel),
        }
    }

    /// Lets a model speak from an instant on because somebody wants it to.
    pub fn promote(
        &self,
        version: Version,
        at: Timestamp,
        reason: &str,
    ) -> Result<ModelEntry, RegistryError> {
        let _turn = self.lock()?;
        let mut history = self.history()?;
        if history.standing_at(at).current() == Some(version) {
            return Err(RegistryError::IsCurrent(version));
        }
        let entry = self.fit_to_speak(version, at)?;
        let (what, reason) = (What::Promoted { by: Who::Person }, reason.to_owned());
        history.note(Event { at, version, what, reason });
        history_file::write(&self.history_path(), &history)?;
        Ok(entry)
    }

    /// Lets a former model speak again from an instant on: the one before the current one, or the
    /// one that is named. Returns the current one and that one.
    pub fn roll_back(
        &self,
        to: Option<Version>,
        at: Timestamp,
        reason: &str,
    ) -> Result<(Version, ModelEntry), RegistryError> {
        let _turn = self.lock()?;
        let mut history = self.history()?;
        let standing = history.standing_at(at);
        let from = standing.current().ok_or(RegistryError::NoCurrentModel)?;
        let version = match to.or_else(|| standing.former().next()) {
            Some(version) if version == from => return Err(RegistryError::IsCurrent(version)),
            Some(version) => version,
            None => return Err(RegistryError::NoFormerModel(from)),
        };
        let entry = self.fit_to_speak(version, at)?;
        let (what, reason) = (What::RolledBackTo { from }, reason.to_owned());
        history.note(Event { at, version, what, reason });
        history_file::write(&self.history_path(), &history)?;
        Ok((from, entry))
    }

    fn fit_to_speak(&self, version: Version, at: Timestamp) -> Result<ModelEntry, RegistryError> {
        let entry = self.find(version)?;
        if at < entry.trained_at {
            let trained_at = display(entry.trained_at);
            return Err(RegistryError::FromTheFuture { version, trained_at });
        }
        load(&entry.path)?;
        Ok(entry)
    }

    fn history_path(&self) -> PathBuf {
        self.folder.join("history")
    }

    /// Waits for its turn, which lasts until the file is dropped.
    fn lock(&self) -> Result<File, RegistryError> {
        let path = self.folder.join("lock");
        let lock = || -> io::Result<File> {
            fs::create_dir_all(&self.folder)?;
            let file = File::options().write(true).create(true).truncate(false).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        Ok(lock().map_err(|cause| WriteError::from_io(&path, cause))?)
    }
}

/// Returns the card of the model that speaks, if this program can use it; else why not.
fn usable_card(entry: Option<&ModelEntry>) -> Result<ModelCard, String> {
    let Some(entry) = entry else { return Err("its file is gone".to_owned()) };
    match load(&entry.path) {
        Ok(model) => Ok(model.card()),
        Err(error) => Err(format!("{:#}", anyhow::Error::from(error))),
    }
}

fn event_of(decision: Decision, version: Version, at: Timestamp) -> Event {
    let (what, grounds) = match decision {
        Decision::Promote(grounds) => (What::Promoted { by: Who::Rule }, grounds),
        Decision::Keep { current, grounds } => (What::Refused { current }, grounds),
    };
    Event { at, version, what, reason: grounds.to_string() }
}

/// Returns the number of a model that is not registered yet.
fn next_version(entries: &[ModelEntry], model: &FittedModel) -> Version {
    let Some(highest) = entries.last() else { return Version::FIRST };
    let difference = |entry: &ModelEntry| match load_card(&entry.path) {
        Ok(card) => Some(Difference::between(&card.lineage, model.lineage())),
        Err(RegistryError::NotUsable {
            cause: SavedModelError::Older(_) | SavedModelError::Newer(_),
            ..
        }) => Some(Difference::Features),
        // Nothing is known of a damaged one; the one before it tells as much.
        Err(_) => None,
    };
    let differences = entries.iter().rev().find_map(difference);
    highest.version.next(differences.unwrap_or(Difference::Features))
}
