//! One row of a forecast: a settlement point, a target hour, a threshold.

use std::sync::Arc;

use forecast::horizon::TargetHour;
use forecast::model::Prediction;
use jiff::Timestamp;
use market::place::SettlementPoint;
use market::units::DollarsPerMwh;

/// What is said about one settlement point, target hour and threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct ForecastRow {
    /// When the forecast speaks.
    pub issue_time: Timestamp,
    /// The hour it speaks about.
    pub target: TargetHour,
    /// Where.
    pub settlement_point: SettlementPoint,
    /// The price whose exceedance is forecast.
    pub threshold: DollarsPerMwh,
    /// The probability with its interval and components.
    pub prediction: Prediction,
    /// Which model spoke.
    pub model_version: Arc<str>,
    /// The text of its [`Quality`](crate::quality::Quality).
    pub quality: Arc<str>,
}
