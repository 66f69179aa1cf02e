//! What the file source finds in a folder of the layout, made up or real.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::FileSource;
use crate::observation::{AncillaryService, Observation, Series, SeriesKey};
use crate::place::{Place, SettlementPoint, WeatherZone};
use crate::source::{FetchRequest, Source, SourceError};
use crate::table::{ColumnData, TableError, write_parquet};
use crate::time::OperatingDay;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn point(name: &str) -> SettlementPoint {
    SettlementPoint::new(name).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn fetch(source: &FileSource, key: &SeriesKey) -> Result<Vec<Observation>, SourceError> {
    source.fetch(&FetchRequest {
        key: key.clone(),
        published_after: None,
        published_until: Timestamp::MAX,
    })
}

fn seen(source: &FileSource, key: &SeriesKey) -> Vec<(String, String, f64)> {
    let observations = fetch(source, key).unwrap();
    let row = |o: &Observation| (o.interval_start.to_string(), o.published_at.to_string(), o.value);
    observations.iter().map(row).collect()
}

fn row(interval_start: &str, published_at: &str, value: f64) -> (String, String, f64) {
    (interval_start.to_owned(), published_at.to_owned(), value)
}

const HUB_AVERAGE: (&str, &str) = (
    "rt_lmp_5min_hubavg.csv",
    "interval_start_utc,lmp_usd_mwh\n2024-08-19T14:55:00Z,21.5\n2024-08-19T15:00:00Z,\n",
);

#[test]
fn prices_of_the_hub_average_need_no_point_and_skip_empty_cells() {
    let folder = folder(&[HUB_AVERAGE]);
    let source = FileSource::open(folder.path()).unwrap();
    assert_eq!(source.default_settlement_points().unwrap(), [point("HB_HUBAVG")]);
    assert_eq!(
        seen(&source, &SeriesKey::at(Series::RealTimeLmp, &point("HB_HUBAVG"))),
        [row("2024-08-19T14:55:00Z", "2024-08-19T15:00:00Z", 21.5)]
    );
    let absent = SeriesKey::system(Series::LoadActual);
    assert!(seen(&source, &absent).is_empty(), "everything but prices is optional");
}

#[test]
fn every_sced_run_of_a_hub_counts_with_its_own_time() {
    let folder = folder(&[(
        "rt_lmp_5min_hubs.csv",
        "interval_start_utc,sced_timestamp_utc,settlement_point,lmp_usd_mwh\n\
         2024-11-03T06:00:00Z,2024-11-03T06:00:15Z,HB_WEST,10\n\
         2024-11-03T06:00:00Z,2024-11-03T06:03:12Z,HB_WEST,11\n\
         2024-11-03T07:00:00Z,,HB_NORTH,12\n",
    )]);
    let source = FileSource::open(folder.path()).unwrap();
    let points = source.default_settlement_points().unwrap();
    assert_eq!(points, [point("HB_NORTH"), point("HB_WEST")]);
    assert_eq!(
        seen(&source, &SeriesKey::at(Series::RealTimeLmp, &point("HB_WEST"))),
        [
            row("2024-11-03T06:00:15Z", "2024-11-03T06:05:15Z", 10.0),
            row("2024-11-03T06:03:12Z", "2024-11-03T06:08:12Z", 11.0)
        ]
    );
    assert_eq!(
        seen(&source, &SeriesKey::at(Series::RealTimeLmp, &point("HB_NORTH"))),
        [row("2024-11-03T07:00:00Z", "2024-11-03T07:05:00Z", 12.0)]
    );
}

#[test]
fn vintages_are_all_kept_and_others_regions_are_skipped() {
    let folder = folder(&[
        HUB_AVERAGE,
        (
            "wind_solar_forecast_vintages.csv",
            "hour_start_utc,publish_time_utc,kind,series,region,forecast_mw\n\
             2024-03-10T08:00:00Z,2024-03-09T15:55:00Z,wind,STWPF,SystemWide,9000\n\
             2024-03-10T08:00:00Z,2024-03-09T15:55:08Z,wind,STWPF,SystemWide,9100\n\
             2024-03-10T08:00:00Z,2024-03-09T15:55:08Z,wind,STWPF,Coastal,900\n\
             2024-03-10T08:00:00Z,2024-03-09T15:55:08Z,wind,COPHSL,SystemWide,8000\n\
             2024-03-10T08:00:00Z,2024-03-09T15:55:08Z,solar,STPPF,SystemWide,0\n",
        ),
    ]);
    let source = FileSource::open(folder.path()).unwrap();
    assert_eq!(
        seen(&source, &SeriesKey::system(Series::WindForecast)),
        [
            row("2024-03-10T08:00:00Z", "2024-03-09T15:55:00Z", 9_000.0),
            row("2024-03-10T08:00:00Z", "2024-03-09T15:55:08Z", 9_100.0)
        ]
    );
    assert_eq!(seen(&source, &SeriesKey::system(Series::SolarForecast)).len(), 1);
}

#[test]
fn a_request_is_answered_for_its_window_only() {
    let folder = folder(&[(
        HUB_AVERAGE.0,
        "interval_start_utc,lmp_usd_mwh\n2024-08-19T14:50:00Z,1\n2024-08-19T14:55:00Z,2\n\
         2024-08-19T15:00:00Z,3\n",
    )]);
    let source = FileSource::open(folder.path()).unwrap();
    let request = FetchRequest {
        key: SeriesKey::at(Series::RealTimeLmp, &point("HB_HUBAVG")),
        published_after: Some(at("2024-08-19T14:55:00Z")),
        published_until: at("2024-08-19T15:00:00Z"),
    };
    let values: Vec<f64> = source.fetch(&request).unwrap().iter().map(|o| o.value).collect();
    assert_eq!(values, [2.0]);
}

#[test]
fn the_last_forecasts_before_the_hour_are_never_read() {
    let folder = folder(&[
        HUB_AVERAGE,
        (
            "system_hourly.csv",
            "hour_start_utc,load_actual_mw,load_forecast_last_mw,wind_stwpf_last_mw\n\
             2024-08-19T14:00:00Z,60000,not even a number,1\n",
        ),
    ]);
    let source = FileSource::open(folder.path()).unwrap();
    assert_eq!(seen(&source, &SeriesKey::system(Series::LoadActual)).len(), 1);
    for series in [Series::LoadForecast, Series::WindForecast, Series::WindActual] {
        assert!(seen(&source, &SeriesKey::system(series)).is_empty(), "{series:?}");
    }
}

#[test]
fn a_folder_without_prices_says_what_is_expected() {
    let folder = folder(&[("system_hourly.csv", "hour_start_utc\n")]);
    for path in [folder.path().to_path_buf(), folder.path().join("nowhere")] {
        let error = FileSource::open(&path).unwrap_err();
        let SourceError::BadData(TableError::Missing { .. }) = &error else { panic!("{error:?}") };
        let message = error.to_string();
        assert!(message.contains("rt_lmp_5min_hubavg or rt_lmp_5min_hubs"), "{message}");
    }
}

#[test]
fn parquet_and_csv_of_the_same_table_are_ambiguous() {
    let folder = folder(&[HUB_AVERAGE, ("rt_lmp_5min_hubavg.parquet", "")]);
    let error = FileSource::open(folder.path()).unwrap_err();
    assert!(matches!(error, SourceError::BadData(TableError::Ambiguous { .. })), "{error:?}");
}

#[test]
fn a_broken_line_is_named_and_does_not_spoil_the_other_files() {
    let folder = folder(&[
        HUB_AVERAGE,
        (
            "dam_spp_hourly.csv",
            "hour_start_utc,settlement_point,dam_spp_usd_mwh\n\
             2024-08-19T14:00:00Z,HB_HUBAVG,25\n2024-08-19T15:00:00Z,hub average,26\n",
        ),
        ("weather_cities_hourly.csv", "hour_start_utc,dfw_temp_c\n2024-08-19T14:00:00Z,95\n"),
    ]);
    let source = FileSource::open(folder.path()).unwrap();
    let price = SeriesKey::at(Series::DayAheadSpp, &point("HB_HUBAVG"));
    let message = fetch(&source, &price).unwrap_err().to_string();
    assert!(message.contains("dam_spp_hourly.csv, row 2 (line 3), column settlement_point"));
    let zone = Place::WeatherZone(WeatherZone::NorthCentral);
    let temperature = SeriesKey { series: Series::Temperature, place: zone };
    let message = fetch(&source, &temperature).unwrap_err().to_string();
    assert!(message.contains("row 1 (line 2), column dfw_temp_c"), "{message}");
    assert!(message.contains("from -60 to 60, found \"95\""), "{message}");
    let prices = SeriesKey::at(Series::RealTimeLmp, &point("HB_HUBAVG"));
    assert_eq!(seen(&source, &prices).len(), 1);
}

#[test]
fn the_fingerprint_changes_with_the_files() {
    let folder = folder(&[HUB_AVERAGE]);
    let fingerprint = || FileSource::open(folder.path()).unwrap().fingerprint().unwrap();
    let before = fingerprint();
    assert_eq!(before, fingerprint());
    let columns = [("hour_start_utc", ColumnData::Instants(Vec::new()))];
    write_parquet(&folder.path().join("system_hourly.parquet"), &columns, &[]).unwrap();
    assert_ne!(before, fingerprint());
    let id = FileSource::open(folder.path()).unwrap().id();
    assert!(id.len() == 14 && id.starts_with("files-"), "{id}");
}

/// Returns the folder of real data, which is not part of the repository.
fn real_data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.join("rt_lmp_5min_hubavg.parquet").exists() {
        return Some(folder);
    }
    eprintln!("skipped: no real ERCOT data in {}", folder.display());
    None
}

