//! How long runs stay: old ones lose their details and keep one line, in small steps.
//!
//! Only runs that are over are touched, the one that ended first before all others. Time is never
//! read here: it comes with the submission or with the event that ends a run.

use std::sync::{Mutex, TryLockError};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::error::Refusal;
use super::past::End;
use super::pen::Pen;
use super::{JournalError, format};
use crate::run::RunId;

/// One transaction removes so many events at most, so that nobody who waits to write waits long.
const EVENTS_PER_STEP_MAX: usize = 1_000;

/// One occasion takes so many transactions at most; the next one goes on.
const STEPS_PER_OCCASION_MAX: usize = 16;

/// So many free pages may stay in the file: the next run fills them again.
const FREE_PAGES_KEPT: i64 = 64;

/// One transaction gives back so many pages at most.
const PAGES_PER_STEP_MAX: u32 = 256;

/// So many runs keep their line. When there are more, the oldest lines go; a run that has lost its
/// line is forgotten, and submitting it once more runs it again.
pub const PAST_RUNS_MAX: u32 = 100_000;

const SQL_REMOVAL: &str = "SELECT run_id FROM removals ORDER BY run_id LIMIT 1";

const SQL_OLDEST_END: &str = "\
SELECT run_id, at, body FROM events WHERE kind IN ('run_finished', 'run_cancelled')
AND run_id NOT IN (SELECT run_id FROM removals) ORDER BY at, run_id LIMIT 1";

/// From the first event on, so that the one that ends the run goes last: a run that has lost it
/// would look unfinished.
const SQL_REMOVE_EVENTS: &str = "\
DELETE FROM events WHERE run_id = ?1 AND sequence IN (
  SELECT sequence FROM events WHERE run_id = ?1 ORDER BY sequence LIMIT ?2)";

const SQL_FORGET: &str = "\
DELETE FROM past_runs WHERE id NOT IN (SELECT run_id FROM removals)
AND id <= (SELECT id FROM past_runs ORDER BY id DESC LIMIT 1 OFFSET ?1)";

/// How long runs keep their details, and how large a journal may become.
///
/// A run that is over loses its details when either limit is passed, and keeps one line in the list
/// of runs ([`PAST_RUNS_MAX`]). A run that is not over is never touched, so a journal full of those
/// can pass the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// From the end of the run.
    pub keep_for: SignedDuration,
    /// Without what is free inside of the file, and without the write-ahead log.
    pub size_max_bytes: u64,
}

impl Default for Retention {
    /// 90 days and 1 GiB.
    fn default() -> Self {
        Self { keep_for: SignedDuration::from_hours(90 * 24), size_max_bytes: 1 << 30 }
    }
}

/// Applies a [`Retention`].
#[derive(Debug)]
pub(super) struct Keeper {
    retention: Retention,
    past_runs_max: u32,
    /// One thread at a time; whoever comes meanwhile leaves it to that one.
    turn: Mutex<()>,
}

impl Keeper {
    /// Keeps so many lines of past runs, as [`PAST_RUNS_MAX`].
    pub(super) fn remembering(retention: Retention, past_runs_max: u32) -> Self {
        Self { retention, past_runs_max, turn: Mutex::new(()) }
    }

    /// Removes what must go; without `now`, what is too old is not known.
    pub(super) fn keep(&self, pen: &Pen, now: Option<Timestamp>) {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        // Nobody asked for this, and nothing is lost if it does not succeed now.
        if let Err(error) = self.remove_all(pen, now) {
            pen.complain(error);
        }
    }

    fn remove_all(&self, pen: &Pen, now: Option<Timestamp>) -> Result<(), JournalError> {
        let cutoff = now
            .map(|now| now.saturating_sub(self.retention.keep_for).unwrap_or(Timestamp::MIN))
            .map(format::write_instant);
        let mut removed = 0;
        for _ in 0..STEPS_PER_OCCASION_MAX {
            if !self.is_due(pen, cutoff.as_deref())? {
                break;
            }
            removed += pen.transact(|transaction| self.step(transaction, cutoff.as_deref()))?;
        }
        if 0 < removed {
            pen.transact(|transaction| Ok(transaction.execute(SQL_FORGET, [self.past_runs_max])?))?;
        }
        Ok(())
    }

    /// Looks whether there is something to do, which costs no transaction.
    fn is_due(&self, pen: &Pen, cutoff: Option<&str>) -> Result<bool, JournalError> {
        let connection = pen.connection();
        let look = || -> Result<bool, Refusal> {
            let removal: Option<i64> = connection
                .prepare_cached(SQL_REMOVAL)?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(removal.is_some()
                || self.next(&connection, cutoff)?.is_some()
                || FREE_PAGES_KEPT < read_pragma(&connection, "freelist_count")?)
        };
        look().map_err(|refusal| refusal.at(pen.path()))
    }

    /// Returns the run that must go next.
    fn next(&self, connection: &Connection, cutoff: Option<&str>) -> Result<Option<End>, Refusal> {
        let is_large = self.retention.size_max_bytes < bytes_used(connection)?;
        if !is_large && cutoff.is_none() {
            return Ok(None);
        }
        let oldest = connection
            .prepare_cached(SQL_OLDEST_END)?
            .query_row([], |row| {
                Ok(End { run_id: RunId(row.get(0)?), at: row.get(1)?, body: row.get(2)? })
            })
            .optional()?;
        let is_old = |end: &End| cutoff.is_some_and(|cutoff| end.at.as_str() < cutoff);
        Ok(oldest.filter(|end| is_large || is_old(end)))
    }

    /// Removes some events, or gives pages back; returns how many runs lost their details.
    fn step(&self, transaction: &Transaction<'_>, cutoff: Option<&str>) -> Result<usize, Refusal> {
        let (mut budget, mut runs) = (EVENTS_PER_STEP_MAX, 0);
        while 0 < budget {
            let begun: Option<i64> = transaction
                .prepare_cached(SQL_REMOVAL)?
                .query_row([], |row| row.get(0))
                .optional()?;
            let run_id = match begun {
                Some(id) => id,
                None => match self.next(transaction, cutoff)? {
                    Some(end) => {
                        end.keep_line(transaction)?;
                        runs += 1;
                        end.run_id.0
                    }
                    None => break,
                },
            };
            let removed = transaction
                .prepare_cached(SQL_REMOVE_EVENTS)?
                .execute(params![run_id, i64::try_from(budget).unwrap_or(i64::MAX)])?;
            if removed < budget {
                transaction.execute("DELETE FROM removals WHERE run_id = ?1", [run_id])?;
                transaction.execute("DELETE FROM runs WHERE id = ?1", [run_id])?;
            }
            // A run without many events costs something too.
            budget = budget.saturating_sub(removed + 1);
        }
        give_pages_back(transaction)?;
        Ok(runs)
    }
}

fn bytes_used(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let pages = read_pragma(connection, "page_count")? - read_pragma(connection, "freelist_count")?;
    let bytes = pages * read_pragma(connection, "page_size")?;
    Ok(bytes.unsigned_abs())
}

fn read_pragma(connection: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    connection.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get(0))
}

fn give_pages_back(connection: &Connection) -> Result<(), rusqlite::Error> {
    let mut vacuum =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES_PER_STEP_MAX})"))?;
    let mut steps = vacuum.query([])?;
    // Each step gives one page back.
    while steps.next()?.is_some() {}
    Ok(())
}
