//! Translates the results of a backtest into the view of its page.

use std::collections::BTreeMap;

use forecast::evaluation::{Forecaster, ScoredHour, Scores, scores};
use forecast::target::HourOutcome;
use jiff::civil::Date;

use super::evaluate::{Cell, Group, scored_hours};
use super::shapes::BacktestInput;
use crate::jobs::failure::JobError;
use crate::ledger::ForecastRow;
use crate::report::{
    BacktestPage, BacktestSection, Estimate, Lead, ModelSkill, MonthSkill, MonthlySkill,
    NotableHour, Outcome, ReliabilityBin, ReliabilityCurve, ScoreRow, Setting, ThresholdSkill,
};

/// Hours listed in each of the tables of notable hours.
const NOTABLE_HOURS: usize = 10;
/// The threshold of the notable hours, when it is forecast; else the lowest.
const REFERENCE_THRESHOLD: f64 = 100.0;

pub(super) fn page(
    rows: &[ForecastRow],
    truth: &[HourOutcome],
    cells: &[Cell],
    input: &BacktestInput,
) -> Result<BacktestPage, JobError> {
    let mut names: Vec<Option<String>> = vec![None];
    if 1 < input.targets.settlement_points.len() {
        names.extend(input.targets.settlement_points.iter().cloned().map(Some));
    }
    let sections = names.iter().map(|name| section(name.as_deref(), rows, truth, cells, input));
    let (highest, misses) = notable(rows, truth, input);
    let source = input.source.open()?;
    Ok(BacktestPage {
        title: format!("Backtest {} to {}", input.from, input.to),
        period: format!(
            "issue days {} to {} at {} Central",
            words(input.from),
            words(input.to),
            input.issue_time_of_day.strftime("%H:%M")
        ),
        settlement_points: input.targets.settlement_points.clone(),
        headlines: headlines(cells, input),
        settings: settings(input, &source.describe()),
        skill_interval: 0.9,
        sections: sections.collect(),
        highest,
        misses,
        notes: notes(),
    })
}

fn words(day: Date) -> String {
    day.strftime("%-d %b %Y").to_string()
}

fn settings(input: &BacktestInput, source: &str) -> Vec<Setting> {
    let setting = |name: &str, value: String| Setting { name: name.to_owned(), value };
    let thresholds: Vec<String> =
        input.targets.thresholds.iter().map(|t| format!("${t}")).collect();
    vec![
        setting("Source", source.to_owned()),
        setting("Settlement points", input.targets.settlement_points.join(", ")),
        setting("Thresholds", thresholds.join(", ")),
        setting("Trained every", format!("{} days", input.retrain_every_days)),
        setting("Trainings", input.windows().len().to_string()),
        setting("Program", format!("spikecast {}", input.program)),
    ]
}

fn notes() -> Vec<String> {
    [
        "Every forecast saw only what was published before its issue time; every model was trained only on hours whose prices were known at its training.",
        "The reference is, for each score and each group of hours, the tougher of two climatologies (hour of day × month ± 1): one from all known years, one from the last 365 days.",
        "Intervals: 90 %, from drawing whole weeks with replacement (2,000 times). An interval that includes 0 means the difference could be luck.",
        "Hours whose prices are not sufficiently covered are excluded unless an exceedance was seen. Price basis: 5-minute LMP without adders.",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn find<'c>(cells: &'c [Cell], group: &Group) -> Option<&'c Cell> {
    cells.iter().find(|cell| cell.group == *group)
}

fn headlines(cells: &[Cell], input: &BacktestInput) -> Vec<String> {
    let sentence = |(threshold, price): (usize, &f64)| {
        let group = Group { settlement_point: None, threshold, lead_day: None };
        let scores = find(cells, &group)?.scores.get(&Forecaster::Combined)?;
        if scores.exceedances == 0 {
            return Some(format!(
                "Above ${price}: no exceedance in {} hours, so no skill.",
                scores.hours
            ));
        }
        let percent = |share: f64| format!("{:+.1} %", 100.0 * share);
        let interval = scores.log_loss_skill_interval.map_or_else(String::new, |interval| {
            format!(" (90 % interval {} to {})", percent(interval.lower), percent(interval.upper))
        });
        Some(format!(
            "Above ${price}: log-loss skill {}{interval}, Brier skill {}, {} exceedances in {} hours.",
            percent(scores.log_loss_skill),
            percent(scores.brier_skill),
            scores.exceedances,
            scores.hours,
        ))
    };
    input.targets.thresholds.iter().enumerate().filter_map(sentence).collect()
}

