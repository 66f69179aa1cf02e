//! The highest probabilities of a forecast: what fits into a message. Pure.

use std::collections::BTreeMap;

use market::time::MarketHour;

use super::Peak;
use super::message::{day, dollars, hour_ending, percent};
use crate::ledger::ForecastRow;

/// So many settlement points are told of in words; a card with more is not read. Receivers of the
/// generic webhook get them all.
const POINTS_TOLD_MAX: usize = 10;

/// Returns the highest probability of each settlement point and threshold, in that order; of equal
/// ones the earliest hour.
#[must_use]
pub fn peaks(rows: &[ForecastRow]) -> Vec<Peak> {
    let mut highest: BTreeMap<(&str, u64), &ForecastRow> = BTreeMap::new();
    for row in rows {
        // Thresholds are above zero, where the order of their bits is the order of the prices.
        let key = (row.settlement_point.name(), row.threshold.value().to_bits());
        let place = highest.entry(key).or_insert(row);
        let is_higher = place.prediction.probability < row.prediction.probability;
        let is_earlier = row.target.hour.start < place.target.hour.start;
        let is_equal = place.prediction.probability.total_cmp(&row.prediction.probability).is_eq();
        if is_higher || (is_equal && is_earlier) {
            *place = row;
        }
    }
    let peak = |row: &ForecastRow| Peak {
        settlement_point: row.settlement_point.name().to_owned(),
        threshold: row.threshold.value(),
        probability: row.prediction.probability,
        target_start: row.target.hour.start,
    };
    highest.into_values().map(peak).collect()
}

/// Returns a fact for each settlement point, the riskiest first: the one with the highest
/// probability at the lowest threshold, which says most about the day.
pub(super) fn facts(peaks: &[Peak]) -> Vec<(String, String)> {
    let mut points: BTreeMap<&str, Vec<&Peak>> = BTreeMap::new();
    for peak in peaks {
        points.entry(&peak.settlement_point).or_default().push(peak);
    }
    let mut points: Vec<(&str, Vec<&Peak>)> = points.into_iter().collect();
    for (_, peaks) in &mut points {
        peaks.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
    }
    points.sort_by(|(_, a), (_, b)| b[0].probability.total_cmp(&a[0].probability));
    let left_out = points.len().saturating_sub(POINTS_TOLD_MAX);
    points.truncate(POINTS_TOLD_MAX);
    let words = |(point, peaks): (&str, Vec<&Peak>)| {
        let peaks: Vec<String> = peaks.into_iter().map(in_words).collect();
        (point.to_owned(), peaks.join(", "))
    };
    let mut facts: Vec<(String, String)> = points.into_iter().map(words).collect();
    if 0 < left_out {
        facts.push(("Less risky".to_owned(), format!("{left_out} more settlement points")));
    }
    facts
}

fn in_words(peak: &Peak) -> String {
    format!(
        "above {} {} ({} {})",
        dollars(peak.threshold),
        percent(peak.probability),
        day(MarketHour::starting(peak.target_start).operating_day.date()),
        hour_ending(peak.target_start)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample::{at, row};

    #[test]
    fn each_point_and_threshold_has_its_highest_hour_and_of_equal_ones_the_earliest() {
        let rows = [
            row("HB_WEST", "2026-03-08T23:00Z", 1_000.0, 0.02),
            row("HB_WEST", "2026-03-09T23:00Z", 50.0, 0.4),
            row("HB_WEST", "2026-03-08T23:00Z", 50.0, 0.4),
            row("HB_WEST", "2026-03-08T22:00Z", 50.0, 0.39),
            row("HB_NORTH", "2026-03-08T22:00Z", 50.0, 0.1),
        ];
        let found = peaks(&rows);
        let told: Vec<_> = found
            .iter()
            .map(|p| (p.settlement_point.as_str(), p.threshold, p.probability, p.target_start))
            .collect();
        assert_eq!(
            told,
            [
                ("HB_NORTH", 50.0, 0.1, at("2026-03-08T22:00Z")),
                ("HB_WEST", 50.0, 0.4, at("2026-03-08T23:00Z")),
                ("HB_WEST", 1_000.0, 0.02, at("2026-03-08T23:00Z")),
            ]
        );
        assert_eq!(peaks(&[]), []);
    }

    #[test]
    fn of_many_points_the_riskiest_are_told_and_the_others_counted() {
        let rows: Vec<ForecastRow> = (0..12)
            .map(|n| row(&format!("NODE_{n:02}"), "2026-03-08T22:00Z", 50.0, f64::from(n) / 20.0))
            .collect();
        let facts = facts(&peaks(&rows));
        assert_eq!(facts.len(), POINTS_TOLD_MAX + 1);
        let first = ("NODE_11".to_owned(), "above $50 55 % (Sun 8 Mar HE 18)".to_owned());
        assert_eq!(facts[0], first);
        assert_eq!(facts[10].1, "2 more settlement points");
    }
}
