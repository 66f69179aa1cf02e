//! Translates the results of a backtest into the view of its page.

use forecast::target::HourOutcome;
use jiff::civil::Date;

use super::shapes::BacktestInput;
use crate::jobs::failure::JobError;
use crate::ledger::ForecastRow;
use crate::report::{BacktestPage, NotableHour, Outcome, Setting};
use crate::verification::{self, Assessment, Cases, headlines, section_views};

/// Hours listed in each of the tables of notable hours.
const NOTABLE_HOURS: usize = 10;
/// The threshold of the notable hours, when it is forecast; else the lowest.
const REFERENCE_THRESHOLD: f64 = 100.0;

pub(super) fn page(
    rows: &[ForecastRow],
    truth: &[HourOutcome],
    (cases, assessment): (&Cases, &Assessment),
    input: &BacktestInput,
) -> Result<BacktestPage, JobError> {
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
        headlines: headlines(cases, assessment),
        settings: settings(input, &source.describe()),
        skill_interval: 0.9,
        sections: section_views(cases, assessment),
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
    let own = "Every forecast saw only what was published before its issue time; every model was trained only on hours whose prices were known at its training.";
    std::iter::once(own.to_owned()).chain(verification::notes()).collect()
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
