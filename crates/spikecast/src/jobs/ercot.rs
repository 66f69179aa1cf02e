//! The way to ERCOT: clients, credentials, one budget. Made from the configuration; nothing of it
//! crosses the journal.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use market::observation::Observation;
use market::place::SettlementPoint;
use market::reports::{Posting, Report};
use market::source::budget::{BudgetLimits, SharedBudget};
use market::source::ercot_api::{Downloads, ErcotApi, ErcotEndpoints, Filter, RowRequest};
use market::source::http::{BaseUrlError, HttpAccess, HttpSettings, Now};
use market::source::mis::Mis;
use market::source::{FetchRequest, Source, SourceError};
use market::time::OperatingDay;
use orchestration::Clock;

use super::failure::JobError;
use crate::config::ErcotSettings;

/// The name under which ERCOT's data is archived.
const ID: &str = "ercot";

/// No list has more pages: a month of a report that is posted every 5 minutes has nine.
const LIST_PAGES_MAX: u32 = 50;

/// The hubs whose prices are traded most.
const HUBS: [&str; 4] = ["HB_HOUSTON", "HB_NORTH", "HB_SOUTH", "HB_WEST"];

/// The way to ERCOT.
#[derive(Debug)]
pub struct Ercot {
    mis: Mis,
    api: Option<ErcotApi>,
}

impl Ercot {
    /// Prepares the clients; asks nothing.
    pub fn open(settings: &ErcotSettings, clock: &Arc<dyn Clock>) -> Result<Self, JobError> {
        let limits = BudgetLimits {
            requests_per_minute: settings.requests_per_minute,
            ..BudgetLimits::ERCOT
        };
        let clock = clock.clone();
        let now = Now::new(move || clock.now());
        let http =
            HttpSettings { request_timeout: settings.request_timeout, ..HttpSettings::default() };
        let access = HttpAccess::new(http, SharedBudget::new(limits), now)?;
        let endpoints = match &settings.url {
            None => ErcotEndpoints::default(),
            Some(url) => {
                one_server(url).map_err(|error| JobError::Configuration(error.to_string()))?
            }
        };
        let api = settings.credentials.clone();
        Ok(Self {
            mis: Mis::new(&endpoints, &access),
            api: api.map(|credentials| ErcotApi::new(&endpoints, credentials, &access)),
        })
    }

    /// Returns the name under which ERCOT's data is archived.
    #[must_use]
    pub fn id(&self) -> &'static str {
        ID
    }

    /// Returns the client of the MIS.
    #[must_use]
    pub fn mis(&self) -> &Mis {
        &self.mis
    }

    fn api(&self) -> Result<&ErcotApi, JobError> {
        self.api.as_ref().ok_or_else(|| {
            let reason = "what is older than some days is on the Public API only; register at \
                          https://apiexplorer.ercot.com and set SPIKECAST_ERCOT_USERNAME, \
                          SPIKECAST_ERCOT_PASSWORD and SPIKECAST_ERCOT_SUBSCRIPTION_KEY";
            let source_name = "ERCOT Public API".to_owned();
            SourceError::Authentication { source_name, reason: reason.to_owned() }.into()
        })
    }

    /// Lists the archived postings of a report that were posted in `[from, to)`.
    pub fn archived(
        &self,
        report: Report,
        (from, to): (Timestamp, Timestamp),
        check_cancelled: impl Fn() -> Result<(), JobError>,
    ) -> Result<Vec<Posting>, JobError> {
        let api = self.api()?;
        let mut postings = Vec::new();
        for page in 1..=LIST_PAGES_MAX {
            check_cancelled()?;
            let listed = api.archive(report, (from, to), page)?;
            postings.extend(listed.listing.postings);
            if listed.paging.total_pages <= page {
                break;
            }
        }
        Ok(postings)
    }

    /// Downloads a posting from the route on which it was listed.
    pub fn download(&self, posting: &Posting, from_mis: bool) -> Result<Bytes, JobError> {
        if from_mis {
            return Ok(self.mis.download(posting)?);
        }
        Ok(self.api()?.download(posting)?)
    }

    /// Downloads several postings of one report from the archive of the Public API together.
    pub fn download_together(&self, postings: &[Posting]) -> Result<Downloads, JobError> {
        Ok(self.api()?.download_many(postings)?)
    }

    /// Fetches a page of rows about intervals in `[from, to)`.
    pub fn rows(
        &self,
        report: Report,
        point: Option<&str>,
        (from, to): (Timestamp, Timestamp),
        (page, size): (u32, u32),
    ) -> Result<Bytes, JobError> {
        let mut request = RowRequest::new(report).with(interval_filter(report, from, to));
        if let (Some(point), Some(field)) = (point, point_field(report)) {
            request = request.with(Filter::Is { field, text: point.to_owned() });
        }
        request.page = page;
        request.size = size;
        Ok(self.api()?.page(&request)?)
    }
}

/// Returns the addresses of a server that stands for all of ERCOT's.
fn one_server(url: &str) -> Result<ErcotEndpoints, BaseUrlError> {
    let url = url.trim_end_matches('/');
    let path = |real: &str| {
        let path = real.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        path.map_or_else(|| url.to_owned(), |(_, path)| format!("{url}/{path}"))
    };
    ErcotEndpoints::new(
        &path(ErcotEndpoints::PUBLIC_REPORTS),
        &path(ErcotEndpoints::TOKEN),
        &path(ErcotEndpoints::MIS),
    )
}

/// Returns the filter for intervals; a day is asked for as a whole.
fn interval_filter(report: Report, from: Timestamp, to: Timestamp) -> Filter {
    let field = match report {
        Report::Lmp
        | Report::ScedAdders
        | Report::ScedMcpc
        | Report::AsCapability
        | Report::ShadowPrices
        | Report::RealTimeCorrections => "SCEDTimestamp",
        Report::ActualLoad => "operatingDay",
        Report::Outages => "operatingDate",
        _ => "deliveryDate",
    };
    match field {
        "SCEDTimestamp" => Filter::Between { field, from, to },
        _ => {
            let last = to - SignedDuration::from_secs(1);
            Filter::OnDays { field, from: OperatingDay::of(from), to: OperatingDay::of(last) }
        }
    }
}

fn point_field(report: Report) -> Option<&'static str> {
    match report {
        Report::Lmp | Report::Spp | Report::DayAheadSpp | Report::DayAheadCorrections => {
            Some("settlementPoint")
        }
        Report::RealTimeCorrections => Some("settlementPointName"),
        _ => None,
    }
}

/// ERCOT as a source of runs: they read the archive, which is brought up by fetching.
#[derive(Clone, Copy, Debug)]
pub struct ErcotArchive;

impl Source for ErcotArchive {
    fn id(&self) -> String {
        ID.to_owned()
    }

    fn describe(&self) -> String {
        "ERCOT".to_owned()
    }

    fn fingerprint(&self) -> Result<String, SourceError> {
        Ok(ID.to_owned())
    }

    fn default_settlement_points(&self) -> Result<Vec<SettlementPoint>, SourceError> {
        Ok(HUBS.map(|name| SettlementPoint::new(name).expect("it is ERCOT's spelling")).to_vec())
    }

    fn fetch(&self, request: &FetchRequest) -> Result<Vec<Observation>, SourceError> {
        Err(SourceError::Missing {
            source_name: self.describe(),
            what: format!("a way to give {} alone; use `spikecast fetch`", request.key),
        })
    }
}
