//! What there is: the products, and the pages of a product's archive. Pure.
//!
//! Decoded by names; whatever else a list says is not looked at.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::reports::Report;
use crate::source::listing::{DOCUMENTS_MAX, Listing, posted, posting};

/// A product of the Public API. ERCOT adds and retires them: what is not listed cannot be asked
/// for, whatever our catalogue says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// ERCOT's id, e.g. `NP6-788-CD`.
    pub emil_id: String,
    /// What ERCOT calls it.
    pub name: String,
    /// The report type id of its lists on the MIS.
    pub report_type_id: Option<u32>,
    /// How often it is posted, in ERCOT's words.
    pub frequency: String,
    /// When it was first posted.
    pub first_run: Option<Date>,
    /// When it was last posted.
    pub last_posted_at: Option<Timestamp>,
    /// For how many days the MIS lists a posting.
    pub mis_days: Option<u32>,
    /// How many documents one download may ask for.
    pub download_limit: Option<u32>,
    /// The names of its endpoints of rows.
    pub endpoints: Vec<String>,
}

/// Where a page is among its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Paging {
    /// How many entries all pages have.
    pub total_records: u64,
    /// How many pages there are.
    pub total_pages: u32,
    /// Which one this is, from 1.
    pub current_page: u32,
}

/// A page of a product's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePage {
    /// What it lists.
    pub listing: Listing,
    /// Which page it is.
    pub paging: Paging,
}

#[derive(Deserialize)]
pub(super) struct ProductsBody {
    #[serde(rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Deserialize)]
struct Embedded {
    products: Vec<ProductBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProductBody {
    emil_id: String,
    #[serde(default)]
    name: String,
    report_type_id: Option<u32>,
    generation_frequency: Option<String>,
    first_run: Option<String>,
    last_post_datetime: Option<String>,
    mis_display_duration: Option<u32>,
    download_limit: Option<u32>,
    #[serde(default)]
    artifacts: Vec<Value>,
}

impl ProductsBody {
    pub(super) fn products(self) -> Vec<Product> {
        self.embedded.products.into_iter().map(product).collect()
    }
}

fn product(body: ProductBody) -> Product {
    let endpoint = |artifact: &Value| {
        let href = artifact.pointer("/_links/endpoint/href")?.as_str()?;
        href.rsplit('/').next().map(str::to_owned)
    };
    Product {
        emil_id: body.emil_id,
        name: body.name,
        report_type_id: body.report_type_id,
        frequency: body.generation_frequency.unwrap_or_default(),
        first_run: body.first_run.and_then(|text| text.parse().ok()),
        last_posted_at: body.last_post_datetime.and_then(|text| posted(&text, false).ok()),
        mis_days: body.mis_display_duration,
        download_limit: body.download_limit,
        endpoints: body.artifacts.iter().filter_map(endpoint).collect(),
    }
}

/// Archives and bundles have the same shape under two names.
#[derive(Deserialize)]
pub(super) struct ArchiveBody {
    #[serde(rename = "_meta", default)]
    meta: Paging,
    archives: Option<Vec<Document>>,
    bundles: Option<Vec<Document>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    doc_id: Value,
    #[serde(default)]
    friendly_name: String,
    #[serde(default)]
    post_datetime: String,
}

impl ArchiveBody {
    /// Returns the page; `None` when the reply lists neither archives nor bundles.
    pub(super) fn page(self, report: Report, list: &str) -> Option<ArchivePage> {
        let documents = self.archives.or(self.bundles)?;
        let mut listing = Listing::default();
        for (index, document) in documents.into_iter().take(DOCUMENTS_MAX).enumerate() {
            let id = match &document.doc_id {
                Value::Number(number) => number.to_string(),
                Value::String(text) => text.clone(),
                _ => String::new(),
            };
            let entry = posting(report, &id, &document.friendly_name, &document.post_datetime);
            listing.add(list, index, entry);
        }
        Some(ArchivePage { listing: listing.in_order(), paging: self.meta })
    }
}
