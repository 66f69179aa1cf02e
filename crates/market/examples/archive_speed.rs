//! Measures the archive on real data: the import of five years of five hubs, its size, and reads
//! of five years of one hub's 5-minute prices as known at an instant, beside the same rows from
//! one plain Parquet file.
//!
//! `cargo run --release -p market --example archive_speed -- FOLDER [FROM_DATA]`

use std::error::Error;
use std::io::Write;
use std::path::Path;
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
    let mut out = std::io::stdout().lock();
    let location = ArchiveLocation::Folder(folder.into());
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
    read(&archive, &mut out)?;

    let path = Path::new(&data).join("rt_lmp_5min_hubavg.parquet");
    let specs = [
        ColumnSpec::required("interval_start_utc", ColumnKind::Instant),
        ColumnSpec::nullable("lmp_usd_mwh", ColumnKind::ANY_NUMBER),
    ];
    let times: Vec<f64> = (0..READS).map(|_| timed(|| Table::read(&path, &specs)).1).collect();
    writeln!(out, "plain read of two columns of one Parquet file: {}", shown(&times))?;
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

fn read(archive: &Archive, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let known_at: Timestamp = "2024-12-31T15:57:00Z".parse()?;
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
    }
    Ok(())
}

fn shown(times: &[f64]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (first, median) = (times[0], sorted[sorted.len() / 2]);
    format!("first {first:.1} ms, median of {} {median:.1} ms", times.len())
}
