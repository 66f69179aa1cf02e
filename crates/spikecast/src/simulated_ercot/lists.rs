//! Lists of files and the files themselves: the MIS, the API's archive, its bundles of months.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, ToSpan};
use market::reports::Report;
use market::time::{OperatingDay, instant};
use serde_json::{Value, json};
use twox_hash::XxHash64;

use super::answer::{Answer, Refusal};
use super::documents::{Change, DAYS_MAX, Document, Postings, naive, zip_of};
use super::layouts::Layout;
use super::products::{ARCHIVE_DAYS, has_bundles, name_and_limit, product};
use super::route::Query;
use super::rows::{Paging, SUBSCRIPTION_PARAMETER};

/// Entries on a page of a list, if the request does not say, and at the most.
const PAGE_SIZE: usize = 1_000;

/// Lists what the MIS still shows, newest first.
pub(super) fn mis(postings: Postings<'_>, layout: &'static Layout) -> Result<Answer, Refusal> {
    let days = i64::from(layout.report.facts().mis_days);
    let from = postings.now - SignedDuration::from_hours(24 * days);
    let documents = postings.between(layout, from, postings.now)?;
    Ok(Answer::json(200, &mis_body(&documents)))
}

/// Writes a list of the MIS.
pub(super) fn mis_body(documents: &[Document]) -> Value {
    let entries: Vec<Value> = documents.iter().rev().map(Document::mis_entry).collect();
    json!({ "ListDocsByRptTypeRes": { "DocumentList": entries } })
}

/// Gives one file of the MIS.
pub(super) fn mis_file(
    postings: Postings<'_>,
    query: &Query,
    change: Change<'_>,
) -> Result<Answer, Refusal> {
    let id = query.get("doclookupId").and_then(|id| id.parse().ok()).unwrap_or_default();
    let document = postings.with_id(id)?;
    let shown = document.filter(|document| {
        let days = i64::from(document.layout.report.facts().mis_days);
        postings.now - SignedDuration::from_hours(24 * days) <= document.posted_at
    });
    let document = shown.ok_or_else(|| no_document(id))?;
    Ok(Answer::zip(postings.zip(&document, change)?))
}

fn no_document(id: i64) -> Refusal {
    Refusal::NotFound(format!("no document {id}"))
}

/// Lists postings of the archive, newest first.
pub(super) fn archive(
    postings: Postings<'_>,
    layout: &'static Layout,
    query: &Query,
    base: &str,
) -> Result<Answer, Refusal> {
    let oldest = OperatingDay::of(postings.now).plus_days(-ARCHIVE_DAYS).start();
    let from = time(query, "postDatetimeFrom")?.unwrap_or(oldest).max(oldest);
    let to = time(query, "postDatetimeTo")?.unwrap_or(postings.now).min(postings.now);
    let from = from.max(postings.world.first_day().start());
    if OperatingDay::of(from).plus_days(DAYS_MAX) < OperatingDay::of(to) {
        let message =
            format!("postDatetimeFrom and postDatetimeTo: name a range of at most {DAYS_MAX} days");
        return Err(Refusal::BadRequest(message));
    }
    check_parameters(query, &["postDatetimeFrom", "postDatetimeTo"])?;
    let mut documents = postings.between(layout, from, to)?;
    documents.reverse();
    let folder = Folder { base, name: "archive", report: layout.report };
    folder.list(query, &documents, |document| {
        folder.entry(document.id(), &document.friendly_name(), document.posted_at)
    })
}

fn check_parameters(query: &Query, known: &[&str]) -> Result<(), Refusal> {
    let is_known = |name: &str| {
        known.contains(&name) || matches!(name, "page" | "size" | SUBSCRIPTION_PARAMETER)
    };
    match query.pairs.iter().find(|(name, _)| !is_known(name)) {
        Some((name, _)) => Err(Refusal::BadRequest(format!("{name}: no such parameter"))),
        None => Ok(()),
    }
}

