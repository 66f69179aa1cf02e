//! How well forecasts spoke: proper scores, discrimination, reliability, and whether a
//! difference could be luck. Everything takes plain pairs of probability and outcome.

mod bootstrap;
mod discrimination;
mod proper;
mod reliability;
mod summary;

pub use bootstrap::{Interval, WEEKS_MIN, skill_interval};
pub use discrimination::{average_precision, roc_auc};
pub use proper::{brier, log_loss, log_loss_of};
pub use reliability::{RELIABILITY_BINS, ReliabilityBin, expected_calibration_error, reliability};
pub use summary::{Forecaster, ScoredHour, Scores, scores};