fn section(
    name: Option<&str>,
    rows: &[ForecastRow],
    truth: &[HourOutcome],
    cells: &[Cell],
    input: &BacktestInput,
) -> BacktestSection {
    let group = |threshold: usize, lead_day: Option<u8>| Group {
        settlement_point: name.map(str::to_owned),
        threshold,
        lead_day,
    };
    let pooled = || {
        input.targets.thresholds.iter().enumerate().filter_map(|(threshold, &price)| {
            let cell = find(cells, &group(threshold, None))?;
            Some((price, cell.scores.get(&Forecaster::Combined)?))
        })
    };
    let mut score_rows = Vec::new();
    for (threshold, &price) in input.targets.thresholds.iter().enumerate() {
        for lead_day in [None, Some(1), Some(2), Some(3)] {
            let scores = find(cells, &group(threshold, lead_day))
                .and_then(|cell| cell.scores.get(&Forecaster::Combined));
            score_rows.extend(scores.map(|scores| score_row(price, lead_day, scores)));
        }
    }
    let models = Forecaster::ALL.into_iter().map(|who| ModelSkill {
        name: who.name().replace('_', " "),
        skill: input
            .targets
            .thresholds
            .iter()
            .enumerate()
            .filter_map(|(threshold, &price)| {
                let scores = find(cells, &group(threshold, None))?.scores.get(&who)?;
                Some(threshold_skill(price, scores))
            })
            .collect(),
    });
    let hours = of_point(name, rows, truth);
    BacktestSection {
        name: match (name, input.targets.settlement_points.as_slice()) {
            (Some(name), _) => name.to_owned(),
            (None, [only]) => only.clone(),
            (None, _) => "All settlement points".to_owned(),
        },
        scores: score_rows,
        models: models.collect(),
        reliability: pooled().map(|(price, scores)| reliability_curve(price, scores)).collect(),
        monthly: input.targets.thresholds.iter().map(|&t| monthly(t, &hours)).collect(),
    }
}

type RowAndHour<'r> = (&'r ForecastRow, ScoredHour);

fn of_point<'r>(
    name: Option<&str>,
    rows: &'r [ForecastRow],
    truth: &'r [HourOutcome],
) -> Vec<RowAndHour<'r>> {
    scored_hours(rows, truth)
        .filter(|(row, _)| name.is_none_or(|name| row.settlement_point.name() == name))
        .collect()
}

fn at_threshold<'r, 'h>(
    threshold: f64,
    hours: &'h [RowAndHour<'r>],
) -> impl Iterator<Item = &'h RowAndHour<'r>> {
    hours.iter().filter(move |(row, _)| row.threshold.value().total_cmp(&threshold).is_eq())
}

