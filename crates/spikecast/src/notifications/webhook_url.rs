//! The address of a webhook. Whoever knows it can post, so only scheme and host are ever shown, and
//! what a server echoes of the rest is blackened.

use std::fmt;

use market::source::credentials::Secret;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use thiserror::Error;

/// The address of a webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// Why a text is no address of a webhook. Does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an address that starts with https:// (or http://) and a host")]
pub struct WebhookUrlError;

impl WebhookUrl {
    /// Reads an address.
    pub fn new(text: &str) -> Result<Self, WebhookUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| WebhookUrlError)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(WebhookUrlError);
        }
        Ok(Self(url))
    }

    /// Gives the address away, for the request that needs it.
    pub(super) fn expose(&self) -> &Url {
        &self.0
    }

    /// Returns scheme, host and port: what may be shown.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Blackens in a text whatever of the address is not shown.
    pub(super) fn blacken(&self, text: &str) -> String {
        let mut parts = vec![self.0.as_str(), self.0.path(), self.0.username()];
        parts.extend(self.0.query());
        parts.extend(self.0.password());
        parts.extend(self.0.path().split('/'));
        let values = self.0.query().unwrap_or_default().split('&');
        parts.extend(values.filter_map(|pair| Some(pair.split_once('=')?.1)));
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let mut secrets: Vec<String> = parts.iter().map(|part| decoded(part)).collect();
        secrets.extend(parts.into_iter().map(str::to_owned));
        // The longest first, or the whole would no longer be found once a part of it is gone.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| Secret::new(secret).blacken(&text))
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/***", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: &str = "https://hooks.slack.com/services/T0DESK/B0HOOK/s3cr3tw0rd";

    #[test]
    fn only_scheme_host_and_port_are_shown() {
        let check = |text: &str, origin: &str| {
            let url = WebhookUrl::new(text).unwrap();
            assert_eq!(url.origin(), origin);
            assert_eq!(format!("{url:?}"), format!("{origin}/***"));
        };
        check(SLACK, "https://hooks.slack.com");
        check("http://desk:hunter2@127.0.0.1:8080/hook?sig=abcdef", "http://127.0.0.1:8080");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for text in ["", "hooks.slack.com/services/s3cr3t", "ftp://h/s3cr3t", "https://:s3cr3t@"] {
            let error = WebhookUrl::new(text).unwrap_err();
            assert!(!error.to_string().contains("s3cr3t"), "{error}");
        }
    }

    #[test]
    fn what_a_server_echoes_of_the_address_is_blackened() {
        let url = WebhookUrl::new(SLACK).unwrap();
        let check = |text: &str, expected: &str| assert_eq!(url.blacken(text), expected);
        check("no_service", "no_service");
        check("Cannot POST /services/T0DESK/B0HOOK/s3cr3tw0rd", "Cannot POST ***");
        check("unknown hook s3cr3tw0rd", "unknown hook ***");
        let url = WebhookUrl::new("https://desk:pa%20ss@h.example/run?v=1&sig=a%2Fbcd").unwrap();
        assert_eq!(url.blacken("sig a/bcd or a%2Fbcd, pa ss"), "sig *** or ***, ***");
    }
}
