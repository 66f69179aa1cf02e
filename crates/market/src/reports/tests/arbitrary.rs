//! Whatever bytes come, no report panics; and what comes out of changed reports is plausible.

use proptest::prelude::*;

use super::*;

/// Headers and rows of reports of every family.
const SAMPLES: [(Report, &str); 12] = [
    (
        Report::Lmp,
        "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n11/03/2024 01:00:13,Y,HB_WEST,1\n",
    ),
    (
        Report::Spp,
        "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointPrice,DSTFlag\n11/03/2024,25,4,HB_WEST,33.5,N\n",
    ),
    (
        Report::DayAheadSpp,
        "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n03/10/2024,03:00,HB_WEST, 30.57,N\n",
    ),
    (
        Report::DayAheadMcpc,
        "DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n11/03/2024,02:00,RRS,0.19,Y\n",
    ),
    (
        Report::LoadForecast,
        "DeliveryDate,HourEnding,Coast,East,FarWest,North,NorthCentral,SouthCentral,Southern,West,SystemTotal,Model,InUseFlag,DSTFlag\n09/07/2026,1:00,1,2,3,4,5,6,7,8,36,A3,Y,N\n",
    ),
    (
        Report::Solar,
        "DELIVERY_DATE,HOUR_ENDING,SYSTEM_WIDE_GEN,COP_HSL_SYSTEM_WIDE,STPPF_SYSTEM_WIDE,PVGRPP_SYSTEM_WIDE,SYSTEM_WIDE_HSL,DSTFlag\n04/08/2025,18,1,2,3,4,5,N\n",
    ),
    (
        Report::Solar,
        "HOUR_ENDING,ACTUAL_SYSTEM_WIDE,COP_HSL_SYSTEM_WIDE,STPPF_SYSTEM_WIDE,PVGRPP_SYSTEM_WIDE,DSTFlag\n11/06/2016 02:00,,3,4,5,Y\n",
    ),
    (
        Report::Outages,
        "Date,HourEnding,TotalResourceMW,TotalIRRMW\n11/01/2015,02,1,2\n11/01/2015,02,3,4\n",
    ),
    (
        Report::ScedAdders,
        "SCEDTimestamp,RepeatedHourFlag,SystemLambda,RTRDPA\n09/07/2026 12:20:19,N,34.8972,0.00\n",
    ),
    (
        Report::ShadowPrices,
        "SCEDTimeStamp,RepeatedHourFlag,ConstraintName,ContingencyName,ShadowPrice\n04/30/2014 23:55:08,N,6144__A,DMTSCOS5,21.5\n",
    ),
    (
        Report::RealTimeCorrections,
        "SCEDTimestamp,SettlementPointName,LMPOriginal,LMPCorrected,PriceCorrectionTime,DSTFlag\n06/28/2026 09:25:18,HB_WEST,16.13,15.66,07/01/2026 16:00:00,N\n",
    ),
    (
        Report::AsPlan,
        r#"{"_meta": {"totalRecords": 1, "pageSize": 1, "totalPages": 1, "currentPage": 1}, "fields": [{"name": "postedDatetime"}, {"name": "deliveryDate"}, {"name": "hourEnding"}, {"name": "ancillaryType"}, {"name": "quantity"}, {"name": "DSTFlag"}], "data": [["2026-06-28T05:00:03", "2024-11-03", "02:00", "RRS", 2300, true]]}"#,
    ),
];

fn is_plausible(contents: &Contents) -> bool {
    let mut all = contents.observations.values().flatten();
    let years = at("1999-12-31T00:00:00Z")..at("2101-01-03T00:00:00Z");
    all.all(|o| o.value.is_finite() && years.contains(&o.interval_start))
}

fn read_every_way(report: Report, bytes: &[u8]) -> Result<(), TestCaseError> {
    let posting = posting(report, "file");
    if let Ok(contents) = parse(&posting, bytes, &Wanted::default()) {
        prop_assert!(is_plausible(&contents), "{contents:?}");
    }
    if let Ok(page) = parse_page(report, None, bytes, &Wanted::default()) {
        prop_assert!(is_plausible(&page.contents), "{page:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, report in 0usize..Report::ALL.len()) {
        read_every_way(Report::ALL[report], &bytes)?;
        match parse_settlement_points(&bytes) {
            Ok(points) => prop_assert!(!points.is_empty()),
            Err(error) => prop_assert!(!error.reason.is_empty()),
        }
    }

    #[test]
    fn changed_reports_never_panic(
        sample in 0usize..SAMPLES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let (report, text) = SAMPLES[sample];
        let mut bytes = text.as_bytes().to_vec();
        for (place, byte) in &changes {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        read_every_way(report, &bytes)?;
        bytes.truncate(cut.index(bytes.len()));
        read_every_way(report, &bytes)?;
    }

    #[test]
    fn cells_of_reports_from_another_report_never_panic(
        sample in 0usize..SAMPLES.len(),
        cells in proptest::collection::vec("[0-9/: TZ.+-]{0,24}|NaN|Y|HB_WEST|\"", 1..16),
    ) {
        let (report, text) = SAMPLES[sample];
        let header = text.lines().next().unwrap();
        read_every_way(report, format!("{header}\n{}\n", cells.join(",")).as_bytes())?;
    }
}

#[test]
fn the_samples_are_read() {
    for (report, text) in SAMPLES {
        let outcome = parse(&posting(report, "file"), text.as_bytes(), &Wanted::default());
        // The hour that spring skips is the only bad line, and all of its file.
        assert_eq!(outcome.is_err(), report == Report::DayAheadSpp, "{report:?}: {outcome:?}");
    }
}
