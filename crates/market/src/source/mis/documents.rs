//! Makes postings of the documents that the MIS lists. Pure.
//!
//! A posting is listed as CSV and as XML, and again with `_retry_` in its name when ERCOT had to
//! post it again. Some reports have the time in their names and some have the same name every
//! time, so a name alone says nothing: only documents of different formats, or retries, that lie
//! close together are the same posting. In doubt both stay; the archive bears it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::reports::{Posting, Report};
use crate::source::listing::{DOCUMENTS_MAX, Listing, posting};

/// The formats of a posting are written one after the other, a retry within minutes. The most
/// frequent reports come every five.
const SAME_POSTING_WITHIN: SignedDuration = SignedDuration::from_mins(4);

/// A document with what its name says.
#[derive(Clone, Debug)]
struct Document {
    posting: Posting,
    format: Format,
    is_retry: bool,
}

/// The better one is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Format {
    Xml,
    Csv,
    Other,
}

/// Reads a list; the error says what is wrong with it as a whole.
pub(super) fn listing(report: Report, list: &str, json: &Value) -> Result<Listing, String> {
    let response = json.get("ListDocsByRptTypeRes");
    let response = response.ok_or("expected ListDocsByRptTypeRes, which is not there")?;
    let entries = entries_of(response.get("DocumentList"))?;
    let mut listing = Listing::default();
    let mut by_name: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match document(report, entry) {
            Ok((name, document)) => by_name.entry(name).or_default().push(document),
            Err(reason) => listing.add(list, index, Err(reason)),
        }
    }
    listing.postings = by_name.into_values().flat_map(distinct).collect();
    Ok(listing.in_order())
}

/// Returns the documents of a list, which is an array, one object, or nothing.
fn entries_of(list: Option<&Value>) -> Result<Vec<&Value>, String> {
    let outer: Vec<&Value> = match list {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if text.trim().is_empty() => Vec::new(),
        Some(Value::Array(entries)) => entries.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        Some(_) => return Err("expected documents in DocumentList, found something else".into()),
    };
    let mut entries = Vec::with_capacity(outer.len());
    for entry in outer {
        match entry.get("Document").unwrap_or(entry) {
            Value::Array(inner) => entries.extend(inner),
            one => entries.push(one),
        }
    }
    if DOCUMENTS_MAX < entries.len() {
        return Err(format!("{} documents are more than {DOCUMENTS_MAX}", entries.len()));
    }
    Ok(entries)
}

/// Returns a document under the name that all variants of its posting share.
fn document(report: Report, entry: &Value) -> Result<(String, Document), String> {
    let text = |name: &str| match entry.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let report_type = text("ReportTypeID");
    if !report_type.is_empty() && report_type != report.facts().report_type_id.to_string() {
        return Err(format!("a document of report type {report_type}"));
    }
    let (constructed, friendly) = (text("ConstructedName"), text("FriendlyName"));
    let name = if constructed.is_empty() { &friendly } else { &constructed };
    // Either name may be the one that says that the hour is the repeated one.
    let both = format!("{constructed} {friendly}");
    let mut posting = posting(report, &text("DocID"), &both, &text("PublishDate"))?;
    posting.name.clone_from(name);
    let label = if friendly.is_empty() { &constructed } else { &friendly };
    let (shared, format, is_retry) = parts_of(label);
    Ok((shared, Document { posting, format, is_retry }))
}

/// Takes a name apart: `SPP_20250101_0015_retry_1_csv` is `SPP_20250101_0015`, CSV, a retry.
fn parts_of(name: &str) -> (String, Format, bool) {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".zip").unwrap_or(&name);
    let (stem, format) = if let Some(stem) = name.strip_suffix("csv") {
        (stem, Format::Csv)
    } else if let Some(stem) = name.strip_suffix("xml") {
        (stem, Format::Xml)
    } else {
        (name, Format::Other)
    };
    let stem = stem.trim_end_matches(['_', '.']);
    let Some((before, after)) = stem.split_once("_retry") else {
        return (stem.to_owned(), format, false);
    };
    let after = after.trim_start_matches(|c: char| c == '_' || c.is_ascii_digit());
    let after = if after.is_empty() { String::new() } else { format!("_{after}") };
    (format!("{before}{after}"), format, true)
}

/// Keeps one document of each posting among those that share a name.
fn distinct(mut documents: Vec<Document>) -> Vec<Posting> {
    let order = |document: &Document| {
        let posting = &document.posting;
        (posting.posted_at, posting.id.len(), posting.id.clone())
    };
    documents.sort_by_key(order);
    let mut groups: Vec<Vec<Document>> = Vec::new();
    for document in documents {
        match groups.last_mut() {
            Some(group) if belongs(group, &document) => group.push(document),
            Some(_) | None => groups.push(vec![document]),
        }
    }
    let best = groups.into_iter().filter_map(|group| {
        group.into_iter().max_by_key(|document| {
            let posted_at: Timestamp = document.posting.posted_at;
            (document.format, posted_at, document.posting.id.len(), document.posting.id.clone())
        })
    });
    best.map(|document| document.posting).collect()
}

/// Tells whether a document is another variant of what the group holds.
fn belongs(group: &[Document], document: &Document) -> bool {
    let apart = document.posting.posted_at - group[0].posting.posted_at;
    let is_variant = document.is_retry
        || group.iter().all(|other| other.format != document.format || other.is_retry);
    apart <= SAME_POSTING_WITHIN && is_variant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        let check = |name: &str, shared: &str, format, is_retry| {
            assert_eq!(parts_of(name), (shared.to_owned(), format, is_retry), "{name}");
        };
        check("SPP_20250101_0015_csv", "spp_20250101_0015", Format::Csv, false);
        check("SPP_20250101_0015_xml", "spp_20250101_0015", Format::Xml, false);
        check("SPP_20250101_0015_retry_1_csv", "spp_20250101_0015", Format::Csv, true);
        check("SPP_retry_20250101_csv.zip", "spp", Format::Csv, true);
        check("RTMLZHBSPP_2026", "rtmlzhbspp_2026", Format::Other, false);
    }
}