/// The archive or the bundles of a report, and how the client calls us.
#[derive(Clone, Copy, Debug)]
struct Folder<'a> {
    base: &'a str,
    name: &'static str,
    report: Report,
}

impl Folder<'_> {
    fn address(&self) -> String {
        let emil = self.report.emil_id().to_lowercase();
        format!("{}/api/public-reports/{}/{emil}", self.base, self.name)
    }

    /// Writes a page of the list.
    fn list<T>(
        &self,
        query: &Query,
        all: &[T],
        entry: impl Fn(&T) -> Value,
    ) -> Result<Answer, Refusal> {
        let paging = Paging::read(query, PAGE_SIZE, PAGE_SIZE)?;
        let entries: Vec<Value> = paging.of(all).iter().map(entry).collect();
        let mut body = json!({
            "_meta": paging.meta(all.len(), query, "postDatetime: DESC"),
            "product": product(self.base, self.report, None),
            "_links": { "self": { "href": self.address() } },
        });
        body[format!("{}s", self.name)] = Value::from(entries);
        Ok(Answer::json(200, &body))
    }

    fn entry(&self, id: i64, name: &str, posted_at: Timestamp) -> Value {
        json!({
            "docId": id,
            "friendlyName": name,
            "postDatetime": naive(posted_at),
            "_links": { "endpoint": { "href": format!("{}?download={id}", self.address()) } },
        })
    }
}

/// Reads a naive local time of a filter; of the repeated hour the first one.
fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let wrong = || Refusal::BadRequest(format!("{name}: unreadable value {text:?}"));
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    instant(local.date(), local.time()).map(Some).map_err(|_| wrong())
}

/// Gives files of the archive: one as it is, several as a zip file of zip files in any order.
pub(super) fn archive_files(
    postings: Postings<'_>,
    layout: &'static Layout,
    ids: &Wanted,
    change: Change<'_>,
) -> Result<Answer, Refusal> {
    let found = |id: i64| -> Result<Document, Refusal> {
        let document = postings.with_id(id)?.filter(|it| it.layout.report == layout.report);
        document.ok_or_else(|| no_document(id))
    };
    match ids {
        Wanted::One(id) => Ok(Answer::zip(postings.zip(&found(*id)?, change)?)),
        Wanted::Several(ids) => {
            let mut files = Vec::new();
            for id in shuffled(ids, layout.report)? {
                let document = found(id)?;
                let name = format!("{id}_{}", document.zip_name());
                files.push((name, postings.zip(&document, change)?));
            }
            Ok(Answer::zip(zip_of(files)))
        }
    }
}

/// Which files are to be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    One(i64),
    Several(Vec<i64>),
}

impl Wanted {
    /// Reads `?download=` or the body of a request for several files.
    pub(super) fn read(query: &Query, body: &[u8]) -> Result<Self, Refusal> {
        if let Some(id) = query.get("download") {
            let wrong = || Refusal::BadRequest(format!("download: no document id {id:?}"));
            return id.parse().map(Wanted::One).map_err(|_| wrong());
        }
        let wrong = || Refusal::BadRequest("expected {\"docIds\": [1, 2]}".to_owned());
        let body: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
        let ids = body.get("docIds").and_then(Value::as_array).ok_or_else(wrong)?;
        let ids: Option<Vec<i64>> = ids.iter().map(Value::as_i64).collect();
        ids.filter(|ids| !ids.is_empty()).map(Wanted::Several).ok_or_else(wrong)
    }

    /// Returns the ids, for the log of requests.
    pub(super) fn ids(&self) -> &[i64] {
        match self {
            Wanted::One(id) => std::slice::from_ref(id),
            Wanted::Several(ids) => ids,
        }
    }
}

