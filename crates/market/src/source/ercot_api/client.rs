//! Asks the Public API, one request at a time, and keeps the token.

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Url;

use super::bulk::{self, Downloads};
use super::endpoints::ErcotEndpoints;
use super::lists::{ArchiveBody, ArchivePage, Product, ProductsBody};
use super::rows::{RowRequest, not_after, not_before};
use super::token::{Token, Tokens};
use crate::reports::{Posting, Report};
use crate::source::SourceError;
use crate::source::credentials::Credentials;
use crate::source::http::{BaseUrl, HttpAccess, Kind, Method, Refusal, Request, Service, Size};

const MB: u64 = 1_000_000;
/// A thousand entries of an archive are some 300 kB; all products some 200 kB.
const LIST: Size = Size { expected: MB / 2, max: 64 * MB };
/// 100,000 rows are some 10 MB. A page is read in memory.
const PAGE: Size = Size { expected: 10 * MB, max: 256 * MB };
/// The largest postings of a product are 16 MB.
const FILE: Size = Size { expected: MB, max: 128 * MB };
/// A thousand postings of NP6-788 are 25 MB, a month's bundle 50 to 250. More than comes must not
/// be reserved: two requests at once would be told to wait for an hour.
const POSTING: u64 = 25_000;
const FILES: Size = Size { expected: 25 * MB, max: 512 * MB };

/// How many entries a page of an archive has: the most that ERCOT gives.
const ARCHIVE_PAGE_ENTRIES: &str = "1000";

/// More documents are not asked for at once: no product allows more.
pub const DOCUMENTS_OF_A_DOWNLOAD_MAX: usize = 1_000;

const ADVICE: &str = "check the subscription key and that the subscription is active at https://apiexplorer.ercot.com; ERCOT also refuses addresses outside the United States";

/// A client of the Public API.
#[derive(Debug)]
pub struct ErcotApi {
    base: BaseUrl,
    service: Service,
    tokens: Tokens,
}

impl ErcotApi {
    /// Prepares to ask; asks nothing.
    #[must_use]
    pub fn new(endpoints: &ErcotEndpoints, credentials: Credentials, access: &HttpAccess) -> Self {
        let secrets = credentials.secrets();
        Self {
            base: endpoints.public_reports.clone(),
            service: Service::new("ERCOT Public API", access, ADVICE, secrets),
            tokens: Tokens::new(endpoints.token.clone(), credentials, access),
        }
    }

    /// Lists the products.
    pub fn products(&self) -> Result<Vec<Product>, SourceError> {
        let body = self.get(self.base.at(&[], &[]), LIST)?;
        Ok(self.service.json::<ProductsBody>("list of products", &body)?.products())
    }

    /// Fetches a page of rows, as JSON for `reports` to read. A page without rows is no proof
    /// that there are none: ERCOT's row stores have lagged by weeks.
    pub fn page(&self, request: &RowRequest) -> Result<Bytes, SourceError> {
        let report = request.report;
        let Some(endpoint) = report.facts().endpoint else {
            return Err(self
                .service
                .missing(format!("rows of {}; it is on the MIS only", report.emil_id())));
        };
        let query = request.query();
        let query: Vec<(&str, &str)> =
            query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = self.get(self.base.at(&[&path(report), endpoint], &query), PAGE)?;
        self.service.expect_json(&format!("rows of {}", report.emil_id()), body)
    }

    /// Lists what was posted in a time range, both ends included; pages count from 1.
    pub fn archive(
        &self,
        report: Report,
        (from, to): (Timestamp, Timestamp),
        page: u32,
    ) -> Result<ArchivePage, SourceError> {
        let query = [
            ("postDatetimeFrom", &*not_after(from)),
            ("postDatetimeTo", &*not_before(to)),
            ("size", ARCHIVE_PAGE_ENTRIES),
            ("page", &*page.max(1).to_string()),
        ];
        self.list(report, self.base.at(&["archive", &path(report)], &query), "archive")
    }

    /// Lists the bundles of a report: a month's postings each, as postings of their own.
    pub fn bundles(&self, report: Report) -> Result<ArchivePage, SourceError> {
        self.list(report, self.base.at(&["bundle", &path(report)], &[]), "bundles")
    }

