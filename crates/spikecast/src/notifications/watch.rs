//! Watched points: rules such as `HB_WEST > 200 @ 30%`, and the notices that a forecast raises by
//! them. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use market::place::SettlementPoint;
use market::units::DollarsPerMwh;
use thiserror::Error;

use super::{LikelyHour, Notice, SpikeLikely};
use crate::ledger::ForecastRow;

/// Tell when a price above `threshold` is at least so likely in an hour at a settlement point.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchRule {
    /// Where; `None` for every point that is forecast.
    point: Option<SettlementPoint>,
    threshold: DollarsPerMwh,
    /// As it was written: 30, not the 0.3 that is compared.
    percent: f64,
}

/// Why a text is no rule. Says what is wrong with it; the caller shows the text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WatchRuleError {
    /// The parts are not there.
    #[error("POINT > PRICE @ PERCENT%, e.g. HB_WEST > 200 @ 30%, with * for every point")]
    Shape,
    /// The first part is no settlement point.
    #[error("ERCOT's name of a settlement point, e.g. HB_WEST, or * before the >")]
    Point,
    /// The second part is no price.
    #[error("a price in $/MWh above 0 between > and @, e.g. 200")]
    Threshold,
    /// The third part is no probability.
    #[error("a probability above 0% and at most 100% behind the @, e.g. 30%")]
    Percent,
}

impl FromStr for WatchRule {
    type Err = WatchRuleError;

    fn from_str(text: &str) -> Result<Self, WatchRuleError> {
        let (point, rest) = text.split_once('>').ok_or(WatchRuleError::Shape)?;
        let (threshold, percent) = rest.split_once('@').ok_or(WatchRuleError::Shape)?;
        let point = match point.trim() {
            "*" => None,
            name => Some(SettlementPoint::new(name).map_err(|_| WatchRuleError::Point)?),
        };
        let threshold = threshold.trim().parse().ok().and_then(DollarsPerMwh::new);
        let threshold = threshold.filter(|price| 0.0 < price.value());
        let percent = percent.trim().strip_suffix('%').and_then(|text| text.trim().parse().ok());
        let percent = percent.filter(|percent: &f64| 0.0 < *percent && *percent <= 100.0);
        Ok(Self {
            point,
            threshold: threshold.ok_or(WatchRuleError::Threshold)?,
            percent: percent.ok_or(WatchRuleError::Percent)?,
        })
    }
}

impl fmt::Display for WatchRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let point = self.point.as_ref().map_or("*", SettlementPoint::name);
        write!(formatter, "{point} > {} @ {}%", self.threshold.value(), self.percent)
    }
}

impl WatchRule {
    /// Returns the watched point; nothing when every point is watched.
    #[must_use]
    pub fn point(&self) -> Option<&SettlementPoint> {
        self.point.as_ref()
    }

    /// Returns the watched price.
    #[must_use]
    pub fn threshold(&self) -> DollarsPerMwh {
        self.threshold
    }

    /// Returns the watched probability.
    #[must_use]
    pub fn tau(&self) -> f64 {
        self.percent / 100.0
    }

    fn is_met_by(&self, row: &ForecastRow) -> bool {
        self.point.as_ref().is_none_or(|point| *point == row.settlement_point)
            && self.threshold.value().total_cmp(&row.threshold.value()).is_eq()
            && self.tau() <= row.prediction.probability
    }

    /// Returns the notices of this rule: one for each point and operating day with such an hour.
    fn notices(&self, rows: &[ForecastRow]) -> Vec<Notice> {
        let mut found: BTreeMap<(&str, Date), Vec<&ForecastRow>> = BTreeMap::new();
        for row in rows.iter().filter(|row| self.is_met_by(row)) {
            let day = row.target.hour.operating_day.date();
            found.entry((row.settlement_point.name(), day)).or_default().push(row);
        }
        let mut notices = Vec::new();
        for ((point, operating_day), mut rows) in found {
            rows.sort_by_key(|row| row.target.hour.start);
            let hour = |row: &&ForecastRow| LikelyHour {
                target_start: row.target.hour.start,
                probability: row.prediction.probability,
            };
            notices.push(Notice::SpikeLikely(SpikeLikely {
                issue_time: rows[0].issue_time,
                settlement_point: point.to_owned(),
                threshold: self.threshold.value(),
                tau: self.tau(),
                operating_day,
                hours: rows.iter().map(hour).collect(),
            }));
        }
        notices
    }
}

