//! Pages of the Public API's rows.

use super::*;

fn page(report: Report, fields: &str, data: &str) -> Result<Page, ReportError> {
    let fields: Vec<String> =
        fields.split(',').map(|name| format!(r#"{{"name": "{name}"}}"#)).collect();
    let body = format!(
        r#"{{"_meta": {{"totalRecords": 7, "pageSize": 5, "totalPages": 2, "currentPage": 1,
            "query": {{}}}}, "fields": [{}], "data": [{data}]}}"#,
        fields.join(",")
    );
    parse_page(report, None, body.as_bytes(), &Wanted::default())
}

#[test]
fn a_page_is_decoded_by_its_fields_and_says_how_many_there_are() {
    let page = page(
        Report::Lmp,
        "LMP,settlementPoint,repeatHourFlag,SCEDTimestamp",
        r#"[23.5, "HB_WEST", true, "2024-11-03T01:00:13"], [24, "HB_WEST", false, "2024-11-03T01:00:14"]"#,
    )
    .unwrap();
    let meta = PageMeta { total_records: 7, page_size: 5, total_pages: 2, current_page: 1 };
    assert_eq!(page.meta, meta);
    assert_eq!(
        lines(&page.contents),
        [
            "rt_lmp HB_WEST 2024-11-03T07:00:13Z 23.5 (2024-11-03T07:05:13Z)",
            "rt_lmp HB_WEST 2024-11-03T06:00:14Z 24 (2024-11-03T06:05:14Z)",
        ]
    );
}

#[test]
fn rows_of_a_page_are_published_as_they_say_or_by_rule() {
    let plan = "deliveryDate,hourEnding,ancillaryType,quantity,DSTFlag";
    let row = r#""2026-06-29", "01:00", "RRS", 2300, false"#;
    let stated = page(
        Report::AsPlan,
        &format!("postedDatetime,{plan}"),
        &format!(r#"["2026-06-28T05:00:03", {row}]"#),
    );
    assert_eq!(
        lines(&stated.unwrap().contents),
        ["as_plan_rrs ERCOT 2026-06-29T05:00:00Z 2300 (2026-06-28T10:00:03Z)"]
    );
    let message = page(Report::AsPlan, plan, &format!("[{row}]")).unwrap_err().to_string();
    assert!(message.contains("lacks the columns posteddatetime"), "{message}");
    let corrected = page(
        Report::DayAheadCorrections,
        "deliveryDate,deliveryHour,settlementPoint,SPPOriginal,SPPCorrected,priceCorrectionTime,DSTFlag",
        r#"["2025-12-06", 1, "HB_WEST", 46.61, 46.62, "2025-12-09T10:00:00", false]"#,
    );
    assert_eq!(
        lines(&corrected.unwrap().contents),
        ["dam_spp HB_WEST 2025-12-06T06:00:00Z 46.62 (2025-12-09T16:00:00Z)"]
    );
}

#[test]
fn a_corrected_price_that_does_not_say_since_when_is_no_first_price() {
    let fields = "SCEDTimestamp,settlementPointName,LMPOriginal,LMPCorrected,DSTFlag";
    let row = r#""2025-12-06T00:00:15", "HB_WEST", 46.61, 46.62, false"#;
    let read = |fields: &str, row: &str| page(Report::RealTimeCorrections, fields, row);
    let refused = read(fields, &format!("[{row}]")).unwrap_err().to_string();
    assert!(refused.contains("lacks the columns pricecorrectiontime"), "{refused}");
    let with_time = format!("{fields},priceCorrectionTime");
    // ERCOT's specification of another table of corrections has this format.
    let refused = read(&with_time, &format!(r#"[{row}, "30:00"]"#)).unwrap_err().to_string();
    assert!(refused.contains("1 of 1 lines cannot be used"), "{refused}");
    assert!(read(&with_time, &format!(r#"[{row}, "2025-12-09T10:00:00"]"#)).is_ok());
}

#[test]
fn of_a_posting_in_the_repeated_hour_the_later_time_is_taken() {
    let fields = "postedDatetime,deliveryDate,hourEnding,ancillaryType,quantity,DSTFlag";
    let posted = |time: &str| {
        let data = format!(r#"["{time}", "2024-11-05", "01:00", "RRS", 1, false]"#);
        let contents = page(Report::AsPlan, fields, &data).unwrap().contents;
        contents.observations.values().next().unwrap()[0].published_at.to_string()
    };
    assert_eq!(posted("2024-11-03T01:30:00"), "2024-11-03T07:30:00Z");
    assert_eq!(posted("2024-03-10T02:30:00"), "2024-03-10T08:30:00Z");
}

#[test]
fn a_page_without_its_counts_may_be_one_of_many() {
    let body = r#"{"fields": [{"name": "SCEDTimestamp"}], "data": []}"#;
    let error = parse_page(Report::Lmp, Some("x"), body.as_bytes(), &Wanted::default());
    assert!(error.unwrap_err().to_string().contains("has no _meta"));
}

#[test]
fn forecasts_of_a_page_must_say_when_they_were_posted() {
    let fields = "deliveryDate,hourEnding,genSystemWide,COPHSLSystemWide,STPPFSystemWide,\
                  PVGRPPSystemWide,HSLSystemWide,DSTFlag";
    let row = r#""2026-06-29", 1, null, 1, 2, 3, null, false"#;
    let message = page(Report::Solar, fields, &format!("[{row}]")).unwrap_err().to_string();
    assert!(message.contains("lacks the columns posteddatetime"), "{message}");
    let stated = page(
        Report::Solar,
        &format!("postedDatetime,{fields}"),
        &format!(r#"["2026-06-28T05:55:03", {row}]"#),
    );
    assert_eq!(lines(&stated.unwrap().contents).len(), 3);
}
