//! One notice of every kind for tests, all about the morning before clocks go forward.

use forecast::horizon::TargetHour;
use forecast::model::Prediction;
use jiff::Timestamp;
use market::place::SettlementPoint;
use market::time::MarketHour;
use market::units::DollarsPerMwh;

use super::{ForecastReady, LikelyHour, Notice, Peak, SpikeLikely, ThresholdScore};
use crate::ledger::ForecastRow;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn every_notice() -> Vec<Notice> {
    vec![
        forecast_ready(),
        Notice::DeadlineAtRisk {
            issue_day: "2026-03-07".parse().unwrap(),
            deadline: at("2026-03-07T15:45Z"),
            reason: "fetch usually takes 4 minutes and has not begun".to_owned(),
        },
        deadline_missed(),
        Notice::ForecastDegraded {
            issue_time: at("2026-03-07T12:00Z"),
            reasons: vec![
                "train: recovered by previous_model after timeout".to_owned(),
                "load: newest of 2026-03-04 23:00 CST".to_owned(),
            ],
        },
        spike_likely(),
        Notice::DataLate {
            source: "ERCOT".to_owned(),
            what: "real-time prices".to_owned(),
            newest: Some(at("2026-03-07T11:40Z")),
            expected: at("2026-03-07T14:55Z"),
        },
        Notice::ModelReplaced {
            version: "20260307T070000Z-1f2e3d4c".to_owned(),
            previous: Some("20260305T070000Z-5a6b7c8d".to_owned()),
            scores: vec![score(100.0, 0.0712, 0.0823), score(1_000.0, 0.0102, 0.0099)],
        },
        Notice::ModelRefused {
            version: "20260307T070000Z-1f2e3d4c".to_owned(),
            reason: "the same recipe on newer data, worse than 1.0.0 on 12 weeks".to_owned(),
        },
        Notice::SkillDegraded {
            until: "2026-03-06".parse().unwrap(),
            days: 30,
            scores: vec![score(100.0, 0.0712, 0.0823), score(1_000.0, 0.0102, 0.0099)],
        },
        Notice::Test { sent_at: at("2026-03-07T15:00Z") },
    ]
}

pub(super) fn forecast_ready() -> Notice {
    let peak = |point: &str, threshold, probability, target_start: &str| Peak {
        settlement_point: point.to_owned(),
        threshold,
        probability,
        target_start: at(target_start),
    };
    Notice::ForecastReady(ForecastReady {
        issue_time: at("2026-03-07T12:00Z"),
        headline: "Highest risk: Sun 8 Mar 18:00, 64 % above $100 at HB_WEST".to_owned(),
        model_version: "20260307T070000Z-1f2e3d4c".to_owned(),
        quality: "fresh".to_owned(),
        peaks: vec![
            peak("HB_NORTH", 100.0, 0.091, "2026-03-09T23:00Z"),
            peak("HB_NORTH", 1_000.0, 0.0002, "2026-03-09T23:00Z"),
            peak("HB_WEST", 100.0, 0.64, "2026-03-08T23:00Z"),
            peak("HB_WEST", 1_000.0, 0.021, "2026-03-09T00:00Z"),
        ],
        report: "/var/lib/spikecast/report.html".to_owned(),
    })
}

pub(super) fn deadline_missed() -> Notice {
    Notice::DeadlineMissed {
        issue_day: "2026-03-07".parse().unwrap(),
        deadline: at("2026-03-07T15:45Z"),
    }
}

pub(super) fn spike_likely() -> Notice {
    let hour = |target_start: &str, probability| LikelyHour {
        target_start: at(target_start),
        probability,
    };
    Notice::SpikeLikely(SpikeLikely {
        issue_time: at("2026-03-07T12:00Z"),
        settlement_point: "HB_WEST".to_owned(),
        threshold: 200.0,
        tau: 0.3,
        operating_day: "2026-03-08".parse().unwrap(),
        hours: vec![hour("2026-03-08T22:00Z", 0.31), hour("2026-03-08T23:00Z", 0.452)],
    })
}

fn score(threshold: f64, log_loss: f64, climatology_log_loss: f64) -> ThresholdScore {
    ThresholdScore { threshold, hours: 2_160, exceedances: 31, log_loss, climatology_log_loss }
}

/// Returns a row of the forecast issued at 06:00 of that morning.
pub(super) fn row(
    point: &str,
    target_start: &str,
    threshold: f64,
    probability: f64,
) -> ForecastRow {
    let hour = MarketHour::starting(at(target_start));
    ForecastRow {
        issue_time: at("2026-03-07T12:00Z"),
        target: TargetHour { hour, lead_day: 1 },
        settlement_point: SettlementPoint::new(point).unwrap(),
        threshold: DollarsPerMwh::new(threshold).unwrap(),
        prediction: Prediction {
            probability,
            lower: probability,
            upper: probability,
            climatology: probability,
            climatology_recent: probability,
            persistence: probability,
            logistic: probability,
            boosted_trees: probability,
        },
        model_version: "20260307T070000Z-1f2e3d4c".into(),
        quality: "fresh".into(),
    }
}