fn estimate(scores: &Scores) -> Option<Estimate> {
    let interval = scores.log_loss_skill_interval?;
    finite(scores.log_loss_skill).map(|value| Estimate {
        value,
        lower: interval.lower,
        upper: interval.upper,
    })
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn score_row(threshold: f64, lead_day: Option<u8>, scores: &Scores) -> ScoreRow {
    ScoreRow {
        threshold,
        lead: lead_day.map_or(Lead::Pooled, Lead::Day),
        hours: scores.hours as u64,
        exceedances: scores.exceedances as u64,
        brier: scores.brier,
        brier_skill: finite(scores.brier_skill),
        log_loss: scores.log_loss,
        log_loss_skill: estimate(scores),
        auc: finite(scores.roc_auc),
        average_precision: finite(scores.average_precision),
        ece: scores.calibration_error,
    }
}

fn threshold_skill(threshold: f64, scores: &Scores) -> ThresholdSkill {
    ThresholdSkill {
        threshold,
        hours: scores.hours as u64,
        exceedances: scores.exceedances as u64,
        skill: estimate(scores),
    }
}

fn reliability_curve(threshold: f64, scores: &Scores) -> ReliabilityCurve {
    let bins = scores.reliability.iter().map(|bin| ReliabilityBin {
        forecast: bin.forecast,
        observed: wilson(bin.observed, bin.count),
        hours: bin.count as u64,
    });
    ReliabilityCurve { threshold, bins: bins.collect() }
}

/// Returns a frequency with its 90 % interval (Wilson, 1927), as if hours were independent.
fn wilson(share: f64, count: usize) -> Estimate {
    const Z: f64 = 1.645;
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let n = count as f64;
    let center = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let margin = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    Estimate { value: share, lower: (center - margin).max(0.0), upper: (center + margin).min(1.0) }
}

fn monthly(threshold: f64, hours: &[RowAndHour<'_>]) -> MonthlySkill {
    let mut months: BTreeMap<(i16, i8), (String, Vec<ScoredHour>)> = BTreeMap::new();
    for (row, hour) in at_threshold(threshold, hours) {
        let day = row.target.hour.operating_day.date();
        let month = months
            .entry((day.year(), day.month()))
            .or_insert_with(|| (day.strftime("%b %Y").to_string(), Vec::new()));
        month.1.push(*hour);
    }
    let months = months.into_values().map(|(label, hours)| {
        let scores = scores(&hours, Forecaster::Combined);
        MonthSkill {
            label,
            exceedances: scores.exceedances as u64,
            skill: finite(scores.log_loss_skill),
        }
    });
    MonthlySkill { threshold, months: months.collect() }
}

/// Returns the hours with the highest probabilities, and those where the forecast was most wrong.
fn notable(
    rows: &[ForecastRow],
    truth: &[HourOutcome],
    input: &BacktestInput,
) -> (Vec<NotableHour>, Vec<NotableHour>) {
    let reference = input.targets.thresholds.iter().copied().find(|&t| t >= REFERENCE_THRESHOLD);
    let reference = reference.unwrap_or(input.targets.thresholds[0]);
    let mut hours: Vec<(&ForecastRow, HourOutcome, bool)> = rows
        .iter()
        .zip(truth)
        .filter(|(row, _)| row.threshold.value().total_cmp(&reference).is_eq())
        .filter_map(|(row, &outcome)| Some((row, outcome, outcome.exceeds(row.threshold)?)))
        .collect();
    hours.sort_by(|a, b| b.0.prediction.probability.total_cmp(&a.0.prediction.probability));
    let highest = hours.iter().take(NOTABLE_HOURS).map(notable_hour).collect();
    let error = |(row, _, exceeded): &(&ForecastRow, HourOutcome, bool)| {
        forecast::evaluation::log_loss(row.prediction.probability, *exceeded)
    };
    hours.sort_by(|a, b| error(b).total_cmp(&error(a)));
    (highest, hours.iter().take(NOTABLE_HOURS).map(notable_hour).collect())
}

fn notable_hour((row, outcome, exceeded): &(&ForecastRow, HourOutcome, bool)) -> NotableHour {
    let hour = &row.target.hour;
    let (start, end) = (hour.hour_ending - 1, hour.hour_ending);
    let repeated = if hour.repeated { " (repeated hour)" } else { "" };
    NotableHour {
        when: format!(
            "{}, {start:02}:00–{end:02}:00{repeated}",
            hour.operating_day.date().strftime("%a %-d %b %Y")
        ),
        settlement_point: row.settlement_point.name().to_owned(),
        lead_day: row.target.lead_day,
        threshold: row.threshold.value(),
        probability: row.prediction.probability,
        climatology: row.prediction.climatology,
        highest_price: match outcome {
            HourOutcome::Known(price) | HourOutcome::AtLeast(price) => price.value(),
            HourOutcome::Unknown => f64::NAN,
        },
        outcome: if *exceeded { Outcome::Exceeded } else { Outcome::NotExceeded },
    }
}
