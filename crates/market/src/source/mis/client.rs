//! Asks the MIS, one request at a time.

use bytes::Bytes;
use serde_json::Value;

use super::documents;
use crate::reports::{Posting, Report};
use crate::source::SourceError;
use crate::source::ercot_api::ErcotEndpoints;
use crate::source::http::{BaseUrl, HttpAccess, Request, Service, Size};
use crate::source::listing::Listing;

const MB: u64 = 1_000_000;
/// NP6-788's list of five days has some 3,000 documents of 400 bytes.
const LIST: Size = Size { expected: 2 * MB, max: 64 * MB };
const FILE: Size = Size { expected: MB, max: 128 * MB };

const ADVICE: &str = "the MIS needs no account, but refuses addresses outside the United States";

/// A client of the MIS.
#[derive(Debug)]
pub struct Mis {
    base: BaseUrl,
    service: Service,
}

impl Mis {
    /// Prepares to ask; asks nothing.
    #[must_use]
    pub fn new(endpoints: &ErcotEndpoints, access: &HttpAccess) -> Self {
        let service = Service::new("ERCOT MIS", access, ADVICE, Vec::new());
        Self { base: endpoints.mis.clone(), service }
    }

    /// Lists what is posted of a report now: of the formats of a posting the CSV, of its retries
    /// the last.
    pub fn postings(&self, report: Report) -> Result<Listing, SourceError> {
        let what = format!("list of {}", report.emil_id());
        let report_type = report.facts().report_type_id.to_string();
        let path = ["misapp", "servlets", "IceDocListJsonWS"];
        let url = self.base.at(&path, &[("reportTypeId", &report_type)]);
        let body = self.service.answer_to(&Request::get(url, LIST))?;
        let json: Value = self.service.json(&what, &body)?;
        documents::listing(report, &what, &json)
            .map_err(|reason| self.service.unusable(format!("{what}: {reason}")))
    }

    /// Downloads a posting: a zip file.
    pub fn download(&self, posting: &Posting) -> Result<Bytes, SourceError> {
        let path = ["misdownload", "servlets", "mirDownload"];
        let url = self.base.at(&path, &[("doclookupId", &posting.id)]);
        let body = self.service.answer_to(&Request::get(url, FILE))?;
        let what = format!("document {} of {}", posting.id, posting.report.emil_id());
        self.service.expect_zip(&what, body)
    }
}
