//! A forecast in a few lines: per settlement point and day the hours as a row of blocks, and the
//! peak for each threshold.

use super::terminal::{Style, Terminal};
use crate::exit::CommandError;
use crate::ledger::ForecastRow;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The threshold whose hours are drawn, when it is forecast; else the lowest.
const REFERENCE_THRESHOLD: f64 = 100.0;

/// Below this, full blocks would suggest a risk where there is none.
const SCALE_MIN: f64 = 0.05;

/// Prints the forecast's rows, which come by settlement point, hour and threshold.
pub(super) fn forecast_table(
    rows: &[ForecastRow],
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let mut thresholds: Vec<f64> = rows.iter().map(|row| row.threshold.value()).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let Some(&lowest) = thresholds.first() else { return Ok(()) };
    let reference =
        thresholds.iter().copied().find(|&t| t >= REFERENCE_THRESHOLD).unwrap_or(lowest);
    // One scale for all points, or the rows of blocks could not be compared.
    let top = rows
        .iter()
        .filter(|row| is_at(row, reference))
        .map(|row| row.prediction.probability)
        .fold(SCALE_MIN, f64::max);
    let header: Vec<String> =
        thresholds.iter().map(|t| format!("{:>8}", format!(">${t}"))).collect();
    terminal.line(terminal.paint(
        Style::Dim,
        &format!(
            "{:23}{:26}{}   day's highest hour",
            "",
            format!("hours 0–24, >${reference}"),
            header.concat()
        ),
    ))?;
    for point in rows.chunk_by(|a, b| a.settlement_point == b.settlement_point) {
        for day in point.chunk_by(|a, b| a.target.lead_day == b.target.lead_day) {
            let date = day[0].target.hour.operating_day.date().strftime("%a %-d %b");
            let name = format!("{:12}{:11}", day[0].settlement_point.name(), date.to_string());
            let blocks: String =
                day.iter().filter(|row| is_at(row, reference)).map(|row| block(row, top)).collect();
            let peaks: String = thresholds.iter().map(|&t| peak(day, t)).collect();
            let blocks = terminal.paint(Style::Yellow, &format!("{blocks:26}"));
            terminal.line(format!("{name}{blocks}{peaks}"))?;
        }
    }
    terminal.line("")
}

fn is_at(row: &ForecastRow, threshold: f64) -> bool {
    row.threshold.value().total_cmp(&threshold).is_eq()
}

fn block(row: &ForecastRow, top: f64) -> char {
    let share = row.prediction.probability / top.max(f64::MIN_POSITIVE);
    let index = BLOCKS.iter().zip(1_u8..).position(|(_, step)| share <= f64::from(step) / 8.0);
    BLOCKS[index.unwrap_or(BLOCKS.len() - 1)]
}

fn peak(day: &[ForecastRow], threshold: f64) -> String {
    let highest = day
        .iter()
        .filter(|row| is_at(row, threshold))
        .map(|row| row.prediction.probability)
        .fold(0.0, f64::max);
    format!("{:>8}", percent(highest))
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}
