//! Sends a request once, within a budget and a time limit, and bounds what comes back.
//!
//! What a status or a body means is decided by `refusal` and the clients. Error texts are made
//! from causes, never from URLs: those may hold a key.

use std::error::Error;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::blocking::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Url, redirect, retry};

use super::super::SourceError;
use super::super::budget::{Answer, SharedBudget};

/// A service that redirects more often than this within its own address is not answering.
const REDIRECTS_MAX: usize = 3;

/// What is read of the body of an error; it is for a person.
const ERROR_BODY_BYTES_MAX: u64 = 64 * 1024;

/// How long a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Until there is a connection.
    pub connect_timeout: Duration,
    /// Until the last byte of the reply, the connection included.
    pub request_timeout: Duration,
}

impl HttpSettings {
    /// A server that does not pick up for so long is down or blocks us.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
    /// ERCOT's largest pages take a minute; a month's bundle takes two on a slow line.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(180);
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { connect_timeout: Self::CONNECT_TIMEOUT, request_timeout: Self::REQUEST_TIMEOUT }
    }
}

/// Tells the time; handed in, because only the orchestrator reads the clock.
#[derive(Clone)]
pub struct Now(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Now {
    /// Takes whatever tells the time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the present instant.
    #[must_use]
    pub fn get(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}

/// How requests are made: with which time limits, from which budget, by which clock. Clones share
/// connections and budget. Its calls block, so they are not for asynchronous threads. The proxies
/// that the environment names (`HTTPS_PROXY`) are used.
#[derive(Clone, Debug)]
pub struct HttpAccess {
    client: Client,
    settings: HttpSettings,
    budget: SharedBudget,
    now: Now,
}

/// A request to make once.
#[derive(Debug)]
pub(in crate::source) struct Request<'a> {
    pub(in crate::source) method: Method<'a>,
    pub(in crate::source) url: Url,
    pub(in crate::source) headers: Vec<(&'static str, HeaderValue)>,
    pub(in crate::source) size: Size,
}

pub(in crate::source) enum Method<'a> {
    Get,
    PostForm(&'a [(&'a str, &'a str)]),
    PostJson(String),
}

impl fmt::Debug for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A form holds the password.
        f.write_str(match self {
            Method::Get => "GET",
            Method::PostForm(_) | Method::PostJson(_) => "POST",
        })
    }
}

/// How large the reply is.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Size {
    /// What the budget reserves until the reply is there.
    pub(in crate::source) expected: u64,
    /// What is read at most.
    pub(in crate::source) max: u64,
}

/// What came back, whatever its status.
#[derive(Clone, Debug)]
pub(in crate::source) struct Reply {
    pub(in crate::source) status: u16,
    pub(in crate::source) retry_after: Option<String>,
    pub(in crate::source) body: Bytes,
}

/// Why nothing usable came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer, or not all of it.
    Broken(String),
    /// More than is read.
    TooLarge(u64),
}

