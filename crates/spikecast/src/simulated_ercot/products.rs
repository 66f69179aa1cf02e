//! ERCOT's list of products, of those that are served.

use market::reports::{Cadence, Report};
use serde_json::{Value, json};

use super::layouts::LAYOUTS;

/// The archive keeps seven years.
pub(super) const ARCHIVE_DAYS: i32 = 2_555;

/// Returns what ERCOT calls a report, and how many files one download may name.
pub(super) fn name_and_limit(report: Report) -> (&'static str, usize) {
    match report {
        Report::Lmp => ("LMPs by Resource Nodes, Load Zones and Trading Hubs", 1_000),
        Report::Spp => ("Settlement Point Prices at Resource Nodes, Hubs and Load Zones", 1_000),
        Report::DayAheadSpp => ("DAM Settlement Point Prices", 500),
        Report::DayAheadMcpc => ("DAM Clearing Prices for Capacity", 1_000),
        Report::LoadForecast => ("Seven-Day Load Forecast by Model and Weather Zone", 1_000),
        Report::ActualLoad => ("Actual System Load by Weather Zone", 1_000),
        Report::Wind => {
            ("Wind Power Production - Hourly Averaged Actual and Forecasted Values", 1_000)
        }
        Report::WindByRegion => (
            "Wind Power Production - Hourly Averaged Actual and Forecasted Values by Geographical \
             Region",
            1_000,
        ),
        Report::Solar => {
            ("Solar Power Production - Hourly Averaged Actual and Forecasted Values", 1_000)
        }
        Report::SolarByRegion => (
            "Solar Power Production - Hourly Averaged Actual and Forecasted Values by Geographical \
             Region",
            1_000,
        ),
        Report::Outages => ("Hourly Resource Outage Capacity", 1_000),
        Report::Adequacy => ("Short-Term System Adequacy Report", 50),
        Report::AsPlan => ("DAM Ancillary Service Plan", 1_000),
        Report::ScedAdders => ("Real-Time Price Adders by SCED Interval", 50),
        Report::SettlementAdders => {
            ("Real-Time Price Adders for 15-Minute Settlement Interval", 50)
        }
        Report::AsCapability => {
            ("Total Capability of Resources Available to Provide Ancillary Service", 50)
        }
        Report::RealTimeMcpc => {
            ("Real-Time Clearing Prices for Capacity by 15-Minute Settlement Interval", 365)
        }
        Report::ScedMcpc => ("Real-Time Clearing Prices for Capacity by SCED Interval", 365),
        Report::ShadowPrices => ("SCED Shadow Prices and Binding Transmission Constraints", 1_000),
        Report::RealTimeCorrections => ("RTM Price Corrections", 200),
        Report::DayAheadCorrections => ("DAM Price Corrections", 200),
        Report::TemperatureForecast => ("Temperature Forecast by Weather Zone", 1_000),
        Report::SettlementPoints => ("Settlement Points List and Electrical Buses Mapping", 1_000),
    }
}

/// Tells whether a product's months are bundled.
pub(super) fn has_bundles(report: Report) -> bool {
    !matches!(
        report,
        Report::RealTimeCorrections
            | Report::DayAheadCorrections
            | Report::AsCapability
            | Report::RealTimeMcpc
            | Report::ScedMcpc
    )
}

/// Tells whether the Public API has the product; some are on the MIS only.
pub(super) fn is_in_public_api(report: Report) -> bool {
    report.facts().endpoint.is_some()
}

/// Lists the products.
pub(super) fn list(base: &str, last_posted: impl Fn(Report) -> Option<String>) -> Value {
    let reports = LAYOUTS.iter().map(|layout| layout.report).filter(|it| is_in_public_api(*it));
    let products: Vec<Value> = reports.map(|it| product(base, it, last_posted(it))).collect();
    json!({
        "_embedded": { "products": products },
        "_links": { "self": { "href": format!("{base}/api/public-reports/") } },
    })
}

/// Describes one product.
pub(super) fn product(base: &str, report: Report, last_posted: Option<String>) -> Value {
    let facts = report.facts();
    let (name, download_limit) = name_and_limit(report);
    let emil = facts.emil_id.to_lowercase();
    let api = format!("{base}/api/public-reports");
    let endpoint = facts.endpoint.map(|endpoint| {
        json!({
            "reportTypeId": facts.report_type_id,
            "displayName": name,
            "_links": { "endpoint": { "href": format!("{api}/{emil}/{endpoint}") } },
        })
    });
    let artifacts: Vec<Value> = endpoint.into_iter().collect();
    json!({
        "emilId": facts.emil_id,
        "name": name,
        "description": name,
        "status": "Active",
        "reportTypeId": facts.report_type_id,
        "audience": "Public",
        "generationFrequency": frequency(facts.cadence),
        "securityClassification": "Public",
        "lastUpdated": facts.since.to_string(),
        "firstRun": facts.since.to_string(),
        "eceii": "",
        "channel": "Public,EWS",
        "userGuide": "",
        "postingType": "Report",
        "market": "Nodal",
        "extractSubscriber": "",
        "xsdName": "",
        "misPostingLocation": "",
        "certificateRole": "",
        "fileType": "zip,csv",
        "ddlName": "",
        "misDisplayDuration": facts.mis_days,
        "archiveDuration": ARCHIVE_DAYS,
        "notificationType": "",
        "contentType": "DATA",
        "downloadLimit": download_limit,
        "lastPostDatetime": last_posted.unwrap_or_default(),
        "bundle": i32::from(has_bundles(report)),
        "protocolRules": {},
        "artifacts": artifacts,
        "_links": {
            "self": { "href": format!("{api}/{emil}") },
            "parent": { "href": api },
            "archive": { "href": format!("{api}/archive/{emil}") },
            "bundle": { "href": format!("{api}/bundle/{emil}") },
        },
    })
}

fn frequency(cadence: Cadence) -> &'static str {
    match cadence {
        Cadence::ScedRun => "Event - Per SCED Run",
        Cadence::QuarterHourly => "Chron - 15 Minutes",
        Cadence::Hourly { .. } => "Chron - Hourly",
        Cadence::Daily { .. } => "Chron - Daily",
        Cadence::AsNeeded => "Event - As Needed",
    }
}
