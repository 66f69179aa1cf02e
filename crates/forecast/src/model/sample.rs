//! Which past examples a threshold learns from, and with what weight.
//!
//! All exceedances are kept and enough of the rest; what is thinned out is made up for by
//! weight. Which rows stay depends on their own content only, not on what else is there.

use std::collections::HashMap;

use jiff::Timestamp;
use market::units::DollarsPerMwh;
use twox_hash::XxHash64;

use crate::features::Example;
use crate::target::HourOutcome;

/// A past example with what happened.
#[derive(Clone, Copy, Debug)]
pub struct LabelledExample<'a> {
    /// When the example was described.
    pub issue_time: Timestamp,
    /// What was known then.
    pub example: &'a Example,
    /// What happened, as known at the time of training.
    pub outcome: HourOutcome,
}

/// One row that a threshold learns from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    /// Its place among the labelled examples.
    pub(super) row: usize,
    pub(super) exceeded: bool,
    pub(super) weight: f64,
}

/// Returns what each row weighs beside those of other settlement points that were issued together
/// about the same hour: they all tell much the same, so together they weigh as one. A row of which
/// nobody knows what happened takes no weight from the others.
pub(super) fn hour_shares(rows: &[LabelledExample<'_>]) -> Vec<f64> {
    let hour = |row: &LabelledExample<'_>| (row.issue_time, row.example.target.hour.start);
    let mut rows_of_hour: HashMap<(Timestamp, Timestamp), u32> = HashMap::new();
    for row in rows.iter().filter(|row| row.outcome != HourOutcome::Unknown) {
        *rows_of_hour.entry(hour(row)).or_default() += 1;
    }
    let share = |row: &LabelledExample<'_>| {
        rows_of_hour.get(&hour(row)).map_or(0.0, |count| 1.0 / f64::from(*count))
    };
    rows.iter().map(share).collect()
}

/// How rows are thinned and weighed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    pub(super) as_of: Timestamp,
    pub(super) half_life_days: f64,
    pub(super) rows_max: usize,
    pub(super) seed: u64,
}

/// Draws the rows of one threshold; `shares` are those of [`hour_shares`]. Rows whose outcome is unknown take no part.
pub(super) fn draw(
    rows: &[LabelledExample<'_>],
    threshold: DollarsPerMwh,
    sampling: &Sampling,
    shares: &[f64],
) -> Vec<Drawn> {
    let known: Vec<(usize, bool)> = rows
        .iter()
        .enumerate()
        .filter_map(|(row, labelled)| Some((row, labelled.outcome.exceeds(threshold)?)))
        .collect();
    let exceedances = known.iter().filter(|(_, exceeded)| *exceeded).count();
    let quiet = known.len() - exceedances;
    // Beyond a dozen quiet rows for each exceedance further ones teach little.
    let wanted = (12 * exceedances)
        .max(sampling.rows_max / 3)
        .min(sampling.rows_max.saturating_sub(exceedances).max(sampling.rows_max / 4));
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let share = (wanted as f64 / quiet.max(1) as f64).min(1.0);
    let mut drawn = Vec::with_capacity(exceedances + wanted);
    for (row, exceeded) in known {
        let labelled = &rows[row];
        let age = labelled.example.target.hour.start.duration_until(sampling.as_of);
        let recency = (-age.as_secs_f64() / 86_400.0 / sampling.half_life_days).exp2();
        let weight = recency * shares[row];
        if exceeded {
            drawn.push(Drawn { row, exceeded, weight });
        } else if uniform(labelled, sampling.seed) < share {
            drawn.push(Drawn { row, exceeded, weight: weight / share });
        }
    }
    drawn
}

/// Returns a number in [0, 1) that depends on the example's times and the seed only.
fn uniform(labelled: &LabelledExample<'_>, seed: u64) -> f64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&labelled.issue_time.as_second().to_le_bytes());
    let target = labelled.example.target.hour.start.as_second();
    bytes[8..].copy_from_slice(&target.to_le_bytes());
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept on purpose")]
    let share = (XxHash64::oneshot(seed, &bytes) >> 11) as f64 / (1_u64 << 53) as f64;
    share
}