    /// Downloads one posting of the archive: a zip file.
    pub fn download(&self, posting: &Posting) -> Result<Bytes, SourceError> {
        self.download_from("archive", posting, FILE)
    }

    /// Downloads a bundle: a zip file of zip files.
    pub fn download_bundle(&self, bundle: &Posting) -> Result<Bytes, SourceError> {
        self.download_from("bundle", bundle, FILES)
    }

    /// Downloads several postings of one report together. ERCOT has refused this with 400 for
    /// days while [`Self::download`] worked: which to try is the caller's decision.
    ///
    /// # Panics
    /// If the postings are of several reports, or more than [`DOCUMENTS_OF_A_DOWNLOAD_MAX`].
    pub fn download_many(&self, postings: &[Posting]) -> Result<Downloads, SourceError> {
        let Some(Posting { report, .. }) = postings.first() else {
            return Ok(Downloads::default());
        };
        assert!(postings.iter().all(|posting| posting.report == *report), "one report at a time");
        assert!(postings.len() <= DOCUMENTS_OF_A_DOWNLOAD_MAX, "no more than ERCOT allows");
        let ids: Vec<&str> = postings.iter().map(|posting| posting.id.as_str()).collect();
        let request = Request {
            // Ids are digits: `listing` accepts nothing else.
            method: Method::PostJson(format!("{{\"docIds\":[{}]}}", ids.join(","))),
            url: self.base.at(&["archive", &path(*report), "download"], &[]),
            headers: Vec::new(),
            size: Size { expected: POSTING * postings.len() as u64, ..FILES },
        };
        let what = format!("{} documents of {}", ids.len(), report.emil_id());
        let body = self.service.expect_zip(&what, self.ask(request)?)?;
        bulk::open(postings, &body)
            .map_err(|reason| self.service.unusable(format!("{what}: {reason}")))
    }

    fn download_from(
        &self,
        route: &str,
        posting: &Posting,
        size: Size,
    ) -> Result<Bytes, SourceError> {
        let query = [("download", &*posting.id)];
        let body = self.get(self.base.at(&[route, &path(posting.report)], &query), size)?;
        let what = format!("document {} of {}", posting.id, posting.report.emil_id());
        self.service.expect_zip(&what, body)
    }

    fn list(&self, report: Report, url: Url, kind: &str) -> Result<ArchivePage, SourceError> {
        let what = format!("{kind} of {}", report.emil_id());
        let body: ArchiveBody = self.service.json(&what, &self.get(url, LIST)?)?;
        let page = body.page(report, &what);
        page.ok_or_else(|| self.service.unusable(format!("{what}: the reply lists none")))
    }

    fn get(&self, url: Url, size: Size) -> Result<Bytes, SourceError> {
        self.ask(Request::get(url, size))
    }

    /// Makes a request with token and key, once.
    fn ask(&self, mut request: Request<'_>) -> Result<Bytes, SourceError> {
        let token = self.tokens.current()?;
        let key = &self.tokens.credentials().subscription_key;
        for (name, secret, prefix) in
            [("Authorization", &token.value, "Bearer "), ("Ocp-Apim-Subscription-Key", key, "")]
        {
            let value = secret.header(prefix).expect("both were checked when they came");
            request.headers.push((name, value));
        }
        let reply = self.service.reply_to(&request)?;
        let Some(mut refusal) = Refusal::of(&reply, self.service.access().now()) else {
            self.tokens.accepted(&token);
            return Ok(reply.body);
        };
        refusal.said = token.value.blacken(&refusal.said);
        match refusal.kind {
            Kind::Token => Err(self.token_refused(&token, &refusal)),
            _ => Err(self.service.refused(&refusal)),
        }
    }

    fn token_refused(&self, token: &Token, refusal: &Refusal) -> SourceError {
        if self.tokens.refused(token) {
            let said = self.service.blacken(&refusal.said);
            return self.service.unavailable(format!(
                "the token is no longer accepted ({said}); the next attempt signs in again"
            ));
        }
        self.service.refused(refusal)
    }
}

/// Returns a report's part of the paths.
fn path(report: Report) -> String {
    report.emil_id().to_lowercase()
}
