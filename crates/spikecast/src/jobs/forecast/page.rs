//! Translates a published forecast into the view of the morning page.

use std::collections::BTreeMap;

use forecast::model::FittedModel;
use jiff::{SignedDuration, Timestamp};
use market::place::SettlementPoint;
use market::time::{OperatingDay, display};

use super::shapes::{ForecastInput, InputStatus};
use crate::jobs::failure::JobError;
use crate::ledger::ForecastRow;
use crate::quality::Quality;
use crate::report::format::count;
use crate::report::{
    self, DayView, Estimate, ExceedanceView, ForecastPage, Freshness, HourView, InputView,
    ModelCard, ModelComponent, PointView, Term, ThresholdSkill, TrackRecord,
};

/// What the page is made from.
pub(super) struct PageParts<'a> {
    pub(super) input: &'a ForecastInput,
    pub(super) source: &'a str,
    pub(super) quality: &'a Quality,
    pub(super) rows: &'a [ForecastRow],
    pub(super) inputs: &'a [InputStatus],
    pub(super) model: Option<(&'a str, &'a FittedModel)>,
    pub(super) track_record: TrackRecord,
}

/// The threshold that colours the overview, when it is forecast; else the lowest.
const REFERENCE_THRESHOLD: f64 = 100.0;

pub(super) fn page(parts: &PageParts<'_>) -> Result<ForecastPage, JobError> {
    let thresholds = &parts.input.targets.thresholds;
    let reference = thresholds.iter().position(|&t| t >= REFERENCE_THRESHOLD).unwrap_or(0);
    let issue_day = OperatingDay::of(parts.input.issue_time);
    let date = |lead: i32| issue_day.plus_days(lead).date().strftime("%-d %b %Y").to_string();
    Ok(ForecastPage {
        title: format!("ERCOT price spikes, {} to {}", date(1), date(3)),
        issue_time: local_words(parts.input.issue_time),
        source: parts.source.to_owned(),
        quality: match parts.quality {
            Quality::Fresh => report::Quality::Fresh,
            Quality::Degraded(reasons) => report::Quality::Degraded { reasons: reasons.clone() },
        },
        thresholds: thresholds.clone(),
        reference_threshold: reference,
        points: points(parts),
        inputs: parts
            .inputs
            .iter()
            .map(|input| input_view(input, parts.input.issue_time))
            .collect(),
        model: model_card(parts.model),
        skill_interval: 0.9,
        skill: parts.model.map(|(_, model)| held_out(model)).unwrap_or_default(),
        track_record: parts.track_record.clone(),
        terms: terms(),
    })
}

fn local_words(instant: Timestamp) -> String {
    let zone = market::time::market_zone().clone();
    instant.to_zoned_datetime(zone).strftime("%a %-d %b %Y, %H:%M %Z").to_string()
}

/// Groups the rows, which come by settlement point, hour and threshold.
fn points(parts: &PageParts<'_>) -> Vec<PointView> {
    let mut by_point: BTreeMap<&SettlementPoint, Vec<&ForecastRow>> = BTreeMap::new();
    for row in parts.rows {
        by_point.entry(&row.settlement_point).or_default().push(row);
    }
    let named = parts.input.targets.settlement_points.iter();
    named
        .filter_map(|name| {
            let (point, rows) = by_point.iter().find(|(point, _)| point.name() == name)?;
            Some(PointView { settlement_point: point.name().to_owned(), days: days(rows) })
        })
        .collect()
}

fn days(rows: &[&ForecastRow]) -> Vec<DayView> {
    rows.chunk_by(|a, b| a.target.lead_day == b.target.lead_day)
        .map(|day| DayView {
            label: day[0].target.hour.operating_day.date().strftime("%a %-d %b").to_string(),
            lead_day: day[0].target.lead_day,
            hours: day
                .chunk_by(|a, b| a.target.hour.start == b.target.hour.start)
                .map(|hour| HourView {
                    hour_ending: hour[0].target.hour.hour_ending,
                    repeated: hour[0].target.hour.repeated,
                    exceedances: hour.iter().map(|row| exceedance(row)).collect(),
                })
                .collect(),
        })
        .collect()
}

