//! What is forecast: settlement points and thresholds, as they cross the journal.

use forecast::threshold::Thresholds;
use market::place::SettlementPoint;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::failure::JobError;

/// Settlement points and thresholds, checked when the job was submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Targets {
    /// The settlement points' names.
    pub settlement_points: Vec<String>,
    /// $/MWh, ascending.
    pub thresholds: Vec<f64>,
}

impl Targets {
    /// Returns the settlement points.
    pub fn points(&self) -> Result<Vec<SettlementPoint>, JobError> {
        let point = |name: &String| Ok(SettlementPoint::new(name)?);
        self.settlement_points.iter().map(point).collect()
    }

    /// Returns the thresholds.
    pub fn thresholds(&self) -> Result<Thresholds, JobError> {
        Ok(Thresholds::new(&self.thresholds)?)
    }

    /// Returns a name for what models can share: the same settlement points and thresholds.
    #[must_use]
    pub fn scope(&self) -> String {
        let text = format!("{:?} {:?}", self.settlement_points, self.thresholds);
        format!("{:016x}", XxHash64::oneshot(0, text.as_bytes()))
    }
}
