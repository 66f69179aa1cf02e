//! Remembers which state of the user's files was imported, so that nothing is imported twice, and
//! tells what importing again would change.

use std::collections::{BTreeMap, BTreeSet};

use super::Archive;
use super::commit::whole_second_after;
use super::error::ArchiveError;
use crate::observation::{Observation, SeriesKey};

impl Archive {
    /// Returns the fingerprint under which `name` was imported last.
    #[must_use]
    pub fn imported(&self, name: &str) -> Option<String> {
        self.state().imports.get(name).cloned()
    }

    /// Tells whether replacing what was imported of a series under a name would change or remove
    /// anything that it states now, rather than only add to it.
    pub fn would_correct(
        &self,
        key: &SeriesKey,
        import: &str,
        observations: &[Observation],
    ) -> Result<bool, ArchiveError> {
        let stated =
            |o: &Observation| (o.interval_start.as_second(), whole_second_after(o.published_at));
        let mut latest = BTreeMap::new();
        for observation in observations {
            latest.insert(stated(observation), observation.value.to_bits());
        }
        let latest: BTreeSet<_> = latest.into_iter().collect();
        let state = self.state();
        for part in state.parts_at(key) {
            if part.import.as_deref() != Some(import) {
                continue;
            }
            let mut rows = self.part_rows(&part)?;
            let of_place = rows.remove(key.place.name()).unwrap_or_default();
            if of_place.iter().any(|row| !latest.contains(&(row.vintage(), row.value.to_bits()))) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
