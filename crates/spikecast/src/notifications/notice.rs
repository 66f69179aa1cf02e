//! What people are told, as facts: the shape that crosses the journal and that receivers of the
//! generic webhook get. The words are chosen in `message`.

use forecast::model::HeldOut;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{NoticeKind, Severity};

/// Something that happened and that people want to be told. Probabilities and shares are fractions
/// of one, prices and thresholds in $/MWh, instants in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Notice {
    /// A forecast was published.
    ForecastReady(ForecastReady),
    /// The forecast of a day may not be there by its deadline.
    DeadlineAtRisk {
        /// The day on whose morning it is due.
        issue_day: Date,
        /// When it is due.
        deadline: Timestamp,
        /// Why it may be late.
        reason: String,
    },
    /// The forecast of a day was not there by its deadline.
    DeadlineMissed {
        /// The day on whose morning it was due.
        issue_day: Date,
        /// When it was due.
        deadline: Timestamp,
    },
    /// A forecast was published that does not rest on everything it should.
    ForecastDegraded {
        /// When it speaks.
        issue_time: Timestamp,
        /// What was replaced or is missing.
        reasons: Vec<String>,
    },
    /// A price above a threshold is likely at a watched settlement point.
    SpikeLikely(SpikeLikely),
    /// A series does not reach as far as it should by now.
    DataLate {
        /// Who should have published it.
        source: String,
        /// Which series, in a person's words.
        what: String,
        /// When its newest interval starts; nothing when there is none.
        newest: Option<Timestamp>,
        /// How far it should reach at least.
        expected: Timestamp,
    },
    /// Another model speaks from now on.
    ModelReplaced {
        /// The new model's version.
        version: String,
        /// The former one's; nothing when it is the first.
        previous: Option<String>,
        /// How the new one did on the days held out of its training.
        scores: Vec<ThresholdScore>,
    },
    /// A new model was found wanting: the former one goes on speaking.
    ModelRefused {
        /// The new model's version.
        version: String,
        /// Why it does not speak.
        reason: String,
    },
    /// Issued forecasts scored worse than they should.
    SkillDegraded {
        /// The last day that was scored.
        until: Date,
        /// How many days were scored.
        days: u32,
        /// How the issued forecasts did.
        scores: Vec<ThresholdScore>,
    },
    /// Somebody tries whether notices arrive.
    Test {
        /// When.
        sent_at: Timestamp,
    },
}

/// A forecast that was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastReady {
    /// When it speaks.
    pub issue_time: Timestamp,
    /// Its first sentence.
    pub headline: String,
    /// Which model spoke.
    pub model_version: String,
    /// The text of its [`Quality`](crate::quality::Quality).
    pub quality: String,
    /// The highest probability of each settlement point and threshold.
    pub peaks: Vec<Peak>,
    /// Where the page is.
    pub report: String,
}

/// A price that is likely on one operating day at a watched settlement point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeLikely {
    /// When the forecast speaks.
    pub issue_time: Timestamp,
    /// Where.
    pub settlement_point: String,
    /// The watched price.
    pub threshold: f64,
    /// The watched probability.
    pub tau: f64,
    /// The day in question.
    pub operating_day: Date,
    /// Its hours that reach the watched probability, in order.
    pub hours: Vec<LikelyHour>,
}

/// The hour with the highest probability of a settlement point and threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// Where.
    pub settlement_point: String,
    /// The price whose exceedance is forecast.
    pub threshold: f64,
    /// How likely it is in that hour.
    pub probability: f64,
    /// When the hour starts.
    pub target_start: Timestamp,
}

/// An hour that reaches a watched probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LikelyHour {
    /// When the hour starts.
    pub target_start: Timestamp,
    /// How likely the price is.
    pub probability: f64,
}

/// How forecasts for one threshold did, beside the climatology on the same hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdScore {
    /// The price whose exceedance was forecast.
    pub threshold: f64,
    /// Scored hours.
    pub hours: u64,
    /// How many of them exceeded the threshold.
    pub exceedances: u64,
    /// Mean log-loss of the forecasts.
    pub log_loss: f64,
    /// Mean log-loss of the climatology.
    pub climatology_log_loss: f64,
}

impl ThresholdScore {
    /// Returns the skill against climatology: 1 is perfect, 0 no better. NaN when the climatology
    /// is perfect, because then there is nothing to be better than.
    #[must_use]
    pub fn skill(&self) -> f64 {
        if self.climatology_log_loss <= 0.0 {
            return f64::NAN;
        }
        1.0 - self.log_loss / self.climatology_log_loss
    }
}

impl From<&HeldOut> for ThresholdScore {
    fn from(held_out: &HeldOut) -> Self {
        Self {
            threshold: held_out.threshold,
            hours: held_out.hours as u64,
            exceedances: held_out.exceedances as u64,
            log_loss: held_out.log_loss,
            climatology_log_loss: held_out.climatology_log_loss,
        }
    }
}

