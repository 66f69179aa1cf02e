//! Retrains through a year and scores it by threshold and lead day.

use std::collections::BTreeMap;
use std::error::Error;

use forecast::evaluation::{
    Forecaster, IntervalForecast, ScoredHour, ScoredHours, interval_coverage, scores,
};
use forecast::features::Examples;
use forecast::model::Prediction;
use jiff::Timestamp;
use jiff::civil::date;
use market::observation::History;
use market::time::local;
use rayon::prelude::*;

use super::history::{describe, issue_days, labelled, load, thresholds, timed, train};

pub(super) fn measure(folder: &str, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let every: usize = arguments.first().map_or(Ok(28), |text| text.parse())?;
    let year: i16 = arguments.get(1).map_or(Ok(2024), |text| text.parse())?;
    let (history, points) = load(folder)?;
    let described = describe(&history, &points, &issue_days(year));
    let first = date(year, 1, 1);
    let issued: Vec<&Examples> =
        described.iter().filter(|day| first <= local(day.issue_time).date()).collect();
    let windows: Vec<&[&Examples]> = issued.chunks(every * points.len()).collect();
    let forecast = |window: &&[&Examples]| -> Vec<Vec<Vec<Prediction>>> {
        let model = train(&history, &described, window[0].issue_time);
        let predict = |day: &&Examples| day.rows.iter().map(|row| model.predict(row)).collect();
        window.iter().map(predict).collect()
    };
    let (forecasts, seconds) =
        timed(|| windows.par_iter().flat_map_iter(forecast).collect::<Vec<_>>());
    println!("{} trainings in {seconds:.1} s", windows.len());
    report(&history, &issued, &forecasts);
    report_intervals(&history, &issued, &forecasts);
    Ok(())
}

type Group = (usize, Option<u8>);

/// Collects the hours with a known outcome by threshold, pooled and by lead day.
fn groups(
    history: &History,
    issued: &[&Examples],
    forecasts: &[Vec<Vec<Prediction>>],
) -> BTreeMap<Group, ScoredHours> {
    let mut groups: BTreeMap<Group, Vec<(ScoredHour, Prediction)>> = BTreeMap::new();
    let rows = labelled(history, issued.iter().copied(), Timestamp::MAX);
    for (row, predictions) in rows.iter().zip(forecasts.iter().flatten()) {
        let target = row.example.target;
        for ((index, threshold), prediction) in thresholds().iter().enumerate().zip(predictions) {
            let Some(exceeded) = row.outcome.exceeds(threshold) else { continue };
            let hour = ScoredHour::new(row.issue_time, &target, 0, exceeded);
            for lead_day in [None, Some(target.lead_day)] {
                groups.entry((index, lead_day)).or_default().push((hour, *prediction));
            }
        }
    }
    groups.into_iter().map(|(group, rows)| (group, ScoredHours::of_predictions(&rows))).collect()
}

fn report(history: &History, issued: &[&Examples], forecasts: &[Vec<Vec<Prediction>>]) {
    let groups = groups(history, issued, forecasts);
    let each = 0..thresholds().count();
    println!("skill in % against the tougher climatology, Brier / log-loss, by threshold:");
    for lead_day in [None, Some(1), Some(2), Some(3)] {
        for who in [Forecaster::Combined, Forecaster::Logistic, Forecaster::BoostedTrees] {
            let cell = |index: usize| {
                let scores = scores(&groups[&(index, lead_day)], who);
                let (brier, log) = (100.0 * scores.brier_skill, 100.0 * scores.log_loss_skill);
                format!(" {brier:+6.2}/{log:+6.2}")
            };
            let lead = lead_day.map_or("pooled".to_owned(), |day| format!("day {day} "));
            println!("{lead} {:<14}{}", who.name(), each.clone().map(cell).collect::<String>());
        }
    }
    let error = |index: usize| {
        format!(" {:.4}", scores(&groups[&(index, None)], Forecaster::Combined).calibration_error)
    };
    println!("calibration error, pooled {}", each.clone().map(error).collect::<String>());
    let ratio = |index: usize| {
        let hours = &groups[&(index, None)];
        let pairs = hours.pairs(Forecaster::Combined);
        let forecast: f64 = pairs.iter().map(|(probability, _)| probability).sum();
        #[expect(clippy::cast_precision_loss, reason = "row counts")]
        let observed = pairs.iter().filter(|(_, exceeded)| *exceeded).count() as f64;
        format!(" {:.2}", forecast / observed)
    };
    println!("forecast ÷ observed exceedances {}", each.map(ratio).collect::<String>());
}

/// Says how often the frequency of like hours lies within their intervals, by threshold.
fn report_intervals(history: &History, issued: &[&Examples], forecasts: &[Vec<Vec<Prediction>>]) {
    let rows = labelled(history, issued.iter().copied(), Timestamp::MAX);
    let of_threshold = |(index, threshold)| -> String {
        let hours = rows.iter().zip(forecasts.iter().flatten()).filter_map(|(row, predictions)| {
            let said: &Prediction = &predictions[index];
            Some(IntervalForecast {
                probability: said.probability,
                lower: said.lower,
                upper: said.upper,
                exceeded: row.outcome.exceeds(threshold)?,
            })
        });
        let hours: Vec<IntervalForecast> = hours.collect();
        let coverage = interval_coverage(&hours);
        coverage.map_or(" -".to_owned(), |it| {
            format!(" {} of {} ({:.4})", it.covered, it.bins, it.width)
        })
    };
    let all: String = thresholds().iter().enumerate().map(of_threshold).collect();
    println!("90 % intervals that hold the frequency of like hours (mean width):{all}");
}