fn exceedance(row: &ForecastRow) -> ExceedanceView {
    let prediction = &row.prediction;
    ExceedanceView {
        probability: prediction.probability,
        lower: prediction.lower,
        upper: prediction.upper,
        climatology: prediction.climatology,
    }
}

fn input_view(input: &InputStatus, issue_time: Timestamp) -> InputView {
    let words = |instant: Option<Timestamp>| instant.map_or_else(|| "–".to_owned(), display);
    let age = input.published_at.map(|published| issue_time.duration_since(published));
    InputView {
        name: input.name.clone(),
        newest_interval: words(input.newest_interval),
        published: words(input.published_at),
        age: age.map_or_else(|| "–".to_owned(), age_words),
        coverage: input.coverage,
        freshness: match (input.newest_interval, input.fresh) {
            (None, _) => Freshness::Missing,
            (Some(_), true) => Freshness::Fresh,
            (Some(_), false) => Freshness::Stale,
        },
    }
}

fn age_words(age: SignedDuration) -> String {
    let (minutes, hours) = (age.as_mins(), age.as_hours());
    match hours {
        ..2 => format!("{minutes} min"),
        2..72 => format!("{hours} h"),
        _ => format!("{} days", hours / 24),
    }
}

fn model_card(model: Option<(&str, &FittedModel)>) -> ModelCard {
    let Some((version, model)) = model else {
        return ModelCard {
            version: "climatology".to_owned(),
            trained_at: "–".to_owned(),
            trained_on: "how often it happened before at the hour and in the season".to_owned(),
            components: vec![ModelComponent { name: "climatology".to_owned(), weight: 1.0 }],
        };
    };
    let lineage = model.lineage();
    let instant = |text: &str| text.parse::<Timestamp>();
    let words = |text: &str| instant(text).map_or_else(|_| text.to_owned(), display);
    let day = |text: &str| {
        instant(text).map_or_else(|_| text.to_owned(), |t| OperatingDay::of(t).to_string())
    };
    ModelCard {
        version: version.to_owned(),
        trained_at: words(&lineage.trained_at),
        trained_on: format!(
            "{} target hours with known prices, {} to {}",
            count(lineage.rows as u64),
            day(&lineage.first_target),
            day(&lineage.last_target)
        ),
        components: model
            .component_shares()
            .into_iter()
            .map(|(name, weight)| ModelComponent { name: name.to_owned(), weight })
            .collect(),
    }
}

fn held_out(model: &FittedModel) -> Vec<ThresholdSkill> {
    let skill = |held_out: &forecast::model::HeldOut| ThresholdSkill {
        threshold: held_out.threshold,
        hours: held_out.hours as u64,
        exceedances: held_out.exceedances as u64,
        skill: held_out.skill_interval.map(|interval| Estimate {
            value: 1.0 - held_out.log_loss / held_out.climatology_log_loss,
            lower: interval.0,
            upper: interval.1,
        }),
    };
    model.held_out().iter().filter(|held_out| 0 < held_out.hours).map(skill).collect()
}

fn terms() -> Vec<Term> {
    let term =
        |name: &str, meaning: &str| Term { name: name.to_owned(), meaning: meaning.to_owned() };
    vec![
        term(
            "Exceedance",
            "At least one 5-minute real-time price (SCED LMP without reserve and reliability adders) of the hour lies strictly above the threshold.",
        ),
        term(
            "Hours",
            "ERCOT's hours ending in Central Prevailing Time; the three operating days after the issue day, 71 or 73 hours where the clock changes.",
        ),
        term(
            "Interval",
            "A 90 % interval of the probability itself: how far it could move because past spikes are few (week-robust standard error of the regression, and the disagreement of the two models). It is not a range of prices.",
        ),
        term(
            "Usual",
            "The climatology: how often the threshold was exceeded at this hour of day in this season, from everything known at the issue time.",
        ),
        term(
            "Skill",
            "1 − log-loss / log-loss of the climatology. 0 is as good as knowing the hour and the season, 1 is perfect.",
        ),
    ]
}
