//! What the morning page shows, as plain values that a caller fills in.
//!
//! No market or forecast types: dates and times arrive as the text to print, probabilities and skill
//! as shares of one, thresholds in $/MWh. The words and pictures made of them are in `forecast_page`.

use super::format;

/// Everything on the morning page.
#[derive(Clone, Debug)]
pub struct ForecastPage {
    /// What the browser's tab says, e.g. `ERCOT price spikes, 20–22 Aug 2024`.
    pub title: String,
    /// When the forecast speaks, in local words, e.g. `Mon 19 Aug 2024, 09:30 CDT`.
    pub issue_time: String,
    /// Where the inputs came from, e.g. `ERCOT Public API` or `simulator`.
    pub source: String,
    /// Whether everything is as it should be.
    pub quality: Quality,
    /// The thresholds in $/MWh, from low to high.
    pub thresholds: Vec<f64>,
    /// Which of the thresholds colours the overview and gets the interval and climatology drawn.
    pub reference_threshold: usize,
    /// The settlement points, most important first.
    pub points: Vec<PointView>,
    /// Each input and its freshness.
    pub inputs: Vec<InputView>,
    /// Which model spoke.
    pub model: ModelCard,
    /// The share that intervals of skill cover, e.g. 0.9.
    pub skill_interval: f64,
    /// Held-out log-loss skill against climatology, one per threshold.
    pub skill: Vec<ThresholdSkill>,
    /// How issued forecasts have scored.
    pub track_record: TrackRecord,
    /// The terms of the page in plain words.
    pub terms: Vec<Term>,
}

/// Whether a forecast rests on everything it should rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quality {
    /// All inputs fresh, the current model.
    Fresh,
    /// Something was replaced by a fallback.
    Degraded {
        /// What, in whole sentences or fragments of one.
        reasons: Vec<String>,
    },
}

/// The forecast for one settlement point.
#[derive(Clone, Debug)]
pub struct PointView {
    /// ERCOT's name, e.g. `HB_HUBAVG`.
    pub settlement_point: String,
    /// The operating days in order.
    pub days: Vec<DayView>,
}

/// One operating day of 23, 24 or 25 hours.
#[derive(Clone, Debug)]
pub struct DayView {
    /// The day in words, e.g. `Tue 20 Aug`.
    pub label: String,
    /// How many operating days after the issue day.
    pub lead_day: u8,
    /// The hours in the order in which they pass.
    pub hours: Vec<HourView>,
}

/// One hour of an operating day.
#[derive(Clone, Debug)]
pub struct HourView {
    /// ERCOT's hour ending, 1 to 24.
    pub hour_ending: u8,
    /// Whether this is the second hour of that name on the autumn day.
    pub repeated: bool,
    /// What is said about each threshold, in the page's order.
    pub exceedances: Vec<ExceedanceView>,
}

/// What is said about one threshold in one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExceedanceView {
    /// The probability of at least one 5-minute price above the threshold.
    pub probability: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
    /// What is usual for this hour and season.
    pub climatology: f64,
}

/// One input and how fresh it was at issue time.
#[derive(Clone, Debug)]
pub struct InputView {
    /// The input in words, e.g. `5-minute prices (NP6-788)`.
    pub name: String,
    /// The newest interval known, in local words.
    pub newest_interval: String,
    /// When that was published, in local words.
    pub published: String,
    /// How old that was at issue time, in words, e.g. `18 min`.
    pub age: String,
    /// Which share of the expected intervals is there.
    pub coverage: f64,
    /// What that amounts to.
    pub freshness: Freshness,
}

/// What the age and coverage of an input amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// As new as it can be.
    Fresh,
    /// Older than it should be, and used.
    Stale,
    /// Not there.
    Missing,
}

impl Freshness {
    /// Returns the word on the badge, which is also its class in the style sheet.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Missing => "missing",
        }
    }
}

/// Which model spoke, and what it is made of.
#[derive(Clone, Debug)]
pub struct ModelCard {
    /// Its version.
    pub version: String,
    /// When it was trained, in local words.
    pub trained_at: String,
    /// What it was trained on, in words.
    pub trained_on: String,
    /// What it is averaged from.
    pub components: Vec<ModelComponent>,
}

/// One member of the average.
#[derive(Clone, Debug)]
pub struct ModelComponent {
    /// Its name, e.g. `boosted trees`.
    pub name: String,
    /// Its share of the average.
    pub weight: f64,
}

/// A number with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
}

/// Log-loss skill against climatology at one threshold.
#[derive(Clone, Debug)]
pub struct ThresholdSkill {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// How many hours were scored.
    pub hours: u64,
    /// How many of them exceeded the threshold.
    pub exceedances: u64,
    /// The skill; absent where it is undefined (too few exceedances).
    pub skill: Option<Estimate>,
}

/// How issued forecasts have scored against what happened.
#[derive(Clone, Debug)]
pub enum TrackRecord {
    /// No issued forecast has met its prices yet.
    NoneScored {
        /// Why not, and from when there will be scores; one sentence.
        sentence: String,
    },
    /// Some have.
    Scored {
        /// Which issue days, in words.
        period: String,
        /// The scores, one per threshold.
        rows: Vec<TrackRow>,
    },
}

/// The score of issued forecasts at one threshold.
#[derive(Clone, Debug)]
pub struct TrackRow {
    /// The threshold in $/MWh.
    pub threshold: f64,
    /// How many hours were scored.
    pub hours: u64,
    /// How many of them exceeded the threshold.
    pub exceedances: u64,
    /// The forecasts' mean log-loss.
    pub log_loss: f64,
    /// The climatology's mean log-loss over the same hours.
    pub climatology_log_loss: f64,
}