impl Notice {
    /// Returns what it is about.
    #[must_use]
    pub fn kind(&self) -> NoticeKind {
        match self {
            Self::ForecastReady(_) => NoticeKind::ForecastReady,
            Self::DeadlineAtRisk { .. } => NoticeKind::DeadlineAtRisk,
            Self::DeadlineMissed { .. } => NoticeKind::DeadlineMissed,
            Self::ForecastDegraded { .. } => NoticeKind::ForecastDegraded,
            Self::SpikeLikely(_) => NoticeKind::SpikeLikely,
            Self::DataLate { .. } => NoticeKind::DataLate,
            Self::ModelReplaced { .. } => NoticeKind::ModelReplaced,
            Self::ModelRefused { .. } => NoticeKind::ModelRefused,
            Self::SkillDegraded { .. } => NoticeKind::SkillDegraded,
            Self::Test { .. } => NoticeKind::Test,
        }
    }

    /// Returns how urgent it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind().severity()
    }

    /// Returns what makes it this very event: whoever tells the same event again, in other words
    /// or with newer numbers, gets the same key, and nobody is told twice.
    ///
    /// A likely spike is one event for each morning's forecasts and each of the days they speak
    /// about: the forecast at 09:30 repeats nothing of what the one at 06:00 said, but tells of a
    /// day that it left out, and the next morning people are reminded with new numbers. Late data
    /// are one event for each day on which they are missed, however they trickle in.
    #[must_use]
    pub fn key(&self) -> String {
        let event = match self {
            Self::ForecastReady(ForecastReady { issue_time, .. })
            | Self::ForecastDegraded { issue_time, .. } => issue_time.to_string(),
            Self::DeadlineAtRisk { issue_day, .. } | Self::DeadlineMissed { issue_day, .. } => {
                issue_day.to_string()
            }
            Self::SpikeLikely(spike) => {
                let SpikeLikely { settlement_point, threshold, tau, operating_day, .. } = spike;
                let issue_day = market::time::local(spike.issue_time).date();
                format!("{settlement_point} > {threshold} @ {tau} on {operating_day}, {issue_day}")
            }
            Self::DataLate { source, what, expected, .. } => {
                format!("{source} {what} {}", market::time::local(*expected).date())
            }
            Self::ModelReplaced { version, .. } | Self::ModelRefused { version, .. } => {
                version.clone()
            }
            Self::SkillDegraded { until, .. } => until.to_string(),
            Self::Test { sent_at } => sent_at.to_string(),
        };
        format!("{} {event}", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::sample;

    #[test]
    fn the_key_names_the_event_and_nothing_that_may_change() {
        let keys: Vec<String> = sample::every_notice().iter().map(Notice::key).collect();
        assert_eq!(
            keys,
            [
                "forecast_ready 2026-03-07T12:00:00Z",
                "deadline_at_risk 2026-03-07",
                "deadline_missed 2026-03-07",
                "forecast_degraded 2026-03-07T12:00:00Z",
                "spike_likely HB_WEST > 200 @ 0.3 on 2026-03-08, 2026-03-07",
                "data_late ERCOT real-time prices 2026-03-07",
                "model_replaced 20260307T070000Z-1f2e3d4c",
                "model_refused 20260307T070000Z-1f2e3d4c",
                "skill_degraded 2026-03-06",
                "test 2026-03-07T15:00:00Z",
            ]
        );
    }

    #[test]
    fn the_same_event_with_newer_numbers_keeps_its_key() {
        let spike = |issue_time: &str, probability: f64| {
            let hour = LikelyHour { target_start: sample::at("2026-03-08T23:00Z"), probability };
            Notice::SpikeLikely(SpikeLikely {
                issue_time: sample::at(issue_time),
                settlement_point: "HB_WEST".to_owned(),
                threshold: 200.0,
                tau: 0.3,
                operating_day: "2026-03-08".parse().unwrap(),
                hours: vec![hour],
            })
            .key()
        };
        let first = spike("2026-03-07T12:00Z", 0.3);
        assert_eq!(spike("2026-03-07T15:30Z", 0.7), first);
        assert_ne!(spike("2026-03-08T12:00Z", 0.7), first);
    }

    #[test]
    fn a_notice_survives_the_journal() {
        for notice in sample::every_notice() {
            let text = serde_json::to_string(&notice).unwrap();
            assert!(text.contains(&format!("\"kind\":\"{}\"", notice.kind())), "{text}");
            assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        }
    }

    #[test]
    fn skill_is_what_is_saved_of_the_climatologys_loss() {
        let score = |log_loss, climatology_log_loss| ThresholdScore {
            threshold: 100.0,
            hours: 72,
            exceedances: 3,
            log_loss,
            climatology_log_loss,
        };
        assert!((score(0.06, 0.08).skill() - 0.25).abs() < 1e-12);
        assert!((score(0.1, 0.08).skill() + 0.25).abs() < 1e-12);
        assert!(score(0.0, 0.0).skill().is_nan());
    }
}