/// ERCOT guarantees no order of several files.
fn shuffled(ids: &[i64], report: Report) -> Result<Vec<i64>, Refusal> {
    let limit = name_and_limit(report).1;
    if limit < ids.len() {
        let message = format!("docIds: at most {limit} at once, found {}", ids.len());
        return Err(Refusal::BadRequest(message));
    }
    let mut ids = ids.to_vec();
    ids.sort_by_key(|id| XxHash64::oneshot(1, &id.to_le_bytes()));
    Ok(ids)
}

/// A full month of postings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bundle {
    month: Date,
}

impl Bundle {
    /// Bundles have negative ids.
    fn id(self, report: Report) -> i64 {
        let month = i64::from(self.month.year()) * 100 + i64::from(self.month.month());
        -(month * 100_000 + i64::from(report.facts().report_type_id))
    }

    fn last_day(self) -> OperatingDay {
        OperatingDay::new(self.month.last_of_month())
    }

    fn posted_at(self) -> Timestamp {
        self.last_day().plus_days(2).start()
    }

    fn name(self, report: Report) -> String {
        format!("{}_{}", report.emil_id(), self.month.strftime("%Y%m"))
    }

    /// Returns the bundles of full months, newest first.
    fn all(postings: Postings<'_>) -> Vec<Self> {
        let today = OperatingDay::of(postings.now);
        let oldest = today.plus_days(-ARCHIVE_DAYS).max(postings.world.first_day());
        let mut month = today.date().first_of_month().saturating_sub(1.month());
        let mut bundles = Vec::new();
        while oldest.date() <= month {
            bundles.push(Self { month });
            month = month.saturating_sub(1.month());
        }
        bundles.retain(|bundle| bundle.posted_at() <= postings.now);
        bundles
    }

    /// Packs the month: a zip file of each day's zip files.
    fn zip(
        self,
        postings: Postings<'_>,
        layout: &'static Layout,
        change: Change<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let mut days = Vec::new();
        let mut day = OperatingDay::new(self.month);
        while day <= self.last_day() {
            let documents = postings.of_days(layout, day, day)?;
            let mut files = Vec::with_capacity(documents.len());
            for document in documents {
                files.push((document.zip_name(), postings.zip(&document, change)?));
            }
            let name = format!("{}_{}.zip", layout.report.emil_id(), day.date().strftime("%Y%m%d"));
            days.push((name, zip_of(files)));
            day = day.plus_days(1);
        }
        Ok(zip_of(days))
    }
}

/// Lists the bundles of a product.
pub(super) fn bundles(
    postings: Postings<'_>,
    report: Report,
    query: &Query,
    base: &str,
) -> Result<Answer, Refusal> {
    check_parameters(query, &[])?;
    let bundles = if has_bundles(report) { Bundle::all(postings) } else { Vec::new() };
    let folder = Folder { base, name: "bundle", report };
    folder.list(query, &bundles, |bundle| {
        folder.entry(bundle.id(report), &bundle.name(report), bundle.posted_at())
    })
}

/// Gives bundles: one as it is, several in a zip file.
pub(super) fn bundle_files(
    postings: Postings<'_>,
    layout: &'static Layout,
    ids: &Wanted,
    change: Change<'_>,
) -> Result<Answer, Refusal> {
    let all = if has_bundles(layout.report) { Bundle::all(postings) } else { Vec::new() };
    let found = |id: i64| {
        let bundle = all.iter().find(|bundle| bundle.id(layout.report) == id);
        bundle.copied().ok_or_else(|| no_document(id))
    };
    match ids {
        Wanted::One(id) => Ok(Answer::zip(found(*id)?.zip(postings, layout, change)?)),
        Wanted::Several(ids) => {
            let mut files = Vec::new();
            for id in shuffled(ids, layout.report)? {
                let bundle = found(id)?;
                let name = format!("{id}_{}.zip", bundle.name(layout.report));
                files.push((name, bundle.zip(postings, layout, change)?));
            }
            Ok(Answer::zip(zip_of(files)))
        }
    }
}
