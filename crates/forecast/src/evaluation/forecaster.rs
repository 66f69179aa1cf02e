//! Whose probability is scored: the issued forecast, its components, and references to compare with.

use crate::model::Prediction;

/// Who forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forecaster {
    /// Hour of day × month, all years.
    Climatology,
    /// Hour of day × month, the last 365 days.
    ClimatologyRecent,
    /// The last weeks at the same hour of day.
    Persistence,
    /// The newest day whose same hour of day was known: certain of what happened then.
    PersistenceRaw,
    /// Logistic regression on the day-ahead prices that were known: those of the issue day.
    DayAheadKnown,
    /// Logistic regression, the issued forecast's component.
    Logistic,
    /// Boosted trees, the issued forecast's component.
    BoostedTrees,
    /// The model of the training before, on the same days.
    PreviousModel,
    /// The calibrated combination: the forecast that is issued.
    Combined,
    /// Logistic regression on the day-ahead prices of the target day itself. They are published
    /// after the issue time: nobody could have issued this. It shows what the market knew later.
    DayAheadOfTarget,
}

impl Forecaster {
    /// All of them.
    pub const ALL: [Forecaster; 10] = [
        Forecaster::Climatology,
        Forecaster::ClimatologyRecent,
        Forecaster::Persistence,
        Forecaster::PersistenceRaw,
        Forecaster::DayAheadKnown,
        Forecaster::Logistic,
        Forecaster::BoostedTrees,
        Forecaster::PreviousModel,
        Forecaster::Combined,
        Forecaster::DayAheadOfTarget,
    ];

    /// The climatologies, of which the tougher one is the reference of skill.
    pub const CLIMATOLOGIES: [Forecaster; 2] =
        [Forecaster::Climatology, Forecaster::ClimatologyRecent];

    /// Returns the name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Forecaster::Climatology => "climatology",
            Forecaster::ClimatologyRecent => "climatology_recent",
            Forecaster::Persistence => "persistence",
            Forecaster::PersistenceRaw => "persistence_raw",
            Forecaster::DayAheadKnown => "day_ahead_known",
            Forecaster::Logistic => "logistic",
            Forecaster::BoostedTrees => "boosted_trees",
            Forecaster::PreviousModel => "previous_model",
            Forecaster::Combined => "combined",
            Forecaster::DayAheadOfTarget => "day_ahead_of_target_not_issuable",
        }
    }

    /// Returns the name for people, short enough for a chart.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Forecaster::Climatology => "climatology, all years",
            Forecaster::ClimatologyRecent => "climatology, last year",
            Forecaster::Persistence => "persistence",
            Forecaster::PersistenceRaw => "persistence, last day",
            Forecaster::DayAheadKnown => "day-ahead, issue day",
            Forecaster::Logistic => "logistic",
            Forecaster::BoostedTrees => "boosted trees",
            Forecaster::PreviousModel => "the model before",
            Forecaster::Combined => "issued forecast",
            Forecaster::DayAheadOfTarget => "not issuable: day-ahead",
        }
    }

    /// Tells whether it rests only on what was known at the issue time.
    #[must_use]
    pub fn is_issuable(self) -> bool {
        match self {
            Forecaster::DayAheadOfTarget => false,
            Forecaster::Climatology
            | Forecaster::ClimatologyRecent
            | Forecaster::Persistence
            | Forecaster::PersistenceRaw
            | Forecaster::DayAheadKnown
            | Forecaster::Logistic
            | Forecaster::BoostedTrees
            | Forecaster::PreviousModel
            | Forecaster::Combined => true,
        }
    }

    /// Returns what a prediction holds of this forecaster; nothing of those that stand beside it.
    #[must_use]
    pub fn of_prediction(self, prediction: &Prediction) -> Option<f64> {
        match self {
            Forecaster::Climatology => Some(prediction.climatology),
            Forecaster::ClimatologyRecent => Some(prediction.climatology_recent),
            Forecaster::Persistence => Some(prediction.persistence),
            Forecaster::Logistic => Some(prediction.logistic),
            Forecaster::BoostedTrees => Some(prediction.boosted_trees),
            Forecaster::Combined => Some(prediction.probability),
            Forecaster::PersistenceRaw
            | Forecaster::DayAheadKnown
            | Forecaster::PreviousModel
            | Forecaster::DayAheadOfTarget => None,
        }
    }
}
