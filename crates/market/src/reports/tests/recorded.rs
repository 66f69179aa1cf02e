//! ERCOT's own files, recorded: each is read, or refused for a stated reason. The numbers were
//! counted, and the instants computed, with another program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Returns the folder of recorded files, which is not part of the repository.
fn recorded() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/ercot/recorded");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded ERCOT files in {}", folder.display());
    None
}

/// What a file becomes: rows, values, the first and last interval, and one value.
#[derive(Clone, Copy)]
struct Expected {
    rows: usize,
    values: usize,
    first: &'static str,
    last: &'static str,
    example: (&'static str, &'static str, &'static str, f64),
}

const READ: [(&str, Report, Expected); 15] = [
    (
        "mis_np3-233-cd_HRLYRESOUTCAP_20250503T163602.csv",
        Report::Outages,
        Expected {
            rows: 192,
            values: 192 * 15,
            first: "2025-05-03T04:00:00Z",
            last: "2025-05-11T03:00:00Z",
            // 6960 + 9062 + 1513 + 4928
            example: ("outage_capacity", "ERCOT", "2025-05-03T04:00:00Z", 22_463.0),
        },
    ),
    (
        "mis_np4-190-cd_cdr.00012331.0000000000000000.20240309.123511.DAMSPNP4190_rezipped.zip",
        Report::DayAheadSpp,
        Expected {
            rows: 23 * 896,
            values: 23 * 896,
            first: "2024-03-10T06:00:00Z",
            last: "2024-03-11T04:00:00Z",
            example: ("dam_spp", "7RNCHSLR_ALL", "2024-03-10T06:00:00Z", 30.57),
        },
    ),
    (
        "mis_np4-190-cd_cdr.00012331.0000000000000000.20241102.130034.DAMSPNP4190_rezipped.zip",
        Report::DayAheadSpp,
        Expected {
            rows: 25 * 944,
            values: 25 * 944,
            first: "2024-11-03T05:00:00Z",
            last: "2024-11-04T05:00:00Z",
            example: ("dam_spp", "ZIER_SLR_ALL", "2024-11-04T05:00:00Z", 20.38),
        },
    ),
    (
        "mis_np4-732-cd_WPP_HRLY_ACTL_FCAST_20250503T163602.csv",
        Report::Wind,
        Expected {
            rows: 216,
            values: 216 * 12 + 48 * 5,
            first: "2025-05-01T21:00:00Z",
            last: "2025-05-10T20:00:00Z",
            example: ("wind_plan", "ZONE_NORTH", "2025-05-10T20:00:00Z", 828.8),
        },
    ),
    (
        "mis_np4-737-cd_PVGR_SYSTEMWIDE_20250410.csv",
        Report::Solar,
        Expected {
            rows: 216,
            values: 216 * 3 + 48 * 2,
            first: "2025-04-08T22:00:00Z",
            last: "2025-04-17T21:00:00Z",
            example: ("solar_hsl", "ERCOT", "2025-04-08T22:00:00Z", 25_889.93),
        },
    ),
    (
        "mis_np4-737-cd_PVGR_SYSTEMWIDE_20250503T163602.csv",
        Report::Solar,
        Expected {
            rows: 216,
            values: 216 * 3 + 48 * 2,
            first: "2025-05-01T21:00:00Z",
            last: "2025-05-10T20:00:00Z",
            example: ("solar_potential", "ERCOT", "2025-05-10T20:00:00Z", 13_900.4),
        },
    ),
    (
        "mis_np4-742-cd_WPPHRLYAVRACTGEOREG_20250410.csv",
        Report::WindByRegion,
        Expected {
            rows: 216,
            values: 216 * 15 + 48 * 5,
            first: "2025-04-08T22:00:00Z",
            last: "2025-04-17T21:00:00Z",
            example: ("wind_actual", "WIND_SOUTH", "2025-04-08T22:00:00Z", 17.26),
        },
    ),
    (
        "mis_np6-345-cd_20241103.055000425.ACTUALSYSLOADWZNP6345_csv.zip",
        Report::ActualLoad,
        Expected {
            rows: 24,
            values: 24 * 9,
            first: "2024-11-02T05:00:00Z",
            last: "2024-11-03T04:00:00Z",
            example: ("load_actual", "WZ_SCENT", "2024-11-02T05:00:00Z", 7_502.45),
        },
    ),
    (
        "mis_np6-345-cd_20241104.055000424.ACTUALSYSLOADWZNP6345_csv.zip",
        Report::ActualLoad,
        Expected {
            rows: 25,
            values: 25 * 9,
            first: "2024-11-03T05:00:00Z",
            last: "2024-11-04T05:00:00Z",
            // The repeated hour's; 46565.20 is the first's.
            example: ("load_actual", "ERCOT", "2024-11-03T07:00:00Z", 45_090.77),
        },
    ),
    (
        "mis_np6-345-cd_ACTUALSYSLOADWZNP6345_20240201.csv",
        Report::ActualLoad,
        Expected {
            rows: 24,
            values: 24 * 9,
            first: "2024-01-31T06:00:00Z",
            last: "2024-02-01T05:00:00Z",
            example: ("load_actual", "ERCOT", "2024-02-01T05:00:00Z", 39_875.74),
        },
    ),
    // The yearly history has the columns of NP6-905, with blanks in their names.
    (
        "mis_np6-785-er_RTMLZHBSPP_2025_Jan_first400rows.csv",
        Report::Spp,
        Expected {
            rows: 399,
            values: 399,
            first: "2025-01-01T06:00:00Z",
            last: "2025-01-02T06:45:00Z",
            example: ("rt_spp", "HB_WEST", "2025-01-02T06:30:00Z", 19.95),
        },
    ),
    (
        "mis_np6-788-cd_LMPSROSNODE_20101201_0110.csv",
        Report::Lmp,
        Expected {
            rows: 580,
            values: 580,
            first: "2010-12-01T07:10:23Z",
            last: "2010-12-01T07:10:23Z",
            example: ("rt_lmp", "HB_HUBAVG", "2010-12-01T07:10:23Z", 22.08),
        },
    ),
    (
        "mis_np6-905-cd_SPPHLZNP6905_20250410_HE19_int2.csv",
        Report::Spp,
        Expected {
            rows: 1_000,
            // Without the 12 energy-weighted prices of load zones, which would be second ones.
            values: 988,
            first: "2025-04-10T23:15:00Z",
            last: "2025-04-10T23:15:00Z",
            example: ("rt_spp", "LZ_SOUTH", "2025-04-10T23:15:00Z", 20.96),
        },
    ),
    (
        "pubapi_np6-788-cd_lmp_node_zone_hub_rows_HB_HOUSTON_2024-03-10_DST.csv",
        Report::Lmp,
        Expected {
            rows: 25,
            values: 25,
            first: "2024-03-10T07:00:24Z",
            last: "2024-03-10T08:55:18Z",
            example: ("rt_lmp", "HB_HOUSTON", "2024-03-10T08:00:24Z", 16.6),
        },
    ),
    (
        "pubapi_np6-788-cd_lmp_node_zone_hub_rows_HB_HOUSTON_2024-11-03_DST.csv",
        Report::Lmp,
        Expected {
            rows: 52,
            values: 52,
            first: "2024-11-03T05:00:13Z",
            last: "2024-11-03T08:55:11Z",
            example: ("rt_lmp", "HB_HOUSTON", "2024-11-03T07:00:13Z", 29.27),
        },
    ),
];

/// Files of other reports, and of other shapes.
const REFUSED: [(&str, Report, &str); 13] = [
    (
        "mis_np3-560-cd_SYSFCST_by_forecast_zone_20250503T163602.csv",
        Report::LoadForecast,
        "lacks the columns model, inuseflag, coast, east, farwest",
    ),
    (
        "mis_np3-910-er_2d_Agg_Load_Summary-17-APR-25.csv",
        Report::ScedAdders,
        "lacks the columns systemlambda, rtrdpa; it has SCED Time Stamp",
    ),
    (
        "mis_np4-790-cd_cdr.00012348.0000000000000000.20210216.160000356.PNMNP4790_csv.zip",
        Report::Lmp,
        "lacks the columns scedtimestamp, settlementpoint or settlementpointname, lmp",
    ),
    (
        "mis_np4-790-cd_cdr.00012348.0000000000000000.20220510.160000352.PNMNP4790_xml.zip",
        Report::Lmp,
        "PNMNP4790.xml: is XML, which is not read: get the CSV of this posting",
    ),
    (
        "pubapi_np3-233-cd_hourly_res_outage_cap_TRIMMED.json",
        Report::Outages,
        "lacks the columns totalresourcemw, totalirrmw; it has postedDatetime",
    ),
    ("pubapi_error_401_missing_token.json", Report::Lmp, "it names no fields"),
    ("pubapi_root_products_listing_2026-01.json", Report::Lmp, "it names no fields"),
    ("pubapi_response_fields_by_endpoint_derived.json", Report::Lmp, "it names no fields"),
    ("mis_IceDocListJsonWS_13061_one_entry.json", Report::Spp, "it names no fields"),
    ("dashboard_energy-storage-resources_20251108_wrapped.json", Report::Lmp, "it names no fields"),
    ("dashboard_supply-demand_20250422_as_csv.csv", Report::Adequacy, "lacks the columns"),
    ("dashboard_system-wide-demand_20250422_as_csv.csv", Report::ActualLoad, "lacks the columns"),
    // Its prices are read by `day_ahead_prices_of_the_api`.
    ("pubapi_np4-190-cd_dam_stlmnt_pnt_prices_2024-01-16.json", Report::Lmp, "lacks the columns"),
];

#[test]
fn every_recorded_file_is_read_or_refused_for_a_stated_reason() {
    let Some(folder) = recorded() else { return };
    let known: BTreeSet<&str> =
        READ.iter().map(|(file, ..)| *file).chain(REFUSED.iter().map(|(file, ..)| *file)).collect();
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(name.as_str()), "{name} is in neither table");
    }
    for (file, report, expected) in READ {
        let bytes = fs::read(folder.join(file)).unwrap();
        let contents = parse(&posting(report, file), &bytes, &Wanted::default()).unwrap();
        assert_eq!((contents.complaints.len(), contents.drift.len()), (0, 0), "{file}");
        let all = || contents.observations.values().flatten();
        assert_eq!((contents.rows, all().count()), (expected.rows, expected.values), "{file}");
        let first = all().map(|o| o.interval_start).min().unwrap();
        let last = all().map(|o| o.interval_start).max().unwrap();
        assert_eq!((first, last), (at(expected.first), at(expected.last)), "{file}");
        let (series, place, start, value) = expected.example;
        let line = format!("{series} {place} {start} {value}");
        assert!(lines(&contents).contains(&line), "{file}: no {line}");
    }
    for (file, report, expected) in REFUSED {
        let bytes = fs::read(folder.join(file)).unwrap();
        let refusal = parse(&posting(report, file), &bytes, &Wanted::default());
        let message = refusal.unwrap_err().to_string();
        assert!(message.contains(expected), "{file}: {message}");
    }
}

