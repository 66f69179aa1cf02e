//! `spikecast forecast`: what was forecast, shown, exported with the design's columns, or explained.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use market::table::{ColumnData, WriteError, write_atomically, write_parquet};
use market::time::{display, parse_local};
use serde_json::{Map, Value, json};

use super::args::{ExportFormat, ForecastCommand, GlobalArgs, IssueArgs};
use super::explain;
use super::forecast_above::at_another_price;
use super::forecast_table::forecast_table;
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::{JobError, exit_of_error};
use crate::ledger::{
    ForecastRow, Issue, Ledger, LedgerError, design_columns, read_forecast, read_provenance,
};

pub(super) fn forecast(
    global: &GlobalArgs,
    command: &ForecastCommand,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let ledger = Ledger::in_folder(global.settings()?.data_dir.ledger());
    match command {
        ForecastCommand::Show { issue, above } => {
            let issue = find(&ledger, issue)?;
            let mut rows = read_forecast(&issue.path).map_err(ledger_error)?;
            if let Some(price) = above {
                rows = at_another_price(global, price, &rows)?;
            }
            show(&issue, &rows, global.json, terminal)
        }
        ForecastCommand::Export { issue, format, out } => {
            let issue = find(&ledger, issue)?;
            let rows = read_forecast(&issue.path).map_err(ledger_error)?;
            export(&rows, *format, out.as_deref(), terminal)
        }
        ForecastCommand::Explain(arguments) => {
            let issue = find(&ledger, &arguments.issue)?;
            let rows = read_forecast(&issue.path).map_err(ledger_error)?;
            explain::explain(global, arguments, &rows, terminal)
        }
    }
}

fn ledger_error(error: LedgerError) -> CommandError {
    let error = JobError::from(error);
    CommandError::new(exit_of_error(&error), error)
}

fn find(ledger: &Ledger, arguments: &IssueArgs) -> Result<Issue, CommandError> {
    let wanted = arguments.issue_time.as_deref().map(parse_local).transpose();
    let wanted: Option<Timestamp> = wanted.map_err(CommandError::usage)?;
    let mut issues = ledger.issues().map_err(ledger_error)?;
    let known: Vec<String> =
        issues.iter().rev().take(5).map(|issue| display(issue.issue_time)).collect();
    issues.retain(|issue| wanted.is_none_or(|wanted| wanted == issue.issue_time));
    issues.pop().ok_or_else(|| match wanted {
        Some(wanted) if !known.is_empty() => CommandError::usage(format!(
            "no forecast was issued at {}; the latest are of {}",
            display(wanted),
            known.join(", ")
        )),
        _ => CommandError::usage("no forecast was issued yet; start with `spikecast run`"),
    })
}

fn show(
    issue: &Issue,
    rows: &[ForecastRow],
    json: bool,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    if json {
        terminal.json(&to_json(rows))?;
        return Ok(Exit::Fine);
    }
    let provenance = read_provenance(&issue.path).map_err(ledger_error)?;
    let title = format!("Forecast issued {}", display(issue.issue_time));
    terminal.line(terminal.paint(Style::Bold, &title))?;
    terminal.line(format!("source    {}", provenance.source))?;
    if let Some(row) = rows.first() {
        terminal.line(format!("model     {}", row.model_version))?;
        terminal.line(format!("quality   {}", row.quality))?;
    }
    terminal.line("")?;
    let highest =
        |rows: &[ForecastRow]| rows.iter().map(|row| row.threshold.value()).fold(0.0, f64::max);
    let mut by_point = rows.chunk_by(|a, b| a.settlement_point == b.settlement_point);
    // A percentile is another price at each settlement point: then each gets a table of its own.
    if by_point.all(|point| highest(point).total_cmp(&highest(rows)).is_eq()) {
        forecast_table(rows, terminal)?;
    } else {
        for point in rows.chunk_by(|a, b| a.settlement_point == b.settlement_point) {
            forecast_table(point, terminal)?;
        }
    }
    Ok(Exit::Fine)
}

fn export(
    rows: &[ForecastRow],
    format: ExportFormat,
    out: Option<&Path>,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let not_written = |error: WriteError| CommandError::new(Exit::NotWritable, error);
    let bytes = match (format, out) {
        (ExportFormat::Parquet, None) => {
            return Err(CommandError::usage("a Parquet file needs a name: --out FILE"));
        }
        (ExportFormat::Parquet, Some(out)) => {
            let out = target(out)?;
            write_parquet(&out, &design_columns(rows), &[]).map_err(not_written)?;
            terminal.note(&format!("wrote {} ({} rows)", out.display(), rows.len()));
            return Ok(Exit::Fine);
        }
        (ExportFormat::Csv, _) => to_csv(rows),
        (ExportFormat::Json, _) => format!("{:#}\n", to_json(rows)).into_bytes(),
    };
    match out {
        Some(out) => {
            let out = target(out)?;
            write_atomically(&out, |file| file.write_all(&bytes)).map_err(not_written)?;
            terminal.note(&format!("wrote {} ({} rows)", out.display(), rows.len()));
        }
        None => terminal.raw(&bytes)?,
    }
    Ok(Exit::Fine)
}

/// Returns the file that a path means: behind a link the file it points to; no device, no pipe,
/// and in a folder that is there.
fn target(out: &Path) -> Result<PathBuf, CommandError> {
    let out = out.canonicalize().unwrap_or_else(|_| out.to_owned());
    if out.exists() && !out.is_file() {
        return Err(CommandError::usage(format!(
            "{}: is not a file; name a file, or leave --out away to write to standard output",
            out.display()
        )));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(CommandError {
            exit: Exit::NotWritable,
            cause: anyhow::anyhow!("{}: there is no such folder; make it first", folder.display()),
        }),
        Some(_) | None => Ok(out),
    }
}

fn to_csv(rows: &[ForecastRow]) -> Vec<u8> {
    let columns = design_columns(rows);
    let mut bytes = Vec::new();
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    writeln!(bytes, "{}", header.join(",")).expect("memory can be written to");
    for row in 0..rows.len() {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, data)| match cell(data, row) {
                Value::String(text) => quoted(&text),
                other => other.to_string(),
            })
            .collect();
        writeln!(bytes, "{}", cells.join(",")).expect("memory can be written to");
    }
    bytes
}

/// Quotes a cell that holds a separator (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn to_json(rows: &[ForecastRow]) -> Value {
    let columns = design_columns(rows);
    let object = |row: usize| {
        let cells = columns.iter().map(|(name, data)| ((*name).to_owned(), cell(data, row)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    Value::Array((0..rows.len()).map(object).collect())
}

fn cell(data: &ColumnData, row: usize) -> Value {
    match data {
        ColumnData::Instants(cells) => json!(cells[row].to_string()),
        ColumnData::Days(cells) => json!(cells[row].to_string()),
        ColumnData::Numbers(cells) => json!(cells[row]),
        ColumnData::NullableNumbers(cells) => json!(cells[row]),
        ColumnData::Integers(cells) => json!(cells[row]),
        ColumnData::Flags(cells) => json!(cells[row]),
        ColumnData::Texts(cells) => json!(&*cells[row]),
    }
}
