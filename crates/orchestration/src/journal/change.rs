//! What callers want written, ready for a transaction: a submission, or events of one run.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Refusal;
use super::{JournalError, Submission, checksum};
use crate::run::RunId;

const SQL_UNFINISHED: &str = "\
SELECT id FROM runs WHERE pipeline = ?1 AND key = ?2 AND NOT EXISTS (
  SELECT 1 FROM events WHERE run_id = runs.id AND kind IN ('run_finished', 'run_cancelled'))
ORDER BY id DESC LIMIT 1";

const SQL_FIRST: &str = "\
SELECT min(id) FROM (
  SELECT id FROM past_runs WHERE pipeline = ?1 AND key = ?2
  UNION ALL SELECT id FROM runs WHERE pipeline = ?1 AND key = ?2)";

/// Numbers are not given twice, not even those of runs whose details are gone.
const SQL_NEXT_ID: &str = "\
SELECT 1 + max((SELECT coalesce(max(id), 0) FROM runs), (SELECT coalesce(max(id), 0) FROM past_runs))";

const SQL_SUBMIT: &str = "\
INSERT INTO runs (id, pipeline, key, submitted_at, input, definition, checksum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const SQL_COUNT_NONE: &str = "INSERT INTO event_counts (run_id, count) VALUES (?1, 0)";

const SQL_COUNT: &str = "UPDATE event_counts SET count = ?3 WHERE run_id = ?1 AND count = ?2";

const SQL_APPEND: &str =
    "INSERT INTO events (run_id, sequence, at, body, checksum) VALUES (?1, ?2, ?3, ?4, ?5)";

/// Which earlier run of the same pipeline and key stands for a new submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// The latest one that is not over.
    Unfinished,
    /// The first one, whatever became of it.
    First,
}

/// Something to be written.
#[derive(Debug)]
pub(super) enum Change {
    /// A new run, unless an earlier one stands for it.
    Submit {
        /// Which one would.
        earlier: Earlier,
        /// The pipeline's name, the key, when it was submitted, the input and the definition.
        texts: [String; 5],
    },
    /// Events of one run, behind those that are there.
    Append {
        /// The run.
        run_id: RunId,
        /// How many are there.
        sequence: i64,
        /// The events: when, and the body.
        events: Vec<(String, String)>,
    },
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A run, or none because there is one.
    Submitted(Submission),
    /// Events.
    Appended,
}

impl Change {
    /// Writes the change.
    pub(super) fn write(&self, transaction: &Transaction<'_>) -> Result<Written, Refusal> {
        match self {
            Self::Submit { earlier, texts } => {
                submit(transaction, *earlier, texts).map(Written::Submitted)
            }
            Self::Append { run_id, sequence, events } => {
                append(transaction, *run_id, *sequence, events)?;
                Ok(Written::Appended)
            }
        }
    }
}

fn submit(
    transaction: &Transaction<'_>,
    earlier: Earlier,
    texts: &[String; 5],
) -> Result<Submission, Refusal> {
    let [pipeline, key, submitted_at, input, definition] = texts;
    let sql = match earlier {
        Earlier::Unfinished => SQL_UNFINISHED,
        Earlier::First => SQL_FIRST,
    };
    let found: Option<Option<i64>> =
        transaction.prepare_cached(sql)?.query_row([pipeline, key], |row| row.get(0)).optional()?;
    if let Some(Some(id)) = found {
        return Ok(Submission { run_id: RunId(id), resumed: true });
    }
    let id: i64 = transaction.prepare_cached(SQL_NEXT_ID)?.query_row([], |row| row.get(0))?;
    let checksum = checksum::of_row(&[id], &texts.each_ref().map(String::as_str));
    transaction.prepare_cached(SQL_SUBMIT)?.execute(params![
        id,
        pipeline,
        key,
        submitted_at,
        input,
        definition,
        checksum
    ])?;
    transaction.prepare_cached(SQL_COUNT_NONE)?.execute([id])?;
    Ok(Submission { run_id: RunId(id), resumed: false })
}

fn append(
    transaction: &Transaction<'_>,
    run_id: RunId,
    sequence: i64,
    events: &[(String, String)],
) -> Result<(), Refusal> {
    let mut insert = transaction.prepare_cached(SQL_APPEND)?;
    let mut end = sequence;
    for (at, body) in events {
        let checksum = checksum::of_row(&[run_id.0, end], &[at, body]);
        insert.execute(params![run_id.0, end, at, body, checksum])?;
        end += 1;
    }
    let counted = transaction.prepare_cached(SQL_COUNT)?.execute([run_id.0, sequence, end])?;
    if counted != 1 {
        return Err(JournalError::OutOfOrder { run_id, expected: sequence }.into());
    }
    Ok(())
}
