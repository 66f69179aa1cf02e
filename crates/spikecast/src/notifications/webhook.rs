//! Posts a body to a webhook, once, and reads what its server makes of it.
//!
//! Redirects are not followed: a webhook does not move, and the new place would see the message.
//! Error texts are made from causes, never from URLs.

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use jiff::Timestamp;
use market::source::http::{retry_after, text_of};
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{redirect, retry};
use serde_json::Value;

use super::{DeliveryError, WebhookUrl};

/// A server that does not pick up for so long is down or blocks us.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Webhooks answer at once; a workflow that has to be woken takes some seconds.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What is read of an answer; it is for a person.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Tells receivers which messages are the same one, sent again because the answer was lost.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Posts to webhooks. Its calls block, so they are not for asynchronous threads. The proxies that
/// the environment names (`HTTPS_PROXY`) are used.
#[derive(Clone, Debug)]
pub(super) struct WebhookClient(Client);

/// What is posted where.
#[derive(Debug)]
pub(super) struct Post<'a> {
    /// The channel, as errors name it.
    pub(super) channel: String,
    pub(super) url: &'a WebhookUrl,
    pub(super) key: String,
    pub(super) body: Value,
}

impl WebhookClient {
    /// Prepares to post; posts nothing.
    pub(super) fn new() -> Result<Self, DeliveryError> {
        // If another part of the program was first, what it installed serves as well.
        rustls::crypto::ring::default_provider().install_default().unwrap_or(());
        let client = Client::builder()
            .user_agent(concat!("spikecast/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            // Only the orchestrator retries.
            .retry(retry::never())
            .build();
        let client = client.map_err(|error| DeliveryError::NoTls { reason: innermost(&error) })?;
        Ok(Self(client))
    }

    /// Posts once.
    pub(super) fn post(&self, post: &Post<'_>, now: Timestamp) -> Result<(), DeliveryError> {
        let request = self
            .0
            .post(post.url.expose().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, header_text(&post.key))
            .body(post.body.to_string());
        match request.send() {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(refusal(post, response, now)),
            Err(error) => Err(DeliveryError::Unavailable {
                channel: post.channel.clone(),
                reason: no_answer(&error),
                wait: None,
            }),
        }
    }
}

/// Returns a key as a quoted text of a header, which holds nothing but ASCII.
fn header_text(key: &str) -> String {
    let is_plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\');
    format!("\"{}\"", key.replace(|c: char| !is_plain(c), "_"))
}

fn refusal(post: &Post<'_>, response: Response, now: Timestamp) -> DeliveryError {
    let status = response.status().as_u16();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = wait.and_then(|text| retry_after(text, now));
    let mut body = Vec::new();
    // What is missing of an explanation changes nothing about the refusal.
    response.take(ANSWER_BYTES_MAX).read_to_end(&mut body).unwrap_or_default();
    let text = post.url.blacken(&text_of(&body));
    let said =
        if text.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {text}") };
    let channel = post.channel.clone();
    match status {
        429 => DeliveryError::TooMany { channel, said, wait },
        408 | 425 | 500..=599 => DeliveryError::Unavailable { channel, reason: said, wait },
        401 | 403 | 404 | 407 | 410 => DeliveryError::NotLetIn {
            channel,
            said,
            advice: "make a new webhook there and set its address",
        },
        300..=399 => DeliveryError::Refused {
            channel,
            said,
            advice: "set the address it redirects to, which is not followed",
        },
        _ => DeliveryError::Refused {
            channel,
            said,
            advice: "it does not take this format; is the address of another kind of webhook?",
        },
    }
}

fn no_answer(error: &reqwest::Error) -> String {
    if error.is_connect() && error.is_timeout() {
        format!("no connection within {} s; is it up, and the way open?", CONNECT_TIMEOUT.as_secs())
    } else if error.is_timeout() {
        format!("no answer within {} s", REQUEST_TIMEOUT.as_secs())
    } else if error.is_connect() {
        format!("no connection ({}); is it up, and the way open?", innermost(error))
    } else {
        format!("the connection broke before the answer ({})", innermost(error))
    }
}

/// Returns what the first cause says. The outer ones name the URL, the inner ones what happened.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error.source();
    let mut said = "no cause is known".to_owned();
    while let Some(deeper) = cause {
        said = deeper.to_string();
        cause = deeper.source();
    }
    said
}
