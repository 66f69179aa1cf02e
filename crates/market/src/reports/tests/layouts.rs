//! Every report in the layouts that it had, and both clock changes.

use super::*;

#[test]
fn prices_at_settlement_points() {
    check(
        Report::Lmp,
        "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n\
         06/30/2026 23:55:17,N,HB_WEST,       23.53\n06/30/2026 23:55:17,N,LZ_WEST,-1\n",
        &["rt_lmp HB_WEST 2026-07-01T04:55:17Z 23.53", "rt_lmp LZ_WEST 2026-07-01T04:55:17Z -1"],
    );
    check(
        Report::Spp,
        "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,\
         SettlementPointPrice,DSTFlag\n04/10/2025,24,4,HB_WEST,HU,33.5,N\n\
         04/10/2025,24,4,LZ_WEST,LZEW,35.6,N\n04/10/2025,24,4,LZ_WEST,LZ,35.59,N\n",
        &["rt_spp HB_WEST 2025-04-11T04:45:00Z 33.5", "rt_spp LZ_WEST 2025-04-11T04:45:00Z 35.59"],
    );
    check(
        Report::DayAheadSpp,
        "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n\
         03/10/2024,24:00,HB_WEST, 30.57,N\n",
        &["dam_spp HB_WEST 2024-03-11T04:00:00Z 30.57"],
    );
}

#[test]
fn only_the_wanted_points_are_kept_and_all_rows_are_counted() {
    let file = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n\
                06/30/2026 23:55:17,N,HB_WEST,1\n06/30/2026 23:55:17,N,odd name,2\n";
    let points = BTreeSet::from([SettlementPoint::new("HB_WEST").unwrap()]);
    let wanted = Wanted { settlement_points: Some(points) };
    let contents = parse(&posting(Report::Lmp, "a.csv"), file.as_bytes(), &wanted).unwrap();
    assert_eq!((contents.rows, lines(&contents).len(), contents.complaints.len()), (2, 1, 0));
}

#[test]
fn ancillary_services() {
    check(
        Report::DayAheadMcpc,
        "DeliveryDate,HourEnding,AncillaryType,MCPC,DSTFlag\n09/26/2026,01:00,RRS,0.19,N\n",
        &["dam_mcpc_rrs ERCOT 2026-09-26T05:00:00Z 0.19"],
    );
    check(
        Report::RealTimeMcpc,
        "DeliveryDate,DeliveryHour,DeliveryInterval,RepeatedHourFlag,ASType,MCPC\n\
         09/25/2026,20,1,N,ECRS,0.29\n",
        &["rt_mcpc_ecrs ERCOT 2026-09-26T00:00:00Z 0.29"],
    );
    check(
        Report::ScedMcpc,
        "SCEDTimestamp,RepeatedHourFlag,ASType,CappedMCPC,UncappedMCPC\n\
         09/07/2026 12:50:20,N,REGDN,2.3,9000\n",
        &["sced_mcpc_regdn ERCOT 2026-09-07T17:50:20Z 2.3"],
    );
    check(
        Report::AsPlan,
        "DeliveryDate,HourEnding,AncillaryType,Quantity,DSTFlag\n05/01/2014,01:00,NSPIN,1500,N\n",
        &["as_plan_nspin ERCOT 2014-05-01T05:00:00Z 1500"],
    );
    check(
        Report::AsCapability,
        "SCEDTimestamp,RepeatedHourFlag,CapREGUPTotal,CapREGDNTotal,CapRRSTotal,CapECRSTotal,\
         CapNSPINTotal,CapREGUP_RRSTotal,CapREGUP_RRS_ECRSTotal,CapREGUP_RRS_ECRS_NSPINTotal\n\
         09/07/2026 12:50:20,N,1,2,3,4,5,6,7,8\n",
        &[
            "as_capability_regup ERCOT 2026-09-07T17:50:20Z 1",
            "as_capability_regdn ERCOT 2026-09-07T17:50:20Z 2",
            "as_capability_rrs ERCOT 2026-09-07T17:50:20Z 3",
            "as_capability_ecrs ERCOT 2026-09-07T17:50:20Z 4",
            "as_capability_nspin ERCOT 2026-09-07T17:50:20Z 5",
        ],
    );
}

