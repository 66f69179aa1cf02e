//! How well forecasts spoke, and whether a difference could be luck.
//!
//! The measures take plain pairs of probability and outcome: proper scores, `discrimination`,
//! `reliability`, where the Brier score comes from (`murphy` over bins, `corp` without), `alerts`
//! and `spells`, `value`, `exceedance_curve`, `stability`. `comparison` and `bootstrap` say what
//! could be luck, `drift` whether a forecaster became worse. [`ScoredHours`] puts the forecasters
//! side by side, [`verification()`] asks everything of one of them, [`Division`] by circumstance.

mod alerts;
mod bootstrap;
mod comparison;
mod corp;
mod coverage;
mod day_ahead;
mod discrimination;
mod drift;
mod exceedance_curve;
mod forecaster;
mod hour;
mod isotonic;
mod murphy;
mod persistence_raw;
mod proper;
mod regime;
mod reliability;
mod spells;
mod stability;
mod summary;
mod value;
mod verification;

pub use alerts::{ALERT_BUDGETS, Alerts, alerts};
pub(crate) use bootstrap::weekly_interval;
pub use bootstrap::{Interval, WEEKS_MIN, skill_interval};
pub use comparison::{Comparison, by_day, diebold_mariano};
pub use corp::{BandPoint, Corp, consistency_band, corp};
pub use coverage::{IntervalCoverage, IntervalForecast, interval_coverage};
pub use day_ahead::{DayAheadPrices, FittedDayAhead, fit_day_ahead};
pub use discrimination::{average_precision, roc_auc, within_group_auc};
pub use drift::{DayLoss, Drift, EARLIER_DAYS_MIN, RECENT_DAYS, Windows, drift};
pub use exceedance_curve::{CurvePoint, threshold_weighted_crps};
pub use forecaster::Forecaster;
pub use hour::{DayKind, ScoredHour, ScoredHours};
pub use isotonic::{CalibrationStep, isotonic};
pub use murphy::{Murphy, MurphyTerms, murphy};
pub use persistence_raw::LastKnownHours;
pub use proper::{Loss, brier, log_loss, log_loss_of};
pub use regime::{Division, Part};
pub use reliability::{
    REFINEMENT_BARS, RELIABILITY_BINS, ReliabilityBin, expected_calibration_error, refinement,
    reliability,
};
pub use spells::{SeriesHour, Spells, spells};
pub use stability::{Stability, flip_flop_index, stability};
pub use summary::{Reference, Scores, reference, scores};
pub use value::{Value, value_curve};
pub use verification::{Verification, compare, stability_of, verification};
