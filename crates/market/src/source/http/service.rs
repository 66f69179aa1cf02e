//! A service as its client sees it: an answer of the expected kind, or the failure's class.

use bytes::Bytes;
use reqwest::Url;
use serde::de::DeserializeOwned;

use super::super::SourceError;
use super::super::credentials::{Secret, blacken_tokens};
use super::access::{Failure, HttpAccess, Reply, Request};
use super::refusal::{Kind, Refusal, text_of};

/// A service, by the name it has in messages.
#[derive(Clone, Debug)]
pub(in crate::source) struct Service {
    name: &'static str,
    access: HttpAccess,
    /// What to do when the service refuses the account.
    account_advice: &'static str,
    /// What must not be shown even if the service says it.
    secrets: Vec<Secret>,
}

impl Service {
    pub(in crate::source) fn new(
        name: &'static str,
        access: &HttpAccess,
        account_advice: &'static str,
        secrets: Vec<Secret>,
    ) -> Self {
        Self { name, access: access.clone(), account_advice, secrets }
    }

    pub(in crate::source) fn access(&self) -> &HttpAccess {
        &self.access
    }

    /// Makes a request, once; returns the reply, whatever its status.
    pub(in crate::source) fn reply_to(&self, request: &Request<'_>) -> Result<Reply, SourceError> {
        match self.access.send(request) {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(Failure::Broken(reason))) => Err(self.unavailable(reason)),
            Ok(Err(Failure::TooLarge(limit))) => {
                Err(self.unusable(format!("a reply of more than {limit} bytes; ask for less")))
            }
            Err(wait) => {
                let limits = self.access.budget().lock().limits();
                Err(SourceError::RateLimited {
                    source_name: self.name.to_owned(),
                    reason: format!(
                        "our own budget of {} requests a minute and {} MB an hour is spent",
                        limits.requests_per_minute,
                        limits.bytes_per_hour / 1_000_000
                    ),
                    wait: Some(wait),
                })
            }
        }
    }

    /// Makes a request, once; returns the body of an answer.
    pub(in crate::source) fn answer_to(&self, request: &Request<'_>) -> Result<Bytes, SourceError> {
        let reply = self.reply_to(request)?;
        match Refusal::of(&reply, self.access.now()) {
            None => Ok(reply.body),
            Some(refusal) => Err(self.refused(&refusal)),
        }
    }

    /// Returns the failure that a refusal is. What was too much silences the whole budget for as
    /// long as the service wants.
    pub(in crate::source) fn refused(&self, refusal: &Refusal) -> SourceError {
        let said = self.blacken(&refusal.said);
        let source_name = self.name.to_owned();
        match refusal.kind {
            Kind::TooMuch(allowance) => {
                let now = self.access.now();
                let wait = self.access.budget().lock().pause(now, allowance.wait(now));
                SourceError::RateLimited { source_name, reason: said, wait: Some(wait) }
            }
            Kind::Account | Kind::Token => SourceError::Authentication {
                source_name,
                reason: format!("{said}; {}", self.account_advice),
            },
            Kind::Absent => SourceError::Missing {
                source_name,
                what: format!("what was asked for ({said})"),
            },
            Kind::BadRequest | Kind::Server => self.unavailable(said),
            Kind::Unexpected if said.starts_with("HTTP 3") => self.unusable(format!(
                "a redirect to another address ({said}), which is not followed; configure the right one"
            )),
            Kind::Unexpected => self.unusable(said),
        }
    }

    /// Reads JSON of a known shape.
    pub(in crate::source) fn json<T: DeserializeOwned>(
        &self,
        what: &str,
        body: &[u8],
    ) -> Result<T, SourceError> {
        serde_json::from_slice(body).map_err(|error| {
            // serde_json quotes the unexpected value, which might be anything.
            let found = if is_json(body) { error.to_string() } else { found(body) };
            self.unusable(format!("{what}: expected JSON, found {}", self.blacken(&found)))
        })
    }

    /// Accepts JSON without reading it.
    pub(in crate::source) fn expect_json(
        &self,
        what: &str,
        body: Bytes,
    ) -> Result<Bytes, SourceError> {
        if is_json(&body) {
            return Ok(body);
        }
        let found = self.blacken(&found(&body));
        Err(self.unusable(format!("{what}: expected JSON, found {found}")))
    }

    /// Accepts a zip file that is not cut off.
    pub(in crate::source) fn expect_zip(
        &self,
        what: &str,
        body: Bytes,
    ) -> Result<Bytes, SourceError> {
        let found = match zip::ZipArchive::new(std::io::Cursor::new(&body)) {
            Ok(_) => return Ok(body),
            Err(error) if body.starts_with(b"PK") => format!("a damaged one ({error})"),
            Err(_) => found(&body),
        };
        let found = self.blacken(&found);
        Err(self.unusable(format!("{what}: expected a zip file, found {found}")))
    }

    pub(in crate::source) fn unavailable(&self, reason: String) -> SourceError {
        SourceError::Unavailable { source_name: self.name.to_owned(), reason }
    }

    pub(in crate::source) fn not_let_in(&self, reason: String) -> SourceError {
        SourceError::Authentication { source_name: self.name.to_owned(), reason }
    }

    pub(in crate::source) fn unusable(&self, reason: String) -> SourceError {
        SourceError::Unusable { source_name: self.name.to_owned(), reason }
    }

    pub(in crate::source) fn missing(&self, what: String) -> SourceError {
        SourceError::Missing { source_name: self.name.to_owned(), what }
    }

    pub(in crate::source) fn blacken(&self, text: &str) -> String {
        self.secrets.iter().fold(blacken_tokens(text), |text, secret| secret.blacken(&text))
    }
}

/// Returns a GET request.
impl Request<'_> {
    pub(in crate::source) fn get(url: Url, size: super::Size) -> Self {
        Self { method: super::Method::Get, url, headers: Vec::new(), size }
    }
}

fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[")
}

/// Describes a body that is not what it should be.
fn found(body: &[u8]) -> String {
    if body.is_empty() {
        return "nothing".to_owned();
    }
    let start = body.trim_ascii_start();
    let kind = if start.starts_with(b"PK") {
        return format!("a zip file of {} bytes", body.len());
    } else if start.starts_with(b"<") {
        "a page"
    } else {
        "a text"
    };
    format!("{kind} that says {:?}", text_of(body))
}