fn count_by_day(observations: &[Observation], year: i16) -> BTreeMap<OperatingDay, usize> {
    let mut counts = BTreeMap::new();
    for observation in observations {
        let day = OperatingDay::of(observation.interval_start);
        if day.date().year() == year {
            *counts.entry(day).or_default() += 1;
        }
    }
    counts
}

#[test]
fn the_real_data_is_complete_on_every_day_of_2024() {
    let Some(folder) = real_data() else { return };
    let source = FileSource::open(&folder).unwrap();
    let hub_average = point("HB_HUBAVG");
    for (key, per_hour) in [
        (SeriesKey::at(Series::RealTimeLmp, &hub_average), 12),
        (SeriesKey::at(Series::DayAheadSpp, &hub_average), 1),
        (SeriesKey::system(Series::DayAheadMcpc(AncillaryService::RegUp)), 1),
        (SeriesKey::system(Series::LoadActual), 1),
        (SeriesKey::system(Series::SolarActual), 1),
    ] {
        let counts = count_by_day(&fetch(&source, &key).unwrap(), 2024);
        assert_eq!(counts.len(), 366, "{key}");
        for (day, count) in counts {
            // Counted with another program: the only days of 2024 with null prices.
            let nulls = match (per_hour, day.to_string().as_str()) {
                (12, "2024-01-24" | "2024-08-23") => 1,
                (12, "2024-04-29" | "2024-07-18") => 3,
                (12, "2024-04-02") => 4,
                (12, "2024-12-31") => 72,
                _ => 0,
            };
            assert_eq!(count, per_hour * day.hours().len() - nulls, "{key} on {day}");
        }
    }
}