#[test]
fn the_load_forecast_in_use_is_the_forecast_and_all_models_are_kept() {
    let file = "DeliveryDate,HourEnding,Coast,East,FarWest,North,NorthCentral,SouthCentral,\
                Southern,West,SystemTotal,Model,InUseFlag,DSTFlag\n\
                09/07/2026,1:00,1,2,3,4,5,6,7,8,36,A3,N,N\n\
                09/07/2026,1:00,1,2,3,4,5,6,7,8,37,E,Y,N\n\
                09/07/2026,1:00,1,2,3,4,5,6,7,8,38,NEW,N,N\n";
    let contents = read(Report::LoadForecast, file);
    let of_system: Vec<String> =
        lines(&contents).into_iter().filter(|line| line.contains(" ERCOT ")).collect();
    assert_eq!(
        of_system,
        [
            "load_forecast ERCOT 2026-09-07T05:00:00Z 37",
            "load_forecast_a3 ERCOT 2026-09-07T05:00:00Z 36",
            "load_forecast_e ERCOT 2026-09-07T05:00:00Z 37",
        ]
    );
    assert_eq!(contents.observations.len(), 3 * 9);
    assert_eq!(contents.drift, BTreeSet::from(["unknown load model NEW".to_owned()]));
}

#[test]
fn wind_is_read_in_every_spelling_that_its_columns_had() {
    let lz = |prefix: &str, zone: &str| {
        format!("{prefix}_LZ_{zone},COP_HSL_LZ_{zone},STWPF_LZ_{zone},WGRPP_LZ_{zone}")
    };
    let zones =
        |prefix: &str| ["SOUTH_HOUSTON", "WEST", "NORTH"].map(|zone| lz(prefix, zone)).join(",");
    let recent = format!(
        "DELIVERY_DATE,HOUR_ENDING,SYSTEM_WIDE_GEN,COP_HSL_SYSTEM_WIDE,STWPF_SYSTEM_WIDE,\
         WGRPP_SYSTEM_WIDE,{},SYSTEM_WIDE_HSL,DSTFlag\n\
         05/01/2025,17,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,N\n",
        zones("GEN")
    );
    let before_2024 = format!(
        "DELIVERY_DATE,HOUR_ENDING,ACTUAL_SYSTEM_WIDE,COP_HSL_SYSTEM_WIDE,STWPF_SYSTEM_WIDE,\
         WGRPP_SYSTEM_WIDE,{},DSTFlag\n05/01/2025,17,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,N\n",
        zones("ACTUAL")
    );
    let start = "2025-05-01T21:00:00Z";
    let mut expected: Vec<String> = Vec::new();
    for (series, first) in
        [("wind_actual", 1), ("wind_forecast", 3), ("wind_potential", 4), ("wind_plan", 2)]
    {
        for (place, step) in
            [("ERCOT", 0), ("ZONE_NORTH", 12), ("ZONE_WEST", 8), ("ZONE_SOUTH_HOUSTON", 4)]
        {
            expected.push(format!("{series} {place} {start} {}", first + step));
        }
    }
    expected.sort_unstable();
    for (file, with_hsl) in [(before_2024, false), (recent, true)] {
        let contents = read(Report::Wind, &file);
        assert_eq!((contents.drift.len(), contents.complaints.len()), (0, 0), "{contents:?}");
        let mut seen = lines(&contents);
        seen.sort_unstable();
        let mut expected = expected.clone();
        if with_hsl {
            expected.push(format!("wind_hsl ERCOT {start} 17"));
            expected.sort_unstable();
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn the_oldest_wind_and_solar_reports_have_the_day_in_the_hour() {
    check(
        Report::Solar,
        "HOUR_ENDING,ACTUAL_SYSTEM_WIDE,COP_HSL_SYSTEM_WIDE,STPPF_SYSTEM_WIDE,PVGRPP_SYSTEM_WIDE,\
         DSTFlag\n02/08/2016 00:00,,29.4,1,2,N\n11/06/2016 02:00,,3,4,5,Y\n",
        &[
            "solar_forecast ERCOT 2016-02-08T05:00:00Z 1",
            "solar_forecast ERCOT 2016-11-06T07:00:00Z 4",
            "solar_potential ERCOT 2016-02-08T05:00:00Z 2",
            "solar_potential ERCOT 2016-11-06T07:00:00Z 5",
            "solar_plan ERCOT 2016-02-08T05:00:00Z 29.4",
            "solar_plan ERCOT 2016-11-06T07:00:00Z 3",
        ],
    );
    check(
        Report::Wind,
        "HOUR_ENDING,ACTUAL_SYSTEM_WIDE,COP_HSL_SYSTEM_WIDE,STWPF_SYSTEM_WIDE,WGRPP_SYSTEM_WIDE,\
         ACTUAL_SOUTH_HOUSTON,ACTUAL_WEST_NORTH,DSTFlag\n04/29/2014 01:00,1,,,,2,3,N\n",
        &["wind_actual ERCOT 2014-04-29T05:00:00Z 1"],
    );
}

#[test]
fn solar_by_region_leaves_the_system_to_the_other_report() {
    let region = |name: &str| format!("GEN_{name},COP_HSL_{name},STPPF_{name},PVGRPP_{name}");
    let regions = ["CenterWest", "NorthWest", "FarWest", "FarEast", "SouthEast", "CenterEast"];
    let values = (1..=24).map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    let file = format!(
        "DELIVERY_DATE,HOUR_ENDING,SYSTEM_WIDE_GEN,COP_HSL_SYSTEM_WIDE,STPPF_SYSTEM_WIDE,\
         PVGRPP_SYSTEM_WIDE,{},SYSTEM_WIDE_HSL,DSTFlag\n09/05/2026,12,0,0,0,0,{values},0,N\n",
        regions.map(region).join(",")
    );
    let contents = read(Report::SolarByRegion, &file);
    let seen = lines(&contents);
    assert_eq!((seen.len(), contents.drift.len()), (24, 0), "{contents:?}");
    assert!(seen.contains(&"solar_actual SOLAR_CENTER_WEST 2026-09-05T16:00:00Z 1".to_owned()));
    assert!(seen.contains(&"solar_potential SOLAR_CENTER_EAST 2026-09-05T16:00:00Z 24".to_owned()));
}

#[test]
fn outages_of_the_system_are_the_zones_sum_or_as_they_were_reported() {
    let zones =
        |kind: &str| ["South", "North", "West", "Houston"].map(|z| format!("{kind}Zone{z}"));
    let file = format!(
        "Date,HourEnding,{},{},{}\n05/02/2025,24,1,2,3,4,5,6,7,8,9,10,11,12\n",
        zones("TotalResourceMW").join(","),
        zones("TotalIRRMW").join(","),
        zones("TotalNewEquipResourceMW").join(","),
    );
    let contents = read(Report::Outages, &file);
    let of_system = |contents: &Contents| -> Vec<String> {
        let mut system = contents.clone();
        system.observations.retain(|key, _| key.place == Place::System);
        lines(&system)
    };
    assert_eq!(lines(&contents).len(), 15);
    assert_eq!(
        of_system(&contents),
        [
            "outage_capacity ERCOT 2025-05-03T04:00:00Z 10",
            "outage_capacity_irr ERCOT 2025-05-03T04:00:00Z 26",
            "outage_capacity_new ERCOT 2025-05-03T04:00:00Z 42",
        ]
    );
    let without_houston = file.replace(",4,5", ",,5");
    assert_eq!(of_system(&read(Report::Outages, &without_houston)).len(), 2, "no partial sum");
    check(
        Report::Outages,
        "Date,HourEnding,TotalResourceMW,TotalIRRMW\n05/01/2014,01,18542,685\n",
        &[
            "outage_capacity ERCOT 2014-05-01T05:00:00Z 18542",
            "outage_capacity_irr ERCOT 2014-05-01T05:00:00Z 685",
        ],
    );
}

#[test]
fn system_adequacy_before_and_since_it_had_zones() {
    check(
        Report::Adequacy,
        "DeliveryDate,HourEnding,TotalCapGenRes,TotalCapLoadRes,DSTFlag\n\
         03/12/2014,01:00,37749.5,1997.6,N\n",
        &[
            "generation_capacity ERCOT 2014-03-12T05:00:00Z 37749.5",
            "load_resource_capacity ERCOT 2014-03-12T05:00:00Z 1997.6",
        ],
    );
    check(
        Report::Adequacy,
        "DeliveryDate,HourEnding,CapGenResSouth,OfflineAvailableMWWest,AvailCapGen,\
         AvailCapReserve,CapGenResTotal,CapLoadResTotal,OfflineAvailableMWTotal,CapREGUPTotal,\
         RepeatedHourFlag\n09/07/2026,01:00,1,2,3,-4,5,6,7,8,N\n",
        &[
            "generation_capacity ERCOT 2026-09-07T05:00:00Z 5",
            "generation_capacity ZONE_SOUTH 2026-09-07T05:00:00Z 1",
            "load_resource_capacity ERCOT 2026-09-07T05:00:00Z 6",
            "offline_capacity ERCOT 2026-09-07T05:00:00Z 7",
            "offline_capacity ZONE_WEST 2026-09-07T05:00:00Z 2",
            "available_generation ERCOT 2026-09-07T05:00:00Z 3",
            "available_reserves ERCOT 2026-09-07T05:00:00Z -4",
        ],
    );
}

#[test]
fn adders_of_both_eras() {
    check(
        Report::ScedAdders,
        "BatchID,SCEDTimestamp,RepeatedHourFlag,SystemLambda,PRC,RTORPA,RTOFFPA,RTOLCAP\n\
         3913022,06/01/2014 00:01:06,N,31.3914,4244.76,0.0033,0.0005,7345.24\n",
        &[
            "system_lambda ERCOT 2014-06-01T05:01:06Z 31.3914",
            "sced_rtorpa ERCOT 2014-06-01T05:01:06Z 0.0033",
            "sced_rtoffpa ERCOT 2014-06-01T05:01:06Z 0.0005",
        ],
    );
    let since = "SCEDTimestamp,RepeatedHourFlag,SystemLambda,RTRDPA,RTRDPARUS\n\
                 09/07/2026 12:20:19,N,34.8972,0.00,0.00\n";
    check(
        Report::ScedAdders,
        since,
        &[
            "system_lambda ERCOT 2026-09-07T17:20:19Z 34.8972",
            "sced_rtrdpa ERCOT 2026-09-07T17:20:19Z 0",
        ],
    );
    check(
        Report::SettlementAdders,
        "DeliveryDate,DeliveryHour,DeliveryInterval,RTRSVPOR,RTRSVPOFF,DSTFlag\n\
         05/31/2014,24,4,1,2,N\n",
        &[
            "settlement_rtorpa ERCOT 2014-06-01T04:45:00Z 1",
            "settlement_rtoffpa ERCOT 2014-06-01T04:45:00Z 2",
        ],
    );
    let early = read(Report::ScedAdders, &since.replace("09/07/2026", "12/04/2025"));
    assert_eq!(
        early.drift,
        BTreeSet::from(["columns as they are later, for 2025-12-04".to_owned()])
    );
}

#[test]
fn shadow_prices_belong_to_a_constraint_under_a_contingency() {
    check(
        Report::ShadowPrices,
        "SCEDTimeStamp,RepeatedHourFlag,ConstraintID,ConstraintName,ContingencyName,ShadowPrice,\
         MaxShadowPrice\n04/30/2014 23:55:08,N,1,6144__A,DMTSCOS5,21.5,3500\n",
        &["shadow_price DMTSCOS5/6144__A 2014-05-01T04:55:08Z 21.5"],
    );
}

#[test]
fn the_temperature_forecast_is_converted_from_fahrenheit() {
    check(
        Report::TemperatureForecast,
        "DeliveryDate,HourEnding,Coast,East,FarWest,North,NorthCentral,SouthCentral,Southern,West,\
         DSTFlag\n06/23/2026,02:00,50,,,,,,,32,N\n",
        &[
            "temperature_forecast WZ_COAST 2026-06-23T06:00:00Z 10",
            "temperature_forecast WZ_WEST 2026-06-23T06:00:00Z 0",
        ],
    );
}

#[test]
fn a_correction_is_published_when_it_was_made_and_posted() {
    let made_after = "SCEDTimestamp,SettlementPointName,LMPOriginal,LMPCorrected,\
                      PriceCorrectionTime,DSTFlag\n\
                      09/28/2026 09:25:18,HB_WEST,16.13,15.66,10/01/2026 16:00:00,N\n";
    let start = "rt_lmp HB_WEST 2026-09-28T14:25:18Z 15.66";
    check(Report::RealTimeCorrections, made_after, &[&format!("{start} (2026-10-01T21:00:00Z)")]);
    let made_before = made_after.replace("10/01/2026", "09/30/2026");
    check(Report::RealTimeCorrections, &made_before, &[start]);
    check(
        Report::RealTimeCorrections,
        "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,\
         SPPOriginal,SPPCorrected,PriceCorrectionTime,DSTFlag\n\
         09/29/2026,10,1,HB_WEST,HU,1,2,09/30/2026 16:00:00,N\n",
        &["rt_spp HB_WEST 2026-09-29T14:00:00Z 2"],
    );
    check(
        Report::RealTimeCorrections,
        "SCEDTimestamp,ASType,cappedMCPCOriginal,uncappedMCPCOriginal,cappedMCPCCorrected,\
         uncappedMCPCCorrected,priceCorrectionTime,repeatedHourFlag\n\
         2026-09-29T10:00:10,RRS,1,1,2,3,2026-09-30T16:00:00,false\n",
        &["sced_mcpc_rrs ERCOT 2026-09-29T15:00:10Z 2"],
    );
    check(
        Report::DayAheadCorrections,
        "DeliveryDate,DeliveryHour,SettlementPoint,SPPOriginal,SPPCorrected,PriceCorrectionTime,\
         DSTFlag\n09/29/2026,24,HB_WEST,1,2,09/30/2026 16:00:00,N\n",
        &["dam_spp HB_WEST 2026-09-30T04:00:00Z 2"],
    );
    check(
        Report::DayAheadCorrections,
        "DeliveryDate,DeliveryHour,ASType,MCPCOriginal,MCPCCorrected,PriceCorrectionTime,DSTFlag\n\
         09/29/2026,2,REGUP,1.21,1.3,09/30/2026 16:00:00,N\n",
        &["dam_mcpc_regup ERCOT 2026-09-29T06:00:00Z 1.3"],
    );
}

#[test]
fn corrections_of_buses_are_known_and_not_kept() {
    let file = "SCEDTimestamp,ElectricalBus,LMPOriginal,LMPCorrected,PriceCorrectionTime,DSTFlag\n\
                garbage\n";
    let contents = read(Report::RealTimeCorrections, file);
    assert_eq!(contents, Contents::default());
}

#[test]
fn a_file_named_after_the_repeated_hour_is_read_as_its_rows_say() {
    let name = "cdr.00012300.0000000000000000.20241103.010017xhr.LMPSROSNODENP6788.csv";
    let file = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n\
                11/03/2024 01:00:13,N,HB_WEST,1\n";
    let read = |file: &str| {
        parse(&posting(Report::Lmp, name), file.as_bytes(), &Wanted::default()).unwrap()
    };
    let disagreeing = read(file);
    assert_eq!(lines(&disagreeing), ["rt_lmp HB_WEST 2024-11-03T06:00:13Z 1"]);
    assert_eq!(disagreeing.drift.len(), 1);
    let agreeing = read(&file.replace(",N,", ",Y,"));
    assert_eq!(lines(&agreeing), ["rt_lmp HB_WEST 2024-11-03T07:00:13Z 1"]);
    assert_eq!(agreeing.drift.len(), 0);
}

#[test]
fn outages_have_25_hours_in_autumn_without_a_flag_and_23_in_spring() {
    let file = |day: &str, hours: &[u8]| {
        let rows: String = hours.iter().map(|hour| format!("{day},{hour:02},{hour},0\n")).collect();
        format!("Date,HourEnding,TotalResourceMW,TotalIRRMW\n{rows}")
    };
    let starts = |file: &str| -> Vec<String> {
        let contents = read(Report::Outages, file);
        assert_eq!(contents.complaints, []);
        let first = contents.observations.values().next().unwrap();
        first.iter().map(|o| o.interval_start.strftime("%d %H").to_string()).collect()
    };
    let autumn = starts(&file("11/01/2015", &[1, 2, 2, 3, 4]));
    assert_eq!(autumn, ["01 05", "01 06", "01 07", "01 08", "01 09"]);
    let spring = starts(&file("03/08/2015", &[1, 2, 4, 5]));
    assert_eq!(spring, ["08 06", "08 07", "08 08", "08 09"]);
}

#[test]
fn nothing_was_published_before_it_happened_whatever_a_list_says() {
    let early = Posting { posted_at: at("2024-11-03T06:00:20Z"), ..posting(Report::Lmp, "a.csv") };
    let published = |report: Report, file: &str| {
        let posting = Posting { report, ..early.clone() };
        let contents = parse(&posting, file.as_bytes(), &Wanted::default()).unwrap();
        contents.observations.values().next().unwrap()[0].published_at.to_string()
    };
    let run = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP\n\
               11/03/2024 01:00:13,Y,HB_WEST,1\n";
    assert_eq!(published(Report::Lmp, run), "2024-11-03T07:00:13Z");
    let quarter = "DeliveryDate,DeliveryHour,DeliveryInterval,RepeatedHourFlag,ASType,MCPC\n\
                   11/03/2024,2,1,Y,ECRS,0.29\n";
    assert_eq!(published(Report::RealTimeMcpc, quarter), "2024-11-03T07:15:00Z");
    let plan = "DeliveryDate,HourEnding,AncillaryType,Quantity,DSTFlag\n11/05/2024,1,RRS,1,N\n";
    assert_eq!(published(Report::AsPlan, plan), "2024-11-03T06:00:20Z");
}
