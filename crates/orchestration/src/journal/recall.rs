//! What earlier runs teach later ones: outputs that are still fresh, and how long stages take.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::Value;

use super::reader::is_sum;
use super::shapes::{self, ShapeError};
use super::{JournalError, JournalReader, format};
use crate::run::{Recalled, RunId};

/// The newest completion with a memo key that nothing degraded.
const SQL_RECALL: &str = "\
SELECT run_id, sequence, at, body, checksum FROM events
WHERE memo = ?1 AND ?2 <= at AND kind = 'stage_completed'
  AND json_array_length(body, '$.degraded') = 0
  AND run_id NOT IN (SELECT run_id FROM removals)
ORDER BY at DESC LIMIT 1";

/// Starts and completions of the latest runs of a pipeline that are finished; a fan-out counts from
/// its opening, and its items do not.
const SQL_ATTEMPTS: &str = "\
SELECT run_id, kind, at, body ->> '$.stage' FROM events
WHERE (kind IN ('fan_out_opened', 'fan_out_joined')
    OR kind IN ('attempt_started', 'stage_completed') AND body ->> '$.stage' NOT LIKE '%]')
  AND run_id IN (
  SELECT id FROM runs WHERE pipeline = ?1
    AND id NOT IN (SELECT run_id FROM removals)
    AND EXISTS (SELECT 1 FROM events
      WHERE run_id = id AND kind IN ('run_finished', 'run_cancelled') AND kind = 'run_finished')
  ORDER BY id DESC LIMIT ?2)
ORDER BY run_id, sequence";

/// What is needed of the body of a completion.
#[derive(Deserialize)]
struct CompletionShape {
    output: Value,
}

impl JournalReader {
    /// Returns the newest output that was completed with this memo key, is fresh in every respect,
    /// and is not older than `not_before`.
    pub fn recall(
        &self,
        memo: &str,
        not_before: Timestamp,
    ) -> Result<Option<Recalled>, JournalError> {
        self.at_one_instant(|connection| {
            let mut query = connection.prepare_cached(SQL_RECALL)?;
            let row: Option<(i64, i64, String, String, Option<i64>)> = query
                .query_row((memo, format::write_instant(not_before)), |row| row.try_into())
                .optional()?;
            let Some((run_id, sequence, at, body, checksum)) = row else { return Ok(None) };
            let damaged = |error: ShapeError| self.damaged(RunId(run_id), &error);
            if !is_sum(checksum, &[run_id, sequence], &[&at, &body]) {
                let detail = format!("event {sequence} has changed");
                return Err(damaged(ShapeError::new(detail)).into());
            }
            let CompletionShape { output } =
                serde_json::from_str(&body).map_err(ShapeError::new).map_err(damaged)?;
            let completed_at = shapes::read_instant(&at).map_err(damaged)?;
            Ok(Some(Recalled { from: RunId(run_id), completed_at, output }))
        })
    }

    /// Returns how long each stage of a pipeline takes: the 95th percentile, by nearest rank (the
    /// smallest duration that at least 95 % do not exceed), of its successful attempts in the
    /// latest `runs_max` runs that finished. A fan-out takes from its first item to its last.
    ///
    /// A stage that never completed in them, or without an attempt, is not there.
    pub fn stage_durations(
        &self,
        pipeline: &str,
        runs_max: u32,
    ) -> Result<BTreeMap<String, SignedDuration>, JournalError> {
        let mut durations: BTreeMap<String, Vec<SignedDuration>> = BTreeMap::new();
        self.at_one_instant(|connection| {
            let mut query = connection.prepare_cached(SQL_ATTEMPTS)?;
            let mut rows = query.query((pipeline, runs_max))?;
            // A stage has one living attempt at most.
            let mut started: BTreeMap<String, Timestamp> = BTreeMap::new();
            let mut run_before = None;
            while let Some(row) = rows.next()? {
                let (run_id, kind, at, stage): (i64, String, String, String) = row.try_into()?;
                if run_before.replace(run_id) != Some(run_id) {
                    started.clear();
                }
                let at = shapes::read_instant(&at)
                    .map_err(|error| self.damaged(RunId(run_id), &error))?;
                if matches!(kind.as_str(), "attempt_started" | "fan_out_opened") {
                    started.insert(stage, at);
                } else if let Some(begun) = started.remove(&stage) {
                    durations.entry(stage).or_default().push(at - begun);
                }
            }
            Ok(())
        })?;
        Ok(durations.into_iter().filter_map(|(stage, all)| Some((stage, p95(all)?))).collect())
    }
}

/// Returns the 95th percentile by nearest rank.
fn p95(mut durations: Vec<SignedDuration>) -> Option<SignedDuration> {
    durations.sort_unstable();
    let rank = (durations.len() * 95).div_ceil(100);
    durations.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_95th_percentile_is_one_of_the_durations() {
        let check = |count: i64, expected: Option<i64>| {
            let durations = (1..=count).rev().map(SignedDuration::from_secs).collect();
            assert_eq!(p95(durations), expected.map(SignedDuration::from_secs));
        };
        check(0, None);
        check(1, Some(1));
        check(19, Some(19));
        check(20, Some(19));
        check(100, Some(95));
        check(101, Some(96));
    }
}
