//! Whether a day's values of a series can be believed: a verdict for each of seven checks.
//!
//! Pure: it is handed columns that were read from the archive and judges them. It corrects
//! nothing and leaves nothing out; what follows a bad verdict is decided by whoever asked.
//! `checks` are the checks, `statistics` the median and its deviation by hour of the day.

mod checks;
mod statistics;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::archive::Columns;
use crate::observation::{Series, SeriesKey};
use crate::time::OperatingDay;

/// What is judged: one operating day of one series.
#[derive(Clone, Debug)]
pub struct DayExamined<'a> {
    /// Which series, where.
    pub key: &'a SeriesKey,
    /// Which day.
    pub day: OperatingDay,
    /// When it is judged: what is not due yet is not missed.
    pub now: Timestamp,
    /// The values around the day, with every vintage; those before it are its history.
    pub columns: &'a Columns,
    /// What is known of the day's postings.
    pub postings: &'a DayPostings,
}

/// What was noticed when a day's postings of a report were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayPostings {
    /// Postings that could not be used at all.
    pub quarantined: u64,
    /// Lines of the others that could not be used.
    pub complaints: u64,
    /// How they differ from what is known of the report.
    pub drift: BTreeSet<String>,
}

/// What a day is measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityLimits {
    /// The share of the day's intervals that must be known.
    pub coverage_min: f64,
    /// How much later than its interval's end a value may come before it is called stale.
    pub staleness_max: SignedDuration,
    /// Values further from the median of their hour of the day than this many robust deviations
    /// are outliers.
    pub outlier_deviations: f64,
    /// How many days of history an hour of the day needs before outliers are looked for.
    pub history_days_min: usize,
}

impl Default for QualityLimits {
    fn default() -> Self {
        Self {
            // SCED leaves out about one in a hundred five-minute slots on a normal day.
            coverage_min: 0.95,
            // Load is posted once a day, at 05:50 for the day before.
            staleness_max: SignedDuration::from_hours(36),
            // Prices have heavy tails: a scarce evening is no error and must not fail a check.
            outlier_deviations: 12.0,
            history_days_min: 14,
        }
    }
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Enough of the day's intervals are known.
    Coverage,
    /// No long run of intervals is missing.
    Gaps,
    /// Nothing was published twice with the same value.
    Duplicates,
    /// Values are plausible for the series.
    Range,
    /// Values came in time.
    Staleness,
    /// Values are like those of the same hour on the days before.
    Outliers,
    /// Every line could be used, and the report is as it is known.
    Drift,
}

impl Check {
    /// Every check.
    pub const ALL: [Check; 7] = [
        Check::Coverage,
        Check::Gaps,
        Check::Duplicates,
        Check::Range,
        Check::Staleness,
        Check::Outliers,
        Check::Drift,
    ];

    /// Returns the name used in tables and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Check::Coverage => "coverage",
            Check::Gaps => "gaps",
            Check::Duplicates => "duplicates",
            Check::Range => "range",
            Check::Staleness => "staleness",
            Check::Outliers => "outliers",
            Check::Drift => "drift",
        }
    }

    /// Judges a day by this check alone.
    #[must_use]
    pub fn judge(self, examined: &DayExamined<'_>, limits: &QualityLimits) -> Verdict {
        let rows = checks::rows_of_the_day(examined);
        match self {
            Check::Coverage => checks::coverage(examined, limits),
            Check::Gaps => checks::gaps(examined),
            Check::Duplicates => checks::duplicates(examined, rows),
            Check::Range => checks::range(examined, rows),
            Check::Staleness => checks::staleness(examined, rows, limits),
            Check::Outliers => checks::outliers(examined, rows, limits),
            Check::Drift => checks::drift(examined),
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All is well.
    Passed,
    /// A person may want to look; the values can be used.
    Suspect {
        /// What was found.
        found: String,
    },
    /// The day is to be fetched again, or repaired.
    Failed {
        /// What was found.
        found: String,
    },
    /// It could not be told.
    Unknown {
        /// What is lacking.
        reason: &'static str,
    },
}

/// One day of one series, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct DayQuality {
    /// Which series, where.
    pub key: SeriesKey,
    /// Which day.
    pub day: OperatingDay,
    /// The share of the day's due intervals that are known; 1 when none is due.
    pub coverage: f64,
    /// What each check came to, in the order of [`Check::ALL`].
    pub verdicts: Vec<(Check, Verdict)>,
}

impl DayQuality {
    /// Judges a day.
    #[must_use]
    pub fn of(examined: &DayExamined<'_>, limits: &QualityLimits) -> Self {
        let verdicts = Check::ALL.map(|check| (check, check.judge(examined, limits)));
        Self {
            key: examined.key.clone(),
            day: examined.day,
            coverage: checks::known_share(examined),
            verdicts: verdicts.into(),
        }
    }

    /// Returns the checks that failed: what error recovery repairs.
    pub fn failures(&self) -> impl Iterator<Item = (Check, &str)> {
        self.verdicts.iter().filter_map(|(check, verdict)| match verdict {
            Verdict::Failed { found } => Some((*check, found.as_str())),
            Verdict::Passed | Verdict::Suspect { .. } | Verdict::Unknown { .. } => None,
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Passed => f.write_str("passed"),
            Verdict::Suspect { found } => write!(f, "suspect: {found}"),
            Verdict::Failed { found } => write!(f, "failed: {found}"),
            Verdict::Unknown { reason } => write!(f, "unknown: {reason}"),
        }
    }
}

/// Tells whether an interval has further vintages because it was forecast again, not corrected.
fn is_forecast(series: Series) -> bool {
    crate::source::publication::PublicationRule::of(series).is_none()
}
