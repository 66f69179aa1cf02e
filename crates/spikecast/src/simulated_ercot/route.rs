//! Which of ERCOT's addresses a request asks for.

use market::reports::Report;

use super::documents::layout_of;
use super::layouts::LAYOUTS;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Route {
    Token,
    Products,
    Product(Report),
    Rows(Report),
    ArchiveList(Report),
    ArchiveDownload(Report),
    BundleList(Report),
    BundleDownload(Report),
    MisList(Report),
    MisDownload(Report),
}

/// The same without the report, as rules of faults name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// The token endpoint.
    Token,
    /// The list of products, or one product.
    Products,
    /// A page of rows.
    Rows,
    /// A list of the archive.
    ArchiveList,
    /// Files from the archive.
    ArchiveDownload,
    /// A list of bundles.
    BundleList,
    /// Files of bundles.
    BundleDownload,
    /// A list of the MIS.
    MisList,
    /// A file from the MIS.
    MisDownload,
}

impl RouteKind {
    /// Every kind with its name.
    pub const ALL: [(RouteKind, &'static str); 9] = [
        (RouteKind::Token, "token"),
        (RouteKind::Products, "products"),
        (RouteKind::Rows, "rows"),
        (RouteKind::ArchiveList, "archive_list"),
        (RouteKind::ArchiveDownload, "archive_download"),
        (RouteKind::BundleList, "bundle_list"),
        (RouteKind::BundleDownload, "bundle_download"),
        (RouteKind::MisList, "mis_list"),
        (RouteKind::MisDownload, "mis_download"),
    ];

    /// Returns the name in rules and in the log of requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Tells whether the Public API answers it, to whoever has a key and a token.
    #[must_use]
    pub fn is_public_api(self) -> bool {
        !matches!(self, RouteKind::Token | RouteKind::MisList | RouteKind::MisDownload)
    }

    /// Tells whether it answers with a zip file.
    #[must_use]
    pub fn is_download(self) -> bool {
        matches!(
            self,
            RouteKind::ArchiveDownload | RouteKind::BundleDownload | RouteKind::MisDownload
        )
    }
}

impl Route {
    pub(super) fn kind(&self) -> RouteKind {
        match self {
            Route::Token => RouteKind::Token,
            Route::Products | Route::Product(_) => RouteKind::Products,
            Route::Rows(_) => RouteKind::Rows,
            Route::ArchiveList(_) => RouteKind::ArchiveList,
            Route::ArchiveDownload(_) => RouteKind::ArchiveDownload,
            Route::BundleList(_) => RouteKind::BundleList,
            Route::BundleDownload(_) => RouteKind::BundleDownload,
            Route::MisList(_) => RouteKind::MisList,
            Route::MisDownload(_) => RouteKind::MisDownload,
        }
    }

    pub(super) fn report(&self) -> Option<Report> {
        match self {
            Route::Token | Route::Products => None,
            Route::Product(report)
            | Route::Rows(report)
            | Route::ArchiveList(report)
            | Route::ArchiveDownload(report)
            | Route::BundleList(report)
            | Route::BundleDownload(report)
            | Route::MisList(report)
            | Route::MisDownload(report) => Some(*report),
        }
    }

    /// Finds what a request asks for; `None` if there is no such address.
    pub(super) fn of(method: &str, path: &str, query: &Query) -> Option<Route> {
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let is_download = query.get("download").is_some();
        match (method, segments.as_slice()) {
            ("POST", [_, .., "oauth2", "v2.0", "token"]) => Some(Route::Token),
            ("GET", ["misapp", "servlets", "IceDocListJsonWS"]) => {
                let id: u32 = query.get("reportTypeId")?.parse().ok()?;
                let layout = LAYOUTS.into_iter().find(|it| it.report.facts().report_type_id == id);
                layout.map(|layout| Route::MisList(layout.report))
            }
            ("GET", ["misdownload", "servlets", "mirDownload"]) => {
                let layout = layout_of(query.get("doclookupId")?.parse().ok()?);
                layout.map(|layout| Route::MisDownload(layout.report))
            }
            (_, ["api", "public-reports", rest @ ..]) => match (method, rest) {
                ("GET", []) => Some(Route::Products),
                ("GET", ["archive", emil]) if is_download => {
                    served(emil).map(Route::ArchiveDownload)
                }
                ("GET", ["archive", emil]) => served(emil).map(Route::ArchiveList),
                ("POST", ["archive", emil, "download"]) => served(emil).map(Route::ArchiveDownload),
                ("GET", ["bundle", emil]) if is_download => served(emil).map(Route::BundleDownload),
                ("GET", ["bundle", emil]) => served(emil).map(Route::BundleList),
                ("POST", ["bundle", emil, "download"]) => served(emil).map(Route::BundleDownload),
                ("GET", [emil]) => served(emil).map(Route::Product),
                ("GET", [emil, endpoint]) => {
                    let report = served(emil)?;
                    (report.facts().endpoint == Some(*endpoint)).then_some(Route::Rows(report))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn served(emil: &str) -> Option<Report> {
    let report = Report::with_emil_id(emil)?;
    LAYOUTS.iter().any(|layout| layout.report == report).then_some(report)
}

/// A request's query or form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads `a=1&b=2` with its escapes.
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        });
        Self { pairs: pairs.collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], digits) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) => plain.push(b' '),
            (byte, _) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, target: &str, expected: Option<Route>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        assert_eq!(Route::of(method, path, &Query::read(query)), expected, "{method} {target}");
    }

    #[test]
    fn every_address_of_ercot_is_understood() {
        let policy = "/ercotb2c.onmicrosoft.com/B2C_1_PUBAPI-ROPC-FLOW/oauth2/v2.0/token";
        check("POST", policy, Some(Route::Token));
        check("GET", policy, None);
        check("GET", "/api/public-reports/", Some(Route::Products));
        check("GET", "/api/public-reports", Some(Route::Products));
        let lmp = "/api/public-reports/np6-788-cd";
        check("GET", lmp, Some(Route::Product(Report::Lmp)));
        check("GET", &format!("{lmp}/lmp_node_zone_hub?page=2"), Some(Route::Rows(Report::Lmp)));
        check("GET", &format!("{lmp}/spp_node_zone_hub"), None);
        let archive = "/api/public-reports/archive/NP6-788-CD";
        check("GET", archive, Some(Route::ArchiveList(Report::Lmp)));
        check("GET", &format!("{archive}?download=1"), Some(Route::ArchiveDownload(Report::Lmp)));
        check("POST", &format!("{archive}/download"), Some(Route::ArchiveDownload(Report::Lmp)));
        let list = "/misapp/servlets/IceDocListJsonWS?reportTypeId=12300";
        check("GET", list, Some(Route::MisList(Report::Lmp)));
        check("GET", "/misapp/servlets/IceDocListJsonWS?reportTypeId=1", None);
        let download = "/misdownload/servlets/mirDownload?doclookupId=177000000000";
        check("GET", download, Some(Route::MisDownload(Report::Lmp)));
    }

    #[test]
    fn escapes_are_read() {
        let query = Query::read("SCEDTimestampFrom=2026-03-08T00%3A00%3a00&b=x+y&%=%zz&c");
        assert_eq!(query.get("SCEDTimestampFrom"), Some("2026-03-08T00:00:00"));
        assert_eq!(
            (query.get("b"), query.get("%"), query.get("c")),
            (Some("x y"), Some("%zz"), Some(""))
        );
    }
}