#[test]
fn day_ahead_prices_of_the_api() {
    let Some(folder) = recorded() else { return };
    let file = "pubapi_np4-190-cd_dam_stlmnt_pnt_prices_2024-01-16.json";
    let bytes = fs::read(folder.join(file)).unwrap();
    let contents = parse(&posting(Report::DayAheadSpp, file), &bytes, &Wanted::default()).unwrap();
    assert_eq!((contents.complaints.len(), contents.drift.len()), (0, 0));
    let prices = &contents.observations[&SeriesKey::at(
        crate::observation::Series::DayAheadSpp,
        &SettlementPoint::new("LZ_HOUSTON").unwrap(),
    )];
    assert_eq!(prices.len(), 24);
    assert_eq!((prices[7].interval_start, prices[7].value), (at("2024-01-16T13:00:00Z"), 1_842.88));
    let refusal = parse_page(Report::DayAheadSpp, None, &bytes, &Wanted::default());
    assert!(refusal.unwrap_err().to_string().contains("has no _meta"), "the record was trimmed");
}

/// All 25 and all 23 hours, one by one.
#[test]
fn the_clock_changes_of_2024_give_every_instant_once() {
    let Some(folder) = recorded() else { return };
    for (file, first, hours) in [
        ("20240309.123511.DAMSPNP4190_rezipped.zip", "2024-03-10T06:00:00Z", 23),
        ("20241102.130034.DAMSPNP4190_rezipped.zip", "2024-11-03T05:00:00Z", 25),
    ] {
        let name = format!("mis_np4-190-cd_cdr.00012331.0000000000000000.{file}");
        let bytes = fs::read(folder.join(&name)).unwrap();
        let posting = posting(Report::DayAheadSpp, &name);
        let contents = parse(&posting, &bytes, &Wanted::default()).unwrap();
        let expected: Vec<Timestamp> =
            (0..hours).map(|hour| at(first) + jiff::SignedDuration::from_hours(hour)).collect();
        for (key, observations) in &contents.observations {
            let starts: Vec<Timestamp> = observations.iter().map(|o| o.interval_start).collect();
            assert_eq!(starts, expected, "{key}");
        }
    }
}

#[test]
fn the_repeated_hour_of_sced_runs_is_told_apart() {
    let Some(folder) = recorded() else { return };
    let name = "pubapi_np6-788-cd_lmp_node_zone_hub_rows_HB_HOUSTON_2024-11-03_DST.csv";
    let bytes = fs::read(folder.join(name)).unwrap();
    let contents = parse(&posting(Report::Lmp, name), &bytes, &Wanted::default()).unwrap();
    let observations = contents.observations.values().next().unwrap();
    let count = |from: &str, until: &str| {
        let (from, until) = (at(from), at(until));
        let within = |o: &&crate::observation::Observation| {
            from <= o.interval_start && o.interval_start < until
        };
        observations.iter().filter(within).count()
    };
    assert_eq!(count("2024-11-03T05:00:00Z", "2024-11-03T06:00:00Z"), 13);
    assert_eq!(count("2024-11-03T06:00:00Z", "2024-11-03T07:00:00Z"), 13, "not repeated");
    assert_eq!(count("2024-11-03T07:00:00Z", "2024-11-03T08:00:00Z"), 14, "repeated");
    assert_eq!(count("2024-11-03T08:00:00Z", "2024-11-03T09:00:00Z"), 12);
}