impl HttpAccess {
    /// Prepares to make requests; makes none.
    pub fn new(
        settings: HttpSettings,
        budget: SharedBudget,
        now: Now,
    ) -> Result<Self, SourceError> {
        // If another part of the program was first, what it installed serves as well.
        rustls::crypto::ring::default_provider().install_default().unwrap_or(());
        let client = Client::builder()
            .user_agent(concat!("spikecast/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .redirect(redirect::Policy::custom(within_the_service))
            // It would tell the next address the former one's query.
            .referer(false)
            // Only the orchestrator retries.
            .retry(retry::never())
            .build()
            .map_err(|error| SourceError::Unavailable {
                source_name: "over HTTP".to_owned(),
                reason: format!(
                    "TLS cannot be set up ({}); install the system's root certificates",
                    innermost(&error)
                ),
            })?;
        Ok(Self { client, settings, budget, now })
    }

    pub(in crate::source) fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub(in crate::source) fn budget(&self) -> &SharedBudget {
        &self.budget
    }

    /// Sends a request if the budget grants it; otherwise tells how long to wait.
    pub(super) fn send(
        &self,
        request: &Request<'_>,
    ) -> Result<Result<Reply, Failure>, jiff::SignedDuration> {
        let grant = match self.budget.lock().ask(self.now(), request.size.expected) {
            Answer::Granted(grant) => grant,
            Answer::Wait(wait) => return Err(wait),
        };
        let mut received = 0;
        let outcome = self.exchange(request, &mut received);
        self.budget.lock().settle(grant, received);
        Ok(outcome)
    }

    fn exchange(&self, request: &Request<'_>, received: &mut u64) -> Result<Reply, Failure> {
        let url = request.url.clone();
        let mut builder = match &request.method {
            Method::Get => self.client.get(url),
            Method::PostForm(fields) => self.client.post(url).form(fields),
            Method::PostJson(body) => {
                self.client.post(url).header(CONTENT_TYPE, "application/json").body(body.clone())
            }
        };
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.clone());
        }
        let sent = builder.timeout(self.settings.request_timeout).send();
        let mut response =
            sent.map_err(|error| Failure::Broken(self.no_answer(request, &error)))?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let bytes_max = if status.is_success() { request.size.max } else { ERROR_BODY_BYTES_MAX };
        let announced = response.content_length();
        if status.is_success() && announced.is_some_and(|length| bytes_max < length) {
            return Err(Failure::TooLarge(bytes_max));
        }
        let mut body = Vec::new();
        let read = (&mut response).take(bytes_max.saturating_add(1)).read_to_end(&mut body);
        *received = body.len() as u64;
        if status.is_success() {
            if bytes_max < *received {
                return Err(Failure::TooLarge(bytes_max));
            }
            read.map_err(|error| Failure::Broken(self.cut_off(&error, *received, announced)))?;
        }
        Ok(Reply { status: status.as_u16(), retry_after, body: Bytes::from(body) })
    }

    fn no_answer(&self, request: &Request<'_>, error: &reqwest::Error) -> String {
        let host = request.url.host_str().unwrap_or_default();
        let seconds = |limit: Duration| limit.as_secs_f64();
        let HttpSettings { connect_timeout, request_timeout } = self.settings;
        if error.is_connect() && error.is_timeout() {
            let limit = seconds(connect_timeout.min(request_timeout));
            format!("no connection to {host} within {limit} s; is it up, and the way to it open?")
        } else if error.is_timeout() {
            format!("no answer from {host} within {} s", seconds(request_timeout))
        } else if error.is_connect() {
            let cause = innermost(error);
            format!("no connection to {host} ({cause}); is it up, and the way to it open?")
        } else if error.is_redirect() {
            format!("{host} redirects more than {REDIRECTS_MAX} times")
        } else {
            format!("the connection to {host} broke before the answer ({})", innermost(error))
        }
    }

    fn cut_off(&self, error: &io::Error, received: u64, announced: Option<u64>) -> String {
        let of = announced.map_or(String::new(), |length| format!(" of {length}"));
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<reqwest::Error>());
        if cause.is_some_and(reqwest::Error::is_timeout) {
            let limit = self.settings.request_timeout.as_secs_f64();
            return format!("the reply was not complete within {limit} s: {received}{of} bytes");
        }
        let cause = cause.map_or_else(|| error.to_string(), |cause| innermost(cause));
        format!("the reply ended early, after {received}{of} bytes ({cause})")
    }
}

/// Follows a redirect only to the same scheme, host and port: elsewhere nobody may see our
/// headers. What is not followed comes back as the reply.
fn within_the_service(attempt: redirect::Attempt<'_>) -> redirect::Action {
    if REDIRECTS_MAX < attempt.previous().len() {
        return attempt.error("too many redirects");
    }
    let same = attempt.previous().last().is_some_and(|url| url.origin() == attempt.url().origin());
    if same { attempt.follow() } else { attempt.stop() }
}

/// Returns what the first cause says. The outer ones name the URL, the inner ones what happened.
fn innermost(error: &dyn Error) -> String {
    let mut cause = match error.source() {
        Some(cause) => cause,
        None => return "no cause is known".to_owned(),
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
