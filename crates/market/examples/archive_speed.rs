//! Measures the archive on real data: the import of five years of five hubs, its size, and reads
//! of five years of one hub's 5-minute prices as known at an instant, beside the same rows from
//! one plain Parquet file and, given a Python that has polars, as polars reads them.
//!
//! `cargo run --release -p market --example archive_speed -- FOLDER [FROM_DATA [PYTHON]]`

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use market::archive::{Archive, ArchiveLocation, Batch, Query, Upkeep, Vintages};
use market::observation::{Observation, Series, SeriesKey};
use market::place::SettlementPoint;
use market::source::files::FileSource;
use market::source::{FetchRequest, Source};
use market::table::{ColumnKind, ColumnSpec, Table};

const HUBS: [&str; 5] = ["HB_HUBAVG", "HB_HOUSTON", "HB_NORTH", "HB_SOUTH", "HB_WEST"];
const READS: usize = 7;
const KNOWN_AT: &str = "2024-12-31T15:57:00Z";

#[expect(clippy::disallowed_methods, reason = "a stopwatch is what this program is")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64() * 1_000.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("expected the folder of a new archive")?;
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned();
    let data = arguments.next().unwrap_or(default);
    let python = arguments.next();
    let mut out = std::io::stdout().lock();
    let location = ArchiveLocation::Folder(folder.clone().into());
    let archive = Archive::open(&location)?;
    let now = Timestamp::from_second(1_760_000_000)?;

    let source = FileSource::open(Path::new(&data))?;
    let (rows, import) = timed(|| import(&archive, &source, now));
    writeln!(out, "import of five years of five hubs: {} rows in {import:.0} ms", rows?)?;
    report_size(&archive, &mut out)?;
    read(&archive, &mut out)?;

    let upkeep = Upkeep { now, grace: SignedDuration::from_hours(24), raw_kept: None };
    let (kept, compaction) = timed(|| archive.compact(&upkeep));
    writeln!(out, "compaction of {} parts: {compaction:.0} ms", kept?.parts_merged)?;
    report_size(&archive, &mut out)?;
    let ours = read(&archive, &mut out)?;

    let path = Path::new(&data).join("rt_lmp_5min_hubavg.parquet");
    let specs = [
        ColumnSpec::required("interval_start_utc", ColumnKind::Instant),
        ColumnSpec::nullable("lmp_usd_mwh", ColumnKind::ANY_NUMBER),
    ];
    let times: Vec<f64> = (0..READS).map(|_| timed(|| Table::read(&path, &specs)).1).collect();
    writeln!(out, "plain read of two columns of one Parquet file: {}", shown(&times))?;
    match python {
        Some(python) => polars(&python, &archive, Path::new(&folder), ours, &mut out),
        None => Ok(writeln!(out, "name a Python that has polars to compare with it")?),
    }
}

/// Has polars read the same rows, and compares its times with `ours`, in milliseconds.
fn polars(
    python: &str,
    archive: &Archive,
    folder: &Path,
    ours: f64,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let exported = folder.join("exported");
    archive.export((Timestamp::MIN, Timestamp::MAX), &exported)?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/archive_speed.py");
    let output = Command::new(python)
        .arg(script)
        .args([folder.join("parts/rt_lmp"), exported.join("rt_lmp.parquet")])
        .args([HUBS[0], KNOWN_AT])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    for line in String::from_utf8(output.stdout)?.lines() {
        let [name, time, rows] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("expected name, time and rows, found {line:?}").into());
        };
        let time: f64 = time.parse()?;
        let ratio = time / ours;
        writeln!(out, "polars, {name}: {rows} rows, {time:.1} ms, {ratio:.2} times ours")?;
    }
    Ok(())
}

/// Imports the real hub average, and the same prices shifted by cents as four more hubs: of those
/// only 2024 is at hand.
fn import(archive: &Archive, source: &FileSource, now: Timestamp) -> Result<usize, Box<dyn Error>> {
    let mut rows = 0;
    for (cents, hub) in (0..).zip(HUBS) {
        let request = FetchRequest {
            key: key(HUBS[0])?,
            published_after: None,
            published_until: Timestamp::MAX,
        };
        let observations = source.fetch(&request)?;
        let shift = f64::from(cents) / 100.0;
        let shifted = observations.iter().map(|o| Observation { value: o.value + shift, ..*o });
        let mut batch = Batch::new(&source.id(), now);
        batch.add(&key(hub)?, shifted);
        rows += archive.commit(&batch)?.observations;
    }
    Ok(rows)
}

fn key(hub: &str) -> Result<SeriesKey, Box<dyn Error>> {
    Ok(SeriesKey::at(Series::RealTimeLmp, &SettlementPoint::new(hub)?))
}

fn report_size(archive: &Archive, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    for (series, status) in archive.status()?.series {
        let (parts, rows, bytes) = (status.parts, status.rows, status.bytes);
        writeln!(out, "  {series}: {parts} parts, {rows} rows, {bytes} bytes")?;
    }
    Ok(())
}

/// Returns the median time of reading what was known, in milliseconds.
fn read(archive: &Archive, out: &mut impl Write) -> Result<f64, Box<dyn Error>> {
    let known_at: Timestamp = KNOWN_AT.parse()?;
    let mut medians = Vec::new();
    for vintages in [Vintages::KnownAt(known_at), Vintages::All] {
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        let query = Query { key: key(HUBS[0])?, from, to, vintages };
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..READS {
            let (columns, time) = timed(|| archive.read(&query));
            rows = columns?.len();
            times.push(time);
        }
        writeln!(out, "read {vintages:?}: {rows} rows, {}", shown(&times))?;
        medians.push(median(&times));
    }
    Ok(medians[0])
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn shown(times: &[f64]) -> String {
    let (first, median) = (times[0], median(times));
    format!("first {first:.1} ms, median of {} {median:.1} ms", times.len())
}
