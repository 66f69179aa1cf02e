//! Stage *validate*: what is known at the issue time, how fresh it is, and whether it suffices.

use jiff::SignedDuration;
use market::observation::{KnownAt, Series, SeriesKey};
use market::time::display;
use orchestration::{StageOutput, StageResult};

use super::shapes::{ForecastInput, InputStatus, ValidateOutput};
use super::workspace::Workspace;
use crate::jobs::source::series_keys;
use crate::jobs::training::require_prices;

/// Coverage is judged over this span before the issue time.
const JUDGED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Nothing older than this is looked for.
const REACH: SignedDuration = SignedDuration::from_hours(400 * 24);

pub(super) fn validate(workspace: &Workspace, input: &ForecastInput) -> StageResult {
    let history = workspace.history(input)?;
    let view = history.known_at(input.issue_time);
    require_prices(&view, &input.targets.points()?)?;
    let keys = series_keys(&input.targets.points()?);
    let (mut inputs, mut reasons) = (Vec::new(), Vec::new());
    for key in &keys {
        let status = status(&view, key);
        // What a source has never had is nothing to complain of.
        if status.newest_interval.is_none() && Series::FORECAST_EXTRAS.contains(&key.series) {
            continue;
        }
        reasons.extend(shortcoming(key, &status));
        inputs.push(status);
    }
    let output = StageOutput::of(&ValidateOutput { inputs })?;
    Ok(reasons.into_iter().fold(output, StageOutput::degraded_because))
}

/// Says why a forecast that rests on this input is degraded. Prices and load must be there and be
/// recent; what else is missing makes the forecast poorer, which the model has learnt to live with.
fn shortcoming(key: &SeriesKey, status: &InputStatus) -> Option<String> {
    let newest = status.newest_interval?;
    let is_essential = matches!(key.series, Series::RealTimeLmp | Series::LoadActual);
    if !is_essential || (status.fresh && COVERAGE_MIN <= status.coverage) {
        return None;
    }
    Some(format!(
        "{}: newest of {}, {:.0} % of the last week known",
        status.name,
        display(newest),
        100.0 * status.coverage
    ))
}

/// Load is a day behind, which is 14 % of a week.
const COVERAGE_MIN: f64 = 0.75;

/// How far beyond the issue time a series should reach (behind it, when negative).
fn expected_reach(series: Series) -> SignedDuration {
    match series {
        Series::RealTimeLmp => SignedDuration::from_mins(-30),
        Series::HourlyMaxLmp | Series::HourlyMeanLmp | Series::HourlyCoverage => {
            SignedDuration::from_hours(-3)
        }
        // Published once a day at 05:50 for the day before.
        Series::LoadActual => SignedDuration::from_hours(-31),
        Series::WindActual | Series::SolarActual | Series::Temperature => {
            SignedDuration::from_hours(-4)
        }
        Series::LoadForecast | Series::WindForecast | Series::SolarForecast => {
            SignedDuration::from_hours(14)
        }
        // Reported for days ahead.
        series if Series::FORECAST_EXTRAS.contains(&series) => SignedDuration::from_hours(14),
        // The day-ahead market's: until the end of today at least.
        _ => SignedDuration::ZERO,
    }
}

fn status(view: &KnownAt<'_>, key: &SeriesKey) -> InputStatus {
    let known = view.series(key);
    let ahead = SignedDuration::from_hours(10 * 24);
    let newest = known.latest(ahead, ahead + REACH);
    let now = view.instant();
    let known_intervals = known.between(now - JUDGED, now).count();
    let expected = JUDGED.as_secs_f64() / key.series.interval().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand intervals")]
    let coverage = (known_intervals as f64 / expected).min(1.0);
    InputStatus {
        name: format!("{} ({})", key.series.title(), key.place),
        newest_interval: newest.map(|known| known.interval_start),
        published_at: newest.map(|known| known.published_at),
        coverage,
        expected: Some(now + expected_reach(key.series)),
        fresh: newest.is_some_and(|known| {
            now + expected_reach(key.series) <= known.interval_start + key.series.interval()
        }),
    }
}
