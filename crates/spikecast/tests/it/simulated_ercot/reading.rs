//! What is served is read by the program's own readers as what was simulated: the layouts were
//! written from ERCOT's files, the readers too, and neither from the other.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use market::observation::{Observation, Series, SeriesKey};
use market::place::{Place, SettlementPoint};
use market::reports::{Posting, Report, Wanted, parse, parse_page, parse_settlement_points};
use market::source::simulator::{Simulator, SimulatorSettings, Vintages};
use market::source::{FetchRequest, Source};
use market::time::{OperatingDay, display, parse_local};
use serde_json::Value;

use super::Served;

const MORNING: &str = "2026-07-14T09:30";

/// A value with its key and both of its times; the value in cents.
type Said = (SeriesKey, Timestamp, Timestamp, i64);

#[expect(clippy::cast_possible_truncation, reason = "prices are small")]
fn said(key: &SeriesKey, it: &Observation) -> Said {
    (key.clone(), it.interval_start, it.published_at, (it.value * 100.0).round() as i64)
}

fn simulator() -> Simulator {
    let first_day = jiff::civil::date(2018, 1, 1);
    Simulator::new(SimulatorSettings { seed: 42, first_day, vintages: Vintages::EveryHour })
}

/// Returns what the simulated market published about some keys in `[after, until]`.
fn simulated(keys: &[SeriesKey], after: Timestamp, until: Timestamp) -> BTreeSet<Said> {
    let mut all = BTreeSet::new();
    for key in keys {
        let published_after = Some(after - SignedDuration::from_secs(1));
        let request = FetchRequest { key: key.clone(), published_after, published_until: until };
        all.extend(simulator().fetch(&request).unwrap().iter().map(|it| said(key, it)));
    }
    all
}

fn posting(report: Report, document: &Value) -> Posting {
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let posted_at = text("PublishDate").parse().unwrap();
    Posting { report, id: text("DocID"), name: text("ConstructedName"), posted_at }
}

/// Reads all postings that the MIS lists.
fn read_from_mis(served: &Served, report: Report) -> (BTreeSet<Said>, Vec<Posting>) {
    let (mut all, mut postings) = (BTreeSet::new(), Vec::new());
    for document in served.mis(report.facts().report_type_id) {
        let posting = posting(report, &document);
        let file = served.mis_file(&document).unwrap();
        let contents = parse(&posting, &file.body, &Wanted::default()).unwrap();
        assert!(contents.complaints.is_empty() && contents.drift.is_empty(), "{contents:?}");
        for (key, observations) in contents.observations {
            all.extend(observations.iter().map(|it| said(&key, it)));
        }
        postings.push(posting);
    }
    (all, postings)
}

fn constraints() -> Vec<SeriesKey> {
    let places = Simulator::constraints().into_iter().map(Place::Constraint);
    places.map(|place| SeriesKey { series: Series::ShadowPrice, place }).collect()
}

#[test]
fn shadow_prices_are_read_as_simulated() {
    let served = Served::at(MORNING, &["--no-limits"]).signed_in();
    let (read, postings) = read_from_mis(&served, Report::ShadowPrices);
    let now = parse_local(MORNING).unwrap();
    // The MIS lists a week.
    let expected = simulated(&constraints(), now - SignedDuration::from_hours(24 * 7), now);
    assert!(100 < expected.len(), "{} shadow prices in a week of July", expected.len());
    assert_eq!(read, expected);
    // An hour in a posting, five minutes after it or a little later; none if nothing was full.
    assert!(postings.len() <= 24 * 7 + 10, "{} postings", postings.len());
    // The rows say the same.
    let range = "SCEDTimestampFrom=2026-07-13T00:00:00&SCEDTimestampTo=2026-07-13T23:59:59";
    let page = served.api(&format!("/np6-86-cd/shdw_prices_bnd_trns_const?{range}")).unwrap();
    let page = parse_page(Report::ShadowPrices, None, &page.body, &Wanted::default()).unwrap();
    let mut rows = BTreeSet::new();
    for (key, observations) in page.contents.observations {
        rows.extend(observations.iter().map(|it| said(&key, it)));
    }
    let day = OperatingDay::new(jiff::civil::date(2026, 7, 13));
    let is_of_day = |it: &&Said| day.start() <= it.1 && it.1 < day.end();
    assert_eq!(rows, expected.iter().filter(is_of_day).cloned().collect());
}

fn day_ahead() -> Vec<SeriesKey> {
    let points = Simulator::settlement_points();
    points.iter().map(|point| SeriesKey::at(Series::DayAheadSpp, point)).collect()
}

/// Returns when day-ahead prices were first corrected in a year.
fn first_correction(year: i16) -> Timestamp {
    let from = OperatingDay::new(jiff::civil::date(year, 1, 1));
    let hub = SettlementPoint::new("HB_HUBAVG").unwrap();
    let prices = simulated(
        &[SeriesKey::at(Series::DayAheadSpp, &hub)],
        from.start(),
        from.plus_days(365).start(),
    );
    let corrected = prices.iter().filter(|it| it.1 < it.2).map(|it| it.2);
    corrected.min().expect("some day of a year is corrected")
}

#[test]
fn corrected_day_ahead_prices_are_read_as_simulated() {
    let corrected_at = first_correction(2026);
    let clock = display(corrected_at);
    let served = Served::at(&clock[..16].replace(' ', "T"), &["--no-limits"]).signed_in();
    let (read, postings) = read_from_mis(&served, Report::DayAheadCorrections);
    let newest = postings.iter().filter(|it| it.posted_at == corrected_at).count();
    assert!(0 < newest, "{postings:?}");
    let read: BTreeSet<Said> = read.into_iter().filter(|it| it.2 == corrected_at).collect();
    assert_eq!(read, simulated(&day_ahead(), corrected_at, corrected_at));
    // Rows say minutes and seconds of the correction only, and are no use.
    let day = read.first().map(|it| OperatingDay::of(it.1)).unwrap();
    let rows =
        format!("/np4-196-m/dam_price_corrections_spp?deliveryDateFrom={day}&deliveryDateTo={day}");
    let page = served.api(&rows).unwrap();
    let refused = parse_page(Report::DayAheadCorrections, None, &page.body, &Wanted::default());
    assert!(refused.unwrap_err().to_string().contains("lines cannot be used"));
    // The archive has the same files as the MIS.
    let list = served.json(&format!("/archive/np4-196-m?postDatetimeFrom={day}T00:00:00"));
    let id = list["archives"][0]["docId"].as_i64().unwrap();
    assert!(postings.iter().any(|it| it.id == id.to_string()));
}

#[test]
fn settlement_points_are_read_as_simulated() {
    let served = Served::at(MORNING, &["--no-limits"]);
    let documents = served.mis(10_008);
    // A month of weekly lists.
    assert!((4..=6).contains(&documents.len()), "{documents:?}");
    let file = served.mis_file(&documents[0]).unwrap();
    let read: BTreeSet<_> = parse_settlement_points(&file.body).unwrap().into_iter().collect();
    assert_eq!(read, Simulator::settlement_points().into_iter().collect());
}
