//! The kinds of notices, as the setting `notify` and receivers of webhooks know them, and how
//! urgent each is.

use std::fmt;

use serde::Serialize;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// A forecast was published.
    ForecastReady,
    /// The forecast may not be there by its deadline.
    DeadlineAtRisk,
    /// The forecast was not there by its deadline.
    DeadlineMissed,
    /// A forecast was published that does not rest on everything it should.
    ForecastDegraded,
    /// A watched point is likely to see a watched price.
    SpikeLikely,
    /// Something is not published that should be by now.
    DataLate,
    /// Another model speaks from now on.
    ModelReplaced,
    /// A new model was found wanting and does not speak.
    ModelRefused,
    /// Issued forecasts scored worse than they should.
    SkillDegraded,
    /// Somebody tries whether notices arrive.
    Test,
}

/// How urgent a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look today.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl NoticeKind {
    /// The kinds that the setting `notify` chooses from; a test is always delivered.
    pub const CHOICES: [Self; 9] = [
        Self::ForecastReady,
        Self::DeadlineAtRisk,
        Self::DeadlineMissed,
        Self::ForecastDegraded,
        Self::SpikeLikely,
        Self::DataLate,
        Self::ModelReplaced,
        Self::ModelRefused,
        Self::SkillDegraded,
    ];

    /// Returns the kind as settings and receivers know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ForecastReady => "forecast_ready",
            Self::DeadlineAtRisk => "deadline_at_risk",
            Self::DeadlineMissed => "deadline_missed",
            Self::ForecastDegraded => "forecast_degraded",
            Self::SpikeLikely => "spike_likely",
            Self::DataLate => "data_late",
            Self::ModelReplaced => "model_replaced",
            Self::ModelRefused => "model_refused",
            Self::SkillDegraded => "skill_degraded",
            Self::Test => "test",
        }
    }

    /// Returns the kind of this name, if it is one of [`Self::CHOICES`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::CHOICES.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns how urgent notices of this kind are.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::ForecastReady | Self::ModelReplaced | Self::ModelRefused | Self::Test => {
                Severity::Info
            }
            Self::DeadlineAtRisk
            | Self::ForecastDegraded
            | Self::SpikeLikely
            | Self::DataLate
            | Self::SkillDegraded => Severity::Warning,
            Self::DeadlineMissed => Severity::Critical,
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_found_by_its_name_and_a_test_is_no_choice() {
        for kind in NoticeKind::CHOICES {
            assert_eq!(NoticeKind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(NoticeKind::named("test"), None);
        assert_eq!(NoticeKind::named("Forecast_Ready"), None);
    }
}