#[test]
fn the_real_data_holds_every_documented_series() {
    let Some(folder) = real_data() else { return };
    let source = FileSource::open(&folder).unwrap();
    let mut keys: Vec<SeriesKey> = ["HB_HOUSTON", "HB_PAN"]
        .map(|name| SeriesKey::at(Series::RealTimeLmp, &point(name)))
        .to_vec();
    keys.extend(
        [WeatherZone::Coast, WeatherZone::NorthCentral]
            .map(|zone| SeriesKey { series: Series::Temperature, place: Place::WeatherZone(zone) }),
    );
    keys.extend(Series::FORECAST_INPUTS.map(SeriesKey::system).into_iter().filter(|key| {
        !matches!(key.series, Series::RealTimeLmp | Series::DayAheadSpp | Series::Temperature)
    }));
    for key in keys {
        let observations = fetch(&source, &key).unwrap();
        assert!(5_000 < observations.len(), "{key}: {}", observations.len());
        let early = |o: &&Observation| match key.series {
            Series::LoadForecast | Series::WindForecast | Series::SolarForecast => {
                o.interval_start <= o.published_at
            }
            _ => false,
        };
        assert_eq!(observations.iter().find(early), None, "{key}");
    }
}

/// The table of the data's own README: hours whose highest 5-minute price is above 100 and 1,000.
#[test]
fn the_real_spike_hours_are_those_that_others_counted() {
    let Some(folder) = real_data() else { return };
    let source = FileSource::open(&folder).unwrap();
    let key = SeriesKey::at(Series::RealTimeLmp, &point("HB_HUBAVG"));
    let mut builder = crate::observation::HistoryBuilder::default();
    builder.add(&key, fetch(&source, &key).unwrap());
    let history = builder.build();
    let view = history.known_at(Timestamp::MAX);
    let maxima = view.series(&SeriesKey::at(Series::HourlyMaxLmp, &point("HB_HUBAVG")));
    for (year, above_100, above_1000) in
        [(2020, 186, 7), (2021, 484, 158), (2022, 774, 53), (2023, 600, 126), (2024, 377, 20)]
    {
        let first = OperatingDay::new(jiff::civil::date(year, 1, 1)).start();
        let end = OperatingDay::new(jiff::civil::date(year + 1, 1, 1)).start();
        let count = |threshold: f64| {
            maxima.between(first, end).filter(|known| threshold < known.value).count()
        };
        assert_eq!((count(100.0), count(1_000.0)), (above_100, above_1000), "{year}");
    }
}
