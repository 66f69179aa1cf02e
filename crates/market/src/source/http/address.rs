//! Where a service is: the part of its URLs that a configuration may change.

use std::fmt;

use reqwest::Url;
use thiserror::Error;

/// The address of a service, without credentials, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why an address cannot be used. It is not shown: people put credentials into addresses.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("address of {service}: {problem}; expected e.g. https://api.ercot.com/api/public-reports")]
pub struct BaseUrlError {
    service: &'static str,
    problem: &'static str,
}

impl BaseUrl {
    /// Reads an address.
    pub fn new(service: &'static str, text: &str) -> Result<Self, BaseUrlError> {
        let refused = |problem| BaseUrlError { service, problem };
        let url = Url::parse(text.trim()).map_err(|_| refused("it is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(refused("it does not start with http:// or https:// and a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it holds credentials, which belong elsewhere"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("it holds a query or fragment"));
        }
        Ok(Self(url))
    }

    /// Returns the URL of something below the address.
    pub(in crate::source) fn at(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_added_and_escaped() {
        for base in ["http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api/"] {
            let base = BaseUrl::new("the test", base).unwrap();
            let url = base.at(&["np6-788-cd", "a b"], &[("from", "2024-11-03T01:00"), ("k", "&")]);
            let expected =
                "http://127.0.0.1:8080/api/np6-788-cd/a%20b?from=2024-11-03T01%3A00&k=%26";
            assert_eq!(url.as_str(), expected);
        }
        let root = BaseUrl::new("the test", "https://api.ercot.com").unwrap();
        assert_eq!(root.at(&[], &[]).as_str(), "https://api.ercot.com/");
    }

    #[test]
    fn an_address_with_credentials_is_refused_and_not_shown() {
        for text in [
            "ftp://h",
            "api.ercot.com",
            "http://u:secret@h/",
            "http://h/?key=secret",
            "http://h/#s",
        ] {
            let error = BaseUrl::new("the test", text).unwrap_err().to_string();
            assert!(error.starts_with("address of the test: it"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