impl TrackRow {
    /// Returns the skill against climatology; undefined where climatology is already perfect.
    pub(super) fn skill(&self) -> Option<f64> {
        (0.0 < self.climatology_log_loss).then(|| 1.0 - self.log_loss / self.climatology_log_loss)
    }
}

/// A term and its meaning.
#[derive(Clone, Debug)]
pub struct Term {
    /// The term as it is printed on the page.
    pub name: String,
    /// What it means, in plain words.
    pub meaning: String,
}

/// The hour, day and settlement point where a threshold is likeliest to be exceeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak<'a> {
    pub(super) point: &'a PointView,
    pub(super) day: &'a DayView,
    pub(super) hour: &'a HourView,
    pub(super) exceedance: ExceedanceView,
}

impl ForecastPage {
    /// Returns the sentence that a trader reads if they read only one.
    pub fn headline(&self) -> String {
        let Some(peak) = self.peak() else {
            return "There is no forecast to show.".to_owned();
        };
        let exceedance = peak.exceedance;
        let usual = format::times_usual(exceedance.probability, exceedance.climatology)
            .map_or_else(String::new, |ratio| format!(", {ratio} times its usual"));
        format!(
            "Highest risk: {} {}, {} above {} at {}{usual}",
            peak.day.label,
            peak.hour.clock(),
            format::percent(exceedance.probability),
            format::dollars(self.reference()),
            peak.point.settlement_point,
        )
    }

    /// Returns the reference threshold in $/MWh.
    pub(super) fn reference(&self) -> f64 {
        self.thresholds.get(self.reference_threshold).copied().unwrap_or(f64::NAN)
    }

    /// Returns what is usual in an hour at the reference threshold.
    pub(super) fn usual(&self, hour: &HourView) -> f64 {
        hour.exceedances.get(self.reference_threshold).map_or(f64::NAN, |it| it.climatology)
    }

    fn peak(&self) -> Option<Peak<'_>> {
        let mut highest: Option<Peak<'_>> = None;
        for point in &self.points {
            for day in &point.days {
                let Some((hour, exceedance)) = day.peak(self.reference_threshold) else { continue };
                if highest.is_none_or(|it| it.exceedance.probability < exceedance.probability) {
                    highest = Some(Peak { point, day, hour, exceedance });
                }
            }
        }
        highest
    }
}

impl PointView {
    /// Returns the highest number that the panels of this settlement point must be able to show.
    pub(super) fn highest(&self, reference_threshold: usize) -> f64 {
        let mut highest = 0.0_f64;
        for hour in self.days.iter().flat_map(|day| &day.hours) {
            for exceedance in &hour.exceedances {
                highest = highest.max(exceedance.probability);
            }
            if let Some(reference) = hour.exceedances.get(reference_threshold) {
                highest = highest.max(reference.upper).max(reference.climatology);
            }
        }
        highest
    }
}

impl DayView {
    /// Returns the first hour with the highest probability of exceeding a threshold.
    pub(super) fn peak(&self, threshold: usize) -> Option<(&HourView, ExceedanceView)> {
        let mut highest: Option<(&HourView, ExceedanceView)> = None;
        for hour in &self.hours {
            let Some(exceedance) = hour.exceedances.get(threshold) else { continue };
            if highest.is_none_or(|(_, it)| it.probability < exceedance.probability) {
                highest = Some((hour, *exceedance));
            }
        }
        highest
    }
}

impl HourView {
    /// Returns the hour by the clock, e.g. `19:00–20:00`.
    pub(super) fn clock(&self) -> String {
        let repeated = if self.repeated { " (repeated hour)" } else { "" };
        format!("{:02}:00–{:02}:00{repeated}", self.hour_beginning(), self.hour_ending)
    }

    /// Returns the local hour at which it begins.
    pub(super) fn hour_beginning(&self) -> u8 {
        self.hour_ending.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_named_by_the_clock() {
        let hour = |hour_ending, repeated| HourView { hour_ending, repeated, exceedances: vec![] };
        assert_eq!(hour(1, false).clock(), "00:00–01:00");
        assert_eq!(hour(20, false).clock(), "19:00–20:00");
        assert_eq!(hour(24, false).clock(), "23:00–24:00");
        assert_eq!(hour(2, true).clock(), "01:00–02:00 (repeated hour)");
    }

    #[test]
    fn the_headline_names_the_highest_hour_of_all_points() {
        let page = super::super::sample::forecast();
        assert_eq!(
            page.headline().replace('\u{202f}', " "),
            "Highest risk: Tue 20 Aug 19:00–20:00, 41 % above $100 at HB_WEST, 4.1 times its usual"
        );
        let nothing = ForecastPage { points: vec![], ..page };
        assert_eq!(nothing.headline(), "There is no forecast to show.");
    }

    #[test]
    fn skill_of_issued_forecasts_is_the_saved_share_of_climatologys_loss() {
        let row = |log_loss, climatology_log_loss| TrackRow {
            threshold: 100.0,
            hours: 72,
            exceedances: 3,
            log_loss,
            climatology_log_loss,
        };
        assert_eq!(row(0.09, 0.12).skill().map(|skill| (100.0 * skill).round()), Some(25.0));
        assert_eq!(row(0.09, 0.0).skill(), None);
    }
}
