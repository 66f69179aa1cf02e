//! What is answered: a status and a body, how the body is sent, and ERCOT's envelopes of refusals.

use std::time::Duration;

use jiff::Timestamp;
use market::source::SourceError;
use serde_json::{Value, json};

use super::documents::naive;

pub(super) const JSON: &str = "application/json";
pub(super) const ZIP: &str = "application/zip";
pub(super) const HTML: &str = "text/html";

/// An answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// How long the client is asked to wait.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
    pub(super) conduct: Conduct,
}

/// How the bytes of an answer's body go over the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Conduct {
    /// As fast as they can.
    #[default]
    Plain,
    /// So many at a time, with pauses.
    Trickle { bytes: usize, pause: Duration },
    /// So many, and then a reset.
    CutOff { after: usize },
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, JSON, body.to_string().into_bytes())
    }

    pub(super) fn zip(body: Vec<u8>) -> Self {
        Self::new(200, ZIP, body)
    }

    pub(super) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, content_type, retry_after: None, body, conduct: Conduct::Plain }
    }
}

/// Why a request is not answered as it wants.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The token is missing, wrong or expired.
    NoToken,
    /// The subscription key is missing or wrong.
    NoSubscription,
    /// Too many requests.
    Throttled,
    /// Too many bytes in this hour.
    BandwidthExceeded,
    /// The request itself is wrong.
    BadRequest(String),
    /// There is no such thing.
    NotFound(String),
    /// The server fails with this status.
    Failed(u16),
    /// The simulated market ends.
    World(SourceError),
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        Refusal::World(error)
    }
}

impl Refusal {
    /// Writes the refusal as ERCOT does: its gateway in one way, its application in another.
    pub(super) fn answer(&self, now: Timestamp) -> Answer {
        let application = |code: u16, status: &str, message: &str| {
            let body = json!({
                "timestamp": naive(now),
                "code": code,
                "status": status,
                "message": message,
                "data": {},
            });
            Answer::json(code, &body)
        };
        let gateway = |code: u16, message: &str| {
            Answer::json(code, &json!({ "statusCode": code, "message": message }))
        };
        match self {
            Refusal::NoToken => gateway(401, "Unauthorized. Access token is missing or invalid."),
            Refusal::NoSubscription => gateway(
                401,
                "Access denied due to missing or invalid subscription key. Make sure to include \
                 a valid subscription key when making requests to an API.",
            ),
            Refusal::Throttled => Answer::json(
                429,
                &json!({
                    "error_key": "throttled",
                    "error_message": "Rate limit is exceeded. Try again later.",
                }),
            ),
            Refusal::BandwidthExceeded => Answer::json(
                429,
                &json!({
                    "error": "BandwidthQuotaExceeded",
                    "message": "You have exceeded the hourly bandwidth limit.",
                }),
            ),
            Refusal::BadRequest(message) => application(400, "BAD_REQUEST", message),
            Refusal::NotFound(message) => application(404, "NOT_FOUND", message),
            Refusal::Failed(status) => {
                let page = format!("<html><body><h1>{status} Server Error</h1></body></html>");
                Answer::new(*status, HTML, page.into_bytes())
            }
            Refusal::World(error) => application(500, "INTERNAL_SERVER_ERROR", &error.to_string()),
        }
    }
}