/// Returns what the rows of one forecast raise. Days are told of one by one, because each is a
/// decision of its own; what two rules say alike is told once.
#[must_use]
pub fn likely_spikes(rules: &[WatchRule], rows: &[ForecastRow]) -> Vec<Notice> {
    let mut told: BTreeMap<String, Notice> = BTreeMap::new();
    for notice in rules.iter().flat_map(|rule| rule.notices(rows)) {
        told.entry(notice.key()).or_insert(notice);
    }
    told.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample::{row, spike_likely};

    fn rule(text: &str) -> WatchRule {
        text.parse().unwrap()
    }

    #[test]
    fn a_rule_is_read_with_or_without_spaces_and_shown_in_one_way() {
        let check = |text: &str, shown: &str| assert_eq!(rule(text).to_string(), shown);
        check("HB_WEST > 200 @ 30%", "HB_WEST > 200 @ 30%");
        check("*>1000@2.5%", "* > 1000 @ 2.5%");
        check("  LZ_HOUSTON  >  62.50  @  100 % ", "LZ_HOUSTON > 62.5 @ 100%");
        assert!((rule("* > 50 @ 7%").tau() - 0.07).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_rule_is_refused_by_its_wrong_part() {
        let check = |text: &str, expected: WatchRuleError| {
            assert_eq!(text.parse::<WatchRule>(), Err(expected), "{text}");
        };
        check("", WatchRuleError::Shape);
        check("HB_WEST 200", WatchRuleError::Shape);
        check("HB_WEST > 200", WatchRuleError::Shape);
        check("hb west > 200 @ 30%", WatchRuleError::Point);
        check(" > 200 @ 30%", WatchRuleError::Point);
        check("HB_WEST > much @ 30%", WatchRuleError::Threshold);
        check("HB_WEST > -5 @ 30%", WatchRuleError::Threshold);
        check("HB_WEST > NaN @ 30%", WatchRuleError::Threshold);
        check("HB_WEST > 200 @ 30", WatchRuleError::Percent);
        check("HB_WEST > 200 @ 0%", WatchRuleError::Percent);
        check("HB_WEST > 200 @ 101%", WatchRuleError::Percent);
        check("HB_WEST > 200 @ NaN%", WatchRuleError::Percent);
    }

    #[test]
    fn the_hours_of_a_day_that_reach_the_probability_make_one_notice() {
        let rows = [
            row("HB_WEST", "2026-03-08T23:00Z", 200.0, 0.452),
            row("HB_WEST", "2026-03-08T22:00Z", 200.0, 0.31),
            row("HB_WEST", "2026-03-08T21:00Z", 200.0, 0.2999),
            row("HB_WEST", "2026-03-08T23:00Z", 50.0, 0.9),
            row("HB_NORTH", "2026-03-08T23:00Z", 200.0, 0.9),
        ];
        assert_eq!(likely_spikes(&[rule("HB_WEST > 200 @ 30%")], &rows), [spike_likely()]);
        assert_eq!(likely_spikes(&[rule("HB_WEST > 200 @ 46%")], &rows), []);
        assert_eq!(likely_spikes(&[], &rows), []);
    }

    #[test]
    fn every_point_and_day_has_a_notice_of_its_own_and_rules_that_agree_tell_once() {
        let rows = [
            row("HB_WEST", "2026-03-08T23:00Z", 200.0, 0.3),
            // 23:00 of the 8th, and midnight, which belongs to the 9th.
            row("HB_WEST", "2026-03-09T04:00Z", 200.0, 0.3),
            row("HB_WEST", "2026-03-09T05:00Z", 200.0, 0.3),
            row("HB_NORTH", "2026-03-08T23:00Z", 200.0, 0.3),
        ];
        let rules = [rule("* > 200 @ 30%"), rule("HB_WEST > 200 @ 30%")];
        let told: Vec<String> = likely_spikes(&rules, &rows).iter().map(Notice::key).collect();
        assert_eq!(
            told,
            [
                "spike_likely HB_NORTH > 200 @ 0.3 on 2026-03-08, 2026-03-07",
                "spike_likely HB_WEST > 200 @ 0.3 on 2026-03-08, 2026-03-07",
                "spike_likely HB_WEST > 200 @ 0.3 on 2026-03-09, 2026-03-07",
            ]
        );
    }
}
